"""Who is let in, and what every answer says: the middleware alone, then the whole server."""

import asyncio
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import streamlit
from conftest import running_server
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lazycore.service.guards import (
    KnownHosts,
    SafeHeaders,
    host_name,
    is_one_of,
    named_hosts,
    safe_headers,
)

INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
SAFE = ("content-security-policy", "x-frame-options", "x-content-type-options", "referrer-policy")


# ── names ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "address, name",
    [
        ("localhost:8501", "localhost"),
        ("LAB.example.org", "lab.example.org"),
        ("[::1]:8501", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("", None),
        (None, None),
        ("localhost:80x", None),
        ("evil.org@localhost", None),
        ("localhost/evil.org", None),
        ("localhost?x", None),
        ("[::1", None),
    ],
)
def test_a_name_is_what_stands_before_the_port_and_nothing_else(address, name):
    assert host_name(address) == name


def test_a_star_is_each_name_below_and_not_the_name_itself():
    assert is_one_of("a.example.org", ["*.example.org"])
    assert is_one_of("Example.org.", ["example.org"])
    for name in ("example.org", "evilexample.org", "example.org.evil.net", "", None):
        assert not is_one_of(name, ["*.example.org"])
    assert not is_one_of("localhost.evil.org", ["localhost"])


def test_names_come_from_the_environment():
    assert named_hosts({}) == [] and named_hosts({"LAZYLAB_HOSTS": " , "}) == []
    said = {"LAZYLAB_HOSTS": "Lab.example.org, *.example.org"}
    assert named_hosts(said) == ["lab.example.org", "*.example.org"]


# ── the middleware ───────────────────────────────────────────────────────────────────────
def answer(app, kind="http", extensions=(), **headers):
    """Return what the app sends for one request with these headers."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request" if kind == "http" else "websocket.connect"}

    scope = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(n.encode(), v.encode()) for n, v in headers.items()],
        "extensions": dict.fromkeys(extensions, {}),
    }
    finished(app(scope, receive, send))
    return sent


def finished(coroutine):
    """Run a coroutine to its end in a thread: a browser's loop may be running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


async def inner(scope, receive, send):
    """An application that says what it was asked with."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": scope["headers"]})
    await send({"type": "http.response.body", "body": b""})


def is_let_in(**headers):
    app = KnownHosts(inner, ["lab.example.org"])
    plain, socket = answer(app, **headers), answer(app, "websocket", **headers)
    assert (plain[0]["status"] == 200) == (socket[0]["type"] == "websocket.accept")
    return plain[0]["status"] == 200


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:1", "[::1]:8501", "lab.example.org"])
def test_a_name_that_the_server_knows_is_let_in_and_so_are_its_own_pages(host):
    assert is_let_in(host=host)
    assert is_let_in(host=host, origin=f"http://{host}")
    assert is_let_in(host=host, origin=f"https://{host}")
    assert is_let_in(host=host, origin="https://lab.example.org:8443"), "a proxy may change Host"


@pytest.mark.parametrize(
    "host", ["evil.org", "evil.org:8501", "localhost.evil.org", "10.0.0.7", ""]
)
def test_another_name_is_refused_though_the_page_has_it_too(host):
    assert not is_let_in(host=host)
    assert not is_let_in(host=host, origin=f"http://{host}")


@pytest.mark.parametrize(
    "origin", ["http://evil.org", "null", "", "http://localhost:3000", "file://localhost:8501"]
)
def test_a_foreign_page_is_refused_another_server_of_this_machine_included(origin):
    assert not is_let_in(host="localhost:8501", origin=origin)


def test_a_request_without_a_name_is_refused():
    assert not is_let_in()


def test_a_refusal_is_a_sentence_that_names_the_setting():
    start, body = answer(KnownHosts(inner), host="lab.example.org")
    assert start["status"] == 403
    assert body["body"].decode() == (
        "This server is not called 'lab.example.org'; name it in LAZYLAB_HOSTS if it is."
    )


def test_whom_a_proxy_lets_in_is_taken_for_the_servers_own_page_further_in():
    app = KnownHosts(inner, ["lab.example.org"])
    sent = answer(app, host="127.0.0.1:8501", origin="https://lab.example.org")
    assert dict(sent[0]["headers"])[b"origin"] == b"http://127.0.0.1:8501"


def test_headers_are_on_answers_accepted_sockets_and_refused_ones():
    async def refusing(scope, receive, send):
        await send({"type": "websocket.close", "code": 1008})

    for app, kind in ((inner, "http"), (inner, "websocket"), (refusing, "websocket")):
        safe = SafeHeaders(app, {"X-Frame-Options": "DENY"})
        first = answer(safe, kind, ["websocket.http.response"], **{"x-frame-options": "ALLOW"})[0]
        assert dict(first["headers"])[b"x-frame-options"] == b"DENY"
        assert first.get("status", 200) == (403 if app is refusing else 200)


def test_the_policy_lets_the_scripts_within_the_page_run_and_no_others():
    policy = safe_headers(INDEX)["Content-Security-Policy"]
    scripts = re.search("script-src ([^;]*)", policy).group(1)
    assert "unsafe" not in scripts and scripts.count("'sha256-") == 1
    assert "frame-ancestors 'none'" in policy


def test_a_bug_is_answered_with_the_headers_too():
    import app

    def bug(request):
        raise ZeroDivisionError

    ours = app.app
    small = Starlette(
        routes=[Route("/", bug)],
        middleware=[Middleware(m.cls, **m.kwargs) for m in ours._user_middleware],
        exception_handlers=ours._exception_handlers,
    )
    assert isinstance(app.broken(None, ZeroDivisionError()), PlainTextResponse)
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}
    scope |= {"headers": [(b"host", b"localhost")], "extensions": {}}
    with pytest.raises(ZeroDivisionError):
        finished(small(scope, None, send))
    assert sent[0]["status"] == 500
    assert set(SAFE) <= {name.decode() for name, _ in sent[0]["headers"]}


# ── the whole server ─────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def named_server(tmp_path_factory):
    """The address of a server that is also called lab.example.org."""
    root = tmp_path_factory.mktemp("cache")
    with running_server(root, LAZYLAB_HOSTS="lab.example.org") as (_, address):
        yield address


def ask(server, path, host, origin=None, handshake=False):
    """Return the status and the headers of the answer, and the seconds that it took."""
    where = urlsplit(server)
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"Origin: {origin}"] if origin else []
    if handshake:
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    else:
        lines += ["Connection: close"]
    begun = time.monotonic()
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        said = b""
        while b"\r\n\r\n" not in said and (more := connection.recv(4096)):
            said += more
    first, *rest = said.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return int(first.split()[1]), headers, time.monotonic() - begun


PATHS = ["/", "/explore", "/api/ready", "/assets/plotly.min.js", "/_stcore/health", "/none.js"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_headers_a_refused_one_too(named_server, path):
    for host in (urlsplit(named_server).netloc, "evil.org"):
        status, headers, _ = ask(named_server, path, host)
        assert set(SAFE) <= set(headers), path
        assert (status == 403) == (host == "evil.org")


def test_a_websocket_is_for_the_names_that_the_server_knows(named_server):
    own = urlsplit(named_server).netloc

    def handshake(host, origin):
        status, headers, seconds = ask(named_server, "/_stcore/stream", host, origin, True)
        assert set(SAFE) <= set(headers)
        return status, seconds

    assert handshake(own, f"http://{own}")[0] == 101
    assert handshake("lab.example.org", "https://lab.example.org")[0] == 101
    assert handshake(own, "https://lab.example.org")[0] == 101
    assert handshake("evil.org", "http://evil.org")[0] == 403
    # Streamlit alone asks two servers in the world, for a second each, before it refuses.
    status, seconds = handshake(own, "http://evil.org")
    assert status == 403 and seconds < 1
