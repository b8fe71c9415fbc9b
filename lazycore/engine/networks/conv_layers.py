"""The layers of convolutional networks as plain data, and what each of them counts. No torch.

Every convolution has biases and is padded so that a stride of 1 keeps the image's size; one
that is by itself is followed by a ReLU.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Conv:
    """A convolution with a square kernel; height and width are those of its output."""

    inputs: int
    outputs: int
    kernel: int
    stride: int
    height: int
    width: int

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.outputs * (self.inputs * self.kernel**2 + 1)

    @property
    def operations(self) -> int:
        """Multiply-adds of one point."""
        return self.units * self.inputs * self.kernel**2

    @property
    def units(self) -> int:
        """Numbers that it gives for one point."""
        return self.outputs * self.height * self.width


@dataclass(frozen=True)
class Pool:
    """A 2 × 2 max pool."""

    parameters = operations = units = 0


@dataclass(frozen=True)
class Mean:
    """The mean over the whole map, channel by channel."""

    parameters = operations = units = 0


@dataclass(frozen=True)
class Residual:
    """ReLU(second(ReLU(first(a))) + shortcut(a)); no shortcut stands for a itself."""

    first: Conv
    second: Conv
    shortcut: Conv | None

    @property
    def parameters(self) -> int:
        """Of its convolutions."""
        return sum(conv.parameters for conv in self._convs)

    @property
    def operations(self) -> int:
        """Of its convolutions."""
        return sum(conv.operations for conv in self._convs)

    @property
    def units(self) -> int:
        """Inputs of its two ReLUs."""
        return self.first.units + self.second.units

    @property
    def _convs(self) -> list[Conv]:
        return [conv for conv in (self.first, self.second, self.shortcut) if conv]


@dataclass(frozen=True)
class Dense:
    """The output layer, with biases."""

    inputs: int
    outputs: int
    units = 0

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.outputs * (self.inputs + 1)

    @property
    def operations(self) -> int:
        """Multiply-adds of one point."""
        return self.outputs * self.inputs


Layer = Conv | Pool | Mean | Residual | Dense
"""What a network is made of, in the order in which it is passed."""
