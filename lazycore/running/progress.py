"""How long something will take, and how far it is: on standard error, never in the core.

Whoever iterates owns progress (`lazycore.train` yields snapshots and is silent): what is here
wraps the iterator. `progress=None` shows it on a terminal and in a notebook, `True` always,
`False` never. What takes less than a second shows nothing but what `True` is told to say.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, TypeVar

from lazycore.config.cost import duration
from lazycore.config.forecast import told
from lazycore.errors import ConfigError
from lazycore.results.snapshots import Snapshot
from lazycore.running.refinement import pace_of_second
from lazycore.running.timeleft import time_left

T = TypeVar("T")

WORTH_SAYING = 2.0
"""Seconds, by its estimate, from which on a cost is said unasked."""
DELAY = 1.0
"""Seconds after which a bar is drawn."""
RUN = "{desc}: {percentage:3.0f}%|{bar}| {elapsed} passed{postfix}"
CELLS = "{desc}: {n_fmt} of {total_fmt}|{bar}| {elapsed} passed, {remaining} left"


def reported(
    snapshots: Iterable[Snapshot],
    *,
    progress: bool | None = None,
    about: float | None = None,
    what: str = "run",
) -> Iterator[Snapshot]:
    """Pass on the snapshots of one run, saying its cost before the first and how far it is.

    progress: whether to, as above. about: seconds on one core, by an estimate; None says none.
    what: the word before it.
    Raises `ConfigError` for a `progress` that is none of the three, before anything is computed.
    """
    if not is_shown(progress):
        yield from snapshots
        return
    say_cost(what, about, asked=bool(progress))
    begun, passed, shown, has_first = time.monotonic(), [], "", False
    with _bar(what, 1.0, RUN) as bar:
        for snapshot in snapshots:
            has_first |= snapshot.first
            if not snapshot.more:
                passed.append((time.monotonic() - begun, snapshot.progress))
                left = time_left(pace_of_second(passed) if has_first else passed)
                said = f"about {duration(left)} left" if left is not None else ""
                if said != shown:
                    bar.set_postfix_str(said, refresh=False)
                shown = said
            bar.update(snapshot.progress - bar.n)
            yield snapshot


def counted(
    items: Iterable[T],
    total: int,
    *,
    kept: int = 0,
    progress: bool | None = None,
    about: float | None = None,
    cores: int = 1,
    what: str = "cells",
) -> Iterator[T]:
    """Pass on so many items, saying their cost before the first and how many there are.

    kept: how many of them, the first ones, are there already and cost nothing. about: seconds
    of all on one core. cores: on how many they are computed. The rest is as for `reported`.
    """
    if not is_shown(progress):
        yield from items
        return
    say_cost(how_many(total, kept, what), about, cores, asked=bool(progress))
    with _bar(what, total, CELLS, initial=kept) as bar:
        for number, item in enumerate(items):
            bar.update(1 if number >= kept else 0)
            yield item


def is_shown(progress: bool | None) -> bool:
    """Whether progress is shown: as asked, else on a terminal and in a notebook."""
    if progress is not None and not isinstance(progress, bool):
        raise ConfigError(f"progress={progress!r} is not allowed: give True, False or None.")
    if sys.stderr is None or progress is False:
        return False
    return progress is True or sys.stderr.isatty() or in_notebook()


def say_cost(what: str, about: float | None, cores: int = 1, *, asked: bool = False) -> None:
    """Say in a line what something will cost, where that is known and asked for or worth it."""
    if about is not None and (asked or about >= WORTH_SAYING) and sys.stderr is not None:
        sys.stderr.write(f"{what}: {told(about, cores)}\n")
        sys.stderr.flush()


def how_many(total: int, kept: int, what: str = "cells") -> str:
    """Return in words how many items there are, and how many of them need not be computed."""
    return f"{total:,} {what}" + (f", {kept:,} of them kept from before" if kept else "")


def in_notebook() -> bool:
    """Whether a person sees the output of this process in a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _bar(what: str, total: float, form: str, initial: int = 0) -> Iterator[Any]:
    """Draw a bar, and take it away at the end, however that comes."""
    if in_notebook() and find_spec("ipywidgets"):
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm

    kind: Any = type("Bar", (tqdm,), {"monitor_interval": 0})  # it needs no thread to watch it
    drawn = kind(
        total=total,
        initial=initial,
        desc=what,
        bar_format=form,
        delay=DELAY,
        leave=False,
        miniters=0,
        smoothing=0,  # the time that is left is that of the mean pace
        mininterval=0.1 if sys.stderr.isatty() or in_notebook() else 1.0,
        file=sys.stderr,
    )
    try:
        yield drawn
    finally:
        drawn.close()
