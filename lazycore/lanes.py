"""Many runs at once: those of one shape advance together, on every core.

Runs that differ in α, in seeds, in the initial scale, in noise or in the step size have
tensors of the same shapes. On a CPU a few of them at a time go through one product that
stays in its cache, and each core has its own few; on a GPU all of them go at once.
"""

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch

from lazycore import spec
from lazycore.budget import DEFAULT, SECONDS_PER_CALL, estimate
from lazycore.config import RunConfig
from lazycore.moments import Moment, is_due
from lazycore.problem import Data, Problem, build_problem, load
from lazycore.recording import Recorder, choose_scales, recorder
from lazycore.results import RunResult, Snapshot
from lazycore.spec import Values
from lazycore.stacked import CACHE
from lazycore.training import choose_device

DATA = ("data_seed", "noise")
NETWORK = (*DATA, "init_seed", "init_scale")
FREE = (*NETWORK, "alpha", "seed", "batch_seed", "step_size", "time", "tolerance")
"""Fields in which lanes may differ: those that choose the data, the network, and all of them."""

ON_GPU, ON_CPU = 256, 5
"""Lanes at once, at most: on a CPU more gain little, and those that advance together end
together, so that nothing would be seen of a sweep for long."""


def run_lanes(
    configs: Sequence[RunConfig], *, device: str | None = None, threads: int = 1
) -> Iterator[tuple[int, RunResult]]:
    """Yield (index, result) of each of these runs as it ends, the cheapest shapes first.

    Each is the run that `lazycore.run` gives, to rounding (gd) or within `numerical_error`
    (flow). Whoever stops iterating stops them all.

    threads: of the CPU, each with batches of its own; a GPU is served by one.
    """
    where = choose_device(device)
    work = _Work([_Lane(n, config, where) for n, config in enumerate(configs)])
    results: queue.Queue = queue.Queue()
    serving = 1 if where.type == "cuda" else threads
    with ThreadPoolExecutor(serving) as pool:
        try:
            for number in range(serving):
                pool.submit(_serve, work, results, number > 0).add_done_callback(results.put)
            while serving:
                said = results.get()
                if isinstance(said, Future):
                    said.result()  # raises what has gone wrong there
                    serving -= 1
                else:
                    yield said
        finally:
            work.stopped.set()


class _Lane:
    """One run: its place among those asked for, its fields, and where it is computed."""

    def __init__(self, number: int, config: RunConfig, device: torch.device) -> None:
        self.number, self.config, self.device = number, config, device
        self.values: dict[str, Any] = config.resolve().to_dict()

    @property
    def shape(self) -> tuple:
        """What lanes that advance together have in common."""
        return tuple(value for name, value in self.values.items() if name not in FREE)

    def key(self, names: Sequence[str]) -> tuple:
        """Return the values of these fields."""
        return tuple(self.values[name] for name in names)


@dataclass(eq=False)
class _Claim:
    """Batches that start from one network: a thread takes them one after another."""

    heavy: bool
    begun: bool = False
    batches: deque[list[_Lane]] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    data: dict[tuple, Data] = field(default_factory=dict)
    problems: dict[tuple, Problem] = field(default_factory=dict)

    def problem(self, lane: _Lane) -> Problem:
        """Return the lane's problem, which shares data and network with others here."""
        known = self.problems.get(lane.key(NETWORK))
        if known is None:
            data = self.data.get(lane.key(DATA)) or load(lane.values, lane.device)
            self.data[lane.key(DATA)] = data
            known = build_problem(lane.values, lane.device, data)
            self.problems[lane.key(NETWORK)] = known
        return known.rescaled(lane.values["alpha"])


class _Work:
    """What there is to do, the cheapest shapes first, and what is taken."""

    def __init__(self, lanes: Sequence[_Lane]) -> None:
        self.lock, self.stopped = threading.Lock(), threading.Event()
        shapes: dict[tuple, list[_Lane]] = {}
        for lane in lanes:
            shapes.setdefault(lane.shape, []).append(lane)
        cost = {shape: estimate(found[0].config).seconds for shape, found in shapes.items()}
        self.claims = [
            claim
            for shape in sorted(shapes, key=cost.__getitem__)
            for claim in _claims(shapes[shape])
        ]

    def next(self, own: _Claim | None, heavy_only: bool) -> tuple[_Claim, list[_Lane]] | None:
        """Return the next batch: of what this thread is at, else of what nobody has begun,
        else of what another thread is at.

        heavy_only: leave what is light to the first thread. Two threads of small tensors wait
        for each other's Python: they took 21 s where one took 14.
        """

        def fits(claim: _Claim) -> bool:
            return bool(claim.batches) and (claim.heavy or not heavy_only)

        with self.lock:
            if own is None or not own.batches:
                fresh = (claim for claim in self.claims if not claim.begun and fits(claim))
                own = next(fresh, None) or next(filter(fits, self.claims), None)
            if own is None:
                return None
            own.begun, batch = True, own.batches.popleft()
            if not own.batches:
                # Its kernels go with the last thread that is at it.
                self.claims.remove(own)
            return own, batch


def _claims(lanes: list[_Lane]) -> list[_Claim]:
    """Return the batches of one shape; those that begin with the same network together."""
    lanes.sort(key=lambda lane: (*lane.key(NETWORK), lane.values["alpha"]))
    size = _at_once(lanes[0].values, lanes[0].device)
    work = size * (estimate(lanes[0].config).evaluation_seconds - SECONDS_PER_CALL)
    heavy = work > 4.0 * SECONDS_PER_CALL
    claims: dict[tuple, _Claim] = {}
    for first in range(0, len(lanes), size):
        batch = lanes[first : first + size]
        claims.setdefault(batch[0].key(NETWORK), _Claim(heavy)).batches.append(batch)
    return list(claims.values())


def _at_once(values: Values, device: torch.device) -> int:
    """Return how many lanes advance together; gradient flow has two paths for each."""
    if device.type == "cuda":
        return ON_GPU
    size = getattr(torch, values["dtype"]).itemsize
    units = values["width"] * (values["depth"] or 1) * values["n_train"] * size
    paths = 2 if values["dynamics"] == "flow" else 1
    return max(1, min(ON_CPU, CACHE // (paths * units)))


def _serve(work: _Work, results: queue.Queue, heavy_only: bool) -> None:
    """Advance batches until none is left for this thread."""
    torch.set_num_threads(1)
    own: _Claim | None = None
    while not work.stopped.is_set() and (found := work.next(own, heavy_only)):
        own, batch = found
        for ended in _advance(own, batch):
            results.put(ended)
            if work.stopped.is_set():
                return


def _advance(claim: _Claim, batch: Sequence[_Lane]) -> Iterator[tuple[int, RunResult]]:
    """Yield the results of the lanes of one batch as they end."""
    values = [lane.values for lane in batch]
    with claim.lock:
        problems = [claim.problem(lane) for lane in batch]
        scales = [choose_scales(p, v) for p, v in zip(problems, values, strict=True)]
    recorders = [
        recorder(problem, value, scale, str(lane.device))
        for problem, value, scale, lane in zip(problems, values, scales, batch, strict=True)
    ]
    moments = spec.find("dynamics", values[0]["dynamics"]).trajectories(
        problems,
        [value | scale for value, scale in zip(values, scales, strict=True)],
        limits=[DEFAULT.evaluations_of(estimate(lane.config)) for lane in batch],
    )
    streams = _Streams(recorders)
    for number, moment in moments:
        found = streams.take(number, moment)
        if found is not None:
            yield batch[number].number, RunResult.collect(batch[number].config, found)
        if not streams.open:
            return
    for number in sorted(streams.open):
        found = streams.rest(number)
        yield batch[number].number, RunResult.collect(batch[number].config, found)


class _Streams:
    """The moments of several lanes as they come, each measured a few at a time."""

    def __init__(self, recorders: Sequence[Recorder]) -> None:
        self.recorders = recorders
        self.open = set(range(len(recorders)))
        self._waiting: list[list[Moment]] = [[] for _ in recorders]
        self._taken: list[list[Snapshot]] = [[] for _ in recorders]

    def take(self, number: int, moment: Moment) -> list[Snapshot] | None:
        """Take note of a lane's next moment; return all its snapshots once it has ended."""
        if number not in self.open:
            return None
        waiting, recorder = self._waiting[number], self.recorders[number]
        waiting.append(moment)
        if is_due(waiting, recorder.block, recorder.patience):
            self._taken[number] += recorder.take(waiting)
            waiting.clear()
        ended = recorder.over or (moment.progress >= 1.0 and not waiting)
        return self.rest(number) if ended else None

    def rest(self, number: int) -> list[Snapshot]:
        """End this lane and return all its snapshots."""
        self.open.discard(number)
        if self._waiting[number]:
            self._taken[number] += self.recorders[number].take(self._waiting[number])
        return self._taken[number]
