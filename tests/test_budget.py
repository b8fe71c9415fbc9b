"""What a run costs is known before it is queued, and what is too much is said with a cure."""

import pytest
from choices import is_possible

from lazycore import run
from lazycore.config import cost as budget
from lazycore.config import spec
from lazycore.config.cost import COSTLESS, Budget, check, check_sweep, duration, estimate
from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import BudgetError


def refusal(config: RunConfig, limit: Budget = budget.DEFAULT) -> str:
    with pytest.raises(BudgetError) as error:
        check(config, limit)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and "the limit is" in text and "lower" in text
    return text


@pytest.mark.parametrize("steps", [10**12, 10**15])
@pytest.mark.parametrize("dynamics", ["gd", "sgd"])
def test_a_million_million_steps_are_refused_with_the_number_that_fits(steps, dynamics):
    config = RunConfig(dynamics=dynamics, steps=steps)
    text = refusal(config)
    assert f"steps={steps:,}" in text
    nearest = int(text.split("about ")[-1].split(" fit")[0].replace(",", ""))
    check(RunConfig(dynamics=dynamics, steps=nearest))
    assert nearest < steps


def test_a_hundred_thousand_points_are_refused_for_their_memory():
    assert "n_train=100000" in refusal(RunConfig(n_train=100_000, dim=5000))
    assert "GB" in refusal(RunConfig(n_train=100_000, width=100_000))


def test_a_flow_that_is_too_slow_says_what_to_lower():
    text = refusal(RunConfig(n_train=3000, width=3000, dim=500), Budget(seconds=30.0))
    assert "width=3000" in text and "n_train" in text


def test_a_refused_run_is_refused_before_anything_is_computed():
    with pytest.raises(BudgetError):
        run(RunConfig(dynamics="gd", steps=10**12))


@pytest.mark.parametrize("task", sorted(spec.collect("task")))
@pytest.mark.parametrize("dynamics", sorted(spec.collect("dynamics")))
def test_default_runs_of_everything_fit(task, dynamics):
    for model in spec.collect("model"):
        chosen = {"task": task, "dynamics": dynamics, "model": model}
        made_for = spec.find("model", model).SPEC.defaults.get("dynamics", dynamics)
        if made_for != dynamics or not is_possible(chosen):
            continue
        cost = check(RunConfig.from_dict(chosen))
        assert 0.0 < cost.seconds < 1800 and 0.0 < cost.bytes < 4e9


def test_more_of_anything_never_costs_less():
    base = {"dynamics": "gd", "steps": 1000, "n_train": 200, "width": 100, "dim": 10}
    cost = estimate(RunConfig(**base))
    for name in base:
        if name == "dynamics":
            continue
        more = estimate(RunConfig(**(base | {name: 4 * base[name]})))
        assert more.seconds > cost.seconds, name
        assert more.bytes >= cost.bytes, name


def test_an_adaptive_run_has_a_limit_that_the_config_alone_fixes():
    cost = estimate(RunConfig())
    assert Budget(evaluations=500).evaluations_of(cost) == 500
    assert Budget(seconds=1e-9).evaluations_of(cost) == 100
    half = Budget(seconds=cost.evaluation_seconds * 1000.5)
    assert half.evaluations_of(cost) == 1000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "a second"),
        (1.0, "1 s"),
        (89.4, "89 s"),
        (90.0, "2 minutes"),
        (1800.0, "30 minutes"),
        (3 * 3600.0, "3 hours"),
        (5 * 86400.0, "5 days"),
        (3.15e7 * 1200, "1,200 years"),
    ],
)
def test_durations_are_in_the_unit_a_person_would_use(seconds, text):
    assert duration(seconds) == text


# ── sweeps ───────────────────────────────────────────────────────────────────────────────
def sweep(**text: str) -> SweepConfig:
    return SweepConfig.from_text({"task": "sine", "dynamics": "gd"} | text)


def test_a_sweep_costs_what_its_runs_cost():
    config = sweep(alpha="1,10", width="4,400", init_seed="0:3", steps="10,1000")
    each = [estimate(cell.config).seconds for cell in config.cells]
    assert check_sweep(config) == pytest.approx(sum(each))


@pytest.mark.parametrize("name", sorted(set(COSTLESS) - {"batch_seed"}))
def test_the_estimate_does_not_depend_on_what_is_said_to_cost_nothing(name):
    config = sweep(**{name: "1,2"})
    first, second = (estimate(cell.config) for cell in config.cells)
    assert first == second


def test_cells_that_cost_the_same_are_estimated_once(monkeypatch):
    asked = []
    monkeypatch.setattr(budget, "estimate", lambda config: asked.append(config) or estimate(config))
    check_sweep(sweep(alpha="1:100:20", width="4,8", init_seed="0:10"))
    assert len(asked) == 2


def test_a_sweep_of_too_many_seconds_says_how_many_cells_fit():
    config = sweep(init_seed="0:100", steps="1e6")
    with pytest.raises(BudgetError) as error:
        check_sweep(config, seconds=3600.0)
    text = str(error.value)
    assert "these 100 cells would take about" in text and "the limit is 60 minutes" in text
    nearest = int(text.split("about ")[-1].split(" fit")[0])
    assert check_sweep(sweep(init_seed=f"0:{nearest}", steps="1e6"), seconds=3600.0) <= 3600.0


def test_a_cell_that_alone_is_too_much_is_named():
    with pytest.raises(
        BudgetError, match=r"in the cell steps=1000000000000, alpha=1, this run would take"
    ):
        check_sweep(sweep(steps="10,1e12", alpha="1,"))
