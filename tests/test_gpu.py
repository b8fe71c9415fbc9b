"""CPU and GPU give the same run. Needs a CUDA device; `pytest -m gpu` asks for it."""

import numpy as np
import pytest

from lazycore import RunConfig, run, spec
from lazycore.lanes.stacked import stack
from lazycore.measures.recording import choose_scales
from lazycore.problem import build_problem, rms, rounding

CONFIGS = {
    "flow": RunConfig(activation="tanh", alpha=10.0),
    "flow, ReLU": RunConfig(alpha=10.0),
    "gd": RunConfig(task="digits", dynamics="gd", steps=500),
    "sgd, ten classes": RunConfig(
        task="digits", labels="ten", loss="cross_entropy", dynamics="sgd", steps=200
    ),
}
CHOSEN = {"time", "step_size"}


@pytest.mark.gpu
@pytest.mark.parametrize("name", CONFIGS)
def test_the_gap_on_a_gpu_is_that_of_the_cpu_within_the_numerical_error(name):
    import torch

    if not torch.cuda.is_available():
        pytest.fail("this test was asked for, and there is no CUDA device")
    cpu, gpu = (run(CONFIGS[name], device=device) for device in ("cpu", "cuda:0"))
    assert cpu.digest == gpu.digest and gpu.latest["device"] == "cuda:0"
    difference = np.abs(cpu.series["gap.train_output"] - gpu.series["gap.train_output"])
    assert np.nanmax(difference) <= cpu.numerical_error + gpu.numerical_error


@pytest.mark.gpu
@pytest.mark.parametrize("dynamics", ["flow", "gd"])
def test_lanes_that_go_together_on_a_gpu_are_those_of_the_cpu(dynamics):
    """Where all lanes go at once, in float64 and through the change without cancellation."""
    assert_lanes_agree(dynamics, "cuda:0")


@pytest.mark.gpu
@pytest.mark.parametrize("alpha", [1.0, 1e5])
def test_single_precision_on_a_gpu_loses_no_digits_to_alpha(alpha):
    """Products in float32 must not be rounded to shorter ones (TF32) on the way."""
    assert_single_precision_agrees(alpha, "cuda:0")


def assert_lanes_agree(dynamics: str, device: str) -> None:
    import torch

    configs = [
        RunConfig(activation="tanh", alpha=alpha, init_seed=seed, dynamics=dynamics)
        for alpha, seed in ((1.0, 1), (30.0, 2), (1e3, 3))
    ]
    found = {}
    for where in ("cpu", device):
        values = [config.resolve().to_dict() for config in configs]
        problems = [build_problem(value, torch.device(where)) for value in values]
        values = [v | choose_scales(p, v) for v, p in zip(values, problems, strict=True)]
        # Times and steps are chosen from λ_max, which rounding may change: one for both.
        scales = found.setdefault("scales", [{k: v[k] for k in CHOSEN & set(v)} for v in values])
        values = [v | scale for v, scale in zip(values, scales, strict=True)]
        record = np.array([0, 1, 50]) if dynamics == "gd" else np.array([0.0, 1.0, 20.0])
        lanes = [[] for _ in configs]
        file = spec.find("dynamics", dynamics)
        for lane, moment in file.trajectories(problems, values, [record] * 3):
            lanes[lane].append(moment)
        found[where] = problems, lanes
    for lane in range(3):
        for mine, theirs in zip(found[device][1][lane], found["cpu"][1][lane], strict=True):
            train = found["cpu"][0][lane].train
            gaps = [
                train.outputs(m.nonlinear.cpu()) - train.tangent_outputs(m.paired.cpu())
                for m in (mine, theirs)
            ]
            allowed = mine.error + theirs.error + rounding(found["cpu"][0][lane], 1000, 1.0)
            assert rms(gaps[0] - gaps[1]) <= allowed


def assert_single_precision_agrees(alpha: float, device: str) -> None:
    import torch

    values = RunConfig(activation="tanh", alpha=alpha, dtype="float32").resolve().to_dict()
    single = build_problem(values, torch.device(device))
    double = build_problem(values | {"dtype": "float64"}, torch.device("cpu"))
    for name in ("w0", "x", "y"):
        object.__setattr__(double.train, name, getattr(single.train, name).cpu().double())
    v = torch.as_tensor(np.random.default_rng(3).standard_normal(single.w0.shape)).float()
    found = stack([single]).gradient(v[None].to(device))
    wanted = stack([double]).gradient(v[None].double())
    for mine, theirs in zip(found, wanted, strict=True):
        assert float((mine.cpu() - theirs).norm() / theirs.norm()) <= 3e-6
