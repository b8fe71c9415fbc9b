"""Each number of a finished run, against what a made-up run was made of."""

import math

import numpy as np
import pytest

from lazycore.config.run import RunConfig
from lazycore.results.quantities import NUMBERS, QUANTITIES, measure
from lazycore.results.run import RunResult, Snapshot


def test_every_quantity_has_a_name_and_a_meaning_of_its_own():
    assert all(name == number.name for name, number in NUMBERS.items())
    meanings = [number.words for number in NUMBERS.values()]
    assert len(set(meanings)) == len(meanings) and all(meanings)
    assert not QUANTITIES.keys() & RunConfig().to_dict().keys(), "a column has one meaning"


def test_the_numbers_are_those_that_the_run_was_made_of(make_run):
    alpha, end = 2.0, 5.0
    found = measure(make_run(alpha, horizon=end, parameters=24))
    learned = 1.0 - math.exp(-end)
    expected = {
        "final_train_loss": 0.5 * math.exp(-2.0 * end) + 1e-4,
        "final_test_loss": 0.6 * math.exp(-1.5 * end) + 0.02,
        "linearized_final_train_loss": 0.5 * math.exp(-2.0 * 1.1 * end) + 1e-4,
        "best_test_loss": 0.6 * math.exp(-1.5 * end) + 0.02,
        "final_displacement": learned / alpha,
        "linearized_final_displacement": 1.1 * learned / alpha,
        "largest_gap": 0.3 * learned / alpha,
        "final_gap": 0.3 * learned / alpha,
        "final_test_gap": 1.2 * 0.3 * learned / alpha,
        "relative_gap": 0.3 / alpha,
        "final_parameter_gap": learned / alpha**2,
        "kernel_change": 0.5 * learned / alpha,
        "alignment_change": 0.2 * learned,
        "activation_stability": 1.0 - 0.1 * learned / alpha,
        "kappa": 0.1,
        "numerical_error": 1e-6,
        "lambda_max": 2.0,
        "horizon": end,
        "parameters": 24.0,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name
    without = {"final_train_error", "final_test_error"}
    without |= {"stop_time", "half_time"}
    without |= {f"linearized_{name}" for name in without} | {"scaled_half_time"}
    without |= {"final_margin", "linearized_final_margin", "sign_agreement", "kernel_change_test"}
    without |= {name for name in found if name.startswith("refreshed_")} | {"updates"}
    assert {name for name, value in found.items() if math.isnan(value)} == without
    rest = {"linearized_final_test_loss", "linearized_best_test_loss", "alignment_gain"}
    assert found.keys() == expected.keys() | without | rest


def test_the_best_test_loss_is_the_smallest_recorded_one():
    losses = (0.4, 0.1, 0.3)
    snapshots = [
        Snapshot(time=float(t), series={"nonlinear.test_loss": loss})
        for t, loss in enumerate(losses)
    ]
    found = measure(RunResult.collect(RunConfig(), snapshots))
    assert (found["best_test_loss"], found["final_test_loss"]) == (0.1, 0.3)
    assert math.isnan(found["linearized_best_test_loss"])


def test_a_run_that_recorded_nothing_has_no_numbers():
    for snapshots in ([], [Snapshot(time=0.0)]):
        result = RunResult.collect(RunConfig(), snapshots)
        assert all(math.isnan(value) for value in measure(result).values())


def diverging() -> RunResult:
    gaps, losses = (0.0, 3.0, math.nan), (1.0, 5.0, math.nan)
    snapshots = [
        Snapshot(
            time=float(number),
            series={
                "gap.train_output": gaps[number],
                "nonlinear.train_loss": losses[number],
                "linearized.train_loss": 0.5,
                "linearized.output_change": 1.0,
            },
            sparse={"kernel_change": 0.4, "alignment.nonlinear": 0.1} if number < 2 else {},
            latest={"nonlinear.status": "diverged", "status": "diverged"},
        )
        for number in range(3)
    ]
    return RunResult.collect(RunConfig(), snapshots)


def test_what_has_diverged_has_no_final_numbers_and_keeps_the_largest_ones():
    found = measure(diverging())
    for name in ("final_train_loss", "final_gap", "kernel_change", "alignment_change"):
        assert math.isnan(found[name]), name
    assert (found["largest_gap"], found["relative_gap"]) == (3.0, 3.0)
    assert found["linearized_final_train_loss"] == 0.5


def test_records_of_a_strange_shape_are_no_numbers():
    series = {name: np.ones((1, 2)) for name in ("gap.train_output", "nonlinear.train_loss")}
    result = RunResult(
        config=None,
        status="done",
        time=np.zeros(1),
        series=series,
        kernel_time=np.zeros(0),
        sparse={"kernel_change": np.zeros(0), "alignment.nonlinear": np.zeros((0, 2))},
        latest={"kappa": "many", "lambda_max": None, "horizon": math.inf},
    )
    assert all(math.isnan(value) for value in measure(result).values())
