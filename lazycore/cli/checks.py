"""`python -m lazycore check`: the claims of the papers."""

import argparse
import os
from collections.abc import Callable
from contextlib import closing

from lazycore.cli import output
from lazycore.errors import ConfigError


def add(calls: argparse._SubParsersAction, parser_class: Callable) -> None:
    """Give the command line its command `check`."""
    check = calls.add_parser("check", help="check the claims of the papers", allow_abbrev=False)
    check.add_argument("names", nargs="*", metavar="NAME", help="checks, * allowed; default: all")
    check.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    check.add_argument(
        "--paper",
        metavar="NAME",
        help="the claims of one paper, as lazy-training; without what takes minutes",
    )
    check.add_argument("--full", action="store_true", help="with --paper: all of them")
    check.add_argument("--device", metavar="NAME", default="cpu", help="cpu (default), cuda:0, …")
    check.set_defaults(call=_check)


def _check(options: argparse.Namespace) -> int:
    from lazycore.papers import checking

    if options.full and options.paper is None:
        raise ConfigError("--full belongs to --paper: without it every check runs anyway.")
    quick = options.quick or (options.paper is not None and not options.full)
    checks, failed = checking.select(options.names, quick=quick, paper=options.paper), 0
    verdicts = {True: "holds", False: "FAILS", None: "shown"}
    cores = len(os.sched_getaffinity(0))
    run = checking.Checking(checks, device=options.device, threads=cores)
    with closing(run.judged()) as judged:
        for found in judged:
            if found is None:
                output.progress(f"{run.done} of {run.total} runs")
                continue
            check, rows = found
            output.progress("")
            print(f"\n{check.name}: {check.source}", flush=True)
            for row in rows:
                print(f"  {verdicts[row.passed]}  {row.claim}")
                print(f"         {row.measured}   allowed: {row.allowed}", flush=True)
                failed += row.passed is False
    print(f"\n{'all hold' if not failed else f'{failed} FAILED'}")
    return 1 if failed else 0
