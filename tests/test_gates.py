"""Gates and their stability, against signs and masks taken by hand."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lazycore.config.run import RunConfig
from lazycore.config.spec import find
from lazycore.engine.measures.stability import Stability
from lazycore.engine.networks import gates
from lazycore.engine.networks.module_network import ModuleNetwork
from lazycore.engine.problem.problem import Points, Problem, build_problem

CPU = torch.device("cpu")


@pytest.fixture
def problem():
    fields = {"model": "cnn", "task": "digits", "n_train": 6, "n_test": 4, "zero_output": "none"}
    config = RunConfig.from_dict(fields | {"width_multiplier": 0.25})
    return build_problem(config.resolve().to_dict(), CPU)


def moved(problem, size=0.3, seed=1):
    """Return a displacement that turns some gates."""
    return size * torch.as_tensor(np.random.default_rng(seed).standard_normal(problem.w0.shape))


def layers(problem, w):
    parts = [w[b.slice].view(b.shape) for b in problem.network.blocks]
    return list(zip(parts[::2], parts[1::2], strict=True))


def preactivations(problem, w, x):
    """Return z of every convolution, by plain functions."""
    a, found = x.view(len(x), 1, 8, 8), []
    for weight, bias in layers(problem, w)[:-1]:
        found.append(F.conv2d(a, weight, bias, padding=1))
        a = F.max_pool2d(found[-1].relu(), 2)
    return found


def test_hooks_see_what_the_activations_receive(problem):
    w = problem.w0 + moved(problem)
    outputs, hidden = problem.network.observe(w, problem.train.x)
    assert torch.equal(outputs, problem.network(w, problem.train.x))
    for mine, theirs in zip(hidden, preactivations(problem, w, problem.train.x), strict=True):
        assert torch.allclose(mine, theirs.flatten(1), atol=1e-13)
    assert not any(part._forward_hooks for part in problem.network.module.modules())


@pytest.mark.parametrize("at_once", [None, 2])
def test_stability_is_the_share_of_signs_that_are_kept(problem, at_once):
    object.__setattr__(problem.network, "at_once", at_once)
    v = torch.stack([moved(problem, 0.0), moved(problem), moved(problem, 1.0, 2)])
    found = Stability(problem).columns(v, [])
    for part, points in (("", problem.train), ("test_", problem.test)):
        before = preactivations(problem, problem.w0, points.x)
        for row, one in enumerate(v):
            after = preactivations(problem, problem.w0 + one, points.x)
            shares = [
                float(((a > 0) == (b > 0)).double().mean())
                for a, b in zip(before, after, strict=True)
            ]
            mean = found[f"{part}activation_stability"][row]
            assert float(mean) == pytest.approx(np.mean(shares), abs=1e-12)
            if not part:
                by_layer = found["activation_stability_by_layer"][row]
                assert by_layer.tolist() == pytest.approx(shares, abs=1e-12)
    assert float(found["activation_stability"][0]) == 1.0 > float(found["activation_stability"][1])


def test_signs_are_compared_on_as_many_points_as_they_may_fill(monkeypatch, problem):
    units = find("model", "cnn").SPEC.facts["units"]
    config = RunConfig.from_dict({"model": "cnn", "task": "digits", "width_multiplier": 0.25})
    one = units(config.resolve().to_dict(), 64, 10)
    monkeypatch.setattr(gates, "LARGEST_SIGNS", 3 * one)
    signs = gates.Signs(problem.network.observe, problem.w0, problem.train.x, 2)
    assert signs.points == 3
    assert signs.kept(problem.w0).tolist() == [1.0, 1.0, 1.0]


def test_a_module_of_plain_functions_has_no_stability():
    class Plain(nn.Linear):
        def forward(self, x):
            return torch.tanh(super().forward(x))

    network = ModuleNetwork(Plain(3, 2).double())
    x, y = torch.ones(4, 3, dtype=torch.float64), torch.zeros(4, 2, dtype=torch.float64)
    points = Points(network, network.weights(), 1.0, True, x, y)
    whole = Problem(points, points, find("loss", "square"), 0)
    assert Stability(whole).columns(torch.zeros(2, 8, dtype=torch.float64), []) == {}


def test_activations_that_work_in_place_are_seen_with_the_right_sign():
    module = nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True), nn.Linear(5, 1)).double()
    network = ModuleNetwork(module)
    x = torch.as_tensor(np.random.default_rng(0).standard_normal((4, 3)))
    first = module[0](x).detach()
    _, (z,) = network.observe(network.weights(), x)
    assert torch.equal(z > 0, first > 0)


def test_frozen_gates_are_the_masks_of_the_beginning(problem):
    x, w = problem.train.x, problem.w0 + moved(problem)
    a = x.view(len(x), 1, 8, 8)
    *convolutions, (out, bias) = layers(problem, w)
    before = preactivations(problem, problem.w0, x)
    for (weight, b), z0 in zip(convolutions, before, strict=True):
        a = F.conv2d(a, weight, b, padding=1) * (z0 > 0)
        _, place = F.max_pool2d(z0.relu(), 2, return_indices=True)
        a = a.flatten(2).gather(2, place.flatten(2)).view(place.shape)
    frozen = problem.network.frozen_gates(problem.w0, w, x)
    assert torch.allclose(frozen, a.flatten(1) @ out.T + bias, atol=1e-12)
    assert not torch.allclose(frozen, problem.network(w, x), atol=1e-3)


def test_frozen_gates_are_the_network_itself_where_none_has_turned(problem):
    x = problem.train.x
    near = problem.w0 + moved(problem, 1e-9)
    frozen = problem.network.frozen_gates(problem.w0, near, x)
    assert torch.allclose(frozen, problem.network(near, x), atol=1e-14)


def test_frozen_gates_of_residual_blocks_are_multiplied_in_the_order_of_the_passes():
    fields = {"model": "resnet18", "task": "digits", "n_train": 3, "width_multiplier": 0.04}
    problem = build_problem(RunConfig.from_dict(fields).resolve().to_dict(), CPU)
    frozen = problem.network.frozen_gates(problem.w0, problem.w0, problem.train.x)
    assert torch.allclose(frozen, problem.train.anchor.outputs, atol=1e-15)


def test_nothing_is_frozen_of_a_module_that_may_do_anything():
    module = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    network = ModuleNetwork(module)
    w = network.weights()
    assert network.frozen_gates(w, w, torch.ones(2, 3, dtype=torch.float64)) is None
