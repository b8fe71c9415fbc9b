"""What a job asks for, a run or a sweep, told apart by its fields. No torch."""

from collections.abc import Mapping
from typing import Any, Literal

from lazycore.config import cost
from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig

Kind = Literal["run", "sweep"]


def kind_of(fields: Mapping[str, Any]) -> Kind:
    """Return which of the two these fields are of; no run has a field `axes`."""
    return "sweep" if "axes" in fields else "run"


def read(fields: Mapping[str, Any]) -> RunConfig | SweepConfig:
    """Return the config of these fields; `ConfigError` for what is none."""
    return SweepConfig.from_dict(fields) if "axes" in fields else RunConfig.from_dict(fields)


def fields_of(config: RunConfig | SweepConfig) -> dict[str, Any]:
    """Return the config as the queue keeps it: fields that `read` turns back."""
    return config.to_dict() if isinstance(config, SweepConfig) else config.resolve().to_dict()


def check(config: RunConfig | SweepConfig) -> None:
    """Raise `BudgetError` for a config that would cost more than the queue takes."""
    if isinstance(config, SweepConfig):
        cost.check_sweep(config)
    else:
        cost.check(config)
