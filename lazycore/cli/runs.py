"""`python -m lazycore run`: one network and its linearisation."""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator

from lazycore import budget
from lazycore.cli import output
from lazycore.cli.fields import add_fields, run_config
from lazycore.results import RunResult, Snapshot


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
    import torch

    from lazycore.training import train

    torch.set_num_threads(1)
    snapshots = _reported(train(config, device=options.device, budget=limit))
    result = RunResult.collect(config, snapshots)
    if options.out:
        output.write(options.out, result.to_bytes())
    output.show(options, result, summary)
    return 0


def _reported(snapshots: Iterable[Snapshot]) -> Iterator[Snapshot]:
    """Pass the snapshots on and say how far the run is and how long it has left."""
    begun = time.monotonic()
    for snapshot in snapshots:
        passed = time.monotonic() - begun
        if passed > 1.0 and snapshot.progress > 0.0:
            left = passed * (1.0 / snapshot.progress - 1.0)
            output.progress(f"{snapshot.progress:4.0%}, {left:.0f} s left")
        yield snapshot
    output.progress("")


def summary(result: RunResult) -> str:
    """Return a finished run in a few lines."""
    record = result.to_dict()
    lines = [f"{record['verdict']}  ({record['status']}, digest {record['digest']})"]
    for model in ("nonlinear", "linearized"):
        part = record[model]
        test = f", test loss {part['test_loss'][-1]:.4g}" if _last(part["test_loss"]) else ""
        loss = _last(part["train_loss"])
        shown = f"train loss {loss:.4g}{test}" if loss is not None else "diverged"
        lines.append(f"{model + ':':12} {shown}")
    gaps = [g for g in record["gap"]["train_output"] if g is not None]
    if gaps:
        lines.append(f"largest output gap {max(gaps):.4g} ± {result.numerical_error:.1g} (method)")
    changes = [c for c in record["kernel_change"] if c is not None]
    if changes:
        lines.append(f"kernel change {changes[-1]:.4g}")
    return "\n".join(lines)


def _last(values: list | None) -> float | None:
    return values[-1] if values else None
