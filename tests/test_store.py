"""The store: whole or not at all, and nothing in it is trusted."""

import json
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import standin

from lazycore.errors import ConfigError, CorruptResult, ResultNotFound, StoreFull
from lazycore.machine.places import default_root
from lazycore.results.store import ResultStore, open_store

RUN = standin.config(standin.QUICK)
OTHER = standin.config(standin.QUICK, 1)
WHOLE = standin.result(RUN)


@pytest.fixture
def store(tmp_path):
    store = ResultStore(tmp_path)
    yield store
    store.close()


def plant(store, sql, *values):
    """Change the index behind the store's back, as an intruder could."""
    connection = sqlite3.connect(store.directory / "cache.db")
    with connection:
        connection.execute(sql, values)
    connection.close()


class Trap:
    """What a pickle runs when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_result_that_was_put_is_had_again(store):
    store.put(RUN.digest, WHOLE)
    assert store.get_bytes(RUN.digest) == WHOLE
    assert store.get(RUN.digest).digest == RUN.digest
    assert RUN.digest in store and OTHER.digest not in store


def test_another_process_sees_what_was_put(store, tmp_path):
    store.put(RUN.digest, WHOLE)
    second = ResultStore(tmp_path)
    assert second.get(RUN.digest).status == "done"
    second.close()


def test_a_missing_result_is_said_to_be_missing(store):
    with pytest.raises(ResultNotFound, match="run it to have one"):
        store.get(RUN.digest)


@pytest.mark.parametrize(
    "data",
    [b"", WHOLE[: len(WHOLE) // 2], WHOLE[:-1], b"GIF89a not a result", b"PK\x05\x06" + bytes(18)],
    ids=["empty", "half", "one byte short", "foreign", "empty archive"],
)
def test_bytes_that_are_no_whole_result_are_dropped_and_the_run_can_be_had_again(store, data):
    store.put(RUN.digest, data)
    with pytest.raises(CorruptResult, match="run it again"):
        store.get(RUN.digest)
    assert RUN.digest not in store
    store.put(RUN.digest, WHOLE)
    assert store.get(RUN.digest).status == "done"


def test_the_result_of_another_run_is_refused_and_dropped(store):
    store.put(RUN.digest, standin.result(OTHER))
    with pytest.raises(CorruptResult, match=f"another run {OTHER.digest}"):
        store.get(RUN.digest)
    assert RUN.digest not in store


@pytest.mark.parametrize("in_file", [False, True])
def test_a_tampered_pickle_row_is_never_loaded(store, tmp_path, in_file):
    trap = tmp_path / "sprung"
    evil = pickle.dumps(Trap(trap))
    store.put(RUN.digest, WHOLE)
    if in_file:
        name = "ab/cd/" + "0" * 28 + ".val"
        (store.directory / "ab/cd").mkdir(parents=True)
        (store.directory / name).write_bytes(evil)
        plant(store, "UPDATE Cache SET mode = 4, filename = ?, value = NULL", name)
    else:
        plant(store, "UPDATE Cache SET mode = 4, filename = NULL, value = ?", evil)
    with pytest.raises(CorruptResult, match="pickle.*run it again"):
        store.get(RUN.digest)
    assert RUN.digest not in store and not trap.exists()


def test_a_pickled_key_is_never_loaded_and_does_not_hide_the_others(store, tmp_path):
    trap = tmp_path / "sprung"
    store.put(RUN.digest, WHOLE)
    plant(store, "INSERT INTO Cache (key, raw) VALUES (?, 0)", pickle.dumps(Trap(trap)))
    assert store.digests() == [RUN.digest]
    assert not trap.exists()


def test_a_row_that_names_a_file_elsewhere_neither_reads_nor_deletes_it(store, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    store.put(RUN.digest, WHOLE)
    plant(store, "UPDATE Cache SET mode = 2, filename = '../secret', value = NULL")
    with pytest.raises(CorruptResult, match="not the store's own"):
        store.get(RUN.digest)
    assert secret.read_text() == "mine" and RUN.digest not in store


@pytest.mark.parametrize("value", [7, "text", 1.5])
def test_a_row_that_holds_no_bytes_is_dropped(store, value):
    store.put(RUN.digest, WHOLE)
    plant(store, "UPDATE Cache SET mode = 1, filename = NULL, value = ?", value)
    with pytest.raises(CorruptResult):
        store.get(RUN.digest)
    assert RUN.digest not in store


def test_a_row_whose_file_is_gone_counts_as_missing_and_is_dropped(store):
    store.put(RUN.digest, os.urandom(10**5))
    for file in store.directory.rglob("*.val"):
        file.unlink()
    with pytest.raises(ResultNotFound):
        store.get(RUN.digest)
    assert RUN.digest not in store


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "ABCDEF0123456789", "0" * 15, "0" * 65])
def test_what_is_not_a_digest_names_nothing(store, name):
    for act in (store.get, store.get_partial, store.get_note, store.delete, store.__contains__):
        with pytest.raises(ConfigError, match="names no run"):
            act(name)
    with pytest.raises(ConfigError):
        store.put(name, WHOLE)


def test_only_bytes_can_be_stored(store):
    with pytest.raises(TypeError):
        store.put(RUN.digest, {"a": 1})
    with pytest.raises(TypeError):
        store._cache.set(("a", "tuple"), b"")


def test_partial_results_and_notes_stand_beside_the_result_and_go_with_it(store):
    store.put_partial(RUN.digest, standin.result(RUN, records=2))
    store.put_note(RUN.digest, {"progress": 0.25})
    assert len(store.get_partial(RUN.digest).time) == 2
    assert store.get_note(RUN.digest) == {"progress": 0.25}
    assert RUN.digest not in store and store.digests() == []
    store.delete(RUN.digest)
    assert store.get_note(RUN.digest) is None
    with pytest.raises(ResultNotFound):
        store.get_partial(RUN.digest)


@pytest.mark.parametrize("data", [b"\xff", b"[1]", b"{"])
def test_a_note_that_is_not_a_note_is_none(store, data):
    store._set("note:" + RUN.digest, data)
    assert store.get_note(RUN.digest) is None


def test_a_note_is_plain_finite_json(store):
    with pytest.raises(ValueError):
        store.put_note(RUN.digest, {"eta_seconds": float("nan")})


def test_the_directory_is_for_its_owner_alone(store):
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700


def test_what_was_used_longest_ago_goes_first(tmp_path):
    store = ResultStore(tmp_path, size_limit=2_000_000)
    digests = [f"{i:016x}" for i in range(12)]
    for digest in digests:
        store.put(digest, os.urandom(300_000))
        store.get_bytes(digests[0])
    assert digests[0] in store and digests[-1] in store and digests[1] not in store
    assert sum(f.stat().st_size for f in store.directory.rglob("*.val")) < 2_300_000
    store.close()


def test_a_result_above_the_size_limit_is_refused_and_drives_nothing_out(tmp_path):
    store = ResultStore(tmp_path, size_limit=10**6)
    store.put(RUN.digest, WHOLE)
    with pytest.raises(StoreFull, match="limit is 1,000,000"):
        store.put(OTHER.digest, bytes(10**6 + 1))
    assert RUN.digest in store and OTHER.digest not in store
    store.close()


def on_a_full_disk(tmp_path, act, limit):
    """Return what `act` printed in a process that cannot write files beyond `limit` bytes."""
    script = f"""
        import json, os, pathlib, resource, standin
        from lazycore.errors import *
        from lazycore.results.store import ResultStore
        root = pathlib.Path({str(tmp_path)!r})
        store = ResultStore(root)
        run, other = standin.config(0), standin.config(1)
        store.put(run.digest, standin.result(run))
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        said = []
        try:
            {act}
        except StoreFull as error:
            said.append(str(error))
        stray = [p.name for p in (root / "results").rglob("*.val")]
        print(json.dumps([said, store.get(run.digest).status, other.digest in store, stray]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "size, limit",
    [(10**6, 200_000), (20_000, 4096), (40_000, 45_000)],
    ids=["value in a file", "value in the row", "value in a file, no room for its row"],
)
def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path, size, limit):
    act = f"store.put(other.digest, os.urandom({size}))"
    said, kept, other_is_there, stray = on_a_full_disk(tmp_path, act, limit)
    assert "took no more data" in said[0] and "run it again" in said[0]
    assert kept == "done" and not other_is_there and stray == []
    with_room = ResultStore(tmp_path)
    with_room.put(OTHER.digest, standin.result(OTHER))
    assert with_room.get(OTHER.digest).status == "done"
    with_room.close()


def test_a_full_disk_is_said_when_a_run_is_submitted(tmp_path):
    act = "from lazycore.service.queue import JobQueue; JobQueue(root).submit(standin.config(2))"
    said, *_ = on_a_full_disk(tmp_path, act, 4096)
    assert "took no more data" in said[0]


def test_the_store_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("LAZYLAB_CACHE", str(tmp_path / "here"))
    assert default_root() == tmp_path / "here"
    store = open_store()
    assert store.directory == tmp_path / "here" / "results"
    store.close()
    monkeypatch.delenv("LAZYLAB_CACHE")
    assert default_root().name == "cache"
