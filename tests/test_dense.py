"""Dense networks against loops over layers, and their hand-written derivatives."""

import itertools
import math

import numpy as np
import oracle
import pytest
import torch

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.networks.dense import unit_gain
from lazycore.engine.networks.symmetrized import Symmetrized

CASES = list(
    itertools.product(
        ("two_layer", "fully_connected"),
        ("none", "symmetrized"),
        ("none", "zero", "normal"),
        ("plain", "ntk", "mean_field"),
        ("none", "unit"),
    )
)


def build(k=1, **fields):
    """Return the oracle's setting and the engine's network."""
    config = RunConfig(**({"n_train": 6, "n_test": 3, "dim": 3, "width": 4} | fields))
    s = oracle.setting(config, k=k)
    return s, spec.find("model", s.values["model"]).build(s.values, s.d, k)


def away(w):
    """Return weights some way from w0, where the two copies differ."""
    return w + 0.4 * torch.from_numpy(np.random.default_rng(5).standard_normal(len(w)))


@pytest.mark.parametrize("c", CASES, ids=["-".join(c) for c in CASES])
@pytest.mark.parametrize("activation", ["softplus", "relu"])
def test_outputs_and_pullback_are_those_of_the_formula(c, activation):
    model, zero_output, bias, scaling, gain = c
    extra = {} if bias == "none" else {"bias_gain": 0.6}
    extra |= {"activation_beta": 3.0} if activation == "softplus" else {}
    s, network = build(
        2,
        model=model,
        zero_output=zero_output,
        bias=bias,
        scaling=scaling,
        activation=activation,
        activation_gain=gain,
        init_scale=0.8,
        **extra,
    )
    w = away(s.w0)
    assert torch.allclose(network(w, s.x), s.network(w, s.x), rtol=1e-12, atol=1e-13)
    outputs, pull = network.pullback(w, s.x)
    r = torch.linspace(-1.0, 1.0, 12, dtype=torch.float64).view(6, 2)
    assert torch.equal(outputs, network(w, s.x))
    gradient = torch.func.grad(lambda u: (s.network(u, s.x) * r).sum())(w)
    assert torch.allclose(pull(r), gradient, rtol=1e-11, atol=1e-13)
    for mine, theirs in zip(s.hidden(w, s.x), network.observe(w, s.x)[1], strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("model", ["two_layer", "fully_connected"])
@pytest.mark.parametrize("zero_output", ["none", "symmetrized"])
@pytest.mark.parametrize("bias", ["none", "zero", "normal"])
def test_initial_weights_are_drawn_as_documented_and_counted_by_the_spec(model, zero_output, bias):
    s, network = build(3, model=model, zero_output=zero_output, bias=bias, init_scale=2.5)
    w0 = network.initial(np.random.default_rng(s.values["init_seed"]))
    assert np.array_equal(w0, s.w0.numpy())
    assert spec.find("model", model).SPEC.facts["parameters"](s.values, s.d, 3) == len(w0)
    stops = [block.slice.stop for block in network.blocks]
    starts = [block.slice.start for block in network.blocks]
    assert starts == [0, *stops[:-1]] and stops[-1] == len(w0)


def test_initial_weights_are_standard_normal_times_tau_in_every_scaling():
    for scaling in ("plain", "ntk", "mean_field"):
        _, network = build(width=2000, dim=10, scaling=scaling, init_scale=3.0, bias="normal")
        w0 = network.initial(np.random.default_rng(0))
        assert abs(w0.std() - 3.0) < 0.1 and abs(w0.mean()) < 0.1


DEGREES = list(
    itertools.product(
        ("relu", "tanh", "softplus", "swish", "linear"),
        ("none", "normal"),
        ("none", "symmetrized"),
        (1, 3),
    )
)


@pytest.mark.parametrize(("activation", "bias", "zero_output", "depth"), DEGREES)
def test_a_network_knows_whether_it_is_homogeneous(activation, bias, zero_output, depth):
    s, network = build(
        model="fully_connected",
        depth=depth,
        activation=activation,
        bias=bias,
        zero_output=zero_output,
    )
    w = away(s.w0)
    outputs, power = s.network(w, s.x), depth + 1
    scaled = {c: s.network(c * w, s.x) for c in (0.5, 3.0)}
    holds = all(torch.allclose(found, c**power * outputs) for c, found in scaled.items())
    assert network.degree == (power if holds else None)
    assert holds == (activation in ("relu", "linear") and bias == "none")


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus", "linear"])
def test_a_symmetrised_network_starts_at_exactly_zero(depth, activation):
    s, network = build(
        2,
        model="fully_connected",
        depth=depth,
        activation=activation,
        zero_output="symmetrized",
        bias="normal",
        init_scale=1e3,
    )
    assert isinstance(network, Symmetrized)
    assert torch.equal(network(s.w0, s.x), torch.zeros(6, 2, dtype=torch.float64))
    lanes = torch.stack([s.w0, away(s.w0), 2.0 * s.w0])
    for x in (s.x, torch.stack([s.x, 2.0 * s.x, 3.0 * s.x])):
        for outputs in (network(lanes, x), network.observe(lanes, x)[0]):
            assert not outputs[0].any() and outputs[1].any() and not outputs[2].any()


@pytest.mark.parametrize("n", [5, 100, 777])
def test_it_does_so_whatever_its_products_round(n):
    s, network = build(n_train=n, width=50, dim=10, zero_output="symmetrized", activation="tanh")
    assert not network(s.w0, s.x).any()
    jacobian = torch.func.jacrev(lambda w: network(w, s.x))(s.w0)
    assert torch.allclose(jacobian, s.jacobian(s.x, s.w0), atol=1e-12)


def test_symmetrised_two_layer_networks_are_the_paired_neurons_of_chizat_et_al():
    """b_j = b_{j−m/2} and a_j = −a_{j−m/2} for j > m/2, in the formula of one network."""
    s, network = build(width=8, zero_output="symmetrized", scaling="ntk")
    plain = spec.find("model", "two_layer").build(s.values | {"zero_output": "none"}, 3, 1)
    w = away(s.w0)
    a_half, b_half = w[: len(w) // 2], w[len(w) // 2 :]
    inner = torch.cat([a_half[:12], b_half[:12]])
    outer = torch.cat([a_half[12:], -b_half[12:]])
    assert torch.allclose(network(w, s.x), plain(torch.cat([inner, outer]), s.x), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "beta", "constant"),
    [
        ("softplus", 5.0, 1.40438),
        ("softplus", 1.0, 1.04187),
        ("swish", 1.0, 1.67653),
        ("swish", 10.0, 1.41595),
        ("tanh", None, 1.59254),
        ("relu", None, math.sqrt(2.0)),
        ("linear", None, 1.0),
    ],
)
def test_unit_gains_are_the_known_constants(name, beta, constant):
    found = unit_gain(spec.find("activation", name), {"activation_beta": beta})
    assert found == pytest.approx(constant, abs=5e-6)
    assert found == pytest.approx(oracle.gain(name, beta), rel=1e-8)


@pytest.mark.parametrize("name", ["softplus", "swish", "tanh", "relu", "linear"])
def test_slopes_are_derivatives_and_bounds_bound_them(name):
    file, values = spec.find("activation", name), {"activation_beta": 3.0}
    z = torch.linspace(-4.0, 4.0, 4001, dtype=torch.float64) + 1e-5
    slope, h = file.slope(z, values), 1e-6
    finite = (file.sigma(z + h, values) - file.sigma(z - h, values)) / (2 * h)
    assert torch.allclose(slope, finite, atol=1e-8)
    if name == "relu":
        assert file.bounds(values) is None
        return
    bend = (file.slope(z + h, values) - file.slope(z - h, values)) / (2 * h)
    first, second = file.bounds(values)
    assert float(slope.abs().max()) <= first <= float(slope.abs().max()) + 1e-4
    assert float(bend.abs().max()) <= second + 1e-8
    assert second <= float(bend.abs().max()) * 1.0001 + 1e-6


def test_softplus_does_not_overflow():
    file, z = (
        spec.find("activation", "softplus"),
        torch.tensor([-1e3, 0.0, 1e3], dtype=torch.float64),
    )
    found = file.sigma(z, {"activation_beta": 1000.0})
    assert torch.equal(found[[0, 2]], torch.tensor([0.0, 1e3], dtype=torch.float64))
    assert float(found[1]) == pytest.approx(math.log(2) / 1000)


def test_neurons_are_the_output_weights_times_the_input_weights():
    s, network = build(width=6, dim=2, zero_output="symmetrized", bias="normal")
    w = away(s.w0)
    at, sign = network.neurons(w)
    halves = [w[: len(w) // 2], w[len(w) // 2 :]]
    expected, signs = [], []
    for half, factor in zip(halves, (1.0, -1.0), strict=True):
        b, a = half[:9].view(3, 3)[:, :2], half[9:12]
        expected += [abs(float(a[j])) * b[j] for j in range(3)]
        signs += [factor * math.copysign(1.0, float(a[j])) for j in range(3)]
    assert torch.allclose(at, torch.stack(expected)) and sign.tolist() == signs
    for other in (build(2), build(model="fully_connected", depth=2)):
        assert other[1].neurons(other[0].w0) is None
    both = build(2, zero_output="symmetrized")
    assert both[1].neurons(both[0].w0) is None


@pytest.mark.parametrize("activation", ["tanh", "softplus", "linear"])
@pytest.mark.parametrize("zero_output", ["centered", "symmetrized"])
@pytest.mark.parametrize("bias", ["none", "normal"])
def test_the_bound_on_the_second_derivative_holds_everywhere_on_the_ball(
    activation, zero_output, bias
):
    s, network = build(activation=activation, zero_output=zero_output, bias=bias, dim=2)
    generator = torch.Generator().manual_seed(0)
    for radius in (0.0, 0.5, 3.0):
        bound = network.second_derivative_bound(s.w0, s.x, radius)
        for _ in range(6):
            step = torch.randn(len(s.w0), generator=generator, dtype=torch.float64)
            w = s.w0 + radius * step / step.norm()
            second = torch.func.hessian(lambda u: s.network(u, s.x)[:, 0])(w) / 6**0.5
            for _ in range(6):
                u = torch.randn(len(w), generator=generator, dtype=torch.float64)
                for _ in range(8):
                    u = u / u.norm()
                    q = torch.einsum("npq,p,q->n", second, u, u)
                    assert float(q.norm()) <= bound * (1 + 1e-12)
                    u = torch.einsum("n,npq,q->p", q, second, u) + 1e-30


def test_bounds_and_norms_are_unknown_where_no_formula_holds():
    for fields in ({"activation": "relu"}, {"model": "fully_connected", "activation": "tanh"}):
        s, network = build(**fields)
        assert network.second_derivative_bound(s.w0, s.x, 1.0) is None
        assert network.second_derivative_norm(s.w0, s.x) is None
