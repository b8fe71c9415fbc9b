"""What this machine has to compute on, found without importing torch, and what a job may take."""

import importlib.metadata
import os
import subprocess
from collections.abc import Mapping

import psutil

from lazycore.config import cost
from lazycore.errors import ConfigError
from lazycore.service.workers.children import Limits


def device_names(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the devices to start workers for: the visible GPUs when torch is built for
    them, else the CPU. $LAZYLAB_DEVICES ("cpu", "cuda:0,cuda:1") names them instead."""
    named = environment.get("LAZYLAB_DEVICES")
    if named:
        return [name.strip() for name in named.split(",")]
    if importlib.metadata.version("torch").endswith("+cpu"):
        return ["cpu"]
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        count = len([v for v in visible.split(",") if v.strip() not in ("", "-1")])
    else:
        count = _count_gpus()
    return [f"cuda:{i}" for i in range(count)] or ["cpu"]


def visible_alone(device: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return what CUDA_VISIBLE_DEVICES must say for `device` alone to be seen."""
    index = int(device.partition(":")[2] or 0)
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[index] if visible else str(index)


def threads_each(workers: int) -> int:
    """Return how many threads a child may use beside so many workers.

    Half of its share: torch with two threads on two busy cores was ten times slower than
    with one, and the web server needs a core too.
    """
    return max(1, len(os.sched_getaffinity(0)) // (2 * workers))


def sweep_threads_each(workers: int) -> int:
    """Return how many threads the child of a sweep may use beside so many workers: its share."""
    return max(1, len(os.sched_getaffinity(0)) // workers)


def limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Return what a job may take before it is killed: $LAZYLAB_JOB_SECONDS (twice what is let
    into the queue) and $LAZYLAB_JOB_MB (half of the machine's memory, at most 8192)."""
    half = min(8192, psutil.virtual_memory().total / 2**21)
    return Limits(
        seconds=_number(environment, "LAZYLAB_JOB_SECONDS", 2 * cost.DEFAULT.seconds),
        bytes=_number(environment, "LAZYLAB_JOB_MB", half) * 2**20,
    )


def sweep_limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Return the same for a sweep, whose seconds are $LAZYLAB_SWEEP_SECONDS (eight hours)."""
    seconds = _number(environment, "LAZYLAB_SWEEP_SECONDS", cost.SWEEP_SECONDS)
    return Limits(seconds=seconds, bytes=limits(environment).bytes)


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    said = environment.get(name)
    try:
        number = default if said is None else float(said)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise ConfigError(f"{name}={said} is not allowed: give a number above 0.")
    return number


def _count_gpus() -> int:
    try:
        said = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in said.stdout.splitlines())
