"""What the Theorems page says of a run: hypotheses, bounds, rates, against what is known."""

import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.lazy_training.theorems.homogeneity import TWIN
from lazycore.papers.lazy_training.theorems.kappa_criterion import (
    SWEEP,
    expected_kappa,
    kappa_of,
    width_rates,
)
from lazycore.papers.lazy_training.theorems.theorem_2_3 import radii
from lazycore.papers.lazy_training.theorems.theorem_2_4 import condition, local_curvature, threshold
from lazycore.papers.theorem import BELOW, BOUND, OUTSIDE, Rate, theorems
from lazycore.results.run import RunResult
from lazycore.theory import lazy

SMALL = {"task": "teacher", "dim": 4, "n_train": 6, "n_test": 5, "width": 8, "time": 2.0}


@cache
def result_of(*fields):
    return run(RunConfig.from_dict(dict(fields)))


def made(**fields):
    """Return the run of the small problem with these fields; each is computed once."""
    return result_of(*sorted((SMALL | fields).items()))


def program(**fields):
    return result_of(*sorted(fields.items()))


def marks(name, result):
    """Return the hypotheses of a theorem on this run as marks, by the first words found."""
    return {h.found: h.mark for h in theorems()[name].hypotheses(result)}


def failing(name, result):
    return [h.found for h in theorems()[name].hypotheses(result) if h.holds is False]


# ── the registry ─────────────────────────────────────────────────────────────────────────
def test_the_seven_statements_are_there_in_the_order_of_the_paper():
    assert list(theorems()) == [
        "κ criterion",
        "Homogeneity",
        "Theorem 2.2",
        "Theorem 2.3",
        "Theorem 2.4",
        "Theorem 2.5",
        "Proposition A.1",
    ]
    for theorem in theorems().values():
        assert theorem.statement and theorem.source and theorem.paper == "lazy-training"
        assert len({config.digest for config in theorem.examples.values()}) >= 4


def test_theorems_need_no_torch():
    code = (
        "import sys; from lazycore.papers.theorem import theorems; theorems(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# ── hypotheses ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", list(theorems()))
def test_every_hypothesis_is_decided_or_says_why_not(name):
    for fields in ({"activation": "tanh"}, {}, {"activation": "tanh", "zero_output": "none"}):
        for hypothesis in theorems()[name].hypotheses(made(**fields)):
            assert hypothesis.text and hypothesis.found and hypothesis.mark in "✓✗?"


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("Theorem 2.2", {}, "relu has kinks"),
        ("Theorem 2.2", {"activation": "tanh", "zero_output": "none"}, "‖h(w₀)‖ = "),
        ("Theorem 2.3", {"activation": "tanh", "loss": "logistic"}, "loss = logistic"),
        ("Theorem 2.3", {}, "unknown: h has kinks"),
        ("Theorem 2.4", {"activation": "tanh", "n_train": 60}, "rank 40 of 60 outputs"),
        ("Theorem 2.4", {"activation": "tanh", "loss": "logistic"}, "m = 0"),
        ("Proposition A.1", {"activation": "tanh", "n_test": 0}, "no test points"),
        ("κ criterion", {"activation": "tanh", "alpha": 0.01}, "κ = "),
        ("Homogeneity", {"activation": "tanh"}, "tanh"),
        ("Homogeneity", {"bias": "normal"}, "bias = normal"),
    ],
)
def test_a_hypothesis_that_fails_is_said(name, fields, said):
    assert any(said in found for found in failing(name, made(**fields)))


def test_discrete_steps_are_no_flow():
    fields = {k: v for k, v in SMALL.items() if k != "time"}
    result = run(RunConfig(**fields, activation="tanh", dynamics="gd", steps=5))
    assert "dynamics = gd: discrete steps" in failing("Theorem 2.2", result)
    assert theorems()["Theorem 2.2"].lines(result, {})[0].bound is None


def test_paired_neurons_fail_the_constant_rank_of_theorem_2_5_and_centred_ones_do_not():
    fields = {"activation": "tanh", "n_train": 30, "dim": 2, "width": 4}
    paired, centred = made(**fields, zero_output="symmetrized"), made(**fields)
    assert any("6 at w₀" in found for found in failing("Theorem 2.5", paired))
    assert failing("Theorem 2.5", centred) == []


def test_a_run_without_recorded_constants_is_not_judged(make_run):
    result = make_run(config=RunConfig(**SMALL, activation="tanh"))
    for name in ("Theorem 2.2", "Theorem 2.3", "Theorem 2.4", "Theorem 2.5"):
        assert any(h.holds is None for h in theorems()[name].hypotheses(result))
        assert theorems()[name].lines(result, {})
    assert not all(h.holds for h in theorems()["Theorem 2.4"].hypotheses(result))


# ── lines ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["Theorem 2.2", "Theorem 2.3"])
@pytest.mark.parametrize(
    "fields",
    [
        {"task": "vector", "time": 3.0, "alpha": 30.0},
        {"task": "plane_target", "time": 3.0, "alpha": 10.0},
        SMALL | {"activation": "tanh", "alpha": 30.0},
        SMALL | {"activation": "softplus", "alpha": 30.0, "zero_output": "none"},
    ],
    ids=["quadratic", "figure eight", "tanh", "softplus, h(w0) not 0"],
)
def test_what_is_measured_stays_below_every_bound(name, fields):
    found = [line for line in theorems()[name].lines(program(**fields), {}) if line.ratio]
    assert found and all(line.kind == BOUND and line.ratio <= 1.0 for line in found)


def test_the_gap_bound_is_the_line_that_the_run_records():
    result = made(activation="tanh", alpha=30.0)
    line = theorems()["Theorem 2.3"].lines(result, {})[0]
    recorded = result.series["theory.theorem_2_3"]
    # The constants are tabulated by radius: a little larger, never smaller.
    assert (line.bound >= recorded * (1 - 1e-9)).all()
    assert (line.bound <= recorded * 1.2 + 1e-300).all()


def test_constants_estimated_from_below_are_called_so():
    result = made(activation="tanh", model="fully_connected", depth=2, alpha=100.0)
    lines = theorems()["Theorem 2.3"].lines(result, {})
    assert {line.kind for line in lines} == {BELOW}
    assert theorems()["Theorem 2.3"].hypotheses(result)[-1].holds is None
    assert {theorems()["Theorem 2.4"].lines(result, {})[0].kind} <= {BELOW, OUTSIDE}


def test_theorem_2_4_holds_above_its_threshold_and_says_nothing_below():
    fields = {"task": "vector", "time": 20.0}
    above, below = program(**fields, alpha=60.0), program(**fields, alpha=3.0)
    lines = theorems()["Theorem 2.4"].lines(above, {})
    assert [line.kind for line in lines[:2]] == [BOUND, BOUND]
    # At t = 0 both sides are equal; below the error of the method there is nothing to compare.
    seen = lines[0].bound > 100.0 * above.numerical_error
    assert (lines[0].measured[seen] <= lines[0].bound[seen] * (1 + 1e-9)).all()
    assert lines[1].ratio <= 1.0
    assert theorems()["Theorem 2.4"].lines(below, {})[0].kind == OUTSIDE
    assert any("against 48" in found for found in failing("Theorem 2.4", below))


def test_the_threshold_is_the_formula_with_known_constants():
    known = Constants.of(program(task="vector", time=20.0, alpha=60.0))
    assert condition(known) == 1.0
    assert threshold(known) == pytest.approx(1.0 / (32.0 * 1.5), rel=1e-6)
    assert local_curvature(known, 1.0) == pytest.approx(1.0, rel=1e-6)
    eight = Constants.of(program(task="plane_target", time=3.0, alpha=10.0))
    assert threshold(eight) == 0.0


def test_the_local_curvature_solves_its_equation(monkeypatch):
    known = Constants({}, {}, 0.0)
    monkeypatch.setattr(Constants, "curvature", property(lambda self: lambda r: 0.3 + 0.5 * r))
    found = local_curvature(known, 2.0)
    assert found == pytest.approx(0.3 + 0.5 * 2.0 / (2.0 * found), rel=1e-9)


def test_the_smallest_radius_meets_the_hypothesis_and_a_smaller_one_does_not():
    given = {"residual": 0.7, "alpha": 20.0, "differential": 1.5}

    def holds(r, time):
        lipschitz = 1.5 + r * (0.4 + 0.1 * r)
        return 20.0 * r * lipschitz >= time * lipschitz**2 * 0.7

    r = lazy.smallest_radius(2.0, **given, curvature=lambda r: 0.4 + 0.1 * r)
    assert holds(r, 2.0) and not holds(0.999 * r, 2.0)
    assert lazy.smallest_radius(2.0, **given, curvature=lambda r: 1e9 * (r > 0)) == np.inf


def test_beyond_the_largest_recorded_radius_there_is_no_bound():
    result = program(task="vector", time=3.0, alpha=0.1)
    assert np.isinf(radii(result)[-1])
    assert any("only up to t" in found for found in failing("Theorem 2.3", result))


# ── rates ────────────────────────────────────────────────────────────────────────────────
def test_the_late_rate_of_a_sum_of_exponentials_is_that_of_the_slowest():
    time = np.concatenate([[0.0], np.geomspace(1e-3, 20.0, 200)])
    rate, low, high = lazy.decay_rate(time, 0.5 * np.exp(-0.7 * time) + np.exp(-3.0 * time))
    assert rate == pytest.approx(0.7, abs=1e-3) and low <= rate <= high
    assert np.isnan(lazy.decay_rate(time, np.ones_like(time))[0])
    assert np.isnan(lazy.decay_rate(np.array([]), np.array([]))[0])


def test_the_rates_of_the_figure_eight_are_two_and_its_limit_the_linearised_optimum():
    results = [
        program(task="plane_target", time=12.0, tolerance=1e-6, alpha=a) for a in (10.0, 100.0)
    ]
    rates = theorems()["Theorem 2.5"].rates(results)
    assert all(rate.agrees and abs(rate.value - 2.0) < 0.02 for rate in rates)
    assert abs(results[1].series["nonlinear.train_loss"][-1] - 1.5625) < 1e-3


def test_exponents_over_alpha_are_those_of_the_theorems():
    results = [program(task="vector", time=1.0, alpha=a) for a in (30.0, 100.0, 300.0)]
    for name in ("Theorem 2.2", "Theorem 2.4"):
        powers = [r for r in theorems()[name].rates(results) if r.expected is not None]
        assert [r.expected for r in powers] == [-1.0, -2.0, -1.0]
        assert all(r.agrees for r in powers)
    found = [made(activation="tanh", alpha=a) for a in (30.0, 100.0, 300.0)]
    assert all(r.agrees is not False for r in theorems()["Proposition A.1"].rates(found))
    assert theorems()["κ criterion"].rates(found)[0].value == pytest.approx(-1.0, abs=1e-6)


def test_a_rate_agrees_when_it_is_near_or_its_interval_holds_what_is_expected():
    assert Rate("r", 1.0, 1.04, 1.03, 1.05, "").agrees
    assert Rate("r", 1.0, 1.3, 0.9, 1.7, "").agrees
    assert Rate("r", 1.0, 1.3, 1.2, 1.4, "").agrees is False
    assert Rate("r", None, 1.3, 1.2, 1.4, "").agrees is None


# ── κ and homogeneity ────────────────────────────────────────────────────────────────────
def test_the_shape_of_kappa_is_that_of_the_paper():
    m = np.array([16.0, 256.0])
    assert expected_kappa(m, "ntk") == pytest.approx(2.0 * m**-0.5)
    assert expected_kappa(m, "mean_field") == pytest.approx(1.0 + m**-0.5)


def test_kappa_by_neurons_is_that_of_an_independent_maximisation():
    import oracle
    import torch

    config = RunConfig(**SMALL | {"width": 5}, activation="tanh", zero_output="none")
    s, n = oracle.setting(config), 6
    second = torch.func.hessian(lambda u: s.h(u, s.x)[:, 0])(s.w0) / n**0.5
    best, rng = 0.0, np.random.default_rng(0)
    for _ in range(30):
        u = torch.tensor(rng.standard_normal(len(s.w0)))
        v = torch.tensor(rng.standard_normal(len(s.w0)))
        for _ in range(300):  # over the output direction and both parameter directions
            q = torch.einsum("npq,p,q->n", second, u, v)
            u = torch.einsum("n,npq,q->p", q, second, v)
            u = u / u.norm()
            q = torch.einsum("npq,p,q->n", second, u, v)
            v = torch.einsum("n,npq,p->q", q, second, u)
            v = v / v.norm()
        best = max(best, float(torch.einsum("npq,p,q->n", second, u, v).norm()))
    jacobian = s.jacobian(s.x)[:, 0] / n**0.5
    residual = oracle.rms(s.h(s.w0, s.x) - s.y)
    wanted = residual * best / float(torch.linalg.matrix_norm(jacobian, 2)) ** 2
    assert kappa_of(run(config)) == pytest.approx(wanted, rel=1e-4)


def test_the_widths_give_an_exponent_for_both_scalings():
    pandas = pytest.importorskip("pandas")
    rows = [
        {"scaling": s, "width": m, "init_seed": seed, "kappa": (1 + 0.1 * seed) * m**b}
        for s, b in (("ntk", -0.5), ("mean_field", 0.0))
        for m in (16, 64, 256)
        for seed in range(4)
    ]
    found = width_rates(pandas.DataFrame(rows))
    assert [r.value for r in found] == pytest.approx([-0.5, 0.0], abs=1e-9)
    assert all(r.agrees for r in found)
    assert set(SWEEP.axes) == {"scaling", "width", "init_seed"}


def largest_difference(result: RunResult, twin: RunResult) -> float:
    """Return the largest relative difference of loss and displacement between both runs."""
    worst = 0.0
    for line in theorems()["Homogeneity"].lines(result, {TWIN: twin}):
        if line.bound is None:
            return float("nan")
        scale = float(np.nanmax(np.abs(line.bound)))
        worst = max(worst, float(np.nanmax(np.abs(line.measured - line.bound))) / scale)
    return worst


@pytest.mark.parametrize(
    "fields",
    [
        {"alpha": 4.0, "zero_output": "none"},
        {"alpha": 8.0, "model": "fully_connected", "depth": 2, "activation": "linear"},
    ],
    ids=["q = 2", "q = 3"],
)
def test_the_twin_by_the_initial_scale_takes_the_same_path(fields):
    common = {k: v for k, v in SMALL.items() if k != "time"} | {"dynamics": "gd", "steps": 100}
    result = run(RunConfig(**common | fields))
    twins = theorems()["Homogeneity"].companions(result)
    assert list(twins) == [TWIN] and twins[TWIN].alpha == 1.0
    assert largest_difference(result, run(twins[TWIN])) < 1e-11


def test_tanh_has_no_twin_on_the_same_path_and_programs_have_none():
    result = made(activation="tanh", alpha=4.0)
    twin = theorems()["Homogeneity"].companions(result)[TWIN]
    assert largest_difference(result, run(twin)) > 1e-2
    assert np.isnan(largest_difference(result, replace(result, time=result.time[:3])))
    assert theorems()["Homogeneity"].companions(program(task="vector", time=1.0, alpha=30.0)) == {}
