"""What the theorems say, against SciPy and against runs: Chizat et al. (arXiv:1812.07956)."""

import numpy as np
import oracle
import pytest
import torch
from scipy.stats import linregress, t

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.config.spec import bounded_slope
from lazycore.engine.measures.hypotheses import gap_bound
from lazycore.engine.problem.problem import build_problem
from lazycore.theory import lazy
from lazycore.theory.lazy import (
    gap_slope_reason,
    predicted_displacement,
    predicted_gap_slope,
    slope,
    smallest_radius,
    theorem_2_3,
)

CHECK_1 = {
    "task": "teacher",
    "dim": 5,
    "n_train": 10,
    "n_test": 0,
    "width": 20,
    "activation": "tanh",
    "time": 1.0,
}
ALPHAS = (10.0, 30.0, 100.0, 300.0, 600.0)
KEYS = ("nonlinear.displacement", "gap.parameter", "gap.train_output")
_known: dict = {}


def slopes(**fields):
    """Return the measured exponents in α of displacement, parameter gap and output gap."""
    name = str(sorted(fields.items()))
    if name not in _known:
        found = [run(RunConfig(**CHECK_1, alpha=alpha, **fields)) for alpha in ALPHAS]
        for result in found:
            assert np.nanmax(result.series["gap.train_output"]) > 2 * result.numerical_error
        largest = {key: [np.nanmax(r.series[key]) for r in found] for key in KEYS}
        _known[name] = [slope(ALPHAS, largest[key])[0] for key in KEYS]
    return _known[name]


@pytest.mark.parametrize("size", [3, 4, 5, 6, 9, 40])
def test_the_slope_and_its_interval_are_those_of_scipy(size):
    rng = np.random.default_rng(size)
    x = np.geomspace(1, 1000, size)
    y = 3.0 * x**-1.3 * np.exp(0.2 * rng.standard_normal(size))
    found = linregress(np.log(x), np.log(y))
    half = t.ppf(0.975, size - 2) * found.stderr
    b, low, high = slope(x, y)
    assert b == pytest.approx(found.slope, rel=1e-12)
    assert b - low == pytest.approx(half, rel=5e-3) and high - b == pytest.approx(half, rel=5e-3)


@pytest.mark.parametrize("freedom", [*range(1, 31), 40, 100, 300])
def test_students_points_are_those_of_scipy_to_their_next_term(freedom):
    """Three decimals where they are listed, else off by about 1.3/freedom³, which is 0.4 % at 7."""
    off = abs(lazy.student_975(freedom) / t.ppf(0.975, freedom) - 1.0)
    assert off < (2e-4 if freedom <= 6 else 1.5 / freedom**3)


def test_two_points_have_a_slope_without_an_interval_and_one_point_has_none():
    assert slope([1.0, 10.0], [1.0, 0.1]) == (pytest.approx(-1.0), -np.inf, np.inf)
    b, low, high = slope([1.0, 1.0], [1.0, 2.0])
    assert np.isnan(b) and (low, high) == (-np.inf, np.inf)
    assert np.isnan(slope([], [])[0])


def test_what_has_no_logarithm_is_left_out_of_the_slope():
    x = [1.0, 10.0, 100.0, -5.0, 7.0, 8.0, np.inf]
    y = [1.0, 0.1, 0.01, 1.0, 0.0, np.nan, 1.0]
    assert slope(x, y)[0] == pytest.approx(-1.0)
    with pytest.raises(ValueError):
        slope([1.0, 2.0], [1.0])


@pytest.mark.parametrize("loss", ["square", "logistic"])
def test_theorem_2_2_a_centred_model_moves_as_one_over_alpha(loss):
    displacement, parameter, output = slopes(loss=loss)
    assert displacement == pytest.approx(-1.0, abs=0.03)
    assert parameter == pytest.approx(-2.0, abs=0.03)
    assert output == pytest.approx(-1.0, abs=0.03)
    predicted = predicted_gap_slope("centered", bounded_slope({"loss": loss}))
    assert output == pytest.approx(predicted, abs=0.03)


@pytest.mark.parametrize("loss", ["square", "logistic"])
def test_the_output_gap_of_a_symmetrised_model_falls_as_alpha_to_minus_two(loss):
    displacement, parameter, output = slopes(loss=loss, zero_output="symmetrized")
    assert displacement == pytest.approx(-1.0, abs=0.03)
    assert parameter == pytest.approx(-2.0, abs=0.03)
    assert output == pytest.approx(-2.0, abs=0.03)
    assert predicted_gap_slope("symmetrized", bounded_slope({"loss": loss})) == -2.0


@pytest.mark.parametrize(
    ("loss", "least"), [("square", 0.9), ("weighted_square", 0.9), ("quadratic_hinge", 0.7)]
)
def test_without_a_zero_start_a_loss_whose_slope_grows_makes_the_gap_grow(loss, least):
    assert slopes(zero_output="none", loss=loss)[2] > least
    assert predicted_gap_slope("none", bounded_slope({"loss": loss})) == 1.0


@pytest.mark.parametrize("loss", ["logistic", "soft_hinge"])
def test_without_a_zero_start_a_bounded_slope_still_lets_the_gap_fall(loss):
    assert slopes(zero_output="none", loss=loss)[2] < -0.8
    assert predicted_gap_slope("none", bounded_slope({"loss": loss})) is None


def test_the_displacement_stays_below_the_explicit_bound_of_theorem_2_2():
    for zero_output in ("centered", "symmetrized", "none"):
        for alpha in (0.3, 30.0):
            config = RunConfig(**CHECK_1, alpha=alpha, zero_output=zero_output)
            result = run(config)
            moved = result.series["nonlinear.displacement"]
            loss = result.series["nonlinear.train_loss"][0]
            assert moved[-1] <= predicted_displacement(1.0, loss, alpha) * (1 + 1e-6)
            assert moved[-1] >= 0.1 * predicted_displacement(1.0, loss, alpha)


def test_the_line_of_theorem_2_3_bounds_the_measured_gap():
    applied = 0
    for zero_output in ("centered", "symmetrized", "none"):
        for alpha in (1.0, 10.0, 100.0):
            fields = CHECK_1 | {"time": 40.0, "activation": "tanh"}
            result = run(RunConfig(**fields, alpha=alpha, zero_output=zero_output))
            bound, gap = result.series["theory.theorem_2_3"], result.series["gap.train_output"]
            holds = np.isfinite(bound)
            applied += int(holds.sum())
            assert (gap[holds] <= bound[holds] + result.numerical_error).all()
            assert holds[: len(holds) // 4].all()  # at short times a small enough ball exists
    assert applied > 800


def test_theorem_2_3_is_the_formula_with_constants_that_hold_on_the_ball():
    residual, alpha, differential = 0.7, 20.0, 1.5

    def curvature(radius):
        return 0.4 + 0.1 * radius

    times = np.array([0.0, 0.1, 1.0, 5.0])
    found = theorem_2_3(
        times, residual=residual, alpha=alpha, differential=differential, curvature=curvature
    )
    for time, value in zip(times, found, strict=True):
        radii = np.linspace(0.0, 50.0, 2_000_001)
        lipschitz = differential + radii * (0.4 + 0.1 * radii)
        k = time * lipschitz**2
        r = int(np.argmax(alpha * radii * lipschitz >= k * residual))
        wanted = k[r] ** 2 / alpha * (0.4 + 0.1 * radii[r]) / lipschitz[r] ** 2 * residual**2
        assert value == pytest.approx(wanted, rel=1e-3, abs=1e-12)


def test_the_ball_of_theorem_2_3_is_one_that_the_flow_stays_in_and_no_smaller_one():
    """Lip(Dh) that jumps with r: solved with that of a smaller ball, r would be too small."""

    def curvature(radius):
        return 0.2 if radius < 1.0 else 0.3

    given = {"residual": 1.0, "alpha": 1.0, "differential": 0.5, "curvature": curvature}
    assert smallest_radius(1.5, **given) == pytest.approx(1.5 * 0.5 / (1 - 1.5 * 0.3), rel=1e-6)
    assert smallest_radius(1.0, **given) == pytest.approx(0.5 / 0.8, rel=1e-6)
    assert smallest_radius(4.0, **given) == float("inf")


def test_theorem_2_3_does_not_apply_where_no_ball_is_large_enough():
    found = theorem_2_3(
        np.array([0.01, 100.0]),
        residual=1.0,
        alpha=1.0,
        differential=1.0,
        curvature=lambda radius: 1.0,
    )
    assert np.isfinite(found[0]) and np.isnan(found[1])


def test_the_constants_of_the_line_are_those_of_explicit_jacobians():
    config = RunConfig(**CHECK_1, alpha=50.0, zero_output="none")
    problem, s = (
        build_problem(config.resolve().to_dict(), torch.device("cpu")),
        oracle.setting(config),
    )
    found = gap_bound(problem, "flow").at(0.5)
    jacobian = s.jacobian(s.x)[:, 0] / 10**0.5
    differential = float(torch.linalg.matrix_norm(jacobian, 2))
    residual = oracle.rms(50.0 * s.h(s.w0, s.x) - s.y)
    at_least = 0.5**2 * differential**2 * residual**2 / 50.0
    curvature = problem.network.second_derivative_bound(s.w0, s.x, 0.0)
    assert found >= at_least * curvature * (1 - 1e-9)
    assert found <= at_least * curvature * 10


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"activation": "relu"}, "smooth"),
        ({"loss": "logistic"}, "square loss"),
        ({"model": "fully_connected", "depth": 2}, "none is known for this model"),
        ({"dynamics": "gd", "steps": 5, "time": None}, "discrete steps"),
    ],
)
def test_where_the_theorem_does_not_apply_the_record_says_why(fields, reason):
    result = run(RunConfig(**(CHECK_1 | fields)))
    assert "theory.theorem_2_3" not in result.series
    assert reason in result.latest["theory.reason"]


def test_the_bound_of_a_network_without_a_formula_is_refused_by_name():
    values = RunConfig(**CHECK_1).resolve().to_dict()
    bound = gap_bound(build_problem(values, torch.device("cpu")), "flow")
    assert bound.reason is None and bound.said == {} and bound.at(0.0) == 0.0


def test_kappa_falls_with_the_width_as_the_reference_says():
    """1/√m: −½ or a little steeper; 1/m: not at all (reference check 8, fewer draws)."""
    from lazycore.engine.measures.kappa import kappa

    widths = (64, 128, 256, 512)
    for scaling, wanted in (("ntk", -0.55), ("mean_field", 0.01)):
        means = []
        for width in widths:
            fields = {"task": "teacher", "dim": 5, "n_train": 30, "n_test": 0, "width": width}
            draws = [
                RunConfig(
                    **fields, activation="tanh", zero_output="none", scaling=scaling, init_seed=i
                )
                for i in range(6)
            ]
            problems = [build_problem(c.resolve().to_dict(), torch.device("cpu")) for c in draws]
            means.append(np.mean([kappa(p) for p in problems]))
        assert slope(widths, means)[0] == pytest.approx(wanted, abs=0.13)


def test_a_late_rate_is_that_of_the_later_half_of_four_decades():
    """Values that fall to 1e-2 at t = 5, at another rate to t = 10, and at a third to 1e-6 at
    t = 15: only the third counts, and nothing of what comes after."""
    place = [0.0, 5.0, 10.0, 15.0, 20.0]
    height = np.log([1.0, 1e-2, 2e-5, 1e-6, 1e-20])
    time = np.linspace(0.0, 20.0, 4001)
    values = 7.0 * np.exp(np.interp(time, place, height))
    rate, low, high = lazy.decay_rate(time, values)
    assert rate == pytest.approx(np.log(20.0) / 5.0, rel=1e-4)
    assert low <= rate <= high and high - low < 1e-3


def test_a_late_rate_needs_four_values():
    values = np.exp(-np.array([0.0, 5.0, 6.0, 7.0, 8.0, 9.0, 20.0]))  # of six the later half
    time = np.array([0.0, 5.0, 6.0, 7.0, 7.1, 9.0, 20.0])
    assert np.isnan(lazy.decay_rate(time, values)[0])
    time = np.array([0.0, 5.0, 7.0, 8.0, 8.5, 9.0, 20.0])
    assert lazy.decay_rate(time, values)[0] > 0.0


@pytest.mark.parametrize(
    ("zero_output", "loss", "power"),
    [
        ("centered", "square", -1.0),
        ("centered", "logistic", -1.0),
        (None, "square", -1.0),
        ("symmetrized", "square", -2.0),
        ("symmetrized", "logistic", -2.0),
        ("none", "square", 1.0),
        ("none", "cross_entropy", None),
        ("none", "no such loss", None),
    ],
)
def test_the_power_of_the_gap_is_that_of_the_table(zero_output, loss, power):
    assert predicted_gap_slope(zero_output, bounded_slope({"loss": loss})) == power


@pytest.mark.parametrize(
    ("zero_output", "loss", "said"),
    [
        ("centered", "square", "falls as 1/α."),
        ("symmetrized", "logistic", "falls as 1/α², not 1/α"),
        ("none", "square", "grows as α"),
        ("none", "weighted_square", "grows as α"),
        ("none", "quadratic_hinge", "grows as α"),
        ("none", "logistic", "the slope of the logistic loss is bounded"),
        ("none", "no such loss", "is not known"),
    ],
)
def test_every_slope_of_the_gap_comes_with_its_reason(zero_output, loss, said):
    assert said in gap_slope_reason(zero_output, loss, bounded_slope({"loss": loss}))


def test_the_two_conventions_of_geiger_et_al_are_one_system():
    """A step of F by each convention's own gradient flow, by explicit Jacobians, is the same."""
    rng, width, alpha = np.random.default_rng(0), 7, 0.3
    jacobian, residual = rng.standard_normal((4, 9)), rng.standard_normal(4)
    dt = 1e-3
    moved = dt * alpha * jacobian @ (jacobian.T @ residual / alpha)  # of αf, w' = −∇R(αf)/α²
    said = lazy.to_code(width=width, alpha=alpha, time=dt, loss=2.0, kernel=5.0)
    code = jacobian / width**0.5  # f_c = f/√h, w' = −∇ (1/α_c) R(α_c f_c)
    assert said.alpha == pytest.approx(width**0.5 * alpha)
    assert np.allclose(moved, said.time * said.alpha * code @ (code.T @ residual))
    assert said.loss == pytest.approx(2.0 / said.alpha)
    assert said.kernel / 5.0 == pytest.approx(
        float(np.mean(code @ code.T / (jacobian @ jacobian.T)))
    )
    assert lazy.from_code(width=width, said=said) == pytest.approx((alpha, dt, 2.0, 5.0))
    one = lazy.to_code(
        width=width, alpha=alpha, time=lazy.first_step(alpha, width), loss=1.0, kernel=1.0
    )
    assert one.time == pytest.approx(1.0)


def test_rich_exponents_solve_the_scaling_argument():
    """√h α λ^(L+1) = 1 gives the weights λ, and the kernel λ^2L."""
    for depth in (1, 2, 3, 5):
        scale = 1e-6
        growth = scale ** (-1.0 / (depth + 1))
        assert growth == pytest.approx(scale ** -lazy.rich_weight_exponent(depth))
        assert growth ** (2 * depth) == pytest.approx(scale ** -lazy.rich_kernel_exponent(depth))
