"""A worker's part in a sweep: what the store has is not computed again, what comes is kept.

Each cell goes into the store as the run that it is, at once; the table of all of them follows
a few times a second. So whatever is killed, what had come is there, and a sweep that is taken
up again computes the rest.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lazycore.config.sweep import SweepConfig
from lazycore.errors import CorruptResult, LazyLabError, StoreFull
from lazycore.results.eviction import COMPUTED_SECONDS
from lazycore.results.run import RunResult
from lazycore.results.store import ResultStore
from lazycore.results.sweep import SweepResult
from lazycore.service.workers.child import CellDone
from lazycore.service.workers.children import Children, Ended, Limits
from lazycore.service.workers.crew import Crew

SHOW_SECONDS = 0.3
KEEP_SECONDS = 2.0
"""How often the new cells are said to be in use, that nothing may drive them out."""


def compute(
    store: ResultStore,
    children: Children | Crew,
    limits: Limits,
    config: SweepConfig,
    is_wanted: Callable[[], bool],
    show: Callable[[float], None],
    advance: Callable[[], None] = lambda: None,
) -> Ended:
    """Compute what the store has not got of a sweep; return how it ended, with its table.

    `show` is given the share of cells done, `advance` is called before the first new one is
    kept. A child that dies loses what it had in hand; the
    next one goes on for as long as each brings a cell to its end.
    """
    desk = Tables(store, _table(store, config), show, advance)
    if not desk.take_stored(is_wanted):
        return Ended("cancelled", desk.write())

    def asked_on() -> bool:
        desk.refresh()  # cells can come all at once, and then none for a long time
        return is_wanted()

    ends_at = time.monotonic() + limits.seconds
    while left := list(desk.left.values()):
        rest = replace(limits, seconds=max(0.0, ends_at - time.monotonic()))
        fields = config.to_dict() | {"wanted": left}
        ended = children.run(fields, rest, asked_on, _no_curve, desk.take)
        if ended.why == "result" and desk.left:
            raise LazyLabError(f"The sweep ended without {len(desk.left)} cells; this is a bug.")
        if ended.why != "result" and (ended.why != "died" or len(desk.left) == len(left)):
            return replace(ended, data=desk.write(), message=_message(ended, limits))
    return Ended("result", desk.table.to_bytes())


@dataclass
class Tables:
    """The table of a sweep on its way, and where the cells are that are still to come.

    left: place in the sweep by digest.
    """

    store: ResultStore
    table: SweepResult
    show: Callable[[float], None]
    advance: Callable[[], None]
    left: dict[str, int] = field(default_factory=dict)
    due: float = 0.0
    is_behind: bool = False
    has_advanced: bool = False
    kept: list[str] = field(default_factory=list)
    keep_at: float = 0.0

    def take_stored(self, is_wanted: Callable[[], bool]) -> bool:
        """Take over the cells that the store has; return False once it is no longer wanted."""
        ask_at = time.monotonic() + SHOW_SECONDS
        for place, cell in enumerate(self.table.config.cells):
            if time.monotonic() >= ask_at:
                if not is_wanted():
                    return False
                ask_at = time.monotonic() + SHOW_SECONDS
            # Of the cells that the table knows, it is enough that their runs are there.
            is_known = self.table.status(cell.digest) not in ("missing", "failed")
            if cell.digest in self.store and is_known:
                self.kept.append(cell.digest)
                continue
            result = self.store.find(cell.digest)
            if result is None:
                self.left[cell.digest] = place
            else:
                self.table.add(cell.digest, result)
                self.kept.append(cell.digest)
                self.is_behind = True
        self.refresh()
        self.show(self.share)
        return True

    def take(self, cell: CellDone) -> None:
        """Keep a cell that has ended."""
        if cell.message is not None:
            self.table.add_failure(cell.digest, cell.message)
        else:
            result = RunResult.from_bytes(cell.data)
            if result.digest != cell.digest:
                raise CorruptResult(f"The run {cell.digest} came back as another one; a bug.")
            if not self.has_advanced:
                self.advance()  # before: a worker killed in between is to be started again
                self.has_advanced = True
            self.store.put(cell.digest, cell.data)
            self.table.add(cell.digest, result)
            self.kept.append(cell.digest)
        self.left.pop(cell.digest, None)
        self.is_behind = True
        self.refresh()

    def refresh(self) -> None:
        """Show how far the sweep is, if there is news and it was not just done; now and then
        say that its cells are to be kept."""
        begun = time.monotonic()
        if begun >= self.keep_at:
            self.store.keep(self.kept, COMPUTED_SECONDS)
            self.keep_at = begun + KEEP_SECONDS
        if self.is_behind and begun >= self.due:
            self.write()
            self.show(self.share)
            done = time.monotonic()
            # Writing a long table is slow; it may take a tenth of the time, not more.
            self.due = done + max(SHOW_SECONDS, 9 * (done - begun))

    def write(self) -> bytes | None:
        """Put the table into the store as it is and return it; None while it is empty."""
        self.is_behind = False
        if not self.table.done:
            return None
        data = self.table.to_bytes()
        with contextlib.suppress(StoreFull):
            self.store.put_partial_sweep(self.table.digest, data)
        return data

    @property
    def share(self) -> float:
        """Share of the cells that are not still to come."""
        return 1.0 - len(self.left) / self.table.total


def _table(store: ResultStore, config: SweepConfig) -> SweepResult:
    """Return the table that an earlier attempt has left, else an empty one."""
    with contextlib.suppress(LazyLabError):
        return store.get_partial_sweep(config.digest)
    return SweepResult(config)


def _no_curve(share: float, data: bytes) -> None:
    """A sweep has cells instead."""


def _message(ended: Ended, limits: Limits) -> str | None:
    if ended.why == "time":
        return (
            f"The sweep was stopped at its limit of {limits.seconds:,g} s; its cells so far are "
            "kept. Submit it again to go on with the others."
        )
    if ended.why == "memory":
        return (
            f"The sweep was stopped at its memory limit of {limits.bytes / 2**20:,.0f} MB; its "
            "cells so far are kept. Lower width, depth or n_train."
        )
    return ended.message
