"""What several test files share: a made-up run, and a browser that is there or installed."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import standin

from lazycore.config.run import RunConfig
from lazycore.results.run import RunResult, Snapshot
from lazycore.service.queue import JobQueue

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Small runs on few cores are several times slower with a thread for each core; before torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent


def _snapshot(t: float, alpha: float, dim: int) -> Snapshot:
    """Return what a two-layer run that learns at rate 1 would record at time t."""
    learned = 1.0 - np.exp(-t)
    gap = 0.3 * learned / alpha
    models = {"nonlinear": 1.0, "linearized": 1.0 + 0.2 / alpha}
    series = {f"{m}.train_loss": 0.5 * np.exp(-2.0 * s * t) + 1e-4 for m, s in models.items()}
    series |= {f"{m}.test_loss": 0.6 * np.exp(-1.5 * s * t) + 0.02 for m, s in models.items()}
    series |= {f"{m}.displacement": s * learned / alpha for m, s in models.items()}
    series |= {
        "linearized.output_change": learned,
        "nonlinear.displacement_by_layer": np.array([0.6, 0.8]) * learned / alpha,
        "gap.train_output": gap,
        "gap.test_output": 1.2 * gap,
        "gap.parameter": learned / alpha**2,
        "activation_stability": 1.0 - 0.1 * learned / alpha,
        "theory.theorem_2_3": 40.0 * t**2 / alpha,
    }
    angle = np.linspace(0.0, 2.0 * np.pi, 8, endpoint=False)
    start = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    sparse = {"kernel_change": 0.5 * learned / alpha, "alignment.nonlinear": 0.3 + 0.2 * learned}
    if dim == 2:
        sparse |= {f"neurons.{m}": start * (1.0 + s * learned / alpha) for m, s in models.items()}
    return Snapshot(time=t, progress=min(1.0, t / 5.0), series=series, sparse=sparse)


def _latest(dim: int) -> dict:
    side = np.linspace(-1.0, 1.0, 9)
    grid = np.stack([g.ravel() for g in np.meshgrid(*[side] * dim)], axis=1)
    shape = np.sin(2.0 * grid.sum(axis=1, keepdims=True))
    return {
        "numerical_error": 1e-6,
        "kappa": 0.1,
        "step_size": 0.1,
        "lambda_max": 2.0,
        "layers": ["b", "a"],
        "nonlinear.status": "done",
        "linearized.status": "done",
        "neurons.sign": np.repeat([1.0, -1.0], 4),
        "function.x": grid,
        "function.nonlinear": shape,
        "function.linearized": 0.9 * shape,
        "data.x": grid[::5],
        "data.y": shape[::5],
    }


def made_up_run(
    alpha: float = 1.0,
    *,
    dim: int = 2,
    status: str = "done",
    config: RunConfig | None = None,
    until: float = 5.0,
    **latest,
) -> RunResult:
    """Return a whole result whose numbers follow simple laws that a test can know."""
    times = np.concatenate([[0.0], np.geomspace(1e-3, until, 60)])
    snapshots = [_snapshot(t, alpha, dim) for t in times]
    snapshots[-1].latest.update(_latest(dim) | latest)  # type: ignore[attr-defined]
    config = config or RunConfig(task="teacher", dim=dim, width=8, alpha=alpha)
    return RunResult.collect(config, snapshots, status=status)


@pytest.fixture
def queue(tmp_path):
    """A queue in a folder of its own, of whose workers nothing is left."""
    queue = JobQueue(tmp_path)
    yield queue
    queue.close()
    standin.kill_what_is_left(tmp_path)


@pytest.fixture
def make_run():
    """The function that makes up a run: `make_run(alpha, dim=…, status=…)`."""
    return made_up_run


@pytest.fixture(autouse=True)
def own_main_module() -> Iterator[None]:
    """Streamlit's script runner leaves a page as `__main__`, which child processes import."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


# ── a browser and a server ───────────────────────────────────────────────────────────────
PATIENCE = 90_000
"""Milliseconds after which a browser test gives up waiting: against hanging, no promise."""
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def chromium_path() -> str | None:
    """Return the system's Chromium, installed with apt where we may; None for playwright's own.

    A browser that cannot be had is an error, not a skip.
    """
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for step in (["update", "-q"], ["install", "-qy", "chromium"]):
            subprocess.run(["apt-get", *step], check=False, capture_output=True)
        found = shutil.which("chromium")
    if found is None:
        install = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(install, check=True, capture_output=True)
    return found


@contextmanager
def running_server(root: Path, **environment: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Run the dashboard on a free port with its cache under `root`: its process and address.

    It ends with this process, in whatever way that ends: its standard input closes then.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(ROOT / "tests" / "serve.py"), "--server.port", str(port)]
    with open(root / "server.log", "wb") as log:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"LAZYLAB_CACHE": str(root)} | environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(server, address, root / "server.log")
            yield server, address
        finally:
            server.terminate()
            assert server.stdin is not None
            server.stdin.close()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_until_ready(server: subprocess.Popen, address: str, log: Path) -> None:
    """Wait until the server has a worker; raise with its last words where it ends before."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api/ready", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not get ready:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[str]:
    """The address of a dashboard with a cache of its own and its worker up."""
    with running_server(tmp_path_factory.mktemp("cache")) as (_, address):
        yield address


@pytest.fixture
def tab(browser) -> "Iterator[Page]":
    """A fresh tab of the size of a laptop's screen."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()
