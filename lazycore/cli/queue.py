"""`python -m lazycore jobs | worker`: the queue, and who works through it."""

import argparse
from collections.abc import Callable, Sequence

from lazycore.cli.fields import add_fields, run_config, sweep_config
from lazycore.machine.extras import need


def add(calls: argparse._SubParsersAction, parser_class: Callable) -> None:
    """Give the command line its commands `jobs` and `worker`."""
    jobs = calls.add_parser("jobs", help="the queue: list, submit, sweep, cancel, retry, delete")
    actions = jobs.add_subparsers(dest="action", parser_class=parser_class)
    jobs.set_defaults(call=_list_jobs)
    submit = actions.add_parser("submit", help="queue a run for the worker", allow_abbrev=False)
    add_fields(submit)
    submit.set_defaults(call=_submit, read=run_config)
    queued = actions.add_parser("sweep", help="queue a sweep for the worker", allow_abbrev=False)
    add_fields(queued, axes=True)
    queued.set_defaults(call=_submit, read=sweep_config)
    actions.add_parser("list", help="what is in it; also without an action")
    for action in ("cancel", "retry", "delete"):
        one = actions.add_parser(action, help=f"{action} a job")
        one.add_argument("digest")
        one.set_defaults(call=_act, act=action)

    calls.add_parser("worker", help="run queued jobs until stopped", add_help=False)


def _list_jobs(_: argparse.Namespace) -> int:
    from lazycore.service.queue import open_queue

    for job in open_queue().list():
        how_far = f"{job.state:9}  {job.progress:4.0%}"
        print(f"{job.digest}  {job.kind:5}  {how_far}  {job.message or ''}".rstrip())
    return 0


def _submit(options: argparse.Namespace) -> int:
    from lazycore.service.queue import open_queue

    print(open_queue().submit(options.read(options)))
    return 0


def _act(options: argparse.Namespace) -> int:
    from lazycore.service.queue import open_queue

    getattr(open_queue(), options.act)(options.digest)
    return 0


def work(arguments: Sequence[str], program: str) -> int:
    """Be a worker with these arguments."""
    need("a worker", "dbos", "psutil")
    from lazycore.service.workers import worker

    return worker.main(arguments, f"{program} worker") or 0
