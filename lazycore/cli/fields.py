"""The fields of runs and sweeps as flags of the command line."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazycore.config.axes import DERIVED, is_axis, parse_axis
from lazycore.config.run import RunConfig, all_fields, readings
from lazycore.config.spec import PACKAGES, Field, collect, shown
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError


class _Given(argparse.Action):
    """Collects the fields that were given, in the order in which they were."""

    def __call__(self, parser, namespace, values, option_string=None):
        namespace.given = namespace.given | {self.dest: values}


def add_fields(parser: argparse.ArgumentParser, *, axes: bool = False) -> None:
    """Give `parser` a flag for every field, and for those that only axes set."""
    parser.set_defaults(given={})
    parser.add_argument("--config", metavar="FILE.json", help="fields; flags override them")
    derived = [part.field for part in DERIVED.values()] if axes else []
    for field in [*all_fields().values(), *derived]:
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            metavar="VALUES" if axes else "VALUE",
            action=_Given,
            dest=field.name,
            default=argparse.SUPPRESS,
            help=f"{_meanings(field)} ({_choices(field)}{_default(field)})".replace("%", "%%"),
        )


def run_config(options: argparse.Namespace) -> RunConfig:
    """Return the run of a call: the file's fields, overridden by the flags'."""
    if options.config is None:
        return RunConfig.from_text(options.given)
    # The flags are parsed by the ranges of the files that they, or the file's fields, choose.
    flags = {name: RunConfig.parse_field(name, text) for name, text in options.given.items()}
    return RunConfig.from_dict(_read(options.config) | flags)


def sweep_config(options: argparse.Namespace) -> SweepConfig:
    """Return the sweep of a call: over the fields of a run's file, or changing a sweep's."""
    if options.config is None:
        return SweepConfig.from_text(options.given)
    content = _read(options.config)
    if "axes" not in content:
        content = {"base": content, "axes": {}}
    base, axes = content.get("base"), content["axes"]
    if isinstance(base, dict) and isinstance(axes, dict):
        for name, text in options.given.items():
            base.pop(name, None)
            axes.pop(name, None)
            if is_axis(name, text):
                axes[name] = parse_axis(name, text)
            else:
                base[name] = RunConfig.parse_field(name, text)
    return SweepConfig.from_dict(content)


def _read(path: str) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path} must hold one JSON object of fields.")
    return dict(content)


def _meanings(field: Field) -> str:
    """Return what the field means to the files that read it, each meaning once."""
    return "; or ".join(dict.fromkeys([field.meaning, *(f.meaning for f in readings(field.name))]))


def _default(field: Field) -> str:
    """Return the default, where all files that read the field have one and the same."""
    found = {repr(one.default): one.default for one in [field, *readings(field.name)]}
    (first, *others) = found.values()
    told = not others and first is not None and not callable(first)
    return f"; default {shown(first)}" if told else ""


def _choices(field: Field) -> str:
    if field.name in PACKAGES:
        return " | ".join(collect(field.name))
    return " | ".join(field.choices) if field.choices else field.allowed
