"""The wheel, installed elsewhere: the library alone, and the dashboard in a browser."""

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest
import standin
from conftest import PATIENCE, wait_until_ready
from installed import build, install, stranger

pytestmark = pytest.mark.slow

LIBRARY = """
import sys
from importlib.util import find_spec

import torch
import lazycore
from lazycore.running import lanes

missing = [name for name in ("streamlit", "dbos", "plotly", "psutil") if find_spec(name) is None]
assert missing == ["streamlit", "dbos", "plotly", "psutil"], missing
assert "site-packages" in lazycore.__file__
config = lazycore.RunConfig(task="digits", dynamics="gd", steps=5, width=4, n_train=8, n_test=8)
lazycore.run(config).save("run.npz")
assert lazycore.RunResult.load("run.npz").digest == config.digest
lanes.WORTH_SECONDS = 0.0  # a process for each core
table = lazycore.sweep(lazycore.SweepConfig(base=config, axes={"alpha": (1.0, 10.0)}))
table.to_parquet("sweep.parquet")
x = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
module = torch.nn.Linear(2, 1)
assert lazycore.compare(module, x, x[:, 0], steps=3).status == "done"

from lazycore.datasets import uploads
from lazycore.papers.ours import home

assert home.default_run() is not None and len(home.runs()) == len(home.ALPHAS)
rows = "\\n".join(f"{k},{k % 7},{k % 2}" for k in range(20000))  # read by a process of its own
print(uploads.keep("mine.csv", f"a,b,target\\n{rows}\\n".encode()))
"""
TINY = ["--task", "sine", "--dynamics", "gd", "--steps", "5", "--width", "4", "--n-train", "4"]
TINY += ["--n-test", "0"]
QUICK = "dynamics=gd&steps=50&width=10&n_train=8&n_test=10"
HOSTILE = ("random", "app", "numpy", "dbos", "pages")
"""What lies in the folder in which everything is started, and is not to be imported."""
WITH_INPUT = (
    "import subprocess, sys; child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)\n"
    "sys.stdin.read(); child.terminate(); sys.exit(child.wait(60))"
)
"""A program that ends what it has started once its standard input closes."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def elsewhere(tmp_path):
    """A folder that is nobody's project, with files in it that are called as modules are."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in HOSTILE:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the folder')")
    return folder


@pytest.fixture
def call(tmp_path, elsewhere):
    """The function that calls a program in that folder, as somebody whose home is new."""

    def call(*command):
        return subprocess.run(
            list(map(str, command)),
            cwd=elsewhere,
            env=stranger(tmp_path),
            capture_output=True,
            text=True,
        )

    return call


@contextmanager
def dashboard(lazylab, home, folder):
    """Run `lazylab app` in this folder on a free port: its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(home / "server.log", "wb") as log:
        starter = subprocess.Popen(
            [sys.executable, "-c", WITH_INPUT, str(lazylab), "app", "--port", str(port)],
            cwd=folder,
            env=stranger(home) | {"LAZYLAB_DEVICES": "cpu"},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(starter, address, home / "server.log")
        yield address, psutil.Process(starter.pid).children()[0]
    finally:
        assert starter.stdin is not None
        starter.stdin.close()
        starter.wait(90)


def test_the_library_alone_runs_with_what_it_says_that_it_needs(wheel, tmp_path, elsewhere, call):
    bin = install(wheel, tmp_path / "environment")
    script = tmp_path / "script.py"
    script.write_text(LIBRARY)
    done = call(bin / "python", script)
    assert (done.returncode, done.stdout) == (0, "mine.csv\n"), done.stderr
    assert (tmp_path / ".cache/lazylab/data/own/mine.csv").exists()
    assert (elsewhere / "run.npz").exists() and (elsewhere / "sweep.parquet").exists()

    lazylab = bin / "lazylab"
    said = call(lazylab, "run", *TINY, "--json", "-")
    assert json.loads(said.stdout)["status"] == "done", said.stderr
    said = call(lazylab, "sweep", *TINY, "--alpha", "1,10")
    assert said.stdout.startswith("2 cells (2 alpha)"), said.stderr
    assert (tmp_path / ".cache/lazylab/runs/results").is_dir()
    for command in (["app"], ["worker"], ["jobs", "list"]):
        said = call(lazylab, *command)
        assert (said.returncode, said.stdout) == (1, "")
        assert said.stderr.startswith("lazylab: ") and said.stderr.count("\n") == 1
        assert said.stderr.endswith('installed: pip install "lazylab[app]".\n')


@pytest.mark.browser
def test_the_dashboard_runs_anywhere_with_its_cache_in_the_users_folder(
    wheel, tmp_path, elsewhere, call, tab
):
    from playwright.sync_api import expect

    bin = install(wheel, tmp_path / "environment", "app")
    cache = tmp_path / ".cache" / "lazylab" / "runs"
    with dashboard(bin / "lazylab", tmp_path, elsewhere) as (address, server):
        tab.goto(address)  # what ships is on the screen
        tab.wait_for_function("getComputedStyle(document.documentElement).fontSize == '15px'")
        pictures = tab.locator('img[src^="data:image/svg+xml"]')
        expect(pictures).to_have_count(3, timeout=PATIENCE)
        tab.goto(f"{address}/explore?{QUICK}")
        tab.get_by_text("Not computed yet").wait_for()
        tab.get_by_role("button", name="Run", exact=True).click()
        tab.wait_for_function("() => document.querySelector('.lazylab-chart')?._fullLayout?.xaxis")
        assert not tab.locator("[data-testid=stException]").count()
        expect(tab.get_by_text("Not computed yet")).to_have_count(0, timeout=PATIENCE)

        digest = call(bin / "lazylab", "jobs", "sweep", *TINY, "--alpha", "1,10").stdout.strip()
        standin.until(lambda: f"{digest}  sweep  done" in _jobs(call, bin), "the sweep")
        assert "  run    done" in _jobs(call, bin)
        assert (cache / "jobs.sqlite").exists()
        family = [server, *server.children(recursive=True)]
    _, left = psutil.wait_procs(family, timeout=standin.DEADLINE)
    assert left == []
    assert {path.name for path in elsewhere.iterdir()} == {f"{name}.py" for name in HOSTILE}
    said = call(bin / "lazylab", "app", "--port", "none")
    assert (said.returncode, said.stdout) == (2, "") and said.stderr.count("\n") == 1


def _jobs(call, bin):
    time.sleep(0.5)
    return call(bin / "lazylab", "jobs", "list").stdout
