"""The time left on the page of a real run, against what then passed: within a factor of two."""

import re
import sys
import time

import pytest
from conftest import PATIENCE, running_server
from test_browser import press

from lazycore.config.run import RunConfig
from lazycore.running.timeleft import EARLIEST
from lazycore.service.queue import JobQueue

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUNS = {
    "a deep tanh network": "task=sine&model=fully_connected&depth=4&activation=tanh&width=100"
    "&time=1000&alpha=0.3&tolerance=1e-5",
    "60,000 steps of descent": "task=sine&activation=tanh&dynamics=gd&steps=60000&width=100"
    "&n_train=50",
    "1,000 digits at α = 100": "task=digits&alpha=100&width=200&n_train=1000",
    "circles": "task=circles&loss=logistic&alpha=0.1&tolerance=1e-6",
    "momentum in mini-batches": "task=digits&dynamics=sgd&steps=25000&batch_size=20&momentum=0.9"
    "&width=100&step_size=0.05",
}
SHOWN = r"""() => {
  const bar = document.querySelector("[data-testid=stProgress]");
  if (/ left/.test(bar?.innerText ?? "")) return bar.innerText;
  return !bar && document.body.innerText.includes("This run:") && "it ended";
}"""
UNITS = {"s": 1.0, "min": 60.0}


def told(said: str) -> float | None:
    """Return the seconds that are left as the page says it, None where it does not."""
    found = re.search(r"about ([\d.]+) (s|min) left", said)
    return float(found[1]) * UNITS[found[2]] if found else None


@pytest.mark.timeout(900)
def test_the_first_time_left_of_five_runs_is_right_within_a_factor_of_two(browser, tmp_path):
    lines, off = [], []
    with running_server(tmp_path) as (_, address):
        queue = JobQueue(tmp_path)
        tab = browser.new_page()
        tab.set_default_timeout(PATIENCE)
        for name, link in RUNS.items():
            tab.goto(f"{address}/explore?{link}")
            tab.get_by_text("Not computed yet").wait_for()
            press(tab, "Run")
            said = tab.wait_for_function(SHOWN).json_value()
            seen = time.time()
            digest = RunConfig.from_text(dict(p.split("=") for p in link.split("&"))).digest
            job = queue.wait(digest, PATIENCE / 1000)
            assert job.state == "done", job.message
            whole, left = job.finished_at - job.started_at, told(said)
            if left is None:
                lines.append(f"{name}: {whole:.1f} s, none told")
                continue
            after, took = seen - job.started_at, job.finished_at - seen
            lines.append(
                f"{name}: {whole:.1f} s; after {after:.1f} s it said {left:g} s, and {took:.1f} s "
                f"passed: {left / took:.2f}"
            )
            if after < EARLIEST or not 0.5 <= left / took <= 2.0:
                off.append(name)
        tab.close()
        queue.close()
    sys.stderr.write("\n".join(lines) + "\n")
    assert not off and sum("it said" in line for line in lines) >= 3, lines
