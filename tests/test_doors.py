"""What strangers hand in: records, links, files. Each is taken whole or answered in a sentence."""

import io
import json
import resource
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from threading import Event, Thread

import hostile
import numpy as np
import pytest
from made_up_sweep import made_up_sweep

from lazycore import run
from lazycore.config.axes import DERIVED
from lazycore.config.run import RunConfig, all_fields
from lazycore.config.spec import shown
from lazycore.config.sweep import SweepConfig
from lazycore.datasets import own, uploads
from lazycore.datasets.understood import AS_IT_IS
from lazycore.errors import (
    LONGEST,
    BudgetError,
    ConfigError,
    CorruptResult,
    DataError,
    LazyLabError,
)
from lazycore.figures import heatmap
from lazycore.figures.opening import LARGEST_UNPACKED, opened
from lazycore.machine.apart import apart
from lazycore.results.run import RunResult
from lazycore.results.store import checked_digest
from lazycore.results.sweep import SweepResult

POINTS = {"n_train": 8, "n_test": 6, "width": 6}
KINDS = {
    "circles": {"task": "circles", "dynamics": "gd", "steps": 12},
    "line": {"task": "sine", "time": 1.0},
    "kernels": {"task": "stripe", "activation": "softplus", "loss": "soft_hinge"}
    | {"dynamics": "gd", "steps": 12, "keep": "kernels"},
    "ten classes": {"task": "digits", "labels": "ten", "loss": "cross_entropy"}
    | {"dynamics": "sgd", "steps": 8, "batch_size": 4, "step_size": 0.1},
    "stages": {"task": "parity", "dim": 5, "dynamics": "gd", "steps": 20, "refresh_every": 5},
}
SECONDS, MEGABYTES = 3.0, 300


@pytest.fixture(scope="module")
def records() -> list[bytes]:
    """One small record of each kind; the last of somebody's own module."""
    found = [run(RunConfig.from_dict(POINTS | fields)) for fields in KINDS.values()]
    of_a_module = RunResult(**vars(found[0]) | {"config": None})
    return [result.to_bytes() for result in (*found, of_a_module)]


def sentence(error: Exception) -> str:
    """Return a message once it is one short sentence."""
    said = str(error)
    assert said and len(said) <= LONGEST and said.isprintable(), said
    return said


# ── records ──────────────────────────────────────────────────────────────────────────────
def test_every_kind_of_record_passes_the_door_and_is_drawn(records):
    for data in records:
        hostile.draw(RunResult.from_bytes(data, LARGEST_UNPACKED))


def knock(records: list[bytes], count: int, seed: int) -> Counter:
    """Hand in so many changed records; return how many were refused and how many drawn."""
    ends: Counter = Counter()
    # A number may be 1e308, and its square is none.
    warnings.simplefilter("ignore")
    for what, data in hostile.mutations(records, count, seed):
        begun = time.process_time()
        try:
            result = RunResult.from_bytes(data, LARGEST_UNPACKED)
        except CorruptResult as error:
            sentence(error)
            ends["refused"] += 1
        else:
            hostile.draw(result)
            ends["drawn"] += 1
        assert time.process_time() - begun < SECONDS, what
    return ends


def test_a_changed_record_is_refused_in_a_sentence_or_drawn_whole(records):
    ends = knock(records, 81, seed=1)
    assert ends["refused"] > 30 and ends["drawn"] > 15


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_four_thousand_changed_records(records, seed):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(knock(records, 1000, seed).values()) == 1000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MEGABYTES * 1024


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("sparse/kernel.gram", np.zeros((4, 8, 7)), "points of the kernel 8"),
        ("latest/neurons.sign", np.zeros(9), r"it must be of shape \\(neurons \d+\\)"),
        ("series/nonlinear.train_loss", np.zeros((3, 1)), "it must be of shape"),
        ("series/new.quantity", np.array([1, 2]), "is int64 of shape .* real numbers"),
        ("latest/kappa", np.zeros(3), "a number or words, no array"),
        ("time", np.array([0.0, np.nan]), "finite times from 0 on"),
    ],
)
def test_a_wrong_array_is_named_with_what_it_is_and_must_be(records, name, array, said):
    head, arrays = hostile.parts(records[2])
    if name == "sparse/kernel.gram":
        array = np.zeros((len(arrays["kernel_time"]), 8, 7))
    with pytest.raises(CorruptResult, match=said.replace("\\\\", "\\")) as error:
        RunResult.from_bytes(hostile.packed(head, arrays | {name: array}))
    assert name in sentence(error.value)


def test_a_quantity_without_its_other_half_is_refused(records):
    head, arrays = hostile.parts(records[2])
    del arrays["latest/kernel.labels"]
    with pytest.raises(CorruptResult, match=r"has kernel.gram without kernel.labels"):
        RunResult.from_bytes(hostile.packed(head, arrays))


def test_a_record_that_is_handed_in_is_read_apart(records):
    result = opened(records[0])
    assert result.to_dict() == RunResult.from_bytes(records[0]).to_dict()
    with pytest.raises(CorruptResult, match="not a whole Lazy Lab result"):
        opened(b"PK no")


OF_RUNS = ("times", "shorter", "many", "grid", "latest", "other_config")
"""What is done to records of runs only."""


def test_a_changed_table_of_a_sweep_is_refused_in_a_sentence_or_drawn_whole():
    warnings.simplefilter("ignore")
    source, ends = made_up_sweep().to_bytes(), Counter()
    for what, data in hostile.mutations([source], 63, seed=5, but=OF_RUNS):
        begun = time.process_time()
        try:
            table = SweepResult.from_bytes(data)
        except CorruptResult as error:
            ends[bool(sentence(error))] += 1
        else:
            hostile.draw_table(table)
            ends["drawn"] += 1
        assert time.process_time() - begun < SECONDS, what
    assert ends[True] > 30 and ends["drawn"] > 3


def test_a_wrong_array_of_a_sweep_is_named():
    head, arrays = hostile.parts(made_up_sweep().to_bytes())
    with pytest.raises(CorruptResult, match=r"values of this sweep is float32 .* float64 of shape"):
        SweepResult.from_bytes(
            hostile.packed(head, arrays | {"values": arrays["values"].astype(np.float32)})
        )


# ── links ────────────────────────────────────────────────────────────────────────────────
TEXTS = (
    *("1:1e300:5", "1e999", "-1e999", "9" * 400, "0,5", "1:2:3:4", "nan", "inf", "-inf", "", " "),
    *(":", ",", ",,", "1,", "0:1e9", "1:10:1e9", "1e-400:1:3", "-1:1:5", "5:1:3", "1:1", "null"),
    *("[x](http://a.b/c)", "![x](http://a.b)", ":material/home:", "$x$", "<b>x</b>", "`x`"),
    *("x" * 9000, "\u202e\x00\n", "\ud800", "١", "1_000", "0x10", "1e5", "True", "None", "{}", "'"),
    *("relu,tanh", "0:20000", "0.01:100:200", "1,2,3,4", "../../etc/passwd", "10**9", "-0", "+5"),
)


def links(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield the fields of so many hostile links."""
    rng = np.random.default_rng(seed)
    names = [*all_fields(), *DERIVED, "[Session over](http://a.b)", "x" * 5000, "", "extra", "v"]
    words = [option for field in all_fields().values() for option in field.options]
    for _ in range(count):
        some = rng.choice(len(names), int(rng.integers(1, 5)), replace=False)
        pool = TEXTS if rng.random() < 0.8 else (*words, "example.csv")
        yield {names[i]: str(pool[int(rng.integers(len(pool)))]) for i in some}


def follow(count: int, seed: int) -> Counter:
    """Open so many hostile links as a run, as a sweep and as a view of one."""
    ends: Counter = Counter()
    for fields in links(count, seed):
        begun = time.process_time()
        value = next(iter(fields.values()))
        for opens in (
            lambda fields=fields: RunConfig.from_text(fields).digest,
            lambda fields=fields: SweepConfig.from_text(fields, 4000).digest,
            lambda value=value: heatmap.parse_levels(value, "relative_gap"),
            lambda value=value: checked_digest(value),
        ):
            try:
                opens()
                ends["opened"] += 1
            except (ConfigError, BudgetError) as error:
                sentence(error)
                ends["refused"] += 1
        assert time.process_time() - begun < SECONDS, fields
    return ends


def test_a_hostile_link_is_a_run_or_a_sentence():
    ends = follow(400, seed=3)
    assert ends["refused"] > 1000 and ends["opened"] > 10


@pytest.mark.slow
def test_eight_thousand_hostile_links():
    assert sum(follow(8000, seed=4).values()) == 4 * 8000


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (SweepConfig, {"n_train": "1:1e300:5"}, "n_train=1e300 is not allowed: give a whole"),
        (SweepConfig, {"width": "1:1e308:5"}, "width=1e308 is not allowed: give a whole"),
        (SweepConfig, {"seed": "0:1e17"}, "seed=0:1e17 would be 1e\\+17 values"),
        (RunConfig, {"alpha": "1e999"}, "alpha=1e999 is not allowed: give a number from 1e-09"),
        (RunConfig, {"alpha": "9" * 400}, f"alpha={'9' * 37}… is not allowed: give a number"),
        (RunConfig, {"n_train": "9" * 300}, "n_train=1e\\+300 is not allowed|a huge number"),
        (RunConfig, {"alpha": "0,5"}, "alpha=0,5 is not allowed: .*, as in 0.5"),
        (RunConfig, {"x" * 999: "1"}, "there is no field 'x{37}…'"),
    ],
)
def test_a_number_that_is_none_is_named_with_what_is_allowed(kind, fields, said):
    with pytest.raises(ConfigError, match=said) as error:
        kind.from_text(fields)
    sentence(error.value)


def test_the_cells_of_a_link_are_counted_before_there_are_any():
    begun = time.process_time()
    with pytest.raises(ConfigError, match=r"100 × 199 = 19,900 cells are too many: at most 4,000"):
        SweepConfig.from_text({"alpha": "1:10:100", "seed": "0:199"}, 4000)
    assert time.process_time() - begun < 0.1


def test_a_message_is_never_longer_than_it_can_be_read():
    long = ConfigError(f"x={'y' * 5000} is not allowed: give a number.")
    assert len(str(long)) < 100 and str(long).endswith("is not allowed: give a number.")
    many = ConfigError(f"{'a word ' * 500}: give a number.")
    assert len(str(many)) <= LONGEST and str(many).endswith("give a number.")
    assert shown(10**500) == "a huge number" and str(ConfigError("a\nb\u202e")) == "a�b�"


def test_a_neighbour_of_hostile_links_and_files_is_answered_at_once(records):
    """What a page does with them, in threads of one server, beside a thread that wants little."""
    ends, pauses = Event(), []

    def neighbour() -> None:
        while not ends.is_set():
            begun = time.monotonic()
            time.sleep(0.01)
            pauses.append(time.monotonic() - begun)

    bombs = [data for what, data in hostile.mutations(records, 27, seed=6) if "bomb" in what]
    beside = Thread(target=neighbour)
    beside.start()
    try:
        with pytest.raises(ConfigError, match="cells are too many"):
            SweepConfig.from_text({"alpha": "1:10:100", "seed": "0:199"}, 4000)
        assert len(SweepConfig.from_text({"alpha": "1:10:40", "seed": "0:99"}, 4000).cells) == 3960
        for name in ("cells.csv", "long.npz"):
            hand_in(name, OWN_FILES[name]())
        for data in bombs:
            with pytest.raises(CorruptResult):
                opened(data)
    finally:
        ends.set()
        beside.join()
    assert max(pauses) < 1.0


# ── files ────────────────────────────────────────────────────────────────────────────────
def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def arrays(**parts: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **parts)
    return buffer.getvalue()


def npy(shape: str, kind: str = "<f8") -> bytes:
    """Return an array that claims this shape and holds nothing."""
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


OWN_FILES: dict[str, Callable[[], bytes]] = {
    "rows.csv": lambda: b"\n".join(b"%d,%d" % (i, i % 3) for i in range(400_000)),
    "wide.csv": lambda: b",".join([b"1"] * 2_000_000) + b"\n",
    "wide2.csv": lambda: (b",".join([b"1"] * 9000) + b"\n") * 250,
    "cells.csv": lambda: (b",".join([b"12"] * 1000) + b"\n") * 1600,
    "words.csv": lambda: b"\n".join(b"w%d,x%d,%d" % (i, i, i % 2) for i in range(90_000)),
    "quotes.csv": lambda: b'"' * 4_000_000,
    "open.csv": lambda: b'a,b\n"' + b"x\n" * 1_000_000,
    "blank.csv": lambda: b"\n" * 4_000_000,
    "zeros.csv": lambda: b"\0" * 4_000_000,
    "semicolons.csv": lambda: b";" * 4_000_000,
    "mixed.csv": lambda: b"a,b;c\td|e f\n" * 90_000,
    "dates.csv": lambda: b"2020-01-01,1\n" * 90_000,
    "digits.csv": lambda: b"1," + b"9" * 4_000_000 + b"\n2,3\n",
    "ragged.csv": lambda: b"".join(b"1," * (i % 50) + b"2\n" for i in range(50_000)),
    "utf16.csv": lambda: b"\xff\xfe" + "1,2\n".encode("utf-16-le") * 90_000,
    "names.csv": lambda: b"[x](http://a.b),<b>\n" + b"1,2\n3,4\n5,7\n" * 20,
    "comma.csv": lambda: b"a;b\n" + b"0,5;1,5\n1,5;2,5\n" * 30,
    "huge.npz": lambda: arrays(x=np.zeros((250, 2**20), np.int8), y=np.zeros(250, np.int8)),
    "long.npz": lambda: arrays(x=np.zeros((2**26, 1), np.int8), y=np.zeros(2**26, np.int8)),
    "marks.npz": lambda: arrays(x=np.zeros((1000, 2)), y=np.zeros((1000, 60_000), np.int8)),
    "claim.npz": lambda: zipped(x=npy("(10**9, 10**9)"), y=npy("(1000000000,)")),
    "negative.npz": lambda: zipped(x=npy("(-1, -5)"), y=npy("(-1,)")),
    "deep.npz": lambda: zipped(x=npy("(" * 5000), y=npy("()")),
    "objects.npz": lambda: zipped(x=npy("(3,)", "|O"), y=npy("(3,)", "|O")),
    "no.npz": lambda: b"PK\x03\x04" + b"\0" * 4_000_000,
}
"""Twenty-five files of strangers, by the names they come with."""


def hand_in(name: str, data: bytes) -> str:
    """Return what becomes of a file: a sentence, or nothing where it is taken."""
    try:
        own.look_at(data, name, AS_IT_IS, uploads.OF_UPLOADS)
    except DataError as error:
        return sentence(error)
    return ""


@pytest.mark.parametrize("name", ["comma.csv", "long.npz", "claim.npz", "deep.npz"])
def test_a_file_of_a_stranger_is_taken_or_answered(name):
    assert bool(hand_in(name, OWN_FILES[name]())) == (name != "comma.csv")


@pytest.mark.slow
def test_twenty_five_files_of_strangers_take_no_time_and_no_memory():
    words = json.dumps(asdict(AS_IT_IS))
    assert len(OWN_FILES) == 25
    for name, made in OWN_FILES.items():
        data = made()
        hand_in(name, data)
        try:
            asked = ["lazycore.datasets.own:describe_apart", name, words]
            found = apart("tests.weighing:weighed", data, asked, uploads.OF_UPLOADS)
        except LazyLabError as error:
            assert "needs more than 250 MB" in sentence(error) or "took longer" in str(error)
            continue
        held, seconds, said = found.decode().split(" ", 2)
        assert float(held) < MEGABYTES and float(seconds) < SECONDS, f"{name}: {held} {seconds}"
        assert len(said) <= LONGEST
