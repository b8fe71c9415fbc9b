"""The database under the queue: made ready, its errors put into words, and what the queue asks
of it that DBOS's client has no call for.

DBOS is imported when a queue is first opened: it takes a third of a second. Its rows name
the serializer they are to be read with, pickle among them; that one is disabled here.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lazycore.errors import JobError, StoreFull
from lazycore.machine.extras import need
from lazycore.service import locks

POSTGRES_URL = "LAZYLAB_DATABASE_URL"


def import_dbos() -> Any:
    """Return the dbos module, unable to load a pickle.

    Which serializer reads a row is written in the row itself, whatever serializer DBOS was
    given: without this, whoever can write to the database could run code here.
    """
    need("the queue", "dbos")
    import dbos
    from dbos._serialization import DefaultSerializer

    def refuse(cls: Any, serialized_data: str) -> Any:
        raise JobError("A row of the queue is a pickle; it was not loaded.")

    DefaultSerializer.deserialize = refuse
    return dbos


def prepare_database(root: Path) -> str:
    """Return the URL of the queue's database with its tables made, so that jobs are accepted
    before any worker has ever run."""
    root = Path(root).resolve()
    root.mkdir(parents=True, exist_ok=True)
    named = os.environ.get(POSTGRES_URL)
    path = root / "jobs.sqlite"
    url = named or f"sqlite:///{path}"
    dbos = import_dbos()
    with locks.held(root / "jobs.lock"), database_errors_are_said():
        if not named:
            # With a write-ahead log, watching does not wait for writing; it lasts in the file.
            with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            path.chmod(0o600)
        dbos.DBOS.migrate(url)
    return url


def submit_anew(client: Any, options: dict[str, Any], *arguments: Any) -> None:
    """Put a job into its queue in the place of what is known of an earlier one of its id: both
    or, whatever ends this process when, neither."""
    database = client._sys_db
    tables = database.tables
    with database.engine.begin() as connection:
        for table in (
            *(tables.workflow_input, tables.workflow_output, tables.operation_outputs),
            tables.workflow_status,
        ):
            its_own = table.c.workflow_uuid == options["workflow_id"]
            connection.execute(table.delete().where(its_own))
        client.enqueue_in_transaction(connection, options, *arguments)


def forget_recoveries(client: Any, job: str) -> None:
    """Count the attempts at a running job from here on: it has come further in this one."""
    database = client._sys_db
    rows = database.tables.workflow_status
    is_it = (rows.c.workflow_uuid == job) & (rows.c.status == "PENDING")
    with database.engine.begin() as connection:
        connection.execute(rows.update().where(is_it).values(recovery_attempts=1))


def positions(client: Any, version: str, jobs: Sequence[str]) -> dict[str, int]:
    """Return how many jobs of its queue are taken before each of these waiting ones.

    The database counts them, so it costs about the same before a short queue and a long one.
    """
    import sqlalchemy as sa

    database = client._sys_db
    rows = database.tables.workflow_status
    # Of those of one second the first to come is taken first.
    is_sqlite = database.engine.dialect.name == "sqlite"
    order = [rows.c.created_at, sa.literal_column("rowid") if is_sqlite else rows.c.workflow_uuid]
    place = sa.func.row_number().over(partition_by=rows.c.queue_name, order_by=order)
    waiting = (
        sa.select(rows.c.workflow_uuid.label("job"), (place - 1).label("place"))
        .where(rows.c.status == "ENQUEUED", rows.c.application_version == version)
        .subquery()
    )
    with database.engine.begin() as connection:
        found = connection.execute(sa.select(waiting).where(waiting.c.job.in_(jobs))).fetchall()
    return {job: int(place) for job, place in found}


@contextlib.contextmanager
def database_errors_are_said() -> Iterator[None]:
    """Turn a database that cannot be used into a sentence."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        why = str(getattr(error, "orig", error))
        if "full" in why or "disk I/O" in why:
            raise StoreFull(f"The disk of the job queue took no more data ({why}).") from error
        raise JobError(f"The job queue's database could not be used ({why}).") from error
