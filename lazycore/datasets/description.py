"""What a config says of a file, as a value and as bytes that come from a process of its own."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from lazycore.datasets.understood import Question, Understood


@dataclass(frozen=True)
class Description:
    """What a config says of a file. test_rows: None where one table serves for both.

    target: what a config calls the target. classes: None where that is to be chosen, as
    `question` says. allowed: the numbers of classes that can be chosen.
    """

    hash: str
    shape: tuple[int, ...]
    classes: int | None
    rows: int
    test_rows: int | None
    target: str
    allowed: tuple[int, ...]
    question: Question | None
    understood: Understood


def to_bytes(found: "Description | Question") -> bytes:
    """Return a description, or the question that has to be answered before there is one."""
    if isinstance(found, Question):
        return json.dumps({"asked": _asked(found)}).encode()
    fields = {name: getattr(found, name) for name in Description.__dataclass_fields__}
    fields["question"] = _asked(found.question) if found.question else None
    fields["understood"] = asdict(found.understood)
    return json.dumps(fields).encode()


def from_bytes(data: bytes) -> "Description | Question":
    """Return what `to_bytes` wrote."""
    fields = {name: _tupled(value) for name, value in json.loads(data).items()}
    if "asked" in fields:
        return Question(*fields["asked"])
    understood = {name: _tupled(value) for name, value in fields["understood"].items()}
    asked = fields["question"]
    question = Question(*asked) if asked else None
    return Description(**fields | {"understood": Understood(**understood), "question": question})


def _asked(question: Question) -> list[Any]:
    return [str(question), question.field, list(question.options)]


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value
