"""Random crops and mirror images, against slices of padded arrays."""

import numpy as np
import pytest

from lazycore.engine.paths.augmentation import margin, pixel_maps

IMAGE = (2, 8, 6)


def moved(x: np.ndarray, source: np.ndarray) -> np.ndarray:
    padded = np.concatenate([x, np.zeros((len(x), 1))], axis=1)
    return np.take_along_axis(padded, source, axis=1)


@pytest.mark.parametrize(("side", "width"), [(8, 1), (28, 4), (32, 4), (64, 8), (2, 1)])
def test_the_margin_is_four_pixels_of_thirty_two(side, width):
    assert margin(side) == width


@pytest.mark.parametrize("flips", [False, True])
def test_every_new_image_is_a_crop_of_the_padded_one_all_channels_alike(flips):
    rng = np.random.default_rng(0)
    x = rng.uniform(1.0, 2.0, (40, int(np.prod(IMAGE))))
    images = x.reshape(-1, *IMAGE)
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    found = set()
    new = moved(x, next(pixel_maps(IMAGE, flips, 40, 5))).reshape(images.shape)
    for image, whole in zip(new, padded, strict=True):
        crops = {
            (down, right, mirror): whole[:, down : down + 8, right : right + 6][
                ..., :: -1 if mirror else 1
            ]
            for down in range(3)
            for right in range(3)
            for mirror in (False, True)
        }
        (which,) = [name for name, crop in crops.items() if np.array_equal(crop, image)]
        found.add(which)
    assert {down for down, _, _ in found} == {right for _, right, _ in found} == {0, 1, 2}
    assert {mirror for *_, mirror in found} == ({False, True} if flips else {False})


def test_one_seed_gives_one_sequence_of_images():
    first, again, other = (pixel_maps(IMAGE, True, 5, seed) for seed in (3, 3, 4))
    pairs = [(next(first), next(again), next(other)) for _ in range(3)]
    assert all(np.array_equal(a, b) for a, b, _ in pairs)
    assert any(not np.array_equal(a, c) for a, _, c in pairs)
    assert not np.array_equal(pairs[0][0], pairs[1][0])
