"""What a person is told of the fields of a run: in `help`, by completion, in a notebook. No torch.

Tasks, models and the rest bring fields of their own, and are looked for when somebody asks: the
documentation and the signature of `RunConfig` are made then, not when it is imported.
"""

import inspect
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lazycore.config import spec
from lazycore.config.card import Card, Rows, word
from lazycore.config.known import all_fields, read_by
from lazycore.config.spec import Field

WIDTH = 96
SHOWN = 10
"""Fields that a config shows in a line; of more, the others are counted."""
FOLLOWS = "set by the other fields"
KINDS = {
    "": "Read by every run",
    "task": "Read by tasks",
    "model": "Read by models",
    "activation": "Read by activations",
    "loss": "Read by losses",
    "dynamics": "Read by dynamics",
}


class Lazily:
    """An attribute of a class that is made when it is asked for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __get__(self, instance: object, owner: type) -> Any:
        return self.make()


def documentation(beginning: str) -> str:
    """Return this beginning of a docstring, and then every field in its group."""
    groups = [
        "\n".join([f"{KINDS[kind]}:", *(_entry(field) for field in fields)])
        for kind, fields in grouped().items()
    ]
    return "\n\n".join([inspect.cleandoc(beginning), *groups])


def signature() -> inspect.Signature:
    """Return how `RunConfig` is called: every field by keyword, None where it is not given."""
    return inspect.Signature(
        [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=field.kind | None,
            )
            for fields in grouped().values()
            for field in fields
        ]
    )


@cache
def grouped() -> dict[str, tuple[Field, ...]]:
    """Return every field by the kind of file that reads it first; "" for those always read."""
    found: dict[str, list[Field]] = {kind: [] for kind in KINDS}
    for name, field in all_fields().items():
        found[next(iter(read_by(name)), "")].append(field)
    return {kind: tuple(fields) for kind, fields in found.items()}


def told(field: Field) -> str:
    """Return what a field means, takes, and is when it is left out, in sentences."""
    meanings = dict.fromkeys(one.meaning for one in _versions(field).values())
    unit = f" In {field.unit}." if field.unit else ""
    said = " / ".join(meanings).rstrip(".")
    return f"{said}.{unit} {_takes(field)}; {_default(field)}."


def _entry(field: Field) -> str:
    return textwrap.fill(
        f"{field.name}: {told(field)}",
        WIDTH,
        initial_indent="    ",
        subsequent_indent="        ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _versions(field: Field) -> dict[str, Field]:
    """Return the field as each file has it, by the file; the field itself where all read it."""
    found = {name: one for files in read_by(field.name).values() for name, one in files.items()}
    return found or {"": field}


def _takes(field: Field) -> str:
    """Return in words what the field takes, over all files."""
    versions = list(_versions(field).values())
    if field.kind is str:
        words = dict.fromkeys(word for one in versions for word in one.options)
        return "A text: " + (field.form or ", ".join(words))
    low = min(float(one.low) for one in versions if one.low is not None)
    high = max(float(one.high) for one in versions if one.high is not None)
    if field.kind is int:
        return f"A whole number from {low:.0f} to {high:.0f}"
    return f"A number from {low:g} to {high:g}"


def _default(field: Field) -> str:
    """Return in words what the field is when left out, with the files that have it otherwise."""
    own = {file: _shown_default(one) for file, one in _versions(field).items()}
    usual = Counter(own.values()).most_common(1)[0][0]
    preferred = {
        file: _value(module.SPEC.defaults[field.name])
        for kind in spec.PACKAGES
        for file, module in spec.collect(kind).items()
        if field.name in module.SPEC.defaults
    }
    files: dict[str, list[str]] = {}
    for file, value in (own | preferred).items():
        if value != usual:
            files.setdefault(value, []).append(file)
    others = [f"{value} for {', '.join(names)}" for value, names in files.items()]
    return "; ".join([f"{usual} when left out", *others])


def _shown_default(field: Field) -> str:
    return FOLLOWS if callable(field.default) else _value(field.default)


def _value(value: Any) -> str:
    return "null" if value is None else word(value)


def line(name: str, given: Mapping[str, Any], digest: str) -> str:
    """Return a config as the call that makes it; of more than a few fields, the first ones."""
    texts = [f"{key}={value!r}" for key, value in given.items()]
    if len(texts) <= SHOWN:
        return f"{name}({', '.join(texts)})"
    return f"<{name} {digest}: {', '.join(texts[:SHOWN])}, and {len(texts) - SHOWN} more>"


def card(given: Mapping[str, Any], resolved: Mapping[str, Any], digest: str) -> Card:
    """Return the card of a config: what was given, and by a click what follows from it."""
    known = all_fields()
    asked = tuple((name, f"{word(v)}  ({known[name].meaning})") for name, v in given.items())
    rest: Rows = tuple(
        (name, f"{word(value)}  ({known[name].meaning})")
        for name, value in resolved.items()
        if name not in given and value is not None
    )
    count = f"{len(given)} field{'' if len(given) == 1 else 's'} given"
    return Card(
        kind="RunConfig",
        head=count if given else "the default run",
        rows=(*asked, ("digest", digest)),
        more=((f"{len(rest)} fields that are left to their defaults", rest),),
    )
