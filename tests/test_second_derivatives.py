"""Second derivatives of dense networks and their bounds, by formula and where they are sharp."""

import math
from types import SimpleNamespace

import oracle
import pytest
import torch

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.measures.kappa import kappa, second_derivative_norm
from lazycore.engine.problem.problem import build_problem


def build(**fields):
    """Return the oracle's setting and the engine's network."""
    config = RunConfig(**({"n_train": 6, "n_test": 3, "dim": 3, "width": 4} | fields))
    s = oracle.setting(config)
    return s, spec.find("model", s.values["model"]).build(s.values, s.d, 1)


STEEPEST_BEND = {"tanh": 4.0 / (3.0 * 3.0**0.5), "softplus": 3.0 / 4.0, "swish": 3.0 / 2.0}
"""sup |σ''| at β = 3."""


@pytest.mark.parametrize("radius", [0.0, 0.5, 3.0, 40.0])
@pytest.mark.parametrize("activation", list(STEEPEST_BEND))
@pytest.mark.parametrize("scaling", ["plain", "ntk", "mean_field"])
@pytest.mark.parametrize("bias", ["none", "normal"])
def test_the_bound_on_the_second_derivative_is_its_formula_at_every_radius(
    activation, scaling, bias, radius
):
    """C (‖x̃‖ sup|σ'| + (max_j |a_j| + r) ‖x̃‖² sup|σ''|), rms over the points."""
    extra = {} if bias == "none" else {"bias_gain": 0.6}
    extra |= {} if activation == "tanh" else {"activation_beta": 3.0}
    s, network = build(
        activation=activation, scaling=scaling, bias=bias, activation_gain="unit", **extra
    )
    row = 3 + (bias == "normal")
    a = [abs(float(s.w0[4 * row + j])) for j in range(4)]
    inner = 1.0 if scaling == "plain" else 3.0**-0.5
    outer = {"plain": 1.0, "ntk": 0.5, "mean_field": 0.25}[scaling]
    outer *= oracle.gain(activation, 3.0)
    steepest = 1.0998393194 if activation == "swish" else 1.0
    total = 0.0
    for x in s.x.tolist():
        square = sum((inner * v) ** 2 for v in x) + (0.36 if bias == "normal" else 0.0)
        bend = (max(a) + radius) * square * STEEPEST_BEND[activation]
        total += (outer * (square**0.5 * steepest + bend)) ** 2 / 6
    found = network.second_derivative_bound(s.w0, s.x, radius)
    assert found == pytest.approx(total**0.5, rel=1e-8)


@pytest.mark.parametrize("radius", [0.0, 1.0, 10.0])
def test_the_second_derivative_comes_near_its_bound_where_one_neuron_makes_it(radius):
    """One neuron, one far point: the largest bend of tanh times the largest |a| of the ball is
    nearly all there is, so that a bound that did not grow with the ball would be broken."""
    s, network = build(activation="tanh", width=1, dim=2, n_train=1, scaling="plain")
    x = torch.tensor([[1000.0, 0.0]], dtype=torch.float64)
    steepest = math.atanh(3.0**-0.5)  # where |tanh''| is largest
    w = torch.tensor([steepest / 1000.0, 0.0, 0.8], dtype=torch.float64)
    bound = network.second_derivative_bound(w, x, radius)
    far = w + torch.tensor([0.0, 0.0, radius], dtype=torch.float64)
    second = torch.func.hessian(lambda u: s.network(u, x)[0, 0])(far)
    assert 0.99 * bound <= float(torch.linalg.matrix_norm(second, 2)) <= bound


@pytest.mark.parametrize("ahead", [0, 1])
def test_of_two_copies_the_bound_and_the_norm_are_those_of_the_larger_one(ahead):
    s, network = build(activation="tanh", zero_output="symmetrized", width=6)
    w = s.w0.clone()
    half = len(w) // 2
    copies = [w[:half].clone(), w[half:].clone()]
    copies[ahead][9:] *= 4.0  # output weights
    copy, both = network.copy, torch.cat(copies)
    bounds = [copy.second_derivative_bound(c, s.x, 0.7) for c in copies]
    norms = [copy.second_derivative_norm(c, s.x) for c in copies]
    assert bounds[ahead] > 1.5 * bounds[1 - ahead] and norms[ahead] > 1.5 * norms[1 - ahead]
    assert network.second_derivative_bound(both, s.x, 0.7) == pytest.approx(bounds[ahead])
    assert network.second_derivative_norm(both, s.x) == pytest.approx(norms[ahead])


@pytest.mark.parametrize("alpha", [3.0, 0.2])
def test_kappa_is_its_formula_with_explicit_norms(alpha):
    """(1/α) ‖αh(w0) − y‖ ‖D²h‖/‖Dh‖² in L²(ρ̂): of 24 points, so that no √n could hide."""
    fields = {"activation": "tanh", "n_train": 24, "zero_output": "none", "alpha": alpha}
    s, _ = build(**fields)
    config = RunConfig(**({"n_test": 3, "dim": 3, "width": 4} | fields))
    problem = build_problem(config.resolve().to_dict(), torch.device("cpu"))
    residual = float((alpha * s.network(s.w0, s.x) - s.y).norm()) / 24**0.5
    first = torch.autograd.functional.jacobian(lambda w: s.network(w, s.x)[:, 0], s.w0)
    norm = float(torch.linalg.matrix_norm(first, 2)) / 24**0.5
    second = second_derivative_norm(problem.train.anchor)
    assert kappa(problem) == pytest.approx(residual * second / norm**2 / alpha, rel=1e-6)


def test_the_second_derivative_of_two_neurons_is_that_of_the_one_that_bends_more():
    """For one neuron and one point ‖D²h‖ is the larger |eigenvalue| of a matrix with two."""
    s, network = build(activation="tanh", width=2, dim=2, n_train=1, scaling="plain")
    x = torch.tensor([[1.2, -0.7]], dtype=torch.float64)
    w = torch.tensor([0.3, 0.2, -0.9, 0.4, 0.8, -1.5], dtype=torch.float64)
    norms, square = [], 1.2**2 + 0.7**2
    for (b1, b2), a in (((0.3, 0.2), 0.8), ((-0.9, 0.4), -1.5)):
        slope = 1.0 - math.tanh(1.2 * b1 - 0.7 * b2) ** 2
        bend = -2.0 * math.tanh(1.2 * b1 - 0.7 * b2) * slope * a * square
        norms.append(0.5 * (abs(bend) + (bend**2 + 4.0 * slope**2 * square) ** 0.5))
    assert network.second_derivative_norm(w, x) == pytest.approx(max(norms), rel=1e-6)


def test_the_search_goes_on_until_it_has_found_the_largest_bend():
    """h = ½ Σ λ_i w_i² at each of four points, times c_i: sup ‖D²h‖ = max |λ| · rms(c)."""
    bends = torch.tensor([6.0, -5.0, 4.5, 4.0, 1.0, -1.0, 0.5, 0.2] + [0.1] * 20).double()
    sizes = torch.tensor([1.0, -2.0, 0.5, 3.0]).double()

    def outputs(w, x):
        return 0.5 * (bends * w.square()).sum() * sizes[:, None]

    class Curved:
        def __call__(self, w, x):
            return outputs(w, x)

        def pullback(self, w, x):
            return outputs(w, x), lambda r: bends * w * (sizes @ r[:, 0])

        def second_derivative_norm(self, w, x):
            return None

    w0 = torch.linspace(0.1, 0.3, 28).double()
    anchor = Looked(network=Curved(), w0=w0, x=torch.zeros(4, 1))
    wanted = 6.0 * float(sizes.square().mean().sqrt())
    assert second_derivative_norm(anchor) == pytest.approx(wanted, rel=0.02)


class Looked(SimpleNamespace):
    """An anchor that can be looked up by itself."""

    __hash__ = object.__hash__
