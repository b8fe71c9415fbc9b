"""Figure 7(b): the spectrum of the multi-output tangent kernel of a convolutional network."""

from collections.abc import Sequence

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Row
from lazycore.papers.lazy_training.figures._reported import curves, read_off
from lazycore.papers.reproduction import (
    QUICK,
    Curve,
    Found,
    Job,
    Reproduction,
    Scale,
    Setting,
    Size,
)
from lazycore.results.run import RunResult

IMAGES, CLASSES, GAP = 100, 10, 3.0


def job() -> list[Job]:
    """Return a run of one step on 100 digits: its kernel is that of the start."""
    fields = {
        "task": "digits",
        "labels": "ten",
        "n_train": IMAGES,
        "n_test": 0,
        "model": "cnn",
        "zero_output": "centered",
        "dynamics": "sgd",
        "step_size": 0.01,
        "momentum": 0.0,
        "schedule": "constant",
        "batch_size": IMAGES,
        "steps": 1,
    }
    return [RunConfig.from_dict(fields)]


def spectrum(found: Sequence[Found]) -> np.ndarray:
    """Return the eigenvalues over the largest, decreasing; empty where there are none."""
    result = _run(found)
    values = np.asarray(result.latest["spectrum"] if result else [], dtype=float)
    return values / values[:1]


def _run(found: Sequence[Found]) -> RunResult | None:
    runs = (one for one in found if isinstance(one, RunResult) and "spectrum" in one.latest)
    return next(runs, None)


def lines(found: Sequence[Found]) -> list[Curve]:
    """Return the eigenvalues over their index from 1 on; the largest is 1 at index 0."""
    values = spectrum(found)
    name = f"{IMAGES} digits, small network"
    return (
        [Curve.of_runs(name, np.arange(1.0, len(values)), values[None, 1:])] if len(values) else []
    )


def reported() -> list[Curve]:
    """Return the paper's lines from index 1 on, since a logarithmic axis has no place for 0."""
    return [one.where(one.x >= 0.5) for one in curves("7b")]


def agreement(found: Sequence[Found]) -> list[Row]:
    """Compare the gap after one eigenvalue for each class, and what is steep after it."""
    claim, allowed = "the widest gap among the first 50 eigenvalues", f"after 10, > {GAP:g}"
    result = _run(found)
    if result is None:
        return [Row(claim, "not computed yet", allowed, None)]
    values = spectrum(found)
    place, ratio = int(result.latest["class_gap_after"]), float(result.latest["class_gap"])
    said = f"after {place}: {ratio:.1f} times (the paper: after 10, 8.6 times)"
    condition = f"{values[0] / values[-1]:.1e} (the paper: 2.3e4)"
    return [
        Row(claim, said, allowed, place == CLASSES and ratio > GAP),
        Row("largest over smallest eigenvalue", condition, "shown", None),
    ]


REPRODUCTION = Reproduction(
    name="7b",
    title="Figure 7(b): ten large eigenvalues, and a long tail",
    caption="Eigenvalues of the tangent kernel Dh(w₀)Dh(w₀)ᵀ over the largest: one for each class "
    "stands apart, and the rest falls about as the inverse of its index, so that most of what "
    "there is to learn is learned slowly. The paper: VGG-11 on 495 images of CIFAR-10, and on "
    "random pixels.",
    x=Scale(title="index of the eigenvalue, from 0 (no unit)", log=True),
    y=Scale(title="eigenvalue / the largest (no unit)", log=True),
    settings=(
        Setting(
            name="digits",
            differs="Handwritten digits and a small convolutional network.",
            sizes={QUICK: Size(said=f"{IMAGES} digits, ten outputs each: seconds.", make=job)},
        ),
    ),
    curves=lines,
    reported=reported,
    read_off=read_off,
    agreement=agreement,
    missing="The computed line is another network on other images, so that only the shape is to be "
    "compared. The paper's own size needs CIFAR-10 and 9.2 million tangent features of 4,950 "
    "outputs: not run here.",
)
