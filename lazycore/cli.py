"""`python -m lazycore run | worker | jobs | check`: the same runs without the pages.

A wrong call ends with 2, a refused or failed one with 1; both print one sentence to standard
error and nothing to standard output.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from lazycore import budget
from lazycore.config import RunConfig, all_fields
from lazycore.errors import ConfigError, LazyLabError
from lazycore.results import RunResult, Snapshot
from lazycore.spec import PACKAGES, Field, collect


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
    _add_fields(run)
    run.add_argument("--json", metavar="FILE", help="write the record as JSON (-: standard output)")
    run.add_argument("--out", metavar="FILE.npz", help="write the record; opens on the Runs page")
    run.add_argument("--device", metavar="NAME", help="cpu, cuda:0, …; default: a GPU if any")
    run.add_argument("--no-budget", action="store_true", help="lift the limit on cost")
    run.set_defaults(call=_run)

    check = calls.add_parser("check", help="check the claims of the papers", allow_abbrev=False)
    check.add_argument("names", nargs="*", metavar="NAME", help="checks, * allowed; default: all")
    check.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    check.set_defaults(call=_check)

    jobs = calls.add_parser("jobs", help="the queue: list, submit, cancel, retry, delete")
    actions = jobs.add_subparsers(dest="action", parser_class=_Parser)
    jobs.set_defaults(call=_list_jobs)
    submit = actions.add_parser("submit", help="queue a run for the worker", allow_abbrev=False)
    _add_fields(submit)
    submit.set_defaults(call=_submit)
    for action in ("cancel", "retry", "delete"):
        one = actions.add_parser(action, help=f"{action} a job")
        one.add_argument("digest")
        one.set_defaults(call=_act, act=action)

    worker = calls.add_parser("worker", help="run queued jobs until stopped", add_help=False)
    worker.add_argument("rest", nargs=argparse.REMAINDER)
    worker.set_defaults(call=_worker)
    return parser


def _add_fields(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE.json", help="fields; flags override them")
    for field in all_fields().values():
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            metavar="VALUE",
            dest=f"field_{field.name}",
            help=f"{field.meaning} ({_choices(field)})".replace("%", "%%"),
        )


def _choices(field: Field) -> str:
    if field.name in PACKAGES:
        return " | ".join(collect(field.name))
    return " | ".join(field.choices) if field.choices else field.allowed


def _config(options: argparse.Namespace) -> RunConfig:
    """Return the config of a call: the file's fields, overridden by the flags'."""
    text = {
        name.removeprefix("field_"): value
        for name, value in vars(options).items()
        if name.startswith("field_") and value is not None
    }
    if options.config is None:
        return RunConfig.from_text(text)
    try:
        content = json.loads(Path(options.config).read_text())
    except OSError as error:
        raise ConfigError(f"cannot read {options.config}: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigError(f"{options.config} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{options.config} must hold one JSON object of fields.")
    # The flags are parsed by the ranges of the files that they, or the file's fields, choose.
    flags = {name: RunConfig.parse_field(name, value) for name, value in text.items()}
    return RunConfig.from_dict(content | flags)


def _run(options: argparse.Namespace) -> int:
    config = _config(options)
    limit = None if options.no_budget else budget.DEFAULT
    if limit:
        budget.check(config, limit)
    for path in (options.out, options.json):
        if path not in (None, "-") and not Path(path).resolve().parent.is_dir():
            raise ConfigError(f"cannot write {path}: there is no such folder.")
    import torch

    from lazycore.training import train

    torch.set_num_threads(1)
    snapshots = _reported(train(config, device=options.device, budget=limit))
    result = RunResult.collect(config, snapshots)
    if options.out:
        _write(options.out, result.to_bytes())
    if options.json:
        text = json.dumps(result.to_dict(), allow_nan=False)
        if options.json == "-":
            print(text)
        else:
            _write(options.json, text.encode())
    if not options.json and not options.out:
        print(summary(result))
    return 0


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


def _last(values: list | None) -> float | None:
    return values[-1] if values else None


def _check(options: argparse.Namespace) -> int:
    from lazycore import checking

    checks, failed = checking.select(options.names, quick=options.quick), 0
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
        print(f"{job.digest}  {job.state:9}  {job.progress:4.0%}  {job.message or ''}".rstrip())
    return 0


def _submit(options: argparse.Namespace) -> int:
    from lazycore.jobs import open_queue

    print(open_queue().submit(_config(options)))
    return 0


def _act(options: argparse.Namespace) -> int:
    from lazycore.jobs import open_queue

    getattr(open_queue(), options.act)(options.digest)
    return 0


def _worker(options: argparse.Namespace) -> int:
    from lazycore import worker

    return worker.main(options.rest) or 0
