"""Single precision at a large initial scale: plain steps stall, steps of the displacement do not.

At τ = 10 the weights are of size 10, and what a step changes of them falls below half of their
last digit in float32: the iteration stops by rounding, long before it should. The engine
steps v = α(w − w0) and forms h(w0 + v/α) − h(w0) without cancellation, so it keeps its digits.
"""

from collections.abc import Mapping
from dataclasses import replace

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.results.run import RunResult

CONFIG = RunConfig(
    task="teacher",
    dim=50,
    n_train=100,
    n_test=100,
    width=20,
    init_scale=10.0,
    scaling="plain",
    zero_output="symmetrized",
    dynamics="gd",
    steps=12_000,
    step_size=0.001,
)
"""The problem of Figure 1(c) at τ = 10, smaller."""

STALLED, WRONG, SAME = 2.0, 0.1, 0.01


def plain_steps(config: RunConfig) -> tuple[float, float]:
    """Return training and test loss after W ← W − η ∇F(W) in place, in the config's precision."""
    import torch

    from lazycore.engine.problem.problem import build_problem
    from lazycore.machine.threads import threads

    values = config.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    network, w, test = problem.network, problem.w0.clone(), problem.test
    assert test is not None and test.y is not None
    x, y = problem.train.x, problem.targets
    with threads():
        for _ in range(values["steps"]):
            outputs, pull = network.pullback(w, x)
            w -= values["step_size"] * pull((outputs - y) / len(y))
    losses = [
        float(0.5 * (network(w, p.x) - target).square().mean())
        for p, target in ((problem.train, y), (test, test.y))
    ]
    return losses[0], losses[1]


def _judge(results: Mapping[str, RunResult]) -> list[Row]:
    single = replace(CONFIG, dtype="float32")
    double, ours = results["float64"], results["float32"]
    names = ("nonlinear.train_loss", "nonlinear.test_loss")
    truth = [float(double.series[name][-1]) for name in names]
    found = [float(ours.series[name][-1]) for name in names]
    control, stalled = plain_steps(CONFIG), plain_steps(single)
    moved = abs(stalled[1] / truth[1] - 1.0)
    said = (
        f"train {stalled[0]:.3e}, {stalled[0] / truth[0]:.1f} ×; test {stalled[1]:.3e}, {moved:.0%}"
    )
    apart = [abs(a / b - 1.0) for a, b in zip(found, truth, strict=True)]
    error = max(abs(a / b - 1.0) for a, b in zip(control, truth, strict=True))
    return [
        Row(
            "τ = 10: plain steps in float64 agree with ours (the oracle itself)",
            f"within {error:.1e}; train {truth[0]:.3e}, test {truth[1]:.3e}",
            "within 1e-6",
            error <= 1e-6,
        ),
        Row(
            "τ = 10: plain steps in float32 stall",
            f"{said} off",
            f"train > {STALLED:g} × that of float64, test > {WRONG:.0%} off",
            stalled[0] > STALLED * truth[0] and moved > WRONG,
        ),
        Row(
            "τ = 10: ours in float32 do not",
            f"train {found[0]:.3e}, test {found[1]:.3e}: {apart[0]:.1e} and {apart[1]:.1e} apart",
            f"within {SAME:.0%} of float64",
            max(apart) <= SAME,
        ),
    ]


CHECKS = (
    Check(
        name="float32",
        source="Chizat, Oyallon & Bach 2019, the problem of Figure 1(c)",
        runs={"float64": CONFIG, "float32": replace(CONFIG, dtype="float32")},
        judge=_judge,
    ),
)
