"""Start the dashboard: `streamlit run app.py`.

The server brings a worker up beside it and takes it down with it; the pages only draw.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

from lazycore.figures.export import plotly_script
from lazycore.store import default_root
from lazycore.workers import heartbeat

ROOT = Path(__file__).resolve().parent
GRACE_SECONDS = 5.0


@asynccontextmanager
async def with_worker(app: st.App) -> AsyncIterator[dict]:
    """Run a worker for as long as the server lives.

    It ends when its standard input closes, in whatever way the server goes; a session of its
    own keeps a Ctrl-C in the terminal from reaching it first.
    """
    worker = subprocess.Popen(
        [sys.executable, "-m", "lazycore.workers.worker", "--embedded"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield {}
    finally:
        assert worker.stdin is not None
        worker.stdin.close()
        try:
            await asyncio.to_thread(worker.wait, GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()


def ready(request: Request) -> JSONResponse:
    """Say whether runs can be computed now: 200 with a live worker, 503 without one."""
    alive = [worker for worker in heartbeat.workers(default_root()) if worker.alive]
    body = {"ready": bool(alive), "workers": [{"device": w.device} for w in alive]}
    return JSONResponse(body, status_code=200 if alive else 503)


def plotly(request: Request) -> FileResponse:
    """Serve plotly.js out of the installed wheel; its address holds the version."""
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(plotly_script(), media_type="text/javascript", headers=kept)


def under_base(path: str) -> str:
    """Return `path` below the address that a proxy gives the server."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{path}" if base else path


app = st.App(
    ROOT / "pages" / "main.py",
    lifespan=with_worker,
    routes=[
        Route(under_base("/api/ready"), ready),
        Route(under_base("/assets/plotly.min.js"), plotly),
    ],
)
