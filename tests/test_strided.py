"""The strided network against sums over patches, and through a run."""

import numpy as np
import pytest
import torch

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.networks.dense import unit_gain
from lazycore.engine.networks.strided import KERNEL, STRIDES
from lazycore.errors import ConfigError
from lazycore.models import strided_cnn
from lazycore.running.run import run

FIELDS = {
    "task": "fashion_mnist",
    "model": "strided_cnn",
    "width": 2,
    "n_train": 6,
    "n_test": 4,
    "activation": "softplus",
    "activation_gain": "unit",
}


def plain(w, x, channels, size):
    """Return h of one image by explicit sums over patches."""
    gain = unit_gain(spec.find("activation", "softplus"), {"activation_beta": 5.0})
    a, start = x.reshape(1, size, size), 0
    for stride in STRIDES:
        inputs, padded = len(a), np.pad(a, ((0, 0), (1, 1), (1, 1)))
        count = channels * inputs * 25
        filters = w[start : start + count].reshape(channels, inputs, 5, 5)
        start += count
        side = (a.shape[1] - 3) // stride + 1
        z = np.zeros((channels, side, side))
        for i in range(side):
            for j in range(side):
                patch = padded[:, i * stride : i * stride + 5, j * stride : j * stride + 5]
                z[:, i, j] = (filters * patch).sum((1, 2, 3)) / (inputs * 25) ** 0.5
        a = gain * np.log1p(np.exp(5.0 * z)) / 5.0
    return w[start:] @ a.mean((1, 2)) / channels**0.5


def test_outputs_are_those_of_plain_sums_and_counts_are_right():
    config = RunConfig.from_dict(FIELDS)
    values = config.resolve().to_dict()
    network = strided_cnn.build(values, 784, 1)
    w = network.initial(np.random.default_rng(1))
    assert len(w) == parameters_of(values) and np.std(w) == pytest.approx(1.0, abs=0.1)
    x = np.random.default_rng(2).standard_normal((2, 784))
    found = network(torch.as_tensor(w), torch.as_tensor(x))[:, 0]
    for one, image in zip(found.tolist(), x, strict=True):
        assert one == pytest.approx(float(plain(w, image, 2, 28)), rel=1e-10)
    assert (strided_cnn.KERNEL, strided_cnn.STRIDES) == (KERNEL, STRIDES)


def parameters_of(values):
    """Return what the spec counts."""
    return strided_cnn.SPEC.facts["parameters"](values, 784, 1)


def test_a_run_of_it_is_lazy_at_large_scale_and_stops_at_its_margins():
    fields = FIELDS | {"loss": "soft_hinge", "stop": "margins", "tolerance": 0.1}
    found = run(RunConfig.from_dict(fields | {"alpha": 1e4}), device="cpu")
    assert found.status == "done" and found.verdict == "lazy"


def test_images_too_small_for_four_convolutions_are_refused():
    with pytest.raises(ConfigError, match="at least 19"):
        RunConfig.from_dict(FIELDS | {"task": "digits"})
