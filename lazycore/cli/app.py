"""`lazylab app`: the dashboard, with its worker."""

import argparse
import errno
import os
import socket
import sys
from collections.abc import Callable

from lazycore.errors import ConfigError, LazyLabError
from lazycore.machine.extras import need
from lazycore.machine.places import DASHBOARD, default_root

PORT, HOST = "8501", "127.0.0.1"
SCRIPT = DASHBOARD / "app.py"


def add(calls: argparse._SubParsersAction, parser_class: Callable) -> None:
    """Give the command line its command `app`."""
    app = calls.add_parser(
        "app",
        help="start the dashboard",
        description="Start the dashboard and its worker, and print the address to open in a "
        f"browser; Ctrl-C ends both. Results are kept in {default_root()}; set LAZYLAB_CACHE to "
        "keep them elsewhere.".replace("%", "%%"),
        allow_abbrev=False,
    )
    app.add_argument(
        "--port",
        metavar="N",
        default=os.environ.get("LAZYLAB_PORT") or PORT,
        help=f"the port to listen on (default: $LAZYLAB_PORT, else {PORT})",
    )
    app.add_argument(
        "--host",
        metavar="H",
        default=HOST,
        help=f"the address to listen on: {HOST} (default) is for this machine alone, 0.0.0.0 for "
        "others too; LAZYLAB_HOSTS says by which names they may call it",
    )
    app.set_defaults(call=_start)


def _start(options: argparse.Namespace) -> int:
    """Become the server: its process has this one's number, and so gets its signals."""
    need("the dashboard", "streamlit", "dbos", "plotly", "psutil")
    if not SCRIPT.is_file():
        raise LazyLabError(f"the dashboard is not here: there is no {SCRIPT}; install it again.")
    _check_address(options.host, _port(options.port))
    command = [sys.executable, "-m", "streamlit", "run", str(SCRIPT)]
    command += ["--server.address", options.host, "--server.port", options.port]
    # What lies in the folder where it is started is not to stand in for a module of ours.
    os.execve(sys.executable, command, os.environ | {"PYTHONSAFEPATH": "1"})


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 2**16:
        return int(text)
    raise ConfigError(f"port={text} is not allowed: give a whole number from 1 to {2**16 - 1}.")


def _check_address(host: str, port: int) -> None:
    """Raise where no server could listen there, before one is started that says less well why."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (socket.gaierror, UnicodeError):
        raise _wrong_host(host) from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise _wrong_host(host) from None
        if error.errno == errno.EADDRINUSE:
            raise LazyLabError(f"port {port} is taken: give another one with --port.") from None
        raise LazyLabError(f"cannot listen on port {port} of {host}: {error.strerror}.") from error


def _wrong_host(host: str) -> ConfigError:
    return ConfigError(
        f"host={host} is not allowed: give an address of this machine, as {HOST} or 0.0.0.0."
    )
