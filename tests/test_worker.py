"""The child, and the worker's step: what each way of ending comes to."""

import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest
import standin

from lazycore.config import cost
from lazycore.config.run import RunConfig
from lazycore.errors import BudgetError, ConfigError, ResultNotFound
from lazycore.results.store import ResultStore
from lazycore.running.refinement import SHARE
from lazycore.service import heartbeat, locks
from lazycore.service.queue import JobQueue
from lazycore.service.workers import child, devices, worker
from lazycore.service.workers.children import Children, Limits
from lazycore.service.workers.desk import Desk

QUICK, SLOW = standin.config(standin.QUICK), standin.config(standin.SLOW)
AMPLE = Limits(seconds=10**4, bytes=2**31)


class Clock:
    """Stands in for the module `time` where a test says what time it is."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture(scope="module")
def children():
    children = Children("cpu", threads=1, engine=standin.ENGINE)
    yield children
    children.close()


@pytest.fixture
def desk(tmp_path, children):
    queue = JobQueue(tmp_path)
    yield Desk(queue, "cpu", "cpu", children, AMPLE)
    queue.close()


def run(children, config, limits=AMPLE, is_wanted=lambda said: True, on_progress=lambda: None):
    """Return how the run ended and what it reported on its way."""
    said = []

    def note(share, data):
        said.append((share, data))
        on_progress()

    fields = config.resolve().to_dict()
    return children.run(fields, limits, lambda: is_wanted(said), note), said


def assert_next_is_warm(children, before):
    """Assert that the one standing by took the place of one that is gone, and takes a job."""
    assert run(children, QUICK)[0].why == "result"
    assert children.pids()[0] == before[1]
    standin.until(lambda: not psutil.pid_exists(before[0]), "the old child to end")


def step(desk, config, digest=None, **changes):
    fields = config.resolve().to_dict() | changes
    desk.queue.submit(config)
    desk.queue.is_wanted = lambda digest, ticket: True
    return worker.step(desk, digest or config.digest, "ticket", fields)


# ── the child ────────────────────────────────────────────────────────────────────────────
def test_a_warm_child_takes_the_next_job(children):
    run(children, QUICK)
    before = children.pids()
    for config in (QUICK, standin.config(standin.QUICK, 1)):
        ended, _ = run(children, config)
        assert ended.why == "result"
        assert standin.RunResult.from_bytes(ended.data).digest == config.digest
    assert children.pids() == before


def test_progress_comes_on_the_way_with_what_there_is(children):
    ended, said = run(children, SLOW, is_wanted=lambda said: len(said) < 3)
    assert ended.why == "cancelled" and len(said) >= 3
    shares = [share for share, _ in said]
    assert shares == sorted(set(shares)) and shares[0] > 0 and shares[-1] < 1
    partial = standin.RunResult.from_bytes(ended.data)
    assert partial.status == "cancelled" and partial.time[-1] == shares[-1]
    assert ended.data == said[-1][1]


@pytest.mark.parametrize("fold_seconds, every", [(0.0, 7), (0.125, 72)])
def test_progress_is_sent_ten_times_a_second_and_folding_takes_a_tenth_of_the_time_at_most(
    monkeypatch, fold_seconds, every
):
    clock, pipe = Clock(), Pipe()
    monkeypatch.setattr(child, "time", clock)

    def fold(status):
        clock.now += fold_seconds
        return b"folded"

    def engine(fields, device):
        for number in range(256):  # of a 64th of a second each: of these, 7 are the first 0.1 s
            clock.now += 1 / 64
            yield number / 256, fold

    child._compute(pipe, engine, {}, "cpu")
    *sent, last = [json.loads(frame.partition(b"\n")[0]) for frame in pipe.frames]
    assert [head["kind"] for head in sent] == ["progress"] * len(sent)
    assert [256 * head["progress"] for head in sent] == list(range(6, 256, every))
    assert last["kind"] == "result"


class Pipe:
    """An end of a pipe that keeps what is sent."""

    def __init__(self):
        self.frames = []

    def send_bytes(self, frame):
        self.frames.append(frame)


def test_a_child_is_killed_in_the_midst_of_python_and_the_next_is_warm(children):
    before = children.pids()
    ended, _ = run(children, SLOW, is_wanted=lambda said: not said)
    assert ended.why == "cancelled" and ended.data is not None
    assert_next_is_warm(children, before)


def test_a_child_is_killed_in_the_midst_of_a_native_call_and_the_next_is_warm(children):
    before = children.pids()

    def until_in_native_call(said):
        if said:
            standin.until_in_native_call(before[0])
        return not said

    ended, _ = run(children, standin.config(standin.NATIVE), is_wanted=until_in_native_call)
    assert ended.why == "cancelled" and ended.data is not None
    assert_next_is_warm(children, before)


def test_the_time_limit_ends_a_run_and_keeps_its_curve(children, monkeypatch):
    clock, before = Clock(), children.pids()
    monkeypatch.setattr("lazycore.service.workers.children.time", clock)

    def time_passes():
        clock.now += 0.3

    # No time passes but by its reports, of which the second is past the limit.
    ended, said = run(children, SLOW, Limits(seconds=0.5, bytes=2**31), on_progress=time_passes)
    assert ended.why == "time" and "limit of 0.5 s" in ended.message
    assert len(said) == 2 and ended.data == said[-1][1]
    monkeypatch.undo()
    assert_next_is_warm(children, before)


def test_the_memory_limit_ends_a_run_and_keeps_its_curve(children):
    before = children.pids()
    limits = Limits(seconds=AMPLE.seconds, bytes=400 * 2**20)
    ended, _ = run(children, standin.config(standin.HOG), limits)
    assert ended.why == "memory" and "400 MB" in ended.message and ended.data
    assert_next_is_warm(children, before)


@pytest.mark.parametrize(
    "kind, said", [(standin.CRASH, "was killed (SIGKILL"), (standin.EXIT, "exit code 3")]
)
def test_a_child_that_dies_is_replaced_and_its_curve_kept(children, kind, said):
    before = children.pids()
    ended, _ = run(children, standin.config(kind))
    assert ended.why == "died" and said in ended.message and ended.data
    assert_next_is_warm(children, before)


def test_a_child_that_died_while_idle_costs_nobody_a_run(children):
    before = children.pids()
    os.kill(before[0], 9)
    standin.until(lambda: not children._active.process.is_alive(), "the child to end")
    assert_next_is_warm(children, before)


@pytest.mark.parametrize(
    "kind, said",
    [
        (standin.BUG, "a bug: ZeroDivisionError: division by zero"),
        (standin.REFUSE, "step_size=3 is above 2, where nothing converges."),
        (standin.SILENT, "the engine recorded nothing"),
    ],
)
def test_an_error_in_a_run_is_said_and_the_child_lives(children, kind, said):
    before = children.pids()
    ended, _ = run(children, standin.config(kind))
    assert ended.why == "error" and said in ended.message
    assert children.pids() == before


def test_a_run_that_breaks_off_in_the_worker_is_not_taken_for_the_next_one(children):
    def is_wanted(said):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(children, SLOW, is_wanted=is_wanted)
    ended, _ = run(children, QUICK)
    assert standin.RunResult.from_bytes(ended.data).digest == QUICK.digest


# ── one step of the worker ───────────────────────────────────────────────────────────────
def test_a_step_stores_the_result_and_says_done(desk):
    outcome = step(desk, QUICK)
    assert (outcome["state"], outcome["message"], outcome["device"]) == ("done", None, "cpu")
    assert desk.queue.store.get(QUICK.digest).status == "done"
    with pytest.raises(ResultNotFound):
        desk.queue.store.get_partial(QUICK.digest)
    assert desk.busy_with is None


def test_a_stored_result_is_not_computed_again(desk, monkeypatch):
    desk.queue.store.put(QUICK.digest, standin.result(QUICK))
    monkeypatch.setattr(desk, "children", None)
    assert worker.step(desk, QUICK.digest, "ticket", {})["state"] == "done"


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"width": -3}, "width=-3 is not allowed"),
        ({"width": 101}, "config of another run"),
        ({"wdth": 100}, "no field 'wdth'"),
        ({"alpha": "abc"}, "alpha="),
    ],
)
def test_a_row_that_was_changed_is_a_failure_with_a_sentence(desk, changes, said):
    outcome = step(desk, QUICK, **changes)
    assert outcome["state"] == "failed" and said in outcome["message"]


def test_a_row_over_budget_is_refused_by_the_worker_too():
    huge = RunConfig(dynamics="gd", steps=10**12)
    with pytest.raises(BudgetError):
        worker.check(huge.digest, huge.resolve().to_dict())


def test_a_failed_run_keeps_its_curve_and_how_far_it_came(desk):
    crash = standin.config(standin.CRASH)
    outcome = step(desk, crash)
    assert outcome["state"] == "failed" and "SIGKILL" in outcome["message"]
    assert 0 < outcome["progress"] < 1
    assert desk.queue.store.get_partial(crash.digest).status == "cancelled"


def test_a_store_that_takes_no_more_is_a_failure_with_a_sentence(desk, tmp_path):
    desk.queue.store = ResultStore(tmp_path / "small", size_limit=500)
    outcome = step(desk, QUICK)
    assert outcome["state"] == "failed" and "does not fit into the store" in outcome["message"]
    assert desk.queue.store.digests() == []


def test_a_job_handed_over_too_soon_waits_for_the_one_before_it(desk):
    configs = [standin.config(standin.QUICK, number) for number in range(4)]
    with concurrent.futures.ThreadPoolExecutor(len(configs)) as pool:
        with desk.at_work("the one before"):
            came = [pool.submit(step, desk, config) for config in configs]
            standin.until(lambda: len(desk.waiting) == len(configs), "all to wait")
            assert desk.busy == ["the one before"] and set(desk.in_hand) > {
                c.digest for c in configs
            }
        assert [one.result(standin.DEADLINE)["state"] for one in came] == ["done"] * len(configs)
    assert desk.in_hand == []


def test_a_job_that_goes_from_waiting_to_work_is_in_hand_all_the_while(desk):
    class Moving(set):
        def __iter__(self):
            desk.busy_with = "a job"  # as in another thread, just then
            self.discard("a job")
            return super().__iter__()

    desk.waiting = Moving(["a job"])
    assert desk.in_hand == ["a job"]


def test_a_job_that_ends_while_it_is_looked_at_is_a_job_or_none(desk):
    class Ending(Desk):
        seen = 0

        def __getattribute__(self, name):
            if name == "busy_with":
                Ending.seen += 1
                return "a job" if Ending.seen == 1 else None
            return super().__getattribute__(name)

    one = Ending(desk.queue, "cpu", "cpu", desk.children, AMPLE)
    assert one.busy == ["a job"] and one.busy == []


# ── names, locks, heartbeats ─────────────────────────────────────────────────────────────
def test_only_one_process_may_have_a_name(tmp_path):
    first = heartbeat.claim(tmp_path, "cpu")
    assert heartbeat.claim(tmp_path, "cpu") is None
    other = heartbeat.claim(tmp_path, "cuda-0")
    first.close()
    again = heartbeat.claim(tmp_path, "cpu")
    assert again is not None
    again.close()
    other.close()


def test_a_held_lock_makes_the_next_one_wait(tmp_path):
    order = []
    with locks.held(tmp_path / "lock"):
        thread = threading.Thread(target=lambda: _note_when_held(tmp_path / "lock", order))
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join(standin.DEADLINE)
    assert order == ["first", "second"]


def _note_when_held(path, order):
    with locks.held(path):
        order.append("second")


def test_a_worker_that_is_silent_or_gone_is_not_alive(tmp_path):
    heartbeat.beat(tmp_path, "cpu", "cpu", "0" * 16)
    path = tmp_path / "workers" / "cpu.json"
    beat_at = json.loads(path.read_text())["at"]
    (info,) = heartbeat.workers(tmp_path, now=beat_at + 1)
    assert info.alive and info.busy_with == "0" * 16 and info.pid == os.getpid()
    (late,) = heartbeat.workers(tmp_path, now=beat_at + 60)
    assert not late.alive and late.heartbeat_age == pytest.approx(60, abs=1e-3)
    path.write_text(path.read_text().replace(str(os.getpid()), "4194399"))
    assert not heartbeat.workers(tmp_path, now=beat_at + 1)[0].alive
    heartbeat.stop_beating(tmp_path, "cpu")
    assert heartbeat.workers(tmp_path) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x", "at": null}', "\xff"])
def test_a_heartbeat_that_is_none_is_left_out(tmp_path, text):
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "cpu.json").write_text(text, encoding="latin-1")
    assert heartbeat.workers(tmp_path) == []


@pytest.mark.parametrize(
    "environment, torch, names",
    [
        ({}, "2.13.0+cpu", ["cpu"]),
        ({"CUDA_VISIBLE_DEVICES": "3,5"}, "2.13.0", ["cuda:0", "cuda:1"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-abc"}, "2.13.0+cu130", ["cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, "2.13.0", ["cpu"]),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, "2.13.0", ["cpu"]),
        ({"CUDA_VISIBLE_DEVICES": "0,1"}, "2.13.0+cpu", ["cpu"]),
        ({"LAZYLAB_DEVICES": "cpu"}, "2.13.0", ["cpu"]),
        ({"LAZYLAB_DEVICES": "cuda:0, cuda:1"}, "2.13.0+cpu", ["cuda:0", "cuda:1"]),
    ],
)
def test_there_is_a_worker_for_each_visible_gpu_or_else_one_for_the_cpu(
    environment, torch, names, monkeypatch
):
    monkeypatch.setattr("importlib.metadata.version", lambda name: torch)
    assert devices.device_names(environment) == names


def test_the_gpus_are_counted_by_nvidia_smi(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: a)'\necho 'GPU 1: B (UUID: b)'\n")
    tool.chmod(0o755)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert devices.device_names({}) == ["cuda:0", "cuda:1"]
    tool.unlink()
    assert devices.device_names({}) == ["cpu"]


def test_a_worker_sees_its_own_gpu_alone():
    assert devices.visible_alone("cuda:1", {}) == "1"
    assert devices.visible_alone("cuda:1", {"CUDA_VISIBLE_DEVICES": "3,5"}) == "5"


def test_limits_come_from_the_environment():
    said = {"LAZYLAB_JOB_SECONDS": "5", "LAZYLAB_JOB_MB": "100"}
    assert devices.limits(said) == Limits(5.0, 100 * 2**20)
    assert devices.limits({}).seconds == 2 * cost.DEFAULT.seconds
    for wrong in ("abc", "-1", "nan", "0"):
        with pytest.raises(ConfigError, match=f"LAZYLAB_JOB_MB={wrong}"):
            devices.limits({"LAZYLAB_JOB_MB": wrong})


def test_a_worker_that_cannot_start_says_why_in_a_sentence(tmp_path):
    (tmp_path / "jobs.sqlite").write_bytes(b"not a database " * 100)
    environment = os.environ | {"PYTHONPATH": str(standin.PROJECT)}
    command = [sys.executable, "-m", "lazycore.service.workers.worker", "--root", str(tmp_path)]
    command += ["--engine", "json:loads"]  # is not got to
    for arguments, change, said in (
        ([*command, "--device", "cpu"], {}, "The job queue's database could not be used"),
        (command, {"LAZYLAB_JOB_MB": "many"}, "LAZYLAB_JOB_MB=many is not allowed"),
    ):
        ended = subprocess.run(arguments, env=environment | change, capture_output=True, text=True)
        assert ended.returncode == 1 and ended.stdout == ""
        assert ended.stderr.startswith(said) and ended.stderr.count("\n") == 1


def test_the_time_left_goes_by_the_pace_of_what_is_computed():
    rising = [(float(t), (t / 100.0) ** 3) for t in range(51)]
    assert worker._time_left({}, rising) == pytest.approx(50.0)
    even = [(float(t), t / 100.0) for t in range(51)]
    assert worker._time_left({"axes": {}}, even) == pytest.approx(50.0)
    assert worker._time_left({"axes": {}}, rising) != pytest.approx(50.0), "cells are equal parts"


def test_the_pace_of_a_first_answer_tells_nothing_of_the_time_left():
    fields = RunConfig().resolve().to_dict()
    first = [(t / 100.0, SHARE * t / 50.0) for t in range(51)]
    second = [(0.5 + t, SHARE + (1.0 - SHARE) * (t / 100.0) ** 3) for t in range(51)]
    assert worker._time_left(fields, [*first, *second]) == pytest.approx(50.0)
    assert worker._time_left(fields, [(20.0 * t, share) for t, share in first]) is None
    assert worker._time_left(fields | {"tolerance": 0.1}, second) != pytest.approx(50.0)


def test_no_time_left_is_told_of_a_run_that_ends_when_it_has_learned_enough():
    even = [(float(t), t / 100.0) for t in range(51)]
    for fields in ({"stop": "none"}, {"stop": None}, RunConfig().resolve().to_dict()):
        assert worker._time_left(fields, even) == pytest.approx(50.0)
    assert worker._time_left({"stop": "margins"}, even) is None


def test_what_a_child_has_started_counts_as_its_memory(children):
    child = children._active
    child.seen, child._look_at = psutil.Process(), 0.0
    alone = psutil.Process().memory_info().rss
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as started:
        try:
            grown = child.memory()
        finally:
            started.kill()
            child.seen = psutil.Process(child.process.pid)
    assert started.pid in [process.pid for process in child._family]
    assert grown > 0.9 * alone
