"""Jobs that the queue takes to be running, and that nobody runs."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from lazycore.errors import JobError, StoreFull
from lazycore.service import heartbeat

if TYPE_CHECKING:
    from lazycore.service.workers.desk import Desk


def adopt(desk: "Desk", suspects: set[str]) -> set[str]:
    """Put running jobs that nobody runs back into the queue; return those that look so.

    Only what looked so at the last call too: a job is for a moment in nobody's hands when it
    is taken off the queue and when it ends. Nobody runs what a worker that is gone had begun
    (a GPU that was taken out), nor what this one had to drop because the disk was full.
    """
    orphans: set[str] = set()
    with contextlib.suppress(JobError, StoreFull):
        for digest, name in desk.queue.running():
            if name == desk.name and digest not in desk.in_hand:
                orphans.add(digest)
                if digest in suspects:
                    desk.queue.give_back(digest)
            elif name != desk.name and _is_gone(desk.queue.root, name):
                orphans.add(digest)
                if digest in suspects:
                    desk.queue.take_over(name)
    return orphans


def _is_gone(root: Path, name: str) -> bool:
    lock = heartbeat.claim(root, name)
    if lock is None:
        return False
    lock.close()
    return True
