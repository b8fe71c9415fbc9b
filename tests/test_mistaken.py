"""What is handed in by mistake is a sentence, never a TypeError; a number is its own text."""

from contextlib import suppress

import numpy as np
import pytest

from lazycore import (
    ConfigError,
    LazyLabError,
    RunConfig,
    RunResult,
    SweepConfig,
    SweepResult,
)


@pytest.mark.parametrize("given", [{"alpha": 3}, {"alpha": "3"}, {"alpha": 3.0}])
def test_a_number_is_its_own_text(given):
    rest = {"init_seed": "0:2"}
    assert SweepConfig.from_text(given | rest).base.alpha == RunConfig.from_text(given).alpha == 3.0


NOT_TEXT = (None, True, [1, 2], (1,), {"a": 1}, b"x", np.array([1.0, 2.0]), object())


@pytest.mark.parametrize("value", NOT_TEXT, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", ["alpha", "task", "nope"])
def test_what_is_no_text_is_a_sentence(name, value):
    for read in (RunConfig.from_text, SweepConfig.from_text):
        with pytest.raises(ConfigError, match="not text|a dict"):
            read({name: value})
        with pytest.raises(ConfigError, match="a dict of names and texts"):
            read(value if not isinstance(value, dict) else None)
    with pytest.raises(ConfigError):
        RunConfig.parse_field(name, value)


@pytest.mark.parametrize("value", [*NOT_TEXT, 10**400, float("nan")], ids=lambda v: str(v)[:12])
@pytest.mark.parametrize("name", ["alpha", "width", "task"])
def test_no_value_of_an_axis_or_a_field_is_more_than_a_sentence(name, value):
    calls = (
        lambda: SweepConfig(base=RunConfig(), axes={name: value}),
        lambda: SweepConfig(base=RunConfig(), axes={name: [value]}),
        lambda: SweepConfig(base=value, axes={name: [1, 2]}),
        lambda: SweepConfig(base=RunConfig(), axes=value),
        lambda: SweepConfig.from_dict({"base": {}, "axes": {name: [value, 1]}}),
        lambda: SweepConfig.from_dict({"base": value, "axes": {}}),
        lambda: SweepResult(value),
        lambda: RunResult.collect(1 if value is None else value, []),
        lambda: RunResult.load(value),
        lambda: RunResult.from_bytes(value),
    )
    for call in calls:
        with suppress(LazyLabError):  # a list of numbers is an axis
            call()
