"""The table of a sweep: every cell has its row, whatever it came to, and nothing is trusted."""

import io
import itertools
import json
import math
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sweep_standin

from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError, CorruptResult, LazyLabError, ResultNotFound
from lazycore.results import answers
from lazycore.results.cellgroups import verdicts_in
from lazycore.results.quantities import QUANTITIES, measure
from lazycore.results.sweep import OUTPUTS, SweepResult

ARRAYS = ("status", "verdict", "values")
SWEEP = sweep_standin.sweep(alpha="1,10", width="4,8", init_seed="0:3")
DIGESTS = [cell.digest for cell in SWEEP.cells]


@pytest.fixture
def table(make_run):
    """A table of which the first eight cells are done, the ninth diverged, the tenth failed."""
    table = SweepResult(SWEEP)
    for number, cell in enumerate(SWEEP.cells[:9]):
        status = "diverged" if number == 8 else "done"
        run = make_run(1.0 + number, config=cell.config, status=status)
        table.add(cell.digest, run)
    table.add_failure(DIGESTS[9], "There is no luck, and no »comma«, here.")
    return table


def test_the_verdicts_are_counted_without_forming_a_cell(table, monkeypatch):
    said = [word for digest in DIGESTS if (word := table.verdict(digest))]
    assert len(said) == 9 and table.verdicts == {word: said.count(word) for word in set(said)}
    data = table.to_bytes()
    monkeypatch.setattr(SweepConfig, "cells", property(lambda config: pytest.fail("a cell")))
    assert verdicts_in(data) == table.verdicts


@pytest.mark.parametrize("wrong", [np.array([9], np.uint8), np.array([0.5]), np.zeros((2, 2))])
def test_verdicts_that_are_none_are_not_counted(table, wrong):
    table._verdict = wrong
    with pytest.raises(CorruptResult, match="not a whole Lazy Lab sweep"):
        verdicts_in(table.to_bytes())


def test_every_cell_has_a_row_that_says_what_it_came_to(table):
    assert (table.done, table.total) == (10, 12)
    said = [table.status(digest) for digest in DIGESTS]
    assert said == ["done"] * 8 + ["diverged", "failed", "missing", "missing"]
    frame = table.frame
    assert len(frame) == 12 and frame["status"].tolist() == said
    assert frame["digest"].tolist() == DIGESTS
    head = [
        "alpha",
        "width",
        "init_seed",
        "alpha_sqrt_width",
        "digest",
        "status",
        "verdict",
        "message",
    ]
    assert list(frame.columns) == head + list(QUANTITIES)
    assert frame["alpha_sqrt_width"].tolist() == (frame["alpha"] * frame["width"] ** 0.5).tolist()
    points = list(itertools.product([1.0, 10.0], [4, 8], [0, 1, 2]))
    assert list(zip(frame["alpha"], frame["width"], frame["init_seed"], strict=True)) == points


def test_a_row_holds_the_numbers_of_its_run_and_nothing_where_there_is_none(table, make_run):
    run = make_run(3.0, config=SWEEP.cells[2].config)
    row = table.frame.iloc[2]
    for name, value in measure(run).items():
        assert row[name] == pytest.approx(value, nan_ok=True), name
    assert row["verdict"] == run.verdict == table.verdict(DIGESTS[2])
    for number in (9, 10, 11):
        row = table.frame.iloc[number]
        assert row[list(QUANTITIES)].isna().all() and pd.isna(row["verdict"])
        assert table.verdict(DIGESTS[number]) is None
    assert "no luck" in table.frame["message"][9] and table.frame["message"].count() == 1


def test_a_cell_that_is_computed_after_all_is_no_failure_any_more(table, make_run):
    table.add(DIGESTS[9], make_run(1.0, config=SWEEP.cells[9].config))
    assert table.status(DIGESTS[9]) == "done" and table.message(DIGESTS[9]) is None
    table.add_failure(DIGESTS[0], "x" * 9999)
    assert table.status(DIGESTS[0]) == "failed" and len(table.message(DIGESTS[0])) == 500
    assert table.verdict(DIGESTS[0]) is None
    assert table.frame.iloc[0][list(QUANTITIES)].isna().all()


def test_a_cell_that_ended_early_says_its_diagnosis_and_one_that_did_not_says_nothing(
    table, make_run
):
    config, digest = SWEEP.cells[9].config, DIGESTS[9]
    early = replace(make_run(1.0, config=config), status="budget")
    early.latest["diagnosis"] = "kink"
    table.add(digest, early)
    assert table.status(digest) == "budget" and table.message(digest) == "kink"
    assert SweepResult.from_bytes(table.to_bytes()).message(digest) == "kink"
    table.add(digest, replace(early, status="done"))
    assert table.message(digest) is None


def test_what_is_no_cell_or_no_whole_run_is_refused(table, make_run):
    for call in (table.status, table.verdict, table.message):
        with pytest.raises(ConfigError, match="no cell of this sweep"):
            call("0" * 16)
    with pytest.raises(ConfigError, match="was cancelled"):
        table.add(DIGESTS[0], make_run(config=SWEEP.cells[0].config, status="cancelled"))
    assert table.status(DIGESTS[0]) == "done"


def test_no_reachable_status_is_lost_on_the_way_through_bytes(table, make_run):
    table.add(DIGESTS[10], make_run(config=SWEEP.cells[10].config, status="budget"))
    again = SweepResult.from_bytes(table.to_bytes())
    pd.testing.assert_frame_equal(again.frame, table.frame)
    assert again.digest == SWEEP.digest and again.config == SWEEP
    assert set(again.frame["status"]) == {"done", "diverged", "failed", "budget", "missing"}
    again.add_failure(DIGESTS[0], "It can be added to.")


# ── grids ────────────────────────────────────────────────────────────────────────────────
def test_a_grid_is_the_table_by_two_axes(table):
    frame = table.frame
    grid = table.grid("alpha", "width", "largest_gap", at={"init_seed": 1})
    for (i, width), (j, alpha) in itertools.product(enumerate((4, 8)), enumerate((1.0, 10.0))):
        rows = (frame["alpha"] == alpha) & (frame["width"] == width) & (frame["init_seed"] == 1)
        assert grid[i, j] == pytest.approx(frame[rows]["largest_gap"].iloc[0], nan_ok=True)
    assert np.isnan(grid[1, 1]) and np.isfinite(grid[0]).all()
    assert table.grid("width", "alpha", "largest_gap", {"init_seed": 1}) == pytest.approx(
        grid.T, nan_ok=True
    )


@pytest.mark.parametrize("reduce", ["median", "mean", "min", "max"])
def test_a_grid_reduces_the_other_axes_over_the_cells_that_have_a_number(table, reduce):
    grid = table.grid("alpha", "width", "largest_gap", reduce=reduce)
    groups = table.frame.groupby(["width", "alpha"])["largest_gap"].agg(reduce)
    assert grid == pytest.approx(groups.to_numpy().reshape(2, 2), nan_ok=True)
    assert np.isnan(grid[1, 1]), "failed and missing cells have no number"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("alpha", "depth", "largest_gap"), "'depth' is no axis"),
        (("alpha", "alpha", "largest_gap"), "no grid"),
        (("alpha", "width", "smallest_gap"), "no grid of 'smallest_gap'"),
        (("alpha", "width", "largest_gap", {"init_seed": 9}), "init_seed=9 is not on its axis"),
        (("alpha", "width", "largest_gap", {"width": 4}), "no grid"),
        (("alpha", "width", "largest_gap", {}, "mode"), "by 'mode'"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(table, arguments, said):
    with pytest.raises(ConfigError, match=said):
        table.grid(*arguments)


# ── files ────────────────────────────────────────────────────────────────────────────────
def test_csv_and_parquet_hold_the_frame(table, tmp_path):
    parquet = pd.read_parquet(table.to_parquet(tmp_path / "sweep.parquet"))
    pd.testing.assert_frame_equal(parquet, table.frame)
    csv = pd.read_csv(table.to_csv(tmp_path / "sweep.csv"), dtype={"digest": "str"})
    pd.testing.assert_frame_equal(csv, table.frame)


def test_a_table_without_any_cell_done_is_written_and_read_too(tmp_path):
    empty = SweepResult(SWEEP)
    parquet = pd.read_parquet(empty.to_parquet(tmp_path / "sweep.parquet"))
    pd.testing.assert_frame_equal(parquet, empty.frame)
    assert SweepResult.load(empty.save(tmp_path / "sweep.npz")).done == 0


def test_the_json_of_a_table_has_null_where_there_is_no_number(table):
    record = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert SweepConfig.from_dict(record["config"]) == SWEEP and record["digest"] == SWEEP.digest
    assert [row["digest"] for row in record["cells"]] == DIGESTS
    assert record["cells"][11]["largest_gap"] is None and record["cells"][11]["verdict"] is None
    assert record["cells"][0]["width"] == 4 and record["cells"][0]["message"] is None
    assert record["cells"][0]["largest_gap"] == pytest.approx(table.frame["largest_gap"][0])


def test_a_file_that_is_not_there_or_cannot_be_written_is_a_sentence(table, tmp_path):
    with pytest.raises(ResultNotFound, match="cannot read"):
        SweepResult.load(tmp_path / "none.npz")
    for write in (table.to_csv, table.to_parquet, table.save):
        with pytest.raises(LazyLabError, match="cannot write"):
            write(tmp_path / "no" / "such.file")


# ── what is not a table ──────────────────────────────────────────────────────────────────
def tampered(table: SweepResult, change) -> bytes:
    """Return the bytes of the table after `change(head, arrays)`."""
    with np.load(io.BytesIO(table.to_bytes()), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    head = json.loads(arrays.pop("head").tobytes())
    change(head, arrays)
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    np.savez(buffer, allow_pickle=False, head=text, **arrays)
    return buffer.getvalue()


TAMPERINGS = {
    "schema": lambda head, arrays: head.update(schema="lazylab-result-1"),
    "engine": lambda head, arrays: head.update(engine_version=0),
    "no head": lambda head, arrays: head.clear(),
    "config": lambda head, arrays: head.update(config={"base": {}, "axes": {}}),
    "fewer cells": lambda head, arrays: head["config"]["axes"].update(alpha=[1.0]),
    "huge": lambda head, arrays: head["config"]["axes"].update(alpha=list(range(1, 9999))),
    "quantities": lambda head, arrays: head["quantities"].pop(),
    "no list": lambda head, arrays: head.update(quantities=7),
    "status": lambda head, arrays: arrays.update(status=arrays["status"] + np.uint8(9)),
    "verdict": lambda head, arrays: arrays.update(verdict=arrays["verdict"] + np.uint8(9)),
    "kind": lambda head, arrays: arrays.update(status=arrays["status"].astype(float)),
    "signed": lambda head, arrays: arrays.update(status=-np.ones(12, dtype=np.int8)),
    "shape": lambda head, arrays: arrays.update(values=arrays["values"].T),
    "infinite": lambda head, arrays: arrays.update(values=arrays["values"] + math.inf),
    "words": lambda head, arrays: arrays.update(values=arrays["values"].astype("U5")),
    "missing": lambda head, arrays: arrays.pop("values"),
    "message of none": lambda head, arrays: head.update(messages={"12": "x"}),
    "message before": lambda head, arrays: head.update(messages={"-1": "x"}),
    "message no text": lambda head, arrays: head.update(messages={"0": 3}),
    "messages": lambda head, arrays: head.update(messages=[]),
}


@pytest.mark.parametrize("change", TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampered_bytes_are_refused(table, change):
    with pytest.raises(CorruptResult) as error:
        SweepResult.from_bytes(tampered(table, change))
    assert "\n" not in str(error.value)


def test_tampering_with_nothing_leaves_a_table(table):
    again = SweepResult.from_bytes(tampered(table, lambda head, arrays: None))
    pd.testing.assert_frame_equal(again.frame, table.frame)


@pytest.mark.parametrize("data", [b"", b"x" * 99, b"PK\x03\x04" + b"\0" * 99])
def test_bytes_of_something_else_are_refused(data):
    with pytest.raises(CorruptResult, match="not a whole Lazy Lab sweep"):
        SweepResult.from_bytes(data)


def test_half_a_table_and_a_run_are_refused(table, make_run):
    for data in (table.to_bytes()[:-50], make_run().to_bytes()):
        with pytest.raises(CorruptResult):
            SweepResult.from_bytes(data)


def test_objects_are_not_unpickled(table):
    buffer = io.BytesIO()
    objects = np.array([{"a": 1}], dtype=object)
    np.savez(buffer, head=objects, allow_pickle=True)
    with pytest.raises(CorruptResult):
        SweepResult.from_bytes(buffer.getvalue())


def test_a_file_that_unpacks_to_more_than_any_table_is_not_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("head.npy", b"\0" * (65 * 2**20))
    with pytest.raises(CorruptResult, match="unpacks to 65 MB"):
        SweepResult.from_bytes(buffer.getvalue())


def test_a_quantity_that_a_table_does_not_have_yet_is_empty_and_one_that_is_no_more_left_out(table):
    def older(head, arrays):
        place = head["quantities"].index("largest_gap")
        head["quantities"][place] = "widest_gap"

    again = SweepResult.from_bytes(tampered(table, older)).frame
    assert again["largest_gap"].isna().all() and "widest_gap" not in again
    pd.testing.assert_series_equal(again["final_gap"], table.frame["final_gap"])


# ── what the cells answer on the test points ─────────────────────────────────────────────
def outputs_of(number: int, points: int = 5) -> np.ndarray:
    return (number + np.arange(points) / 10.0).astype(np.float32)[:, None]


@pytest.fixture
def answered(make_run):
    """A table of which the second and the third cell have outputs, the third of fewer points."""
    table = SweepResult(SWEEP)
    table.add(DIGESTS[0], make_run(config=SWEEP.cells[0].config))
    for number, points in ((1, 5), (2, 3)):
        latest = {OUTPUTS: outputs_of(number, points)}
        table.add(DIGESTS[number], make_run(config=SWEEP.cells[number].config, **latest))
    return table


def test_a_table_of_runs_without_outputs_holds_none_and_is_the_file_it_was(table):
    assert table.test_outputs is None
    with zipfile.ZipFile(io.BytesIO(table.to_bytes())) as archive:
        assert set(archive.namelist()) == {f"{n}.npy" for n in ("head", *ARRAYS)}


def test_outputs_stand_in_the_row_of_their_cell_and_survive_the_file(answered):
    for table in (answered, SweepResult.from_bytes(answered.to_bytes())):
        outputs = table.test_outputs
        assert outputs.shape == (12, 5) and outputs.dtype == np.float32
        assert outputs[1].tolist() == outputs_of(1)[:, 0].tolist()
        assert outputs[2, :3].tolist() == outputs_of(2, 3)[:, 0].tolist()
        assert np.isnan(outputs[2, 3:]).all() and np.isnan(outputs[[0, *range(3, 12)]]).all()


def test_a_cell_that_fails_or_comes_again_without_outputs_has_none(answered, make_run):
    answered.add_failure(DIGESTS[1], "no luck")
    answered.add(DIGESTS[2], make_run(config=SWEEP.cells[2].config))
    assert np.isnan(answered.test_outputs).all()


def test_several_outputs_a_point_words_and_infinities_are_not_kept(make_run):
    for odd in (np.ones((5, 2)), "many", 1.0, [1.0]):
        table = SweepResult(SWEEP)
        table.add(DIGESTS[0], make_run(config=SWEEP.cells[0].config, **{OUTPUTS: odd}))
        assert table.test_outputs is None
    table.add(
        DIGESTS[0], make_run(config=SWEEP.cells[0].config, **{OUTPUTS: np.array([1.0, np.inf])})
    )
    assert table.test_outputs[0, 0] == 1.0 and np.isnan(table.test_outputs[0, 1])


def test_of_many_cells_fewer_points_are_kept(make_run, monkeypatch):
    monkeypatch.setattr(answers, "MOST", 12 * 4 + 3)
    table = SweepResult(SWEEP)
    run = make_run(config=SWEEP.cells[0].config, **{OUTPUTS: outputs_of(0)})
    table.add(DIGESTS[0], run)
    assert table.test_outputs.shape == (12, 4)
    assert SweepResult.from_bytes(table.to_bytes()).test_outputs.shape == (12, 4)


@pytest.mark.parametrize(
    "wrong",
    [
        np.ones((11, 5), dtype=np.float32),
        np.ones((12, 5)),
        np.ones(12, dtype=np.float32),
        np.ones((12, 0), dtype=np.float32),
        np.full((12, 5), np.inf, dtype=np.float32),
    ],
)
def test_outputs_that_do_not_fit_the_cells_are_refused(answered, wrong):
    answered._outputs = wrong
    with pytest.raises(CorruptResult, match="do not fit its cells"):
        SweepResult.from_bytes(answered.to_bytes())
