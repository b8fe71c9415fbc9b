"""What a queue row, the store and its notes say together of one job.

Rows come from a database that others can write to, so nothing in one is taken on trust: a
field of the wrong type is left out.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from lazycore.config.kinds import Kind, kind_of
from lazycore.results.verdict import WORDS

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")

_STATES: dict[str, State] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "CANCELLED": "cancelled",
}


@dataclass(frozen=True)
class Job:
    """A job as the page shows it. `config` holds the fields of a run, or `base` and `axes` of a
    sweep, whose progress is the share of its cells. `position` is how many of its kind wait
    before it; times are Unix time. `verdict` is that of a run that is done, where it was noted."""

    digest: str
    state: State
    config: dict[str, Any]
    progress: float = 0.0
    eta_seconds: float | None = None
    message: str | None = None
    position: int | None = None
    submitted_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    device: str | None = None
    verdict: str | None = None

    @property
    def kind(self) -> Kind:
        """Whether it is a run or a sweep."""
        return kind_of(self.config)


@dataclass(frozen=True)
class Submission:
    """One act of submitting: the queue's own clock is only good to a second, and a run that
    is submitted again after it was cancelled must not be taken for the first attempt."""

    ticket: str = ""
    at: float = 0.0
    fields: dict[str, Any] = field(default_factory=dict)


def state_of(row: Any, version: str) -> State:
    """Return the state of a job, by its row, whose result the store does not have."""
    if row.status in ("ENQUEUED", "PENDING") and row.app_version != version:
        return "failed"  # no worker of this version takes it
    return _STATES.get(row.status, "failed")


def job_of(row: Any, state: State, note: dict, position: int | None) -> Job:
    """Return the job of `row` in `state`, with what its `note` and its outcome add."""
    # What is noted of a waiting job is of an attempt that was given up.
    note = {} if state == "queued" else note | _outcome(row)
    device = note.get("device")
    begun = _number(note.get("started_at")) or _seconds(row.dequeued_at)
    submission = submission_of(row)
    return Job(
        digest=row.workflow_id,
        state=state,
        config=submission.fields,
        progress=1.0 if state == "done" else (_number(note.get("progress")) or 0.0),
        eta_seconds=_left(note) if state == "running" else None,
        message=_message(row, state, note),
        position=position,
        submitted_at=submission.at or _seconds(row.created_at),
        started_at=None if state == "queued" else begun,
        finished_at=(
            (_number(note.get("finished_at")) or _seconds(row.completed_at))
            if state in ENDED
            else None
        ),
        device=device if isinstance(device, str) else None,
        verdict=note["verdict"] if state == "done" and note.get("verdict") in WORDS else None,
    )


def submission_of(row: Any) -> Submission:
    """Return what was submitted, blank where the row does not hold it."""
    given = row.input if isinstance(row.input, dict) else {}
    return read_submission(given.get("args"))


def read_submission(arguments: Any) -> Submission:
    """Return a job's arguments as a submission, blank where they are not one."""
    if not isinstance(arguments, (list, tuple)) or len(arguments) != 3:
        return Submission()
    ticket, at, fields = arguments
    return Submission(
        ticket=ticket if isinstance(ticket, str) else "",
        at=_number(at) or 0.0,
        fields=fields if isinstance(fields, dict) else {},
    )


def _message(row: Any, state: State, note: dict) -> str | None:
    said = note.get("message")
    if state == "done":
        return None
    if isinstance(said, str) and state not in ("queued", "running"):
        return said
    if _outcome(row).get("state") == "done":
        return "Its result had to make room in the store for later ones; run it again."
    if row.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
        return "This run ended its worker each time it was tried, so it is not tried again."
    if state == "failed" and row.status in ("ENQUEUED", "PENDING"):
        return "It was left by another version of the program; run it again."
    if state == "failed":
        return "The job's row in the queue is not readable; run it again."
    # The worker's own words come a moment after the queue knows.
    return "Cancelled; what it had computed is kept." if state == "cancelled" else None


def _left(note: dict) -> float | None:
    """Return the seconds left by what was noted a while ago; None once they are over."""
    left = _number(note.get("eta_seconds"))
    if left is None:
        return None
    left -= max(0.0, time.time() - (_number(note.get("eta_at")) or time.time()))
    return left if left > 0.0 else None


def _outcome(row: Any) -> dict:
    return row.output if isinstance(row.output, dict) else {}


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e15 else None


def _seconds(milliseconds: Any) -> float | None:
    value = _number(milliseconds)
    return None if value is None else value / 1000
