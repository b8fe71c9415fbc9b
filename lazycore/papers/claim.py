"""Claims of the literature and of our own, each checked by a computation.

A file in a paper's `claims` holds `CHECKS`: what is claimed, the runs that decide it (ordinary
configs, so that several checks share them), and the judgement of their results. One more claim
is one more file. `python -m lazycore check` runs them all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lazycore.config.run import RunConfig
from lazycore.papers.collection import held
from lazycore.results.run import RunResult


@dataclass(frozen=True)
class Row:
    """One line of the table: a claim, what was measured, what is allowed, and whether it holds.

    passed: None for a line that is shown and not judged.
    """

    claim: str
    measured: str
    allowed: str
    passed: bool | None


@dataclass(frozen=True, kw_only=True)
class Check:
    """A claim and what decides it.

    name: short, for the command line; once collected no two have the same
    (`lazycore.papers.collection.qualified`). source: where the claim is from.
    runs: configs by label. judge: their results by label → rows of the table.
    slow: takes minutes; left out by `check --quick`, and of a paper but with `--full`.
    paper: whose claim it is, as `check --paper` names it; empty for our own. Its folder says it:
    `collect` fills it in.
    """

    name: str
    source: str
    judge: Callable[[Mapping[str, RunResult]], list[Row]]
    runs: Mapping[str, RunConfig] = field(default_factory=dict)
    slow: bool = False
    paper: str = ""


def collect() -> list[Check]:
    """Return every check, file by file in alphabetical order, the slow ones last."""
    return sorted(held("claims", "CHECKS"), key=lambda check: check.slow)
