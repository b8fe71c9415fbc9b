"""How often a run asks for the network's gradient: on the path shown, and on the one beside it."""

import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from lazycore.engine.problem.stacked import Lanes

Row = tuple[int, int]


@dataclass(eq=False)
class Counts:
    """Gradients, and passes forward only, of every row of all that was stacked.

    A row is (which of the stacks, in the order of their first use; which of its lanes). That of
    `onset`, which looks for the first step, comes first; the next is the path shown.
    """

    gradients: Counter[Row] = field(default_factory=Counter)
    forward: Counter[Row] = field(default_factory=Counter)
    _rows: weakref.WeakKeyDictionary[Lanes, list[Row]] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    _stacks: int = 0

    def rows(self, lanes: Lanes) -> list[Row]:
        """Return which rows these lanes are."""
        if lanes not in self._rows:
            self._rows[lanes] = [(self._stacks, lane) for lane in range(len(lanes))]
            self._stacks += 1
        return self._rows[lanes]

    def chosen(self, lanes: Lanes, which: torch.Tensor | slice, found: Lanes) -> None:
        """Take note of what was selected. What a row is selected twice for are two rows."""
        own, seen = self.rows(lanes), Counter[Row]()
        picked = own[which] if isinstance(which, slice) else [own[i] for i in which.tolist()]
        rows = []
        for stack, lane in picked:
            rows.append((stack, lane + seen[stack, lane]))
            seen[stack, lane] += 1
        self._rows[found] = rows

    @property
    def of_paths(self) -> list[Row]:
        """The rows of the path shown and of the one beside it."""
        return sorted(self.gradients)[1:]

    @property
    def shown(self) -> int:
        """Gradients on the path shown, those for its first step included."""
        return self.gradients[0, 0] + self.gradients[self.of_paths[0]]

    @property
    def beside(self) -> int:
        """Gradients on the other path."""
        return sum(self.gradients[row] for row in self.of_paths[1:])

    @property
    def judged(self) -> int:
        """Passes forward on the path shown, by which its steps are judged."""
        return self.forward[self.of_paths[0]]


@contextmanager
def counted() -> Iterator[Counts]:
    """Count what the next run, of one lane, asks of its network."""
    counts, gradient, outputs, select = Counts(), Lanes.gradient, Lanes.outputs, Lanes.select

    def count_gradient(self, v):
        counts.gradients.update(counts.rows(self))
        return gradient(self, v)

    def count_outputs(self, v):
        if len(self) <= self.at_once:  # else it asks for its parts
            counts.forward.update(counts.rows(self))
        return outputs(self, v)

    def count_select(self, lanes):
        found = select(self, lanes)
        counts.chosen(self, lanes, found)
        return found

    Lanes.gradient, Lanes.outputs, Lanes.select = count_gradient, count_outputs, count_select
    try:
        yield counts
    finally:
        Lanes.gradient, Lanes.outputs, Lanes.select = gradient, outputs, select
