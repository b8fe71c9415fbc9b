"""Many paths in one batch: each as if it were alone, whatever the others do."""

import math
from dataclasses import replace

import pytest
import torch
from systems import Decay, Pendulum, exact_pendulum, states

from lazycore.engine.steppers.chebyshev import Chebyshev
from lazycore.engine.steppers.dormand_prince import DormandPrince
from lazycore.engine.steppers.path import Path, Stepper

torch.set_num_threads(1)

BOTH = pytest.mark.parametrize("method", [DormandPrince, Chebyshev])

RATES = [[1.0, 5.0, 20.0], [1.0, 30.0, 600.0], [0.1, 1.0, 2.0], [0.01, 0.02, 100.0]]
TOLERANCES = [1e-3, 1e-7, 1e-5, 1e-6]
ENDS = [2.0, 0.2, 50.0, 1.0]
STEPS = [0.1, 1e-4, 1.0, 1e-3]
RADII = [25.0, 750.0, 2.5, 125.0]
"""Above 1.2 λ_max: then the estimate of the radius, which may be shared work, decides nothing."""


def decay(rows) -> Decay:
    return Decay(
        [RATES[row] for row in rows],
        tolerance=[TOLERANCES[row] for row in rows],
        known_radius=[RADII[row] for row in rows],
    )


def paths(rows, limits=None, start=(1.0, -1.0, 1.0)) -> list[Path]:
    return [
        Path(
            torch.tensor(start, dtype=torch.float64),
            end=ENDS[row],
            step=STEPS[row],
            floor=lambda time: 1e-9,
            limit=math.inf if limits is None else limits[row],
        )
        for row in rows
    ]


def times(row) -> list[float]:
    return [0.0, 0.01 * ENDS[row], 0.37 * ENDS[row], ENDS[row]]


def alone(method, row, limit=math.inf) -> tuple[Path, Decay, list]:
    """Return the path of this row in a batch of its own, its system and states."""
    limits = [limit] * len(ENDS)
    system, (path,) = decay([row]), paths([row], limits)
    return path, system, states(method(system, [path]), [times(row)])[0]


def together(method, limits=None) -> tuple[Stepper, Decay, list]:
    rows = range(len(ENDS))
    system = decay(rows)
    stepper = method(system, paths(rows, limits))
    return stepper, system, states(stepper, [times(row) for row in rows])


@BOTH
def test_paths_of_one_batch_are_those_they_are_alone(method):
    """They differ a thousandfold in length, tolerance and stiffness."""
    stepper, system, found = together(method)
    for row, path in enumerate(stepper.paths):
        single, lonely, wanted = alone(method, row)
        assert path.ended == single.ended == "end" and path.time == ENDS[row]
        assert system.accepted[row] == lonely.accepted[0]
        assert len(found[row]) == len(wanted) == 4
        for mine, theirs in zip(found[row], wanted, strict=True):
            assert torch.allclose(mine, theirs, rtol=1e-11, atol=1e-14)
    assert len({path.evaluations for path in stepper.paths}) == len(ENDS)


@BOTH
def test_paths_of_one_batch_follow_their_own_exact_solutions(method):
    _, _, found = together(method)
    start = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    for row, ys in enumerate(found):
        rates = torch.tensor(RATES[row], dtype=torch.float64)
        for time, y in zip(times(row), ys, strict=True):
            assert float((y - torch.exp(-rates * time) * start).norm()) < 200 * TOLERANCES[row]


@BOTH
def test_the_order_of_the_paths_in_a_batch_changes_none_of_them(method):
    stepper, _, found = together(method)
    order = [2, 0, 3, 1]
    system = decay(order)
    shuffled = states(method(system, paths(order)), [times(row) for row in order])
    for place, row in enumerate(order):
        for mine, theirs in zip(shuffled[place], found[row], strict=True):
            assert torch.allclose(mine, theirs, rtol=1e-11, atol=1e-14)


@BOTH
def test_equal_paths_of_a_batch_stay_equal_bit_by_bit(method):
    system = Pendulum(3, tolerance=[1e-6] * 3)
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    stepper = method(system, [Path(start, 4.0, 0.1, lambda time: 1e-9) for _ in range(3)])
    found = states(stepper, [[1.0, 4.0]] * 3)
    for ys in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(ys, found[0], strict=True))
    assert len({path.evaluations for path in stepper.paths}) == 1


@BOTH
def test_a_path_whose_right_side_is_not_finite_ends_alone(method):
    """The first runs into a wall at time −ln 0.5; the other two never hear of it."""
    rates = [[1.0, 5.0], [1.0, 5.0], [1.0, 40.0]]
    radii = [7.0, 7.0, 50.0]

    def run(wall):
        system = Decay(rates, wall=wall, tolerance=[1e-6] * 3, known_radius=radii)
        start = torch.ones(2, dtype=torch.float64)
        stepper = method(system, [Path(start, 3.0, 0.01, lambda time: 1e-6) for _ in rates])
        return stepper, states(stepper, [[0.3, 0.6, 1.0, 3.0]] * 3)

    broken, found = run([0.5, -1.0, -1.0])
    _, wanted = run([-1.0] * 3)
    first = broken.paths[0]
    assert [path.ended for path in broken.paths] == ["not finite", "end", "end"]
    assert 0.5 < first.time <= math.log(2.0) + 1e-4 and first.y.isfinite().all()
    assert len(found[0]) == 2 and len(found[1]) == len(found[2]) == 4
    for row in (0, 1, 2):
        for mine, theirs in zip(found[row], wanted[row], strict=False):
            assert torch.allclose(mine, theirs, rtol=1e-5 if row == 0 else 1e-11, atol=1e-14)


@BOTH
def test_the_limit_of_evaluations_ends_one_path_alone(method):
    limits = [math.inf, 200.0, math.inf, math.inf]
    stepper, system, found = together(method, limits)
    _, _, wanted = together(method)
    ended = stepper.paths[1]
    assert [path.ended for path in stepper.paths] == ["end", "limit", "end", "end"]
    assert ended.time < ENDS[1] and 200 < ended.evaluations < 400
    assert system.calls[1] == ended.evaluations
    for row in (0, 2, 3):
        for mine, theirs in zip(found[row], wanted[row], strict=True):
            assert torch.allclose(mine, theirs, rtol=1e-11, atol=1e-14)


@BOTH
def test_each_path_is_charged_what_was_evaluated_for_it(method):
    stepper, system, _ = together(method)
    assert [path.evaluations for path in stepper.paths] == system.calls


@BOTH
def test_a_path_says_once_per_step_that_it_has_moved(method):
    rows = range(len(ENDS))
    system = decay(rows)
    stepper = method(system, paths(rows))
    told = list(stepper.steps())
    assert [told.count(row) for row in rows] == system.accepted


@BOTH
def test_a_path_that_is_due_at_once_takes_no_more_than_a_step(method):
    system = Pendulum(2, tolerance=[1e-8, 1e-3])
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    short, long = Path(start, 1e-9, 1.0, lambda t: 1e-12), Path(start, 2.0, 0.1, lambda t: 1e-9)
    states(method(system, [short, long]), [[], []])
    assert system.accepted[0] == 1 and short.time == 1e-9
    assert float((long.y - exact_pendulum(2.0)).norm()) < 0.05


def test_the_stiffness_of_each_path_is_found_by_itself():
    """Where no bound on the rates is known, paths look for theirs together."""
    rows = range(len(ENDS))
    tolerance = [TOLERANCES[row] for row in rows]
    stepper = Chebyshev(Decay(RATES, tolerance=tolerance), paths(rows))
    found = states(stepper, [times(row) for row in rows])
    for row in rows:
        (single,) = paths([row])
        lonely = Chebyshev(Decay([RATES[row]], tolerance=[TOLERANCES[row]]), [single])
        wanted = states(lonely, [times(row)])[0]
        assert stepper.paths[row].evaluations == pytest.approx(single.evaluations, rel=0.05)
        for mine, theirs in zip(found[row], wanted, strict=True):
            assert float((mine - theirs).norm()) < 20 * TOLERANCES[row]


@BOTH
def test_a_damped_step_does_not_grow_once_it_has_failed_and_still_follows_the_solution(method):
    rows = range(4)
    stepper = method(decay(rows), [replace(path, damped=True) for path in paths(rows)])
    tried: list[list[tuple[float, bool]]] = [[] for _ in rows]
    decide = stepper._decide

    def noted(row, h, last, *rest):
        taken = decide(row, h, last, *rest)
        tried[row].append((h, taken))
        return taken

    stepper._decide = noted
    for _ in stepper.steps():
        pass
    triples = [three for steps in tried for three in zip(steps, steps[1:], steps[2:], strict=False)]
    after = [(b, c) for (_, a_taken), (b, taken), (c, _) in triples if taken and not a_taken]
    assert after and all(c <= 1.011 * b for b, c in after)
    for row in rows:
        rates = torch.tensor(RATES[row], dtype=torch.float64)
        exact = torch.tensor([1.0, -1.0, 1.0]) * torch.exp(-rates * ENDS[row])
        assert torch.allclose(stepper.paths[row].y, exact, rtol=0.0, atol=100 * TOLERANCES[row])
