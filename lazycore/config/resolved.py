"""What a run's fields come to: every default written out, and nothing else. No torch."""

from collections.abc import Mapping
from typing import Any

from lazycore.config import spec
from lazycore.config.fields import GENERAL, SELECTORS
from lazycore.config.spec import Field, shown
from lazycore.errors import ConfigError


def pinned_fields(values: Mapping[str, Any]) -> list[str]:
    """Return the fields that the task of these resolved values fixes when a config is born."""
    reads = spec.find("task", values["task"]).SPEC.reads
    return [field.name for field in reads if field.pinned and field.name in values]


def fields_read(values: Mapping[str, Any]) -> dict[str, Field]:
    """Return the fields that the run with these values reads, in the order of resolution."""
    return _walk(values)[1]


def resolved(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every field that the run with these reads; `ConfigError` for a run that cannot be."""
    values, read = _walk(given)
    for name, value in given.items():
        if name not in read:
            chosen = ", ".join(f"{f.name}={values[f.name]}" for f in SELECTORS)
            raise ConfigError(f"{name}={shown(value)} is not read by {chosen}: leave it out.")
    for kind in spec.PACKAGES:
        check = spec.find(kind, values[kind]).SPEC.check if kind in values else None
        if check:
            check(values)
    _check_labels(values)
    return values


def _walk(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Field]]:
    """Return the resolved values and the fields read, selectors first, then their files'."""
    values: dict[str, Any] = {}
    read: dict[str, Field] = {}
    preferred: dict[str, Any] = {}
    older: set[str] = set()
    queue = list(SELECTORS)
    queue_later = [*GENERAL]
    while queue or queue_later:
        field = queue.pop(0) if queue else queue_later.pop(0)
        if field.when and not field.when(values):
            continue
        read[field.name] = field
        if given.get(field.name) is not None:
            value = field.check(given[field.name])
            values[field.name] = field.settled(value, values) if field.settled else value
        elif field.name in preferred:
            values[field.name] = preferred[field.name]
        elif field.name in older:
            values[field.name] = field.before
        else:
            default = field.default
            values[field.name] = default(values) if callable(default) else default
        if field.name in spec.PACKAGES:
            found = spec.find(field.name, values[field.name]).SPEC
            preferred |= found.defaults
            older |= {f.name for f in found.reads if f.pinned and _is_older(given, found)}
            # An activation's fields follow it at once; the files of the four selectors wait
            # until all four are known.
            if field in SELECTORS:
                queue_later.extend(found.reads)
            else:
                queue[:0] = found.reads
    return values, read


def _is_older(given: Mapping[str, Any], found: spec.Spec) -> bool:
    """Whether a config was born before some of the pinned fields of this file were there."""
    pinned = [field for field in found.reads if field.pinned]
    first = [field for field in pinned if field.before is None]
    later = [field for field in pinned if field.before is not None]
    return (
        bool(later)
        and all(given.get(field.name) is not None for field in first)
        and all(given.get(field.name) is None for field in later)
    )


def _check_labels(values: Mapping[str, Any]) -> None:
    classes = spec.find("task", values["task"]).SPEC.facts["classes"](values)
    if classes > 2 and spec.find("loss", values["loss"]).SPEC.facts["labels"] == "binary":
        raise ConfigError(
            f"loss={values['loss']} takes labels ±1, not {classes} classes: "
            "give labels=parity, or loss=cross_entropy or square."
        )
