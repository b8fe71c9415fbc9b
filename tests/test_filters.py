"""Spectral filters against the iterations and the equations whose solutions they are."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from lazycore.engine.linear.closed_form import flow_filters, momentum_filters
from lazycore.theory.filters import damped_filters, descent_filters

VALUES = np.array([0.0, 1e-12, 1e-3, 0.4, 1.0, 1.7, 2.0, 2.4])
STEPS = np.array([0, 1, 2, 3, 10, 41])
ETA = 0.9


def iterated(momentum, eta=ETA):
    """Return φ with s_k = −φ_k b of s ← s − ηv, v ← μv + b + λs, for every λ by itself."""
    found = []
    for value in VALUES:
        s, v, rows = 0.0, 0.0, [0.0]
        for _ in range(int(STEPS[-1])):
            v = momentum * v + 1.0 + value * s
            s -= eta * v
            rows.append(-s)
        found.append([rows[k] for k in STEPS])
    return np.array(found).T


def test_filters_of_descent_are_what_its_steps_come_to():
    assert np.allclose(descent_filters(VALUES, ETA, STEPS), iterated(0.0), rtol=1e-9)


def test_filters_with_momentum_are_what_its_steps_come_to():
    assert np.allclose(momentum_filters(VALUES, ETA, 0.6, STEPS), iterated(0.6), rtol=1e-12)


def test_filters_of_the_flow_solve_its_equation():
    times = np.array([0.0, 0.3, 2.0, 9.0])

    def field(_, s):
        return -(1.0 + VALUES * s)

    solved = solve_ivp(
        field, (0.0, 9.0), np.zeros(len(VALUES)), t_eval=times, rtol=1e-11, atol=1e-13
    )
    assert np.allclose(flow_filters(VALUES, times), -solved.y.T, rtol=1e-8, atol=1e-11)


def test_small_steps_are_the_flow_and_the_smallest_modes_only_begin():
    times = np.array([0.5, 4.0])
    small = descent_filters(VALUES, 1e-6, np.rint(times / 1e-6).astype(int))
    assert np.allclose(small, flow_filters(VALUES, times), rtol=1e-5)
    assert descent_filters(VALUES, ETA, STEPS)[:, 0].tolist() == (ETA * STEPS).tolist()


def test_a_damped_step_solves_its_equations():
    """(λ + 1/(ηk)) s = b."""
    found = damped_filters(VALUES, ETA, STEPS[1:])
    for row, k in zip(found, STEPS[1:], strict=True):
        assert (VALUES + 1.0 / (ETA * k)) * row == pytest.approx(np.ones(len(VALUES)))


def test_descent_and_the_damped_step_differ_by_a_fifth_at_most():
    """Of what is learned of a mode: 0.2036, at ηKλ = 2.51."""
    x = np.linspace(1e-3, 40.0, 40_000)
    steps = np.array([10**9])
    apart = x * (descent_filters(x, 1e-9, steps) - damped_filters(x, 1e-9, steps))[0]
    assert np.abs(apart).max() == pytest.approx(0.2036, abs=1e-4)
    assert x[np.abs(apart).argmax()] == pytest.approx(2.51, abs=0.01)


def test_an_iteration_that_overflows_is_infinite_and_never_nan():
    found = descent_filters(np.array([100.0]), 1.0, np.array([10**6, 10**6 + 1]))
    assert np.isinf(found).all() and found[0, 0] < 0.0 < found[1, 0]
