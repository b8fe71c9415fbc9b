"""Bells: who submits wakes who waits, and nobody else pays for it."""

import threading
import time

import pytest
import standin

from lazycore.service import bells
from lazycore.service.bells import Bell, ring


@pytest.fixture
def bell(tmp_path):
    bell = Bell(tmp_path, "cpu", "runs")
    bell._awake_until = 0.0
    yield bell
    bell.close()


def listening(bell, timeout=0.01):
    """Return a thread that waits at the bell."""
    thread = threading.Thread(target=bell.wait, args=(timeout,), daemon=True)
    thread.start()
    return thread


def test_a_ring_ends_the_wait_at_once(bell, tmp_path, monkeypatch):
    monkeypatch.setattr(bells, "IDLE_SECONDS", 1000.0)
    thread = listening(bell)
    ring(tmp_path, "sweeps")
    thread.join(0.2)
    assert thread.is_alive(), "the bell of another line"
    ring(tmp_path, "runs")
    thread.join(standin.DEADLINE)
    assert not thread.is_alive() and not bell.is_set()


def test_a_ring_that_came_before_the_wait_is_heard(bell, tmp_path, monkeypatch):
    monkeypatch.setattr(bells, "IDLE_SECONDS", 1000.0)
    for _ in range(100_000):  # more than a pipe holds
        ring(tmp_path, "runs")
    bell.wait(1000.0)
    thread = listening(bell, 0.0)
    thread.join(standin.DEADLINE)
    assert not thread.is_alive(), "for a moment after a ring it waits as little as it is told"


def test_two_rings_are_no_reason_to_look_twice_at_once(bell, tmp_path):
    begun = time.monotonic()
    for _ in range(2):
        ring(tmp_path, "runs")
        bell.wait(0.2)
    assert time.monotonic() - begun >= 0.2


def test_without_a_ring_it_is_looked_now_and_then(bell, monkeypatch):
    monkeypatch.setattr(bells, "IDLE_SECONDS", 0.2)
    begun = time.monotonic()
    assert bell.wait(0.001) is False
    assert time.monotonic() - begun >= 0.2


def test_each_worker_has_a_bell_of_its_own(bell, tmp_path, monkeypatch):
    monkeypatch.setattr(bells, "IDLE_SECONDS", 1000.0)
    other = Bell(tmp_path, "cuda-0", "runs")
    other._awake_until = 0.0
    threads = [listening(bell), listening(other)]
    ring(tmp_path, "runs")
    for thread in threads:
        thread.join(standin.DEADLINE)
        assert not thread.is_alive()
    other.close()


def test_ringing_where_nobody_listens_is_nothing(tmp_path):
    ring(tmp_path, "runs")
    Bell(tmp_path, "cpu", "runs").close()
    (tmp_path / "workers" / "cuda-0.runs.bell").write_text("no pipe")
    ring(tmp_path, "runs")
    assert (tmp_path / "workers" / "cuda-0.runs.bell").read_text() == "no pipe"


def test_a_bell_that_a_killed_worker_left_is_taken_over_and_what_is_none_is_replaced(tmp_path):
    path = tmp_path / "workers" / "cpu.runs.bell"
    path.parent.mkdir()
    path.write_text("no pipe")
    for _ in range(2):
        Bell(tmp_path, "cpu", "runs").close()
        assert path.is_fifo()
