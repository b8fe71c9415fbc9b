"""The change of a network since its start, in float32: where digits are kept and where lost."""

import numpy as np
import pytest
import torch

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.dynamics import trajectory
from lazycore.engine.measures.recording import choose_scales
from lazycore.engine.problem.problem import build_problem
from lazycore.engine.problem.stacked import stack

torch.set_num_threads(1)
CPU = torch.device("cpu")
TINY = {"task": "teacher", "n_train": 9, "n_test": 4, "dim": 3, "width": 8}
ALPHAS = (1.0, 1e2, 1e5)
NETWORKS = {
    "two layers": {"activation": "tanh"},
    "ReLU": {"activation": "relu", "bias": "normal"},
    "deep": {"activation": "softplus", "model": "fully_connected", "depth": 3, "bias": "zero"},
    "linear": {"activation": "linear", "model": "fully_connected", "depth": 2},
    "mean field": {"activation": "tanh", "scaling": "mean_field", "activation_gain": "unit"},
    "symmetrised": {"activation": "tanh", "zero_output": "symmetrized", "scaling": "plain"},
    "ten outputs": {"task": "digits", "labels": "ten", "dim": None, "activation": "tanh"},
}


def both_precisions(**fields):
    """Return the problem in float32, and in float64 at the same w0 and x, to the last bit."""
    values = RunConfig(**(TINY | fields), dtype="float32").resolve().to_dict()
    single = build_problem(values, CPU)
    double = build_problem(values | {"dtype": "float64"}, CPU)
    for name in ("train", "test"):
        mine, theirs = getattr(single, name), getattr(double, name)
        object.__setattr__(theirs, "w0", mine.w0.double())
        object.__setattr__(theirs, "x", mine.x.double())
        object.__setattr__(theirs, "y", mine.y.double())
    return single, double


def far(a, b) -> float:
    """Return ‖a − b‖/‖b‖."""
    return float((a.double() - b).norm() / b.norm())


def somewhere(problem):
    """Return v of the size that training gives it, the same in both precisions."""
    rng = np.random.default_rng(3)
    return torch.as_tensor(rng.standard_normal(problem.w0.shape), dtype=torch.float32)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("name", NETWORKS)
def test_single_precision_loses_no_digits_of_outputs_and_gradient_to_alpha(name, alpha):
    single, double = both_precisions(**NETWORKS[name], alpha=alpha)
    v = somewhere(single)
    gradient, change = stack([single]).gradient(v[None])
    wanted, wanted_change = stack([double]).gradient(v.double()[None])
    assert change.dtype == gradient.dtype == torch.float32
    assert far(change, wanted_change) <= 1e-6
    assert far(stack([single]).outputs(v[None]), wanted_change) <= 1e-6
    assert far(gradient, wanted) <= 1e-6 * (1.0 + float(double.train.start.norm()))
    assert single.test is not None and double.test is not None
    for one, other in ((single.train, double.train), (single.test, double.test)):
        assert far(one.outputs(v) - one.start, other.outputs(v.double()) - other.start) <= 1e-6


@pytest.mark.parametrize("alpha", [1e2, 1e5])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_plain_difference_in_single_precision_loses_as_many_as_alpha_has(name, alpha):
    single, double = both_precisions(**NETWORKS[name], alpha=alpha)
    v, train = somewhere(single), double.train
    h, w0, x = single.network, single.w0, single.train.x
    plain = alpha * (h(w0 + v / alpha, x) - h(w0, x))
    assert far(plain, train.outputs(v.double()) - train.start) > 1e-8 * alpha


@pytest.mark.parametrize("name", NETWORKS)
def test_a_mini_batch_keeps_its_digits_as_well(name):
    single, double = both_precisions(**NETWORKS[name], alpha=1e5)
    v, batch = somewhere(single), torch.tensor([7, 0, 3])
    found, wanted = (p.gradient(v.to(p.w0.dtype), batch) for p in (single, double))
    assert far(found, wanted) <= 1e-6 * (1.0 + float(double.train.start.norm()))


def test_double_precision_does_without():
    _, double = both_precisions(alpha=1e5)
    assert double.train.anchor.displaced is None


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "teacher"},
        {"task": "teacher", "activation": "tanh"},
        {"task": "teacher", "activation": "tanh", "momentum": 0.9},
        {"task": "sine", "zero_output": "symmetrized"},
        {"task": "circles", "activation": "softplus", "loss": "logistic"},
        {"task": "digits", "activation": "tanh", "width": 20},
    ],
    ids=lambda fields: "-".join(map(str, fields.values())),
)
def test_two_hundred_steps_at_a_huge_alpha_agree_to_a_millionth_in_both_precisions(fields):
    fields = {"alpha": 1e5, "dynamics": "gd", "steps": 200, "dim": None, "n_train": 30} | fields
    single, double = both_precisions(**fields)
    values = RunConfig(**(TINY | fields)).resolve().to_dict()
    values |= choose_scales(double, values)
    record = np.array([0, 1, 50, 200])
    found, wanted = (list(trajectory(p, values, record)) for p in (single, double))
    for mine, theirs in list(zip(found, wanted, strict=True))[1:]:
        # Momentum sums about 1/(1 − μ) roundings.
        assert far(mine.nonlinear, theirs.nonlinear) <= (5e-6 if "momentum" in fields else 1e-6)
        # In closed form the rounding of the kernel itself shows, most where momentum
        # has learned modes of small eigenvalues.
        assert far(mine.linearized, theirs.linearized) <= 5e-5


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("zero_output", ["centered", "symmetrized"])
def test_the_numerical_error_in_single_precision_covers_what_differs_from_double(
    alpha, zero_output
):
    fields = TINY | {"dynamics": "gd", "steps": 200, "activation": "tanh"}
    fields |= {"alpha": alpha, "zero_output": zero_output}
    single, double = (run(RunConfig(**fields, dtype=d)) for d in ("float32", "float64"))
    key = "gap.train_output"
    difference = np.abs(single.series[key] - double.series[key]).max()
    assert difference <= single.numerical_error + double.numerical_error
    # An error that covers by being huge would say nothing.
    largest = np.abs(double.series["linearized.output_change"]).max()
    assert single.numerical_error < 1e-3 * largest
    moved = [r.series["nonlinear.displacement"][1:] for r in (single, double)]
    assert np.allclose(*moved, rtol=2e-6)


def test_points_share_their_anchor_whatever_alpha():
    _, double = both_precisions(alpha=2.0, activation="tanh", zero_output="none")
    other = double.train.rescaled(50.0)
    assert other.anchor is double.train.anchor and other.alpha == 50.0
    v = somewhere(double).double()
    fresh = 50.0 * double.network(double.w0 + v / 50.0, double.train.x)
    assert torch.allclose(other.outputs(v), fresh, rtol=1e-12)
