"""`python -m lazycore run`: one network and its linearisation."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lazycore.cli import output
from lazycore.cli.fields import add_fields, run_config
from lazycore.config import cost, spec
from lazycore.config.run import RunConfig
from lazycore.datasets.understood import in_units
from lazycore.results.run import RunResult
from lazycore.results.verdict import LEARNED


def add(calls: argparse._SubParsersAction, parser_class: Callable) -> None:
    """Give the command line its command `run`."""
    run = calls.add_parser(
        "run", help="train one network and its linearisation", allow_abbrev=False
    )
    add_fields(run)
    run.add_argument("--out", metavar="FILE.npz", help="write the record; opens on the Runs page")
    output.add_outcome(run)
    run.set_defaults(call=_run)


def _run(options: argparse.Namespace) -> int:
    config = run_config(options)
    limit = None if options.no_budget else cost.DEFAULT
    if limit:
        cost.check(config, limit)
    output.check_folders(options)
    if line := _understood(config):
        print(line, file=sys.stderr)
    from lazycore.running.run import run

    result = run(config, device=options.device, budget=limit)
    if options.out:
        output.write(options.out, result.to_bytes())
    output.show(options, result, summary)
    return 0


def _understood(config: RunConfig) -> str:
    """Return how a file of one's own was read, before anything is trained on it."""
    values = config.resolve().to_dict()
    understood = spec.find("task", values["task"]).SPEC.facts.get("understood")
    return understood(values) if understood else ""


def summary(result: RunResult) -> str:
    """Return a finished run in a few lines."""
    record = result.to_dict()
    lines = [f"{record['verdict']}  ({record['status']}, digest {record['digest']})"]
    for model in ("nonlinear", "linearized", "refreshed"):
        if record[model]:
            lines.append(f"{model + ':':12} {_ending(record[model])}")
    if record.get("diagnosis"):
        lines.append(f"diagnosis: {record['diagnosis']}")
    lines.append(_learned(result))
    if "target_scale" in record:
        lines.append(in_units(record["target_mean"], record["target_scale"]))
    lines += [f"note: {note}" for note in result.notes]
    gaps = [g for g in record["gap"]["train_output"] if g is not None]
    if gaps:
        lines.append(f"largest output gap {max(gaps):.4g} ± {result.numerical_error:.1g} (method)")
    change = _last(record["kernel_change"])
    if change is not None:
        lines.append(f"kernel change {change:.4g}")
    return "\n".join(lines)


def _learned(result: RunResult) -> str:
    """Return by how much the training loss fell, and what a verdict takes."""
    said = f"training loss fell by {result.learned:.3%}"
    enough = result.learned >= LEARNED
    return said if enough else f"{said}: nothing was learned (a verdict takes {LEARNED:.0%})"


def _ending(model: Mapping[str, Any]) -> str:
    """Return what a model came to, by its part of the record."""
    if model["status"] == "diverged":
        return "diverged"
    said = [
        f"{part} loss {loss:.4g}"
        for part in ("train", "test")
        if (loss := _last(model[f"{part}_loss"])) is not None
    ]
    met = model.get("stop_time")
    return ", ".join(said) + ("" if met is None else f", margins met at {met:.4g}")


def _last(values: Sequence[float | None] | None) -> float | None:
    return next((value for value in reversed(values or ()) if value is not None), None)
