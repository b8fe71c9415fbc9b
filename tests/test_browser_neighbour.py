"""A page beside a session that opens hostile links and files: it is answered all the time."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import hostile
import numpy as np
import pytest
from conftest import PATIENCE, running_server
from test_doors import KINDS, OWN_FILES, POINTS, TEXTS

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.datasets import own
from lazycore.figures.opening import LARGEST_UNPACKED

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONGEST = 1.0
"""Seconds that a neighbour waits at most for a page: what is promised."""
VISITED = ("", "theorems")
SETTLED = """() => document.querySelector('[data-test-script-state="notRunning"]')
  && document.querySelector("h1")"""


@contextmanager
def neighbour(address: str) -> Iterator[Callable[[], list[tuple[float, str, float]]]]:
    """Have a visitor open pages beside; what it is given returns all answers, once it has left."""
    command = [sys.executable, str(Path(__file__).parent / "visitor.py"), address, *VISITED]
    visitor = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answers() -> list[tuple[float, str, float]]:
        said, _ = visitor.communicate(timeout=PATIENCE)
        assert visitor.returncode == 0
        return [tuple(json.loads(line)) for line in said.splitlines()]

    try:
        yield answers
    finally:
        visitor.kill()
        visitor.wait()


def records() -> dict[str, bytes]:
    """Return records that somebody has made larger than any run's, by what was done to them."""
    source = run(RunConfig.from_dict(POINTS | KINDS["circles"])).to_bytes()
    head, arrays = hostile.parts(source)
    length = len(arrays["time"])
    rows = int(0.9 * LARGEST_UNPACKED) // sum(
        a.nbytes // length for n, a in arrays.items() if n == "time" or n.startswith("series/")
    )
    for name, values in arrays.items():
        if name.startswith("series/"):
            arrays[name] = np.resize(values, (rows, *values.shape[1:]))
    arrays["time"] = np.arange(float(rows))
    found = {"as long as may be": hostile.packed(head, arrays)}
    for what, data in hostile.mutations([source], 54, seed=6):
        way = what.split()[1]
        if way in ("bomb", "wide", "many", "grid", "huge", "deep", "members", "claim"):
            found[what] = data
    return found


def large_table() -> bytes:
    """Return a table of 63 MB, as somebody with access to the data folder may put there."""
    numbers = np.random.default_rng(0).standard_normal((1000, 100)).round(4)
    lines = "".join(f"{','.join(map(str, row))},{i % 2}\n" for i, row in enumerate(numbers))
    return (lines * (63 * 2**20 // len(lines))).encode()


def links() -> Iterator[tuple[str, str]]:
    """Yield hostile links, with what they are."""
    names = ("alpha", "width", "n_train", "task", "seed", "time")
    for number, text in enumerate(TEXTS):
        fields = {names[number % len(names)]: text.encode("utf-8", "replace").decode()}
        yield f"explore {text[:20]!r}", f"explore?{urlencode(fields)}"
        if number % 3 == 0:
            yield f"sweep {text[:20]!r}", f"sweep?{urlencode(fields)}"
    yield "a sweep of 19,900 cells", "sweep?alpha=1:10:100&seed=0:199"
    yield "a sweep of 3,960 cells", "sweep?task=sine&alpha=1:10:40&seed=0:99"
    yield "a sweep of 4,000 cells in a plane", "sweep?task=sine&alpha=1:10:63&width=1:1000:63"
    yield "sixty names", "compare?runs=" + quote(",".join(f"{n:016x}" for n in range(60)), safe=",")
    yield "a table of 63 MB", "data?d_file=large.csv"
    yield "a run of a table of 63 MB", "explore?task=own&data_file=large.csv"


def settle(tab) -> None:
    tab.wait_for_timeout(300)
    tab.wait_for_function(SETTLED)


@pytest.mark.timeout(1500)
def test_a_page_beside_hostile_links_and_files_is_answered_within_a_second(browser, tmp_path):
    folder = tmp_path / "data"
    (folder / own.FOLDER).mkdir(parents=True)
    (folder / own.FOLDER / "large.csv").write_bytes(large_table())
    files = {name: made() for name, made in OWN_FILES.items()}
    opened = records()
    (tmp_path / "cache").mkdir()
    done: list[tuple[float, str]] = []
    with (
        running_server(tmp_path / "cache", LAZYLAB_DATA=str(folder)) as (_, address),
        neighbour(address) as answers,
    ):
        tab = browser.new_page()
        tab.set_default_timeout(PATIENCE)
        for page in VISITED:  # nobody's first page, which reads what ships
            tab.goto(f"{address}/{page}")
            settle(tab)
        done.append((time.time(), "begun"))
        for what, link in links():
            done.append((time.time(), what))
            tab.goto(f"{address}/{link}")
            settle(tab)
            assert not tab.locator("[data-testid=stException]").count(), what
        for page, given in (("data", files), ("runs", opened)):
            tab.goto(f"{address}/{page}")
            settle(tab)
            box = tab.locator("input[type=file]")
            for name, data in given.items():
                done.append((time.time(), f"file {name}"))
                as_what = name if page == "data" else "record.npz"
                with tab.expect_response(lambda answer: "upload_file" in answer.url):
                    box.set_input_files(
                        {"name": as_what, "mimeType": "application/octet-stream", "buffer": data}
                    )
                settle(tab)
                assert not tab.locator("[data-testid=stException]").count(), name
        done.append((time.time(), "over"))
        tab.close()
        said = answers()
    begun = done[0][0]
    kept = sorted([one for one in said if one[0] > begun], key=lambda one: -one[2])
    slowest = [(seconds, page, before(done, at)) for at, page, seconds in kept[:12]]
    lines = [f"{seconds:.2f} s {page} beside {what}" for seconds, page, what in slowest]
    sys.stderr.write(
        f"{len(done) - 2} hostile links and files, {len(kept)} answers beside them; the "
        "longest:\n" + "\n".join(lines) + "\n"
    )
    assert len(kept) > 100 and kept[0][2] < LONGEST, lines


def before(done: list[tuple[float, str]], at: float) -> str:
    """Return what the hostile session was at, at this moment."""
    return next((what for when, what in reversed(done) if when <= at), "nothing")
