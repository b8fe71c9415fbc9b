"""Runs at hand that differ from one in α only: what an exponent is fitted over."""

from collections.abc import Mapping
from typing import Any

from lazycore.config.run import RunConfig
from lazycore.errors import LazyLabError
from lazycore.papers.ours import home
from lazycore.results.run import RunResult
from pages.widgets.resources import finished, queue


def siblings(config: RunConfig) -> list[RunResult]:
    """Return the finished runs that differ from `config` in α only, itself included.

    They are looked for among the shipped runs and the latest hundred of the queue.
    """
    wanted = _without_alpha(config.resolve().to_dict())
    found = {
        result.digest: result
        for result in home.runs()
        if _without_alpha(result.config or {}) == wanted
    }
    for job in queue().list():
        if job.state == "done" and _without_alpha(job.config) == wanted:
            try:
                result = finished(job.digest)
            except LazyLabError:
                continue  # a row that was dropped as corrupt is no sibling
            if result is not None:
                found[job.digest] = result
    return sorted(found.values(), key=lambda result: (result.config or {})["alpha"])


def _without_alpha(config: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in ("alpha", "seed", "extra")}
