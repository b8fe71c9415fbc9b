"""Level lines through a grid of values, by marching squares. numpy only."""

import numpy as np

Segment = tuple[tuple[float, float], tuple[float, float]]

# The corners of a square, anticlockwise, as (row, column); side k runs from corner k to k + 1.
_CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))


def level_line(x: np.ndarray, y: np.ndarray, values: np.ndarray, level: float) -> np.ndarray:
    """Return the line of `level` as (k, 2) points, a row of NaN between its pieces.

    Between neighbouring grid points the values are taken to be linear in x and in y, so hand
    over logarithms of what is spaced by ratio. A square with a value missing has no line; the
    two ways through a saddle are told apart by the mean of its corners.

    Args:
        x: (i,) and y: (j,) increasing places. values: (j, i), NaN where there is none.
    """
    segments: list[Segment] = []
    for j in range(len(y) - 1):
        for i in range(len(x) - 1):
            corners = [(j + dj, i + di) for dj, di in _CORNERS]
            around = np.array([values[c] for c in corners]) - level
            if np.isfinite(around).all():
                at = [(float(x[c[1]]), float(y[c[0]])) for c in corners]
                segments += _through(at, around)
    return _joined(segments)


def _through(at: list[tuple[float, float]], around: np.ndarray) -> list[Segment]:
    """Return the pieces inside one square, given its corners and their heights above the level."""
    above = around >= 0.0
    crossed = [k for k in range(4) if above[k] != above[(k + 1) % 4]]
    points = {}
    for k in crossed:
        n = (k + 1) % 4
        share = around[k] / (around[k] - around[n])
        points[k] = tuple(float(a + share * (b - a)) for a, b in zip(at[k], at[n], strict=True))
    if len(crossed) == 4 and above[0] != (around.mean() >= 0.0):
        crossed = [3, 0, 1, 2]
    pairs = [(points[a], points[b]) for a, b in zip(crossed[::2], crossed[1::2], strict=True)]
    # A corner that is on the level exactly would otherwise be a piece without length.
    return [pair for pair in pairs if not _meets(*pair)]


def _joined(segments: list[Segment]) -> np.ndarray:
    """Return the pieces strung together where they meet."""
    left = list(segments)
    rows: list[tuple[float, float]] = []
    while left:
        first, last = left.pop()
        forward, backward = _follow(left, last), _follow(left, first)
        rows += [*backward[::-1], first, last, *forward, (float("nan"), float("nan"))]
    return np.array(rows[:-1]) if rows else np.empty((0, 2))


def _follow(left: list[Segment], end: tuple[float, float]) -> list[tuple[float, float]]:
    """Take off `left` what goes on from `end`, piece by piece, and return its points."""
    found = []
    while True:
        onward = next(((p, q) for p in left for q in (0, 1) if _meets(p[q], end)), None)
        if onward is None:
            return found
        piece, side = onward
        left.remove(piece)
        end = piece[1 - side]
        found.append(end)


def _meets(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) < 1e-9 * (1.0 + abs(a[0]) + abs(a[1]))
