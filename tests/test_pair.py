"""What a step of the pair is allowed: errors of both models' outputs, and of their gap."""

import numpy as np
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.engine.linear.closed_form import closed_form
from lazycore.engine.linear.tangent import tangent_space
from lazycore.engine.linear.tangent_lanes import tangent_lanes
from lazycore.engine.paths.alone import Alone, State
from lazycore.engine.problem.problem import Problem, build_problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.pair import (
    COARSE_FLOOR,
    LOST,
    Pair,
    Seen,
    curvature,
    is_stiff,
    kink_factor,
    natural_time,
    path,
    unless_lost,
)

torch.set_num_threads(1)
SHARE, FLOOR = 0.01, 1e-9


WIDTH, ALPHA = 4, 10.0


def problem_of(activation: str = "tanh") -> Problem:
    fields = {"task": "teacher", "n_train": 6, "n_test": 3, "dim": 3, "width": WIDTH}
    config = RunConfig(**fields, alpha=ALPHA, activation=activation)
    return build_problem(config.resolve().to_dict(), torch.device("cpu"))


def pair_of(activation: str = "tanh", lanes: int = 1) -> Pair:
    """Return the pair of a small problem, as often as there are lanes."""
    problem = problem_of(activation)
    space, rows = tangent_space(problem), [0] * lanes
    return Pair(
        stack([problem]).select(torch.tensor(rows)),
        tangent_lanes([space], [closed_form(space)]).select(rows),
        share=np.full(lanes, SHARE),
        rounding=np.full(lanes, FLOOR),
        known_radius=np.zeros(lanes),
        head=problem.w0.numel(),
    )


def judged(pair: Pair, y, error) -> tuple[float, bool]:
    """Return excess and stability of a step to y."""
    excess, descends = pair.judge(y, error, pair.lanes.outputs(y[:, : pair.head]))
    return float(excess[0]), bool(descends[0])


def rms(values) -> float:
    return float(values.square().sum(-1).mean().sqrt())


def descent(pair: Pair):
    """Return a state a little downhill of the start, and a direction to be wrong in."""
    start = torch.zeros(len(pair.lanes), pair.head + pair.tangent.size, dtype=torch.float64)
    y = -0.05 * pair.gradient(start)[0]
    wrong = torch.from_numpy(np.random.default_rng(0).standard_normal(y.shape))
    return y, 1e-3 * wrong * (torch.arange(y.shape[1]) < pair.head)


def test_an_error_of_the_network_alone_is_measured_against_the_gap():
    pair = pair_of()
    y, error = descent(pair)
    # The error of the outputs is J e to first order, and so is that of the gap.
    problem_error = rms(pair.lanes.outputs(error[:, : pair.head])[0])
    gap = rms((pair.lanes.outputs(y[:, : pair.head]) - pair.tangent.outputs(y[:, pair.head :]))[0])
    excess, descends = judged(pair, y, error)
    assert descends and gap < 0.1 * rms(pair.lanes.outputs(y[:, : pair.head])[0])
    assert excess == pytest.approx(problem_error / (SHARE * gap + FLOOR), rel=0.05)


def test_an_error_along_the_path_counts_twice_in_the_gap_and_once_in_the_outputs():
    """The gap is of second order in the way that was gone."""
    pair = pair_of()
    y, _ = descent(pair)
    assert judged(pair, y, 1e-3 * y)[0] == pytest.approx(2e-3 / SHARE, rel=0.1)
    pair.seen[0].sizes = (0.0, 1e6, 0.0)
    assert judged(pair, y, 1e-3 * y)[0] == pytest.approx(1e-3 / SHARE, rel=0.01)


def test_an_error_that_the_outputs_of_a_dead_network_do_not_show_is_none_the_less_one():
    pair = pair_of()
    y, _ = descent(pair)
    p, error = pair.head, 0.05 * y
    y[0, p - WIDTH : p] = -ALPHA * problem_of().w0[-WIDTH:]  # the last layer, which is then 0
    error[0, p - WIDTH :] = 0.0
    moved = float(y[0, :p].norm())
    assert judged(pair, y, error)[0] < 1e-12
    error *= moved / error.norm()
    assert judged(pair, y, error)[0] == pytest.approx(1.0 / LOST, rel=0.01)
    pair.seen[0].sizes = (0.0, 0.0, 0.1 * moved)
    assert judged(pair, y, error)[0] == pytest.approx(10.0 / LOST, rel=0.01), "of what was before"


def test_so_it_is_for_the_network_alone():
    pair = pair_of()
    p, y = pair.head, descent(pair)[0][:, : pair.head]
    y[0, p - WIDTH :] = -ALPHA * problem_of().w0[-WIDTH:]
    error = 0.05 * y
    error[0, p - WIDTH :] = 0.0
    state = State(initial=1.0, loss=1.0, change=0.0, moved=float(error.norm()))
    alone = Alone(pair.lanes, None, pair.share, pair.rounding, pair.known_radius, p, [state])
    assert alone.judge(y, error, None)[0][0] == pytest.approx(1.0 / LOST)
    assert alone.judge(y, 0.05 * error, None)[0][0] < 1e-12
    alone.accept(0)
    assert state.moved == pytest.approx(float(y.norm()))


def test_an_error_of_the_weights_is_not_told_from_rounding():
    still, missed = (np.array([0.0]), np.array([1.0])), np.array([0.5])
    small = np.array([0.1])
    assert unless_lost(small, missed, still, np.array([0.0])) == 0.5 / LOST
    assert unless_lost(small, missed, still, np.array([1.0])) == small
    assert not unless_lost(small, np.array([np.nan]), still, np.array([0.0])) <= 1.0


def test_what_was_seen_before_widens_what_is_allowed_only_once_accepted():
    pair = pair_of()
    y, error = descent(pair)
    first, _ = judged(pair, y, error)
    assert judged(pair, 0.1 * y, error)[0] > 2.0 * first
    judged(pair, y, error)
    assert judged(pair, 0.1 * y, error)[0] > 2.0 * first
    judged(pair, y, error)
    pair.accept(0)
    assert judged(pair, 0.1 * y, error)[0] == pytest.approx(first, rel=0.01)


def test_a_step_uphill_is_not_a_stable_one_and_a_selection_shares_what_is_seen():
    pair = pair_of(lanes=2)
    y, error = descent(pair)
    y, error, part = y[:1], error[:1], pair.select([1])
    assert judged(part, y, error)[1]
    part.accept(0)
    assert pair.seen[1].losses != pair.seen[0].losses
    assert not judged(part, -y, error)[1]
    assert isinstance(pair.seen[1], Seen) and pair.seen[1].sizes[0] > 0.0


def test_the_floor_at_kinks_goes_up_with_the_tolerance_and_not_down():
    assert kink_factor(1e-3, 1.0) == kink_factor(1e-6, 1.0) == 1.0
    assert kink_factor(1e-3, 10.0) == kink_factor(1e-6, 10.0) == pytest.approx(COARSE_FLOOR)
    assert kink_factor(1e-2, 1.0) == pytest.approx(COARSE_FLOOR)
    assert kink_factor(1e-1, 10.0) == pytest.approx(COARSE_FLOOR**3)


def test_the_natural_time_is_one_over_the_fastest_rate_however_slow_that_is():
    """sup ℓ'' λ_max, with λ_max below and above 1."""
    for scale, loss, bend in ((1.0, "logistic", 0.25), (6.0, "square", 1.0)):
        fields = {"task": "teacher", "n_train": 6, "dim": 3, "width": WIDTH, "loss": loss}
        config = RunConfig(**fields, init_scale=scale)
        problem = build_problem(config.resolve().to_dict(), torch.device("cpu"))
        rate = bend * problem.largest_eigenvalue
        assert (rate < 1.0) == (scale == 1.0)
        assert curvature(problem) == rate and natural_time(problem, 50.0) == 1.0 / rate
        assert is_stiff(problem, 30.1 / rate) and not is_stiff(problem, 29.9 / rate)
        problem.train.anchor.__dict__["largest_eigenvalue"] = 0.0
        assert natural_time(problem, 50.0) == 50.0


def test_a_path_begins_with_a_tenth_of_the_natural_time_and_has_its_floors():
    for activation, end in (("tanh", 40.0), ("relu", 40.0), ("tanh", 1e-3)):
        problem = problem_of(activation)
        unit = 1.0 / problem.largest_eigenvalue
        found = path(problem, 4, end, tolerance=1e-2, coarseness=1.0, limit=9.0)
        assert found.step == pytest.approx(min(0.1 * unit, end))
        assert len(found.y) == problem.w0.numel() + 4 and not found.y.any()
        if activation == "tanh":
            assert found.growth == 0.0
            assert found.floor(0.0) == found.floor(30.0) == pytest.approx(1e-6 * unit)
        else:
            assert found.growth == pytest.approx(8.0 * 0.002)
            times = (0.0, 0.01 * unit, 30.0 * unit)
            floors = [8e-6 * unit, 8.0 * 0.1 * 0.01 * unit, 8.0 * 0.0625 * unit]
            assert [found.floor(t) for t in times] == pytest.approx(floors)


def test_only_networks_with_kinks_have_such_a_floor():
    for activation, ratio in (("relu", COARSE_FLOOR), ("tanh", 1.0)):
        config = RunConfig(task="teacher", n_train=6, dim=3, width=4, activation=activation)
        problem = build_problem(config.resolve().to_dict(), torch.device("cpu"))
        floors = [
            path(problem, 4, 100.0, tolerance=t, coarseness=1.0, limit=9.0).floor(50.0)
            for t in (1e-3, 1e-2)
        ]
        assert floors[1] / floors[0] == pytest.approx(ratio)
