"""Tiny sweeps, and an engine for them that stands still where a test wants it to.

The engine is the real one. It leaves a line in the file $LAZYLAB_TEST_TRACE for each cell that it
hands over, and after $LAZYLAB_TEST_HOLD cells of all attempts together it goes on only when
the file `go` is beside that one.
"""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import standin

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.results.run import RunResult, Snapshot
from lazycore.results.store import ResultStore
from lazycore.service.workers import sweepchild

ENGINE = "sweep_standin:engine"
TINY = {"task": "sine", "dynamics": "gd", "steps": "5", "width": "4", "n_train": "4", "n_test": "0"}
warm_up = sweepchild.warm_up


def sweep(**fields: str) -> SweepConfig:
    """Return a sweep of runs that take milliseconds, six of them unless told otherwise."""
    fields = fields or {"alpha": "1,10", "init_seed": "0:3"}
    return SweepConfig.from_text({k: v for k, v in TINY.items() if k not in fields} | fields)


def result(config: RunConfig, status: str = "done") -> RunResult:
    """Return a whole, if empty, result of this run."""
    return RunResult.collect(config, [Snapshot(time=float(i)) for i in range(3)], status=status)


def engine(fields, device):
    """Compute as `sweepchild.computing` does, leaving a trace and stopping when told."""
    trace = Path(os.environ["LAZYLAB_TEST_TRACE"])
    for done in sweepchild.computing(fields, device):
        with trace.open("a") as file:
            file.write(f"{done.digest} {os.getpid()}\n")
        yield done
        hold = float(os.environ.get("LAZYLAB_TEST_HOLD", "inf"))
        while len(traced(trace.parent)) >= hold and not (trace.parent / "go").exists():
            time.sleep(0.01)


def killing(fields, device):
    """Compute as above, and kill the worker each time that it has stored a cell."""
    store = ResultStore(Path(os.environ["LAZYLAB_TEST_TRACE"]).parent)
    for done in engine(fields, device):
        yield done
        while done.digest not in store:
            time.sleep(0.01)
        os.kill(multiprocessing.parent_process().pid, signal.SIGKILL)
        time.sleep(1000)


def traced(root: Path) -> list[list[str]]:
    """Return [digest, process] of each cell computed under `root`, in order."""
    trace = standin.trace_of(root)
    lines = trace.read_text().splitlines() if trace.exists() else []
    return [line.split() for line in lines if len(line.split()) == 2]


def go(root: Path) -> None:
    """Let an engine that stands still go on."""
    (root / "go").touch()


def start_worker(root: Path, *arguments: str, engine: str = ENGINE, **environment: str):
    """Start a worker of the CPU whose runs are stand-ins and whose sweeps stop when told."""
    arguments = arguments or ("--device", "cpu")
    return standin.start_worker(root, "--sweep-engine", engine, *arguments, **environment)
