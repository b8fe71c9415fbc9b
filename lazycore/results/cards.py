"""What runs, sweeps and comparisons show of themselves. No verdict before the end of a run."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lazycore.config.card import Card, Rows, word
from lazycore.results.verdict import WORDS

if TYPE_CHECKING:
    from lazycore.results.run import RunResult
    from lazycore.results.snapshots import Snapshot

WHOLE = ("done", "diverged")
"""Statuses of a run that came to its end, as far as its models went."""
MODELS = {"nonlinear": "network", "linearized": "linearisation", "refreshed": "refreshed"}
NAMED = ("task", "model", "width", "depth", "activation", "loss", "dynamics", "alpha")
"""Fields that a run is called by."""
SAID = {"alpha": "α", "width": "width", "depth": "depth"}
NOTHING = "–"
MOST_MESSAGES = 3
GAP, KERNEL = "relative gap", "kernel change"


def of_run(result: "RunResult") -> Card:
    """Return the card of a run: its verdict where it has one, gap, kernel, floor and losses."""
    is_whole = result.status in WHOLE
    config = result.config or {}
    fields = tuple((name, word(value)) for name, value in config.items() if value is not None)
    return Card(
        kind="RunResult",
        head=_head(result) if is_whole else _unfinished(result),
        tone=result.verdict if is_whole else "",
        said=result.finding.because if is_whole else result.so_far,
        rows=(
            ("run", called(config) if config else "a module of one's own (compare)"),
            (GAP, f"{_percent(_relative_gap(result))} of the way ({_gap_and_floor(result)})"),
            (KERNEL, f"{_percent(_largest(result.sparse.get('kernel_change')))} of its size"),
            *_losses(result),
            ("recorded", _recorded(result.time)),
            ("digest", result.digest),
        ),
        notes=tuple(result.notes),
        more=(("Every field of the run", fields),) if fields else (),
    )


def of_table(
    kind: str,
    axes: Rows,
    verdicts: Sequence[tuple[str, str]],
    messages: Iterable[str],
    quantities: Mapping[str, np.ndarray],
    rest: Rows = (),
) -> Card:
    """Return the card of many runs.

    axes: each with its values as text. verdicts: (status, verdict) of every run; "missing" is the
    status of one that is still to come. messages: of those that failed. quantities: each number
    over the runs. rest: rows that come last.
    """
    failures = list(dict.fromkeys(messages))
    numbers = tuple((name, _spread(values)) for name, values in quantities.items())
    rows = tuple((f"failed {n}", text) for n, text in enumerate(failures[:MOST_MESSAGES], 1))
    return Card(kind=kind, head=_counted(verdicts), rows=axes + numbers + rows + rest)


def of_snapshot(snapshot: "Snapshot") -> Card:
    """Return the card of a moment: it belongs to a run on its way, and has no verdict."""
    scalars = {
        name: value
        for group in (snapshot.series, snapshot.sparse)
        for name, value in group.items()
        if np.ndim(value) == 0
    }
    kept = len(snapshot.series) + len(snapshot.sparse) + len(snapshot.latest)
    return Card(
        kind="Snapshot",
        head=f"t = {snapshot.time:.4g}, {100.0 * snapshot.progress:.0f} % of the work done",
        rows=(
            ("network", f"train loss {_at('nonlinear.train_loss', scalars)}"),
            ("linearisation", f"train loss {_at('linearized.train_loss', scalars)}"),
            ("gap", _at("gap.train_output", scalars)),
            ("holds", f"{kept} quantities, in series, sparse and latest"),
        ),
        more=(("Every number", tuple((n, word(float(v))) for n, v in scalars.items())),),
    )


def called(config: Mapping[str, Any]) -> str:
    """Return what a run is called: what is learned, by what, how, at which α.

    >>> called({"task": "sine", "model": "two_layer", "width": 64, "alpha": 10.0})
    'sine, two_layer, width 64, α 10'
    """
    said = [(name, config.get(name)) for name in NAMED]
    return ", ".join(
        f"{SAID[name]} {word(value)}" if name in SAID else word(value)
        for name, value in said
        if value is not None
    )


def _head(result: "RunResult") -> str:
    ended = [
        f"the {name} diverged"
        for model, name in MODELS.items()
        if result.latest.get(f"{model}.status") == "diverged"
    ]
    if result.status == "diverged" and not ended:
        ended = ["diverged"]
    return ", ".join([result.verdict, *ended])


def _unfinished(result: "RunResult") -> str:
    until = f"at t = {result.time[-1]:.4g}" if len(result.time) else "before its first record"
    how = {"budget": "ended on its budget", "running": "on its way"}.get(result.status)
    return f"{how or word(result.status)} {until}, no verdict before its end"


def _gap_and_floor(result: "RunResult") -> str:
    floor = result.numerical_error
    known = f"{floor:.2g}" if math.isfinite(floor) else "unknown"
    return f"largest {_number(_largest(result.series.get('gap.train_output')))}, floor {known}"


def _losses(result: "RunResult") -> Rows:
    """Return how the losses of each model went, on training and on test points."""
    rows = []
    for part in ("train", "test"):
        went = [
            f"{name} {_course(values)}"
            for model, name in MODELS.items()
            if (values := result.series.get(f"{model}.{part}_loss")) is not None
        ]
        if went:
            rows.append((f"{part} loss", ", ".join(went)))
    return tuple(rows)


def _course(values: np.ndarray) -> str:
    finite = values[np.isfinite(values)]
    return f"{finite[0]:.3g} → {finite[-1]:.3g}" if finite.size else NOTHING


def _recorded(time: np.ndarray) -> str:
    return f"{len(time)} times, to t = {time[-1]:.4g}" if len(time) else "nothing yet"


def _relative_gap(result: "RunResult") -> float | None:
    gap, change = (
        _largest(result.series.get(name))
        for name in ("gap.train_output", "linearized.output_change")
    )
    return gap / change if gap is not None and change else None


def _largest(values: np.ndarray | None) -> float | None:
    finite = np.array([]) if values is None else values[np.isfinite(values)]
    return float(finite.max()) if finite.size else None


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100.0 * share:.3g} %"


def _at(name: str, scalars: Mapping[str, Any]) -> str:
    return word(float(scalars[name])) if name in scalars else NOTHING


def _counted(verdicts: Sequence[tuple[str, str]]) -> str:
    """Return how many runs there are, and how many of them came to what."""
    said = Counter(verdict if status == "done" else status for status, verdict in verdicts)
    missing = said.pop("missing", 0)
    total = f"{len(verdicts) - missing} of {len(verdicts)} runs" if missing else _runs(verdicts)
    order = [*WORDS, *(name for name in said if name not in WORDS)]
    parts = [f"{said[name]} {name}" for name in order if said.get(name)]
    return f"{total}: {', '.join(parts)}" if parts else total


def _runs(verdicts: Sequence[Any]) -> str:
    return f"{len(verdicts)} run{'' if len(verdicts) == 1 else 's'}"


def _spread(values: np.ndarray) -> str:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return NOTHING
    return f"{finite.min():.3g} … {finite.max():.3g}, median {np.median(finite):.3g}"
