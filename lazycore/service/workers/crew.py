"""The children for one kind of job, started when they are first needed."""

import contextlib
import threading
from dataclasses import dataclass, field
from typing import Any

from lazycore.errors import JobError
from lazycore.service.workers.children import Children, Ended


@dataclass
class Crew:
    """What its children compute with, on how many threads, and on which device."""

    engine: str
    threads: int
    device: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _children: Children | None = None

    @property
    def children(self) -> Children:
        """The children; asking for them is what starts them, once, whoever asks first."""
        where = "cpu" if self.device == "cpu" else "cuda:0"  # a worker sees its own GPU alone
        with self._lock:
            if self._children is None:
                self._children = Children(where, self.threads, self.engine)
            return self._children

    def warm(self) -> None:
        """Start the children ahead of the first job; what keeps them from it, a job will say."""
        with contextlib.suppress(JobError):
            _ = self.children

    def run(self, *arguments: Any) -> Ended:
        """Compute one job as `Children.run` does."""
        return self.children.run(*arguments)
