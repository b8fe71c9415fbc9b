"""K steps learn nearly what one damped step does (Levenberg–Marquardt)."""

from collections.abc import Mapping

import numpy as np

from lazycore.papers.claim import Check, Row
from lazycore.papers.iterative_linearization.claims._oracle import SOURCE
from lazycore.results.run import RunResult

FILTERS, ARGUMENT = (0.2036, 0.001), (2.51, 0.02)
"""Largest difference of the two filters and its place ηKλ, each with what is allowed."""


def _filters(results: Mapping[str, RunResult]) -> list[Row]:
    """A4: K steps against the damped step with μ = n/(ηK), over all eigenvalues."""
    from lazycore.theory.filters import damped_filters, descent_filters

    every, eta = np.array([10**7]), 1e-6
    values = np.linspace(0.0, 2.0, 200_001)[1:]
    shares = [values * form(values, eta, every)[0] for form in (descent_filters, damped_filters)]
    apart = np.abs(shares[0] - shares[1])
    largest, place = float(apart.max()), float(eta * every[0] * values[apart.argmax()])
    rows = []
    for name, found, (expected, allowed) in (
        ("largest difference of K steps and Levenberg–Marquardt", largest, FILTERS),
        ("its place ηKλ", place, ARGUMENT),
    ):
        holds = abs(found - expected) <= allowed
        rows.append(Row(name, f"{found:.4f}", f"{expected} ± {allowed}", holds))
    return rows


CHECKS = (Check(name="iterative-linearization-filters", source=SOURCE, judge=_filters),)
