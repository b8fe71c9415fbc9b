"""`python -m lazycore run | sweep | worker | jobs | check | data`: the same without the pages.

A wrong call ends with 2, a refused or failed one with 1; both print one sentence to standard
error and nothing to standard output.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lazycore import budget, clidata
from lazycore.clifields import add_fields, run_config, sweep_config
from lazycore.errors import ConfigError, LazyLabError
from lazycore.results import RunResult, Snapshot
from lazycore.sweepresult import SweepResult


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence and nothing else."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[0].lower()}{message[1:]} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the call with these arguments (the process's when None)."""
    try:
        options = _parser().parse_args(arguments)
        return options.call(options)
    except ConfigError as error:
        return _refuse(error, 2)
    except LazyLabError as error:
        return _refuse(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1


def _refuse(error: Exception, code: int) -> int:
    print(f"lazycore: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lazycore", description="Lazy training, seen.", allow_abbrev=False)
    calls = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    run = calls.add_parser(
        "run", help="train one network and its linearisation", allow_abbrev=False
    )
    add_fields(run)
    run.add_argument("--out", metavar="FILE.npz", help="write the record; opens on the Runs page")
    _add_outcome(run)
    run.set_defaults(call=_run)

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
    _add_outcome(sweep)
    sweep.set_defaults(call=_sweep)

    check = calls.add_parser("check", help="check the claims of the papers", allow_abbrev=False)
    check.add_argument("names", nargs="*", metavar="NAME", help="checks, * allowed; default: all")
    check.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    check.add_argument(
        "--paper",
        metavar="NAME",
        help="the claims of one paper, as lazy-training; without what takes minutes",
    )
    check.add_argument("--full", action="store_true", help="with --paper: all of them")
    check.set_defaults(call=_check)

    jobs = calls.add_parser("jobs", help="the queue: list, submit, sweep, cancel, retry, delete")
    actions = jobs.add_subparsers(dest="action", parser_class=_Parser)
    jobs.set_defaults(call=_list_jobs)
    submit = actions.add_parser("submit", help="queue a run for the worker", allow_abbrev=False)
    add_fields(submit)
    submit.set_defaults(call=_submit, read=run_config)
    queued = actions.add_parser("sweep", help="queue a sweep for the worker", allow_abbrev=False)
    add_fields(queued, axes=True)
    queued.set_defaults(call=_submit, read=sweep_config)
    for action in ("cancel", "retry", "delete"):
        one = actions.add_parser(action, help=f"{action} a job")
        one.add_argument("digest")
        one.set_defaults(call=_act, act=action)

    clidata.add(calls, _Parser)

    worker = calls.add_parser("worker", help="run queued jobs until stopped", add_help=False)
    worker.add_argument("rest", nargs=argparse.REMAINDER)
    worker.set_defaults(call=_worker)
    return parser


def _add_outcome(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", help="write it as JSON (-: standard output)")
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda:0, …; default: a GPU if any")
    parser.add_argument("--no-budget", action="store_true", help="lift the limit on cost")


def _run(options: argparse.Namespace) -> int:
    config = run_config(options)
    limit = None if options.no_budget else budget.DEFAULT
    if limit:
        budget.check(config, limit)
    _check_folders(options)
    import torch

    from lazycore.training import train

    torch.set_num_threads(1)
    snapshots = _reported(train(config, device=options.device, budget=limit))
    result = RunResult.collect(config, snapshots)
    if options.out:
        _write(options.out, result.to_bytes())
    _show(options, result, summary)
    return 0


def _sweep(options: argparse.Namespace) -> int:
    config = sweep_config(options)
    _check_folders(options)
    writers = {".csv": "to_csv", ".parquet": "to_parquet", ".npz": "save"}
    if options.out and Path(options.out).suffix not in writers:
        raise ConfigError(f"cannot write {options.out}: give a name in .csv, .parquet or .npz.")
    if not options.no_budget:
        budget.check_sweep(config)
    from lazycore import sweeps
    from lazycore.store import open_store

    store = None if options.no_store else open_store()
    cores = len(os.sched_getaffinity(0))
    table, begun = SweepResult(config), time.monotonic()
    for cell, outcome in sweeps.cells(config, device=options.device, store=store, threads=cores):
        sweeps.record(table, cell, outcome)
        _progress(_how_far(table, time.monotonic() - begun))
    _progress("")
    if options.out:
        getattr(table, writers[Path(options.out).suffix])(options.out)
    _show(options, table, sweep_summary)
    return 0


def _how_far(table: SweepResult, passed: float) -> str:
    left = passed * (table.total / table.done - 1.0)
    return f"{table.done:,} of {table.total:,} cells, {left:.0f} s left"


def _check_folders(options: argparse.Namespace) -> None:
    for path in (options.out, options.json):
        if path in (None, "-"):
            continue
        if not Path(path).resolve().parent.is_dir():
            raise ConfigError(f"cannot write {path}: there is no such folder.")
        if Path(path).is_dir():
            raise ConfigError(f"cannot write {path}: it is a folder; give the name of a file.")


def _show(options: argparse.Namespace, result: Any, summary: Callable[[Any], str]) -> None:
    """Write the result as JSON where that is asked for; else, and without a file, its summary."""
    if options.json:
        text = json.dumps(result.to_dict(), allow_nan=False)
        if options.json == "-":
            print(text)
        else:
            _write(options.json, text.encode())
    if not options.json and not options.out:
        print(summary(result))


def _write(path: str, data: bytes) -> None:
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise LazyLabError(f"cannot write {path}: {error.strerror}.") from error


def _reported(snapshots: Iterable[Snapshot]) -> Iterator[Snapshot]:
    """Pass the snapshots on and say how far the run is and how long it has left."""
    begun = time.monotonic()
    for snapshot in snapshots:
        passed = time.monotonic() - begun
        if passed > 1.0 and snapshot.progress > 0.0:
            left = passed * (1.0 / snapshot.progress - 1.0)
            _progress(f"{snapshot.progress:4.0%}, {left:.0f} s left")
        yield snapshot
    _progress("")


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


MOST_NAMED = 10


def sweep_summary(table: SweepResult) -> str:
    """Return a sweep in a few lines: how many cells are what, and which have gone wrong."""
    cells = table.config.cells
    verdicts = Counter(filter(None, (table.verdict(cell.digest) for cell in cells)))
    shape = " × ".join(f"{len(values)} {name}" for name, values in table.config.axes.items())
    said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    lines = [f"{table.total} cells ({shape}), digest {table.digest}", said or "no verdict"]
    for status in ("diverged", "budget", "failed", "missing"):
        such = [cell for cell in cells if table.status(cell.digest) == status]
        for cell in such[:MOST_NAMED]:
            message = table.message(cell.digest)
            lines.append(f"{status}: {cell.name}" + (f": {message}" if message else ""))
        if len(such) > MOST_NAMED:
            lines.append(f"{status}: {len(such) - MOST_NAMED} more")
    return "\n".join(lines)


def _last(values: list | None) -> float | None:
    return values[-1] if values else None


def _check(options: argparse.Namespace) -> int:
    from lazycore import checking

    if options.full and options.paper is None:
        raise ConfigError("--full belongs to --paper: without it every check runs anyway.")
    quick = options.quick or (options.paper is not None and not options.full)
    checks, failed = checking.select(options.names, quick=quick, paper=options.paper), 0
    verdicts = {True: "holds", False: "FAILS", None: "shown"}
    with checking.started(checks) as runs:
        for check in checks:
            print(f"\n{check.name}: {check.source}", flush=True)
            for done, total in runs.progress(check):
                _progress(f"{done} of {total} runs")
            _progress("")
            for row in runs.judge(check):
                print(f"  {verdicts[row.passed]}  {row.claim}")
                print(f"         {row.measured}   allowed: {row.allowed}", flush=True)
                failed += row.passed is False
    print(f"\n{'all hold' if not failed else f'{failed} FAILED'}")
    return 1 if failed else 0


def _progress(text: str) -> None:
    """Show how far a long call is, on a terminal only; an empty text takes it away."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _list_jobs(_: argparse.Namespace) -> int:
    from lazycore.jobs import open_queue

    for job in open_queue().list():
        how_far = f"{job.state:9}  {job.progress:4.0%}"
        print(f"{job.digest}  {job.kind:5}  {how_far}  {job.message or ''}".rstrip())
    return 0


def _submit(options: argparse.Namespace) -> int:
    from lazycore.jobs import open_queue

    print(open_queue().submit(options.read(options)))
    return 0


def _act(options: argparse.Namespace) -> int:
    from lazycore.jobs import open_queue

    getattr(open_queue(), options.act)(options.digest)
    return 0


def _worker(options: argparse.Namespace) -> int:
    from lazycore import worker

    return worker.main(options.rest) or 0
