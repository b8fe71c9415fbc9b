"""Feature or lazy: exponents that are known come out, and averages are those of brute force."""

import numpy as np
import pytest
from made_up_phases import (
    BORDER,
    FIELDS,
    digest_at,
    factor,
    kernel_change,
    made_up_cube,
    made_up_phases,
)
from made_up_phases import test_error as law_of_error

from lazycore.config.sweep import SweepConfig
from lazycore.engine.problem.targets import dataset
from lazycore.errors import ConfigError
from lazycore.papers.feature_lazy.phases import collapse, cube_of, fluctuations, gap
from lazycore.papers.feature_lazy.phases import crossover as at
from lazycore.results.quantities import QUANTITIES
from lazycore.results.sweep import STATUSES, SweepResult
from lazycore.theory import bootstrap


@pytest.fixture(scope="module")
def cube():
    return made_up_cube()


# ── the cube ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("order", [("init_seed", "width", "alpha_sqrt_width"), None])
def test_each_cell_stands_at_its_own_place_whatever_the_order_of_the_axes(order):
    names = order or ("alpha_sqrt_width", "init_seed", "width")
    own = {"width": "100,25,400", "alpha_sqrt_width": "1,1e-2,100", "init_seed": "2,0,1"}
    fields = {k: v for k, v in FIELDS.items() if k not in own} | {n: own[n] for n in names}
    config = SweepConfig.from_text(fields)
    table = SweepResult(config)
    table._status[:] = 1
    table.values[:] = np.nan
    for row, cell in enumerate(config.cells):
        v = cell.values
        table.values[row, :] = v["width"] + 1e-3 * v["alpha_sqrt_width"] + 1e-7 * v["init_seed"]
    cube = cube_of(table)
    assert cube.widths.tolist() == [25.0, 100.0, 400.0] and cube.seeds == (0, 1, 2)
    h, s, seed = np.meshgrid(cube.widths, cube.scales, cube.seeds, indexing="ij")
    wanted = h + 1e-3 * s + 1e-7 * seed
    np.testing.assert_array_equal(cube.values["kernel_change"], wanted)


def test_an_axis_that_is_not_there_has_one_value():
    fields = {k: v for k, v in FIELDS.items() if k not in ("width", "init_seed")}
    table = SweepResult(SweepConfig.from_text(fields | {"width": "64"}))
    cube = cube_of(table)
    assert cube.widths.tolist() == [64.0] and cube.status.shape == (1, 11, 1)
    assert cube.counts() == {"missing": 11} and cube.outputs is None


@pytest.mark.parametrize("axes", [{"alpha": "1,10"}, {"alpha_sqrt_width": "1,10", "depth": "1,2"}])
def test_another_sweep_is_no_phase_diagram(axes):
    fields = {k: v for k, v in FIELDS.items() if k not in ("alpha_sqrt_width", "depth")}
    table = SweepResult(SweepConfig.from_text(fields | axes))
    with pytest.raises(ConfigError, match="is no phase diagram: give width, alpha_sqrt_width"):
        cube_of(table)


def test_runs_that_did_not_reach_their_end_are_counted_and_not_averaged_in():
    digest = digest_at(made_up_phases(), width=100, alpha_sqrt_width=1e4, init_seed=2)
    for status in ("failed", "diverged", "budget"):
        cube = made_up_cube(None, **{"d" + digest: status})
        assert cube.counts() == {"done": 131, status: 1}
        assert cube.ended_early().sum() == 1 and cube.ended_early()[1, 8] == 1
        assert np.isnan(cube.values["kernel_change"][1, 8, 2])
        assert np.isnan(cube.outputs[1, 8, 2]).all()
        known = [kernel_change(1e4, s) for s in (0, 1, 3)]
        assert cube.means("kernel_change")[1, 8] == pytest.approx(np.prod(known) ** (1 / 3))


def test_a_network_that_met_its_margins_counts_though_its_linearisation_did_not():
    table = made_up_phases()
    names, digest = list(QUANTITIES), table.config.cells[5].digest
    table._status[5] = STATUSES.index("budget")
    table._messages[5] = "margins not met"
    table.values[5, names.index("linearized_half_time")] = 7.0
    unmet = cube_of(table)
    assert unmet.counts() == {"done": 131, "budget": 1} and unmet.messages == ("margins not met",)
    table.values[5, names.index("stop_time")] = 204.5
    met = cube_of(table)
    assert met.counts() == {"done": 132} and met.messages == () and not met.ended_early().any()
    there = np.isfinite(met.values["kernel_change"]) & ~np.isfinite(unmet.values["kernel_change"])
    assert there.sum() == 1 and np.isfinite(met.outputs[there]).all()
    assert np.isnan(met.values["linearized_half_time"][there]).all()
    assert table.status(digest) == "budget", "the table says what the run was"


def test_labels_are_those_of_the_runs(cube):
    y = dataset(cube.config.cells[-1].config.resolve().to_dict()).y_test
    assert cube.labels.tolist() == y[:, 0].tolist() and set(cube.labels) == {1.0, -1.0}
    ten = made_up_phases().config.to_text() | {"labels": "ten", "loss": "square"}
    with pytest.raises(ConfigError, match="give labels=parity"):
        _ = cube_of(SweepResult(SweepConfig.from_text(ten))).labels


def test_the_half_time_goes_with_no_power_on_the_feature_side_and_inversely_on_the_lazy(cube):
    feature, lazy = collapse.half_time_exponents(cube)
    assert (feature.side, feature.predicted) == ("feature", 0.0)
    assert (lazy.side, lazy.predicted) == ("lazy", -1.0)
    assert feature.measured.value == pytest.approx(0.0, abs=1e-12)
    assert lazy.measured.value == pytest.approx(-1.0) and lazy.measured.seeds == 4


# ── the border ───────────────────────────────────────────────────────────────────────────
def test_the_border_is_where_the_law_has_it_for_every_seed(cube):
    scales = np.geomspace(1e-4, 1e6, 4001)
    for seed in cube.seeds:
        changes = np.array([kernel_change(s, seed) for s in scales])
        brute = scales[np.abs(np.log(changes)).argmin()]
        assert at.crossing(scales, changes) == pytest.approx(brute, rel=4e-3)
    # With one hidden layer the law is one power throughout: no kink between two cells.
    found = at.border([made_up_cube({"depth": "1"})])
    assert found.scale == pytest.approx(BORDER)
    exponent = found.exponent  # seeds differ by a factor only, so all have the same
    assert [exponent.low, exponent.value, exponent.high] == pytest.approx([-0.5] * 3)
    assert exponent.seeds == 4


def test_the_exponent_of_the_border_is_that_of_its_widths():
    """Where √hα* itself goes as h^0.2, α* goes as h^(−0.3)."""
    cube = made_up_cube({"alpha_sqrt_width": "1e-3:1e4:50"})
    drift = (cube.widths / 100.0) ** 0.2
    for i, by in enumerate(drift):
        moved = np.array(
            [[kernel_change(s / by, seed) for seed in cube.seeds] for s in cube.scales]
        )
        cube.values["kernel_change"][i] = moved
    assert at.border([cube]).exponent.value == pytest.approx(-0.3, abs=0.01)


def test_no_border_where_the_change_stays_on_one_side():
    scales = np.array([1.0, 10.0, 100.0])
    assert np.isnan(at.crossing(scales, np.array([5.0, 4.0, 3.0])))
    assert np.isnan(at.crossing(scales, np.array([0.5, np.nan, 0.3])))
    assert at.crossing(scales, np.array([10.0, np.nan, 0.1])) == pytest.approx(10.0)
    assert at.crossing(scales, np.array([10.0, 0.1, np.nan])) == pytest.approx(np.sqrt(10.0))


def test_the_border_is_the_last_place_where_the_change_falls_through_the_level():
    """Deep in the feature regime a run that ends early can have changed little."""
    scales = np.array([1.0, 10.0, 100.0, 1000.0])
    found = at.crossing(scales, np.array([10.0, 0.1, 10.0, 0.1]))
    assert found == pytest.approx(np.sqrt(1e5))
    # What rises again and stays above has fallen through it once.
    found = at.crossing(scales, np.array([10.0, 0.1, 1.5, 2.0]))
    assert found == pytest.approx(np.sqrt(10.0))
    assert at.crossing(scales, np.array([1.0, 0.1, 0.1, 0.1])) == pytest.approx(1.0)


def test_bisection_finds_the_border_from_any_side_to_the_ratio_asked_for():
    for grid in ("1e-4,1e6", "1e3,1e4", "1e-4,1e-3"):
        cubes = [made_up_cube({"alpha_sqrt_width": grid})]
        rounds = 0
        while (sweeps := at.next_sweeps(cubes, ratio=1.1)) and rounds < 20:
            assert [s.axes["width"] for s in sweeps] == [(25,), (100,), (400,)]
            assert all(s.axes["init_seed"] == (0, 1, 2, 3) for s in sweeps)
            cubes += [made_up_cube(dict(s.to_text())) for s in sweeps]
            rounds += 1
        assert rounds < 14
        for low, high in at.brackets(cubes).values():
            assert low <= BORDER * 1.001 and high >= BORDER * 0.999 and high <= 1.1 * low
        assert at.border(cubes).scale == pytest.approx(BORDER, rel=0.05)
        assert at.next_sweeps(cubes, ratio=1.1) == []


def test_a_border_counts_as_found_within_a_quarter_and_is_sought_tenfold_beyond_what_is_known():
    def wanted(*scales):
        grid = ",".join(f"{scale * BORDER:.9g}" for scale in scales)
        found = at.next_scales([made_up_cube({"alpha_sqrt_width": grid})])
        return [scale / BORDER for scale in found.values()]

    assert wanted(0.9, 0.9 * 1.249) == []
    assert wanted(0.9, 0.9 * 1.251) == pytest.approx([0.9 * 1.251**0.5] * 3, rel=1e-5)
    assert wanted(0.2, 0.4) == pytest.approx([4.0] * 3)
    assert wanted(3.0, 5.0) == pytest.approx([0.3] * 3)


def test_bisection_asks_for_the_same_runs_but_for_width_and_scale(cube):
    sweep = at.next_sweeps([cube])[0]
    cell, known = sweep.cells[1].config.resolve(), cube.config.cells[1].config.resolve()
    assert cell.alpha * np.sqrt(25.0) == pytest.approx(np.sqrt(10.0), rel=1e-5)
    apart = {k for k, v in cell.to_dict().items() if v != known.to_dict()[k]}
    assert apart == {"alpha"}
    with pytest.raises(ConfigError, match="ratio=1 is not allowed"):
        at.next_scales([cube], ratio=1.0)


def test_the_contours_follow_the_law(cube):
    for level, scale in ((100.0, BORDER * 100.0 ** (-1 / 1.5)), (1e-3, BORDER * 1e3)):
        points = at.line(cube, level)
        points = points[np.isfinite(points).all(1)]
        assert points[:, 0].min() == pytest.approx(25.0)
        assert points[:, 0].max() == pytest.approx(400.0)
        assert points[:, 1] == pytest.approx(scale, rel=1e-6)
    assert at.line(cube, 1e12).size == 0


# ── collapse and powers ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_exponents_of_the_law_are_found_with_intervals(depth):
    feature, lazy = collapse.kernel_exponents(made_up_cube({"depth": str(depth)}))
    assert feature.measured.value == pytest.approx(-2 * depth / (depth + 1))
    assert feature.predicted == pytest.approx(-2 * depth / (depth + 1))
    assert (lazy.measured.value, lazy.predicted) == (pytest.approx(-1.0), -1.0)
    assert feature.scales == (1e-4, 1e-3, 1e-2, 1e-1) and min(lazy.scales) == 100.0


def test_an_exponent_differs_from_seed_to_seed_and_the_interval_says_so(cube):
    noisy = made_up_cube()
    tilt = np.array([-0.1, 0.0, 0.0, 0.1])
    noisy.values["kernel_change"][:] *= noisy.scales[:, None] ** tilt
    feature = collapse.kernel_exponents(noisy)[0].measured
    assert feature.value == pytest.approx(-1.5) and feature.seeds == 4
    alone = bootstrap.mean_interval(-1.5 + tilt)
    assert (feature.low, feature.high) == (pytest.approx(alone.low), pytest.approx(alone.high))


def test_spread_is_what_the_widths_differ_by_in_decades(cube):
    assert collapse.spread(cube.means("kernel_change")) == pytest.approx(0.0, abs=1e-12)
    means = np.array([[1.0, 10.0, np.nan], [100.0, 10.0, 1.0]])
    assert collapse.spread(means).tolist() == pytest.approx([2.0, 0.0, np.nan], nan_ok=True)


def test_the_rescaled_error_goes_from_0_to_1_and_falls_onto_one_curve(cube):
    found = collapse.rescaled_error(cube)
    assert np.isnan(found[:, :4]).all() and np.isfinite(found[:, 4:]).all()
    assert found[:, 4].tolist() == [0.0] * 3 and found[:, -1] == pytest.approx([1.0] * 3)
    assert np.ptp(found[:, 4:], axis=0) == pytest.approx(0.0, abs=1e-12)
    assert collapse.test_error(cube)[1, 0] == pytest.approx(law_of_error(1e-4, 100))


# ── fluctuations ─────────────────────────────────────────────────────────────────────────
def test_variance_is_that_of_brute_force(cube):
    found = fluctuations.variances(cube)
    for place in np.ndindex(3, 11):
        outputs = cube.outputs[place].astype(float)
        mean = outputs.mean(0)
        brute = sum(((f - mean) ** 2).mean() for f in outputs) / 3
        assert found.value[place] == pytest.approx(brute, rel=1e-6)
        assert found.low[place] < found.value[place] < found.high[place]
    assert (found.seeds == 4).all()


def test_a_sample_with_a_seed_twice_has_the_variance_of_those_outputs():
    outputs = np.random.default_rng(0).standard_normal((4, 30))
    gram = outputs @ outputs.T / 30
    weights = np.array([[2.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    drawn = outputs[[0, 0, 2, 3]]
    brute = ((drawn - drawn.mean(0)) ** 2).mean(1).sum() / 3
    assert fluctuations.variance(gram, weights)[0] == pytest.approx(brute)


def test_the_interval_of_a_variance_of_many_seeds_is_that_of_normal_outputs():
    """Var of S normal values, the same on all points, is off by Var √(2/(S − 1))."""
    cube = made_up_cube({"width": "25,", "alpha_sqrt_width": "1,", "init_seed": "0:80"})
    drawn = np.random.default_rng(5).standard_normal((80, 1))
    cube.outputs[0, 0] = drawn
    found = fluctuations.variances(cube)
    value, half = found.value[0, 0], 0.5 * (found.high[0, 0] - found.low[0, 0])
    assert value == pytest.approx(drawn.var(ddof=1), rel=1e-5)
    assert half == pytest.approx(1.96 * value * (2.0 / 79.0) ** 0.5, rel=0.25)


def test_resampled_variances_have_the_mean_of_the_variance_that_was_found():
    """Samples with repetition vary less by (S − 1)/S: that is given back."""
    outputs = np.random.default_rng(2).standard_normal((4, 50))
    gram = outputs @ outputs.T / 50
    value = float(fluctuations.variance(gram, np.ones((1, 4)))[0])
    draws = fluctuations._resampled(gram, value, np.random.default_rng(0))
    assert np.nanmean(draws) == pytest.approx(value, rel=1e-12)
    assert np.isnan(draws).sum() == pytest.approx(2000 / 4**3, abs=25), "one seed four times"


def test_variance_falls_as_the_width_and_its_interval_holds_the_power():
    cube = made_up_cube({"init_seed": "0:12", "width": "25,50,100,200,400"})
    found = fluctuations.variances(cube)
    for exponent in found.exponents:
        assert exponent.low < -1.0 < exponent.high and exponent.high - exponent.low < 0.4
        assert exponent.value == pytest.approx(-1.0, abs=0.1) and exponent.seeds == 12
    h_var = found.value * cube.widths[:, None]
    assert h_var[:, 0].max() < 0.5 * h_var[:, -1].min()  # the law's own factor is 4


def test_the_interval_of_a_variance_is_as_wide_as_variances_differ():
    """Over 200 sets of 8 seeds the true variance lies in about 95 % of the intervals."""
    rng = np.random.default_rng(1)
    cube = made_up_cube({"width": "25,", "alpha_sqrt_width": "1,", "init_seed": "0:8"})
    inside = 0
    for number in range(200):
        cube.outputs[0, 0] = rng.standard_normal((8, 40))
        found = fluctuations.variances(cube, seed=number)
        inside += found.low[0, 0] <= 1.0 <= found.high[0, 0]
    assert inside >= 170


def test_too_few_seeds_have_no_interval_and_one_has_no_variance():
    two = fluctuations.variances(made_up_cube({"init_seed": "0:2"}))
    assert np.isfinite(two.value).all() and np.isnan(two.low).all()
    assert two.exponents == (None,) * 11
    one = fluctuations.variances(made_up_cube({"init_seed": "0,"}))
    assert np.isnan(one.value).all()


def test_networks_that_all_answer_the_same_have_no_variance_and_no_power():
    cube = made_up_cube()
    cube.outputs[:] = cube.outputs[:, :, :1]
    found = fluctuations.variances(cube)
    assert found.value == pytest.approx(0.0, abs=1e-6) and found.exponents[0] is None


def test_errors_of_one_and_of_the_mean_are_those_of_brute_force(cube):
    found = fluctuations.errors(cube)
    for place in np.ndindex(3, 11):
        outputs = cube.outputs[place]
        brute = [(np.sign(f) != cube.labels).mean() for f in outputs]
        assert found.single[place] == pytest.approx(np.mean(brute))
        together = (np.sign(outputs.mean(0)) != cube.labels).mean()
        assert found.ensemble[place] == pytest.approx(together)
        # Of four in order the tenth percentile is three tenths of the way to the second.
        least, second, third, most = sorted(brute)
        assert found.low[place] == pytest.approx(least + 0.3 * (second - least))
        assert found.high[place] == pytest.approx(most - 0.3 * (most - third))
    assert found.ensemble[0].max() < found.single[0].min() and (found.seeds == 4).all()


def test_an_output_of_nothing_is_an_error_of_one_network_and_of_all():
    """y·F ≤ 0 is wrong: a zero has not decided."""
    cube = made_up_cube()
    cube.outputs[:] = 0.0
    found = fluctuations.errors(cube)
    assert (found.single == 1.0).all() and (found.ensemble == 1.0).all()


def test_a_table_without_outputs_has_no_fluctuations():
    table = made_up_phases()
    table._outputs = None
    cube = cube_of(table)
    assert fluctuations.variances(cube) is None and fluctuations.errors(cube) is None


# ── which is better ──────────────────────────────────────────────────────────────────────
def test_the_gap_is_the_mean_of_each_seeds_difference(cube):
    cube = made_up_cube()
    errors = cube.values["final_test_error"]
    errors[-1, 2] = [0.1, 0.2, 0.3, np.nan]
    errors[-1, 8] = [0.2, 0.2, 0.6, 0.1]
    found = gap.gap(cube, 1e-2, 1e4)
    assert (found.width, found.seeds) == (400.0, 3)
    assert (found.feature, found.lazy) == (pytest.approx(0.2), pytest.approx(1 / 3))
    alone = bootstrap.mean_interval(np.array([0.1, 0.0, 0.3]))
    assert found.difference == alone
    errors[-1, 8, :2] = np.nan
    assert gap.gap(cube, 1e-2, 1e4).difference is None
    errors[-1, 8] = np.nan
    assert gap.gap(cube, 1e-2, 1e4) is None
    assert gap.nearest(cube.scales, 0.02) == 2


def test_the_factor_of_the_seeds_is_one_on_average():
    assert np.prod([factor(seed) for seed in range(4)]) == pytest.approx(1.0)
