"""Krylov spaces against full decompositions: spectra of every kind, times of any length."""

from functools import partial

import numpy as np
import oracle
import pytest
import torch

from lazycore.config import spec
from lazycore.config.moments import recorded_steps, recorded_times
from lazycore.config.run import RunConfig
from lazycore.engine.linear import closed_form as _closed_form
from lazycore.engine.linear import lanczos
from lazycore.engine.linear.closed_form import (
    ClosedForm,
    OutputForm,
    closed_form,
    descent_filters,
    flow_filters,
    momentum_filters,
)
from lazycore.engine.linear.lanczos import EPSILON, Krylov, Spectrum, krylov_space
from lazycore.engine.linear.tangent import FunctionSpace, ParameterSpace
from lazycore.engine.problem.problem import Points, Problem, build_problem, default_step_size
from lazycore.errors import LazyLabError

SIZE = 120
SPECTRA = {
    "even": np.linspace(0.5, 1.0, SIZE),
    "ill-conditioned": np.geomspace(1e-14, 1.0, SIZE),
    "power law": 1.0 / np.arange(1, SIZE + 1) ** 2,
    "zeros": np.concatenate([np.zeros(70), np.geomspace(1e-3, 1.0, 50)]),
    "clusters": np.repeat([1e-6, 1e-3, 0.4, 1.0], 30),
    "outlier": np.concatenate([np.linspace(1e-4, 1e-2, SIZE - 1), [1.0]]),
    "zero": np.zeros(SIZE),
}


def symmetric(eigenvalues: np.ndarray, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a matrix with these eigenvalues in a random basis, and that basis."""
    draw = np.random.default_rng(seed).standard_normal((len(eigenvalues),) * 2)
    q = torch.from_numpy(np.linalg.qr(draw)[0])
    return (q * torch.from_numpy(eigenvalues)) @ q.T, q


def solution(krylov: Krylov, filters) -> torch.Tensor:
    """Return φ(K) b at every time from the Krylov space, (T, size)."""
    values, turned = krylov.ritz()
    small = turned @ (filters(values) * (krylov.norm * turned[0])).T
    return torch.from_numpy(small.T) @ krylov.vectors


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("time", [1.0, 1e2, 1e4, 1e8])
@pytest.mark.parametrize("step_size", [None, 0.3, 1.0, 1.04])
def test_the_bound_covers_the_true_error_of_the_gradient(spectrum, time, step_size):
    eigenvalues = SPECTRA[spectrum]
    matrix, q = symmetric(eigenvalues)
    b = torch.from_numpy(np.random.default_rng(1).standard_normal(SIZE))
    filters = (
        partial(flow_filters, times=recorded_times(time))
        if step_size is None
        else partial(descent_filters, step_size=step_size, steps=recorded_steps(int(time)))
    )
    # The oracle knows the eigenvalues exactly.
    exact = b - (torch.from_numpy(eigenvalues * filters(eigenvalues)) * (q.T @ b)) @ q.T
    krylov, bounds = Krylov(lambda v: matrix @ v, b), []
    for size in (3, 10, 40, SIZE):
        krylov.grow(size)
        found = b - solution(krylov, filters) @ matrix
        error = (found - exact).norm(dim=1).numpy() / krylov.norm
        phi = filters(krylov.ritz()[0])
        bound = krylov.spectrum().truncation(phi) + krylov.spectrum().rounding(phi, EPSILON)
        assert (error <= bound).all(), (size, (error / bound).max())
        bounds.append(bound.max())
    assert bounds[-1] <= 10.0 * EPSILON * (1.0 + time)
    assert time > 1e2 or bounds[2] < 1e-6


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("time", [1.0, 1e3, 1e6])
def test_a_space_that_is_large_enough_agrees_with_the_decomposition(spectrum, time):
    eigenvalues = SPECTRA[spectrum]
    matrix, q = symmetric(eigenvalues)
    b = torch.from_numpy(np.random.default_rng(1).standard_normal(SIZE))
    filters = partial(flow_filters, times=recorded_times(time))
    krylov = krylov_space(lambda v: matrix @ v, b, filters, SIZE)
    assert krylov is not None
    exact = (torch.from_numpy(filters(eigenvalues)) * (q.T @ b)) @ q.T @ matrix
    error = (solution(krylov, filters) @ matrix - exact).norm(dim=1) / b.norm()
    assert float(error.max()) < 1e-12 + 4.0 * EPSILON * time
    basis = krylov.vectors
    identity = torch.eye(krylov.size, dtype=torch.float64)
    assert float((basis @ basis.T - identity).abs().max()) < 1e-13


def test_later_times_need_more_vectors(monkeypatch):
    monkeypatch.setattr(lanczos, "FIRST", 4)
    matrix, _ = symmetric(np.linspace(0.0, 1.0, SIZE))
    b = torch.from_numpy(np.random.default_rng(1).standard_normal(SIZE))
    sizes = []
    for time in (1.0, 30.0, 1e3):
        filters = partial(flow_filters, times=np.array([time]))
        krylov = krylov_space(lambda v: matrix @ v, b, filters, SIZE)
        assert krylov is not None
        sizes.append(krylov.size)
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_space_of_three_eigenvalues_is_exhausted_after_three_vectors():
    """And what it gives is exact: nothing is left over in the last of them."""
    values = torch.tensor([5.0, 5.0, 2.0, 2.0, 2.0, 0.5, 0.5]).double()
    space = Krylov(lambda v: values * v, torch.arange(1.0, 8.0).double() / 40.0)
    assert not space.exhausted and space.size == 0
    space.grow(6)
    assert space.exhausted and space.size == 3
    assert space.ritz()[0] == pytest.approx([0.5, 2.0, 5.0])
    assert (space.spectrum().last == 0.0).all()
    assert np.linalg.norm(space.spectrum().start) == pytest.approx(140.0**0.5 / 40.0)
    short = Krylov(lambda v: values * v, torch.arange(1.0, 8.0).double())
    short.grow(2)
    turned = short.ritz()[1]
    wanted = short.below[-1] * turned[-1] / 140.0**0.5
    assert not short.exhausted and short.spectrum().last == pytest.approx(wanted)


def test_what_a_space_leaves_out_and_what_rounding_does_are_their_formulas():
    """ρ = 1.25 |Σ φ last start|, the largest so far, ∞ once a filter is not damped; and
    4 ε (1 + λ_max max φ)."""
    spectrum = Spectrum(np.array([0.5, 2.0]), np.array([3.0, -1.0]), np.array([0.1, 0.4]))
    filters = np.array([[0.2, 0.1], [1.5, 0.3], [1.9, 0.5], [2.0, 0.52], [2.0, 0.53], [1.0, 0.2]])
    sums = [0.3 * a - 0.4 * b for a, b in filters]
    wanted = [1.25 * max(map(abs, sums[: i + 1])) for i in range(4)]
    assert spectrum.truncation(filters).tolist() == pytest.approx([*wanted, np.inf, np.inf])
    rounding = [4e-3 * (1.0 + 2.0 * max(row)) for row in filters]
    assert spectrum.rounding(filters, 1e-3).tolist() == pytest.approx(rounding)
    assert np.isinf(spectrum.truncation(np.array([[-0.1, 0.1]]))).all()
    assert np.isfinite(spectrum.truncation(np.array([[0.0, 0.0]]))).all()


def test_too_few_vectors_are_no_solution():
    matrix, _ = symmetric(SPECTRA["power law"])
    b = torch.ones(SIZE, dtype=torch.float64)
    filters = partial(flow_filters, times=np.array([1e4]))
    assert krylov_space(lambda v: matrix @ v, b, filters, 20) is None


def test_a_gradient_of_zero_stays_zero():
    krylov = Krylov(lambda v: v, torch.zeros(5, dtype=torch.float64))
    krylov.grow(3)
    assert krylov.exhausted and krylov.size == 0
    phi = flow_filters(krylov.ritz()[0], np.array([0.0, 1.0]))
    assert phi.shape == (2, 0) and krylov.spectrum().truncation(phi).tolist() == [0.0, 0.0]
    assert krylov.vectors.shape == (0, 5)


@pytest.mark.parametrize(
    "filters",
    [
        partial(descent_filters, step_size=1.5, steps=np.arange(50)),
        partial(descent_filters, step_size=2.5, steps=np.arange(5000)),
        partial(momentum_filters, step_size=0.5, momentum=0.9, steps=np.arange(50)),
    ],
    ids=["overshooting", "diverging", "momentum"],
)
def test_an_iteration_that_overshoots_is_left_to_the_decomposition(filters):
    matrix, _ = symmetric(SPECTRA["even"])
    b = torch.ones(SIZE, dtype=torch.float64)
    krylov = Krylov(lambda v: matrix @ v, b)
    krylov.grow(20)
    bound = krylov.spectrum().truncation(filters(krylov.ritz()[0]))
    assert bound[0] == 0.0 and bound[-1] == np.inf
    assert krylov_space(lambda v: matrix @ v, b, filters, 40) is None


def problem(n: int = 40, k: int = 1, **more) -> Problem:
    options = {"task": "teacher", "dim": 3, "width": 30, "n_test": 0, "activation": "tanh"}
    values = RunConfig(n_train=n, **(options | more)).resolve().to_dict()
    built = build_problem(values, torch.device("cpu"))
    if k == 1:
        return built
    network = spec.find("model", values["model"]).build(values, 3, k)
    w0 = torch.as_tensor(network.initial(np.random.default_rng(0)), dtype=built.w0.dtype)
    y = torch.cat([built.targets * c for c in range(1, k + 1)], dim=1)
    points = Points(network, w0, 1.0, True, built.train.x, y)
    return Problem(points, None, spec.find("loss", "square"), 0)


def spaces(given: Problem) -> dict[str, FunctionSpace | ParameterSpace]:
    return {
        "function": FunctionSpace(given),
        "parameters": ParameterSpace(given, given.train.features),
    }


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("coordinates", ["function", "parameters"])
@pytest.mark.parametrize("kind", ["krylov", "matrix-free", "fallback", "kernel"])
def test_every_way_gives_the_same_curves(monkeypatch, k, coordinates, kind):
    given = problem(k=k)
    space = spaces(given)[coordinates]
    full = closed_form(space)
    assert isinstance(full, ClosedForm)
    filters = partial(
        descent_filters, step_size=default_step_size(given), steps=recorded_steps(3000)
    )
    monkeypatch.setattr(_closed_form, "SMALLEST_KRYLOV", 0)
    monkeypatch.setattr(_closed_form, "KRYLOV_SHARE", 20 if kind == "fallback" else 1)
    if kind in ("matrix-free", "kernel"):
        monkeypatch.setattr(_closed_form, "LARGEST_FORM", 10)
    if kind == "matrix-free":
        monkeypatch.setattr(_closed_form, "LARGEST_FORMED", 10)
    if kind == "kernel":
        monkeypatch.setattr(_closed_form, "LARGEST_KRYLOV", 5)
    found = closed_form(space, filters)
    assert isinstance(found, ClosedForm if kind == "fallback" else OutputForm)
    wanted = full.coordinates(filters(full.eigenvalues))
    curves = found.coordinates(filters(found.eigenvalues))
    assert curves.shape == wanted.shape
    changes = [torch.stack([space.outputs(s) for s in path]) for path in (curves, wanted)]
    rows = given.train.features.kernel().reshape(40 * k, 40 * k)
    if isinstance(found, ClosedForm) and coordinates == "parameters":
        rows = given.train.features.matrix().flatten(0, 1)
    at_once = found.changes(rows, filters(found.eigenvalues)).view_as(changes[0])
    assert torch.allclose(at_once, changes[0], rtol=0.0, atol=1e-11 * float(changes[0].abs().max()))
    error = (changes[0] - changes[1]).flatten(1).norm(dim=1)
    initial = (given.train.start - given.targets).norm()
    bound = found.residual(filters(found.eigenvalues)) + full.residual(filters(full.eigenvalues))
    assert (error.numpy() <= bound * float(initial)).all() and bound.max() < 1e-10


def test_the_krylov_space_gives_the_steps_of_the_linearised_model(monkeypatch):
    config = RunConfig(
        task="teacher", n_train=20, n_test=0, dim=3, width=8, dynamics="gd", steps=200
    )
    s = oracle.setting(config)
    given = build_problem(config.resolve().to_dict(), torch.device("cpu"))
    monkeypatch.setattr(_closed_form, "SMALLEST_KRYLOV", 0)
    monkeypatch.setattr(_closed_form, "KRYLOV_SHARE", 1)
    steps = np.array([0, 1, 7, 200])
    filters = partial(descent_filters, step_size=0.5, steps=steps)
    space = FunctionSpace(given)
    found = closed_form(space, filters)
    assert isinstance(found, OutputForm)
    j = s.jacobian(s.x).flatten(0, 1)
    v, paths = torch.zeros_like(s.w0), []
    for step in range(201):
        if step in steps:
            paths.append(v)
        f = given.train.start[:, 0] + j @ v
        v = v - 0.5 * j.T @ (f - s.y[:, 0]) / 20
    for u, wanted in zip(found.positions(filters(found.eigenvalues)), paths, strict=True):
        assert torch.allclose(space.parameters(u), wanted, rtol=0.0, atol=1e-12)


def test_a_kernel_that_is_not_finite_is_said_to_be():
    with pytest.raises(LazyLabError, match="not finite: lower init_scale"):
        lanczos.eigenvectors(torch.full((3, 3), float("nan"), dtype=torch.float64))


def test_a_size_above_every_limit_is_stepped(monkeypatch):
    given = problem()
    space = spaces(given)["parameters"]
    for name in ("LARGEST_FORM", "LARGEST_FORMED", "LARGEST_KRYLOV"):
        monkeypatch.setattr(_closed_form, name, 5)
    assert closed_form(space, partial(flow_filters, times=np.array([1e4]))) is None
    assert closed_form(space) is None


def test_other_losses_have_no_closed_form_of_either_kind():
    given = problem(loss="logistic")
    filters = partial(flow_filters, times=np.array([1.0]))
    assert closed_form(FunctionSpace(given), filters) is None


def test_small_problems_are_decomposed():
    space = spaces(problem())["function"]
    assert isinstance(closed_form(space, partial(flow_filters, times=np.ones(1))), ClosedForm)


def test_a_run_in_single_precision_has_its_tangent_model_in_double(monkeypatch):
    monkeypatch.setattr(_closed_form, "SMALLEST_KRYLOV", 0)
    monkeypatch.setattr(_closed_form, "KRYLOV_SHARE", 1)
    single = problem(dtype="float32")
    filters = partial(flow_filters, times=recorded_times(300.0))
    for limit in (10, 6000):
        monkeypatch.setattr(_closed_form, "LARGEST_FORMED", limit)
        space = spaces(single)["parameters"]
        monkeypatch.setattr(_closed_form, "LARGEST_FORM", 10)
        found = closed_form(space, filters)
        assert isinstance(found, OutputForm)
        monkeypatch.setattr(_closed_form, "LARGEST_FORM", 3000)
        full = closed_form(spaces(single)["parameters"])
        assert full is not None
        a = found.coordinates(filters(found.eigenvalues)).double()
        b = full.coordinates(filters(full.eigenvalues))
        j = single.train.features.matrix().flatten(0, 1)
        error = ((a - b) @ j.T).norm(dim=1) / (single.train.start - single.targets).norm()
        assert (error.numpy() <= found.residual(filters(found.eigenvalues))).all()
