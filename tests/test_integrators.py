"""The two adaptive methods of `dynamics/` on problems that are solved elsewhere."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.integrate._ivp.rk import RK45

from lazycore.dynamics import _chebyshev, _dormand_prince, _steps
from lazycore.dynamics._chebyshev import Chebyshev, coefficients, stages_for
from lazycore.dynamics._dormand_prince import DormandPrince

torch.set_num_threads(1)


class Fixed:
    """Judges every step as one that leaves the step size as it is."""

    def __init__(self, order: int):
        self.keep = _steps.SAFETY ** (order + 1)

    def excess(self, y, error):
        return self.keep

    def descends(self):
        return True

    def accept(self):
        pass


class Tolerance(Fixed):
    """Judges a step by its error against an absolute tolerance."""

    def __init__(self, tolerance: float):
        self.tolerance, self.accepted, self.rejected = tolerance, 0, 0

    def excess(self, y, error):
        return float(error.norm()) / self.tolerance

    def descends(self):
        return False

    def accept(self):
        self.accepted += 1


def pendulum(y):
    return torch.stack([y[1], -torch.sin(y[0])])


def exact_pendulum(time):
    """Return the pendulum at `time` to about 1e-13."""
    solved = solve_ivp(
        lambda _, y: [y[1], -math.sin(y[0])],
        (0.0, time),
        [1.0, 0.0],
        method="DOP853",
        rtol=1e-13,
        atol=1e-14,
    )
    return torch.from_numpy(solved.y[:, -1])


def solver(method, step, end=2.0, rate=pendulum, judge=None, start=(1.0, 0.0)):
    return method(
        rate=rate,
        judge=judge or Fixed(method.order),
        y=torch.tensor(start, dtype=torch.float64),
        end=end,
        step=step,
        floor=lambda time: 0.0 if isinstance(judge, Tolerance) else step,
    )


def errors(method, steps, time_of, end=4.0):
    """Return the errors at a time that may depend on the step, for several step sizes."""
    found = []
    for step in steps:
        time = time_of(step)
        y = solver(method, step, end=end).advance(time, 1e9)
        found.append(float((y - exact_pendulum(time)).norm()))
    return [math.log2(a / b) for a, b in itertools.pairwise(found)]


def test_coefficients_are_those_of_scipy():
    for number, row in enumerate(_dormand_prince.STAGES[:-1], start=1):
        if number < 6:
            assert np.allclose(row, RK45.A[number, : len(row)], rtol=1e-15)
    assert np.allclose(_dormand_prince.STAGES[-1], RK45.B, rtol=1e-15)
    assert np.allclose(np.abs(_dormand_prince.ERROR), np.abs(RK45.E), rtol=1e-14)
    assert np.allclose(_dormand_prince.INTERPOLANT, RK45.P, rtol=1e-14)
    nodes = [sum(row) for row in _dormand_prince.STAGES]
    assert np.allclose(nodes, [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
    assert abs(sum(_dormand_prince.ERROR)) < 1e-15


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


@pytest.mark.parametrize("stages", [2, 3, 5, 10, 37, 200])
def test_chebyshev_stages_form_the_damped_chebyshev_polynomial(stages):
    """On y' = λy one step multiplies by a + b T_s(w0 + w1 z), which is 1 + z + z²/2 + O(z³)."""
    w0 = 1.0 + _chebyshev.DAMPING / stages**2
    polynomial = np.polynomial.Chebyshev([0.0] * stages + [1.0])
    d1, d2 = polynomial.deriv()(w0), polynomial.deriv(2)(w0)
    w1, b = d1 / d2, d2 / d1**2
    a = 1.0 - b * polynomial(w0)
    first, rows = coefficients(stages)
    for z in np.linspace(-(stages**2 - 1) / 1.54, 0.0, 60):
        before, now = 1.0, 1.0 + first * z
        for mu, nu, mu_tilde, gamma in rows:
            after = (1 - mu - nu) + mu * now + nu * before + mu_tilde * z * now + gamma * z
            before, now = now, after
        assert now == pytest.approx(a + b * polynomial(w0 + w1 * z), abs=1e-9 * stages)
        assert abs(now) <= 1.0 + 1e-12
    assert stages_for((stages**2 - 1) / 1.54 - 1e-6) == stages
    small = -1e-3
    before, now = 1.0, 1.0 + first * small
    for mu, nu, mu_tilde, gamma in rows:
        after = (1 - mu - nu) + mu * now + nu * before + mu_tilde * small * now + gamma * small
        before, now = now, after
    assert now == pytest.approx(1 + small + small**2 / 2, abs=1e-8)


@pytest.mark.parametrize("method", [DormandPrince, Chebyshev])
def test_stiff_decay_is_followed_within_the_tolerance(method):
    rates = torch.tensor([1.0, 30.0, 1000.0], dtype=torch.float64)
    judge = Tolerance(1e-7)
    found = solver(
        method, 1e-4, end=3.0, rate=lambda y: -rates * y, judge=judge, start=(1.0, 1.0, 1.0)
    )
    for time in (0.01, 0.5, 3.0):
        wanted = torch.exp(-rates * time)
        assert float((found.advance(time, 1e6) - wanted).norm()) < 2e-5
    assert found.time == 3.0


def test_a_stiff_decay_costs_the_stabilised_method_fewer_evaluations():
    rates = torch.tensor([1.0, 5000.0], dtype=torch.float64)
    counts = []
    for method in (DormandPrince, Chebyshev):
        found = solver(
            method,
            1e-4,
            end=3.0,
            rate=lambda y: -rates * y,
            judge=Tolerance(1e-4),
            start=(1.0, 1.0),
        )
        found.advance(3.0, 1e7)
        counts.append(found.evaluations)
    assert counts[1] < 0.3 * counts[0]


@pytest.mark.parametrize("method", [DormandPrince, Chebyshev])
def test_errors_above_what_is_allowed_make_steps_smaller_and_never_beyond_the_end(method):
    judge = Tolerance(1e-8)
    found = solver(method, 1.0, judge=judge)
    y = found.advance(2.0, 1e6)
    assert found.time == 2.0 and float((y - exact_pendulum(2.0)).norm()) < 1e-4
    assert judge.accepted > 5


@pytest.mark.parametrize("method", [DormandPrince, Chebyshev])
def test_a_method_stops_at_its_limit_and_at_a_right_side_that_is_not_finite(method):
    assert solver(method, 1e-3).advance(2.0, 50) is None

    class Never(Fixed):
        def excess(self, y, error):
            return math.nan

        def descends(self):
            return False

    with pytest.raises(FloatingPointError, match="not finite"):
        solver(method, 0.1, rate=lambda y: y * math.nan, judge=Never(4)).advance(1.0, 1e9)


@pytest.mark.parametrize("method", [DormandPrince, Chebyshev])
def test_times_may_be_asked_for_in_between_and_at_zero(method):
    found = solver(method, 0.05)
    assert torch.equal(found.advance(0.0, 1e9), torch.tensor([1.0, 0.0], dtype=torch.float64))
    times = [0.013, 0.02, 0.5, 1.99, 2.0]
    for time in times:
        assert float((found.advance(time, 1e9) - exact_pendulum(time)).norm()) < 2e-3
