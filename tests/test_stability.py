"""Which units keep their side of zero, counted one by one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.engine.measures.stability import Stability
from lazycore.engine.problem.problem import build_problem


def problem_of(**fields):
    """Return a small problem whose first point is 0, so that no unit is on either side there."""
    config = RunConfig(task="teacher", dim=3, n_train=5, n_test=0, width=4, alpha=2.0, **fields)
    problem = build_problem(config.resolve().to_dict(), torch.device("cpu"))
    x = problem.train.x.clone()
    x[0] = 0.0
    return replace(problem, train=replace(problem.train, x=x))


def hidden(problem, w, depth):
    """Return the pre-activations of each layer, (n, m), by a loop over layers."""
    a, found = problem.train.x, []
    for _ in range(depth):
        d = a.shape[1]
        matrix, w = w[: 4 * d].view(4, d), w[4 * d :]
        found.append(a @ matrix.T / d**0.5)
        a = found[-1].clamp(min=0.0)
    return found


@pytest.mark.parametrize("depth", [1, 3])
def test_a_share_of_pairs_keeps_its_side_and_zero_counts_as_below(depth):
    fields = {} if depth == 1 else {"model": "fully_connected", "depth": depth}
    problem = problem_of(**fields)
    noise = np.random.default_rng(0).standard_normal((3, len(problem.w0)))
    v = torch.as_tensor(noise * np.array([[0.0], [0.5], [4.0]]))
    before = hidden(problem, problem.w0, depth)
    wanted = np.ones((3, depth))
    for row in range(3):
        after = hidden(problem, problem.w0 + v[row] / 2.0, depth)
        for layer in range(depth):
            pairs = zip(before[layer].flatten(), after[layer].flatten(), strict=True)
            wanted[row, layer] = np.mean([(a > 0) == (b > 0) for a, b in pairs])
    assert wanted[0].tolist() == [1.0] * depth and wanted[2].max() < 0.95
    found = Stability(problem).columns(v, problem.train.observed(v)[1])
    assert found["activation_stability"].numpy() == pytest.approx(wanted.mean(1))
    assert ("activation_stability_by_layer" in found) == (depth > 1)
    if depth > 1:
        assert found["activation_stability_by_layer"].numpy() == pytest.approx(wanted)


def test_a_network_without_hidden_units_has_no_stability():
    assert Stability(problem_of()).columns(torch.zeros(1, 16), []) == {}
