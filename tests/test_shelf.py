"""What ships: declared once, found by its digest, built as far as it is missing."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

import lazycore
from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError
from lazycore.papers import shelf
from lazycore.papers.shelf import Shipment, shipments
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult

TINY = {"task": "sine", "n_train": "4", "n_test": "0", "width": "4", "dynamics": "gd", "steps": "3"}
RUNS = [RunConfig.from_text(TINY | {"alpha": str(alpha)}) for alpha in (1, 2, 3)]
SWEEP = SweepConfig.from_text(TINY | {"alpha": "1,2"})


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Have an empty folder for what ships, and a store of its own."""
    monkeypatch.setattr(shelf, "DIRECTORY", tmp_path / "atlas")
    monkeypatch.setenv("LAZYLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "atlas"


@pytest.fixture
def tiny(place, monkeypatch):
    """Have one shipment: two runs, the first of which has a twin, and a sweep."""

    def twins(result: RunResult) -> list[RunConfig]:
        return [RUNS[2]] if result.digest == RUNS[0].digest else []

    one = Shipment(
        name="toys/tiny", folder="tiny", jobs=lambda: [*RUNS[:2], SWEEP, RUNS[0]], twins=twins
    )
    monkeypatch.setattr(shelf, "shipments", lambda: {one.name: one})
    return one


@pytest.fixture
def computed(monkeypatch):
    """The digests of the runs that are computed one by one."""
    found, run = [], lazycore.run
    monkeypatch.setattr(lazycore, "run", lambda c, **k: found.append(c.digest) or run(c, **k))
    return found


# ── what is declared ─────────────────────────────────────────────────────────────────────
def test_every_shipped_file_is_declared_once_and_every_declared_file_is_there():
    declared = Counter(one.path(job) for one in shipments().values() for job in one.declared())
    assert set(declared.values()) == {1}
    assert set(shelf.DIRECTORY.rglob("*.npz")) == set(declared)
    assert {name: (one.missing(), one.unclaimed()) for name, one in shipments().items()} == {
        name: ([], []) for name in shipments()
    }


def test_no_two_shipments_share_a_folder():
    folders = [one.folder for one in shipments().values()]
    assert len(set(folders)) == len(folders)


def test_what_ships_is_found_by_looking_through_the_folders():
    assert list(shipments()) == [
        "feature-lazy/phases",
        "iterative-linearization/refresh",
        "lazy-training/figures",
        "lazy-training/theorems",
        "ours/home",
        "ours/stripe",
        "ours/presets",
    ]


def test_a_run_and_a_sweep_are_found_by_their_digests_and_nothing_else_is(tiny):
    assert shelf.find(RUNS[0].digest) is None and shelf.find_sweep(SWEEP.digest) is None
    list(shelf.build(tiny))
    run, table = shelf.find(RUNS[0].digest), shelf.find_sweep(SWEEP.digest)
    assert run is not None and run.digest == RUNS[0].digest
    assert table is not None and table.done == 2
    assert shelf.find(RUNS[0].digest) is run, "read once"
    assert shelf.find(SWEEP.digest) is None and shelf.find_sweep(RUNS[0].digest) is None
    assert shelf.find(f"../tiny/{RUNS[0].digest}") is None


def test_a_broken_file_is_as_good_as_none(tiny):
    list(shelf.build(tiny))
    tiny.path(RUNS[1]).write_bytes(b"not a result")
    assert shelf.find(RUNS[1].digest) is None
    assert tiny.missing() == [RUNS[1]]


# ── building ─────────────────────────────────────────────────────────────────────────────
def test_a_build_makes_each_file_once_twins_after_their_run(tiny):
    order = [RUNS[0], RUNS[2], RUNS[1], SWEEP]
    assert tiny.missing() == [RUNS[0], RUNS[1], SWEEP], "twins follow from results"
    assert list(shelf.build(tiny)) == [tiny.path(job) for job in order]
    assert tiny.missing() == [] and list(tiny.declared()) == order
    assert tiny.path(SWEEP).parent.name == "sweeps"


def test_what_ships_is_what_the_engine_computes_in_single_precision(tiny):
    list(shelf.build(tiny))
    fresh, shipped = lazycore.run(RUNS[0]), RunResult.load(tiny.path(RUNS[0]))
    loss = shipped.series["nonlinear.train_loss"]
    assert loss.dtype == np.float32
    assert loss == pytest.approx(fresh.series["nonlinear.train_loss"], rel=1e-6)
    table = SweepResult.load(tiny.path(SWEEP))
    assert np.array_equal(table.values, shelf.slim_table(lazycore.sweep(SWEEP)).values, True)


def test_only_what_is_missing_is_computed(tiny, computed):
    list(shelf.build(tiny))
    tiny.path(RUNS[2]).unlink()
    before = tiny.path(RUNS[0]).stat().st_mtime_ns
    assert list(shelf.build(tiny, only_missing=True)) == [tiny.path(RUNS[2])]
    assert tiny.path(RUNS[0]).stat().st_mtime_ns == before


def test_a_build_that_was_stopped_goes_on(tiny, computed):
    going = shelf.build(tiny)
    next(going), next(going)
    going.close()
    assert computed == [RUNS[0].digest, RUNS[2].digest]
    assert len(list(shelf.build(tiny))) == 4
    assert computed == [one.digest for one in (RUNS[0], RUNS[2], RUNS[1])], "none of them twice"


def test_a_file_is_never_half_there(tiny, monkeypatch):
    def half(self, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(RunResult, "save", half)
    with pytest.raises(KeyboardInterrupt):
        list(shelf.build(tiny))
    assert not list(shelf.DIRECTORY.rglob("*.npz"))


# ── the command line ─────────────────────────────────────────────────────────────────────
def test_the_command_says_how_far_it_is_and_takes_away_what_is_not_declared(tiny, capsys):
    old = tiny.path(RUNS[0]).with_name(f"{'0' * 16}.npz")
    old.parent.mkdir(parents=True)
    old.write_bytes(b"of another version")
    assert shelf.main(["--missing"]) == 0
    said = capsys.readouterr()
    assert said.out == "" and not old.exists()
    lines = said.err.splitlines()
    assert [line.split(",")[0] for line in lines[:4]] == [
        f"toys/tiny: file {number}" for number in (1, 2, 3, 4)
    ]
    assert lines[-2:] == [
        f"toys/tiny: {'0' * 16} is not declared any more, and gone",
        "toys/tiny: 4 of 4 are there",
    ]


def test_the_command_lists_what_is_there_and_computes_nothing(tiny, capsys, computed):
    assert shelf.main(["--list", "tiny"]) == 0
    missing = ", ".join(job.digest for job in (RUNS[0], RUNS[1], SWEEP))
    assert capsys.readouterr().out == f"toys/tiny: 0 of 3 are there; missing: {missing}\n"
    assert computed == []


def test_a_stopped_command_says_so(tiny, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(lazycore, "run", stopped)
    assert shelf.main([]) == 130
    assert "the same call goes on from there" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_a_sentence(tiny, place, capsys):
    place.mkdir(parents=True)
    (place / "tiny").write_text("a file where a folder is to be")
    assert shelf.main([]) == 1
    assert capsys.readouterr().err.startswith("cannot write ")


def test_shipments_are_chosen_by_name_with_or_without_the_papers():
    def chosen(*patterns):
        return [one.name for one in shelf.select(patterns)]

    assert chosen() == list(shipments())
    assert chosen("lazy-training/*") == ["lazy-training/figures", "lazy-training/theorems"]
    assert chosen("stripe", "phases") == ["feature-lazy/phases", "ours/stripe"]
    with pytest.raises(
        ConfigError, match="nothing that ships is called carpets: give feature-lazy"
    ):
        shelf.select(["phases", "carpets"])


def test_a_wrong_name_ends_with_2_and_a_sentence(capsys):
    assert shelf.main(["carpets"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("nothing that ships is called carpets")


def test_the_module_is_started_as_make_atlas_does():
    command = [sys.executable, "-m", "lazycore.papers.shelf", "--list", "stripe"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ours/stripe: 1 of 1 are there\n"), done.stderr
