"""Each task draws what the contract says, reproducibly, and paired across other choices."""

import numpy as np
import pytest
import tiny_sets
from choices import few

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.datasets import images, registry
from lazycore.engine.problem.targets import dataset
from lazycore.errors import ConfigError, DataError
from lazycore.tasks import Streams, _images


@pytest.fixture(autouse=True)
def images_of_noise(monkeypatch):
    """Sets that do not ship are 600 images of noise here."""
    monkeypatch.setattr(images, "images", tiny_sets.made_up)


def sample(task: str, **more):
    """Return the raw sample of a task and its resolved fields."""
    values = RunConfig.from_dict({"task": task} | more).resolve().to_dict()
    return spec.find("task", task).sample(values, Streams.from_seed(values["data_seed"])), values


@pytest.mark.parametrize("task", sorted(spec.collect("task")))
@pytest.mark.parametrize("n_test", [0, 7])
def test_every_task_has_the_shapes_it_says(task, n_test):
    n = few(task, 20)
    n_test = n_test if n == 20 else 0  # without inputs there is one point
    found, values = sample(task, n_train=n, n_test=n_test)
    facts = spec.find("task", task).SPEC.facts
    d, y = facts["inputs"](values), facts["outputs"](values) if "outputs" in facts else ()
    y = (y,) if isinstance(y, int) else y
    assert found.x_train.shape == (n, d) and found.x_test.shape == (n_test, d)
    assert found.y_train.shape == (n, *y) and found.y_test.shape == (n_test, *y)
    again, _ = sample(task, n_train=n, n_test=n_test)
    other, _ = sample(task, n_train=n, n_test=n_test, data_seed=99)
    assert np.array_equal(found.x_train, again.x_train)
    assert d == 0 or not np.array_equal(found.x_train, other.x_train)


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


@pytest.mark.parametrize("task", ["digits", "fashion_mnist", "mnist", "cifar10", "emnist"])
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
    assert np.prod(spec.find("task", task).SPEC.facts["image"](values)) == d
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


def test_ten_letters_are_the_first_ten_and_parity_is_of_all():
    ten, _ = sample("emnist", emnist_split="letters", labels="ten", n_train=50, n_test=20)
    assert list(ten.y_train[:11]) == [*range(10), 0]
    parity, _ = sample("emnist", emnist_split="letters", labels="parity", n_train=52, n_test=20)
    assert list(parity.y_train) == [(letter + 1) % 2 for letter in range(26)] * 2


def test_fashion_images_that_ship_come_first_whatever_else_is_there(monkeypatch):
    shipped = _images.read("fashion_mnist_2000_1000.npz")
    asked = []

    def whole(name: str, part: str) -> tuple[np.ndarray, np.ndarray]:
        """The shipped images as the first of each class, then as many of noise."""
        asked.append(part)
        x, y = shipped[f"x_{part}"].reshape(-1, 1, 28, 28), shipped[f"y_{part}"].astype(int)
        return np.concatenate([x, x ^ 255]), np.concatenate([y, y])

    monkeypatch.setattr(images, "images", whole)
    few_, values = sample("fashion_mnist", n_train=2000, n_test=1000, labels="ten")
    assert asked == []
    many, _ = sample("fashion_mnist", n_train=3000, n_test=1000, labels="ten")
    assert asked == ["train"]
    assert np.array_equal(many.y_train[:2000], few_.y_train)
    assert list(np.bincount(many.y_train)) == [300] * 10
    # Without the mean, which more images change, they are the same images.
    order = _images.interleave(
        shipped["y_train"].astype(int), Streams.from_seed(values["data_seed"]).train
    )
    rows = shipped["x_train"][order].reshape(2000, 784).astype(float)
    rest = many.x_train[2000:]
    mean = np.concatenate([rows, 255.0 - rows]).mean(0)
    assert np.allclose(np.linalg.norm(rest, axis=1), 28.0) and np.isfinite(mean).all()
    correlation = np.corrcoef(many.x_train[0], rows[0] - mean)[0, 1]
    assert correlation > 0.99


def test_more_fashion_than_ships_needs_the_complete_set(tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("LAZYLAB_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if images.is_here(registry.FASHION_MNIST, "train"):
        pytest.skip("the complete set is here")
    with pytest.raises(DataError, match="data fetch fashion_mnist"):
        sample("fashion_mnist", n_train=2001, n_test=0)


def test_a_parity_is_the_product_of_its_signs_and_blind_to_the_others():
    fields = {"task": "parity", "n_train": 500, "dim": 6}
    found = dataset(RunConfig.from_dict(fields | {"parity_order": 2}).resolve().to_dict())
    assert set(np.unique(found.x_train)) == {-1.0, 1.0}
    assert np.array_equal(found.y_train[:, 0], found.x_train[:, 0] * found.x_train[:, 1])
    assert np.abs(found.x_train.mean(0)).max() < 0.2
    with pytest.raises(ConfigError, match="give at most 6"):
        RunConfig.from_dict(fields | {"parity_order": 7})


def raw_digits(values, n, n_test):
    """Return the pixels of the same images, before anything is done to them."""
    file = _images.read("digits_1797.npz")
    order = _images.interleave(file["y"], Streams.from_seed(values["data_seed"]).problem)
    raw = file["x"].reshape(1797, 64).astype(float)
    return raw[order[:n]], raw[order[len(order) - n_test :]]


def test_the_mean_of_the_pool_is_that_of_the_test_images_too():
    found, values = sample("digits", n_train=100, n_test=60, centering="pool")
    train, test = raw_digits(values, 100, 60)
    shifted = test - np.concatenate([train, test]).mean(0)
    assert np.allclose(found.x_test, 8.0 * shifted / np.linalg.norm(shifted, axis=1)[:, None])


@pytest.mark.parametrize("centering", ["train", "pool"])
def test_principal_components_are_those_of_the_singular_vectors_each_of_variance_one(centering):
    found, values = sample("digits", n_train=100, n_test=60, pca=10, centering=centering)
    parts = raw_digits(values, 100, 60)
    pool = parts[0] if centering == "train" else np.concatenate(parts)
    _, sizes, directions = np.linalg.svd(pool - pool.mean(0), full_matrices=False)
    reached = [found.x_train, found.x_test]
    for raw, x in zip(parts, reached, strict=True):
        wanted = (raw - pool.mean(0)) @ directions[:10].T / sizes[:10] * len(pool) ** 0.5
        assert np.allclose(np.abs(x), np.abs(wanted), atol=1e-8)
    x = reached[0] if centering == "train" else np.concatenate(reached)
    assert np.allclose(np.cov(x, rowvar=False, bias=True), np.eye(10), atol=1e-8)


def test_a_component_without_variance_is_left_at_zero():
    found, _ = sample("digits", n_train=1000, n_test=10, pca=64)
    assert np.isfinite(found.x_train).all() and np.isfinite(found.x_test).all()
    variances = found.x_train.var(axis=0)
    assert np.allclose(variances[:50], 1.0) and variances[-1] == 0.0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"pca": 65}, "at most 64"),
        ({"pca": 20, "n_train": 20}, "at most 19"),
        ({"pca": 10, "model": "cnn"}, "leave pca out"),
        ({"pca": 10, "dynamics": "sgd", "augmentation": "standard"}, "leave one of them out"),
    ],
)
def test_components_that_cannot_be_had_are_refused(fields, says):
    with pytest.raises(ConfigError, match=says):
        RunConfig.from_dict({"task": "digits"} | fields)
