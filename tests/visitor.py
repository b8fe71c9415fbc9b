"""A visitor without a browser, who opens pages again and again and takes the time of each answer.

    python visitor.py http://127.0.0.1:8501 "" theorems

Each answer is a line, as JSON: when it was asked for (Unix time), what, and the seconds until the
server had said all of it. It ends when its standard input closes.
"""

import itertools
import json
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE = 120.0
PAUSE = 0.05


def opened(address: str, page: str, query: str = "") -> float:
    """Return the seconds until the server has sent all of this page to a new session."""
    asked = BackMsg()
    asked.rerun_script.page_name, asked.rerun_script.query_string = page, query
    begun = time.monotonic()
    with connect(
        f"{address.replace('http', 'ws')}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=address,  # type: ignore[arg-type]
        max_size=None,
        open_timeout=PATIENCE,
    ) as socket:
        socket.send(asked.SerializeToString())
        said = ForwardMsg()
        while said.WhichOneof("type") != "script_finished":
            said.ParseFromString(socket.recv(timeout=PATIENCE))  # type: ignore[arg-type]
        return time.monotonic() - begun


def fetched(address: str, path: str) -> float:
    """Return the seconds until a file or an answer of the server's own is there."""
    begun = time.monotonic()
    with urllib.request.urlopen(f"{address}/{path}", timeout=PATIENCE) as answer:
        answer.read()
    return time.monotonic() - begun


def visit(address: str, pages: Sequence[str], end: threading.Event) -> None:
    """Open these pages in turn until the end, and the server's own answers between them."""
    for page in itertools.cycle(pages):
        for what, ask in ((f"/{page}", opened), ("/api/ready", fetched)):
            at = time.time()
            seconds = ask(address, page if ask is opened else what[1:])
            sys.stdout.write(json.dumps([at, what, seconds]) + "\n")
            sys.stdout.flush()
        if end.wait(PAUSE):
            return


def main(address: str, *pages: str) -> None:
    end = threading.Event()

    def until_closed() -> None:
        while os.read(0, 4096):
            pass
        end.set()

    threading.Thread(target=until_closed, daemon=True).start()
    visit(address, pages, end)


if __name__ == "__main__":
    main(*sys.argv[1:])
