"""What `keep=kernels` adds: the kernel itself, and models trained with it as it is then."""

from lazycore.results.quantities.declared import (
    ARRAY,
    FLOW_TIME,
    KERNEL_TIME,
    OF_LOSS,
    RUN,
    SHARE,
    Quantity,
)

PLACE = 8

_KERNELS = {
    "frozen": "the kernel frozen",
    "frozen_last_layer": "the kernel of the output layer's weights alone",
}
_MEASURED = {
    "time": ("when a model ended that is trained with {}", FLOW_TIME),
    "train_loss": ("its loss on the training points", OF_LOSS),
    "test_loss": ("its loss on the test points", OF_LOSS),
    "train_error": ("the share of training points that it gets wrong", SHARE),
    "test_error": ("the share of test points that it gets wrong", SHARE),
}


def _frozen(kernel: str) -> list[Quantity]:
    over_time = [
        Quantity(
            name=f"{kernel}.{name}",
            meaning=meaning.format(_KERNELS[kernel]),
            unit=unit,
            log=unit != SHARE,
            at=KERNEL_TIME,
        )
        for name, (meaning, unit) in _MEASURED.items()
    ]
    correlation = Quantity(
        name=f"{kernel}.correlation",
        meaning="of its test outputs with the network's final ones, at each `kernel_time`",
        log=False,
        at=RUN,
        kind=ARRAY,
        axes=("kernel times",),
    )
    return [*over_time, correlation]


GRAM = Quantity(
    name="kernel.gram",
    meaning="Θ on the first 100 training points, sorted by target, single precision, the mean "
    "over equal outputs",
    at=KERNEL_TIME,
    axes=("points of the kernel", "points of the kernel"),
    needs=("kernel.labels",),
)
LABELS = Quantity(
    name="kernel.labels",
    meaning="targets of these points",
    at=RUN,
    kind=ARRAY,
    axes=("points of the kernel",),
)
EIGENVALUES = Quantity(
    name="kernel.eigenvalues",
    meaning="the hundred largest of Θ/n (500 outputs at most)",
    at=KERNEL_TIME,
    axes=("eigenvalues",),
    needs=("kernel.projections",),
)
PROJECTIONS = Quantity(
    name="kernel.projections",
    meaning="(vᵢ·y)²/‖y‖² of their eigenvectors",
    unit=SHARE,
    at=KERNEL_TIME,
    axes=("eigenvalues",),
)

QUANTITIES = (
    GRAM,
    LABELS,
    EIGENVALUES,
    PROJECTIONS,
    *_frozen("frozen"),
    *_frozen("frozen_last_layer"),
)
