"""Start the dashboard: `streamlit run app.py`.

The server brings workers up beside it and takes them down with it; the pages only draw. It
answers to the loopback names, and to those in $LAZYLAB_HOSTS.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route
from streamlit import config

from lazycore.figures.export import plotly_script
from lazycore.machine.places import default_root
from lazycore.service import heartbeat
from lazycore.service.guards import LOOPBACK, KnownHosts, SafeHeaders, named_hosts, safe_headers
from lazycore.service.workers.beside import workers_beside

ROOT = Path(__file__).resolve().parent
HEADERS = safe_headers(Path(st.__file__).parent / "static" / "index.html")


@asynccontextmanager
async def with_workers(app: st.App) -> AsyncIterator[dict]:
    """Run workers for as long as the server lives."""
    async with workers_beside():
        yield {}


def ready(request: Request) -> JSONResponse:
    """Say whether runs can be computed now: 200 with a live worker, 503 without one."""
    alive = [worker for worker in heartbeat.workers(default_root()) if worker.alive]
    body = {"ready": bool(alive), "workers": [{"device": w.device} for w in alive]}
    return JSONResponse(body, status_code=200 if alive else 503)


def plotly(request: Request) -> FileResponse:
    """Serve plotly.js out of the installed wheel; its address holds the version."""
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(plotly_script(), media_type="text/javascript", headers=kept)


def broken(request: Request, error: Exception) -> PlainTextResponse:
    """Say that there is a bug; this answer alone is given outside of the middleware."""
    return PlainTextResponse("Internal Server Error", status_code=500, headers=HEADERS)


def under_base(path: str) -> str:
    """Return `path` below the address that a proxy gives the server."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{path}" if base else path


# Streamlit looks at these once more, for websockets.
config.set_option("server.allowedHosts", [*LOOPBACK, *named_hosts()])
app = st.App(
    ROOT / "pages" / "main.py",
    lifespan=with_workers,
    routes=[
        Route(under_base("/api/ready"), ready),
        Route(under_base("/assets/plotly.min.js"), plotly),
    ],
    middleware=[
        Middleware(SafeHeaders, headers=HEADERS),
        Middleware(KnownHosts, names=named_hosts()),
    ],
    exception_handlers={Exception: broken},
)
