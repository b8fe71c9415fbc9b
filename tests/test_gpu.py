"""CPU and GPU give the same run. Needs a CUDA device; `pytest -m gpu` asks for it."""

import numpy as np
import pytest

from lazycore import RunConfig, run

CONFIGS = {
    "flow": RunConfig(activation="tanh", alpha=10.0),
    "flow, ReLU": RunConfig(alpha=10.0),
    "gd": RunConfig(task="digits", dynamics="gd", steps=500),
    "sgd, ten classes": RunConfig(
        task="digits", labels="ten", loss="cross_entropy", dynamics="sgd", steps=200
    ),
}


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
