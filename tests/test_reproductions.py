"""The figures of the paper: what is asked for, the lines it comes to, and how they are judged."""

import math

import numpy as np
import pytest

from lazycore.config import kinds, spec
from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.engine.measures.spectrum import class_gap
from lazycore.engine.problem.targets import dataset
from lazycore.errors import ConfigError
from lazycore.papers import agreement, tables
from lazycore.papers.lazy_training.figures import (
    _neurons,
    _reported,
    figure_1ab,
    figure_1c,
    figure_2a,
    figure_2b,
    figure_3a,
    figure_4,
    figure_6,
    figure_7a,
    figure_7b,
)
from lazycore.papers.reproduction import FULL, QUICK, Curve, collect, find
from lazycore.results.run import RunResult, Snapshot
from lazycore.results.sweep import SweepResult
from lazycore.running.run import run
from lazycore.tasks import Streams
from lazycore.tasks.teacher import teacher

ALL = list(collect().values())
SIZES = [
    (one, setting, size)
    for one in ALL
    for setting in one.settings
    for size in setting.sizes.values()
]


def configs_of(jobs) -> list[RunConfig]:
    return [config.resolve() for config in tables.configs(jobs).values()]


def filled(jobs, law) -> list[SweepResult]:
    """Return the tables of these sweeps, with runs whose test loss ends at law(resolved config),
    having been a tenth lower before; the linearised model ends at the same."""
    found = []
    for job in jobs:
        table = SweepResult(job)
        for cell in job.cells:
            end = law(cell.config.resolve())
            table.add(cell.digest, made_up(cell.config, end))
        found.append(table)
    return found


def made_up(config: RunConfig, end: float) -> RunResult:
    snapshots = [
        Snapshot(
            time=float(t),
            series={
                f"{model}.{part}_{what}": share * end
                for model in ("nonlinear", "linearized")
                for part in ("train", "test")
                for what in ("loss", "error")
            }
            | {"activation_stability": 1.0 - share * end},
            latest={"numerical_error": 1e-9},
        )
        for t, share in enumerate((2.0, 0.9, 1.0))
    ]
    return RunResult.collect(config, snapshots)


# ── what is asked for ────────────────────────────────────────────────────────────────────
def test_every_figure_of_the_paper_is_there_in_its_order():
    assert list(collect()) == ["1ab", "1c", "2a", "2b", "3a", "4", "6", "7a", "7b"]
    assert len({one.title for one in ALL}) == len(ALL)
    assert all(one.caption and one.x.title.endswith(")") for one in ALL), "axes have units"


def test_the_queue_takes_every_quick_and_full_size():
    for _, _, size in SIZES:
        assert size.jobs and size.said
        for job in size.jobs:
            kinds.check(job)


def test_a_wrong_name_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="there is no figure '9z': give 1ab, 1c"):
        find("9z")
    with pytest.raises(ConfigError, match="no setting of figure 1c 'mine': give code, text"):
        find("1c").setting("mine")
    with pytest.raises(ConfigError, match="no size of figure 1c 'huge': give quick, full"):
        find("1c").size("code", "huge")


def test_figure_1c_takes_the_authors_steps_at_33_scales_and_10_seeds():
    configs = configs_of(find("1c").size("code", FULL).jobs)
    assert len(configs) == 330
    taus = sorted({config.init_scale for config in configs})
    np.testing.assert_allclose(taus, 10.0 ** np.arange(-2.2, 1.05, 0.1), rtol=1e-11)
    for config in configs:
        assert config.steps == 10_000
        assert config.step_size == pytest.approx(min(10.0, 0.1 / config.init_scale**2), rel=1e-11)
    for flow in configs_of(find("1c").size("text", FULL).jobs):
        expected = 10_000 * min(10.0, 0.1 / flow.init_scale**2)
        assert flow.time == pytest.approx(expected, rel=1e-11)


def test_quick_runs_are_among_the_full_ones():
    for name, setting in (("1c", "code"), ("1c", "text"), ("2b", "code"), ("2b", "text")):
        quick, full = (tables.configs(find(name).size(setting, s).jobs) for s in (QUICK, FULL))
        assert quick.keys() < full.keys(), (name, setting)


def test_figure_2a_scales_alpha_and_steps_with_the_width():
    for job, (power, step) in zip(
        figure_2a.sweeps((4, 64), range(2)), ((0.5, 1.0), (1.0, 0.05)), strict=True
    ):
        for config in configs_of([job]):
            assert config.alpha == pytest.approx(0.01 / config.width**power, rel=1e-11)
            assert config.step_size == pytest.approx(step / config.width, rel=1e-11)
            assert config.zero_output == "none"


def test_figure_2b_takes_the_authors_steps_at_17_scales():
    for make, unit, step, longest in (
        (figure_2b.as_authors, 1.0, 0.25 / 50, 25.0 / 50),
        (figure_2b.as_written, 2.0, 0.1, 10.0),
    ):
        configs = configs_of(make(figure_2b.TAUS, range(10)))
        taus = sorted({config.init_scale / unit for config in configs})
        assert len(configs) == 170 and len(taus) == 17 and taus[-1] == 8.0
        for config in configs:
            expected = min(longest, step / config.init_scale**2)
            assert config.step_size == pytest.approx(expected, rel=1e-11)


def test_the_large_teacher_of_figure_2a_is_a_small_alpha():
    """The authors' loop in plain numpy: a teacher times 100, W ← W − (step/α²) ∇[½ mean (αf −
    100 y)²], 0.1 times the loss; against the run that stands for it."""
    (job, _) = figure_2a.sweeps((4,), (3,), steps=40)
    small = {"n_train": 60, "n_test": 20}
    config = RunConfig.from_dict(job.cells[0].config.given() | small)
    values = config.resolve().to_dict()
    m, d, data = values["width"], values["dim"], dataset(values)
    network = spec.find("model", "two_layer").build(values, d, 1)
    w = network.initial(np.random.default_rng(values["init_seed"]))
    b, a = w[: d * m].reshape(m, d), w[d * m :]
    scaling, step, x, y = 1.0 / math.sqrt(m), 1.0 / m, data.x_train, 100.0 * data.y_train[:, 0]
    for _ in range(values["steps"]):
        hidden, error = np.maximum(x @ b.T, 0.0), scaling * np.maximum(x @ b.T, 0.0) @ a - y
        grad_a = scaling * (error[:, None] * hidden).mean(0)
        grad_b = scaling * ((error[:, None] * (hidden > 0) * a).T @ x) / len(x)
        a, b = a - step / scaling**2 * grad_a, b - step / scaling**2 * grad_b
    outputs = scaling * np.maximum(data.x_test @ b.T, 0.0) @ a
    theirs = 0.1 * 0.5 * np.mean((outputs - 100.0 * data.y_test[:, 0]) ** 2)
    ours = figure_2a.FACTOR * run(config).series["nonlinear.test_loss"][-1]
    assert ours == pytest.approx(theirs, rel=1e-9)


# ── what was reported ────────────────────────────────────────────────────────────────────
def test_reported_lines_are_whole_and_inside_their_bands():
    read = _reported.read()
    assert "arXiv:1812.07956" in read["source"] and read["read"]
    for name, figure in read["figures"].items():
        assert find(name).reported() and figure["unit"]
        for line in figure["lines"].values():
            assert len(line["x"]) == len(line["y"]) and line["runs"] >= 1
            assert line["x"] == sorted(line["x"])
            for low, y, high in zip(line.get("low", ()), line["y"], line.get("high", ()), strict=0):
                assert low - 0.06 <= y <= high + 0.06


def test_reported_points_are_those_that_the_paper_shows():
    end = _reported.curve("1c", "end of training")
    assert len(end.x) == 33 and set(end.counts) == {10}
    assert end.mean[end.at(10.0)] == 3.101 and end.std[end.at(10.0)] == pytest.approx(
        0.36, abs=0.01
    )
    assert _reported.curve("2a", "1/m").mean[-1] == 0.184
    assert figure_2b.plateau(figure_2b.reported()[0]) == pytest.approx(1.0)
    assert figure_7b.reported()[0].x.min() >= 1.0 > _reported.curve("7b", "CIFAR-10").x.min()


# ── lines ────────────────────────────────────────────────────────────────────────────────
def test_a_curve_is_the_mean_of_its_runs_and_leaves_out_what_is_missing():
    runs = np.array([[1.0, 2.0, np.nan], [3.0, np.nan, np.nan], [8.0, 4.0, np.nan]])
    one = Curve.of_runs("line", np.array([1.0, 2.0, 3.0]), runs)
    assert one.x.tolist() == [1.0, 2.0] and one.counts.tolist() == [3, 2]
    assert one.mean.tolist() == [4.0, 3.0]
    np.testing.assert_allclose(one.std, [np.std([1, 3, 8], ddof=1), np.std([2, 4], ddof=1)])
    alone = Curve.of_runs("line", np.array([1.0]), np.array([[5.0]]))
    assert math.isnan(alone.std[0]) and alone.at(1.01) == 0 and alone.at(1.05) is None
    other = one.times(-2.0).plus(1.0)
    assert other.mean.tolist() == [-7.0, -5.0] and (other.std >= 0).all()
    assert other.runs is not None and other.runs[0, 0] == -1.0
    assert one.where(one.x > 1.0).mean.tolist() == [3.0]
    empty = Curve.of_runs("line", np.array([1.0]), np.array([[np.nan]]))
    assert not len(empty.x) and empty.at(1.0) is None


def test_lines_join_the_sweeps_of_a_figure_over_their_seeds():
    jobs = figure_1c.descent((0.01, 0.1, 1.0), range(3))
    found = filled(jobs, lambda c: 1e-3 * c.init_scale * (1.0 + c.seed))
    end, best, straight, _ = figure_1c.lines(found)
    np.testing.assert_allclose(end.x, [0.01, 0.1, 1.0])
    np.testing.assert_allclose(end.mean, 2.0 * end.x)
    np.testing.assert_allclose(end.std, end.x)
    np.testing.assert_allclose(best.mean, 0.9 * end.mean)
    assert (end.look, straight.look) == ("nonlinear", "linearized")


def test_results_are_gathered_into_the_jobs_that_asked_for_them():
    jobs = [*figure_1c.descent((0.01,), range(2)), *figure_1ab.runs(4, steps=False)]
    wanted = tables.configs(jobs)
    assert len(wanted) == 4
    results = {digest: made_up(config, 1.0) for digest, config in list(wanted.items())[:3]}
    sweep, rich, lazy = tables.gathered(jobs, results)
    assert isinstance(sweep, SweepResult) and sweep.done == 2
    assert isinstance(rich, RunResult) and lazy is None


# ── judgements ───────────────────────────────────────────────────────────────────────────
def curve(mean, std, count, x=(1.0, 2.0)) -> Curve:
    ones = np.ones(len(x))
    return Curve("line", np.array(x), np.array(mean), std * ones, count * ones)


def test_agreement_within_errors_counts_points_three_standard_errors_apart():
    theirs = curve([1.0, 2.0], 0.3, 10)
    error = math.sqrt(0.3**2 / 5 + 0.3**2 / 10)
    near, far = (curve([1.0 + k * error, 2.0], 0.3, 5) for k in (2.9, 3.1))
    assert agreement.within_errors(near, theirs).passed is True
    judged = agreement.within_errors(far, theirs)
    assert judged.passed is False and "1 of 2 points; farthest at 1: 3.1" in judged.measured
    nothing = agreement.within_errors(curve([1.0, 0.0], 0.3, 5), curve([0.0, 0.0], 0.3, 10))
    assert nothing.passed is False and "1 against 0" in nothing.measured
    few = agreement.within_errors(curve([1.0, 2.0], 0.3, 2), theirs)
    assert few.passed is None and "no point with 3 runs" in few.measured
    elsewhere = agreement.within_errors(curve([9.0, 9.0], 0.3, 5, x=(5.0, 6.0)), theirs)
    assert elsewhere.passed is None


def test_thirty_of_thirty_three_points_are_enough():
    x = tuple(range(1, 34))
    theirs = curve(np.ones(33), 0.3, 10, x=x)
    for wrong, holds in ((3, True), (4, False)):
        ours = curve(np.where(np.arange(33) < wrong, 9.0, 1.0), 0.3, 10, x=x)
        assert agreement.within_errors(ours, theirs).passed is holds


def test_agreement_within_a_share_looks_from_a_place_on():
    theirs = curve([1.0, 2.0], 0.3, 10)
    assert agreement.within_share(curve([5.0, 2.4], 0.1, 3), theirs, 0.25, 2.0).passed is True
    assert agreement.within_share(curve([5.0, 2.6], 0.1, 3), theirs, 0.25, 2.0).passed is False
    assert agreement.within_share(curve([1.0, 2.0], 0.1, 2), theirs, 0.25, 1.0).passed is None


def test_figure_1c_agrees_with_itself_and_not_with_twice_that():
    end, best = (_reported.curve("1c", name) for name in list(figure_1c.LINES)[:2])
    jobs = figure_1c.descent(figure_1c.QUICK_TAUS, range(3))
    for factor, holds in ((1.0, True), (2.0, False)):
        law = lambda c, f=factor: f * 1e-3 * end.mean[end.at(c.init_scale)]  # noqa: E731
        rows = figure_1c.agreement(filled(jobs, law))
        assert rows[0].passed is holds
        assert [row.passed for row in rows[2:]] == [True, True], "both models end alike"
    assert best.mean[-1] < end.mean[-1]


def test_figure_2a_is_judged_by_share_and_by_ratio():
    lines = {name: _reported.curve("2a", name) for name in figure_2a.RULES}
    jobs = figure_2a.sweeps((16, 64), range(3))

    def law(config, factor=1.0):
        name = "1/√m" if config.alpha * math.sqrt(config.width) == pytest.approx(0.01) else "1/m"
        own = lines[name]
        return factor * own.mean[own.at(float(config.width))] / figure_2a.FACTOR

    near = filled(jobs, lambda c: law(c, 0.95 + 0.05 * c.seed))
    assert [row.passed for row in figure_2a.agreement(near)] == [True] * 5
    rows = figure_2a.agreement(filled(jobs, lambda c: law(c, 1.3 + 0.01 * c.seed)))
    assert [row.passed for row in rows] == [False] * 4 + [True]
    rows = figure_2a.agreement(filled(jobs, lambda c: law(c, 1.3 * (0.5 + 0.5 * c.seed))))
    assert [row.passed for row in rows] == [False, False, True, True, True]


@pytest.mark.parametrize(("make", "unit"), [(figure_2b.as_authors, 1), (figure_2b.as_written, 2)])
def test_figure_2b_is_judged_in_units_of_its_plateau(make, unit):
    jobs = make(figure_2b.QUICK_TAUS, range(1))
    rises = filled(jobs, lambda c: 7.0 * min(1.0, (c.init_scale / unit / 0.9) ** 4))
    (line,) = figure_2b.lines(rises)
    assert line.mean[-1] == pytest.approx(1.0)
    rows = figure_2b.agreement(rises)
    assert [row.measured for row in rows] == ["0.0002", "1.0000"]
    assert [row.passed for row in rows] == ([True, True] if unit == 1 else [None, None])
    flat = figure_2b.agreement(filled(jobs, lambda c: 7.0))
    assert [row.passed for row in flat] == ([False, True] if unit == 1 else [None, None])


def test_the_convolutional_figures_are_read_off_the_sweep_over_alpha():
    (job,) = find("3a").size("digits", QUICK).jobs
    found = filled([job], lambda c: 0.0004 if c.alpha > 100 else 0.0001)
    train, test, stable = figure_3a.lines(found)
    assert train.mean[0] == pytest.approx(99.99) and test.mean[-1] == pytest.approx(99.96)
    assert [row.passed for row in figure_3a.agreement(found)] == [True, True, False]
    assert stable.mean[-1] == pytest.approx(99.96)
    assert figure_7a.lines(found)[0].mean[0] == pytest.approx(0.00002)
    assert [row.passed for row in figure_7a.agreement(found)] == [True]


def test_the_spectrum_is_judged_by_its_widest_gap():
    def found(values):
        after, ratio = class_gap(values)
        latest = {"spectrum": values, "class_gap_after": after, "class_gap": ratio}
        return [RunResult.collect(figure_7b.job()[0], [Snapshot(time=0.0, latest=latest)])]

    values = np.concatenate([np.full(10, 9.0), 1.0 / np.arange(1, 91)])
    (line,) = figure_7b.lines(found(values))
    assert line.x[0] == 1.0 and line.mean[0] == 1.0 and line.at(10.0) is not None
    assert figure_7b.agreement(found(values))[0].passed is True
    assert figure_7b.agreement(found(1.0 / np.arange(1, 91)))[0].passed is False


def test_nothing_is_judged_before_it_is_computed():
    for one, _, size in SIZES:
        found = [SweepResult(j) if isinstance(j, SweepConfig) else None for j in size.jobs]
        assert all(row.passed is None for row in one.agreement(found)), one.name
        assert not any(len(curve.x) for curve in one.curves(found)), one.name


# ── neurons ──────────────────────────────────────────────────────────────────────────────
def gathering(config: RunConfig, reach: float) -> RunResult:
    """Return a run whose neurons go from random places towards the teacher's neurons."""
    values = config.resolve().to_dict()
    b, a = teacher(values, Streams.from_seed(values["data_seed"]))
    start = 0.01 * np.random.default_rng(0).standard_normal((3, 2))
    paths = [start, start + reach * b]
    snapshots = [
        Snapshot(
            time=float(t),
            series={"nonlinear.train_loss": 1e-3},
            sparse={"neurons.nonlinear": path},
            latest={"neurons.sign": a},
        )
        for t, path in enumerate(paths)
    ]
    return RunResult.collect(config, snapshots)


def test_neurons_that_reach_the_teacher_have_a_cosine_of_one():
    rich, lazy = figure_1ab.runs(16, steps=True)
    found = [gathering(rich, 1.0), gathering(lazy, 1e-3)]
    assert _neurons.cosines(found[0])[1] == pytest.approx(1.0, abs=1e-3)
    assert _neurons.displacement(found[0]) == pytest.approx(1000 * _neurons.displacement(found[1]))
    rows = figure_1ab.agreement(found)
    assert [row.passed for row in rows] == [True, True, None, True, True, None]


def test_figure_6_wants_paired_neurons_to_stay():
    jobs = figure_6.runs(steps=False)
    assert [job.zero_output for job in jobs] == ["symmetrized", "none", "symmetrized"]
    good = [gathering(job, reach) for job, reach in zip(jobs, (1.0, 5e-3, 1e-3), strict=True)]
    assert figure_6.agreement(good)[-1].passed is True
    assert figure_6.agreement([good[0], good[2], good[1]])[-1].passed is False


# ── the kernel of many neurons ───────────────────────────────────────────────────────────
def test_the_limit_kernel_is_the_expectation_of_a_draw():
    angle = np.array([0.0, 0.7, np.pi / 2, 2.0, np.pi, 4.0])
    drawn = figure_4.sample(200_000, angle, np.random.default_rng(1))
    np.testing.assert_allclose(drawn, figure_4.limit(angle), atol=0.015)
    np.testing.assert_allclose(figure_4.limit(2 * np.pi - angle), figure_4.limit(angle), atol=1e-15)


def test_a_draw_is_the_kernel_of_explicit_features():
    """Features of h = (1/√m) Σ b σ(a·x) by hand, in ten dimensions."""
    rng, m = np.random.default_rng(3), 7
    angle = np.array([0.3, 2.0])
    drawn = figure_4.sample(m, angle, np.random.default_rng(3))
    a, b = rng.standard_normal((2, m)), rng.standard_normal(m)
    a = np.concatenate([a, np.random.default_rng(9).standard_normal((8, m))])

    def features(phi):
        x = np.zeros(10)
        x[:2] = np.cos(phi), np.sin(phi)
        on = (x @ a > 0.0) * 1.0
        return np.concatenate([(np.maximum(x @ a, 0.0)), np.outer(on * b, x).ravel()]) / np.sqrt(m)

    expected = [features(0.0) @ features(phi) for phi in angle]
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)


def test_figure_4_holds():
    rows = figure_4.agreement()
    assert [row.passed for row in rows] == [True] * len(rows)
    psi = np.pi - figure_4.LOWEST_AT
    assert psi * np.tan(psi) == pytest.approx(0.5, abs=1e-4)
