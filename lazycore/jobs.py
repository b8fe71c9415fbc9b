"""The queue of runs and sweeps: submit one, watch it, cancel it. One job per digest, durable.

A run never waits for a sweep: each kind has a queue of its own, and a worker takes one job of
each at a time. A job's id is the digest of its config, so that two people who ask for one run
wait for one job. The queue is DBOS on a SQLite file under the root, or on the database that
$LAZYLAB_DATABASE_URL names. Of a job, DBOS knows whether it waits, runs or has ended; how far
it is and why it ended are in the store's notes, and *done* means that the store has the result.

DBOS is imported when a queue is first opened: it takes a third of a second. Its rows name
the serializer they are to be read with, pickle among them; that one is disabled here.
"""

import contextlib
import math
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lazycore import kinds
from lazycore.config import ENGINE_VERSION, RunConfig
from lazycore.errors import CorruptResult, JobError, ResultNotFound, StoreFull
from lazycore.jobview import ENDED, Job, State, job_of, read_submission, state_of, submission_of
from lazycore.store import DIGEST, ResultStore, checked_digest, default_root
from lazycore.sweepconfig import SweepConfig
from lazycore.workers import heartbeat, locks
from lazycore.workers.heartbeat import WorkerInfo

_APPLICATION = "lazylab"
_QUEUES = {"run": "runs", "sweep": "sweeps"}
_WORKFLOW = "run_job"
_VERSION = f"engine-{ENGINE_VERSION}"
_POLL_SECONDS = {"runs": 0.05, "sweeps": 0.5}
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
        self.store = ResultStore(self.root)
        self._lock = self.root / "jobs.lock"
        self._url = _prepare_database(self.root)
        dbos = _import_dbos()
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
            if row is not None:
                if state_of(row, _VERSION) in ("queued", "running"):
                    return digest
                self._do(self._client.delete_workflow, digest)
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
        row = self._row(checked_digest(digest))
        if row is not None:
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
            pause = min(pause * 1.3, 0.1)

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
            queue = _QUEUES[kinds.kind_of(submission_of(row).fields)]
            self._do(self._client.resume_workflow, digest, queue_name=queue)

    def serve(self, name: str, run: Callable[[str, str, dict], dict]) -> None:
        """Take jobs off the queue in threads of this process, one of each kind at a time.

        Each is run as `run(digest, ticket, fields)`, whose dict of JSON is kept as what the
        job came to. Jobs that a worker of the same `name` left running are taken up again, up
        to three times. Once per process, and only while holding the lock of `name`.
        """
        dbos = _import_dbos()
        config: Any = {
            "name": _APPLICATION,
            "system_database_url": self._url,
            "serializer": dbos.DBOSPortableJSONSerializer(),
            "executor_id": name,
            "application_version": _VERSION,
            "log_level": "CRITICAL",
        }
        dbos.DBOS(config=config)

        @dbos.DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=_MAX_RECOVERIES)
        def run_job(*arguments: Any) -> dict:
            given = read_submission(arguments)
            return run(dbos.DBOS.workflow_id or "", given.ticket, given.fields)

        # Before the launch: a queue that is new to a running DBOS is noticed a second later.
        for queue, seconds in _POLL_SECONDS.items():
            self._client.register_queue(queue, worker_concurrency=1, polling_interval_sec=seconds)
        dbos.DBOS.launch()

    def running(self) -> Sequence[tuple[str, str]]:
        """Return (digest, worker's name) of each job that the queue takes to be running."""
        rows = self._rows(name=_WORKFLOW, status="PENDING", load_input=False, load_output=False)
        return [(row.workflow_id, row.executor_id or "") for row in rows]

    def take_over(self, name: str) -> None:
        """Put the jobs that the dead worker `name` left running back into the queue, which
        counts as one attempt of theirs. Only in a process that serves."""
        _import_dbos().DBOS._recover_pending_workflows([name])

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
            "queue_name": _QUEUES[kinds.kind_of(fields)],
            "workflow_name": _WORKFLOW,
            "workflow_id": digest,
            "app_version": _VERSION,
        }
        self._do(self._client.enqueue, options, ticket, time.time(), fields)

    def _row(self, digest: str) -> Any | None:
        rows = self._rows(workflow_ids=[digest])
        return rows[0] if rows else None

    def _rows(self, **query: Any) -> Sequence[Any]:
        return self._do(self._client.list_workflows, **query)

    def _do(self, act: Callable, *arguments: Any, **named: Any) -> Any:
        with _database_errors_are_said():
            return act(*arguments, **named)

    def _jobs(self, rows: Sequence[Any]) -> list[Job]:
        states: Sequence[State] = [
            "done" if self._is_stored(row.workflow_id) else state_of(row, _VERSION) for row in rows
        ]
        positions = self._positions() if "queued" in states else {}
        return [
            job_of(
                row,
                state,
                self.store.get_note(row.workflow_id) or {},
                positions.get(row.workflow_id),
            )
            for row, state in zip(rows, states, strict=True)
        ]

    def _is_stored(self, digest: str) -> bool:
        return digest in self.store or self.store.has_sweep(digest)

    def _positions(self) -> dict[str, int]:
        """Return how many jobs of its kind wait before each waiting one."""
        queued = self._rows(name=_WORKFLOW, status="ENQUEUED", load_output=False)
        ahead = dict.fromkeys(_QUEUES, 0)
        positions: dict[str, int] = {}
        for row in sorted(queued, key=lambda row: submission_of(row).at):
            kind = kinds.kind_of(submission_of(row).fields)
            positions[row.workflow_id] = ahead[kind]
            ahead[kind] += 1
        return positions

    # Last, for within the class its name hides the type.
    def list(self, limit: int = 100) -> Sequence[Job]:
        """Return the latest `limit` jobs, newest first."""
        rows = self._rows(name=_WORKFLOW, sort_desc=True, limit=limit)
        jobs = self._jobs([row for row in rows if DIGEST.fullmatch(row.workflow_id)])
        return sorted(jobs, key=lambda job: job.submitted_at or 0.0, reverse=True)


def _import_dbos() -> Any:
    """Return the dbos module, unable to load a pickle.

    Which serializer reads a row is written in the row itself, whatever serializer DBOS was
    given: without this, whoever can write to the database could run code here.
    """
    import dbos
    from dbos._serialization import DefaultSerializer

    def refuse(cls: Any, serialized_data: str) -> Any:
        raise JobError("A row of the queue is a pickle; it was not loaded.")

    DefaultSerializer.deserialize = refuse
    return dbos


def _prepare_database(root: Path) -> str:
    """Return the URL of the queue's database with its tables made, so that jobs are accepted
    before any worker has ever run."""
    root = Path(root).resolve()
    root.mkdir(parents=True, exist_ok=True)
    named = os.environ.get("LAZYLAB_DATABASE_URL")
    path = root / "jobs.sqlite"
    url = named or f"sqlite:///{path}"
    dbos = _import_dbos()
    with locks.held(root / "jobs.lock"), _database_errors_are_said():
        if not named:
            # With a write-ahead log, watching does not wait for writing; it lasts in the file.
            with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            path.chmod(0o600)
        dbos.DBOS.migrate(url)
    return url


@contextlib.contextmanager
def _database_errors_are_said() -> Iterator[None]:
    """Turn a database that cannot be used into a sentence."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        why = str(getattr(error, "orig", error))
        if "full" in why or "disk I/O" in why:
            raise StoreFull(f"The disk of the job queue took no more data ({why}).") from error
        raise JobError(f"The job queue's database could not be used ({why}).") from error
