"""What is kept of a run to be drawn: its data, its function and its neurons in a plane."""

from lazycore.results.quantities.declared import ARRAY, KERNEL_TIME, MODELS, PATHS, RUN, Quantity

PLACE = 9


def _array(name: str, meaning: str, *axes: str, needs: tuple[str, ...] = ()) -> Quantity:
    return Quantity(name=name, meaning=meaning, at=RUN, kind=ARRAY, axes=axes, needs=needs)


QUANTITIES = (
    _array("data.x", "inputs of training points", "drawn points", "inputs", needs=("data.y",)),
    _array("data.y", "their targets", "drawn points", "outputs"),
    _array("function.x", "points of a grid", "grid points", "inputs"),
    *(
        _array(
            f"function.{path}",
            "the outputs of this path on the grid, as last recorded",
            "grid points",
            "outputs",
            needs=("function.x",),
        )
        for path in PATHS
    ),
    *(
        Quantity(
            name=f"neurons.{model}",
            meaning="|a| b of the hidden units of this model, two directions of it",
            at=KERNEL_TIME,
            axes=("neurons", "two directions"),
            needs=("neurons.sign",),
        )
        for model in MODELS
    ),
    _array("neurons.sign", "the sign of a of each unit", "neurons"),
)
