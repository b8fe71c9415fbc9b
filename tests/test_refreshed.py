"""Iterative linearisation: the third path between gradient descent and lazy training."""

import numpy as np
import pytest
import torch

from lazycore import run
from lazycore.config import refreshing
from lazycore.config.cost import estimate
from lazycore.config.run import RunConfig
from lazycore.engine.problem.problem import build_problem
from lazycore.engine.refreshed.restart import restart
from lazycore.engine.refreshed.stages import Stages
from lazycore.errors import ConfigError
from lazycore.papers import claim
from lazycore.papers.iterative_linearization.claims import divergence
from lazycore.results.quantities import measure
from lazycore.results.run import RunResult, Snapshot
from lazycore.running.lanes import run_lanes
from lazycore.theory.filters import damped_filters, descent_filters

CPU = torch.device("cpu")
SMALL = {
    **{"task": "sine", "n_train": 12, "n_test": 9, "width": 10, "activation": "tanh"},
    **{"dynamics": "gd", "steps": 120, "alpha": 2.0},
}
BATCHES = SMALL | {"dynamics": "sgd", "batch_size": 4}
TEN = {
    **{"task": "digits", "labels": "ten", "n_train": 14, "n_test": 6, "width": 6},
    **{"loss": "cross_entropy", "dynamics": "gd", "steps": 60},
}
MODELS = [
    SMALL,
    SMALL | {"momentum": 0.9},
    SMALL | {"loss": "logistic"},
    SMALL | {"zero_output": "none"},
    SMALL | {"zero_output": "symmetrized", "model": "fully_connected"},
    TEN,
    TEN | {"model": "cnn", "width": None, "width_multiplier": 0.1, "n_train": 6, "steps": 10},
    BATCHES,
    BATCHES | {"momentum": 0.9, "schedule": "inverse_time"},
    {"task": "vector", "model": "quadratic", "weights": 5, "target_size": 9, "dynamics": "gd"},
]
CLAIMS = [check for check in claim.collect() if check.paper == "iterative-linearization"]
JUDGED = [check for check in CLAIMS if not check.runs]


def of(fields, **more) -> RunConfig:
    values = {name: value for name, value in (fields | more).items() if value is not None}
    return RunConfig.from_dict(values)


def apart(result: RunResult, model: str) -> float:
    """Return the largest difference of the third path's record to that of another model."""
    names = ("train_loss", "test_loss", "displacement", "output_change")
    pairs = [
        (result.series.get(f"refreshed.{n}"), result.series.get(f"{model}.{n}")) for n in names
    ]
    return max(float(np.abs(a - b).max()) for a, b in pairs if a is not None and b is not None)


@pytest.mark.parametrize("fields", MODELS)
def test_one_step_a_stage_is_gradient_descent_and_one_stage_is_lazy_training(fields):
    config = of(fields, refresh_every=1)
    result, steps = run(config), config.resolve().steps
    assert apart(result, "nonlinear") < 1e-11
    assert result.latest["refreshed.updates"] == steps
    assert result.series["refreshed.gap"].max() < 1e-11
    result = run(of(fields, refresh_every=steps))
    assert apart(result, "linearized") < 1e-11
    assert result.latest["refreshed.updates"] == 1


@pytest.mark.parametrize("check", JUDGED, ids=lambda check: check.name)
def test_the_fast_claims_hold(check):
    rows = check.judge({})
    assert rows and all(row.passed for row in rows), rows


def test_the_gain_over_the_lazy_model_is_paired_by_seed():
    (check,) = [c for c in CLAIMS if c.name.endswith("ten-classes")]
    results = {}
    for label, config in check.runs.items():
        problem, every, seed = label.split(" | ")
        lazy = 0.1 * int(seed)
        one_stage = int(every) == config.resolve().steps
        errors = {"refreshed": lazy - 0.05, "linearized": lazy, "nonlinear": lazy - 0.1}
        if int(seed) == 2 and "fashion" in problem and not one_stage:
            errors["refreshed"] = np.nan
        series = {f"{model}.test_error": error for model, error in errors.items()}
        snapshot = Snapshot(time=1.0, progress=1.0, series=series, sparse={})
        results[label] = RunResult.collect(config, [snapshot], status="done")
    rows = {row.claim: row.measured for row in check.judge(results)}
    assert rows["digits, two hidden layers: lazy"] == "0.900 ± 0.248"
    assert rows["digits, two hidden layers: 8 updates, steps capped"] == (
        "0.950 ± 0.248; gain over lazy +0.050 ± 0.000"
    )
    lost = rows["fashion, small convolutional network: 8 updates, steps capped"]
    assert "gain over lazy +0.050, interval not known (1 of 3 diverged)" in lost


def test_the_claims_are_listed_under_the_paper():
    assert len(JUDGED) == 4 and len(CLAIMS) == 7
    assert all(check.name.startswith("iterative-linearization-") for check in CLAIMS)


def test_a_wrong_factor_in_the_restart_would_be_seen(monkeypatch):
    monkeypatch.setattr(
        "lazycore.engine.refreshed.stages.restart", lambda p, v: restart(p, 0.5 * v)
    )
    (stage,) = [check for check in JUDGED if check.name.endswith("stage")]
    assert not all(row.passed for row in stage.judge({}))


def test_more_steps_a_stage_damp_less():
    values, steps = np.array([0.0, 1e-3, 0.1, 1.9]), np.array([1, 10, 1000])
    for form in (descent_filters, damped_filters):
        learned = values * form(values, 1.0, steps)
        assert (np.diff(learned[:, :3], axis=0) >= 0.0).all() and learned.min() >= 0.0
        assert form(values, 1.0, steps)[:, 0].tolist() == steps.tolist()


@pytest.mark.parametrize(("steps", "every"), [(10, 3), (12, 3), (5, 1), (4, 9), (1000, 7)])
@pytest.mark.parametrize("schedule", ["uniform", "front_loaded"])
def test_stages_follow_each_other_to_the_end(steps, every, schedule):
    found = list(refreshing.stages(steps, every, schedule))
    begins, ends = zip(*found, strict=True)
    assert begins == (0, *ends[:-1]) and ends[-1] == steps
    assert len(found) == refreshing.updates(steps, every)
    lengths = np.subtract(ends, begins)
    assert lengths.min() >= 1
    if schedule == "front_loaded":
        assert np.diff(lengths).min(initial=0) >= -1 and lengths[0] <= lengths[-1]


def test_only_so_many_stages_are_noted_the_first_and_the_last_among_them():
    for count in (1, 2, 3, 40, 41, 10**9):
        noted = refreshing.noted(count)
        assert {0, count - 1} <= noted.keys() and len(noted) <= refreshing.NOTED + 2
        assert 1 <= sum(noted.values()) <= refreshing.SPECTRA


def test_lambda_max_of_many_outputs_is_found_by_products(monkeypatch):
    config = of(TEN, refresh_every=20)
    values = config.resolve().to_dict() | {"step_size": 1.0}
    path = Stages(build_problem(values, CPU), values)
    exact = path._largest_eigenvalue()
    for most in ("ALL_EIGENVALUES", "LARGEST_KERNEL"):
        monkeypatch.setattr(f"lazycore.engine.refreshed.stages.{most}", 0)
        assert path._largest_eigenvalue() == pytest.approx(exact, rel=1e-4)


UNSTABLE = {"steps": 600, "refresh_every": 200, "step_size": 4.0}


def test_a_stage_beyond_the_limit_of_stability_ends_the_path_and_says_so():
    result = run(of(SMALL, **UNSTABLE))
    record = result.to_dict()
    assert record["status"] == record["refreshed"]["status"] == "diverged"
    assert max(record["refreshed"]["stability"]) > 2.0
    assert record["refreshed"]["train_loss"][-1] is None
    assert np.isnan(measure(result)["refreshed_final_train_loss"])


def test_the_cap_keeps_every_stage_stable():
    result = run(of(SMALL, **UNSTABLE, refresh_cap="stable"))
    record = result.to_dict()["refreshed"]
    assert record["status"] == "done" and record["train_loss"][-1] < record["train_loss"][0]
    used = np.array(record["stage_step_size"]) * np.array(record["stability"]) / 4.0
    assert used.max() <= 1.0 + 1e-9


def test_the_check_of_a_diverging_stage_holds_for_a_cap_that_works_only(monkeypatch):
    monkeypatch.setattr(divergence, "LEFT", 0.1)  # of a short run
    (check,) = [c for c in claim.collect() if c.name == "iterative-linearization-divergence"]
    free = run(of(SMALL, **UNSTABLE))
    capped = run(of(SMALL, **UNSTABLE, refresh_cap="stable"))
    assert all(row.passed for row in check.judge({"none": free, "stable": capped}))
    assert not any(row.passed for row in check.judge({"none": capped, "stable": free})[1:])


@pytest.mark.parametrize("fields", [SMALL, BATCHES, SMALL | {"loss": "logistic"}])
def test_a_lane_is_the_run_alone(fields):
    configs = [of(fields, refresh_every=30, alpha=alpha) for alpha in (0.5, 2.0, 8.0)]
    for number, lane in run_lanes(configs):
        alone = run(configs[number])
        assert lane.series.keys() == alone.series.keys()
        for name in ("refreshed.train_loss", "refreshed.displacement"):
            assert lane.series[name] == pytest.approx(alone.series[name], abs=1e-12)
        assert lane.latest["refreshed.stability"] == pytest.approx(
            alone.latest["refreshed.stability"]
        )


def test_a_run_without_the_path_is_what_it_was():
    assert of(SMALL).digest == RunConfig.from_dict(SMALL | {"refresh_every": None}).digest
    record = run(of(SMALL)).to_dict()
    assert record["refreshed"] is None
    assert not any(name.startswith("refreshed") for name in run(of(SMALL)).series)


def test_the_path_changes_nothing_of_the_other_two():
    with_it, without = run(of(SMALL, refresh_every=10)), run(of(SMALL))
    for name, values in without.series.items():
        assert np.array_equal(with_it.series[name], values, equal_nan=True), name


def test_the_record_survives_the_file_and_has_the_keys_of_the_contract():
    result = run(of(SMALL, refresh_every=30, refresh_schedule="front_loaded"))
    again = RunResult.from_bytes(result.to_bytes())
    record = again.to_dict()["refreshed"]
    assert record == result.to_dict()["refreshed"]
    keys = {"status", "train_loss", "test_loss", "train_error", "test_error", "displacement"}
    assert keys <= record.keys() and record["train_error"] is None
    assert measure(again)["updates"] == 4.0
    assert measure(again)["refreshed_final_test_loss"] == record["test_loss"][-1]


def test_the_learned_function_of_the_third_path_is_recorded():
    result = run(of(SMALL, refresh_every=120))
    function = result.latest["function.refreshed"]
    assert function == pytest.approx(result.latest["function.linearized"], abs=1e-11)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"refresh_solver": "levenberg_marquardt"}, "refresh_solver=.*not read"),
        ({"refresh_every": 0}, "refresh_every=0 is not allowed"),
        (
            {"refresh_every": 5, "refresh_solver": "levenberg_marquardt", "momentum": 0.5},
            "momentum=0.5 is not allowed",
        ),
        (
            {"refresh_every": 5, "refresh_solver": "levenberg_marquardt", "n_train": 4000},
            "4,000 training outputs",
        ),
        (
            {"refresh_every": 5, "refresh_solver": "levenberg_marquardt", "refresh_cap": "stable"},
            "refresh_cap=stable is not read",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(fields, said):
    with pytest.raises(ConfigError, match=said):
        of(SMALL, **fields)


def test_the_estimate_grows_with_the_number_of_stages_and_not_with_their_length():
    def seconds(steps, every):
        path = of(SMALL, steps=steps, refresh_every=every)
        return estimate(path).seconds - estimate(of(SMALL, steps=steps)).seconds

    assert seconds(10**6, 10**5) == pytest.approx(seconds(10**4, 10**3))
    assert seconds(10**4, 100) > 5.0 * seconds(10**4, 1000)
