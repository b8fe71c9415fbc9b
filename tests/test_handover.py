"""Flows that become stiff on their way: who steps them, from when on, and to what."""

import numpy as np
import pytest
import torch
from systems import Decay

from lazycore.config.moments import MODELS, Moment
from lazycore.config.run import RunConfig
from lazycore.dynamics import flow
from lazycore.engine.measures.recording import choose_scales
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import build_problem
from lazycore.engine.steppers import handover
from lazycore.engine.steppers.handover import NEAR, UntilStiff
from lazycore.engine.steppers.path import Path

torch.set_num_threads(1)

RICH = RunConfig(
    task="digits", activation="softplus", alpha=0.01, width=50, dynamics="flow", time=100.0
)
"""The largest rate rises thirtyfold while features are learned, after λ_max T = 29 was judged."""


def walked(rate: float, tolerance: float) -> tuple[UntilStiff, Path]:
    """Return the stepper of y' = −rate·y and its path, as far as it went."""
    system = Decay([[rate, rate]], tolerance=[tolerance])
    path = Path(torch.ones(2, dtype=torch.float64), 100.0, 1e-4, floor=lambda time: 1e-9)
    stepper = UntilStiff(system, [path])
    for _ in stepper.steps():
        pass
    return stepper, path


def test_a_path_leaves_when_stability_limits_its_steps_and_not_before():
    stepper, path = walked(rate=20.0, tolerance=1e-2)
    assert stepper.is_stiff(0) and path.ended is None and path.time < 50.0
    assert path.width * 20.0 > NEAR
    stepper, path = walked(rate=0.05, tolerance=1e-6)
    assert not stepper.is_stiff(0) and path.ended == "end"


def followed(*configs: RunConfig) -> list[list[Moment]]:
    """Return the moments of these runs, their flows followed in one batch."""
    values = [config.resolve().to_dict() for config in configs]
    problems = [build_problem(value, torch.device("cpu")) for value in values]
    pairs = zip(problems, values, strict=True)
    values = [value | choose_scales(problem, value) for problem, value in pairs]
    found: list[list[Moment]] = [[] for _ in configs]
    for lane, moment in flow.trajectories(problems, values):
        found[lane].append(moment)
    return found


def apart(config: RunConfig, one: list[Moment], other: list[Moment]) -> float:
    """Return by how much the outputs of two ways to follow a run differ, at most."""
    train = build_problem(config.resolve().to_dict(), torch.device("cpu")).train
    assert [m.time for m in one] == pytest.approx([m.time for m in other], rel=1e-3)
    return max(
        float(rms(train.outputs(a.nonlinear) - train.outputs(b.nonlinear)))
        for a, b in zip(one, other, strict=True)
    )


def test_a_flow_that_sharpens_takes_fewer_gradients_and_the_same_way(monkeypatch):
    (handed,) = followed(RICH)
    monkeypatch.setattr(handover, "AT_LIMIT", np.inf)
    (kept,) = followed(RICH)
    assert 2.5 * handed[-1].steps < kept[-1].steps
    assert apart(RICH, handed, kept) <= handed[-1].error + kept[-1].error


def test_of_a_batch_only_the_flow_that_sharpens_is_handed_over():
    lazier = RunConfig.from_dict(RICH.given() | {"alpha": 3.0})
    together, alone = followed(RICH, lazier), [*followed(RICH), *followed(lazier)]
    for config, mine, theirs in zip((RICH, lazier), together, alone, strict=True):
        assert mine[-1].steps == pytest.approx(theirs[-1].steps, rel=0.03)
        assert apart(config, mine, theirs) <= 0.05 * theirs[-1].error
    assert 3 * together[1][-1].steps < together[0][-1].steps


def test_a_path_that_is_handed_over_still_ends_where_its_margins_are_met(monkeypatch):
    fields = {"task": "teacher", "dim": 4, "n_train": 6, "width": 6, "activation": "softplus"}
    fields |= {"loss": "soft_hinge", "dynamics": "flow", "stop": "margins", "tolerance": 1e-4}
    config = RunConfig.from_dict(fields | {"alpha": 0.02, "seed": 3})
    (kept,) = followed(config)
    monkeypatch.setattr(handover, "NEAR", 0.0)
    (handed,) = followed(config)
    assert handed[-1].steps > 1.2 * kept[-1].steps  # of order 2 from the fifteenth step on
    assert handed[-1].met == kept[-1].met == MODELS
    assert apart(config, handed, kept) <= handed[-1].error + kept[-1].error


@pytest.mark.parametrize(("depth", "seed"), [(5, 6), (3, 23)])
def test_no_step_ends_in_a_network_that_is_dead(depth, seed):
    """Where features begin to be learned, a step can miss the path by 10⁵ of its length and end
    among weights with no active unit: outputs without an error, from which nothing moves on."""
    fields = {"task": "digits", "model": "fully_connected", "depth": depth, "width": 10}
    fields |= {"activation": "softplus", "activation_beta": 5.0, "activation_gain": "unit"}
    fields |= {"loss": "soft_hinge", "stop": "margins", "dynamics": "flow", "alpha": 1e-5}
    fields |= {"n_train": 20, "n_test": 0, "init_seed": seed}
    loose, fine = (RunConfig.from_dict(fields | {"tolerance": t}) for t in (0.1, 0.01))
    (one,), (other,) = followed(loose), followed(fine)
    assert one[-1].met == other[-1].met == MODELS
    far = [float(torch.linalg.vector_norm(found[-1].nonlinear)) for found in (one, other)]
    assert far[0] == pytest.approx(far[1], rel=0.01)
    assert one[-1].steps < other[-1].steps
