"""`InMemoryQueue`: the queue's contract in one process, without a database or a worker.

It passes the contract tests of test_jobs.py and is there for tests of what uses a queue.
"""

import threading
import time
from dataclasses import replace
from pathlib import Path

import standin

from lazycore.config import cost
from lazycore.errors import JobError, LazyLabError
from lazycore.results.store import ResultStore, checked_digest
from lazycore.service.heartbeat import WorkerInfo
from lazycore.service.queue import ENDED, Job, JobQueue


class InMemoryQueue:
    """A queue whose jobs a thread runs with `engine`; without `start()` they only wait."""

    def __init__(self, root: Path, engine=standin.engine):
        self.root = root
        self.store = ResultStore(root)
        self._engine = engine
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._thread = None

    def start(self):
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self):
        self.store.close()

    def submit(self, config):
        cost.check(config)
        digest = config.digest
        with self._changed:
            if not self.store.has_whole(digest):
                known = self._jobs.get(digest)
                if known is None or known.state in ENDED:
                    self._jobs.pop(digest, None)
                    self.store.delete(digest)
                    fields = config.resolve().to_dict()
                    self._jobs[digest] = Job(digest, "queued", fields, submitted_at=time.time())
            self._changed.notify_all()
        return digest

    def get(self, digest):
        checked_digest(digest)
        with self._changed:
            job = self._jobs.get(digest)
            if job is None and self.store.has_whole(digest):
                return Job(digest, "done", dict(self.store.get(digest).config), progress=1.0)
            if job is not None and job.state == "queued":
                waiting = [j.digest for j in self._jobs.values() if j.state == "queued"]
                return replace(job, position=waiting.index(digest))
            return job

    def cancel(self, digest):
        with self._changed:
            job = self._known(digest)
            if job.state not in ENDED:
                said = "Cancelled before it began." if job.state == "queued" else "Cancelled;"
                self._set(digest, state="cancelled", message=said, finished_at=time.time())

    def retry(self, digest):
        return self.submit(standin.RunConfig.from_dict(self._known(digest).config))

    def delete(self, digest):
        checked_digest(digest)
        with self._changed:
            self._jobs.pop(digest, None)
            self.store.delete(digest)

    def workers(self):
        if self._thread is None:
            return []
        return [WorkerInfo("cpu", 1, "cpu", 0.0, None, True)]

    def list(self, limit=100):
        with self._changed:
            return [self.get(digest) for digest in reversed(self._jobs)][:limit]

    wait = JobQueue.wait

    def _known(self, digest):
        job = self.get(digest)
        if job is None:
            raise JobError(f"There is no job {digest}; submit the run first.")
        return job

    def _set(self, digest, **changes):
        self._jobs[digest] = replace(self._jobs[digest], **changes)

    def _work(self):
        while True:
            with self._changed:
                while not (queued := [j for j in self._jobs.values() if j.state == "queued"]):
                    self._changed.wait()
                job = queued[0]
                self._set(job.digest, state="running", started_at=time.time(), device="cpu")
            self._run(job)

    def _run(self, job):
        try:
            for progress, fold in self._engine(job.config, "cpu"):
                with self._changed:
                    if self._jobs.get(job.digest, job).state != "running":
                        return
                    self.store.put_partial(job.digest, fold("cancelled"))
                    self._set(job.digest, progress=progress)
            with self._changed:
                self.store.put(job.digest, fold(None))
                self._set(job.digest, state="done", progress=1.0, finished_at=time.time())
        except LazyLabError as error:
            with self._changed:
                self._set(job.digest, state="failed", message=str(error), finished_at=time.time())
