"""The objects of training against explicit networks: α, 1/n and 1/α at every place."""

import numpy as np
import oracle
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.engine.measures.columns import model_columns
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import (
    build_problem,
    default_step_size,
    default_time,
    longest_time,
    rounding,
)

SMALL = {"task": "teacher", "dim": 3, "n_train": 7, "n_test": 4, "width": 4, "activation": "tanh"}
ALPHA = 5.0


def built(**fields):
    """Return the problem, the oracle's setting, and some v of the size of a long way."""
    config = RunConfig.from_dict(SMALL | {"alpha": ALPHA} | fields)
    problem = build_problem(config.resolve().to_dict(), torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    v = torch.randn(3, len(problem.w0), generator=generator, dtype=torch.float64)
    return problem, oracle.setting(config), v


@pytest.mark.parametrize("zero_output", ["none", "centered", "symmetrized"])
def test_outputs_are_alpha_times_those_of_the_network_at_w0_and_v_over_alpha(zero_output):
    problem, s, v = built(zero_output=zero_output)
    w = s.w0 + v[0] / 5.0
    assert torch.allclose(problem.train.weights(v[0]), w)
    for points, x in ((problem.train, s.x), (problem.test, s.x_test)):
        assert torch.allclose(points.outputs(v[0]), 5.0 * s.h(w, x), atol=1e-13)
        start = 5.0 * s.h(s.w0, x)
        assert torch.allclose(points.start, start, atol=1e-13)
        wanted = torch.stack([5.0 * s.h(s.w0 + one / 5.0, x) - start for one in v])
        assert torch.allclose(points.changes(v), wanted, atol=1e-12)
        assert torch.allclose(points.observed(v)[0], wanted, atol=1e-12)
        assert torch.allclose(points.tangent_outputs(v[0]), 5.0 * s.h_bar(w, x), atol=1e-12)


def test_a_gradient_on_a_batch_is_that_of_the_batchs_mean_loss_in_v():
    problem, s, v = built(zero_output="none", loss="weighted_square")
    batch = torch.tensor([5, 1, 2])

    def risk(v):
        f = 5.0 * s.h(s.w0 + v / 5.0, s.x[batch])
        return (0.5 * (f - s.y[batch]).square()).sum() / 3

    wanted = torch.autograd.functional.jacobian(risk, v[0])
    assert torch.allclose(problem.gradient(v[0], batch), wanted, atol=1e-12)


def test_the_residual_is_the_gradient_of_the_mean_loss_in_the_outputs():
    problem, s, v = built(task="digits", dim=None, labels="ten", zero_output="none")
    f = problem.train.outputs(v[0])
    assert torch.allclose(problem.residual(f), (f - s.y) / 7.0)
    assert problem.loss_at(f) == pytest.approx(float((f - s.y).square().sum() / 14.0))
    assert float(rms(f)) == pytest.approx(float((f.square().sum() / 7.0).sqrt()))


@pytest.mark.parametrize(("loss", "curvature"), [("square", 1.0), ("logistic", 0.25)])
def test_a_default_step_is_one_over_the_curvature_and_the_rest_are_multiples_of_it(loss, curvature):
    problem, s, _ = built(loss=loss)
    jacobian = s.jacobian(s.x)[:, 0] / 7**0.5
    step = 1.0 / (curvature * float(torch.linalg.matrix_norm(jacobian, 2)) ** 2)
    assert default_step_size(problem) == pytest.approx(step, rel=1e-6)
    assert default_time(problem) == pytest.approx(200.0 * step, rel=1e-6)
    assert longest_time(problem) == pytest.approx(1e8 * step, rel=1e-6)


def test_rounding_adds_up_as_a_random_walk_of_sixteen_roundings_a_step():
    problem, _, _ = built()
    assert rounding(problem, 0, 7.0) == problem.rounding_floor > 0.0
    added = rounding(problem, 400, 7.0) - problem.rounding_floor
    assert added == pytest.approx(16.0 * 2.0**-52 * 20.0 * 7.0, rel=1e-3, abs=0.0)


@pytest.mark.parametrize("zero_output", ["none", "centered"])
def test_the_floor_of_rounding_is_that_of_all_that_is_rounded(zero_output):
    """8 ε (‖αh(w0)‖ + ‖y‖ + α(‖J (w0 ∘ ξ)‖ + ‖h(w0)‖)) for signs ξ, J by differentiation."""
    problem, s, _ = built(zero_output=zero_output)
    signs = torch.as_tensor(np.random.default_rng(0).choice([-1.0, 1.0], len(s.w0)))
    probe = s.jacobian(s.x)[:, 0] @ (s.w0 * signs)
    start = 5.0 * s.network(s.w0, s.x) if zero_output == "none" else torch.zeros(7, 1)
    parts = [oracle.rms(start), oracle.rms(s.y), 5.0 * oracle.rms(probe[:, None])]
    parts.append(5.0 * oracle.rms(s.network(s.w0, s.x)))
    assert problem.rounding_floor == pytest.approx(8.0 * 2.0**-52 * sum(parts), rel=1e-9, abs=0.0)


def test_norms_by_layer_are_those_of_the_parts_of_both_copies():
    problem, _, v = built(zero_output="symmetrized", bias="normal")
    found = problem.norms_by_layer(v)
    halves = v.view(3, 2, -1)
    for row in range(3):
        inner, outer = halves[row, :, :8], halves[row, :, 8:]
        assert found[row].tolist() == pytest.approx([float(inner.norm()), float(outer.norm())])


def test_columns_of_a_model_are_losses_of_outputs_and_displacements_over_alpha():
    problem, s, v = built(zero_output="none")
    changes = {"train": problem.train.changes(v), "test": problem.test.changes(v)}
    found = model_columns(problem, "m", changes, problem.norms_by_layer(v))
    for row in range(3):
        w = s.w0 + v[row] / 5.0
        f, far = 5.0 * s.h(w, s.x), 5.0 * s.h(w, s.x_test)
        assert float(found["m.train_loss"][row]) == pytest.approx(
            float((f - s.y).square().sum()) / 14
        )
        off = float((far - s.y_test).square().sum())
        assert float(found["m.test_loss"][row]) == pytest.approx(off / 8)
        assert float(found["m.displacement"][row]) == pytest.approx(float(v[row].norm()) / 5.0)
        moved = f - 5.0 * s.h(s.w0, s.x)
        assert float(found["m.output_change"][row]) == pytest.approx(float(moved.norm()) / 7**0.5)
        assert torch.allclose(found["m.test_outputs"][row], far)
        assert torch.allclose(found["m.outputs"][row], f)
    assert not any("error" in name or "margin" in name for name in found)
