"""What the trained network says: beside its linearisation, and by another rule."""

from collections.abc import Mapping

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.feature_lazy.claims.exponents import SOURCE, at_end, setting, within
from lazycore.results.run import RunResult
from lazycore.theory.lazy import slope

SCALES = (1e1, 1e2, 1e3, 1e4, 1e5, 1e6)
TOLERANCES = {1e-2: 0.05, 1e-3: 0.015, 1e-4: 0.002}
FINEST, RULE_SCALES = 1e-5, (1e-2, 1e2)


def _frozen(results: Mapping[str, RunResult]) -> list[Row]:
    apart, disagree = [], 0.0
    for scale in SCALES:
        result = results[f"{scale:g}"]
        gap = at_end(result, "gap.test_output")
        apart.append(gap / at_end(result, "linearized.output_change"))
        if scale >= 1e3:
            disagree = max(disagree, 1.0 - at_end(result, "sign_agreement"))
    found = slope(SCALES, apart)[0]
    size = apart[SCALES.index(1e3)]
    return [
        Row(
            "test outputs, network − frozen kernel, against √h α = 10 to 1e6",
            f"{found:.3f}",
            "-1 ± 0.1",
            within(found, -1.1, -0.9),
        ),
        Row("the same at √h α = 1e3, of the outputs", f"{size:.1e}", "< 2e-3", size < 2e-3),
        Row("test points of different signs from 1e3 on", f"{disagree:.3g}", "0", disagree == 0.0),
    ]


def _rule(scale: float, tolerance: float) -> RunConfig:
    """Return the run by the authors' rule, with few test points."""
    fields = {"dynamics": "adaptive_euler", "tolerance": None, "n_test": 200}
    return setting(scale, **fields, gradient_tolerance=tolerance)


def final_outputs(config: RunConfig) -> tuple[np.ndarray, int]:
    """Return F on the test points at the end of the network, and the gradients it took."""
    import torch

    from lazycore.dynamics import trajectory
    from lazycore.engine.problem.problem import build_problem
    from lazycore.running.run import choose_scales

    values = config.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    assert problem.test is not None
    for moment in trajectory(problem, values | choose_scales(problem, values)):
        if "nonlinear" in moment.met and moment.nonlinear is not None:
            return problem.test.outputs(moment.nonlinear).numpy(), moment.steps
    return np.full((values["n_test"], 1), np.nan), 0


def _rule_tolerances(results: Mapping[str, RunResult]) -> list[Row]:
    rows = []
    for scale in RULE_SCALES:
        exact, _ = final_outputs(_rule(scale, FINEST))
        for tolerance, allowed in TOLERANCES.items():
            outputs, steps = final_outputs(_rule(scale, tolerance))
            apart = float(np.linalg.norm(outputs - exact) / np.linalg.norm(exact))
            claim = f"adaptive Euler, √h α = {scale:g}: F at ε = {tolerance:g} against {FINEST:g}"
            said = f"{apart:.2%} ({steps} gradients)"
            rows.append(Row(claim, said, f"≤ {allowed:.1%}", apart <= allowed))
    return rows


CHECKS = (
    Check(
        name="feature-lazy-frozen",
        source=SOURCE,
        runs={f"{s:g}": setting(s, n_test=500, tolerance=0.01) for s in SCALES},
        judge=_frozen,
    ),
    Check(
        name="feature-lazy-rule",
        source=SOURCE,
        judge=_rule_tolerances,
        slow=True,
    ),
)
