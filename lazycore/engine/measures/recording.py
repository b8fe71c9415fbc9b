"""What becomes of the moments of one run: snapshots, with what holds for the run as a whole."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lazycore.config import spec
from lazycore.config.moments import MODELS, Moment, blocks
from lazycore.engine.measures.compression import compression
from lazycore.engine.measures.constants import constants
from lazycore.engine.measures.hypotheses import GapBound, gap_bound
from lazycore.engine.measures.kappa import kappa
from lazycore.engine.measures.kept_kernels import KeptKernels
from lazycore.engine.measures.metrics import Meter
from lazycore.engine.measures.refreshed import stage_columns
from lazycore.engine.problem.pace import longest_wait, states_at_once
from lazycore.engine.problem.problem import (
    Problem,
    default_step_size,
    default_time,
    longest_time,
    rounding,
)
from lazycore.results.snapshots import Snapshot

SPARSE_EVERY, RARELY = 5, 50
"""The kernel is measured at every fifth recorded time (every fiftieth where it is dear), and
at the first and the last."""

LAST_OUTPUTS = tuple(f"{model}.test_outputs" for model in sorted(MODELS))
"""Of which the last alone is kept, in single precision."""

UNMET = "margins not met"
"""The diagnosis of a run that was to stop at its margins and came to the end of its time."""


class Recorder:
    """Measures the moments of one run, a few at a time; `over` once both models have ended.

    block: moments that are measured at once. patience: steps after which they are anyway.
    """

    def __init__(
        self,
        problem: Problem,
        bound: GapBound,
        constants: dict[str, Any],
        stops: bool,
        meter: Meter,
    ) -> None:
        self.problem, self.bound, self.stops = problem, bound, stops
        self.meter = meter
        self.constants = constants
        self.block, self.patience = states_at_once(problem), longest_wait(problem)
        self.halves = {model: HalfTime() for model in sorted(MODELS)}
        self.met: dict[str, float] = {}
        self.taken = 0
        self.change = self.error = 0.0
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
            self.over = ended | moment.met == self.meter.models
        return [replace(one, more=True) for one in found[:-1]] + found[-1:]

    def _snapshot(self, moment: Moment, series: dict[str, Any], ended: frozenset[str]) -> Snapshot:
        meter, finished = self.meter, moment.progress >= 1.0
        outputs = {n: f.astype(np.float32) for n, f in series.items() if n in LAST_OUTPUTS}
        series = {n: value for n, value in series.items() if n not in LAST_OUTPUTS}
        series |= self.bound.series(moment.time)
        changes = (series.get(f"{model}.output_change", 0.0) for model in MODELS)
        self.change = max(self.change, *changes)
        every = SPARSE_EVERY if self.problem.network.structured else RARELY
        met_now = moment.met - self.met.keys() - ended
        self.met |= dict.fromkeys(met_now, moment.time)
        sparse = self.taken % every == 0 or finished or bool(met_now)
        diverged = ended - self.met.keys()
        if "gap.train_output" in series or self.taken == 0:
            self.error = stated_error(self.problem, moment, self.change)
        latest = {
            "numerical_error": self.error,
            "rounding": "assumed" if moment.rounding is None else "measured",
            "status": "diverged" if diverged else self._status(finished),
        }
        models = sorted(meter.models)
        latest |= {f"{m}.status": "diverged" if m in diverged else "done" for m in models}
        latest |= stage_columns(moment.refreshed)
        latest |= self._times(moment.time, series)
        if moment.diagnosis or (finished and self.stops and latest["status"] == "budget"):
            latest["diagnosis"] = moment.diagnosis or UNMET
        if self.taken == 0:
            latest |= self.constants | meter.constants() | {"kappa": kappa(self.problem)}
            latest |= self.bound.said
            if meter.knows_largest_eigenvalue:
                latest |= constants(self.problem)
        if sparse:
            latest |= meter.drawn.function(moment, ended) | outputs
        if finished or "nonlinear" in met_now:
            latest |= meter.at_end(moment, ended)
        self.taken += 1
        return Snapshot(
            time=moment.time,
            progress=moment.progress,
            series=series,
            sparse=meter.sparse(moment, ended) if sparse else {},
            latest=latest,
        )

    def _status(self, finished: bool) -> str:
        """Return what a run has come to that has not diverged."""
        whole = self.met.keys() == MODELS if self.stops else finished
        return "done" if whole else "budget"

    def _times(self, time: float, series: dict[str, Any]) -> dict[str, float | None]:
        """Return the times at which each model had half of its loss, and met its margins."""
        found: dict[str, float | None] = {}
        for model, half in self.halves.items():
            found[f"{model}.half_time"] = half.at(time, series.get(f"{model}.train_loss"))
            if self.stops:
                found[f"{model}.stop_time"] = self.met.get(model)
        return found


def stated_error(problem: Problem, moment: Moment, change: float) -> float:
    """Return the error of the gap so far: that of the method, and what rounding comes to.

    change: the largest change of outputs so far. Rounding is at least what the steps make anew;
    what has been seen of it, carried on from step to step, is more in rich and chaotic runs.
    """
    return moment.error + max(rounding(problem, moment.steps, change), moment.rounding or 0.0)


class HalfTime:
    """The first time at which the loss is below half of the first one, once it is there."""

    def __init__(self) -> None:
        self.found: float | None = None
        self._initial: float | None = None
        self._before = (0.0, 0.0)

    def at(self, time: float, loss: float | None) -> float | None:
        """Return it, None before; log t is interpolated between recorded times, after 0 t."""
        if self.found is not None or loss is None or self._initial == 0.0:
            return self.found
        if self._initial is None:
            self._initial = loss
        elif loss < 0.5 * self._initial:
            (start, above), wanted = self._before, 0.5 * self._initial
            share = (above - wanted) / (above - loss)
            far = time / start if start > 0.0 else 0.0
            self.found = start * far**share if far else share * time
        self._before = time, loss
        return self.found


def recorder(
    problem: Problem, values: spec.Values, scales: dict[str, float], device: str
) -> Recorder:
    """Return the recorder of a run with these fields, whose free scales came out as `scales`."""
    constants: dict[str, Any] = {"device": device} | dict(problem.units)
    if values.get("width"):
        constants["alpha_sqrt_width"] = values["alpha"] * values["width"] ** 0.5
    constants |= {"horizon" if name == "time" else name: scale for name, scale in scales.items()}
    stops, kept = values.get("stop") == "margins", None
    if values.get("keep") == "kernels":
        time = scales["time"] if "time" in scales else values["steps"] * scales["step_size"]
        margin = problem.loss.SPEC.facts["margin"] if stops else math.inf
        kept = KeptKernels(problem, time, margin)
    meter = Meter(problem, kept, compression(problem, values))
    return Recorder(problem, gap_bound(problem, values["dynamics"]), constants, stops, meter)


def choose_scales(problem: Problem, values: spec.Values) -> dict[str, float]:
    """Return the step size or the length of the run: as given, else from the tangent kernel."""
    reads = {field.name for field in spec.find("dynamics", values["dynamics"]).SPEC.reads}
    stops = values.get("stop") == "margins"
    defaults = {
        "step_size": default_step_size,
        "time": longest_time if stops else default_time,
    }
    return {
        name: values[name] or default(problem)
        for name, default in defaults.items()
        if name in reads
    }
