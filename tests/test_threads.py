"""A computation has the threads that are chosen for it, and gives the caller's back."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from threadpoolctl import ThreadpoolController

import lazycore
from lazycore import RunConfig, SweepConfig
from lazycore.errors import ConfigError
from lazycore.machine.processes import PROJECT
from lazycore.machine.threads import cores, numpy_has_one, threads

TINY = RunConfig(task="sine", dynamics="gd", steps=20, width=4, n_train=4, n_test=0)


def numpys() -> list[int]:
    """Return the threads of the pools that numpy's products go to."""
    return [pool["num_threads"] for pool in ThreadpoolController().select(user_api="blas").info()]


@pytest.fixture
def three():
    """Torch and numpy's pool set to three threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    with ThreadpoolController().limit(limits=3, user_api="blas"):
        yield
    torch.set_num_threads(before)


def test_the_threads_of_both_libraries_are_chosen_inside_and_the_callers_outside(three):
    outside = torch.get_num_threads(), numpys()
    assert outside == (3, [3] * len(numpys()))
    with threads():
        assert torch.get_num_threads() == 1 and set(numpys()) == {1} and numpy_has_one()
        with threads(2):
            assert torch.get_num_threads() == 2 and set(numpys()) == {1}
        assert torch.get_num_threads() == 1 and set(numpys()) == {1}
    assert (torch.get_num_threads(), numpys()) == outside
    with pytest.raises(ZeroDivisionError), threads():
        raise ZeroDivisionError
    assert (torch.get_num_threads(), numpys()) == outside


def test_numpys_pool_comes_back_when_the_last_of_several_has_left(three):
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with threads():
            inside.set()
            leave.wait(60)

    with ThreadPoolExecutor(1) as pool:
        with threads():
            done = pool.submit(other)
            assert inside.wait(60)
        assert set(numpys()) == {1} and torch.get_num_threads() == 3
        leave.set()
        done.result(60)
    assert set(numpys()) == {3}


def test_runs_sweeps_and_threads_that_begin_later_find_the_callers_number(three):
    lazycore.run(TINY, device="cpu")
    lazycore.sweep(SweepConfig(base=TINY, axes={"alpha": (1.0, 10.0)}), device="cpu")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: lazycore.run(TINY, device="cpu"), range(4)))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 3
    assert torch.get_num_threads() == 3 and set(numpys()) == {3}


def test_a_run_in_a_plain_process_has_one_thread_and_the_numbers_of_the_program(tmp_path):
    """`python -m lazycore` has numpy's products on one thread; a script has as many as cores."""
    script = (
        "import sys\n"
        "import torch, lazycore, lazycore.running.run as training\n"
        "torch.set_num_threads(2)\n"
        "seen, collect = set(), training.recorder\n"
        "def watched(*given):\n"
        "    seen.add(torch.get_num_threads())\n"
        "    return collect(*given)\n"
        "training.recorder = watched\n"
        f"config = lazycore.RunConfig(**{TINY.given()!r})\n"
        "lazycore.run(config, device='cpu').save(sys.argv[1])\n"
        "assert seen == {1} and torch.get_num_threads() == 2, seen\n"
    )
    plain = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT)}
    out = tmp_path / "run.npz"
    done = subprocess.run(
        [sys.executable, "-c", script, str(out)], env=plain, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found, wanted = lazycore.RunResult.load(out), lazycore.run(TINY, device="cpu")
    for name, series in found.series.items():
        assert np.array_equal(series, wanted.series[name], equal_nan=True), name


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "2", None, 10**6])
def test_a_number_of_threads_that_cannot_be_is_refused(count):
    with pytest.raises(ConfigError, match="give a whole number from 1 to 1024") as error:
        lazycore.run(TINY, device="cpu", threads=count)
    assert f"threads={count!r}" in str(error.value)


def test_a_sweep_refuses_them_too_before_anything_is_computed(monkeypatch):
    monkeypatch.setattr(
        "lazycore.running.sweeps.run_lanes", lambda *_, **__: pytest.fail("computed")
    )
    config = SweepConfig(base=TINY, axes={"alpha": (1.0, 10.0)})
    with pytest.raises(ConfigError, match="threads=0 is not allowed"):
        lazycore.sweep(config, device="cpu", threads=0)


def test_a_sweep_has_a_process_for_each_core_that_this_one_may_use(monkeypatch):
    asked = []

    def lanes(configs, *, threads, **_):
        asked.append(threads)
        return iter(())

    monkeypatch.setattr("lazycore.running.sweeps.run_lanes", lanes)
    monkeypatch.setattr("lazycore.running.sweeps.cores", lambda: 7)
    lazycore.sweep(SweepConfig(base=TINY, axes={"alpha": (1.0, 10.0)}), device="cpu")
    assert asked == [7] and cores() >= 1
