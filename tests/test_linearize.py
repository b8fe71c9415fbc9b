"""Tangent features against explicit Jacobians, for every network that can be asked for."""

import itertools

import numpy as np
import oracle
import pytest
import torch

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.features.linearize import Differentiated, Explicit, linearize

ZERO_OUTPUTS, BIASES = ("none", "centered", "symmetrized"), ("none", "zero", "normal")
SCALINGS, MODELS = ("plain", "ntk", "mean_field"), ("two_layer", "fully_connected")
CASES = list(itertools.product(MODELS, ZERO_OUTPUTS, BIASES, SCALINGS, (1, 3)))


def case(model, zero_output, bias, scaling, k, **more):
    """Return the oracle's setting and the engine's network and features at a point off w0."""
    gain = {} if bias == "none" else {"bias_gain": 0.7}
    config = RunConfig(
        task="teacher",
        n_train=5,
        n_test=2,
        dim=3,
        width=4,
        init_scale=1.3,
        activation="tanh",
        activation_gain="unit",
        model=model,
        zero_output=zero_output,
        bias=bias,
        scaling=scaling,
        **gain,
        **more,
    )
    s = oracle.setting(config, k=k)
    network = spec.find("model", model).build(s.values, s.d, k)
    noise = torch.from_numpy(np.random.default_rng(1).standard_normal(len(s.w0)))
    return s, network, s.w0 + 0.3 * noise


def close(a, b, scale=1.0):
    """Whether two tensors agree to 1e-10 of their size."""
    return bool((a - b).abs().max() <= 1e-10 * max(scale, float(b.abs().max())))


@pytest.mark.parametrize("c", CASES, ids=["-".join(map(str, c)) for c in CASES])
def test_features_are_the_explicit_jacobian(c):
    s, network, w = case(*c)
    n, k, p = 5, c[-1], len(s.w0)
    jacobian, jacobian_test = s.jacobian(s.x, w), s.jacobian(s.x_test, w)
    features, other = network.features(w, s.x), network.features(w, s.x_test)
    generator = torch.Generator().manual_seed(2)
    v = torch.randn(p, generator=generator, dtype=torch.float64)
    r = torch.randn(n, k, generator=generator, dtype=torch.float64)
    assert close(features.matrix(), jacobian)
    assert close(features.apply(v), jacobian @ v)
    assert close(features.adjoint(r), torch.einsum("nk,nkp->p", r, jacobian))
    several = torch.stack([r, -2.0 * r.flip(0)])
    pulled = torch.einsum("snk,nkp->sp", several, jacobian)
    assert close(features.adjoint(several), pulled)
    for alike in (Explicit(jacobian), Differentiated(lambda u: network(u, s.x), w)):
        assert close(alike.adjoint(several), pulled)
    assert close(features.kernel(), torch.einsum("nkp,mlp->nkml", jacobian, jacobian))
    assert close(features.kernel(other), torch.einsum("nkp,mlp->nkml", jacobian, jacobian_test))
    batch = torch.tensor([3, 0])
    chosen = features.select(batch)
    assert close(chosen.matrix(), jacobian[batch])
    assert close(chosen.adjoint(r[batch]), torch.einsum("nk,nkp->p", r[batch], jacobian[batch]))
    theta = tangent_kernel(features)
    flat = jacobian.reshape(n * k, p)
    assert theta.shape == (n * k, n * k) and close(theta, flat @ flat.T)


@pytest.mark.parametrize("activation", sorted(spec.collect("activation")))
def test_features_of_every_activation_are_the_explicit_jacobian(activation):
    s, network, w = case("fully_connected", "symmetrized", "normal", "ntk", 2, depth=3)
    s.values["activation"] = activation
    has_beta = spec.find("activation", activation).SPEC.reads
    s.values["activation_beta"] = 4.0 if has_beta else None
    network = spec.find("model", "fully_connected").build(s.values, s.d, 2)
    assert close(network.features(w, s.x).matrix(), s.jacobian(s.x, w))


@pytest.mark.parametrize("zero_output", ZERO_OUTPUTS)
def test_explicit_and_differentiated_features_agree_with_the_structured_ones(zero_output):
    s, network, w = case("fully_connected", zero_output, "normal", "ntk", 2)
    features = network.features(w, s.x)
    v = torch.linspace(-1, 1, len(w), dtype=torch.float64)
    r = torch.linspace(-1, 1, 10, dtype=torch.float64).view(5, 2)
    batch = torch.tensor([4, 1])
    explicit = Explicit(features.matrix())
    differentiated = Differentiated(lambda u: network(u, s.x), w)
    second = network.features(w, s.x_test)
    seconds = {
        explicit: Explicit(second.matrix()),
        differentiated: Differentiated(lambda u: network(u, s.x_test), w),
    }
    for form in (explicit, differentiated):
        assert close(form.apply(v), features.apply(v))
        assert close(form.adjoint(r), features.adjoint(r))
        assert close(form.matrix(), features.matrix())
        assert close(form.kernel(), features.kernel())
        assert close(form.kernel(seconds[form]), features.kernel(second))
        assert close(form.select(batch).matrix(), features.select(batch).matrix())
        assert close(form.select(batch).apply(v), features.select(batch).apply(v))
        assert close(form.select(batch).adjoint(r[:2]), features.select(batch).adjoint(r[:2]))


def test_the_tangent_model_is_affine_and_touches_the_network_to_first_order():
    s, network, w = case("two_layer", "none", "normal", "ntk", 1)
    tangent = linearize(lambda u: network(u, s.x), s.w0)
    direction = w - s.w0
    by_hand = network(s.w0, s.x) + s.jacobian(s.x) @ direction
    assert close(tangent(w), by_hand)
    half = tangent(s.w0 + 0.5 * direction)
    assert close(half, 0.5 * (tangent(s.w0) + tangent(w)))
    # The remainder is of second order: halving the move quarters it.
    far, near = (
        (network(s.w0 + h * direction, s.x) - tangent(s.w0 + h * direction)).norm()
        for h in (2e-3, 1e-3)
    )
    assert abs(float(far / near) - 4.0) < 0.05


def test_the_tangent_model_has_the_gradient_of_the_network_at_w0_and_keeps_it():
    s, network, w = case("two_layer", "none", "none", "plain", 2)
    tangent = linearize(lambda u: network(u, s.x), s.w0)
    for at in (s.w0, w):
        assert close(torch.func.jacrev(tangent)(at), s.jacobian(s.x))
