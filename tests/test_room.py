"""Who makes room in a full store, and who does not."""

import os
import sqlite3
import time
from threading import Event, Thread

import pytest
import standin

from lazycore.errors import ConfigError, StoreFull
from lazycore.results import eviction
from lazycore.results.store import ResultStore, open_store
from lazycore.service.queue import JobQueue

DIGESTS = [f"{i:016x}" for i in range(12)]
LARGE = os.urandom(300_000)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with room for five of the large ones."""
    monkeypatch.setattr(eviction, "AGAIN_SECONDS", 0.0)
    store = ResultStore(tmp_path, size_limit=1_700_000)
    yield store
    store.close()


def test_what_is_kept_stays_while_others_go(store):
    for digest in DIGESTS[:2]:
        store.put(digest, LARGE)
        store.keep([digest], 60)
    for digest in DIGESTS[2:]:
        store.put(digest, LARGE)
    assert [d for d in DIGESTS if d in store][:2] == DIGESTS[:2]
    assert DIGESTS[2] not in store and DIGESTS[-1] in store


def test_what_is_no_longer_kept_goes_as_the_others_do(store):
    store.put(DIGESTS[0], LARGE)
    store.keep([DIGESTS[0]], -1)
    for digest in DIGESTS[1:]:
        store.put(digest, LARGE)
    assert DIGESTS[0] not in store


def test_reading_what_is_kept_takes_nothing_from_its_time(store):
    store.put(DIGESTS[0], LARGE)
    store.keep([DIGESTS[0]], 60)
    store.get_bytes(DIGESTS[0])
    for digest in DIGESTS[1:]:
        store.put(digest, LARGE)
    assert DIGESTS[0] in store


def test_a_store_of_which_all_is_in_use_refuses_a_result_and_says_which_setting(store):
    for digest in DIGESTS[:5]:
        store.put(digest, LARGE)
        store.keep([digest], 60)
    with pytest.raises(StoreFull, match="shown or computed, 1,700,000 bytes.*LAZYLAB_STORE_MB"):
        store.put(DIGESTS[5], LARGE)
    assert [d for d in DIGESTS if d in store] == DIGESTS[:5]
    store.put_note(DIGESTS[5], {"message": "why"})
    store.put_partial(DIGESTS[5], standin.result(standin.config(0)))
    assert store.get_note(DIGESTS[5]) == {"message": "why"}


def test_what_a_job_has_so_far_makes_no_room_for_results(store):
    run = standin.config(standin.QUICK)
    store.put_partial(run.digest, standin.result(run))
    store.put_note(run.digest, {"progress": 0.5})
    for digest in DIGESTS:
        store.put(digest, LARGE)
    assert store.get_partial(run.digest).digest == run.digest
    assert store.get_note(run.digest) == {"progress": 0.5}


def test_what_was_noted_long_ago_makes_room(store):
    store._set("partial:" + DIGESTS[0], LARGE)
    connection = sqlite3.connect(store.directory / "cache.db")
    with connection:
        connection.execute("UPDATE Cache SET access_time = access_time - 4000")
    connection.close()
    for digest in DIGESTS[1:]:
        store.put(digest, LARGE)
    assert "partial:" + DIGESTS[0] not in store._cache


def test_another_process_keeps_for_all(store, tmp_path):
    store.put(DIGESTS[0], LARGE)
    page = ResultStore(tmp_path, size_limit=1_700_000)
    page.keep([DIGESTS[0]], 60)
    page.close()
    for digest in DIGESTS[1:]:
        store.put(digest, LARGE)
    assert DIGESTS[0] in store


def test_asked_often_keeping_writes_once(store, monkeypatch):
    monkeypatch.setattr(eviction, "AGAIN_SECONDS", 30.0)
    store.put(DIGESTS[0], LARGE)
    store.keep([DIGESTS[0]], 60)
    monkeypatch.setattr(store._room, "_connect", lambda: pytest.fail("it was written again"))
    store.keep([DIGESTS[0]], 60)


def test_two_sessions_keep_at_once(store, monkeypatch):
    """One looks through what was said while the other adds to it."""
    room, in_midst, added = store._room, Event(), Event()

    class Looked(float):
        def __rsub__(self, now):
            in_midst.set()
            assert added.wait(standin.DEADLINE)
            return now - float(self)

    other, wrong = [], []

    def looks():
        try:
            store.keep(["1" * 16], 60.0)
        except RuntimeError as error:  # what a dictionary says that changes meanwhile
            wrong.append(error)

    def connected(connect=room._connect):
        if not other:
            room._said |= {f"{n:016x}": Looked(time.time()) for n in range(2, 5)}
            other.append(Thread(target=looks))
            other[0].start()
            assert in_midst.wait(standin.DEADLINE)
        return connect()

    monkeypatch.setattr(room, "_connect", connected)
    store.keep(["0" * 16], 60.0)
    added.set()
    other[0].join(standin.DEADLINE)
    assert wrong == []


def test_a_disk_that_takes_no_more_keeps_nobody_from_reading(store, monkeypatch):
    store.put(DIGESTS[0], LARGE)

    def full():
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store._room, "_connect", full)
    store.keep([DIGESTS[0]], 60)
    assert store.get_bytes(DIGESTS[0]) == LARGE


def test_small_results_go_one_by_one_too(tmp_path):
    store = ResultStore(tmp_path, size_limit=400_000)
    for digest in DIGESTS:
        store.put(digest, os.urandom(30_000))  # in the index itself, not in files
    there = [d for d in DIGESTS if d in store]
    assert there == DIGESTS[-len(there) :] and len(there) >= 6
    store.close()


def test_the_limit_is_a_setting(tmp_path, monkeypatch):
    assert eviction.size_limit({}) == 2**31
    assert eviction.size_limit({"LAZYLAB_STORE_MB": "1.5"}) == 3 * 2**19
    for wrong in ("much", "0", "-1", "nan", "1e12", ""):
        with pytest.raises(ConfigError, match=f"LAZYLAB_STORE_MB={wrong} is not allowed"):
            eviction.size_limit({"LAZYLAB_STORE_MB": wrong})
    monkeypatch.setenv("LAZYLAB_STORE_MB", "3")
    store, queue = open_store(tmp_path), JobQueue(tmp_path)
    assert store.size_limit == queue.store.size_limit == 3 * 2**20
    store.close()
    queue.close()
