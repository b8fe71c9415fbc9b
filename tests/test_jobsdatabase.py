"""The queue in its database: what a kill in between leaves, and what a look costs."""

import inspect
import os
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from threading import Thread

import pytest
import standin
import sweep_standin

from lazycore.service import bells, locks, serving

QUICK = standin.config(standin.QUICK)
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def sql(root, statement, *values):
    with closing(sqlite3.connect(root / "jobs.sqlite", timeout=60)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def test_a_kill_in_the_middle_of_a_retry_loses_no_job(queue):
    digest = queue.submit(QUICK)
    queue.cancel(digest)
    script = f"""
        import os, pathlib, signal, standin
        from lazycore.service.queue import JobQueue
        queue = JobQueue(pathlib.Path({str(queue.root)!r}))
        def kill(*arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        queue._client.enqueue = queue._client.enqueue_in_transaction = kill
        queue.retry({digest!r})
    """
    retry = [sys.executable, "-c", textwrap.dedent(script)]
    assert subprocess.run(retry, env=ENVIRONMENT, timeout=standin.DEADLINE).returncode == -9
    job = queue.get(digest)
    assert job is not None and job.state == "cancelled" and job.config["seed"] == QUICK.seed
    assert queue.retry(digest) == digest and queue.get(digest).state == "queued"


def test_a_retried_job_is_one_row_and_none_of_its_first_attempt_is_left(queue):
    digest = queue.submit(QUICK)
    sql(queue.root, "UPDATE workflow_status SET status = 'SUCCESS'")
    sql(queue.root, "INSERT INTO workflow_output (workflow_uuid, output) VALUES (?, 'x')", digest)
    queue.retry(digest)
    assert sql(queue.root, "SELECT status, recovery_attempts FROM workflow_status") == [
        ("ENQUEUED", 0)
    ]
    assert len(sql(queue.root, "SELECT * FROM workflow_input")) == 1
    assert sql(queue.root, "SELECT * FROM workflow_output") == []


def test_what_is_submitted_while_it_is_deleted_is_not_deleted_by_halves(queue):
    digest = queue.submit(QUICK)
    with locks.held(queue.root / "jobs.lock"):  # as somebody who submits does
        deleting = Thread(target=queue.delete, args=(digest,))
        deleting.start()
        deleting.join(0.3)
        assert deleting.is_alive() and queue.get(digest) is not None
    deleting.join(standin.DEADLINE)
    assert queue.get(digest) is None


def test_a_job_that_came_further_is_counted_from_there(queue):
    digest = queue.submit(QUICK)
    count = "SELECT recovery_attempts FROM workflow_status"
    sql(queue.root, "UPDATE workflow_status SET recovery_attempts = 4")
    queue.has_advanced(digest)
    assert sql(queue.root, count) == [(4,)], "it is not running"
    sql(queue.root, "UPDATE workflow_status SET status = 'PENDING'")
    queue.has_advanced(digest)
    assert sql(queue.root, count) == [(1,)]


def test_a_look_at_a_job_reads_no_other_job(queue, monkeypatch):
    digests = [queue.submit(standin.config(standin.QUICK, i)) for i in range(30)]
    queue.submit(sweep_standin.sweep())
    read = []
    list_workflows = queue._client.list_workflows

    def counted(**query):
        rows = list_workflows(**query)
        read.extend(rows)
        return rows

    monkeypatch.setattr(queue._client, "list_workflows", counted)
    assert queue.get(digests[-1]).position == 29
    assert len(read) == 1
    assert [job.position for job in queue.list(3)] == [0, 29, 28]
    assert len(read) == 4


def test_a_waiting_job_of_another_version_is_before_nobody(queue):
    first, second = queue.submit(QUICK), queue.submit(standin.config(standin.QUICK, 1))
    change = "UPDATE workflow_status SET application_version = 'engine-0' WHERE workflow_uuid = ?"
    sql(queue.root, change, first)
    assert queue.get(second).position == 0


def test_a_job_that_ends_rings_for_the_next_one_however_it_ends(tmp_path):
    bell = bells.Bell(tmp_path, "cpu", "runs")
    run = serving.ringing(tmp_path, lambda *given: {"state": "done"}, lambda fields: "runs")
    for ringing in (run, serving.ringing(tmp_path, _broken, lambda fields: "runs")):
        bell._awake_until = 0.0
        if ringing is run:
            assert ringing("0" * 16, "ticket", {}) == {"state": "done"}
        else:
            with pytest.raises(ZeroDivisionError):
                ringing("0" * 16, "ticket", {})
        assert bell.wait(0.01) is False and bell._awake_until > 0.0
    bell.close()


def _broken(digest, ticket, fields):
    raise ZeroDivisionError


def test_what_is_used_of_dbos_is_there():
    from dbos import _dbos, _queue, _workflow_commands

    assert _workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC > 0
    assert "queue_thread" in inspect.getsource(_dbos.DBOS._launch)
    assert list(inspect.signature(_queue.queue_worker_thread).parameters) == [
        *("stop_event", "dbos", "queue"),
    ]
    asked = inspect.getsource(_queue.queue_worker_thread)
    assert set(asked.split("stop_event.")[1:]) and ".is_set()" in asked and ".wait(" in asked
