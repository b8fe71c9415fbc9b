"""The two adaptive methods of `dynamics/` on problems that are solved elsewhere."""

import itertools
import math

import numpy as np
import pytest
import systems
import torch
from scipy.integrate._ivp.rk import RK45
from systems import Batch, Decay, Pendulum, exact_pendulum

from lazycore.engine.steppers import chebyshev, dormand_prince
from lazycore.engine.steppers.chebyshev import Chebyshev, coefficients, stages_for
from lazycore.engine.steppers.dormand_prince import DormandPrince
from lazycore.engine.steppers.path import Path

torch.set_num_threads(1)

BOTH = pytest.mark.parametrize("method", [DormandPrince, Chebyshev])


def advance(method, system, step, times, *, start=(1.0, 0.0), end=2.0, limit=math.inf):
    """Return the one path from `start`, and its states at these times."""
    y = torch.tensor(start, dtype=torch.float64)
    # With a tolerance the floor is where a step that stays spoiled is given up.
    floor = step if system.tolerance is None else 1e-6 * step
    path = Path(y, end=end, step=step, floor=lambda time: floor, limit=limit)
    return path, systems.states(method(system, [path]), [times])[0]


def errors(method, steps, time_of, end=4.0):
    """Return the rates at which errors at a time that may depend on the step fall with it."""
    found = []
    for step in steps:
        time = time_of(step)
        _, (y,) = advance(method, Pendulum(order=method.order), step, [time], end=end)
        found.append(float((y - exact_pendulum(time)).norm()))
    return [math.log2(a / b) for a, b in itertools.pairwise(found)]


def test_coefficients_are_those_of_scipy():
    for number, row in enumerate(dormand_prince.STAGES[:-1], start=1):
        if number < 6:
            assert np.allclose(row, RK45.A[number, : len(row)], rtol=1e-15)
    assert np.allclose(dormand_prince.STAGES[-1], RK45.B, rtol=1e-15)
    assert np.allclose(np.abs(dormand_prince.ERROR), np.abs(RK45.E), rtol=1e-14)
    assert np.allclose(dormand_prince.INTERPOLANT, RK45.P, rtol=1e-14)
    nodes = [sum(row) for row in dormand_prince.STAGES]
    assert np.allclose(nodes, [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
    assert abs(sum(dormand_prince.ERROR)) < 1e-15


def test_halving_a_dormand_prince_step_divides_the_error_by_thirty_two():
    rates = errors(DormandPrince, (0.2, 0.1, 0.05), lambda step: 2.0)
    assert all(4.6 < rate < 5.6 for rate in rates)


def test_halving_a_chebyshev_step_divides_the_error_by_four():
    rates = errors(Chebyshev, (0.05, 0.025, 0.0125), lambda step: 2.0)
    assert all(1.7 < rate < 2.4 for rate in rates)


def test_interpolants_are_no_worse_than_order_four_and_two_between_steps():
    rates = errors(DormandPrince, (0.4, 0.2, 0.1), lambda step: 1.2 + step / 2)
    assert all(rate > 3.5 for rate in rates)
    rates = errors(Chebyshev, (0.1, 0.05, 0.025), lambda step: 1.2 + step / 2)
    assert all(rate > 1.6 for rate in rates)


@BOTH
def test_the_estimate_of_a_step_falls_as_the_order_of_the_method_says(method):
    """By 2^(order + 1) when the step is halved: what the step control counts on."""
    sizes = []
    for step in (0.1, 0.05, 0.025):
        system = Pendulum(order=method.order)
        advance(method, system, step, [4 * step], end=4 * step)
        sizes.append(system.errors[0][-1])
    rates = [math.log2(a / b) for a, b in itertools.pairwise(sizes)]
    assert all(abs(rate - method.order - 1) < 0.35 for rate in rates)


def stability(stages, z):
    """Return what one step of y' = λy multiplies y by, z = hλ, in the form u_j = y_j − y."""
    first, rows = coefficients(stages)
    before, now = 0.0, first * z
    for mu, nu, mu_tilde, gamma in rows:
        before, now = now, mu * now + nu * before + mu_tilde * z * (1.0 + now) + gamma * z
    return 1.0 + now


@pytest.mark.parametrize("stages", [2, 3, 5, 10, 37, 200])
def test_chebyshev_stages_form_the_damped_chebyshev_polynomial(stages):
    """On y' = λy one step multiplies by a + b T_s(w0 + w1 z), which is 1 + z + z²/2 + O(z³)."""
    w0 = 1.0 + chebyshev.DAMPING / stages**2
    polynomial = np.polynomial.Chebyshev([0.0] * stages + [1.0])
    d1, d2 = polynomial.deriv()(w0), polynomial.deriv(2)(w0)
    w1, b = d1 / d2, d2 / d1**2
    a = 1.0 - b * polynomial(w0)
    for z in np.linspace(-(stages**2 - 1) / 1.54, 0.0, 60):
        found = stability(stages, z)
        assert found == pytest.approx(a + b * polynomial(w0 + w1 * z), abs=1e-9 * stages)
        assert abs(found) <= 1.0 + 1e-12
    assert stages_for((stages**2 - 1) / 1.54 - 1e-6) == stages
    small = -1e-3
    assert stability(stages, small) == pytest.approx(1 + small + small**2 / 2, abs=1e-8)


@pytest.mark.parametrize("reach", [2.0, 40.0, 3000.0])
def test_a_chebyshev_step_of_a_decay_multiplies_by_that_polynomial(reach):
    system = Decay([[1.0]], known_radius=[reach])
    _, (y,) = advance(Chebyshev, system, 1.0, [1.0], start=(1.0,), end=1.0)
    assert system.accepted[0] == 1
    assert float(y) == pytest.approx(stability(stages_for(reach), -1.0), rel=1e-12)


class Cubic(Batch):
    """y' = −(y + y³): rates of decay 1 + 3y², one a coordinate."""

    def rate(self, y):
        return -(y + y**3)


@pytest.mark.parametrize("start", [(1.0, 0.5), (0.1, 2.0)])
def test_the_radius_is_that_of_the_differential_at_the_state_and_a_fifth_more(start):
    """By differences that are small beside y, whatever the size of the gradient."""
    path = Path(torch.tensor(start).double(), end=9.0, step=0.1, floor=lambda time: 0.1, limit=9.0)
    stepper = Chebyshev(Cubic(1, 2), [path])
    stepper._look_at_radii([0])
    assert stepper._radius[0] == pytest.approx(1.2 * (1.0 + 3.0 * max(start) ** 2), rel=0.03)
    known = Chebyshev(Cubic(1, 2, known_radius=[50.0]), [path])
    known._look_at_radii([0])
    assert known._radius[0] == 50.0


def test_a_step_that_would_need_too_many_stages_is_cut():
    system = Decay([[1.0, 1e6]], known_radius=[2e6])
    path, (y,) = advance(Chebyshev, system, 1.0, [1.0], start=(1.0, 1e-6), end=1.0)
    longest = 0.65 * chebyshev.LARGEST_STAGES**2 / 2e6
    assert system.accepted[0] == math.ceil(1.0 / longest)
    assert path.evaluations <= (chebyshev.LARGEST_STAGES + 1) * system.accepted[0] + 25
    assert abs(float(y[0]) - math.exp(-1.0)) < 0.01 and abs(float(y[1])) < 1e-6


@BOTH
def test_stiff_decay_is_followed_within_the_tolerance(method):
    rates = [1.0, 30.0, 1000.0]
    times = [0.01, 0.5, 3.0]
    system = Decay([rates], tolerance=[1e-7])
    path, found = advance(method, system, 1e-4, times, start=(1.0, 1.0, 1.0), end=3.0)
    for time, y in zip(times, found, strict=True):
        wanted = torch.exp(-torch.tensor(rates, dtype=torch.float64) * time)
        assert float((y - wanted).norm()) < 2e-5
    assert path.time == 3.0 and path.ended == "end"


def test_a_stiff_decay_costs_the_stabilised_method_fewer_evaluations():
    counts = []
    for method in (DormandPrince, Chebyshev):
        system = Decay([[1.0, 1000.0]], tolerance=[1e-4])
        path, _ = advance(method, system, 1e-4, [3.0], start=(1.0, 1.0), end=3.0)
        counts.append(path.evaluations)
    assert counts[1] < 0.3 * counts[0]


@BOTH
def test_evaluations_are_counted_as_they_are_taken(method):
    system = Decay([[1.0, 300.0]], tolerance=[1e-4])
    path, _ = advance(method, system, 1e-4, [3.0], start=(1.0, 1.0), end=3.0)
    # The right side at the end of a stabilised step is the first of the next one.
    assert path.evaluations == system.calls[0]


@BOTH
def test_errors_above_what_is_allowed_make_steps_smaller_and_never_beyond_the_end(method):
    system = Pendulum(tolerance=[1e-8])
    path, (y,) = advance(method, system, 1.0, [2.0])
    assert path.time == 2.0 and float((y - exact_pendulum(2.0)).norm()) < 1e-4
    assert system.accepted[0] > 5


@BOTH
def test_a_path_ends_at_its_limit_and_at_a_right_side_that_is_not_finite(method):
    path, found = advance(method, Pendulum(order=method.order), 1e-3, [2.0], limit=50)
    assert path.ended == "limit" and found == [] and 50 < path.evaluations < 80

    path, found = advance(method, Pendulum(tolerance=[1e-6], wall=[math.inf]), 0.1, [1.0])
    assert path.ended == "not finite" and found == [] and path.time == 0.0


@BOTH
def test_times_may_be_asked_for_in_between_and_at_zero(method):
    times = [0.0, 0.013, 0.02, 0.5, 1.99, 2.0]
    _, found = advance(method, Pendulum(order=method.order), 0.05, times)
    assert torch.equal(found[0], torch.tensor([1.0, 0.0], dtype=torch.float64))
    for time, y in zip(times, found, strict=True):
        assert float((y - exact_pendulum(time)).norm()) < 2e-3


@BOTH
def test_between_the_ends_of_a_step_accepted_at_the_floor_the_path_is_a_straight_line(method):
    """The polynomial through a rough step may swing: a loss that falls would rise within."""
    system = Pendulum(excess=50.0)
    path, (middle, end) = advance(method, system, 0.5, [0.25, 0.5], end=0.5)
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    assert path.excess == 50.0
    assert torch.allclose(middle, (start + end) / 2, rtol=1e-14)
