"""Stripes as they are defined, and Λ of the first layer against weights taken apart by hand."""

import numpy as np
import oracle
import pytest

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.engine.problem.targets import dataset

TINY = {"task": "stripe", "dim": 4, "n_train": 10, "n_test": 6, "width": 6, "activation": "tanh"}
TINY |= {"loss": "logistic", "dynamics": "gd", "steps": 30, "alpha": 1.0}


def test_a_stripe_is_between_two_planes_and_its_last_input_is_one():
    values = RunConfig(task="stripe", n_train=4000, dim=3).resolve().to_dict()
    data = dataset(values)
    x, y = data.x_train, data.y_train[:, 0]
    assert x.shape == (4000, 4) and (x[:, 3] == 1.0).all()
    assert np.array_equal(y, np.where((x[:, 0] > -0.3) & (x[:, 0] < 1.18549), 1.0, -1.0))
    assert abs(y.mean()) < 0.05, "about half of the points lie within"
    assert np.allclose(x[:, :3].std(0), 1.0, atol=0.05)
    flipped = dataset(values | {"noise": 0.1}).y_train[:, 0]
    assert np.mean(flipped != y) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"bias": "normal"},
        {"zero_output": "symmetrized"},
        {"model": "fully_connected", "depth": 2},
    ],
    ids=["plain", "bias", "symmetrized", "deep"],
)
def test_compression_is_the_ratio_of_root_mean_squares_of_first_weights(fields):
    config = RunConfig(**(TINY | fields))
    result, s = run(config), oracle.setting(config)
    eta = result.latest["step_size"]
    walk = oracle.descend(s.objective(s.h), s.w0, eta)
    path = [w for _, w in zip(range(31), walk, strict=False)]
    copies = 2 if s.values["zero_output"] == "symmetrized" else 1
    rows, columns = oracle.layer_shapes(s.values, s.d, s.k)[0]
    wide = columns + (s.values["bias"] != "none")
    found = []
    for step in np.rint(result.time / eta).astype(int):
        halves = path[step].reshape(copies, -1)[:, : rows * wide]
        first = halves.reshape(-1, wide).numpy()
        found.append(np.sqrt(np.mean(first[:, :1] ** 2) / np.mean(first[:, 1:4] ** 2)))
    assert np.allclose(result.series["compression"], found, rtol=1e-9)


def test_neurons_of_a_stripe_are_drawn_along_and_across_it():
    result = run(RunConfig(**TINY))
    s = oracle.setting(RunConfig(**TINY))
    b, a = s.w0[:30].view(6, 5).numpy(), s.w0[30:].numpy()
    wanted = np.abs(a)[:, None] * b[:, :2]
    for model in ("nonlinear", "linearized"):
        paths = result.sparse[f"neurons.{model}"]
        assert paths.shape == (len(result.kernel_time), 6, 2)
        assert np.allclose(paths[0], wanted, rtol=1e-6)
    assert np.array_equal(result.latest["neurons.sign"], np.sign(a))


def test_where_every_direction_matters_or_a_task_is_silent_there_is_no_compression():
    assert "compression" not in run(RunConfig(**(TINY | {"dim": 1}))).series
    plain = {k: v for k, v in TINY.items() if k != "dim"} | {"task": "circles"}
    assert "compression" not in run(RunConfig(**plain)).series
