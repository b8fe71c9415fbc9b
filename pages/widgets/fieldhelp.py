"""What a choice means, and each of its options; whose fields stand together."""

from lazycore.config import spec
from lazycore.config.spec import Field
from lazycore.config.words import sentence

GROUPS = {"task": "Data", "model": "Network", "dynamics": "Training"}


def choice_help(field: Field) -> str:
    """Return what a choice means, and each of its options where they are files."""
    if field.name not in spec.PACKAGES:
        return field.help
    files = spec.collect(field.name).items()
    lines = [f"- `{name}`: {sentence(file.SPEC.meaning)}" for name, file in files]
    return "\n".join([sentence(field.meaning), "", *lines])
