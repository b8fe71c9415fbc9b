"""From raw targets to what a loss reads: noise, signs, medians, one-hot rows."""

import numpy as np
import pytest
import tiny_sets
from choices import few, is_possible

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.datasets import images
from lazycore.engine.problem.targets import dataset, flipped
from lazycore.tasks import Sample


def data(**fields):
    return dataset(RunConfig(**fields).resolve().to_dict())


def test_real_targets_are_a_column_and_have_no_classes():
    found = data(task="sine", n_train=12, n_test=5)
    assert found.y_train.shape == (12, 1) and found.y_test.shape == (5, 1) and found.classes == 0
    assert np.allclose(found.y_train, np.sin(found.x_train))


def test_noise_on_real_targets_has_its_standard_deviation_and_spares_the_test_points():
    clean = data(task="sine", n_train=4000, n_test=50)
    noisy = data(task="sine", n_train=4000, n_test=50, noise=0.3)
    assert np.array_equal(clean.y_test, noisy.y_test)
    assert np.array_equal(clean.x_train, noisy.x_train)
    difference = noisy.y_train - clean.y_train
    assert abs(difference.std() - 0.3) < 0.02 and abs(difference.mean()) < 0.02


@pytest.mark.parametrize(("labels", "loss"), [("parity", "logistic"), ("ten", "cross_entropy")])
def test_label_noise_flips_its_share_of_training_labels_only(labels, loss):
    options = {"task": "fashion_mnist", "n_train": 1500, "n_test": 60, "labels": labels}
    clean, noisy = data(**options, loss=loss), data(**options, loss=loss, noise=0.3)
    assert np.array_equal(clean.y_test, noisy.y_test)
    flips = (clean.y_train != noisy.y_train).any(1).mean()
    assert abs(flips - 0.3) < 0.04


def test_a_flipped_label_is_always_another_class_and_every_other_class_occurs():
    y = np.zeros(3000, dtype=int)
    found = flipped(y, 10, 1.0, np.random.default_rng(0))
    assert set(found) == set(range(1, 10))
    assert np.array_equal(flipped(y, 10, 0.0, np.random.default_rng(0)), y)


def test_real_targets_under_the_logistic_loss_are_signs_about_the_training_median():
    real, signs = data(task="sine", n_train=21, n_test=9), None
    signs = data(task="sine", n_train=21, n_test=9, loss="logistic")
    middle = np.median(real.y_train)
    assert signs.classes == 2
    assert np.array_equal(signs.y_train, np.where(real.y_train > middle, 1.0, -1.0))
    assert np.array_equal(signs.y_test, np.where(real.y_test > middle, 1.0, -1.0))
    assert (signs.y_train == 1).sum() == 10


def test_the_middle_of_skewed_targets_is_the_median_of_those_of_training_and_not_their_mean(
    monkeypatch,
):
    """One large target: four of nine are above the median, one is above the mean."""
    y = np.array([100.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    sample = Sample(np.zeros((9, 1)), y, np.zeros((3, 1)), np.array([0.5, 0.51, 50.0]))
    monkeypatch.setattr(spec.find("task", "sine"), "sample", lambda values, streams: sample)
    found = data(task="sine", n_train=9, n_test=3, loss="logistic")
    assert found.y_train[:, 0].tolist() == [1, -1, -1, -1, -1, -1, 1, 1, 1]
    assert found.y_test[:, 0].tolist() == [-1, 1, 1]
    noisy = data(task="sine", n_train=9, n_test=3, loss="logistic", noise=1e-9)
    assert np.array_equal(found.y_test, noisy.y_test), "the median is of the clean targets"


def test_class_one_is_plus_one_and_the_square_loss_reads_signs_too():
    for loss in ("square", "logistic"):
        found = data(task="circles", n_train=10, loss=loss)
        outer = np.linalg.norm(found.x_train, axis=1, keepdims=True) > 0.75
        assert found.classes == 2
        assert np.array_equal(found.y_train, np.where(outer, 1.0, -1.0))


def test_ten_classes_are_one_hot_rows():
    for loss in ("square", "cross_entropy"):
        found = data(task="digits", n_train=30, labels="ten", loss=loss)
        assert found.y_train.shape == (30, 10) and found.classes == 10
        assert np.array_equal(found.y_train.sum(1), np.ones(30))
        assert set(np.unique(found.y_train)) == {0.0, 1.0}


def test_two_classes_under_cross_entropy_are_two_columns():
    found = data(task="circles", n_train=10, loss="cross_entropy")
    signs = data(task="circles", n_train=10, loss="logistic")
    assert found.classes == 2
    assert np.array_equal(found.y_train[:, 1] == 1.0, signs.y_train[:, 0] == 1.0)


@pytest.mark.parametrize("task", sorted(spec.collect("task")))
@pytest.mark.parametrize("loss", sorted(spec.collect("loss")))
def test_every_task_goes_with_every_loss(task, loss, monkeypatch):
    monkeypatch.setattr(images, "images", tiny_sets.made_up)
    if not is_possible({"task": task, "loss": loss}):
        return
    found = data(task=task, loss=loss, n_train=few(task, 6), n_test=0)
    assert found.y_train.ndim == 2 and found.y_test.shape == (0, found.y_train.shape[1])
    if spec.find("loss", loss).SPEC.facts["labels"] == "binary":
        assert set(np.unique(found.y_train)) <= {-1.0, 1.0}
