"""States that wait for each other to be looked at together: what comes out is the same."""

import numpy as np
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.dynamics import trajectory
from lazycore.engine.problem import pace as pacing
from lazycore.engine.problem.problem import build_problem
from lazycore.running.run import run

torch.set_num_threads(1)
TINY = {"task": "teacher", "n_train": 8, "n_test": 4, "dim": 3, "width": 6, "dynamics": "flow"}
FLOWS = {
    "smooth": {"activation": "tanh"},
    "kinks": {"activation": "relu", "alpha": 10.0},
    "logistic": {"activation": "tanh", "loss": "logistic"},
    "margins": {"loss": "soft_hinge", "stop": "margins", "activation": "softplus"},
}


@pytest.fixture(params=[(1, 0.0), (16, 0.0), (7, 1e9), (16, 1e9)], ids=str)
def pace(request, monkeypatch):
    """How many wait at most, and for how long."""
    monkeypatch.setattr(pacing, "MOST", request.param[0])
    monkeypatch.setattr(pacing, "SECONDS", request.param[1])


def config(**fields) -> RunConfig:
    values = TINY | fields
    return RunConfig(**values, **({} if "stop" in values else {"time": 20.0}))


@pytest.mark.parametrize("name", FLOWS)
def test_a_run_is_the_same_whatever_waits(name, monkeypatch, pace):
    found = run(config(**FLOWS[name]), device="cpu")
    monkeypatch.undo()
    wanted = run(config(**FLOWS[name]), device="cpu")
    assert found.status == wanted.status == "done"
    assert np.array_equal(found.time, wanted.time)
    assert found.numerical_error == pytest.approx(wanted.numerical_error, rel=1e-6, abs=0.0)
    for key, series in wanted.series.items():
        size = np.nanmax(np.abs(series.astype(float)))
        assert np.allclose(found.series[key], series, rtol=1e-9, atol=1e-9 * size, equal_nan=True)


def test_a_run_that_ends_on_its_budget_keeps_all_that_it_has_passed(monkeypatch, pace):
    values = config(activation="tanh").resolve().to_dict() | {"time": 3000.0}
    problem = build_problem(values, torch.device("cpu"))
    found = [moment.time for moment in trajectory(problem, values, limit=400)]
    monkeypatch.undo()
    wanted = [moment.time for moment in trajectory(problem, values, limit=400)]
    assert found == wanted and 10 < len(found) < 200


def test_no_more_wait_than_fit_in_the_memory():
    def waiting(**fields) -> int:
        values = RunConfig(**(TINY | fields)).resolve().to_dict()
        return pacing.states_at_once(build_problem(values, torch.device("cpu")))

    assert waiting() == pacing.MOST
    assert waiting(n_train=3000, width=1000, dim=3) == pacing.NUMBERS // (3000 * 1001)
    assert waiting(width=5000, dim=1000, n_train=2) == 1
