"""How fast is the dashboard? Medians with a warm worker on a fresh server.

    python benchmarks/ui.py            prints a table
    python benchmarks/ui.py --check    exits 1 when a limit is missed

Home: from the request to numbers, verdict and pictures on the screen, cold (an empty browser
cache). Run: from the click to the new curves drawn, for a run of about 50 ms; of the default run to
the first curves in full length, and to those of the refined answer. Script: one
drawing of a page in the server, by streamlit's own test runner, in a process of its own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

TIMES = 7
QUICK = "dynamics=gd&steps=20&width=10&n_train=8&n_test=8"
LIMITS = {
    "Home: numbers, verdict, pictures (cold)": 3.0,
    "Run of 50 ms: click to curves": 0.5,
    "Default run: click to full-length curves": 0.5,
    "Default run: click to its refined end": 3.0,
    "script, Home": 0.15,
    "script, Explore with all figures": 0.35,
    "script, Runs": 0.15,
    "torch in the web process": 0.0,
}
SCRIPT = """
import json, sys, time
sys.path.insert(0, {root!r})
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
app = AppTest.from_file({root!r} + "/pages/main.py", default_timeout=60)
spent = {{}}
for page in ("home", "explore", "runs"):
    if page != "home":
        app._page_hash = calc_hash(page)
    for name, value in {link!r}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error, page
    found = [one.proto.component_name for one in app.get("bidi_component")]
    charts = found.count("lazylab_chart")
    spent[page] = [charts]
    for _ in range({times}):
        begun = time.perf_counter()
        app.run()
        spent[page].append(time.perf_counter() - begun)
print(json.dumps([spent, "torch" in sys.modules]))
"""


def cold_home(browser, address: str) -> float:
    """Return the seconds from the request until Home's pictures and numbers are there."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    begun = time.perf_counter()
    tab.goto(address, wait_until="commit")
    tab.wait_for_function(
        """() => document.querySelectorAll('img[src^="data:image/svg"]').length === 3
              && document.querySelector('[data-testid=stMetricValue]')
              && document.body.innerText.includes('lazy')"""
    )
    spent = time.perf_counter() - begun
    context.close()
    return spent


def clicks_to_curves(browser, address: str, times: int) -> list[float]:
    """Return the seconds from a click on Run until the curves of a run of 50 ms are drawn."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(f"{address}/explore?{QUICK}&seed=1000")
    tab.get_by_role("button", name="Run", exact=True).click()
    tab.locator(".lazylab-chart .main-svg").first.wait_for()
    spent = []
    for number in range(times):
        seed = tab.get_by_label("seed", exact=True)
        if not seed.is_visible():
            tab.get_by_text("Advanced", exact=True).click()
        seed.fill(str(number + 1))
        seed.press("Enter")
        tab.get_by_text("Not computed yet").wait_for()
        tab.locator(".lazylab-chart").first.wait_for(state="detached")
        # In the page itself: the clock starts with the click and stops with the drawing.
        spent.append(tab.evaluate(CLICK_AND_WAIT) / 1000.0)
    tab.close()
    return spent


def clicks_to_both_answers(browser, address: str, times: int) -> list[tuple[float, float]]:
    """Return the seconds from a click on Run until the default run, of a seed that was not run
    before, has curves up to its end, and until these are the refined ones."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    spent = []
    for number in range(times):
        tab.goto(f"{address}/explore?seed={2000 + number}")
        tab.get_by_text("Not computed yet").wait_for()
        tab.wait_for_timeout(500)
        spent.append([part / 1000.0 for part in tab.evaluate(CLICK_AND_WAIT_FOR_BOTH)])
    tab.close()
    return [(first, last) for first, last in spent]


CLICK_AND_WAIT_FOR_BOTH = """() => new Promise((resolve) => {
  const run = [...document.querySelectorAll("button")].find((b) => b.innerText.endsWith("Run"));
  const begun = performance.now();
  let first = null;
  run.click();
  const look = () => {
    const drawn = document.querySelector(".lazylab-chart .main-svg .scatterlayer .js-line");
    const words = document.body.innerText, now = performance.now() - begun;
    if (drawn && words.includes("first answer")) first ??= now;
    if (drawn && words.includes("This run: ") && !words.includes("verdict before its end")
        && !words.includes("first answer")) resolve([first ?? now, now]);
    else requestAnimationFrame(look);
  };
  look();
})"""


CLICK_AND_WAIT = """() => new Promise((resolve) => {
  const run = [...document.querySelectorAll("button")].find((b) => b.innerText.endsWith("Run"));
  const begun = performance.now();
  run.click();
  const look = () => {
    const drawn = document.querySelector(".lazylab-chart .main-svg .scatterlayer .js-line");
    drawn ? resolve(performance.now() - begun) : requestAnimationFrame(look);
  };
  look();
})"""


def script_times(root: Path) -> tuple[dict[str, list[float]], bool]:
    """Return for each page its number of charts and the times it took, and whether torch came."""
    link = dict(pair.split("=") for pair in f"{QUICK}&dim=2&seed=1001".split("&"))
    code = SCRIPT.format(root=str(ROOT), link=link, times=TIMES)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"LAZYLAB_CACHE": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def compute(root: Path, link: str) -> None:
    """Have the run of this link computed by the worker that is there."""
    from lazycore.config.run import RunConfig
    from lazycore.service.queue import open_queue

    queue = open_queue(root)
    queue.wait(queue.submit(RunConfig.from_text(dict(p.split("=") for p in link.split("&")))), 60)
    queue.close()


def has_torch(pid: int) -> bool:
    """Whether the process has mapped torch's library."""
    return any("libtorch" in mapped.path for mapped in psutil.Process(pid).memory_maps())


def measure() -> dict[str, float]:
    """Return every measured number by its name in LIMITS."""
    from conftest import CHROMIUM_ARGUMENTS, chromium_path, running_server
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
        )
        with running_server(root) as (server, address):
            compute(root, f"{QUICK}&dim=2&seed=1001")
            homes = [cold_home(browser, address) for _ in range(TIMES)]
            clicks = clicks_to_curves(browser, address, TIMES)
            firsts, ends = zip(*clicks_to_both_answers(browser, address, TIMES), strict=True)
            scripts, torch_in_scripts = script_times(root)
            torch_in_server = has_torch(server.pid)
        browser.close()
    assert scripts["explore"][0] >= 7, "Explore shows all its figures"
    median: Callable[[list[float]], float] = statistics.median
    values = [
        median(homes),
        median(clicks),
        median(firsts),
        median(ends),
        *(median(scripts[page][1:]) for page in ("home", "explore", "runs")),
        float(torch_in_scripts or torch_in_server),
    ]
    return dict(zip(LIMITS, values, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the dashboard.")
    parser.add_argument("--check", action="store_true", help="exit 1 when a limit is missed")
    check = parser.parse_args().check
    missed = 0
    print(f"{'median of ' + str(TIMES):44} {'measured':>9} {'allowed':>9}")
    for name, value in measure().items():
        missed += value > LIMITS[name]
        verdict = "MISSED" if value > LIMITS[name] else "ok"
        print(f"{name:44} {value:9.3f} {LIMITS[name]:9.3f}  {verdict}")
    return int(bool(missed) and check)


if __name__ == "__main__":
    raise SystemExit(main())
