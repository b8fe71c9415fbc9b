"""A sweep is spelled the same everywhere, has one digest, and says what is wrong with it."""

import itertools
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazycore.config.axes import parse_axis
from lazycore.config.run import RunConfig
from lazycore.config.sweep import DERIVED, LARGEST, SweepConfig
from lazycore.errors import ConfigError

SINE = {"task": "sine", "dynamics": "gd", "steps": "5"}


def sweep(**text: str) -> SweepConfig:
    return SweepConfig.from_text(SINE | text)


# ── the text of an axis ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "name, text, values",
    [
        ("width", "32,64,128", (32, 64, 128)),
        ("width", " 32 , 64 ", (32, 64)),
        ("width", "32,", (32,)),
        ("width", "1e2,200", (100, 200)),
        ("width", "10:1000:3", (10, 100, 1000)),
        ("width", "1:4:10", (1, 2, 3, 4)),
        ("depth", "1:5:3", (1, 3, 5)),
        ("init_seed", "0:4", (0, 1, 2, 3)),
        ("width", "7:9", (7, 8)),
        ("alpha", "1e-2:1e2:5", (0.01, 0.1, 1.0, 10.0, 100.0)),
        ("momentum", "0:0.9:4", (0.0, 0.3, 0.6, 0.9)),
        ("alpha", "3", (3.0,)),
        ("alpha", "5,1,3", (5.0, 1.0, 3.0)),
        ("activation", "relu,tanh", ("relu", "tanh")),
        ("alpha_sqrt_width", "1:100:3", (1.0, 10.0, 100.0)),
    ],
)
def test_the_text_of_an_axis_stands_for_these_values(name, text, values):
    found = parse_axis(name, text)
    assert found == values and [type(v) for v in found] == [type(v) for v in values]


def test_spaced_values_have_equal_ratios_both_ends_and_twelve_digits():
    values = parse_axis("alpha", "1e-2:1e4:13")
    assert len(values) == 13 and values[0] == 0.01 and values[-1] == 1e4
    assert values[4] == 1.0, "not 0.9999999999999999"
    ratios = [b / a for a, b in itertools.pairwise(values)]
    assert ratios == pytest.approx([math.sqrt(10)] * 12, rel=1e-10)
    assert all(float(f"{v:.12g}") == v for v in values)


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("alpha", "0:10", "alpha=0:10 says no number of values: write low:high:count."),
        ("alpha", "1:2:3:4", "write low:high:count"),
        ("alpha", "10:1:3", "goes nowhere"),
        ("alpha", "1:1:3", "goes nowhere"),
        ("alpha", "1:inf:3", "goes nowhere"),
        ("alpha", "1:10:1", "count must be a whole number above 1"),
        ("alpha", "1:10:2.5", "count must be a whole number above 1"),
        ("alpha", "1:10:1e9", "1,000,000,000 values: at most 20,000"),
        ("alpha", "0:10:3", "its ends must be above 0"),
        ("alpha", "a:b:3", "alpha=a is not allowed"),
        ("alpha", ":", "empty value"),
        ("alpha", "1,,2", "empty value"),
        ("alpha", ",", "empty value"),
        ("alpha", "", "empty value"),
        ("alpha", "1,x", "alpha=x is not allowed: give a number from"),
        ("alpha", "1,1.0", "alpha=1 stands twice on its axis"),
        ("alpha", "nan,1", "alpha=nan is not allowed"),
        ("time", "null,3", "time=null is no value of an axis"),
        ("time", "null:3:4", "time=null is no value of an axis"),
        ("width", "2.5,3", "width=2.5 is not allowed: give a whole number"),
        ("width", "0.5:3", "give whole numbers"),
        ("init_seed", "0:4000000000", "4,000,000,000 values: at most 20,000"),
        ("activation", "relu:tanh", "give words out of linear, relu"),
        ("activation", "relu,elu", "activation=elu is not allowed: give linear, relu"),
        ("alhpa", "1,2", "no field 'alhpa' to sweep over. Did you mean 'alpha'?"),
        ("alpha_sqrt_widht", "1,2", "Did you mean 'alpha_sqrt_width'?"),
        ("zzzzzz", "1,2", "no field 'zzzzzz' to sweep over."),
    ],
)
def test_a_text_that_is_no_axis_is_refused_with_one_sentence(name, text, said):
    with pytest.raises(ConfigError) as error:
        parse_axis(name, text)
    assert said in str(error.value) and "\n" not in str(error.value)


# ── the cells ────────────────────────────────────────────────────────────────────────────
def test_the_cells_are_all_combinations_the_last_axis_fastest():
    config = sweep(alpha="1,10", width="4,6,8")
    assert config.shape == (2, 3) and list(config.axes) == ["alpha", "width"]
    wanted = list(itertools.product((1.0, 10.0), (4, 6, 8)))
    assert [tuple(cell.values.values()) for cell in config.cells] == wanted
    for cell, (alpha, width) in zip(config.cells, wanted, strict=True):
        run = RunConfig(task="sine", dynamics="gd", steps=5, alpha=alpha, width=width)
        assert cell.config == run and cell.digest == run.digest
    assert config.cells[1].name == "alpha=1, width=6"


def test_alpha_root_width_sets_alpha_of_each_cell():
    config = sweep(width="4,9", alpha_sqrt_width="6")
    assert [cell.config.alpha for cell in config.cells] == [3.0, 2.0]
    assert config.axes["alpha_sqrt_width"] == (6.0,) and config.shape == (2, 1)
    at_default = sweep(alpha_sqrt_width="1,2")
    width = RunConfig(task="sine").resolve().width
    expected = [value / np.sqrt(width) for value in (1, 2)]
    assert [cell.config.alpha for cell in at_default.cells] == pytest.approx(expected, rel=1e-11)


def test_axes_of_products_set_a_field_from_another_one_of_the_cell():
    base = {"task": "sine", "dynamics": "gd", "steps": "5"}
    plane = {"width": "4,16", "alpha_width": "8", "step_size_width": "2"}
    cells = SweepConfig.from_text(base | plane).cells
    assert [(c.config.alpha, c.config.step_size) for c in cells] == [(2.0, 0.5), (0.5, 0.125)]
    scales = {"init_scale": "0.5,2", "step_size_init_scale2": "1"}
    assert [c.config.step_size for c in SweepConfig.from_text(base | scales).cells] == [4.0, 0.25]
    times = {"task": "sine", "init_scale": "0.5,2", "time_init_scale2": "1"}
    assert [c.config.time for c in SweepConfig.from_text(times).cells] == [4.0, 0.25]


def test_an_axis_may_choose_who_reads_the_other_fields():
    config = SweepConfig.from_text({"task": "sine", "dynamics": "gd,sgd", "steps": "7"})
    assert [cell.config.dynamics for cell in config.cells] == ["gd", "sgd"]
    assert SweepConfig.from_dict({"base": {"steps": 7}, "axes": {"dynamics": ["gd", "sgd"]}})


def test_values_that_python_has_are_taken_as_they_are():
    config = SweepConfig(base=RunConfig(), axes={"alpha": np.geomspace(1, 100, 3), "width": [8.0]})
    assert config.axes == {"alpha": (1.0, 10.0, 100.0), "width": (8,)}
    config = SweepConfig(base=RunConfig(), axes={"init_seed": range(3)})
    assert config.axes == {"init_seed": (0, 1, 2)}


@pytest.mark.parametrize(
    "text, said",
    [
        ({}, "a sweep needs a field with several values"),
        ({"alpha": "1"}, "this is one run"),
        ({"wdth": "3", "alpha": "1,2"}, "no field 'wdth'. Did you mean 'width'?"),
        ({"alpha": "1,2", "alpha_sqrt_width": "1"}, "alpha_sqrt_width sets alpha"),
        (
            {"alpha_sqrt_width": "1,2", "alpha_width": "1"},
            "alpha_sqrt_width and alpha_width both set alpha: give one of the two",
        ),
        (
            {"task": "digits", "model": "cnn", "alpha_width": "1,2"},
            "alpha_width needs width, which this run does not read",
        ),
        (
            {"width": "4,5", "zero_output": "symmetrized"},
            "the cell width=5 cannot be: width=5 is odd",
        ),
        ({"alpha": "1,1e13"}, "the cell alpha=1e+13 cannot be: alpha=1e+13 is not allowed"),
        ({"tolerance": "0.1,0.01"}, "the cell tolerance=0.1 cannot be: tolerance=0.1 is not read"),
        ({"alpha_sqrt_width": "1,1e-9"}, "the cell alpha_sqrt_width=1e-09 cannot be: alpha="),
        (
            {"seed": "0,1", "data_seed": "0", "init_seed": "0"},
            "seed=0 and seed=1 are the same run",
        ),
        (
            {"alpha_sqrt_width": "1,2", "alpha": "3"},
            "alpha_sqrt_width sets alpha: leave alpha=3 out",
        ),
        ({"alpha": "1:300:300", "init_seed": "0:100"}, "300 × 100 = 30,000 cells are too many"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_with_one_sentence(text, said):
    with pytest.raises(ConfigError) as error:
        sweep(**text)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_seven_axes_are_too_many():
    names = ("alpha", "width", "init_scale", "n_train", "n_test", "data_seed", "init_seed")
    with pytest.raises(ConfigError, match="7 axes are too many: give at most 6"):
        sweep(**dict.fromkeys(names, "4,6"))


@pytest.mark.parametrize(
    "content, said",
    [
        ([], "two parts"),
        ({"axes": {"alpha": [1, 2]}}, "two parts"),
        ({"base": {}, "axes": {"alpha": [1, 2]}, "more": 1}, "two parts"),
        ({"base": [], "axes": {"alpha": [1, 2]}}, "objects of fields"),
        ({"base": {}, "axes": [["alpha", [1, 2]]]}, "objects of fields"),
        ({"base": {}, "axes": {"alpha": "1,2"}}, "alpha=1,2 is no axis"),
        ({"base": {}, "axes": {"alpha": []}}, "is no axis"),
        ({"base": {}, "axes": {"alpha": 3}}, "is no axis"),
        ({"base": {}, "axes": {"alpha": [1, None]}}, "alpha=None is not allowed"),
        ({"base": {}, "axes": {"alpha": [1, True]}}, "alpha=True is not allowed"),
        ({"base": {}, "axes": {"alpha": [1, [2]]}}, "is not allowed"),
        ({"base": {}, "axes": {"alpha": [1, 1e999]}}, "alpha=inf is not allowed"),
        ({"base": {}, "axes": {"activation": ["relu", 3]}}, "activation=3 is not allowed"),
        ({"base": {}, "axes": {3: [1, 2]}}, "no field '3'"),
        ({"base": {"wdth": 3}, "axes": {"alpha": [1, 2]}}, "no field 'wdth'"),
        ({"base": {}, "axes": {"init_seed": list(range(30_000))}}, "30,000 values"),
    ],
)
def test_data_that_is_no_sweep_is_refused_with_one_sentence(content, said):
    with pytest.raises(ConfigError) as error:
        SweepConfig.from_dict(content)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_as_many_cells_as_are_allowed_are_allowed():
    names = parse_axis("init_seed", f"0:{LARGEST}")
    assert len(names) == LARGEST


# ── one sweep, one digest ────────────────────────────────────────────────────────────────
def test_the_digest_is_stable():
    config = SweepConfig.from_text(
        {"task": "sine", "alpha": "1e-2:1e4:13", "width": "32,64,128", "init_seed": "0:2"}
    )
    assert config.digest == "cf190b9266455eb2"


def test_whatever_changes_a_cell_or_an_axis_changes_the_digest():
    base = {"alpha": "1,10", "width": "4,8"}
    others = [
        {},
        {"alpha": "1,11"},
        {"alpha": "10,1"},
        {"alpha": "1,10,100"},
        {"steps": "6"},
        {"init_seed": "3"},
        {"init_seed": "3,"},
    ]
    digests = {sweep(**base | other).digest for other in others}
    assert len(digests) == len(others)
    assert sweep(width="4,8", alpha="1,10").digest not in digests, "another order is another table"


def test_what_is_said_twice_in_different_words_is_one_sweep():
    first = sweep(alpha="1:100:3", width="4,")
    assert first == sweep(alpha="1.0,1e1,100", width="4,")
    explicit = SweepConfig(
        base=RunConfig(task="sine", dynamics="gd", steps=5, alpha=7, width=9),
        axes={"alpha": (1, 10, 100), "width": (4,)},
    )
    assert explicit == first and explicit.digest == first.digest
    default = sweep(alpha="1:100:3", width="4,", momentum="0")
    assert default.digest == first.digest, "a default that is written out is the same run"


def test_no_run_has_the_digest_of_a_sweep():
    config = sweep(alpha="1,")
    assert config.digest != config.cells[0].digest


NUMBERS = st.floats(1e-6, 1e9, allow_nan=False, allow_infinity=False)
AXES = st.fixed_dictionaries(
    {},
    optional={
        "alpha": st.lists(NUMBERS, min_size=1, max_size=4, unique=True),
        "init_scale": st.lists(st.floats(0.1, 10.0), min_size=1, max_size=3, unique=True),
        "width": st.lists(st.integers(1, 1000), min_size=1, max_size=4, unique=True),
        "init_seed": st.integers(0, 50).flatmap(
            lambda n: st.integers(1, 4).map(lambda m: list(range(n, n + m)))
        ),
        "activation": st.permutations(["relu", "tanh", "linear"]),
    },
).filter(bool)


@settings(max_examples=40, deadline=None)
@given(axes=AXES, alpha=NUMBERS)
def test_text_and_data_come_back_as_the_same_sweep(axes, alpha):
    config = SweepConfig(base=RunConfig(task="sine", alpha=alpha), axes=axes)
    text = config.to_text()
    for again in (
        SweepConfig.from_text(text),
        SweepConfig.from_dict(json.loads(json.dumps(config.to_dict()))),
    ):
        assert again == config and again.digest == config.digest
        assert list(again.axes) == list(config.axes) and again.to_text() == text


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(["alpha", "width", "activation", "noise"]), text=st.text(max_size=20))
def test_any_text_is_an_axis_or_a_sentence(name, text):
    try:
        values = parse_axis(name, text)
    except ConfigError as error:
        assert str(error).endswith(".") or "?" in str(error)
    else:
        assert 1 <= len(values) <= LARGEST


def test_an_axis_is_written_as_short_as_it_reads():
    config = sweep(alpha="1e-2:1e4:13", width="32,64,128", init_seed="0:10")
    wanted = {"alpha": "0.01:10000:13", "width": "32:128:3", "init_seed": "0:10"}
    assert config.to_text() == SINE | wanted
    assert sweep(alpha="0.3,1", width="5,").to_text() == SINE | {"alpha": "0.3,1", "width": "5,"}
    derived = sweep(alpha_sqrt_width="2", width="4,9").to_text()
    assert derived == SINE | {"alpha_sqrt_width": "2,", "width": "4,9"}


def test_every_derived_axis_sets_a_field_that_is_none_itself():
    known = RunConfig().to_dict()
    for name, derived in DERIVED.items():
        assert name not in known and derived.sets in known and derived.field.name == name


def test_sweeps_and_their_tables_come_without_torch_and_pandas():
    code = (
        "import sys, lazycore.results.sweep, lazycore.config.kinds\n"
        "sys.exit(bool({'torch', 'pandas', 'dbos'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
