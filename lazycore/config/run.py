"""`RunConfig`: everything that can change a number on a plot, and nothing else.

The config is the run, the job's id, the key of the store and the link.
"""

# pyright: reportUnnecessaryIsInstance=false
# Whoever calls from a notebook has no type checker: what is handed in is looked at.

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from lazycore.config import described
from lazycore.config.known import all_fields as all_fields
from lazycore.config.known import readings as readings
from lazycore.config.resolved import fields_read as fields_read
from lazycore.config.resolved import pinned_fields as pinned_fields
from lazycore.config.resolved import resolved
from lazycore.config.spec import as_text, shown
from lazycore.errors import LONGEST_WORD, ConfigError
from lazycore.machine.once import once

ENGINE_VERSION = 1
"""Goes up whenever the same config would give other numbers."""
FEW = 8
"""Fields that a message names where none is close."""


@dataclass(frozen=True, kw_only=True, init=False, repr=False)
class RunConfig:
    """One run, checked where it is born; a field left at None is not given.

    `resolve()` writes every default out and leaves null what the chosen task, model, loss
    and dynamics do not read; giving such a field is a `ConfigError`, so equal runs have one
    digest. Fields that a file brings with it (beyond those named here) are given and read like
    the others, and kept in `extra`.

    >>> RunConfig(alpha=100, width=50).digest == RunConfig(width=50, alpha=1e2).digest
    True
    >>> RunConfig(width=-3)
    Traceback (most recent call last):
    lazycore.errors.ConfigError: width=-3 is not allowed: give a whole number from 1 to 100000.
    """

    task: str | None = None
    n_train: int | None = None
    n_test: int | None = None
    dim: int | None = None
    noise: float | None = None
    labels: str | None = None
    model: str | None = None
    activation: str | None = None
    activation_beta: float | None = None
    activation_gain: str | None = None
    bias: str | None = None
    bias_gain: float | None = None
    width: int | None = None
    depth: int | None = None
    alpha: float | None = None
    init_scale: float | None = None
    scaling: str | None = None
    zero_output: str | None = None
    loss: str | None = None
    loss_beta: float | None = None
    dynamics: str | None = None
    time: float | None = None
    step_size: float | None = None
    steps: int | None = None
    momentum: float | None = None
    batch_size: int | None = None
    schedule: str | None = None
    stop: str | None = None
    refresh_every: int | None = None
    tolerance: float | None = None
    seed: int | None = None
    data_seed: int | None = None
    init_seed: int | None = None
    batch_seed: int | None = None
    dtype: str | None = None
    extra: tuple[tuple[str, Any], ...] = ()

    def __init__(self, /, *, extra: tuple[tuple[str, Any], ...] = (), **given: Any) -> None:
        own = _own()
        given = dict(extra) | given
        for name in given:
            if name not in own and name not in all_fields():
                raise ConfigError(_unknown(str(name), {*own, *all_fields()}))
        for name in own:
            object.__setattr__(self, name, given.get(name))
        more = [(k, v) for k, v in given.items() if k not in own and v is not None]
        object.__setattr__(self, "extra", tuple(sorted(more)))
        self._check()

    def _check(self) -> None:
        for name in self.given().keys() - dict(self.extra):  # numbers as their field has them
            object.__setattr__(self, name, self._resolved[name])
        found = self._resolved  # raises for a config that cannot be
        for name in pinned_fields(found):
            if name in self.__dict__:
                object.__setattr__(self, name, found[name])
            else:
                more = dict(self.extra) | {name: found[name]}
                object.__setattr__(self, "extra", tuple(sorted(more.items())))

    def __repr__(self) -> str:
        return described.line("RunConfig", self.given(), self.digest)

    def _repr_html_(self) -> str:
        return described.card(self.given(), self._resolved, self.digest).html()

    def __getattr__(self, name: str) -> Any:
        for key, value in self.__dict__.get("extra", ()):
            if key == name:
                return value
        raise AttributeError(f"RunConfig has no field {name!r}")

    @once
    def _resolved(self) -> Mapping[str, Any]:
        return resolved(self.given())

    def given(self) -> dict[str, Any]:
        """Return the fields that were given, by name."""
        own = {name: self.__dict__[name] for name in _own()}
        return {k: v for k, v in (own | dict(self.extra)).items() if v is not None}

    def resolve(self) -> "RunConfig":
        """Return the same run with every default written out and nothing left that is not read."""
        return RunConfig.from_dict(self._resolved)

    def to_dict(self) -> dict[str, Any]:
        """Return every field by name, null where not given."""
        return {name: self.__dict__[name] for name in _own()} | dict(self.extra)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RunConfig":
        """Return the config with these fields.

        values: by name; None means not given.
        Raises `ConfigError` for what is no mapping, and for a name that no file reads, with the
        closest one that exists.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"a config is an object of fields, not {type(values).__name__}.")
        if "extra" in values:
            raise ConfigError(_unknown("extra", set(all_fields())))
        return cls(**{str(name): value for name, value in values.items()})

    @classmethod
    def from_text(cls, values: Mapping[str, str]) -> "RunConfig":
        """Return the config that a link or a command line spells out, field by field.

        values: texts by name; a number is its own text.
        Raises `ConfigError` for a name that no file reads, and for values that are no text.
        """
        given = as_text(values)
        return cls.from_dict({name: cls.parse_field(name, v) for name, v in given.items()})

    @staticmethod
    def parse_field(name: str, text: str) -> Any:
        """Return what `text` stands for as a value of the field `name`.

        Several files can read one name with ranges of their own: here text becomes a
        number or stays a word, the chosen file's range is checked with the whole config.
        Raises `ConfigError` for a name that no file reads, and for text that is no number.
        """
        known = all_fields()
        if str(name) not in known:
            raise ConfigError(_unknown(str(name), set(known)))
        return known[name].parse(as_text({name: text})[name])

    def to_text(self) -> dict[str, str]:
        """Return the given fields as text; `from_text` turns it back into an equal config."""
        return {k: repr(v) if isinstance(v, float) else str(v) for k, v in self.given().items()}

    @property
    def digest(self) -> str:
        """Sixteen hex digits that name this run, stable across processes.

        Of the resolved config; `seed` counts through the seeds derived from it, so that runs
        which differ in a seed they do not use are one run.
        """
        later = _added_later()
        content = {
            name: value
            for name, value in self._resolved.items()
            if name != "seed" and not (name in later and value == later[name])
        }
        text = json.dumps([ENGINE_VERSION, content], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_BEGINNING = RunConfig.__doc__ or ""
for _name, _made in (
    ("__doc__", lambda: described.documentation(_BEGINNING)),
    ("__signature__", described.signature),
):
    setattr(RunConfig, _name, described.Lazily(_made))


@cache
def _own() -> dict[str, None]:
    """Return the names of the fields that `RunConfig` itself names, in order."""
    return {field.name: None for field in fields(RunConfig) if field.name != "extra"}


@cache
def _added_later() -> dict[str, Any]:
    """Return the fields that came after there were results, by name: what was done before."""
    return {
        name: field.default if field.before is None else field.before
        for name, field in all_fields().items()
        if field.added or field.before is not None
    }


def _unknown(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name[:LONGEST_WORD], known, n=1)
    some = ", ".join(sorted(known)[:FEW])
    hint = f"Did you mean {close[0]!r}?" if close else f"There are {len(known)}: {some}, …"
    return f"there is no field {shown(name)!r}. {hint}"
