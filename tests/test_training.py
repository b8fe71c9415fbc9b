"""Whole runs: repeatable, honest about divergence, and equal where theory says they are."""

import math

import numpy as np
import oracle
import pytest
import torch

from lazycore import run, train
from lazycore.config.cost import Budget
from lazycore.config.moments import recorded_steps
from lazycore.config.run import RunConfig
from lazycore.errors import BudgetError, ConfigError
from lazycore.running.run import choose_device

TINY = {"task": "teacher", "dim": 3, "n_train": 6, "n_test": 4, "width": 4}


def equal(a, b) -> bool:
    """Whether two results hold the same numbers, bit by bit."""
    if set(a.series) != set(b.series) or not np.array_equal(a.time, b.time):
        return False
    groups = ((a.series, b.series), (a.sparse, b.sparse))
    return all(np.array_equal(x[k], y[k], equal_nan=True) for x, y in groups for k in x)


@pytest.mark.parametrize("dynamics", [{"dynamics": "gd", "steps": 20}, {"dynamics": "flow"}])
def test_equal_configs_give_equal_numbers(dynamics):
    config = RunConfig(**TINY, **dynamics, activation="tanh")
    one = run(config)
    torch.manual_seed(123)
    np.random.seed(123)
    torch.rand(5)
    assert equal(one, run(config)) and equal(one, run(config.resolve()))
    assert not equal(one, run(RunConfig(**TINY, **dynamics, activation="tanh", seed=1)))


def test_a_run_touches_no_generator_of_anyone_else():
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.rand(1), np.random.random()
    torch.manual_seed(5)
    np.random.seed(5)
    run(RunConfig(**TINY, dynamics="sgd", steps=5))
    assert (torch.rand(1), np.random.random()) == before


def test_sgd_differs_with_its_batch_seed_and_with_nothing_else_of_the_start():
    fields = TINY | {"dynamics": "sgd", "steps": 20, "batch_size": 2}
    one, two = (run(RunConfig(**fields, batch_seed=seed)) for seed in (1, 2))
    key = "nonlinear.train_loss"
    assert one.series[key][0] == two.series[key][0] and one.series[key][-1] != two.series[key][-1]


@pytest.mark.parametrize("steps", [1, 7, 300])
def test_recorded_times_are_steps_times_the_step_size(steps):
    result = run(RunConfig(**TINY, dynamics="gd", steps=steps, step_size=0.25))
    assert (
        np.allclose(result.time, 0.25 * recorded_steps(steps)) and result.time[-1] == 0.25 * steps
    )
    assert result.kernel_time[0] == 0.0 and result.kernel_time[-1] == result.time[-1]
    assert set(result.kernel_time) <= set(result.time)


def test_a_flow_is_recorded_from_zero_to_its_end():
    result = run(RunConfig(**TINY, activation="tanh", time=3.0))
    assert result.time[0] == 0.0 and result.time[-1] == 3.0 and len(result.time) == 201
    assert result.time[1] == pytest.approx(3e-4) and result.latest["horizon"] == 3.0


def test_what_is_chosen_for_a_person_is_written_out():
    result = run(RunConfig(**TINY, dynamics="gd", steps=3))
    assert result.config["step_size"] is None
    assert result.latest["step_size"] == pytest.approx(1.0 / result.latest["lambda_max"])
    flow = run(RunConfig(**TINY, activation="tanh", alpha=50.0))
    assert flow.latest["horizon"] == pytest.approx(200.0 / flow.latest["lambda_max"])


@pytest.mark.parametrize("loss", ["square", "logistic"])
def test_a_run_that_diverges_is_a_result_with_nulls_from_there_on(loss):
    fields = TINY | {"loss": loss, "dynamics": "gd", "steps": 400, "activation": "relu"}
    step = 40.0 if loss == "square" else 1e9
    result = run(RunConfig(**fields, step_size=step, zero_output="none"))
    record = result.to_dict()
    if loss == "square":
        assert result.status == "diverged"
        for model in ("nonlinear", "linearized"):
            losses = record[model]["train_loss"]
            if record[model]["status"] == "diverged":
                end = losses.index(None) if None in losses else len(losses)
                assert all(v is None for v in losses[end:])
    for key, values in result.series.items():
        assert not np.isinf(values).any(), key


def test_both_models_diverging_ends_the_run_early():
    result = run(RunConfig(**TINY, dynamics="gd", steps=10**5, step_size=1e3))
    record = result.to_dict()
    assert result.status == "diverged" and result.time[-1] < 1e8
    assert record["nonlinear"]["status"] == record["linearized"]["status"] == "diverged"
    assert record["gap"]["train_output"][-1] is None
    assert record["nonlinear"]["displacement"][-1] is None


def test_a_network_catapults_while_its_linearisation_diverges():
    """Steps between 2/λ and 4/λ: the kernel of the network shrinks until they are stable."""
    fields = {"task": "teacher", "dim": 10, "n_train": 20, "n_test": 0, "width": 200}
    options = {"activation": "relu", "zero_output": "none", "dynamics": "gd", "steps": 400}
    small = run(RunConfig(**fields, **(options | {"steps": 1})))
    step = 2.5 / small.latest["lambda_max"]
    result = run(RunConfig(**fields, **options, step_size=step))
    record = result.to_dict()
    assert result.status == "diverged"
    assert record["linearized"]["status"] == "diverged"
    assert record["nonlinear"]["status"] == "done"
    losses = record["nonlinear"]["train_loss"]
    assert None not in losses and losses[-1] < losses[0]
    assert record["linearized"]["train_loss"][-1] is None
    assert record["gap"]["train_output"][-1] is None
    assert record["time"][-1] == pytest.approx(400 * step)


@pytest.mark.parametrize("loss", ["square", "logistic"])
def test_the_homogeneity_identity_of_relu_networks(loss):
    """GD on F_α from w0 with step η is GD on R∘h from λ w0 with step η λ^{2−2q}, α = λ^q."""
    q, factor = 2, 1.7
    fields = TINY | {"activation": "relu", "loss": loss, "dynamics": "gd", "steps": 500}
    fields |= {"scaling": "plain", "zero_output": "symmetrized", "n_train": 10, "width": 8}
    step = 0.05
    one = run(RunConfig(**fields, alpha=factor**q, step_size=step))
    two = run(
        RunConfig(**fields, alpha=1.0, init_scale=factor, step_size=step * factor ** (2 - 2 * q))
    )
    for key in ("nonlinear.train_loss", "nonlinear.test_loss", "gap.train_output"):
        a, b = one.series[key], two.series[key]
        assert np.abs(a - b).max() <= 1e-12 * np.abs(a).max(), key
    moved = one.series["nonlinear.displacement"], two.series["nonlinear.displacement"]
    assert np.allclose(factor * moved[0], moved[1], rtol=1e-12)
    # The other run must move in earnest, or the identity would say little.
    assert one.series["nonlinear.train_loss"][-1] < 0.9 * one.series["nonlinear.train_loss"][0]


def test_the_homogeneity_identity_holds_for_deep_linear_layers_of_degree_three():
    q, factor = 3, 1.3
    fields = TINY | {"model": "fully_connected", "depth": 2, "activation": "relu", "steps": 200}
    fields |= {"dynamics": "gd", "zero_output": "centered"}
    one = run(RunConfig(**fields, alpha=factor**q, step_size=1.0))
    two = run(RunConfig(**fields, init_scale=factor, step_size=factor ** (2 - 2 * q)))
    a, b = (r.series["nonlinear.train_loss"] for r in (one, two))
    assert np.abs(a - b).max() <= 1e-12 * a.max()


@pytest.mark.parametrize("scaling", ["ntk", "plain", "mean_field"])
def test_losses_after_whole_runs_are_those_of_the_oracle(scaling):
    config = RunConfig(**TINY, scaling=scaling, dynamics="gd", steps=50, alpha=2.0, bias="zero")
    result, s = run(config), oracle.setting(config)
    walk = oracle.descend(s.objective(s.h), s.w0, result.latest["step_size"])
    w = [u for _, u in zip(range(51), walk, strict=False)][-1]
    wanted = float(s.risk(s.alpha * s.h(w, s.x)))
    assert result.series["nonlinear.train_loss"][-1] == pytest.approx(wanted, rel=1e-9)


def test_single_precision_is_close_to_double_where_it_may_be():
    fields = TINY | {"dynamics": "gd", "steps": 50, "activation": "tanh"}
    double, single = (run(RunConfig(**fields, dtype=d)) for d in ("float64", "float32"))
    key = "nonlinear.train_loss"
    assert np.allclose(single.series[key], double.series[key], rtol=1e-4)
    assert single.numerical_error > 1e6 * double.numerical_error


@pytest.mark.parametrize("dynamics", [{"dynamics": "gd", "steps": 200}, {"dynamics": "flow"}])
def test_at_a_huge_alpha_the_gap_is_rounding_and_the_record_says_so(dynamics):
    result = run(RunConfig(**TINY, activation="tanh", alpha=1e11, **dynamics))
    assert np.nanmax(result.series["gap.train_output"]) <= result.numerical_error
    assert result.verdict == "undecided"


def test_verdicts_go_from_rich_to_lazy_with_alpha():
    fields = TINY | {"activation": "tanh", "dynamics": "gd", "steps": 2000}
    words = [run(RunConfig(**fields, alpha=a, step_size=1.0)).verdict for a in (0.03, 1.0, 300.0)]
    assert words[0] == "rich" and words[-1] == "lazy"


def test_snapshots_come_one_by_one_with_their_progress():
    snapshots = list(train(RunConfig(**TINY, dynamics="gd", steps=40)))
    progress = [s.progress for s in snapshots]
    assert progress == sorted(progress) and progress[0] == 0.0 and progress[-1] == 1.0
    assert snapshots[0].latest["device"] == "cpu" and snapshots[-1].latest["status"] == "done"
    assert all(s.latest["status"] == "budget" for s in snapshots[:-1])


def test_a_flow_that_reaches_its_limit_keeps_what_it_has():
    config = RunConfig(**TINY, activation="relu", alpha=0.3)
    result = run(config, budget=Budget(evaluations=400))
    assert result.status == "budget" and 1 <= len(result.time) < 201
    assert result.to_dict()["nonlinear"]["status"] == "done"


def test_the_budget_is_asked_before_the_first_snapshot_and_can_be_lifted():
    config = RunConfig(**TINY, dynamics="gd", steps=50)
    with pytest.raises(BudgetError, match="lower steps=50"):
        run(config, budget=Budget(seconds=1e-6))
    with pytest.raises(BudgetError, match="GB"):
        run(config, budget=Budget(bytes=10.0))
    assert run(config, budget=None).status == "done"


@pytest.mark.parametrize("name", ["quantum", "cuda:99", "cpu:x", "cpu:5", "meta"])
def test_a_device_that_is_not_there_is_a_config_error(name):
    with pytest.raises(ConfigError) as error:
        choose_device(name)
    assert name in str(error.value) and "cpu" in str(error.value)


def test_a_device_that_is_there_is_taken():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device(None).type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "digits", "n_train": 1, "n_test": 0},
        {"task": "sine", "n_train": 1, "n_test": 0},
        {"width": 1},
        {"dim": 1},
        {"activation": "linear"},
        {"activation": "linear", "model": "fully_connected", "depth": 1},
        {"init_scale": 30.0},
        {"alpha": 1e12},
        {"model": "fully_connected", "depth": 12},
        {"task": "circles", "noise": 1.0, "loss": "cross_entropy"},
    ],
    ids=lambda fields: "-".join(map(str, fields.values())),
)
@pytest.mark.parametrize("dynamics", [{"dynamics": "gd", "steps": 10}, {"time": 0.1}])
def test_odd_but_allowed_runs_finish_and_hold_finite_numbers(fields, dynamics):
    result = run(RunConfig(**({"n_train": 5, "n_test": 2, "width": 4} | fields | dynamics)))
    assert result.status == "done"
    assert all(np.isfinite(v).all() for k, v in result.series.items() if "theory" not in k)
    assert 0.0 < result.numerical_error < math.inf
