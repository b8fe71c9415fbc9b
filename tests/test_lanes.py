"""Runs advanced by several processes: the same runs, and none is left behind."""

import io

import numpy as np
import pytest
import torch
from choices import is_possible

from lazycore.config import spec
from lazycore.config.cost import Budget
from lazycore.config.run import RunConfig
from lazycore.engine.problem.problem import build_problem
from lazycore.errors import LazyLabError
from lazycore.running import lanes
from lazycore.running.batches import Batches, Lane
from lazycore.running.laneprocess import LaneProcess, read_frame, write_frame
from lazycore.running.lanes import run_lanes

PLAIN = ("teacher", "digits", "fashion_mnist")
TINY = {"task": "teacher", "n_train": 6, "n_test": 3, "dim": 3, "dynamics": "gd", "steps": 20}


def configs(**more) -> list[RunConfig]:
    return [
        RunConfig(**(TINY | more), width=width, alpha=alpha, seed=seed)
        for width in (4, 6)
        for alpha in (1.0, 10.0)
        for seed in (0, 1)
    ]


@pytest.fixture
def process():
    """Yield a process that advances lanes, and end it."""
    found = LaneProcess()
    yield found
    found.close()


def test_runs_of_two_processes_are_those_of_one_bit_by_bit(monkeypatch):
    wanted = dict(run_lanes(configs(), device="cpu"))
    monkeypatch.setattr(lanes, "WORTH_SECONDS", 0.0)
    found = dict(run_lanes(configs(), device="cpu", threads=2))
    assert found.keys() == wanted.keys() == set(range(8))
    for number, result in found.items():
        assert result.digest == wanted[number].digest
        for name, series in result.series.items():
            assert np.array_equal(series, wanted[number].series[name], equal_nan=True)


def test_the_budget_of_a_run_goes_with_it_to_another_process(process):
    config = RunConfig(task="teacher", n_train=6, n_test=3, dim=3, activation="tanh", width=4)
    few = Budget(evaluations=100)
    (_, result), *_ = process.advance([Lane(config, few)])
    assert result.status == "budget"
    (_, result), *_ = process.advance([Lane(config, None)])
    assert result.status == "done"


def test_who_is_stopped_gives_up_what_has_not_ended():
    asked = []
    batches = Batches(torch.device("cpu"), stopped=lambda: len(asked) > 10 or asked.append(1))
    assert list(batches.advance([Lane(config) for config in configs()[:2]])) == []


def test_little_work_starts_no_process(monkeypatch):
    monkeypatch.setattr(lanes, "LaneProcess", lambda: pytest.fail("started a process"))
    assert len(dict(run_lanes(configs(), device="cpu", threads=2))) == 8


def test_whoever_stops_asking_ends_the_processes_at_once(monkeypatch):
    started = []

    def start() -> LaneProcess:
        started.append(LaneProcess())
        return started[-1]

    monkeypatch.setattr(lanes, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(lanes, "LaneProcess", start)
    stream = run_lanes(configs(steps=2000), device="cpu", threads=3)
    next(stream)
    stream.close()
    assert len(started) == 2
    assert all(other.process.poll() is not None for other in started)


def test_a_process_ends_when_its_input_is_closed(process):
    assert process.process.stdin is not None
    process.process.stdin.close()
    assert process.process.wait(60) == 0


def test_a_killed_process_is_said_to_be_killed(process):
    process.process.kill()
    with pytest.raises(LazyLabError, match=r"was killed \(SIGKILL\); run them again"):
        list(process.advance([Lane(configs()[0])]))


def test_what_goes_wrong_there_is_said_here_and_the_next_batch_is_served(tmp_path, monkeypatch):
    monkeypatch.setenv("LAZYLAB_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    other = LaneProcess()
    try:
        with pytest.raises(LazyLabError, match="data fetch mnist"):
            list(other.advance([Lane(RunConfig(task="mnist", n_train=10, n_test=0))]))
        assert [n for n, _ in other.advance([Lane(config) for config in configs()[:2]])] == [0, 1]
    finally:
        other.close()


def test_frames_come_back_whole_or_not_at_all():
    pipe = io.BytesIO()
    write_frame(pipe, {"kind": "result", "number": 3}, b"\n\x00payload")
    whole = pipe.getvalue()
    found = read_frame(io.BytesIO(whole))
    assert found is not None
    assert (found[0]["number"], found[1]) == (3, b"\n\x00payload")
    for length in range(len(whole)):
        assert read_frame(io.BytesIO(whole[:length])) is None


def test_lanes_that_go_together_are_on_the_same_data_where_there_are_enough_of_them():
    def batches(seeds: range, scales: int) -> list[int]:
        wanted = [
            Lane(RunConfig(**TINY, width=4, seed=seed, init_scale=1.0 + i))
            for seed in seeds
            for i in range(scales)
        ]
        (claim, *others) = lanes._Work(wanted, torch.device("cpu")).claims
        return [len(batch) for one in (claim, *others) for batch in one.batches]

    assert batches(range(2), 8) == [5, 3, 5, 3]
    assert batches(range(2), 7) == [5, 5, 4]
    assert batches(range(7), 1) == [5, 2]
    assert batches(range(3), 4) == [4, 4, 4]


def test_the_last_runs_are_shared_out_the_same_way_whoever_is_faster():
    wanted = [Lane(RunConfig(**TINY, width=4, seed=seed)) for seed in range(12)]

    def batches(order: str) -> list[list[int]]:
        """Return who gets what where these two ask in this order, one letter a request."""
        work, own, taken = lanes._Work(wanted, torch.device("cpu"), servers=2), {}, []
        for who in order:
            if found := work.next(own.get(who)):
                own[who], batch = found
                taken.append(batch)
        return taken

    found = batches("abababab")
    assert [len(batch) for batch in found] == [5, 4, 1, 1, 1]
    assert sorted(sum(found, [])) == list(range(12))
    assert sorted(batches("abbbbbbb")) == sorted(batches("aaaaaaaa")) == sorted(found)


def test_networks_that_take_one_set_of_weights_are_shared_out_one_by_one():
    fields = {"task": "digits", "n_train": 4, "n_test": 0, "dynamics": "gd", "steps": 2}
    wanted = [Lane(RunConfig(**fields, model="cnn", init_seed=seed)) for seed in range(4)]
    work = lanes._Work(wanted, torch.device("cpu"), servers=2)
    assert [len(batch) for claim in work.claims for batch in claim.batches] == [1] * 4


@pytest.mark.parametrize("model", spec.collect("model"))
def test_a_model_says_whether_its_networks_go_together(model):
    tasks = ({"task": name, "model": model} for name in (*PLAIN, *spec.collect("task")))
    config = RunConfig.from_dict(next(one for one in tasks if is_possible(one)))
    network = build_problem(config.resolve().to_dict(), torch.device("cpu")).network
    assert network.stacked is bool(spec.find("model", model).SPEC.facts.get("stacked"))
