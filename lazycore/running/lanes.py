"""Many runs at once: those of one shape advance together, on every core.

Runs that differ in α, in seeds, in the initial scale, in noise or in the step size have
tensors of the same shapes. On a CPU a few of them at a time go through one product that
stays in its cache, and each core has its own few; on a GPU all of them go at once.
"""

import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate

import torch

from lazycore.config import forecast, spec
from lazycore.config.cost import DEFAULT, Budget, estimate
from lazycore.config.run import RunConfig
from lazycore.config.spec import Values
from lazycore.engine.problem.stacked import CACHE
from lazycore.errors import LazyLabError
from lazycore.machine.surroundings import apart
from lazycore.results.run import RunResult
from lazycore.running.batches import DATA, NETWORK, Batches, Lane
from lazycore.running.laneprocess import LaneProcess
from lazycore.running.run import choose_device

ON_GPU, ON_CPU = 256, 5
"""Lanes at once, at most: on a CPU more gain little, and those that advance together end
together, so that nothing would be seen of a sweep for long."""

WORTH_SECONDS = 10.0
"""Work, by its estimate, from which on other processes are started: they need some two seconds
until they have imported torch."""


def run_lanes(
    configs: Sequence[RunConfig],
    *,
    device: str | None = None,
    threads: int = 1,
    budget: Budget | None = DEFAULT,
) -> Generator[tuple[int, RunResult], None, None]:
    """Yield (index, result) of each of these runs as it ends, the cheapest shapes first.

    Each is the run that `lazycore.run` gives, to rounding (gd) or within `numerical_error`
    (flow). Whoever stops iterating stops them all.

    threads: of the CPU, each with batches of its own: this process's, and further processes
    where there is enough to do. A GPU is served by one.
    budget: what each run may cost; None lifts the limit.
    """
    where = choose_device(device)
    lanes = [Lane(config, budget) for config in configs]
    helpers = processes(configs, where, threads) - 1
    work, results = _Work(lanes, where, 1 + helpers), queue.Queue()
    batches = Batches(where, work.stopped.is_set)

    def own(some: Sequence[Lane]) -> Iterator[tuple[int, RunResult]]:
        with apart(where):
            yield from batches.advance(some)

    others = [LaneProcess() for _ in range(helpers)]
    with ThreadPoolExecutor(1 + len(others)) as pool:
        try:
            serving = [pool.submit(_serve, work, own, results)]
            serving += [pool.submit(_serve, work, other.advance, results) for other in others]
            for thread in serving:
                thread.add_done_callback(results.put)
            for _ in serving:
                while not isinstance(said := results.get(), Future):
                    yield said
                said.result()  # raises what has gone wrong there
        finally:
            work.stopped.set()
            for other in others:
                other.close()


def processes(configs: Sequence[RunConfig], device: torch.device, threads: int) -> int:
    """Return how many processes compute these runs, this one among them, on so many threads."""
    if device.type == "cuda" or threads == 1:
        return 1
    work = accumulate(forecast.seconds(config, ON_CPU) for config in configs)
    worth = any(total > WORTH_SECONDS for total in work)
    return min(threads, len(configs)) if worth else 1


@dataclass(eq=False)
class _Claim:
    """Batches that start from one network: who takes one goes on with the others."""

    begun: bool = False
    batches: deque[list[int]] = field(default_factory=deque)


class _Work:
    """What there is to do, the cheapest shapes first, and what is taken.

    lanes: all of them; a batch is a list of their numbers. servers: who take them.
    """

    def __init__(self, lanes: Sequence[Lane], device: torch.device, servers: int = 1) -> None:
        self.lanes, self.lock, self.stopped = lanes, threading.Lock(), threading.Event()
        shapes: dict[tuple, list[int]] = {}
        for number, lane in enumerate(lanes):
            shapes.setdefault(lane.shape, []).append(number)
        cost = {shape: estimate(lanes[some[0]].config).seconds for shape, some in shapes.items()}
        self.claims = [
            claim
            for shape in sorted(shapes, key=cost.__getitem__)
            for claim in self._claims(shapes[shape], device)
        ]
        self._share_out(len(lanes), servers)

    def next(self, own: _Claim | None) -> tuple[_Claim, list[int]] | None:
        """Return the next batch: of the claim that one is at, else of what nobody has begun,
        else of what another one is at."""
        with self.lock:
            if own is None or not own.batches:
                fresh = (claim for claim in self.claims if not claim.begun)
                own = next(fresh, None) or next(iter(self.claims), None)
            if own is None:
                return None
            own.begun, batch = True, own.batches.popleft()
            if not own.batches:
                self.claims.remove(own)
            return own, batch

    def _share_out(self, left: int, servers: int) -> None:
        """Split the last batches, so that no one takes more than a fair share of what is left:
        the others would have to wait. Which lanes go together does not depend on who is faster."""
        for claim in self.claims:
            parts: deque[list[int]] = deque()
            for batch in claim.batches:
                while batch:
                    share = math.ceil(left / servers)
                    parts.append(batch[:share])
                    left, batch = left - len(parts[-1]), batch[share:]
            claim.batches = parts

    def _claims(self, numbers: list[int], device: torch.device) -> list[_Claim]:
        """Return the batches of one shape; those that begin with the same network together."""

        def order(number: int) -> tuple:
            lane = self.lanes[number]
            return (*lane.key(NETWORK), lane.values["alpha"])

        numbers = sorted(numbers, key=order)
        size = at_once(self.lanes[numbers[0]].values, device)
        claims: dict[tuple, _Claim] = {}
        for batch in self._batches(numbers, size):
            network = self.lanes[batch[0]].key(NETWORK)
            claims.setdefault(network, _Claim()).batches.append(batch)
        return list(claims.values())

    def _batches(self, numbers: list[int], size: int) -> Iterator[list[int]]:
        """Yield at most so many at a time; once half of them are there, all on the same data, of
        which one product serves them all."""
        batch: list[int] = []
        for number in numbers:
            data = [self.lanes[one].key(DATA) for one in (*batch, number)]
            apart = data.count(data[0]) == len(batch) and 2 * len(batch) > size
            if len(batch) == size or apart:
                yield batch
                batch = []
            batch.append(number)
        yield batch


def at_once(values: Values, device: torch.device) -> int:
    """Return how many lanes advance together: as many as one product takes (`stacked`). Those of
    gradient flow have two paths each, but few of these are at the same stage to the end. Networks
    that take one set of weights at a time gain nothing by it: they are shared out one by one."""
    if not spec.find("model", values["model"]).SPEC.facts.get("stacked"):
        return 1
    if device.type == "cuda":
        return ON_GPU
    size = getattr(torch, values["dtype"]).itemsize
    units = (values["width"] or 1) * (values["depth"] or 1) * values["n_train"] * size
    return max(1, min(ON_CPU, CACHE // units))


def _serve(
    work: _Work,
    advance: Callable[[Sequence[Lane]], Iterator[tuple[int, RunResult]]],
    results: queue.Queue,
) -> None:
    """Have batches advanced until none is left."""
    own: _Claim | None = None
    while not work.stopped.is_set() and (found := work.next(own)):
        own, batch = found
        try:
            for place, result in advance([work.lanes[number] for number in batch]):
                results.put((batch[place], result))
                if work.stopped.is_set():
                    return
        except LazyLabError:
            if not work.stopped.is_set():  # else it was this that ended the process
                raise
