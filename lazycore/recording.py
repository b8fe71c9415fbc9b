"""What becomes of the moments of one run: snapshots, with what holds for the run as a whole."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lazycore import spec
from lazycore.budget import FLOPS_PER_SECOND, SECONDS_PER_CALL
from lazycore.constants import constants
from lazycore.hypotheses import GapBound, gap_bound
from lazycore.kappa import kappa
from lazycore.metrics import MODELS, Meter
from lazycore.moments import Moment, blocks
from lazycore.problem import Problem, default_step_size, default_time, rounding
from lazycore.results import Snapshot

SPARSE_EVERY, RARELY = 5, 50
"""The kernel is measured at every fifth recorded time (every fiftieth where it is dear), and
at the first and the last."""

LAST_OUTPUTS = tuple(f"{model}.test_outputs" for model in sorted(MODELS))
"""Of which the last alone is kept, in single precision."""

BLOCK, NUMBERS, PATIENCE = 16, 2**22, 0.1
"""Moments measured at once, at most, and weights of them; seconds, about, after which they are
measured anyway."""


class Recorder:
    """Measures the moments of one run, a few at a time; `over` once both models have ended."""

    def __init__(self, problem: Problem, bound: GapBound, constants: dict[str, Any]) -> None:
        self.problem, self.bound = problem, bound
        self.meter = Meter(problem)
        self.constants = constants
        self.taken = 0
        self.change = 0.0
        self.over = False

    def snapshots(self, moments: Iterator[Moment]) -> Iterator[Snapshot]:
        """Yield what is measured of these moments, up to the end of both models."""
        for block in blocks(moments, self.block, self.patience):
            yield from self.take(block)
            if self.over:
                return

    def take(self, moments: Sequence[Moment]) -> list[Snapshot]:
        """Return what is measured of the next few moments."""
        found = []
        for moment, (series, ended) in zip(moments, self.meter.series(moments), strict=True):
            if not self.over:
                found.append(self._snapshot(moment, series, ended))
            self.over = ended == MODELS
        return found

    @property
    def block(self) -> int:
        """Moments that are measured at once."""
        return max(1, min(BLOCK, NUMBERS // self.problem.w0.numel()))

    @property
    def patience(self) -> float:
        """Evaluations of the gradient in about a tenth of a second, from counts only."""
        work = 12.0 * len(self.problem.train) * self.problem.w0.numel()
        return PATIENCE / (SECONDS_PER_CALL + work / FLOPS_PER_SECOND)

    def _snapshot(self, moment: Moment, series: dict[str, Any], ended: frozenset[str]) -> Snapshot:
        meter, finished = self.meter, moment.progress >= 1.0
        outputs = {n: f.astype(np.float32) for n, f in series.items() if n in LAST_OUTPUTS}
        series = {n: value for n, value in series.items() if n not in LAST_OUTPUTS}
        series |= self.bound.series(moment.time)
        changes = (series.get(f"{model}.output_change", 0.0) for model in MODELS)
        self.change = max(self.change, *changes)
        every = SPARSE_EVERY if self.problem.network.structured else RARELY
        sparse = self.taken % every == 0 or finished
        latest = {
            "numerical_error": moment.error + rounding(self.problem, moment.steps, self.change),
            "status": "diverged" if ended else "done" if finished else "budget",
        }
        latest |= {f"{m}.status": "diverged" if m in ended else "done" for m in sorted(MODELS)}
        if self.taken == 0:
            latest |= self.constants | meter.constants() | {"kappa": kappa(self.problem)}
            latest |= self.bound.said
            if meter.knows_largest_eigenvalue:
                latest |= constants(self.problem)
        if sparse:
            latest |= meter.function(moment, ended) | outputs
        if finished:
            latest |= meter.at_end(moment, ended)
        self.taken += 1
        return Snapshot(
            time=moment.time,
            progress=moment.progress,
            series=series,
            sparse=meter.sparse(moment, ended) if sparse else {},
            latest=latest,
        )


def recorder(
    problem: Problem, values: spec.Values, scales: dict[str, float], device: str
) -> Recorder:
    """Return the recorder of a run with these fields, whose free scales came out as `scales`."""
    constants: dict[str, Any] = {"device": device}
    constants |= {"horizon" if name == "time" else name: scale for name, scale in scales.items()}
    return Recorder(problem, gap_bound(problem, values["dynamics"]), constants)


def choose_scales(problem: Problem, values: spec.Values) -> dict[str, float]:
    """Return the step size or the length of the run: as given, else from the tangent kernel."""
    reads = {field.name for field in spec.find("dynamics", values["dynamics"]).SPEC.reads}
    defaults = {"step_size": default_step_size, "time": default_time}
    return {
        name: values[name] or default(problem)
        for name, default in defaults.items()
        if name in reads
    }
