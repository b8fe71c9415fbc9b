"""What a worker works with, and that it works at one job of a kind at a time."""

import contextlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lazycore.service import heartbeat
from lazycore.service.workers.children import Children, Limits
from lazycore.service.workers.crew import Crew

if TYPE_CHECKING:
    from lazycore.service.queue import JobQueue


@dataclass
class Desk:
    """What a worker works with: its queue and children, its name, what it is busy with.

    `beside` is the desk of the other kind of job, where this worker has one. A job may be handed
    over while the one before it is at work: DBOS counts what it hands over a moment later. Such
    a job is `waiting`.
    """

    queue: "JobQueue"
    name: str
    device: str
    children: Children | Crew
    limits: Limits
    busy_with: str | None = None
    beside: "Desk | None" = None
    waiting: set[str] = field(default_factory=set)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @property
    def busy(self) -> list[str]:
        """The jobs that are computed now, at this desk and beside it."""
        return [digest for desk in self._desks if (digest := desk.busy_with) is not None]

    @property
    def in_hand(self) -> list[str]:
        """The jobs that are the worker's now: computed or waiting to be."""
        # In this order: one that goes from waiting to work meanwhile is at work by then.
        waiting = itertools.chain(*(tuple(desk.waiting) for desk in self._desks))
        return [*waiting, *self.busy]

    @property
    def _desks(self) -> list["Desk"]:
        return [self, self.beside] if self.beside else [self]

    def beat(self) -> None:
        heartbeat.beat(self.queue.root, self.name, self.device, next(iter(self.busy), None))

    @contextlib.contextmanager
    def at_work(self, digest: str) -> Iterator[None]:
        """Be busy with this job, once the one before it has left the desk."""
        self.waiting.add(digest)
        with self._one_at_a_time:
            self.busy_with = digest
            self.waiting.discard(digest)
            self.beat()
            try:
                yield
            finally:
                self.busy_with = None
                self.beat()
