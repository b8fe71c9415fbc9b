"""Every bound that is drawn against its formula, written out from the paper for other numbers.

A bound that only has to lie above what is measured may be wrong by any factor above one. Here
nothing is measured: runs are made up, their constants are chosen so that no two of them, and no
power of one of them, could be taken for another.
"""

import numpy as np
import pytest

from lazycore.config.run import RunConfig
from lazycore.papers.lazy_training.theorems import theorem_2_2 as two
from lazycore.papers.lazy_training.theorems import theorem_2_3 as three
from lazycore.papers.lazy_training.theorems import theorem_2_4 as four
from lazycore.papers.lazy_training.theorems import theorem_2_5 as five
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.theorem import BELOW, BOUND, GUIDE, OUTSIDE, Line, Rate, theorems
from lazycore.theory.lazy import predicted_displacement

SIGMA, NORM, RESIDUAL, ALPHA, LIP = 0.7, 1.3, 1.9, 5.0, 0.9
M, STRONG = 6.0, 1.5
KNOWN = {
    "smallest_singular_value": SIGMA,
    "smallest_positive_singular_value": SIGMA,
    "differential_norm": NORM,
    "initial_residual": RESIDUAL,
    "initial_output": 0.0,
    "target_norm": 2.3,
    "smooth": True,
    "curvature_kind": "upper bound",
    "curvature_reason": "made up",
    "curvature_radius": np.geomspace(1e-4, 1e2, 25),
    "curvature": np.full(25, LIP),
}
FIELDS = {"task": "teacher", "dim": 2, "n_train": 6, "n_test": 0, "width": 8, "activation": "tanh"}


@pytest.fixture
def made(make_run, monkeypatch):
    """Return a made-up run with those constants, of a loss with M = 6 and m = 3/2."""

    def make(known=(), alpha=ALPHA, **fields):
        facts = {"curvature": M, "convexity": STRONG, "quadratic": fields.get("loss") is None}
        monkeypatch.setattr(Constants, "loss", property(lambda self: facts))
        config = RunConfig.from_dict(FIELDS | fields | {"alpha": alpha})
        said = {f"constants.{name}": value for name, value in {**KNOWN, **dict(known)}.items()}
        return make_run(alpha, config=config, **said)

    return make


# ── Theorem 2.2 ──────────────────────────────────────────────────────────────────────────
def test_the_displacement_of_theorem_2_2_is_below_the_root_of_time_and_loss_over_alpha(made):
    result = made()
    (moved, *gaps) = theorems()["Theorem 2.2"].lines(result, {})
    initial = result.series["nonlinear.train_loss"][0]
    wanted = [(t * initial) ** 0.5 / 5.0 for t in result.time]
    assert moved.bound == pytest.approx(wanted, rel=1e-12) and moved.kind == BOUND
    assert all(line.bound is None for line in gaps)
    assert predicted_displacement(9.0, 4.0, 3.0) == pytest.approx(2.0)


def test_an_exponent_is_of_the_largest_value_of_each_run(made):
    found = [made(alpha=alpha) for alpha in (10.0, 100.0, 1000.0)]
    for run, peak in zip(found, (8.0, 4.0, 2.0), strict=True):
        run.series["gap.parameter"][:] = 1.0
        run.series["gap.parameter"][[3, 4, 5]] = np.nan, peak, np.inf
    rate = two.exponent(found, "‖w − w̄‖", "gap.parameter", -0.3)
    assert rate.value == pytest.approx(np.log10(0.5)) and rate.agrees
    assert np.isnan(two.exponent(found, "nothing", "no such series", None).value)


@pytest.mark.parametrize(
    ("zero", "two", "three", "a_1"),
    [
        ("centered", [-1.0, -2.0, -1.0], [-1.0, -2.0], [-1.0, -1.0, -2.0]),
        ("symmetrized", [-1.0, -2.0, -2.0], [-2.0, -2.0], [-2.0, -2.0, -2.0]),
        ("none", [None, None, 1.0], [1.0, None], [None, None, None]),
    ],
)
def test_the_powers_that_theorems_expect_are_those_of_the_start(made, zero, two, three, a_1):
    found = [made(alpha=alpha, zero_output=zero) for alpha in (10.0, 100.0)]
    for name, wanted in (("2.2", two), ("2.3", three)):
        assert [r.expected for r in theorems()[f"Theorem {name}"].rates(found)] == wanted
    assert [r.expected for r in theorems()["Proposition A.1"].rates(found)] == a_1
    four_of_them = [r.expected for r in theorems()["Theorem 2.4"].rates(found)]
    assert four_of_them == [-1.0, -2.0, -1.0, None, None]


# ── Theorem 2.3 ──────────────────────────────────────────────────────────────────────────
def test_the_three_bounds_of_theorem_2_3_are_its_formulas(made):
    result = made(alpha=80.0)
    gap, moved, apart = three.bounds(result)
    held = 0
    for i, t in enumerate(result.time):
        bend = t * RESIDUAL * LIP / 80.0
        radius = t * RESIDUAL * NORM / 80.0 / (1.0 - bend)
        assert bend < 1.0 and radius < 100.0
        lip = NORM + radius * LIP
        k = t * lip**2
        epsilon = k**2 / 80.0 * LIP / lip**2 * RESIDUAL
        assert gap[i] == pytest.approx(epsilon * RESIDUAL, rel=1e-6, abs=1e-15)
        assert moved[i] == pytest.approx(t * lip * RESIDUAL / 80.0, rel=1e-6, abs=1e-15)
        wanted = epsilon * (2.0 + 4.0 * k / 3.0) * RESIDUAL / (80.0 * lip)
        assert apart[i] == pytest.approx(wanted, rel=1e-6, abs=1e-15)
        held += k > 1.0
    assert held > 5, "K is large enough somewhere for both terms of 2 + 4K/3 to count"
    lines = theorems()["Theorem 2.3"].lines(result, {})
    for line, bound in zip(lines, (gap, moved, apart), strict=True):
        assert np.array_equal(line.bound, bound) and line.kind == BOUND
    assert lines[0].floor == result.numerical_error and lines[1].floor == 0.0


def test_theorem_2_3_says_the_ball_its_constants_and_the_number_of_steps(made):
    said = theorems()["Theorem 2.3"].hypotheses(made(alpha=80.0))[-1]
    radius = 5.0 * RESIDUAL * NORM / 80.0 / (1.0 - 5.0 * RESIDUAL * LIP / 80.0)
    lip = NORM + radius * LIP
    words = f"r = {radius:.3g}: Lip(h) ≤ {lip:.4g}, Lip(Dh) ≤ 0.9, K = T Lip(h)² = {5 * lip**2:.4g}"
    assert said.holds and said.found == words
    short = theorems()["Theorem 2.3"].hypotheses(made(alpha=2.0))[-1]
    last = max(t for t in made().time if t * RESIDUAL * LIP / 2.0 < 1.0)
    assert short.holds is False and f"only up to t = {last:.3g}" in short.found


def test_of_the_recorded_radii_the_next_larger_one_bounds_the_ball(made):
    rising = {"curvature_radius": [1.0, 2.0, 4.0], "curvature": [0.5, 0.3, 0.8]}
    known = Constants.of(made(rising))
    values = [known.curvature(r) for r in (0.0, 1.0, 1.1, 2.0, 3.0, 4.0, 4.1)]
    assert values == [0.5, 0.5, 0.5, 0.5, 0.8, 0.8, np.inf]
    assert known.lipschitz(3.0) == pytest.approx(NORM + 3.0 * 0.8)


# ── Theorem 2.4 ──────────────────────────────────────────────────────────────────────────
def test_both_bounds_of_theorem_2_4_are_its_formulas(made):
    result = made()
    decay, largest = four.bounds(result)
    kappa = M / STRONG
    wanted = [kappa**0.5 * RESIDUAL * np.exp(-STRONG * SIGMA**2 * t / 4.0) for t in result.time]
    assert decay == pytest.approx(wanted, rel=1e-12)
    moved = 8.0 * kappa**1.5 * NORM * RESIDUAL / (ALPHA * SIGMA**2)
    assert largest == pytest.approx(np.full(len(result.time), moved), rel=1e-12)
    assert four.bounds(made({"smallest_singular_value": 0.0})) == (None, None)
    assert four.bounds(made({"initial_residual": None})) == (None, None)


def test_without_strong_convexity_theorem_2_4_has_no_bound(made, monkeypatch):
    result, facts = made(), {"curvature": 0.25, "quadratic": False}
    monkeypatch.setattr(Constants, "loss", property(lambda self: facts))
    assert four.bounds(result) == (None, None)
    assert four.condition(Constants.of(result)) == np.inf
    assert four.threshold(Constants.of(result)) == 0.0


def test_the_bound_of_theorem_2_4_decays_at_a_quarter_of_the_rate_of_the_slowest_mode(made):
    """Lemma B.1 with Σ ⪰ σ²/4 on the ball: not at σ²/2, not at σ²."""
    result = made()
    decay, _ = four.bounds(result)
    rates = -np.diff(np.log(decay)) / np.diff(result.time)
    assert rates == pytest.approx(np.full(len(rates), STRONG * SIGMA**2 / 4.0), rel=1e-6)
    (said,) = [rate for rate in four.rates([result]) if "decay" in rate.name]
    assert f"at least {STRONG * SIGMA**2 / 4.0:.3g}" in said.name


def test_the_threshold_of_theorem_2_4_is_its_formula_with_every_constant(made):
    result = made()
    limit = SIGMA**3 / (32.0 * (M / STRONG) ** 1.5 * NORM * LIP)
    assert four.threshold(Constants.of(result)) == pytest.approx(limit, rel=1e-9)
    start, scale = theorems()["Theorem 2.4"].hypotheses(result)[-2:]
    assert start.holds and start.found == f"0 against C₀ = {limit:.3g}"
    assert scale.holds is False and scale.found == f"α = 5 against {2.3 / limit:.4g}"
    enough = theorems()["Theorem 2.4"].hypotheses(made(alpha=1.001 * 2.3 / limit))[-1]
    assert enough.holds
    equal = theorems()["Theorem 2.4"].hypotheses(made({"initial_output": 1.001 * limit}))[-2]
    assert equal.holds is False


def test_constants_from_below_refute_theorem_2_4_and_do_not_confirm_it(made):
    below = {"curvature_kind": BELOW}
    limit = SIGMA**3 / (32.0 * (M / STRONG) ** 1.5 * NORM * LIP)
    start, scale = theorems()["Theorem 2.4"].hypotheses(made(below, alpha=3.0 / limit))[-2:]
    assert start.holds is None and scale.holds is None and "estimate from below" in scale.found
    far = made(below | {"initial_output": 2.0 * limit})
    assert [h.holds for h in theorems()["Theorem 2.4"].hypotheses(far)[-2:]] == [False, False]
    none = made({"smallest_singular_value": 0.0})
    assert four.threshold(Constants.of(none)) == 0.0
    assert theorems()["Theorem 2.4"].hypotheses(none)[-1].found.endswith("against inf")


def test_the_local_curvature_is_the_least_that_its_own_ball_allows(made):
    """L on the ball of radius σ/(2L): constants by radius, where the answer is a corner."""
    radii, values = [0.1, 0.5, 1.0], [0.2, 0.6, 2.0]
    known = Constants.of(made({"curvature_radius": radii, "curvature": values}))
    # σ = 0.7: a ball of ½ is that of L = 0.7, where Lip(Dh) = 0.6 ≤ 0.7; any larger one is not.
    assert four.local_curvature(known, SIGMA) == pytest.approx(0.7, rel=1e-9)
    flat = Constants.of(made({"curvature": np.zeros(25)}))
    assert four.local_curvature(flat, SIGMA) == pytest.approx(0.7 / 200.0, rel=1e-9)


def test_the_distance_to_the_target_is_that_of_the_outputs_or_of_the_square_loss(made):
    result, target = made(), np.array([[1.0, 2.0], [3.0, 5.0], [-1.0, 0.0]])
    losses = result.series["nonlinear.train_loss"]
    assert four.distance_to_target(result) == pytest.approx(np.sqrt(2.0 * losses), rel=1e-12)
    seen = made({"target": target})
    outputs = np.random.default_rng(0).standard_normal((len(seen.time), 3, 2))
    seen.series["nonlinear.outputs"] = outputs
    wanted = [np.linalg.norm(f - target) / 3.0**0.5 for f in outputs]
    assert four.distance_to_target(seen) == pytest.approx(wanted, rel=1e-12)
    assert four.distance_to_target(made(loss="weighted_square")) is None


def test_the_lines_of_theorem_2_4_are_bounds_above_the_threshold_only(made):
    limit = SIGMA**3 / (32.0 * (M / STRONG) ** 1.5 * NORM * LIP)
    result = made({"rank": 6, "outputs": 6}, alpha=3.0 / limit)
    distance, moved, gap = theorems()["Theorem 2.4"].lines(result, {})
    decay, largest = four.bounds(result)
    assert np.array_equal(distance.bound, decay) and np.array_equal(moved.bound, largest)
    assert distance.kind == moved.kind == BOUND and gap.bound is None
    floor = 1e-3 * (2.0 * result.series["nonlinear.train_loss"][0]) ** 0.5
    assert distance.floor == pytest.approx(floor, rel=1e-12)
    assert theorems()["Theorem 2.4"].lines(made(), {})[0].kind == OUTSIDE


# ── Theorem 2.5 ──────────────────────────────────────────────────────────────────────────
def test_the_guide_of_theorem_2_5_decays_at_the_square_of_the_singular_value(made):
    result = made()
    lines = theorems()["Theorem 2.5"].lines(result, {})
    losses = result.series["linearized.train_loss"]
    wanted = (losses[0] - losses[-1]) ** 0.5 * np.exp(-(SIGMA**2) * result.time)
    for line in lines:
        assert line.kind == GUIDE and line.exponential
        assert line.bound == pytest.approx(wanted, rel=1e-12)
    assert five.rates([result])[0].expected == pytest.approx(SIGMA**2, rel=1e-12)
    bent = made(loss="weighted_square")
    assert five.rates([bent])[0].expected is None
    assert all(line.bound is None for line in theorems()["Theorem 2.5"].lines(bent, {}))


def test_the_distance_to_the_limit_is_that_of_the_outputs_where_there_are_any(made):
    result = made()
    outputs = np.random.default_rng(1).standard_normal((len(result.time), 3, 2))
    result.series["nonlinear.outputs"] = outputs
    found = five.distances(result)
    wanted = [np.linalg.norm(f - outputs[-1]) / 3.0**0.5 for f in outputs]
    assert found["nonlinear"] == pytest.approx(wanted, abs=1e-12)
    losses = result.series["linearized.train_loss"]
    assert found["linearized"] == pytest.approx(np.sqrt(losses - losses[-1]), rel=1e-12)
    losses[3] = 0.5 * losses[-1]
    assert five.distances(result)["linearized"][3] == 0.0


# ── κ and homogeneity ────────────────────────────────────────────────────────────────────
def test_kappa_is_small_below_a_tenth_large_above_one_and_open_between(make_run):
    def holds(kappa):
        config = RunConfig.from_dict(FIELDS)
        result = make_run(config=config, kappa=kappa, **{"constants.smooth": True})
        return [h.holds for h in theorems()["κ criterion"].hypotheses(result)]

    assert [holds(k)[2] for k in (0.099, 0.1, 1.0, 1.01)] == [True, None, None, False]
    assert holds(0.05) == [True, True, True] and holds(None)[2] is None


def test_kappa_falls_as_one_over_alpha_where_the_model_starts_at_zero(make_run):
    for start, expected in ((0.0, -1.0), (1e-13, -1.0), (1e-3, None)):
        found = [
            make_run(
                alpha,
                config=RunConfig.from_dict(FIELDS | {"alpha": alpha}),
                kappa=3.0 / alpha,
                **{"constants.initial_output": start},
            )
            for alpha in (1.0, 10.0, 100.0)
        ]
        kappa, change = theorems()["κ criterion"].rates(found)
        assert kappa.expected == expected and kappa.value == pytest.approx(-1.0)
        assert change.expected is None and change.value == pytest.approx(-1.0)


def test_the_gap_is_shown_as_a_share_of_the_way_of_the_linearised_model(make_run):
    result = make_run(config=RunConfig.from_dict(FIELDS))
    result.series["linearized.output_change"] *= 7.0
    kernel, gap = theorems()["κ criterion"].lines(result, {})
    way = result.series["linearized.output_change"].max()
    assert gap.measured == pytest.approx(result.series["gap.train_output"] / way, rel=1e-12)
    assert np.array_equal(kernel.measured, result.sparse["kernel_change"])
    assert (gap.bound == 0.1).all() and (kernel.bound == 0.1).all()
    assert len(kernel.bound) == len(result.kernel_time)


@pytest.mark.parametrize(
    ("model", "q"), [({"model": "two_layer"}, 2), ({"model": "fully_connected", "depth": 3}, 4)]
)
def test_the_twin_has_the_scale_and_the_step_of_the_identity(make_run, model, q):
    """λ^q = α, the step is η λ^(2−2q), and so is a length of time that was chosen freely."""
    fields = FIELDS | model | {"activation": "relu", "alpha": 81.0, "init_scale": 0.5}
    scale, statement = {2: 9.0, 4: 3.0}[q], theorems()["Homogeneity"]
    steps = RunConfig.from_dict(fields | {"dynamics": "gd", "steps": 9})
    (twin,) = statement.companions(make_run(81.0, config=steps, step_size=0.2)).values()
    assert (twin.alpha, twin.init_scale) == (1.0, pytest.approx(0.5 * scale))
    assert twin.step_size == pytest.approx(0.2 * scale ** (2 - 2 * q)) and twin.steps == 9
    config = RunConfig.from_dict(fields)
    result = make_run(81.0, config=config, step_size=None, horizon=40.0)
    (twin,) = statement.companions(result).values()
    assert twin.time == pytest.approx(40.0 * scale ** (2 - 2 * q))
    loss, moved = statement.lines(result, {})
    assert np.array_equal(loss.measured, result.series["nonlinear.train_loss"])
    displacement = result.series["nonlinear.displacement"]
    assert moved.measured == pytest.approx(scale * displacement, rel=1e-12)
    assert [h.holds for h in statement.hypotheses(result)] == [True, True, True]


# ── lines and rates ──────────────────────────────────────────────────────────────────────
def test_the_ratio_is_the_largest_over_the_times_after_0_that_can_be_compared():
    time = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    measured = np.array([9.0, 1.0, 1.5, np.nan, 8.0])
    bound = np.array([1.0, 4.0, 2.0, 1.0, 0.1])
    assert Line("q", "u", time, measured, bound, floor=0.1).ratio == pytest.approx(0.75)
    assert Line("q", "u", time, measured, bound, floor=0.05).ratio == pytest.approx(80.0)
    assert Line("q", "u", time, measured).ratio is None
    assert Line("q", "u", time, measured, np.full(5, np.nan)).ratio is None


def test_a_rate_has_a_twentieth_of_room_and_an_upper_bound_all_below_it():
    def agrees(value, expected=-2.0, **more):
        return Rate("r", expected, value, value - 1e-3, value + 1e-3, "", **more).agrees

    assert agrees(-2.09) and agrees(-1.91) and not agrees(-2.11) and not agrees(-1.89)
    assert agrees(0.54, 0.5) and not agrees(0.56, 0.5) and not agrees(0.44, 0.5)
    assert agrees(-7.0, at_most=True) and not agrees(-1.89, at_most=True)
    assert Rate("r", 1.0, float("nan"), 0.0, 2.0, "").agrees is None
