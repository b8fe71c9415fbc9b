"""Of the tangent kernel Θ of the network, at the times `kernel_time`."""

import math

from lazycore.results.quantities import reductions
from lazycore.results.quantities.declared import (
    ARRAY,
    KERNEL_TIME,
    RUN,
    SHARE,
    Number,
    Quantity,
    Record,
)
from lazycore.results.quantities.thresholds import LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE

PLACE = 3


def _alignment_change(record: Record, key: str) -> float:
    alignment = record.sparse.get(key)
    diverged = reductions.has_diverged(record)
    if diverged or alignment is None or alignment.ndim != 1 or not alignment.size:
        return math.nan
    return float(alignment[-1] - alignment[0])


def _alignment_gain(record: Record, key: str) -> float:
    change, alignment = _alignment_change(record, key), record.sparse.get(key)
    if alignment is None or math.isnan(change) or not alignment[0] > 0.0:
        return math.nan
    return 1.0 + change / float(alignment[0])


KERNEL_CHANGE = Quantity(
    name="kernel_change",
    meaning="‖Θ_t − Θ₀‖_F/‖Θ₀‖_F on at most 500 training points",
    title="kernel change ‖Θ − Θ₀‖/‖Θ₀‖",
    at=KERNEL_TIME,
    absent=[],
    compared="kernel_change",
    numbers=(
        Number(
            name="kernel_change",
            words="kernel change ‖Θ − Θ₀‖/‖Θ₀‖ at the end",
            how=reductions.final_of_kernel,
            levels=(LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE),
        ),
        Number(
            name="largest_kernel_change",
            words="largest kernel change ‖Θ − Θ₀‖/‖Θ₀‖",
            how=reductions.largest,
            column=False,
            label="Kernel change",
            help="How far the tangent kernel moved from where it started, against its own size: "
            f"‖Θ_t − Θ₀‖/‖Θ₀‖ at its largest. Lazy is below {LAZY_KERNEL_CHANGE:g}, rich above "
            f"{RICH_KERNEL_CHANGE:g}.",
        ),
    ),
)
KERNEL_CHANGE_TEST = Quantity(
    name="kernel_change_test",
    meaning="the same change on the first 500 test points (1,000 outputs), not of deep "
    "convolutional networks",
    title="kernel change on the test points",
    at=KERNEL_TIME,
    numbers=(
        Number(
            name="kernel_change_test",
            words="kernel change on the test points at the end",
            how=reductions.final_of_kernel,
        ),
    ),
)
ALIGNMENT = Quantity(
    name="alignment.nonlinear",
    meaning="⟨Θ, yyᵀ⟩/(‖Θ‖‖y‖²), on the points of `kernel_change`",
    title="alignment with the labels",
    unit=SHARE,
    log=False,
    at=KERNEL_TIME,
    compared="alignment",
    numbers=(
        Number(
            name="alignment_change",
            words="change of the kernel's alignment with the labels",
            how=_alignment_change,
        ),
        Number(
            name="alignment_gain",
            words="alignment of the kernel with the labels at the end over that at the start",
            how=_alignment_gain,
            unit="no unit",
            log=True,
        ),
    ),
)
KERNEL_POINTS = Quantity(
    name="kernel_points",
    meaning="training points on which the kernel is measured: 500 at most, fewer for "
    "convolutions and for modules whose Jacobian takes a backward pass a row (1,000 rows)",
    at=RUN,
)
LAMBDA_MAX = Quantity(
    name="lambda_max",
    meaning="λ_max of Θ₀/n = ‖Dh(w₀)‖²",
    at=RUN,
    numbers=(Number(name="lambda_max", words="largest eigenvalue of Θ₀/n", how=reductions.once),),
)
SPECTRUM = Quantity(
    name="spectrum",
    meaning="eigenvalues of Θ₀ over all outputs of the first points (1,000 outputs at most) for "
    "more than two outputs",
    at=RUN,
    kind=ARRAY,
    axes=("spectrum",),
)
CLASS_GAP = Quantity(
    name="class_gap",
    meaning="the largest ratio of neighbours among the first fifty of `spectrum`",
    at=RUN,
)
CLASS_GAP_AFTER = Quantity(
    name="class_gap_after", meaning="after how many eigenvalues `class_gap` comes", at=RUN
)
KERNEL_BEFORE = Quantity(
    name="kernel_before",
    meaning="the tangent kernel at w₀, on the points on which its change is measured, where it "
    "was asked for (`compare(kernels=True)`)",
    at=RUN,
    kind=ARRAY,
    axes=("outputs of the kernel", "outputs of the kernel"),
)
KERNEL_AFTER = Quantity(
    name="kernel_after",
    meaning="the same at the end",
    at=RUN,
    kind=ARRAY,
    axes=("outputs of the kernel", "outputs of the kernel"),
)

QUANTITIES = (
    *(KERNEL_CHANGE, KERNEL_CHANGE_TEST, ALIGNMENT, KERNEL_POINTS, LAMBDA_MAX),
    *(SPECTRUM, CLASS_GAP, CLASS_GAP_AFTER, KERNEL_BEFORE, KERNEL_AFTER),
)
