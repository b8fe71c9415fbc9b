"""Each task draws what the contract says, reproducibly, and paired across other choices."""

import numpy as np
import pytest

from lazycore import spec
from lazycore.config import RunConfig
from lazycore.tasks import Streams, _images


def sample(task: str, **more):
    """Return the raw sample of a task and its resolved fields."""
    values = RunConfig(task=task, **more).resolve().to_dict()
    return spec.find("task", task).sample(values, Streams.from_seed(values["data_seed"])), values


@pytest.mark.parametrize("task", sorted(spec.collect("task")))
@pytest.mark.parametrize("n_test", [0, 7])
def test_every_task_has_the_shapes_it_says(task, n_test):
    found, values = sample(task, n_train=20, n_test=n_test)
    d = spec.find("task", task).SPEC.facts["inputs"](values)
    assert found.x_train.shape == (20, d) and found.x_test.shape == (n_test, d)
    assert found.y_train.shape == (20,) and found.y_test.shape == (n_test,)
    again, _ = sample(task, n_train=20, n_test=n_test)
    other, _ = sample(task, n_train=20, n_test=n_test, data_seed=99)
    assert np.array_equal(found.x_train, again.x_train)
    assert not np.array_equal(found.x_train, other.x_train)


@pytest.mark.parametrize("task", ["teacher", "sine", "circles"])
def test_more_training_points_leave_the_first_ones_and_the_test_points_alone(task):
    few, _ = sample(task, n_train=5, n_test=6)
    many, _ = sample(task, n_train=15, n_test=6)
    assert np.array_equal(few.x_test, many.x_test) and np.array_equal(few.y_test, many.y_test)
    assert np.array_equal(few.x_train, many.x_train[:5])


def test_more_digits_leave_the_test_digits_alone():
    few, _ = sample("digits", n_train=500, n_test=50, labels="ten")
    many, _ = sample("digits", n_train=1000, n_test=50, labels="ten")
    assert np.array_equal(few.y_test, many.y_test)


def test_the_teacher_is_three_unit_relu_neurons_on_the_unit_sphere():
    found, values = sample("teacher", n_train=400, dim=3)
    module = spec.find("task", "teacher")
    b, a = module.teacher(values, Streams.from_seed(values["data_seed"]))
    assert b.shape == (3, 3) and set(np.abs(a)) == {1.0}
    assert np.allclose(np.linalg.norm(b, axis=1) * np.abs(a), 1.0)
    assert np.allclose(np.linalg.norm(found.x_train, axis=1), 1.0)
    by_hand = [sum(a[j] * max(float(b[j] @ x), 0.0) for j in range(3)) for x in found.x_train]
    assert np.allclose(found.y_train, by_hand, atol=1e-14)
    # Uniform on the sphere: mean 0 and covariance I/d, within sampling error.
    assert np.abs(found.x_train.mean(0)).max() < 0.12
    assert np.allclose(np.cov(found.x_train.T), np.eye(3) / 3, atol=0.06)


def test_the_sine_is_one_period():
    found, _ = sample("sine", n_train=300)
    assert np.abs(found.x_train).max() <= np.pi and np.abs(found.x_train).max() > 3.0
    assert np.allclose(found.y_train, np.sin(found.x_train[:, 0]))


def test_circles_alternate_between_the_radii():
    found, _ = sample("circles", n_train=11)
    radius = np.linalg.norm(found.x_train, axis=1)
    assert np.allclose(radius, np.where(found.y_train == 1, 1.0, 0.5))
    assert list(found.y_train[:4]) == [0, 1, 0, 1]


@pytest.mark.parametrize("task", ["digits", "fashion_mnist"])
def test_images_are_centred_scaled_and_balanced(task):
    found, values = sample(task, n_train=50, n_test=30, labels="ten")
    d = found.x_train.shape[1]
    for x in (found.x_train, found.x_test):
        assert np.allclose(np.linalg.norm(x, axis=1), np.sqrt(d))
    assert list(np.bincount(found.y_train, minlength=10)) == [5] * 10
    assert list(np.bincount(found.y_test, minlength=10)) == [3] * 10
    assert sorted(found.y_train[:10]) == list(range(10))
    joined = np.concatenate([found.x_train, found.x_test])
    assert len(np.unique(joined.round(9), axis=0)) == 80
    parity, _ = sample(task, n_train=50, n_test=30, labels="parity")
    assert np.array_equal(parity.y_train, found.y_train % 2 == 0)


def test_the_mean_that_is_removed_is_that_of_the_training_images():
    file = _images.read("digits_1797.npz")
    found, values = sample("digits", n_train=100, n_test=10)
    order = _images.interleave(file["y"], Streams.from_seed(values["data_seed"]).problem)
    raw = file["x"].reshape(1797, 64).astype(float)
    mean = raw[order[:100]].mean(0)
    shifted = raw[order[-10:]] - mean
    shifted *= 8.0 / np.linalg.norm(shifted, axis=1, keepdims=True)
    assert np.allclose(found.x_test, shifted)


def test_a_single_image_is_its_own_mean_and_stays_at_the_origin():
    found, _ = sample("digits", n_train=1, n_test=2)
    assert np.array_equal(found.x_train, np.zeros((1, 64))) and np.isfinite(found.x_test).all()


def test_the_shipped_files_hold_no_objects():
    for name in ("digits_1797.npz", "fashion_mnist_2000_1000.npz"):
        assert all(array.dtype != object for array in _images.read(name).values())


def test_streams_of_one_seed_are_independent():
    draws = [
        getattr(Streams.from_seed(3), s).random() for s in ("problem", "train", "test", "noise")
    ]
    assert len(set(draws)) == 4
