"""`python -m lazycore sweep`: every combination of fields with several values."""

import argparse
from collections.abc import Callable
from pathlib import Path

from lazycore.cli import output
from lazycore.cli.fields import add_fields, sweep_config
from lazycore.config import cost as budget
from lazycore.errors import ConfigError
from lazycore.results.groups import counted
from lazycore.results.sweep import SweepResult
from lazycore.running import progress

MOST_NAMED = 10


def add(calls: argparse._SubParsersAction, parser_class: Callable) -> None:
    """Give the command line its command `sweep`."""
    sweep = calls.add_parser(
        "sweep",
        help="run every combination of fields with several values",
        description="A field is an axis when it is given as 32,64,128 (these values), 0:10 "
        "(whole numbers, 10 not included) or 1e-2:1e4:13 (13 values from end to end).",
        allow_abbrev=False,
    )
    add_fields(sweep, axes=True)
    sweep.add_argument("--out", metavar="FILE", help="write the table: .csv, .parquet or .npz")
    sweep.add_argument(
        "--no-store", action="store_true", help="neither look up nor keep runs in the cache"
    )
    output.add_outcome(sweep)
    sweep.set_defaults(call=_sweep)


def _sweep(options: argparse.Namespace) -> int:
    config = sweep_config(options)
    output.check_folders(options)
    writers = {".csv": "to_csv", ".parquet": "to_parquet", ".npz": "save"}
    if options.out and Path(options.out).suffix not in writers:
        raise ConfigError(f"cannot write {options.out}: give a name in .csv, .parquet or .npz.")
    limit = None if options.no_budget else budget.DEFAULT
    if limit:  # before torch is imported
        budget.check_sweep(config, limit)
    from lazycore.results.store import open_store
    from lazycore.running import sweeps

    store = None if options.no_store else open_store()
    if not progress.is_shown(None):  # a log wants no bar, but to know what it waits for
        cost = sweeps.cost_of(config, device=options.device, store=store)
        progress.say_cost(
            progress.how_many(len(config.cells), cost["kept"]), cost["about"], cost["cores"]
        )
    table = sweeps.sweep(config, device=options.device, budget=limit, store=store)
    if options.out:
        getattr(table, writers[Path(options.out).suffix])(options.out)
    output.show(options, table, sweep_summary)
    return 0


def sweep_summary(table: SweepResult) -> str:
    """Return a sweep in a few lines: how many cells are what, and which have gone wrong."""
    cells = table.config.cells
    shape = " × ".join(f"{len(values)} {name}" for name, values in table.config.axes.items())
    said = counted(table.verdicts) or "no verdict"
    lines = [f"{table.total} cells ({shape}), digest {table.digest}", said]
    for status in ("diverged", "budget", "failed", "missing"):
        such = [cell for cell in cells if table.status(cell.digest) == status]
        for cell in such[:MOST_NAMED]:
            message = table.message(cell.digest)
            lines.append(f"{status}: {cell.name}" + (f": {message}" if message else ""))
        if len(such) > MOST_NAMED:
            lines.append(f"{status}: {len(such) - MOST_NAMED} more")
    return "\n".join(lines)
