"""Descent of the population loss: fresh points for both models, at the paces of the layers."""

import numpy as np
import pytest

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.dynamics import population
from lazycore.engine.problem.targets import dataset
from lazycore.errors import ConfigError
from lazycore.running.run import run
from lazycore.tasks import Streams
from lazycore.tasks.teacher import teacher

SMALL = {
    "task": "teacher",
    "dim": 6,
    "n_train": 8,
    "n_test": 50,
    "width": 8,
    "scaling": "plain",
    "zero_output": "symmetrized",
    "dynamics": "population",
    "batch_size": 10,
    "steps": 60,
    "step_size": 0.1,
}


def small(**more) -> RunConfig:
    return RunConfig.from_dict(SMALL | more)


def drawn(config: RunConfig, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    stream = population.batches(config.resolve().to_dict())
    return [next(stream) for _ in range(count)]


def final(result, model: str = "nonlinear") -> float:
    return float(result.series[f"{model}.test_loss"][-1])


def test_no_point_is_drawn_twice_and_all_are_of_one_teacher():
    config = small()
    x = np.concatenate([x for x, _ in drawn(config, 2 * population.AT_ONCE)])
    y = np.concatenate([y for _, y in drawn(config, 2 * population.AT_ONCE)])
    assert len(np.unique(x, axis=0)) == len(x)
    values = config.resolve().to_dict()
    b, a = teacher(values, Streams.from_seed(values["data_seed"]))
    np.testing.assert_allclose(y, np.maximum(x @ b.T, 0.0) @ a, atol=1e-14)


def test_batches_come_from_a_seed_of_their_own():
    first = drawn(small(batch_seed=1), 1)[0][0]
    assert np.array_equal(first, drawn(small(batch_seed=1, init_seed=9), 1)[0][0])
    assert not np.array_equal(first, drawn(small(batch_seed=2), 1)[0][0])


def authors_loop(config: RunConfig, tau: float, step: float) -> float:
    """Return the final test loss of the authors' loop: the student over m, the teacher over the
    size of the batch, the gradient without 1/m, the step of the first layer times d; in plain
    numpy, in units of the teacher as it is."""
    values = config.resolve().to_dict()
    m, d, size = values["width"], values["dim"], values["batch_size"]
    network = spec.find("model", "two_layer").build(values, d, 1)
    w = network.initial(np.random.default_rng(values["init_seed"]))
    half = m // 2
    b = np.tile(w[: half * d].reshape(half, d), (2, 1))
    a = np.tile(w[half * d : half * (d + 1)], 2) * np.repeat([1.0, -1.0], half)
    assert np.std(b) == pytest.approx(tau, rel=0.5)

    def student(x):
        return np.maximum(x @ b.T, 0.0) @ a / m

    for x, y in drawn(config, values["steps"]):
        error = student(x) - y / size
        on = x @ b.T > 0.0
        grad_a = (error[:, None] * np.maximum(x @ b.T, 0.0)).mean(0)
        grad_b = ((error[:, None] * on * a)[:, :, None] * x[:, None, :]).mean(0)
        a, b = a - step * grad_a, b - step * d * grad_b
    test = dataset(values)
    return 0.5 * float(np.mean((size * student(test.x_test) - test.y_test[:, 0]) ** 2))


def test_the_authors_loop_is_a_run_of_ours():
    m, size, step, tau = 8, 10, 3.0, 0.3
    config = small(
        init_scale=tau, alpha=size / m, step_size=step / m, first_layer_rate=6.0, width=m
    )
    found = run(config)
    assert final(found) == pytest.approx(authors_loop(config, tau, step), rel=1e-9)
    assert final(found) < 0.9 * found.series["nonlinear.test_loss"][0], "it learned something"


def test_the_linearisation_sees_the_same_batches():
    lazy, rich = (run(small(alpha=alpha, zero_output="centered")) for alpha in (1e6, 1.0))
    assert final(lazy) == pytest.approx(final(lazy, "linearized"), rel=1e-5)
    assert final(rich) != pytest.approx(final(rich, "linearized"), rel=1e-3)


def test_the_gap_of_the_centred_model_falls_as_one_over_alpha():
    gaps = [
        run(small(alpha=alpha, zero_output="centered", activation="tanh")).series[
            "gap.train_output"
        ][-1]
        for alpha in (100.0, 1000.0)
    ]
    assert gaps[0] / gaps[1] == pytest.approx(10.0, rel=0.02)


def test_what_has_no_end_of_points_alone_can_be_trained_so():
    with pytest.raises(ConfigError, match="has no end of points to draw.*give task=teacher"):
        RunConfig(task="digits", dynamics="population")
    with pytest.raises(ConfigError, match="turns targets into labels.*give loss=square"):
        RunConfig(task="teacher", dynamics="population", loss="logistic")


def test_noise_is_on_the_targets_of_every_batch():
    clean, noisy = (drawn(small(noise=noise), 1)[0] for noise in (0.0, 0.5))
    assert np.array_equal(clean[0], noisy[0])
    assert np.std(noisy[1] - clean[1]) == pytest.approx(0.5, rel=0.7)
