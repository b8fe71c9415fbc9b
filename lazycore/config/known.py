"""Every field that some file reads. No torch."""

from lazycore.config import spec
from lazycore.config.fields import GENERAL, SELECTORS
from lazycore.config.spec import Field


def all_fields() -> dict[str, Field]:
    """Return every field that some file reads, by name (the first file's version of it)."""
    found = {f.name: f for f in (*SELECTORS, *GENERAL)}
    for kind in spec.PACKAGES:
        for file in spec.collect(kind).values():
            for field in file.SPEC.reads:
                found.setdefault(field.name, field)
    return found


def readings(name: str) -> list[Field]:
    """Return the field of this name as each file that reads it has it."""
    return [field for fields in read_by(name).values() for field in fields.values()]


def read_by(name: str) -> dict[str, dict[str, Field]]:
    """Return the field of this name as each file has it: by the kind of file, by the file."""
    found: dict[str, dict[str, Field]] = {}
    for kind in spec.PACKAGES:
        for file, module in spec.collect(kind).items():
            for field in module.SPEC.reads:
                if field.name == name:
                    found.setdefault(kind, {})[file] = field
    return found
