"""Level lines: where they run on planes and cones, and around what is missing."""

import numpy as np
import pytest

from lazycore.theory.contours import level_line

X, Y = np.linspace(0.0, 3.0, 7), np.linspace(-1.0, 1.0, 5)


def test_the_line_of_a_plane_is_straight_and_in_one_piece():
    values = X[None, :] + 2.0 * Y[:, None]
    line = level_line(X, Y, values, 1.2)
    assert np.isfinite(line).all()
    np.testing.assert_allclose(line[:, 0] + 2.0 * line[:, 1], 1.2)
    assert sorted(line[[0, -1], 1]) == pytest.approx([-0.9, 0.6])


def test_the_line_of_a_cone_closes_and_keeps_its_distance():
    side = np.linspace(-2.0, 2.0, 41)
    values = np.hypot(*np.meshgrid(side, side))
    line = level_line(side, side, values, 1.0)
    np.testing.assert_allclose(line[0], line[-1])
    np.testing.assert_allclose(np.hypot(*line.T), 1.0, atol=0.003)


def test_two_hills_have_two_lines_with_a_break_between():
    values = np.zeros((3, 7))
    values[1, 1] = values[1, 5] = 1.0
    line = level_line(X, np.arange(3.0), values, 0.5)
    assert np.isnan(line).any(axis=1).sum() == 1


@pytest.mark.parametrize(("level", "corners"), [(0.4, "apart"), (0.6, "joined")])
def test_a_saddle_is_told_apart_by_its_middle(level, corners):
    # High at two opposite corners, ½ in the middle: below ½ the high corners are connected.
    line = level_line(np.arange(2.0), np.arange(2.0), np.array([[1.0, 0.0], [0.0, 1.0]]), level)
    first, second = line[:2], line[3:]
    cut_off = {tuple(np.round(piece.mean(axis=0)).astype(int)) for piece in (first, second)}
    low_corners, high_corners = {(1, 0), (0, 1)}, {(0, 0), (1, 1)}
    assert cut_off == (low_corners if corners == "apart" else high_corners)


def test_a_level_that_is_not_reached_has_no_line():
    assert level_line(X, Y, np.zeros((5, 7)), 1.0).shape == (0, 2)


def test_a_square_with_a_value_missing_is_left_out():
    values = np.tile(X, (5, 1))
    values[2, 3] = np.nan
    line = level_line(X, Y, values, 1.4)
    pieces = np.isnan(line).any(axis=1).sum() + 1
    assert pieces == 2
    inside = line[np.isfinite(line).all(axis=1), 1]
    assert not ((inside > -0.5) & (inside < 0.5)).any()
