"""Break the core a little, many times over, and list what no test notices: `make mutants`."""

import argparse
import compileall
import importlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import cache_from_source
from multiprocessing import connection, get_context
from pathlib import Path

import pytest

from mutants import tables
from mutants.sites import Mutant, changed, mutants

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".git", ".venv*", "docs", "benchmarks", ".*_cache", ".hypothesis")
WARM = ("torch._dynamo", "torch._decomp.decompositions_for_jvp", "scipy.stats", "scipy.integrate")
WARM += ("hypothesis",)
"""What is imported once, before the workers part: seconds for each mutant."""
MOST_SECONDS = 200
"""Of CPU, for one mutant: more is a loop without end, which is noticed too."""
WORDS = {0: "survived", 1: "killed", 2: "killed"}
"""By the exit code of pytest; by the signal of a process that has had its time."""
WORDS |= {-signal.SIGXCPU: "endless", -signal.SIGKILL: "endless"}


@dataclass(eq=False)
class First:
    """Remembers the first test that fails, and sees that it is the mutant that is tested."""

    folder: Path
    failed: str = ""

    def pytest_runtest_logreport(self, report) -> None:
        """Note a failure in a test or around it."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report) -> None:
        """Note a file that cannot be imported: the mutant is broken at its first use."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_sessionfinish(self) -> None:
        """Refuse to have tested the library of another folder."""
        library = sys.modules.get("lazycore")
        if library and self.folder not in Path(str(library.__file__)).parents:
            raise RuntimeError(f"tested {library.__file__}, which is no mutant")


def judge(folder: Path, tests: Sequence[str], answer) -> None:
    """Send (exit code, first test that failed) of these tests in a folder; a process of its own."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    os.chdir(folder)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    sys.path.insert(0, str(folder))
    first = First(folder)
    options = ["-x", "-q", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
    answer.send((int(pytest.main([*options, *tests], plugins=[first])), first.failed))


@dataclass(eq=False)
class Worker:
    """A copy of the project in which one mutant at a time is tried."""

    folder: Path

    def __post_init__(self) -> None:
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        compileall.compile_dir(self.folder / "lazycore", quiet=2)

    def begin(self, mutant: Mutant, tests: Sequence[str]) -> None:
        """Write the mutant and start its tests."""
        self.mutant, self.place = mutant, self.folder / mutant.path
        self.source = self.place.read_bytes()
        self.place.write_bytes(mutant.applied(self.source))
        Path(cache_from_source(self.place)).unlink(missing_ok=True)
        self.answer, sender = get_context("fork").Pipe(duplex=False)
        arguments = (self.folder, tests, sender)
        self.process = get_context("fork").Process(target=judge, args=arguments)
        self.process.start()
        sender.close()

    def end(self) -> tuple[str, str]:
        """Return `killed`, `survived` or `endless`, and the test that noticed; undo the mutant."""
        try:
            code, failed = self.answer.recv()
            self.process.join()
        except EOFError:
            self.process.join()
            code, failed = self.process.exitcode, ""
        self.stop()
        self.place.write_bytes(self.source)
        return WORDS.get(code or 0, f"error {code}"), failed

    def stop(self) -> None:
        """End what was begun, and all that it began."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # type: ignore[arg-type]
        except ProcessLookupError:
            pass


def tried(
    wanted: Sequence[Mutant], count: int, root: Path
) -> Iterator[tuple[Mutant, str, str, float]]:
    """Yield (mutant, what became of it, the test that noticed, seconds) in the order of ends."""
    for name in WARM:
        importlib.import_module(name)
    idle, busy, queue = [Worker(root / str(i)) for i in range(count)], {}, list(wanted)
    try:
        while queue or busy:
            while queue and idle:
                worker, mutant = idle.pop(), queue.pop(0)
                worker.begin(mutant, [*tables.tests_of(mutant.path)])
                busy[worker.answer] = worker, time.monotonic()
            for answer in connection.wait(list(busy)):
                worker, start = busy.pop(answer)
                yield worker.mutant, *worker.end(), time.monotonic() - start
                idle.append(worker)
    finally:
        for worker, _ in busy.values():
            worker.stop()


def fails_without(tests: Sequence[str], root: Path) -> str:
    """Return the first of these tests that fails in the library as it is, if one does."""
    worker, nothing = (
        Worker(root / "as it is"),
        Mutant("lazycore/theory/lazy.py", "", 0, 0, "", "", ""),
    )
    worker.begin(nothing, tests)
    word, failed = worker.end()
    return "" if word == "survived" else failed or word


def by_hand() -> list[Mutant]:
    """Return the mutants of `tables.BY_HAND`; a text that is not there once is an error."""
    found = []
    for inner, old, new in tables.BY_HAND:
        path = f"lazycore/{inner}"
        source = (ROOT / path).read_bytes()
        if source.count(old.encode()) != 1:
            raise SystemExit(
                f"{path} has {source.count(old.encode())} times {old!r}: amend BY_HAND"
            )
        start = source.index(old.encode())
        found.append(changed(path, source, "", start, start + len(old.encode()), new))
    return found


def sampled(share: float, only: str) -> list[Mutant]:
    """Return that share of what can be broken in the core, of files with `only` in their path."""
    found = []
    for path in tables.core(ROOT):
        if only in path:
            found += mutants(path, (ROOT / path).read_bytes())
    routes = tables.ROUTES
    kept = [m for m in found if (m.path, m.function) not in routes and m.place < share]
    return sorted(kept, key=lambda mutant: mutant.place)


def main() -> int:
    """Try the mutants, print what became of them; 1 when one survives without a reason."""
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("--share", type=float, default=tables.SHARE, help="of all sites, 0 to 1")
    parser.add_argument("--only", default="", help="files with this in their path")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    sys.dont_write_bytecode = True
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    named = [m for m in by_hand() if given.only in m.path]
    wanted = named + sampled(given.share, given.only)
    counts: dict[str, int] = {}
    start, left, noticed = time.monotonic(), [], {}
    with tempfile.TemporaryDirectory() as root:
        for mutant, word, test, seconds in tried(wanted, given.workers, Path(root)):
            reason = tables.EXPLAINED.get((mutant.path, mutant.before, mutant.after))
            if word == "survived" and reason:
                word = "explained"
            counts[word] = counts.get(word, 0) + 1
            said = test or reason or ""
            change = f"{mutant.path} {mutant.function}\n    {mutant.before}\n    {mutant.after}"
            print(f"{word} in {seconds:.1f} s: {change}\n    {said}", flush=True)
            left += [change] if word.split()[0] in ("survived", "error") else []
            noticed |= {test: None} if "::" in test else {}
        broken = fails_without(list(noticed), Path(root)) if noticed else ""
    if broken:
        left.append(f"{broken} fails without any mutant: mend it first")
    print(f"\n{len(wanted)} mutants in {time.monotonic() - start:.0f} s: {counts}")
    print("\n".join([f"{len(left)} that no test notices and nothing explains:", *left]))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
