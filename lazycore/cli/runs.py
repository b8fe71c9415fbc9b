"""`python -m lazycore run`: one network and its linearisation."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lazycore import budget
from lazycore.cli import output
from lazycore.cli.fields import add_fields, run_config
from lazycore.results import RunResult


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
    limit = None if options.no_budget else budget.DEFAULT
    if limit:
        budget.check(config, limit)
    output.check_folders(options)
    from lazycore.training import run

    result = run(config, device=options.device, budget=limit)
    if options.out:
        output.write(options.out, result.to_bytes())
    output.show(options, result, summary)
    return 0


def summary(result: RunResult) -> str:
    """Return a finished run in a few lines."""
    record = result.to_dict()
    lines = [f"{record['verdict']}  ({record['status']}, digest {record['digest']})"]
    for model in ("nonlinear", "linearized", "refreshed"):
        if record[model]:
            lines.append(f"{model + ':':12} {_ending(record[model])}")
    if record.get("diagnosis"):
        lines.append(f"diagnosis: {record['diagnosis']}")
    gaps = [g for g in record["gap"]["train_output"] if g is not None]
    if gaps:
        lines.append(f"largest output gap {max(gaps):.4g} ± {result.numerical_error:.1g} (method)")
    change = _last(record["kernel_change"])
    if change is not None:
        lines.append(f"kernel change {change:.4g}")
    return "\n".join(lines)


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
