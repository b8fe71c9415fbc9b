"""Random crops and mirror images, as maps from pixels to pixels. numpy only."""

from collections.abc import Iterator

import numpy as np

MARGIN = 4.0 / 32.0
"""Width of the margin from which crops are taken, as a share of the image's side: four pixels
of 32, as is usual for CIFAR-10."""


def margin(side: int) -> int:
    """Return the width of the margin in pixels, at least one."""
    return max(1, round(MARGIN * side))


def pixel_maps(
    image: tuple[int, int, int], flips: bool, count: int, seed: int
) -> Iterator[np.ndarray]:
    """Yield without end where the pixels of `count` new images come from, (count, d).

    Each image is shifted by up to the margin in both directions, and mirrored with
    probability ½ where `flips` says so; all its channels alike. Pixels are numbered as in a
    flat image (channels, height, width); d stands for the margin, which is 0.

    seed: of these draws alone. Batches are drawn from the same seed by another generator.
    """
    channels, height, width = image
    rng = np.random.default_rng([seed, 1])
    while True:
        down, right = (rng.integers(-margin(s), margin(s) + 1, count) for s in (height, width))
        mirrored = rng.integers(0, 2, count) == 1 if flips else np.zeros(count, bool)
        rows = np.arange(height) + down[:, None]
        columns = np.arange(width) + right[:, None]
        columns = np.where(mirrored[:, None], columns[:, ::-1], columns)
        row, column = rows[:, None, :, None], columns[:, None, None, :]
        plane = np.arange(channels)[:, None, None]
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        source = np.where(inside, (plane * height + row) * width + column, np.prod(image))
        yield source.reshape(count, -1)
