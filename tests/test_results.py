"""The record of a run: the JSON contract, the file, and every way in which a file can be bad."""

import io
import json
import math
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.errors import CorruptResult, ResultNotFound
from lazycore.results import run as results
from lazycore.results.run import RunResult, Snapshot

TINY = {"task": "circles", "n_train": 6, "n_test": 4, "width": 4, "dynamics": "gd", "steps": 12}
TOP = {
    "config",
    "digest",
    "engine_version",
    "device",
    "status",
    "time",
    "nonlinear",
    "linearized",
    "refreshed",
    "gap",
    "kernel_change",
    "kernel_time",
    "activation_stability",
    "kappa",
    "numerical_error",
    "verdict",
}
MODEL = {"status", "train_loss", "test_loss", "train_error", "test_error", "displacement"}
GAP = {"train_output", "test_output", "parameter"}


@pytest.fixture(scope="module")
def result():
    """One small run."""
    return run(RunConfig(**TINY))


def fold(**latest) -> RunResult:
    """Return a made-up result with a missing value and an infinite one."""
    snapshots = [
        Snapshot(time=0.0, series={"nonlinear.train_loss": 1.0, "gap.train_output": 0.0}),
        Snapshot(time=1.0, series={"gap.train_output": math.inf}, sparse={"kernel_change": 0.5}),
        Snapshot(time=2.0, series={"nonlinear.train_loss": math.nan}, latest=latest),
    ]
    return RunResult.collect(RunConfig(**TINY), snapshots)


@pytest.mark.parametrize("fields", [{}, {"task": "sine"}, {"task": "sine", "n_test": 0}])
def test_the_json_has_every_key_of_the_contract_and_its_lengths(fields):
    record = run(RunConfig(**(TINY | fields))).to_dict()
    assert set(record) >= TOP
    assert set(record["gap"]) == GAP
    times = len(record["time"])
    for model in ("nonlinear", "linearized"):
        assert set(record[model]) >= MODEL and record[model]["status"] == "done"
        for key in MODEL - {"status"}:
            values = record[model][key]
            assert values is None or len(values) == times, key
        assert record[model]["train_loss"] is not None and record[model]["displacement"][0] == 0.0
    classes = fields.get("task") != "sine"
    assert (record["nonlinear"]["train_error"] is not None) == classes
    assert (record["nonlinear"]["test_loss"] is not None) == (fields.get("n_test") != 0)
    assert len(record["gap"]["train_output"]) == len(record["gap"]["parameter"]) == times
    assert len(record["kernel_change"]) == len(record["kernel_time"]) > 1
    assert len(record["activation_stability"]) == times
    assert record["engine_version"] == 1 and record["device"] == "cpu"
    assert record["status"] == "done" and record["refreshed"] is None and record["kappa"] is None
    assert 0.0 < record["numerical_error"] < 1e-9
    assert record["time"][0] == 0.0
    assert record["digest"] == RunConfig(**(TINY | fields)).digest
    assert record["config"] == RunConfig(**(TINY | fields)).resolve().to_dict()
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_even_the_first_part_of_a_run_has_every_key_of_the_contract(result, count):
    from lazycore import train

    first = [s for _, s in zip(range(count), train(RunConfig(**TINY)), strict=False)]
    record = RunResult.collect(RunConfig(**TINY), first, status="cancelled").to_dict()
    assert set(record) >= TOP and set(record["gap"]) == GAP
    assert all(set(record[m]) >= MODEL for m in ("nonlinear", "linearized"))
    assert record["status"] == "cancelled" and len(record["time"]) == count
    json.dumps(record, allow_nan=False)


def test_a_partial_run_is_the_first_part_of_the_whole_one(result):
    from lazycore import train

    first = [s for _, s in zip(range(5), train(RunConfig(**TINY)), strict=False)]
    partial = RunResult.collect(RunConfig(**TINY), first)
    assert partial.status == "budget" and partial.digest == result.digest
    for key, values in partial.series.items():
        assert np.array_equal(values, result.series[key][:5]), key


def test_no_nan_and_no_infinity_ever_reach_the_json():
    record = fold(numerical_error=math.nan, kappa=math.inf, nested=[math.nan, 1.0]).to_dict()
    text = json.dumps(record, allow_nan=False)
    assert "NaN" not in text and "Infinity" not in text
    assert record["nonlinear"]["train_loss"] == [1.0, None, None]
    assert record["gap"]["train_output"] == [0.0, None, None]
    assert record["kappa"] is None and record["nested"] == [None, 1.0]


def test_a_third_path_has_its_place_in_the_record():
    snapshot = Snapshot(time=0.0, series={"refreshed.train_loss": 1.0})
    record = RunResult.collect(RunConfig(**TINY), [snapshot]).to_dict()
    assert record["refreshed"]["train_loss"] == [1.0]
    assert record["refreshed"].keys() == record["linearized"].keys()


def test_a_result_without_anything_is_undecided():
    empty = RunResult.collect(RunConfig(**TINY), [])
    assert empty.verdict == "undecided" and empty.numerical_error == math.inf
    assert empty.history.empty and list(empty.history.columns) == ["time", "quantity", "value"]


def test_bytes_and_files_give_the_same_result_back(result, tmp_path):
    path = result.save(tmp_path / "run.npz")
    for again in (RunResult.from_bytes(result.to_bytes()), RunResult.load(path)):
        assert again.to_dict() == result.to_dict() and again.digest == result.digest
        assert again.to_bytes() == result.to_bytes()
    assert RunResult.load(str(path)).verdict == result.verdict


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(allow_nan=True), st.booleans()),
        max_size=6,
    ),
    st.sampled_from(results.STATUSES),
)
def test_any_snapshots_survive_the_file(rows, status):
    snapshots = [
        Snapshot(
            time=t, series={"a.b": v} if there else {}, sparse={"c": np.ones(2)} if there else {}
        )
        for t, v, there in rows
    ]
    one = RunResult.collect(RunConfig(**TINY), snapshots, status=status)
    two = RunResult.from_bytes(one.to_bytes())
    assert two.to_dict() == one.to_dict() and two.status == status


def test_without_a_config_the_digest_is_of_the_content():
    snapshots = [Snapshot(time=0.0, series={"a": 1.0})]
    one, same = (RunResult.collect(None, snapshots) for _ in range(2))
    other = RunResult.collect(None, [Snapshot(time=0.0, series={"a": 2.0})])
    assert one.digest == same.digest != other.digest and len(one.digest) == 16
    assert one.to_dict()["config"] is None
    assert RunResult.from_bytes(one.to_bytes()).digest == one.digest


def test_the_history_is_tidy(result):
    frame = result.history
    assert list(frame.columns) == ["time", "quantity", "value"]
    losses = frame[frame.quantity == "nonlinear.train_loss"]
    assert np.array_equal(losses.time, result.time)
    assert np.array_equal(losses.value, result.series["nonlinear.train_loss"])
    kernels = frame[frame.quantity == "kernel_change"]
    assert np.array_equal(kernels.time, result.kernel_time)
    assert "nonlinear.displacement_by_layer" not in set(frame.quantity)


# ── bytes that are not a whole, trusted result ──────────────────────────────────────────


def parts(result) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(result.to_bytes())) as file:
        return {name: file[name] for name in file.files}


def packed(arrays: dict, head: dict | None = None, pickle: bool = False) -> bytes:
    """Return an npz of these arrays, with some entries of the head replaced."""
    arrays = dict(arrays)
    if head is not None:
        old = json.loads(arrays["head"].tobytes())
        text = json.dumps(old | head).encode()
        arrays["head"] = np.frombuffer(text, dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=pickle, **arrays)
    return buffer.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(CorruptResult) as error:
        RunResult.from_bytes(data)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".")
    return text


@pytest.mark.parametrize("data", [b"", b"PK", b"not a result", b"\x80\x04K\x01.", b"\x00" * 1000])
def test_foreign_bytes_are_refused(data):
    assert "not a whole Lazy Lab result" in refused(data)


def test_a_truncated_file_is_refused_wherever_it_ends(result):
    data = result.to_bytes()
    for share in (0.01, 0.3, 0.7, 0.99):
        refused(data[: int(share * len(data))])
    refused(data[:-1])


def test_a_flipped_byte_is_refused_or_changes_nothing(result):
    data, wanted = result.to_bytes(), result.to_dict()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(data), 60):
        broken = bytearray(data)
        broken[place] ^= 0x5A
        try:
            found = RunResult.from_bytes(bytes(broken))
        except CorruptResult:
            continue
        assert found.to_dict() == wanted


class Bomb:
    """What a pickle would run."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_arrays_of_objects_are_refused_and_never_unpickled(result):
    evil = np.array([Bomb()], dtype=object)
    arrays = parts(result)
    refused(packed(arrays | {"series/evil": evil}, pickle=True))
    refused(packed(arrays | {"time": evil}, pickle=True))
    refused(packed(arrays | {"head": evil}, pickle=True))


def test_another_engine_version_and_another_schema_are_refused_by_name(result):
    arrays = parts(result)
    assert "engine version 99" in refused(packed(arrays, {"engine_version": 99}))
    assert "schema" in refused(packed(arrays, {"schema": "something else"}))
    assert "status='fine'" in refused(packed(arrays, {"status": "fine"}))


@pytest.mark.parametrize(
    "head",
    [
        {"config": {"alpha": -1.0}},
        {"config": {"nothing": 1}},
        {"config": []},
        {"latest": []},
        {"latest": None},
    ],
)
def test_a_head_that_is_tampered_with_is_refused(result, head):
    refused(packed(parts(result), head))


@pytest.mark.parametrize(
    "change",
    [
        {"time": np.array(["a", "b"])},
        {"time": np.zeros((3, 2))},
        {"time": np.zeros(3)},
        {"time": np.float64(3.0)},
        {"kernel_time": np.zeros(1)},
        {"series/nonlinear.train_loss": np.zeros(2)},
        {"series/nonlinear.train_loss": np.array(["x"] * 13)},
        {"sparse/kernel_change": np.zeros(1)},
        {"other/thing": np.zeros(3)},
        {"thing": np.zeros(3)},
        {"head": np.frombuffer(b"[]", dtype=np.uint8)},
        {"head": np.frombuffer(b"{", dtype=np.uint8)},
        {"head": np.frombuffer(b"{}", dtype=np.uint8)},
    ],
    ids=lambda change: "-".join(change) + str(next(iter(change.values())).dtype),
)
def test_arrays_that_do_not_fit_are_refused(result, change):
    refused(packed(parts(result) | change))


@pytest.mark.parametrize("missing", ["time", "kernel_time", "head"])
def test_a_missing_array_is_refused(result, missing):
    arrays = parts(result)
    del arrays[missing]
    refused(packed(arrays))


def test_words_where_numbers_belong_are_refused(result):
    latest = json.loads(parts(result)["head"].tobytes())["latest"]
    refused(packed(parts(result), {"latest": latest | {"numerical_error": "abc"}}))


def test_nothing_in_a_file_can_pass_for_the_verdict_or_the_digest(result):
    latest = json.loads(parts(result)["head"].tobytes())["latest"]
    lies = {"verdict": "lazy!", "digest": "0", "status": "perfect", "config": None}
    found = RunResult.from_bytes(packed(parts(result), {"latest": latest | lies})).to_dict()
    wanted = result.to_dict()
    assert {k: found[k] for k in lies} == {k: wanted[k] for k in lies}


def test_a_file_that_unpacks_to_more_than_any_result_is_refused_unread(result, monkeypatch):
    monkeypatch.setattr(results, "LARGEST_FILE", 2**20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("head.npy", b"\0" * 4 * 2**20)
    assert len(buffer.getvalue()) < 10_000
    assert "unpacks to 4 MB" in refused(buffer.getvalue())


def test_an_array_that_claims_more_than_it_holds_is_refused(result):
    data = io.BytesIO()
    header = b"\x93NUMPY\x01\x00v\x00"
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    body = header + text + b" " * (117 - len(text)) + b"\n"
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("head.npy", body)
    refused(data.getvalue())


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(ResultNotFound) as error:
        RunResult.load(tmp_path / "nothing.npz")
    assert "cannot read" in str(error.value) and not str(error.value).startswith("'")
    with pytest.raises(ResultNotFound):
        RunResult.load(tmp_path)


def test_an_error_without_words_has_none():
    assert str(ResultNotFound()) == ""


def test_arrays_in_single_precision_stay_so():
    snapshots = [
        Snapshot(time=0.0, sparse={"neurons": np.ones((2, 2), np.float32)}),
        Snapshot(time=1.0, sparse={"neurons": np.ones((2, 2), np.float32)}),
    ]
    one = RunResult.collect(RunConfig(**TINY), snapshots)
    assert one.sparse["neurons"].dtype == np.float32
    assert RunResult.from_bytes(one.to_bytes()).sparse["neurons"].dtype == np.float32


@pytest.mark.parametrize("who, word", [("refreshed", "crossover"), ("linearized", "undecided")])
def test_only_the_two_models_that_are_compared_make_a_verdict_undecided(make_run, who, word):
    found = make_run(1.0, status="diverged", **{f"{who}.status": "diverged"})
    assert found.verdict == word
