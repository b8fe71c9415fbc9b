"""What the image tasks share: reading a shipped file, interleaving classes, normalising."""

from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from lazycore.config import spec
from lazycore.config.spec import Values
from lazycore.errors import ConfigError
from lazycore.tasks import Sample

FILES = Path(__file__).parent / "files"


@cache
def read(name: str) -> dict[str, np.ndarray]:
    """Return the arrays of a shipped npz file; nothing in it is ever unpickled."""
    with np.load(FILES / name, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def interleave(classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return indices class 0, 1, 2, … in turn, shuffled within each, as many of each.

    Any leading part of the order is balanced to within one image a class (the order of
    Geiger et al., arXiv:1906.08034).
    """
    counts = np.unique(classes, return_counts=True)[1]
    return in_turn(classes, rng)[: len(counts) * counts.min()]


def in_turn(classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return indices class 0, 1, 2, … in turn, shuffled within each, until all are used."""
    shuffled = [rng.permutation(np.flatnonzero(classes == c)) for c in np.unique(classes)]
    rank = np.concatenate([np.arange(len(indices)) for indices in shuffled])
    group = np.repeat(np.arange(len(shuffled)), [len(indices) for indices in shuffled])
    return np.concatenate(shuffled)[np.lexsort((group, rank))]


def normalise(
    x_train: np.ndarray, x_test: np.ndarray, centering: str = "train"
) -> tuple[np.ndarray, np.ndarray]:
    """Return both sets without their mean and scaled to ‖x‖ = √d, point by point.

    centering: `train`: the mean of the training set; `pool`: that of both, as Geiger et al. do.
    """
    mean = _those(x_train, x_test, centering).mean(axis=0)

    def scaled(x: np.ndarray) -> np.ndarray:
        x = x - mean
        norm = np.linalg.norm(x, axis=1, keepdims=True)
        # What is the mean itself, as a single training image is, or differs from it by rounding
        # alone, stays at the origin.
        there = norm > 1e-9 * np.linalg.norm(mean)
        return x * np.where(there, np.sqrt(x.shape[1]) / np.where(there, norm, 1.0), 0.0)

    return scaled(x_train), scaled(x_test)


def principal(
    x_train: np.ndarray, x_test: np.ndarray, components: int, centering: str = "train"
) -> tuple[np.ndarray, np.ndarray]:
    """Return both sets in the first principal components, each of variance 1.

    Mean and covariance are those of the training set, or of both sets (`pool`). A component of no
    variance is 0. Its sign is such that the largest entry of its direction is positive.
    Cost: eigenvectors of a d × d matrix.
    """
    these = _those(x_train, x_test, centering)
    mean = these.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(these, rowvar=False, bias=True))
    variances, directions = variances[::-1][:components], directions[:, ::-1][:, :components]
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(components)]
    directions = directions * np.sign(largest)
    there = variances > 1e-12 * variances[0]
    scale = np.where(there, 1.0, 0.0) / np.sqrt(np.where(there, variances, 1.0))
    return (x_train - mean) @ directions * scale, (x_test - mean) @ directions * scale


def _those(x_train: np.ndarray, x_test: np.ndarray, centering: str) -> np.ndarray:
    return np.concatenate([x_train, x_test]) if centering == "pool" else x_train


def labels(values: Values, digit: np.ndarray) -> np.ndarray:
    """Return class indices: the digit itself, or 1 for even and 0 for odd."""
    return digit if values["labels"] == "ten" else (digit + 1) % 2


def classes(values: Values) -> int:
    """Return the number of classes under the chosen labels."""
    return 10 if values["labels"] == "ten" else 2


def facts(shape: tuple[int, int, int], flips: bool) -> dict[str, Any]:
    """Return the facts of a task of images (channels, height, width); see `spec.Spec`."""
    return {
        "inputs": lambda values: values.get("pca") or prod(shape),
        "classes": classes,
        "image": lambda values: shape,
        "flips": flips,
    }


def at_most(values: Values, n_train: int, n_test: int, what: str) -> None:
    """Raise `ConfigError` when more images are asked for than there are."""
    for name, limit in (("n_train", n_train), ("n_test", n_test)):
        if values[name] > limit:
            raise ConfigError(
                f"{name}={values[name]} is not allowed: {what}; give at most {limit}."
            )
    _check_pca(values)


def share_out(values: Values, available: int, what: str) -> None:
    """Raise `ConfigError` when training and test points are more than there are together."""
    n, n_test = values["n_train"], values["n_test"]
    if n > available:
        raise ConfigError(f"n_train={n} is not allowed: {what}; give at most {available:,}.")
    if n + n_test > available:
        raise ConfigError(
            f"n_train + n_test = {n + n_test} is not allowed: {what}; give n_test at most "
            f"{available - n}."
        )
    _check_pca(values)


def _check_pca(values: Values) -> None:
    """Raise `ConfigError` for more components than the images can have."""
    if not values.get("pca"):
        return
    size = prod(spec.find("task", values["task"]).SPEC.facts["image"](values))
    points = values["n_train"] + (values["n_test"] if values["centering"] == "pool" else 0)
    most = min(size, points - 1)
    if values["pca"] > most:
        raise ConfigError(
            f"pca={values['pca']} is not allowed: {points} images of {size} pixels have "
            f"{most} components; give at most {most}."
        )


def assemble(values: Values, train: tuple, test: tuple) -> Sample:
    """Return the sample of these raw (images, digits) pairs, flattened and normalised."""
    first, second = (
        x.reshape(len(x), int(np.prod(x.shape[1:]))).astype(np.float64) for x, _ in (train, test)
    )
    if values.get("pca"):
        x_train, x_test = principal(first, second, values["pca"], values["centering"])
    else:
        x_train, x_test = normalise(first, second, values["centering"])
    return Sample(x_train, labels(values, train[1]), x_test, labels(values, test[1]))
