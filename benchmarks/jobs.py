"""How soon do jobs begin, come back and stop? Medians with a warm worker on a fresh queue.

    python benchmarks/jobs.py            prints a table
    python benchmarks/jobs.py --check    exits 1 when a limit is missed

The runs are those of tests/standin.py, which do what they are asked to instead of training:
one that lasts 50 ms, one that goes on for ever, one in a native call that cannot be
interrupted. The tests prove that each of these things happens; how long it takes is said here
alone, since a test of it fails on a machine that stands still for a second.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import standin

from lazycore.service.queue import JobQueue
from lazycore.service.workers.children import Children, Limits

TIMES = 7
LIMITS = {
    "run of 50 ms: submit to result in the store": 0.25,
    "cancel, Python: until the next run is done": 1.0,
    "cancel, native call: until the next is done": 1.0,
    "warm child: run of 50 ms": 0.2,
    "child killed in Python": 0.5,
    "child killed in a native call": 0.5,
    "run of 50 ms after a child was killed": 0.5,
    "between two reports of progress": 0.2,
    "beyond a time limit of 0.5 s": 0.5,
    "kill -9 of the worker: until all have ended": 3.0,
    "Cancel in the browser: click to its sentence": 2.0,
}
AMPLE = Limits(seconds=10**4, bytes=2**31)
LONG = "dynamics=gd&steps=3000000&width=30&n_train=20&n_test=20"
numbers = itertools.count()


def fresh(kind: int):
    """Return the config of a run of this kind that was not asked for before; there are 100."""
    return standin.config(kind, next(numbers) % 100)


# ── the queue and a worker ───────────────────────────────────────────────────────────────
@contextmanager
def served() -> Iterator[tuple[JobQueue, Callable[[], None]]]:
    """Yield a queue with a warm worker, and what kills that worker with kill -9."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        queue = JobQueue(root)
        worker = standin.start_worker(root, "--device", "cpu")
        standin.ended(queue, queue.submit(fresh(standin.QUICK)))
        yield queue, lambda: standin.kill(worker)
        standin.kill_what_is_left(root)
        queue.close()


def round_trip(queue: JobQueue) -> float:
    """Return the seconds from submitting a run of 50 ms until its result is in the store."""
    begun = time.perf_counter()
    digest = queue.submit(fresh(standin.QUICK))
    standin.until(lambda: digest in queue.store, "the result")
    return time.perf_counter() - begun


def begin(queue: JobQueue, kind: int) -> str:
    """Submit a run and wait until it has shown a curve and computes; return its digest."""
    digest = queue.submit(fresh(kind))
    standin.until(lambda: queue.get(digest).progress > 0, "progress")
    if kind == standin.NATIVE:
        pid = standin.trace_of(queue.root).read_text().splitlines()[-1].split()[1]
        standin.until_in_native_call(int(pid))
    return digest


def cancel(queue: JobQueue, kind: int) -> float:
    """Return the seconds from cancelling a run until the one that waited for it is done."""
    digest = begin(queue, kind)
    waiting = queue.submit(fresh(standin.QUICK))
    begun = time.perf_counter()
    queue.cancel(digest)
    assert standin.ended(queue, waiting).state == "done"
    return time.perf_counter() - begun


def kill_worker() -> float:
    """Return the seconds from kill -9 of a worker in mid-run until nothing of it is left."""
    with served() as (queue, kill):
        begin(queue, standin.NATIVE)
        begun = time.perf_counter()
        kill()
        standin.assert_no_process_is_left(queue.root)
        return time.perf_counter() - begun


# ── the child ────────────────────────────────────────────────────────────────────────────
def compute(children: Children, kind: int, limits: Limits = AMPLE, is_wanted=lambda said: True):
    """Return how the run ended, the seconds it took, and when it reported on its way."""
    said: list[float] = []
    begun = time.perf_counter()
    ended = children.run(
        fresh(kind).resolve().to_dict(),
        limits,
        lambda: is_wanted(said),
        lambda share, data: said.append(time.perf_counter()),
    )
    return ended, time.perf_counter() - begun, said


def kill_child(children: Children, kind: int) -> float:
    """Return the seconds from the no of `is_wanted` until the worker is free again."""
    asked = []

    def is_wanted(said: list[float]) -> bool:
        if said and kind == standin.NATIVE:
            standin.until_in_native_call(children.pids()[0])
        asked.append(time.perf_counter())
        return not said

    ended, _, _ = compute(children, kind, is_wanted=is_wanted)
    freed = time.perf_counter()
    assert ended.why == "cancelled" and ended.data
    return freed - asked[-1]


def pauses(children: Children) -> list[float]:
    """Return the seconds between the reports of a run."""
    _, _, said = compute(children, standin.SLOW, is_wanted=lambda said: len(said) < 20)
    return [b - a for a, b in itertools.pairwise(said)]


def beyond_limit(children: Children) -> float:
    """Return the seconds by which a run was allowed more than half a second."""
    ended, spent, _ = compute(children, standin.SLOW, Limits(seconds=0.5, bytes=2**31))
    assert ended.why == "time"
    return spent - 0.5


# ── the browser ──────────────────────────────────────────────────────────────────────────
def clicks_on_cancel() -> list[float]:
    """Return the seconds from a click on Cancel until the page says what is kept."""
    from conftest import CHROMIUM_ARGUMENTS, chromium_path, running_server
    from playwright.sync_api import sync_playwright

    spent = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
        )
        with running_server(Path(folder)) as (_, address):
            for seed in range(TIMES):
                tab = browser.new_page(viewport={"width": 1280, "height": 800})
                tab.goto(f"{address}/explore?{LONG}&seed={seed}")
                tab.get_by_role("button", name="Run", exact=True).click()
                tab.locator(".lazylab-chart .main-svg").first.wait_for()
                button = tab.get_by_role("button", name="Cancel", exact=True)
                begun = time.perf_counter()
                button.click()
                tab.get_by_text("what it had computed is kept").wait_for()
                spent.append(time.perf_counter() - begun)
                tab.close()
        browser.close()
    return spent


def measure() -> dict[str, float]:
    """Return every measured number by its name in LIMITS."""

    def median(act: Callable[[], float]) -> float:
        return statistics.median(act() for _ in range(TIMES))

    with served() as (queue, _):
        of_queue = [
            median(lambda: round_trip(queue)),
            median(lambda: cancel(queue, standin.SLOW)),
            median(lambda: cancel(queue, standin.NATIVE)),
        ]
    children = Children("cpu", threads=1, engine=standin.ENGINE)
    compute(children, standin.QUICK)
    of_child = [
        median(lambda: compute(children, standin.QUICK)[1]),
        median(lambda: kill_child(children, standin.SLOW)),
        median(lambda: kill_child(children, standin.NATIVE)),
    ]
    after_a_kill = []
    for _ in range(TIMES):
        kill_child(children, standin.SLOW)
        after_a_kill.append(compute(children, standin.QUICK)[1])
    of_child += [
        statistics.median(after_a_kill),
        statistics.median(pauses(children)),
        median(lambda: beyond_limit(children)),
    ]
    children.close()
    values = [*of_queue, *of_child, median(kill_worker), statistics.median(clicks_on_cancel())]
    return dict(zip(LIMITS, values, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the queue, the worker and its child.")
    parser.add_argument("--check", action="store_true", help="exit 1 when a limit is missed")
    check = parser.parse_args().check
    missed = 0
    print(f"{'median of ' + str(TIMES):48} {'measured':>9} {'allowed':>9}")
    for name, value in measure().items():
        missed += value > LIMITS[name]
        verdict = "MISSED" if value > LIMITS[name] else "ok"
        print(f"{name:48} {value:9.3f} {LIMITS[name]:9.3f}  {verdict}")
    return int(bool(missed) and check)


if __name__ == "__main__":
    raise SystemExit(main())
