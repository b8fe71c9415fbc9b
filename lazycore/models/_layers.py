"""What the models of dense layers share that needs no torch: counts and checks."""

from lazycore.config.spec import Values
from lazycore.errors import ConfigError


def even_width(values: Values) -> None:
    """Raise `ConfigError` for an odd width that is to be split into two equal copies."""
    width = values["width"]
    if values["zero_output"] == "symmetrized" and width % 2:
        raise ConfigError(
            f"width={width} is odd, which zero_output=symmetrized cannot split into two equal "
            f"copies: give {width + 1}."
        )


def shapes(values: Values, hidden: int, d: int, k: int) -> list[tuple[int, int]]:
    """Return the weight shapes (out, in) of one copy of a network, biases as a last column."""
    copies = 2 if values["zero_output"] == "symmetrized" else 1
    sizes = [d, *[values["width"] // copies] * hidden, k]
    bias = values["bias"] != "none"
    return [(o, i + bias) for i, o in zip(sizes, sizes[1:], strict=False)]


def parameters(values: Values, hidden: int, d: int, k: int) -> int:
    """Return p, both copies of a symmetrised network counted.

    Every multiply-add of a dense forward pass belongs to one weight, so this is also the
    number of operations for one point.
    """
    copies = 2 if values["zero_output"] == "symmetrized" else 1
    return copies * sum(o * i for o, i in shapes(values, hidden, d, k))
