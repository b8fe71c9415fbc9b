"""Runs beside each other: gathered into groups that differ in their seeds only, and named.

A group is named by what it differs in from the others: `α = 10, width = 64`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lazycore.errors import ConfigError
from lazycore.results.plane import SEEDS, Axis, plain
from lazycore.results.run import RunResult

MOST_GROUPS = 6
MOST_NAMES = 3
FIRST = ("alpha", "width", "init_scale")
"""Fields that are named before others."""


@dataclass(frozen=True)
class Group:
    """One run, or several that differ in their seeds only."""

    label: str
    runs: tuple[RunResult, ...]

    @property
    def name(self) -> str:
        """The label, with N where it is more than one run."""
        return f"{self.label}, N = {len(self.runs)}" if len(self.runs) > 1 else self.label

    @property
    def verdicts(self) -> str:
        """How many runs have each verdict, `4 lazy, 1 crossover`; of one run its verdict."""
        return counted([r.verdict if r.status == "done" else r.status for r in self.runs])

    @property
    def config(self) -> Mapping[str, Any]:
        """The config of its first run; empty for a run of a user's own module."""
        return self.runs[0].config or {}


def grouped(results: Iterable[RunResult], by_seed: bool = True) -> list[Group]:
    """Return the runs as at most six groups, in the order in which they first come.

    `by_seed`: runs that differ in seeds only are one group, else each run is its own. Raises
    `ConfigError` for more than six: more lines than that are not told apart.
    """
    found: dict[Any, list[RunResult]] = {}
    for result in {r.digest: r for r in results}.values():
        alone = not by_seed or not result.config
        key = result.digest if alone else tuple(_without_seeds(result.config or {}).items())
        found.setdefault(key, []).append(result)
    if len(found) > MOST_GROUPS:
        raise ConfigError(
            f"{len(found)} runs or groups are too many to tell apart: at most {MOST_GROUPS} are "
            "compared."
        )
    groups = [tuple(runs) for runs in found.values()]
    return [Group(label, runs) for label, runs in zip(_labels(groups), groups, strict=True)]


def counted(words: Iterable[str] | Mapping[str, int]) -> str:
    """Return how often each word is there, the most frequent first; one alone is not counted.

    >>> counted(["crossover", "lazy", "lazy"]), counted(["lazy"]), counted({"rich": 2, "lazy": 3})
    ('2 lazy, 1 crossover', 'lazy', '3 lazy, 2 rich')
    """
    counts = Counter(words)
    if counts.total() == 1:
        return next(iter(counts))
    return ", ".join(f"{count:,} {word}" for word, count in counts.most_common())


def _without_seeds(config: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in SEEDS}


def _labels(groups: Sequence[tuple[RunResult, ...]]) -> list[str]:
    configs = [runs[0].config or {} for runs in groups]
    names = dict.fromkeys([*FIRST, *(name for config in configs for name in config)])
    differing = [n for n in names if len({repr(config.get(n)) for config in configs}) > 1]
    if "seed" in differing:  # the others follow from it
        differing = [name for name in differing if name not in SEEDS[1:]]
    if len(differing) > 1 and any(len(runs) > 1 for runs in groups):
        differing = [name for name in differing if name not in SEEDS]
    if len(groups) == 1:  # nothing differs: it is named by what is asked of first
        differing = list(FIRST)
    labels = [_label(config, differing[:MOST_NAMES]) for config in configs]
    # Two that the first few names do not tell apart have their digests told as well.
    return [
        label if label and labels.count(label) == 1 else _with_digest(label, runs[0])
        for label, runs in zip(labels, groups, strict=True)
    ]


def _with_digest(label: str, run: RunResult) -> str:
    return f"{label or ('run' if run.config else 'own module')} {run.digest[:8]}"


def _label(config: Mapping[str, Any], names: Sequence[str]) -> str:
    said = [(name, config.get(name)) for name in names]
    # Plotly would follow markup in the name of a column.
    return ", ".join(
        value.replace("<", "‹")
        if isinstance(value, str)
        else f"{Axis(name, ()).said} = {plain(value)}"
        for name, value in said
        if value is not None
    )
