"""A config is the run, the job's id, the store's key and the link: it must not be ambiguous."""

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from choices import combinations, one
from hypothesis import given, settings
from hypothesis import strategies as st

from lazycore.config import fields, spec
from lazycore.config import run as config_module
from lazycore.config.run import RunConfig, all_fields, fields_read
from lazycore.engine.problem.targets import dataset
from lazycore.errors import ConfigError, LazyLabError

CHANGES = {
    "task": "sine",
    "n_train": 7,
    "n_test": 3,
    "dim": 4,
    "noise": 0.25,
    "model": "fully_connected",
    "activation": "tanh",
    "activation_gain": "unit",
    "bias": "zero",
    "width": 12,
    "alpha": 3.5,
    "init_scale": 0.5,
    "scaling": "plain",
    "zero_output": "none",
    "loss": "logistic",
    "dynamics": "gd",
    "time": 2.0,
    "tolerance": 1e-4,
    "seed": 1,
    "data_seed": 1,
    "init_seed": 1,
    "dtype": "float32",
}
BEHIND_A_CHOICE = [
    ({"task": "digits"}, {"labels": "ten"}),
    ({"activation": "softplus"}, {"activation_beta": 2.0}),
    ({"bias": "normal"}, {"bias_gain": 0.5}),
    ({"task": "digits"}, {"centering": "pool"}),
    ({"task": "digits"}, {"pca": 10}),
    ({"task": "digits", "loss": "soft_hinge"}, {"loss_beta": 5.0}),
    ({"task": "digits", "loss": "quadratic_hinge"}, {"margin": 2.0}),
    ({"task": "digits", "loss": "soft_hinge"}, {"stop": "margins"}),
    ({"task": "parity"}, {"parity_order": 2}),
    ({"dynamics": "gd"}, {"refresh_every": 5}),
    ({"dynamics": "gd", "refresh_every": 5}, {"refresh_schedule": "front_loaded"}),
    ({"dynamics": "gd", "refresh_every": 5}, {"refresh_solver": "levenberg_marquardt"}),
    ({"dynamics": "gd", "refresh_every": 5}, {"refresh_cap": "stable"}),
    ({"dynamics": "adaptive_euler"}, {"gradient_tolerance": 1e-3}),
    ({"dynamics": "adaptive_euler"}, {"output_tolerance": 1e-3}),
    ({"model": "fully_connected"}, {"depth": 3}),
    ({"dynamics": "gd"}, {"steps": 10}),
    ({"dynamics": "gd"}, {"step_size": 0.1}),
    ({"dynamics": "gd"}, {"momentum": 0.5}),
    ({"dynamics": "sgd"}, {"batch_size": 5}),
    ({"dynamics": "sgd"}, {"batch_seed": 5}),
    ({"dynamics": "sgd"}, {"schedule": "inverse_time"}),
    ({"dynamics": "sgd", "schedule": "inverse_time"}, {"schedule_decay": 1.0}),
    ({"dynamics": "sgd", "task": "digits"}, {"augmentation": "standard"}),
    ({"model": "cnn", "task": "digits"}, {"width_multiplier": 2.0}),
    ({"task": "emnist"}, {"emnist_split": "letters"}),
    ({"task": "matrix_completion"}, {"matrix_size": 30}),
    ({"task": "matrix_completion"}, {"matrix_rank": 3}),
    ({"task": "own", "data_hash": "0" * 16}, {"data_file": "mine.csv"}),
    ({"task": "own"}, {"data_hash": "0" * 16}),
    ({"task": "own", "data_hash": "0" * 16}, {"data_shape": "5"}),
    ({"task": "own"}, {"data_classes": 0}),
    ({"task": "own"}, {"data_target": "column 1"}),
    ({"task": "own"}, {"data_missing": "mean"}),
    ({"task": "own"}, {"data_without": "x2"}),
    ({"task": "own", "data_classes": 0}, {"target_scaling": "none"}),
    ({"dynamics": "population"}, {"first_layer_rate": 2.0}),
    *(
        ({"task": "vector"}, {name: value})
        for name, value in {"target_size": 2, "target_norm": 2.0, "weights": 9, "bend": 0.5}.items()
    ),
    ({"task": "plane_target"}, {"target_1": 2.0}),
    ({"task": "plane_target"}, {"target_2": 2.0}),
    ({"task": "teacher"}, {"keep": "kernels"}),
]


def sentence(error: pytest.ExceptionInfo) -> str:
    """Return the message, after checking that it is one short sentence on one line."""
    text = str(error.value)
    assert "\n" not in text and len(text) < 700 and text[-1] in ".?"
    return text


def test_the_default_digest_is_pinned():
    assert RunConfig().digest == "3e793fe8f0ccfe5f"


def test_fields_that_came_later_leave_older_digests_as_they_were():
    assert RunConfig(dynamics="sgd").digest == "0179357eda2ad02a"
    digits = {"dynamics": "sgd", "task": "digits"}
    said = RunConfig.from_dict(digits | {"schedule": "constant", "augmentation": "none"})
    assert said.digest == RunConfig.from_dict(digits).digest
    for field in all_fields().values():
        assert not field.added or not callable(field.default)


def test_the_digest_is_the_same_in_another_process():
    code = "from lazycore import RunConfig; print(RunConfig(alpha=100, width=50).digest)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == RunConfig(width=50, alpha=1e2).digest


@pytest.mark.parametrize("name", CHANGES)
def test_every_field_changes_the_digest(name):
    assert RunConfig(**{name: CHANGES[name]}).digest != RunConfig().digest


@pytest.mark.parametrize(("chosen", "change"), BEHIND_A_CHOICE)
def test_every_field_behind_a_choice_changes_the_digest(chosen, change):
    if "data_file" in change:  # of a file that is not here all the rest must be said
        chosen = RunConfig.from_dict(chosen).resolve().to_dict()
    assert RunConfig.from_dict(chosen | change).digest != RunConfig.from_dict(chosen).digest


def test_no_field_is_left_out_of_the_two_tests_above():
    tried = set(CHANGES) | {name for _, change in BEHIND_A_CHOICE for name in change}
    assert tried == set(all_fields())


def test_every_field_of_the_contract_has_its_own_name_in_the_config():
    contract = """
        task n_train n_test dim noise labels model activation activation_beta activation_gain
        bias bias_gain width depth alpha init_scale scaling zero_output loss loss_beta dynamics
        time step_size steps momentum batch_size schedule stop refresh_every tolerance seed
        data_seed init_seed batch_seed dtype
    """
    assert sorted(RunConfig().to_dict()) == sorted(contract.split())


def test_all_ways_of_saying_one_run_give_one_digest():
    said = [
        RunConfig(alpha=1, width=100),
        RunConfig(alpha=1.0, width=100.0),
        RunConfig(),
        RunConfig().resolve(),
        RunConfig.from_dict({"alpha": 1, "width": None}),
        RunConfig.from_text({"alpha": "1", "width": "1e2"}),
        RunConfig(alpha=np.float64(1.0), width=np.int64(100)),
        RunConfig(alpha=np.float32(1.0), width=np.float64(100.0)),
    ]
    assert {c.digest for c in said} == {RunConfig().digest}


def test_numbers_of_numpy_survive_json_and_links():
    run = RunConfig(alpha=np.float64(10.0), width=np.int64(8), init_scale=np.float32(0.5))
    assert RunConfig.from_text(run.to_text()).digest == run.digest
    assert RunConfig.from_dict(json.loads(json.dumps(run.to_dict()))).digest == run.digest


def test_a_seed_counts_through_the_seeds_that_the_run_reads():
    fixed = {"data_seed": 5, "init_seed": 6}
    assert RunConfig(seed=1, **fixed).digest == RunConfig(seed=2, **fixed).digest
    assert RunConfig(seed=1, data_seed=5).digest != RunConfig(seed=2, data_seed=5).digest


def test_another_engine_version_is_another_digest(monkeypatch):
    before = RunConfig().digest
    monkeypatch.setattr(config_module, "ENGINE_VERSION", 2)
    assert RunConfig().digest != before


def test_resolving_twice_changes_nothing():
    here = (c | d for c, d in BEHIND_A_CHOICE if "data_file" not in d)
    for given_fields in ({}, *here, {"task": "circles"}):
        once = RunConfig.from_dict(given_fields).resolve()
        assert once.resolve() == once
        assert once.digest == RunConfig.from_dict(given_fields).digest
        assert json.loads(json.dumps(once.to_dict())) == once.to_dict()


def test_the_resolved_config_writes_defaults_out_and_leaves_null_what_is_not_read():
    values = RunConfig(task="sine", dynamics="gd").resolve().to_dict()
    assert values["bias"] == "normal" and values["bias_gain"] == 1.0 and values["steps"] == 1000
    assert values["n_train"] == 20 and values["data_seed"] is not None
    for name in ("dim", "labels", "depth", "batch_size", "tolerance", "time", "activation_beta"):
        assert values[name] is None


def test_tasks_that_need_biases_have_them_and_others_do_not():
    for task in spec.collect("task"):
        wanted = "normal" if task in ("sine", "circles", "ode_fit") else "none"
        chosen = one(task=task, model="two_layer")
        if chosen:  # a task without inputs has no network
            assert RunConfig.from_dict(chosen).resolve().bias == wanted


def test_a_batch_is_never_larger_than_the_data_by_default():
    assert RunConfig(dynamics="sgd", n_train=7).resolve().batch_size == 7
    assert RunConfig(dynamics="sgd", n_train=70).resolve().batch_size == 32


@pytest.mark.parametrize(
    "unread",
    [
        {"batch_size": 4},
        {"steps": 10},
        {"depth": 2},
        {"labels": "ten"},
        {"activation_beta": 3.0},
        {"bias_gain": 2.0},
        {"loss_beta": 1.0},
        {"schedule": "constant"},
        {"stop": "loss"},
        {"refresh_every": 10},
        {"dynamics": "gd", "tolerance": 1e-3},
        {"dynamics": "gd", "time": 1.0},
        {"dynamics": "sgd", "tolerance": 1e-3},
        {"task": "sine", "dim": 3},
        {"task": "digits", "dim": 3},
        {"task": "circles", "labels": "parity"},
    ],
)
def test_a_field_that_the_run_does_not_read_is_refused(unread):
    with pytest.raises(ConfigError) as error:
        RunConfig(**unread)
    assert "is not read by" in sentence(error)


def test_every_unread_field_is_refused_whatever_else_is_chosen():
    for dynamics in spec.collect("dynamics"):
        for model in spec.collect("model"):
            base = one(dynamics=dynamics, model=model)
            if base is None:
                continue
            read = fields_read(RunConfig.from_dict(base).resolve().to_dict())
            for name, field in all_fields().items():
                if name not in read:
                    value = (*field.options, "x")[0] if field.kind is str else field.low
                    with pytest.raises(ConfigError, match="is not read by"):
                        RunConfig.from_dict(base | {name: value})


BAD = [math.nan, math.inf, -math.inf, "abc", "", True, [1], {}, 10**400, -(10**5000), 1j, b"1"]


@pytest.mark.parametrize("name", ["alpha", "width", "n_train", "init_scale", "seed", "time"])
@pytest.mark.parametrize("value", BAD, ids=[str(i) for i in range(len(BAD))])
def test_no_number_at_all_is_one_sentence(name, value):
    with pytest.raises(ConfigError) as error:
        RunConfig(**{name: value})
    text = sentence(error)
    assert name in text and "give a" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": 0},
        {"alpha": -1.0},
        {"width": 0},
        {"width": -3},
        {"width": 3.5},
        {"width": 10**9},
        {"n_train": 0},
        {"n_train": 10**9},
        {"n_test": -1},
        {"dim": 0},
        {"init_scale": 0.0},
        {"seed": -1},
        {"seed": 2**32},
        {"noise": -0.1},
        {"task": "circles", "noise": 1.5},
        {"dynamics": "gd", "steps": 0},
        {"dynamics": "gd", "steps": 10**16},
        {"dynamics": "gd", "step_size": 0.0},
        {"dynamics": "gd", "momentum": 1.0},
        {"dynamics": "gd", "momentum": -0.5},
        {"time": 0.0},
        {"time": -1.0},
        {"tolerance": 0.0},
        {"tolerance": 1.0},
        {"task": "nothing"},
        {"task": 3},
        {"activation": "sigmoid"},
        {"dtype": "float16"},
        {"zero_output": "Centered"},
        {"task": ""},
    ],
)
def test_a_value_out_of_range_is_one_sentence_that_says_what_is_allowed(wrong):
    with pytest.raises(ConfigError) as error:
        RunConfig(**wrong)
    text = sentence(error)
    assert list(wrong)[-1] in text and "give " in text


def test_a_field_out_of_range_and_unread_is_still_one_sentence():
    with pytest.raises(ConfigError) as error:
        RunConfig(batch_size=10**5000)
    sentence(error)


def test_an_odd_width_cannot_be_symmetrised():
    with pytest.raises(ConfigError) as error:
        RunConfig(width=7, zero_output="symmetrized")
    assert "give 8" in sentence(error)
    RunConfig(width=8, zero_output="symmetrized")
    RunConfig(width=7)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ConfigError) as error:
        RunConfig(dynamics="sgd", n_train=10, batch_size=11)
    assert "give at most 10" in sentence(error)


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "digits", "n_train": 1700, "n_test": 41},
        {"task": "fashion_mnist", "n_train": 60_001},
        {"task": "fashion_mnist", "n_test": 10_001},
        {"task": "mnist", "n_train": 60_001},
        {"task": "cifar10", "n_train": 50_001},
        {"task": "cifar10", "n_test": 10_001},
        {"task": "emnist", "emnist_split": "letters", "labels": "ten", "n_train": 48_001},
    ],
)
def test_more_images_than_there_are_is_refused(wrong):
    with pytest.raises(ConfigError) as error:
        RunConfig.from_dict(wrong)
    assert "give" in sentence(error)


def test_a_binary_loss_cannot_take_ten_classes():
    with pytest.raises(ConfigError) as error:
        RunConfig(task="digits", labels="ten", loss="logistic")
    assert "labels=parity" in sentence(error)
    RunConfig(task="digits", labels="ten", loss="cross_entropy")


def test_an_unknown_field_is_refused_with_the_closest_one():
    for make in (RunConfig.from_dict, RunConfig.from_text):
        with pytest.raises(ConfigError) as error:
            make({"widht": "5"})
        assert "'width'" in sentence(error)
        with pytest.raises(ConfigError) as error:
            make({"zzzzzz": "5"})
        assert "alpha" in str(error.value)
    with pytest.raises(ConfigError, match="extra"):
        RunConfig.from_dict({"extra": []})
    with pytest.raises(ConfigError, match="Did you mean 'width'"):
        RunConfig(widht=3)


def test_fields_that_a_file_brings_are_given_like_the_others():
    assert RunConfig(keep="kernels") == RunConfig.from_dict({"keep": "kernels"})
    assert RunConfig(task="digits", pca=5).pca == 5
    assert RunConfig(time=None).time is None and RunConfig.from_text({"time": "null"}).time is None


@pytest.mark.parametrize("values", [[], "alpha=1", None, 3, [("alpha", 1)]])
def test_a_config_that_is_no_object_is_refused(values):
    with pytest.raises(ConfigError, match="object of fields"):
        RunConfig.from_dict(values)


@pytest.mark.parametrize("text", ["abc", "", "nan", "inf", "1e999", "0x10", "9" * 5000, "١e"])
@pytest.mark.parametrize("name", ["alpha", "width"])
def test_a_link_with_a_number_that_is_none_is_one_sentence(name, text):
    with pytest.raises(ConfigError) as error:
        RunConfig.from_text({name: text})
    assert name in sentence(error)


def test_an_attribute_that_is_no_field_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        _ = RunConfig().nothing


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunConfig().alpha = 3.0  # type: ignore[misc]


def test_errors_are_worded_for_a_person_and_are_value_errors_too():
    with pytest.raises(LazyLabError):
        RunConfig(alpha=-1)
    with pytest.raises(ValueError):
        RunConfig(alpha=-1)


def values_of(field: spec.Field):
    """Return a strategy for the allowed values of a field."""
    if field.kind is str:
        return st.sampled_from(field.options)
    if field.kind is int:
        return st.integers(int(field.low), int(field.high))
    return st.floats(field.low, field.high, allow_nan=False)


@st.composite
def configs(draw):
    """A config of random choices and random values of some of the fields that it reads."""
    chosen = dict(draw(st.sampled_from(combinations())))
    values = RunConfig.from_dict(chosen).resolve().to_dict()
    read = fields_read(values)
    if "width" in read:
        chosen["width"] = 2 * draw(st.integers(1, 50))
    least, most = values["batch_size"] or 1, min(200, int(read["n_train"].high or 0))
    chosen["n_train"] = draw(st.integers(least, most))
    if chosen["task"] in ("digits", "fashion_mnist"):
        chosen["n_test"] = draw(st.integers(0, 500))
    read = fields_read(RunConfig.from_dict(chosen).resolve().to_dict())
    for name, field in read.items():
        # These hang on each other, or on a file.
        bound = name.startswith(("data_", "matrix_")) and name != "data_seed"
        bound = bound or name in ("labels", "batch_size", "n_test", "target_size", "pca")
        bound = bound or name in ("zero_output", "refresh_every", "parity_order")
        bound = bound or (name == "noise" and chosen["task"] == "own")
        if name not in chosen and not bound and draw(st.booleans()):
            chosen[name] = draw(values_of(field))
            if name in ("activation", "bias"):
                continue
    known = fields_read_for(chosen)
    return {k: v for k, v in chosen.items() if k in known}


def fields_read_for(chosen: dict) -> set[str]:
    """Return the names read by the run with these selectors, activation and bias."""
    keys = ("task", "model", "loss", "dynamics", "activation", "bias", "width", "n_train")
    some = {k: chosen[k] for k in (*keys, "schedule") if k in chosen}
    return set(fields_read(RunConfig.from_dict(some).resolve().to_dict()))


@settings(max_examples=60, deadline=None)
@given(configs())
def test_text_and_json_round_trip_and_resolving_is_idempotent(chosen):
    run = RunConfig.from_dict(chosen)
    assert RunConfig.from_text(run.to_text()) == run
    assert RunConfig.from_dict(json.loads(json.dumps(run.to_dict()))) == run
    resolved = run.resolve()
    assert resolved.resolve() == resolved and resolved.digest == run.digest
    assert RunConfig.from_text(resolved.to_text()) == resolved
    for name, value in chosen.items():
        assert resolved.to_dict()[name] == value


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(all_fields())), st.text(max_size=12), max_size=4))
def test_any_text_in_a_link_gives_a_config_or_one_sentence(values):
    try:
        RunConfig.from_text(values)
    except ConfigError as error:
        assert "\n" not in str(error).replace("\\n", "") or any("\n" in v for v in values.values())


def test_what_is_not_of_the_data_leaves_the_data_untouched():
    base = {"task": "teacher", "n_train": 9, "n_test": 4, "dim": 3, "noise": 0.3}

    def data(**more):
        return dataset(RunConfig(**base, **more).resolve().to_dict())

    first = data()
    changes = [{"alpha": 50.0}, {"width": 14}, {"init_seed": 9}, {"model": "fully_connected"}]
    changes += [{"dynamics": "sgd", "batch_seed": 3}, {"init_scale": 2.0}, {"dtype": "float32"}]
    for change in changes:
        other = data(**change)
        for name in ("x_train", "y_train", "x_test", "y_test"):
            assert np.array_equal(getattr(first, name), getattr(other, name)), change
    logistic = data(loss="logistic")
    assert np.array_equal(first.x_train, logistic.x_train)
    assert np.array_equal(first.x_test, logistic.x_test)
    assert not np.array_equal(first.x_train, data(data_seed=3).x_train)
    assert not np.array_equal(first.x_train, data(seed=3).x_train)


def test_the_three_derived_seeds_differ_and_do_not_depend_on_each_other():
    values = RunConfig(dynamics="sgd").resolve()
    seeds = [values.data_seed, values.init_seed, values.batch_seed]
    assert len(set(seeds)) == 3
    fixed = RunConfig(dynamics="sgd", data_seed=4).resolve()
    assert (fixed.init_seed, fixed.batch_seed) == (values.init_seed, values.batch_seed)


def test_a_field_parses_words_and_numbers_and_leaves_the_range_to_the_check():
    assert fields.WIDTH.parse("12") == 12 and fields.WIDTH.parse("1e1") == 10
    assert fields.ALPHA.parse("2.5") == 2.5 and fields.SCALING.parse("plain") == "plain"
    with pytest.raises(ConfigError, match="width=x is not allowed"):
        fields.WIDTH.parse("x")
    for field, text in ((fields.WIDTH, "2.5"), (fields.WIDTH, "-1"), (fields.SCALING, "x")):
        with pytest.raises(ConfigError, match="is not allowed"):
            field.check(field.parse(text))


@pytest.mark.parametrize("name", ["self", "cls", "extra", "_resolved", "given"])
def test_a_field_that_is_a_word_of_the_class_is_unknown_like_any_other(name):
    with pytest.raises(ConfigError, match=f"no field '{name}'"):
        RunConfig.from_dict({name: 4})


def test_of_several_unknown_fields_the_first_is_named():
    with pytest.raises(ConfigError, match="'zzz'"):
        RunConfig.from_dict({"zzz": 1, "yyy": 2, "xxx": 3})
