"""What is declared of a quantity is what record, table, Compare, axes and documents say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lazycore import RunConfig, run
from lazycore.errors import CorruptResult
from lazycore.figures import overlay, quantity, table
from lazycore.results import explained, onset, recorded, sweep
from lazycore.results.quantities import ALL, DECLARED, NUMBERS, QUANTITIES
from lazycore.results.quantities.declared import HEAD, KERNEL_TIME, RUN, TIME, Number, Quantity
from lazycore.results.quantities.reductions import final
from lazycore.results.run import ALWAYS_PRESENT, RunResult
from pages.sweep import presets
from pages.widgets import sweepview
from pages.widgets.summary import STRIP

ROOT = Path(__file__).resolve().parent.parent
SMALL = {"n_train": 8, "n_test": 6, "width": 8}
RUNS = {
    "flow": SMALL | {"task": "teacher", "dim": 3, "activation": "tanh", "time": 5.0},
    "kernels": SMALL
    | {"task": "circles", "dynamics": "gd", "steps": 20, "keep": "kernels", "loss": "logistic"},
    "third path": SMALL | {"task": "sine", "dynamics": "gd", "steps": 20, "refresh_every": 5},
    "margins": SMALL
    | {"task": "stripe", "dim": 3, "dynamics": "adaptive_euler", "loss": "soft_hinge"}
    | {"time": 5.0, "stop": "margins"},
    "classes": SMALL
    | {"task": "digits", "labels": "ten", "loss": "cross_entropy", "dynamics": "gd", "steps": 9},
    "curve": {"task": "plane_target", "time": 2.0},
    "convolutions": {"task": "digits", "model": "cnn", "dynamics": "sgd", "steps": 5}
    | {"n_train": 8, "n_test": 4, "batch_size": 4},
}


@pytest.mark.parametrize("name", RUNS)
def test_every_name_in_a_record_is_declared_and_stands_where_it_is_said_to(name):
    result = run(RunConfig.from_dict(RUNS[name]))
    for at, group in ((TIME, result.series), (KERNEL_TIME, result.sparse), (RUN, result.latest)):
        for key, value in group.items():
            known = DECLARED[key]
            assert known.at == at, key
            if isinstance(value, np.ndarray):
                assert value.ndim == len(known.axes) + (at != RUN), key
    assert RunResult.from_bytes(result.to_bytes()).to_dict() == result.to_dict()


def test_a_name_belongs_to_one_quantity_and_has_a_meaning():
    assert sum(len(q.keys) for q in ALL) == len(DECLARED)
    assert all(q.meaning for q in ALL)
    assert all(other in DECLARED for q in ALL for other in q.needs)
    names = [number.name for q in ALL for number in q.columns()]
    assert len(set(names)) == len(names)


def test_the_documents_say_what_is_declared():
    page = (ROOT / "docs" / "quantities.md").read_text()
    assert explained.written(page) == page, "run python -m lazycore.results.explained on it"
    for words in (*(q.meaning for q in ALL), *(NUMBERS[name].words for name in QUANTITIES)):
        assert words.replace("|", "\\|") in page


def test_the_tables_are_written_between_their_marks_and_nowhere_else(tmp_path):
    path = tmp_path / "page.md"
    marks = [f"<!-- {p}: {w} -->" for p in explained.PARTS for w in ("begin", "end")]
    path.write_text("\n".join(["before", *marks, "after"]))
    explained.main([str(path)])
    text = path.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter") and "`kernel_change`" in text
    with pytest.raises(ValueError):
        explained.written("no mark")


def test_what_a_record_always_has_is_what_is_declared_to_be_absent_as_something():
    result = RunResult.collect(RunConfig(), [])
    for key, value in ALWAYS_PRESENT.items():
        found = result.to_dict()
        for part in key.split("."):
            found = found[part]
        assert found == value, key
    assert set(ALWAYS_PRESENT) - {"refreshed"} <= DECLARED.keys()
    of_model = dict(status="done", train_loss=[], displacement=[])
    of_model |= dict.fromkeys(("test_loss", "train_error", "test_error", "stop_time", "half_time"))
    contract: dict[str, Any] = {"gap.train_output": [], "gap.parameter": [], "kernel_change": []}
    contract |= dict.fromkeys(("refreshed", "gap.test_output", "activation_stability", "kappa"))
    contract |= dict.fromkeys(("numerical_error", "device"))
    for model in ("nonlinear", "linearized"):
        contract |= {f"{model}.{key}": value for key, value in of_model.items()}
    assert contract == ALWAYS_PRESENT
    assert {q.name for q in ALL if q.at == HEAD} <= result.to_dict().keys()


def test_compare_draws_what_is_declared_to_be_compared():
    assert {name: q.title for name, q in overlay.CURVES.items()} == {
        "train_loss": "training loss R(αh)",
        "test_loss": "test loss R(αh)",
        "train_error": "training error",
        "test_error": "test error",
        "displacement": "displacement ‖w − w₀‖",
        "gap": "output gap, rms",
        "parameter_gap": "parameter gap ‖w − w̄‖",
        "kernel_change": "kernel change ‖Θ − Θ₀‖/‖Θ₀‖",
        "alignment": "alignment with the labels",
        "stability": "units that keep their sign",
    }
    assert set(overlay.USUAL) <= overlay.CURVES.keys()


def test_what_stands_under_a_run_has_a_label_and_sentences():
    for name in STRIP:
        assert NUMBERS[name].label and NUMBERS[name].help.endswith((".", "%."))


def test_a_threshold_of_the_verdict_is_a_contour_of_its_number_alone():
    assert {name: n.levels for name, n in QUANTITIES.items() if n.levels} == {
        "relative_gap": (0.05,),
        "kernel_change": (0.1, 1.0),
        "final_test_error": (0.1,),
    }
    assert quantity.levels("no such number") == ()


def test_a_quantity_that_is_declared_has_a_column_for_each_path_and_an_axis():
    made_up = Quantity(
        name="warmth",
        meaning="how warm it gets",
        title="warmth",
        unit="loss",
        of=("nonlinear", "refreshed"),
        numbers=(
            Number(name="final_warmth", words="warmth at the end", how=final),
            Number(name="spread", words="spread", how=final, of=(), unit="share", log=False),
        ),
    )
    columns = made_up.columns()
    assert [(c.name, c.words) for c in columns] == [
        ("final_warmth", "network: warmth at the end"),
        ("refreshed_final_warmth", "iterative linearisation: warmth at the end"),
        ("spread", "spread"),
    ]
    assert [(c.unit, c.log) for c in columns] == [("loss", True), ("loss", True), ("share", False)]
    result = run(RunConfig.from_dict(RUNS["classes"]))
    assert quantity.axis_title(made_up, result) == "warmth (nats)"
    assert made_up.values(result, "nonlinear").size == 0
    held = result.series["nonlinear.warmth"] = np.arange(3.0)
    assert made_up.values(result, "nonlinear") is held and columns[0].value(result) == 2.0
    assert np.isnan(columns[1].value(result))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("kernel_points", "many", "a number"),
        ("device", 3, "words"),
        ("notes", "one", "a list of words"),
        ("nonlinear.status", "fine", "done or diverged"),
        ("spectrum", 3.0, "an array"),
    ],
)
def test_a_record_is_held_to_the_kind_that_is_declared(key, value, said):
    result = RunResult.collect(RunConfig(), [])
    result.latest[key] = value
    with pytest.raises(CorruptResult, match=said):
        recorded.check_record(result)


def test_every_list_of_names_is_of_numbers_that_are_declared():
    """A name that is misspelt in one of them would be left out without a word."""
    lists = (table.USUAL, sweepview.FIRST, onset.THRESHOLDS, onset.SAID, sweep.SHOWN.values())
    for names in (*lists, [preset.view["of"] for preset in presets.PRESETS]):
        assert set(names) <= QUANTITIES.keys()
