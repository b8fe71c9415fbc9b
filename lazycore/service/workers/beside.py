"""The workers that a server brings up beside itself: started again when they end, gone with it."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lazycore.machine.processes import environment
from lazycore.service.workers.supervisor import Patience

GRACE_SECONDS = 5.0


@asynccontextmanager
async def workers_beside() -> AsyncIterator[None]:
    """Keep the workers running for as long as the block lasts.

    They end when their standard input closes, in whatever way this process goes; a session of
    their own keeps a Ctrl-C in the terminal from reaching them first.
    """
    supervisor = await _start()  # what cannot be started at all is said at the start
    keeping = asyncio.create_task(_keep(supervisor))
    try:
        yield
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


async def _keep(supervisor: asyncio.subprocess.Process) -> None:
    """Start the supervisor again whenever it ends; end it when this is cancelled."""
    patience, started = Patience(), time.monotonic()
    try:
        while True:
            code = await supervisor.wait()
            lived = time.monotonic() - started
            await asyncio.sleep(max(0.0, patience.after(code, lived) - lived))
            supervisor, started = await _start(), time.monotonic()
    finally:
        await _end(supervisor)


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lazycore.service.workers.worker", "--embedded"),
        stdin=asyncio.subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )


async def _end(supervisor: asyncio.subprocess.Process) -> None:
    if supervisor.stdin is not None:
        supervisor.stdin.close()
    try:
        await asyncio.wait_for(supervisor.wait(), GRACE_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            supervisor.kill()
