"""The axes of a sweep: which fields they vary, and the text that stands for their values.

The text of an axis is the same on the command line and in a link:

    32,64,128       these values (words too: relu,tanh); one value is written with a comma, 32,
    0:10            whole numbers from 0 up to, but not including, 10
    1e-2:1e4:13     13 values, both ends included: by equal ratios where the field is one of
                    scale (α, width, time), else by equal steps; whole numbers once each
"""

import difflib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lazycore.config.fields import ALPHA, STEP_SIZE, TIME
from lazycore.config.run import all_fields
from lazycore.config.spec import Field, shown
from lazycore.errors import LONGEST_WORD, ConfigError

LARGEST = 20_000
"""Cells of a sweep, at most."""
LARGEST_WHOLE = 10**18
"""Whole numbers above it are no field's, and none that numpy spaces."""
DIGITS = 12
"""Significant digits of spaced values, so that 1e-2:1e4:13 holds 1 and not 0.9999999999999999."""


@dataclass(frozen=True, kw_only=True)
class Derived:
    """An axis that sets the field `sets` to `of(value, resolved fields of the cell)`."""

    field: Field
    sets: str
    of: Callable[[float, Mapping[str, Any]], float]


def _times(base: Field, other: str, power: float, symbol: str) -> Derived:
    """Return the axis of `base` times a power of the field `other`, which sets `base`."""
    powers = {0.5: ("sqrt_", "√", ""), 1.0: ("", "", ""), 2.0: ("", "", "2")}
    before, root, after = powers[power]
    name = f"{base.name}_{before}{other}{after}"
    said = f"{root}{other}" + after.replace("2", "²")

    def of(value: float, fields: Mapping[str, Any]) -> float:
        if not fields.get(other):
            raise ConfigError(f"{name} needs {other}, which this run does not read.")
        return _tidy(value / fields[other] ** power)

    meaning = f"{symbol}, which sets {base.name} = value/{said}"
    return Derived(field=replace(base, name=name, meaning=meaning), sets=base.name, of=of)


_ALL = (
    _times(ALPHA, "width", 0.5, "α√m"),
    _times(ALPHA, "width", 1.0, "αm"),
    _times(STEP_SIZE, "width", 1.0, "ηm"),
    _times(STEP_SIZE, "init_scale", 2.0, "ητ²"),
    _times(TIME, "init_scale", 2.0, "Tτ²"),
)
DERIVED = {derived.field.name: derived for derived in _ALL}
"""Axes that set a field through another one, by name."""


def is_axis(name: str, text: str) -> bool:
    """Whether this text of a field stands for the values of an axis."""
    return "," in text or ":" in text or name in DERIVED


def axis_field(name: str) -> Field:
    """Return the field that an axis varies; `ConfigError` with the closest name if there is none.

    Several files can read one name with ranges of their own: this is the first one's.
    """
    known = all_fields() | {key: derived.field for key, derived in DERIVED.items()}
    if name not in known:
        close = difflib.get_close_matches(name[:LONGEST_WORD], known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"there is no field {shown(name)!r} to sweep over.{hint}")
    if known[name].pattern:
        raise ConfigError(f"{name} cannot be an axis of a sweep: give one value.")
    return known[name]


def parse_axis(name: str, text: str) -> tuple[Any, ...]:
    """Return the values that `text` stands for on the axis `name`: see the head of this file.

    >>> parse_axis("init_seed", "0:4"), parse_axis("width", "10:1000:3")
    ((0, 1, 2, 3), (10, 100, 1000))
    """
    field = axis_field(name)
    if "," in text or ":" not in text:
        values = tuple(_one(field, part.strip()) for part in text.removesuffix(",").split(","))
    elif field.kind is str:
        raise ConfigError(
            f"{name}={shown(text)} is not allowed: give words out of {field.allowed}."
        )
    else:
        values = _spaced(field, text)
    return checked(name, values)


def _one(field: Field, text: str) -> Any:
    if not text:
        raise ConfigError(f"{field.name} has an empty value: give {field.allowed}, by commas.")
    if (value := field.parse(text)) is None:
        raise ConfigError(f"{field.name}={text} is no value of an axis: give {field.allowed}.")
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        raise ConfigError(f"{field.name}={shown(text)} is not allowed: give {field.allowed}.")
    return value


def _spaced(field: Field, text: str) -> tuple[Any, ...]:
    said = f"{field.name}={shown(text)}"
    low, high, *count = [_one(field, part.strip()) for part in text.split(":")]
    if len(count) > 1:
        raise ConfigError(f"{said} is not allowed: write low:high:count.")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(f"{said} goes nowhere: its second number must be above its first.")
    if not count:
        if field.kind is not int:
            raise ConfigError(f"{said} says no number of values: write low:high:count.")
        if not (isinstance(low, int) and isinstance(high, int)):
            raise ConfigError(f"{said} is not allowed: give whole numbers, as in 0:10.")
        _check_count(said, high - low)
        return tuple(range(low, high))
    if not (float(count[0]).is_integer() and count[0] >= 2):
        raise ConfigError(f"{said} is not allowed: its count must be a whole number above 1.")
    _check_count(said, count[0])
    if field.log and low <= 0:
        raise ConfigError(f"{said} is spaced by equal ratios: its ends must be above 0.")
    values = (np.geomspace if field.log else np.linspace)(low, high, int(count[0])).tolist()
    if field.kind is int:
        return tuple(dict.fromkeys(round(value) for value in values))
    return (float(low), *(_tidy(value) for value in values[1:-1]), float(high))


def _check_count(said: str, count: float) -> None:
    if count > LARGEST:
        many = f"{count:,.0f}" if count < 1e15 else f"{count:.3g}"
        raise ConfigError(f"{said} would be {many} values: at most {LARGEST:,} are allowed.")


def _tidy(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def axis_text(name: str, values: Sequence[Any]) -> str:
    """Return the shortest text that `parse_axis` reads as exactly these values."""
    words = [word(value) for value in values]
    if len(values) > 2 and not isinstance(values[0], str) and values[0] < values[-1]:
        texts = [f"{words[0]}:{words[-1]}:{len(values)}"]
        if isinstance(values[0], int):
            texts.insert(0, f"{values[0]}:{values[-1] + 1}")
        for text in texts:
            if _reads_as(name, text, values):
                return text
    return ",".join(words) + ("," if len(words) == 1 else "")


def _reads_as(name: str, text: str, values: Sequence[Any]) -> bool:
    try:
        return parse_axis(name, text) == tuple(values)
    except ConfigError:
        return False


def word(value: Any) -> str:
    """Return one value of an axis as its text."""
    short = f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


def checked(name: str, values: Any) -> tuple[Any, ...]:
    """Return these values of an axis as its field has them, each once; `ConfigError` if they
    are no such list. Their ranges are checked with each cell."""
    field = axis_field(name)
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise ConfigError(f"{field.name}={shown(values)} is no axis: give a list of values.")
    _check_count(field.name, len(values))
    found = tuple(_value(field, value) for value in values)
    if len(set(found)) < len(found):
        twice = next(v for i, v in enumerate(found) if v in found[:i])
        raise ConfigError(f"{field.name}={shown(twice)} stands twice on its axis: once is enough.")
    return found


def _value(field: Field, value: Any) -> Any:
    if field.kind is str:
        return field.check(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and abs(value) <= sys.float_info.max:
        if field.kind is float:
            return float(value)
        if float(value).is_integer():
            return int(value)
    raise ConfigError(f"{field.name}={shown(value)} is not allowed: give {field.allowed}.")
