"""The checks hold, and a broken engine makes them fail."""

from dataclasses import replace

import pytest

from lazycore import run
from lazycore.cli import main
from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.errors import ConfigError
from lazycore.papers import checking
from lazycore.papers.claim import Check, Row, collect
from lazycore.papers.lazy_training.claims import theorem_2_3


def test_every_check_has_a_name_of_its_own_and_a_source():
    checks = collect()
    assert len({c.name for c in checks}) == len(checks)
    assert all(c.source for c in checks)
    assert [c.slow for c in checks] == sorted(c.slow for c in checks), "slow ones come last"


def test_quick_leaves_out_the_slow_ones_and_patterns_choose():
    assert not any(c.slow for c in checking.select([], quick=True))
    assert {c.name for c in checking.select(["theorem-2.2-square-*"], quick=True)} == {
        "theorem-2.2-square-centered",
        "theorem-2.2-square-symmetrized",
        "theorem-2.2-square-none",
    }
    with pytest.raises(ConfigError, match="no check is called nonsense"):
        checking.select(["nonsense"], quick=False)


def test_a_paper_has_checks_of_its_own_and_the_slow_ones_only_in_full(capsys):
    everything = checking.select([], quick=False, paper="lazy-training")
    quick = checking.select([], quick=True, paper="lazy-training")
    assert {c.paper for c in everything} == {"lazy-training"}
    assert "kernels" not in {c.name for c in everything}
    assert {c.name for c in quick} >= {"theorem-2.3", "theorem-2.5-figure-eight", "homogeneity"}
    with pytest.raises(ConfigError, match="no checks of the paper hasty: give .*lazy-training"):
        checking.select([], quick=False, paper="hasty")
    assert main(["check", "--full"]) == 2
    assert "belongs to --paper" in capsys.readouterr().err
    assert main(["check", "kernels", "--paper", "lazy-training"]) == 2


def judged(name):
    """Return the rows of a check, its runs computed here."""
    (check,) = checking.select([name], quick=True)
    return check.judge({label: run(config) for label, config in check.runs.items()})


@pytest.mark.parametrize(
    "name",
    [
        "theorem-2.2-bound",
        "theorem-2.3",
        "theorem-2.4-slopes",
        "theorem-2.5-figure-eight",
        pytest.param("theorem-2.4-bounds", marks=pytest.mark.slow),
        pytest.param("theorem-2.5-quadratic", marks=pytest.mark.slow),
        pytest.param("kappa-scaling", marks=pytest.mark.slow),
        pytest.param("float32", marks=pytest.mark.slow),
        pytest.param("final-kernel-digits", marks=pytest.mark.slow),
        pytest.param("final-kernel-stripe", marks=pytest.mark.slow),
        pytest.param("kernel-alignment", marks=pytest.mark.slow),
        pytest.param("stripe-compression", marks=pytest.mark.slow),
    ],
)
def test_a_claim_of_the_paper_holds(name):
    rows = judged(name)
    assert rows and all(row.passed is not False for row in rows), rows


def test_a_constant_that_is_too_small_makes_the_check_of_theorem_2_3_fail():
    (check,) = checking.select(["theorem-2.3"], quick=True)
    label = next(iter(check.runs))
    result = run(check.runs[label])
    smaller = result.latest | {"constants.curvature": 0.02 * result.latest["constants.curvature"]}
    assert theorem_2_3.ratios(result, 0.05, 0.5)[0] < 1.0
    assert theorem_2_3.ratios(replace(result, latest=smaller), 0.05, 0.5)[0] > 1.0


def test_the_fast_forms_agree_with_their_oracles():
    for name in ("kernels", "linearised-descent", "linearised-flow"):
        (check,) = checking.select([name], quick=True)
        rows = check.judge({})
        assert rows and all(row.passed for row in rows), rows


def test_the_rates_of_theorem_2_2_and_the_homogeneity_identity_hold(capsys):
    assert main(["check", "theorem-2.2-square-*", "homogeneity"]) == 0
    out = capsys.readouterr().out
    assert out.count("holds") == 8 and "FAILS" not in out and "all hold" in out


def test_a_wrong_derivative_makes_the_kernel_check_fail(monkeypatch):
    relu = spec.find("activation", "relu")

    def wrong(z, values):
        return (z > -0.1).to(z.dtype)

    monkeypatch.setattr(relu, "slope", wrong)
    monkeypatch.setattr(relu, "both", lambda z, v: (relu.sigma(z, v), wrong(z, v)))
    (check,) = checking.select(["kernels"], quick=True)
    assert not check.judge({})[0].passed


def test_a_check_is_judged_as_soon_as_its_runs_are_there_and_each_run_is_made_once(monkeypatch):
    """Two checks share a run; the one whose runs are the cheaper ones need not wait."""
    tiny = {"task": "sine", "n_train": 4, "n_test": 0, "width": 4, "dynamics": "gd"}
    few, many = (RunConfig(**tiny, steps=steps) for steps in (5, 500))
    asked = []

    def check(name, **runs):
        def judge(results):
            return [Row(name, ", ".join(r.digest for r in results.values()), "", None)]

        return Check(name=name, source="", judge=judge, runs=runs)

    def lanes(configs, **options):
        asked.append((list(configs), options))
        yield from enumerate(run(config) for config in configs)

    monkeypatch.setattr(checking, "run_lanes", lanes)
    checks = [check("both", a=many, b=few), check("none"), check("cheap", a=few)]
    found = checking.Checking(checks, device="cpu", threads=3)
    said = [item and (item[0].name, item[1][0].measured) for item in found.judged()]
    both, cheap = f"{many.digest}, {few.digest}", few.digest
    assert said == [("none", ""), None, None, ("both", both), ("cheap", cheap)]
    assert asked == [([many, few], {"device": "cpu", "threads": 3})]
    assert (found.done, found.total) == (2, 2)


def test_what_goes_wrong_in_a_judgement_stops_the_other_runs(monkeypatch):
    stopped = []

    def lanes(configs, **_):
        try:
            yield from enumerate(run(config) for config in configs)
        finally:
            stopped.append(True)

    def judge(results):
        raise LookupError("a bug")

    tiny = {"task": "sine", "n_train": 4, "n_test": 0, "width": 4, "dynamics": "gd", "steps": 3}
    runs = {str(seed): RunConfig(**tiny, seed=seed) for seed in range(3)}
    checks = [
        Check(name="bad", source="", judge=judge, runs={"0": runs["0"]}),
        Check(name="other", source="", judge=judge, runs=runs),
    ]
    monkeypatch.setattr(checking, "run_lanes", lanes)
    monkeypatch.setattr(checking, "collect", lambda: checks)
    with pytest.raises(LookupError):
        main(["check"])
    assert stopped == [True]


def test_a_device_that_is_not_there_is_refused_before_anything_is_said(capsys):
    assert main(["check", "kernels", "--device", "tpu"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "device=tpu is not available" in said.err


def test_a_failed_claim_ends_with_1_and_is_counted(monkeypatch, capsys):
    rows = [Row("the moon is cheese", "rock", "cheese", False)]
    cheese = Check(name="kernels", source="folklore", judge=lambda results: rows)
    monkeypatch.setattr(checking, "collect", lambda: [cheese])
    assert main(["check", "kernels"]) == 1
    out = capsys.readouterr().out
    assert "FAILS  the moon is cheese" in out and "1 FAILED" in out


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_figure_1_at_full_size(capsys):
    assert main(["check", "figure-1*"]) == 0
