"""The queue of runs and sweeps: submit one, watch it, cancel it. One job per digest, durable.

A run never waits for a sweep: each kind has a queue of its own, and a worker takes one job of
each at a time. A job's id is the digest of its config, so that two people who ask for one run
wait for one job. The queue is DBOS on a SQLite file under the root, or on the database that
$LAZYLAB_DATABASE_URL names. Of a job, DBOS knows whether it waits, runs or has ended; how far
it is and why it ended are in the store's notes, and *done* means that the store has the result.
"""

import contextlib
import math
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lazycore.config import kinds
from lazycore.config.run import ENGINE_VERSION, RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import CorruptResult, JobError, ResultNotFound
from lazycore.machine.places import default_root
from lazycore.results.store import DIGEST, checked_digest, open_store
from lazycore.service import bells, heartbeat, locks, serving
from lazycore.service.database import (
    database_errors_are_said,
    forget_recoveries,
    import_dbos,
    positions,
    prepare_database,
    submit_anew,
)
from lazycore.service.heartbeat import WorkerInfo
from lazycore.service.job import ENDED, Job, State, job_of, read_submission, state_of, submission_of

_APPLICATION = "lazylab"
_QUEUES = {"run": "runs", "sweep": "sweeps"}
_WORKFLOW = "run_job"
_VERSION = f"engine-{ENGINE_VERSION}"
_POLL_SECONDS = {"runs": 0.05, "sweeps": 0.25}
_MAX_RECOVERIES = 3


def open_queue(root: Path | None = None) -> "JobQueue":
    """Return the queue under `root`, by default under `default_root()`."""
    return JobQueue(root or default_root())


class JobQueue:
    """The queue under `root`, for submitting and watching. Needs no worker to be there.

    Safe to share between threads; any number of processes may have one each.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.store = open_store(self.root)
        self._lock = self.root / "jobs.lock"
        self._url = prepare_database(self.root)
        dbos = import_dbos()
        self._client = dbos.DBOSClient(
            system_database_url=self._url,
            serializer=dbos.DBOSPortableJSONSerializer(),
            retry_connection_errors=False,
            application_name=_APPLICATION,
        )

    def close(self) -> None:
        self._client.destroy()
        self.store.close()

    def submit(self, config: RunConfig | SweepConfig) -> str:
        """Queue the run or sweep unless its result is stored or it is already on its way.

        Returns its digest. Raises BudgetError for one that would cost too much. A job that
        failed or was cancelled is begun anew; a sweep goes on with the cells it has not got.
        """
        kinds.check(config)
        digest = config.digest
        with locks.held(self._lock):
            if self.store.has_whole(digest) or self.store.has_whole_sweep(digest):
                return digest
            row = self._row(digest)
            if row is not None and state_of(row, _VERSION) in ("queued", "running"):
                return digest
            self.store.delete_note(digest)
            if isinstance(config, RunConfig):  # a sweep's table stands until it goes on
                self.store.delete_partial(digest)
            self._enqueue(digest, kinds.fields_of(config))
        return digest

    def get(self, digest: str) -> Job | None:
        """Return the job of `digest`, None when nobody has asked for that run."""
        row = self._row(checked_digest(digest))
        if row is not None:
            return self._jobs([row])[0]
        with contextlib.suppress(ResultNotFound, CorruptResult):
            config = dict(self.store.get(digest).config or {})
            return Job(digest, "done", config=config, progress=1.0)
        with contextlib.suppress(ResultNotFound, CorruptResult):
            config = self.store.get_sweep(digest).config.to_dict()
            return Job(digest, "done", config=config, progress=1.0)
        return None

    def cancel(self, digest: str) -> None:
        """Stop the job, waiting or running; the worker keeps what it has computed so far.

        A job that has ended is left as it is.
        """
        job = self._known(digest)
        if job.state not in ("queued", "running"):
            return
        self._do(self._client.cancel_workflow, digest)
        if job.state == "queued":
            said = "Cancelled before it began."
            self.store.put_note(digest, {"message": said, "finished_at": time.time()})

    def retry(self, digest: str) -> str:
        """Submit the same again and return its digest; one on its way is left alone."""
        return self.submit(kinds.read(self._known(digest).config))

    def delete(self, digest: str) -> None:
        """Forget the job, its result and its partial result; a running one is stopped.

        Of a sweep, the runs that are its cells stay in the store.
        """
        checked_digest(digest)
        with locks.held(self._lock):  # what is submitted meanwhile is not to lose its note
            if self._row(digest) is not None:
                self._do(self._client.delete_workflow, digest)
            self.store.delete(digest)

    def wait(self, digest: str, timeout: float, share: float = math.inf) -> Job:
        """Return the job once it has ended or come to this share, or as it is after `timeout` s."""
        deadline = time.monotonic() + timeout
        pause = 0.01
        while True:
            job = self._known(digest)
            left = deadline - time.monotonic()
            if job.state in ENDED or job.progress >= share or left <= 0:
                return job
            time.sleep(min(pause, left))
            pause = min(pause * 1.3, 0.02 if timeout < 1.0 else 0.1)

    def workers(self) -> list[WorkerInfo]:
        """Return the workers that have shown a sign of life, by name."""
        return heartbeat.workers(self.root)

    def is_wanted(self, digest: str, ticket: str) -> bool:
        """Whether the submission `ticket` of `digest` is still to be run: a worker asks this
        while it runs. Not so once the job was cancelled, deleted or submitted anew."""
        row = self._row(digest)
        return row is not None and row.status == "PENDING" and submission_of(row).ticket == ticket

    def give_back(self, digest: str) -> None:
        """Put a running job back into the queue: its worker is ending in good order, which
        does not count against the job."""
        row = self._row(digest)
        if row is not None and row.status == "PENDING":
            queue = _queue_of(submission_of(row).fields)
            self._do(self._client.resume_workflow, digest, queue_name=queue)
            bells.ring(self.root, queue)

    def has_advanced(self, digest: str) -> None:
        """Take note that a running job has kept something new: however often its worker is
        killed, it is taken up again for as long as each attempt comes further."""
        self._do(forget_recoveries, self._client, digest)

    def serve(self, name: str, run: Callable[[str, str, dict], dict]) -> None:
        """Take jobs off the queue in threads of this process, one of each kind at a time.

        Each is run as `run(digest, ticket, fields)`, whose dict of JSON is kept as what the
        job came to. Jobs that a worker of the same `name` left running are taken up again, up
        to three times without `has_advanced`. Once per process, and only while holding the lock
        of `name`.
        """
        dbos = import_dbos()
        config: Any = {
            "name": _APPLICATION,
            "system_database_url": self._url,
            "serializer": dbos.DBOSPortableJSONSerializer(),
            "executor_id": name,
            "application_version": _VERSION,
            "log_level": "CRITICAL",
        }
        dbos.DBOS(config=config)
        run = serving.ringing(self.root, run, _queue_of)

        @dbos.DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=_MAX_RECOVERIES)
        def run_job(*arguments: Any) -> dict:
            given = read_submission(arguments)
            return run(dbos.DBOS.workflow_id or "", given.ticket, given.fields)

        register = self._client.register_queue
        queues = [
            register(queue, worker_concurrency=1, polling_interval_sec=seconds)
            for queue, seconds in _POLL_SECONDS.items()
        ]
        serving.listen(self.root, name, queues)
        dbos.DBOS.launch()

    def running(self) -> Sequence[tuple[str, str]]:
        """Return (digest, worker's name) of each job that the queue takes to be running."""
        rows = self._rows(name=_WORKFLOW, status="PENDING", load_input=False, load_output=False)
        return [(row.workflow_id, row.executor_id or "") for row in rows]

    def take_over(self, name: str) -> None:
        """Put the jobs that the dead worker `name` left running back into the queue, which
        counts as one attempt of theirs. Only in a process that serves."""
        import_dbos().DBOS._recover_pending_workflows([name])
        for queue in _QUEUES.values():
            bells.ring(self.root, queue)

    def _known(self, digest: str) -> Job:
        job = self.get(digest)
        if job is None:
            raise JobError(f"There is no job {digest}; submit the run first.")
        return job

    def _enqueue(self, digest: str, fields: dict[str, Any]) -> None:
        # The ticket tells this submission from an earlier one of the same run whose worker
        # may not yet have noticed that it was cancelled or deleted.
        ticket = uuid.uuid4().hex
        options = {
            "queue_name": _queue_of(fields),
            "workflow_name": _WORKFLOW,
            "workflow_id": digest,
            "app_version": _VERSION,
        }
        self._do(submit_anew, self._client, options, ticket, time.time(), fields)
        bells.ring(self.root, _queue_of(fields))

    def _row(self, digest: str) -> Any | None:
        rows = self._rows(workflow_ids=[digest])
        return rows[0] if rows else None

    def _rows(self, **query: Any) -> Sequence[Any]:
        return self._do(self._client.list_workflows, **query)

    def _do(self, act: Callable, *arguments: Any, **named: Any) -> Any:
        with database_errors_are_said():
            return act(*arguments, **named)

    def _jobs(self, rows: Sequence[Any]) -> list[Job]:
        states: Sequence[State] = [
            "done" if self._is_stored(row.workflow_id) else state_of(row, _VERSION) for row in rows
        ]
        waiting = [
            row.workflow_id for row, is_in in zip(rows, states, strict=True) if is_in == "queued"
        ]
        before = self._do(positions, self._client, _VERSION, waiting) if waiting else {}
        return [
            job_of(
                row,
                state,
                self.store.get_note(row.workflow_id) or {},
                before.get(row.workflow_id),
            )
            for row, state in zip(rows, states, strict=True)
        ]

    def _is_stored(self, digest: str) -> bool:
        return digest in self.store or self.store.has_sweep(digest)

    # Last, for within the class its name hides the type.
    def list(self, limit: int = 100) -> Sequence[Job]:
        """Return the latest `limit` jobs, newest first."""
        rows = self._rows(name=_WORKFLOW, sort_desc=True, limit=limit)
        jobs = self._jobs([row for row in rows if DIGEST.fullmatch(row.workflow_id)])
        return sorted(jobs, key=lambda job: job.submitted_at or 0.0, reverse=True)


def _queue_of(fields: dict[str, Any]) -> str:
    return _QUEUES[kinds.kind_of(fields)]
