"""The children for one kind of job, started when they are first needed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lazycore.workers.children import Children, Ended


@dataclass
class Crew:
    """What its children compute with, on how many threads, and on which device."""

    engine: str
    threads: int
    device: str

    @cached_property
    def children(self) -> Children:
        """The children; asking for them is what starts them."""
        where = "cpu" if self.device == "cpu" else "cuda:0"  # a worker sees its own GPU alone
        return Children(where, self.threads, self.engine)

    def run(self, *arguments: Any) -> Ended:
        """Compute one job as `Children.run` does."""
        return self.children.run(*arguments)
