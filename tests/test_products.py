"""Features by products alone, against the explicit Jacobian."""

import numpy as np
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.features.layers import Layered
from lazycore.engine.features.linearize import Explicit, Joined
from lazycore.engine.features.products import Products
from lazycore.engine.networks.kernel_cost import affordable_points, pair_work
from lazycore.engine.networks.module_features import layered_features
from lazycore.engine.problem.problem import build_problem


@pytest.fixture(scope="module")
def problem():
    fields = {"model": "cnn", "task": "digits", "n_train": 7, "n_test": 0}
    config = RunConfig.from_dict(fields | {"width_multiplier": 0.2})
    return build_problem(config.resolve().to_dict(), torch.device("cpu"))


@pytest.fixture(scope="module")
def jacobian(problem):
    network, x = problem.network, problem.train.x
    return torch.func.jacrev(lambda w: network(w, x))(problem.w0)


@pytest.fixture
def products(problem):
    return Products(problem.network, problem.w0, problem.train.x, 3)


def normal(*shape):
    return torch.as_tensor(np.random.default_rng(0).standard_normal(shape))


def test_both_products_are_those_with_the_jacobian(products, jacobian):
    n, k, p = jacobian.shape
    assert products.shape == (n, k, p)
    v, r = normal(p), normal(n, k)
    assert torch.allclose(products.apply(v), jacobian @ v, atol=1e-11)
    by_hand = torch.einsum("nk,nkp->p", r, jacobian)
    assert torch.allclose(products.adjoint(r), by_hand, atol=1e-11)
    assert torch.allclose(products.matrix(), jacobian, atol=1e-12)


def test_a_batch_passes_its_own_points_alone(products, jacobian):
    batch, seen = torch.tensor([5, 1]), []
    inner = products.function
    counted = Products(lambda w, x: seen.append(len(x)) or inner(w, x), *_rest(products))
    part = counted.select(batch)
    v = normal(jacobian.shape[2])
    assert torch.allclose(part.apply(v), jacobian[batch] @ v, atol=1e-11)
    assert sum(seen) == 2


def _rest(products):
    return products.w0, products.x, products.at_once


def test_the_kernel_is_that_of_the_jacobian_also_with_other_points(products, jacobian):
    rows = jacobian.flatten(0, 1)
    assert torch.allclose(tangent_kernel(products), rows @ rows.T, atol=1e-10)
    some = products.select(torch.tensor([0, 3]))
    other = jacobian[[0, 3]].flatten(0, 1)
    assert torch.allclose(tangent_kernel(products, some), rows @ other.T, atol=1e-10)
    four = products.kernel()
    assert four.shape == (7, 10, 7, 10)
    assert torch.allclose(four.view(70, 70), rows @ rows.T, atol=1e-10)


def test_features_too_large_to_keep_are_products_and_nothing_is_kept_to_find_out(
    monkeypatch, problem
):
    network, w0, x = problem.network, problem.w0, problem.train.x
    assert isinstance(network.features(w0, x), Layered)
    seen = []
    monkeypatch.setattr("lazycore.engine.networks.module_features.LARGEST_FACTORS", 2 * 10**5)

    def function(w, points):
        seen.append(len(points))
        return network(w, points)

    assert layered_features(network.module, network.blocks, function, w0, x) is None
    assert seen == [2], "two points say what all of them would take"
    assert isinstance(network.features(w0, x), Products)


def test_a_kernel_is_measured_on_as_many_points_as_it_may_take(monkeypatch, problem):
    network, w0, x = problem.network, problem.w0, problem.train.x
    assert affordable_points(network, w0, x, 500) == 7
    assert affordable_points(network, w0, x, 4) == 4
    monkeypatch.setattr("lazycore.engine.networks.kernel_cost.KERNEL_WORK", 1.0)
    assert affordable_points(network, w0, x, 500) == 1
    work = pair_work(network.features(w0, x))
    monkeypatch.setattr("lazycore.engine.networks.kernel_cost.KERNEL_WORK", 9.5 * work)
    assert affordable_points(network, w0, x, 500) == 3


def test_the_work_of_a_pair_adds_up_over_layers_and_copies(problem):
    features = problem.train.features
    assert pair_work(features) == sum(pair_work(part) for part in features.parts)
    explicit = Explicit(torch.zeros(2, 3, 5))
    assert pair_work(explicit) == 45.0
    assert pair_work(Joined(explicit, explicit, 5)) == 90.0


def test_dense_networks_keep_their_five_hundred_points():
    config = RunConfig(task="digits", labels="ten", n_train=600, n_test=0, width=400)
    dense = build_problem(config.resolve().to_dict(), torch.device("cpu"))
    assert affordable_points(dense.network, dense.w0, dense.train.x, 500) == 500
