"""The recorded constants, against explicit Jacobians and the slow oracle."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import oracle
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.engine.features.linearize import Explicit
from lazycore.engine.measures.constants import BELOW, RADII, UNKNOWN, UPPER, constants
from lazycore.engine.problem.problem import build_problem
from lazycore.losses import chosen

SMALL = {"task": "teacher", "dim": 4, "n_train": 8, "n_test": 0, "width": 10}


def found(**fields):
    values = RunConfig.from_dict(SMALL | fields).resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    return {k.removeprefix("constants."): v for k, v in constants(problem).items()}, problem


@pytest.mark.parametrize("zero_output", ["none", "centered", "symmetrized"])
def test_norms_and_singular_values_are_those_of_the_explicit_jacobian(zero_output):
    fields = {"activation": "tanh", "alpha": 3.0, "zero_output": zero_output}
    known, _ = found(**fields)
    s = oracle.setting(RunConfig.from_dict(SMALL | fields))
    singular = torch.linalg.svdvals(s.jacobian(s.x)[:, 0] / 8**0.5)
    assert known["differential_norm"] == pytest.approx(float(singular[0]), rel=1e-6)
    assert known["smallest_singular_value"] == pytest.approx(float(singular[-1]), rel=1e-6)
    assert known["initial_output"] == pytest.approx(oracle.rms(s.h(s.w0, s.x)), abs=1e-14)
    assert known["target_norm"] == pytest.approx(oracle.rms(s.y))
    residual = oracle.rms(3.0 * s.h(s.w0, s.x) - s.y)
    assert known["initial_residual"] == pytest.approx(residual)
    assert known["outputs"] == 8 and known["rank"] == 8


def test_a_singular_value_counts_from_a_millionth_of_the_largest_on():
    from lazycore.engine.measures.constants import _rank

    singular = np.array([0.0, 0.9e-6, 1.1e-6, 1e-3, 1.0])
    assert _rank(4.0 * singular**2) == 3 and _rank(np.zeros(3)) == 0


@pytest.mark.parametrize(("size", "apart"), [(0.3, 1e-3), (70.0, 0.07)])
def test_the_rank_nearby_is_that_at_a_thousandth_of_the_weights_away(size, apart):
    from lazycore.engine.measures.constants import _kernel_nearby

    seen = []

    def features(w, x):
        seen.append(w)
        return Explicit(w.expand(len(x), 1, -1))

    w0 = torch.full((9,), size / 3.0, dtype=torch.float64)
    anchor = SimpleNamespace(w0=w0, x=torch.zeros(4, 2), network=SimpleNamespace(features=features))
    kernel = _kernel_nearby(anchor)
    assert float((seen[0] - w0).norm()) == pytest.approx(apart)
    assert torch.allclose(kernel, torch.full((4, 4), float(seen[0] @ seen[0]) / 4.0).double())


def test_paired_neurons_start_with_half_the_rank_that_they_have_nearby():
    fields = {"activation": "tanh", "n_train": 40, "width": 4, "dim": 2}
    paired, _ = found(**fields, zero_output="symmetrized")
    centred, _ = found(**fields)
    assert paired["rank"] == 6 and paired["rank_nearby"] > 6
    assert centred["rank"] == centred["rank_nearby"] > 6
    assert paired["smallest_singular_value"] == 0.0
    assert paired["smallest_positive_singular_value"] > 0.0


def test_the_curvature_bounds_the_differential_on_balls():
    known, problem = found(activation="tanh", scaling="plain")
    assert known["curvature_kind"] == UPPER
    at = torch.func.jacrev(lambda w: problem.network(w, problem.train.x)[:, 0])
    rng = np.random.default_rng(0)
    for radius in (0.01, 1.0):
        limit = known["curvature"][np.searchsorted(RADII, radius)]
        for _ in range(20):
            parts = rng.standard_normal((2, len(problem.w0)))
            u, v = (problem.w0 + torch.tensor(radius * p / np.linalg.norm(p)) for p in parts)
            change = torch.linalg.matrix_norm((at(u) - at(v)) / 8**0.5, 2)
            assert float(change) <= limit * float((u - v).norm())


def test_what_is_known_of_the_curvature_is_called_what_it_is():
    assert found()[0]["curvature_kind"] == UNKNOWN
    deep, _ = found(activation="tanh", model="fully_connected", depth=2)
    assert deep["curvature_kind"] == BELOW and deep["curvature"][0] > 0.0
    other, _ = found(
        activation="tanh",
        model="fully_connected",
        depth=2,
        task="circles",
        dim=None,
        loss="logistic",
    )
    assert other["curvature_kind"] == UNKNOWN and "curvature" not in other


def test_an_estimate_from_below_is_below_the_bound_where_both_are_known():
    from lazycore.engine.measures.kappa import second_derivative_norm

    known, problem = found(activation="softplus")
    assert second_derivative_norm(problem.train.anchor) <= known["curvature"][0] * (1 + 1e-9)


def test_many_outputs_have_no_singular_values_and_few_have_their_target():
    many, _ = found(n_train=250)
    assert "rank" not in many and "target" not in many and many["outputs"] == 250
    few, problem = found(task="vector", n_train=None, dim=None, width=None, n_test=None)
    assert np.array_equal(few["target"], problem.targets.numpy())


def test_runs_that_share_an_anchor_look_once(monkeypatch):
    from lazycore.engine.measures import constants as module

    known, problem = found(activation="tanh")
    monkeypatch.setattr(module, "_singular_values", lambda anchor: 1 / 0)
    again = constants(problem.rescaled(100.0))
    assert again["constants.rank"] == known["rank"]


def test_what_is_known_of_the_curvature_is_that_of_the_loss_though_the_anchor_is_shared():
    known, problem = found(model="fully_connected", depth=2, activation="tanh")
    assert known["curvature_kind"] == BELOW
    again = constants(replace(problem, loss=chosen("logistic", {})))
    assert again["constants.curvature_kind"] == UNKNOWN
