"""Taking jobs off the queue: DBOS's own loop, woken by a bell instead of looking all the time.

DBOS looks at each queue as often as its polling interval says; at the 20 times a second that a
click is worth, that took 5 % of a core from a worker with nothing to do
(docs/log/dashboard.md, 2026-11-29).
"""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lazycore.service import bells
from lazycore.service.database import POSTGRES_URL

HOUSEKEEPING_SECONDS = 60.0
"""How often DBOS looks for delayed jobs and deadlines, of which we have none."""


def listen(root: Path, name: str, queues: Sequence[Any]) -> None:
    """Have DBOS, once launched, take the jobs of these queues and of no others: when a bell of
    theirs under `root` is rung, and then for a moment as often as the queue says.

    Without bells, where the disk knows none or where others may submit who do not see it, it
    looks as often all the time.
    """
    from dbos import _dbos, _queue, _workflow_commands

    def thread(stop: threading.Event, instance: Any) -> None:
        for queue in queues:
            threading.Thread(
                target=_queue.queue_worker_thread,
                args=(_bell(root, name, queue.name) or stop, instance, queue),
                name=f"queue {queue.name}",
                daemon=True,
            ).start()

    _workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC = HOUSEKEEPING_SECONDS
    _dbos.queue_thread = thread  # pyright: ignore[reportPrivateImportUsage]


def ringing(root: Path, run: Callable[..., dict], queue_of: Callable[[dict], str]) -> Callable:
    """Return `run` that rings for the next job of its queue when it has ended."""

    def then_ring(digest: str, ticket: str, fields: dict) -> dict:
        try:
            return run(digest, ticket, fields)
        finally:
            bells.ring(root, queue_of(fields))

    return then_ring


def _bell(root: Path, name: str, queue: str) -> bells.Bell | None:
    if os.environ.get(POSTGRES_URL):
        return None
    try:
        return bells.Bell(root, name, queue)
    except OSError:
        return None
