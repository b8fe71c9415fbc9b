"""Who may speak to the server, and what each of its answers tells a browser.

A server on the loopback address is in reach of every page that its user opens: a name that
somebody else owns can be made to point at 127.0.0.1 (DNS rebinding). So a request must call the
server by a name that it knows, and a page that sends one must come from such a name itself.

Both are ASGI middleware: functions of (scope, receive, send), for requests and websockets alike.
"""

import base64
import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""What a server is called from its own machine."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def named_hosts(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names besides the loopback ones that the server is called by:
    $LAZYLAB_HOSTS ("lab.example.org, *.example.org", without ports)."""
    said = environment.get("LAZYLAB_HOSTS", "").split(",")
    return [name.strip().lower() for name in said if name.strip()]


def is_one_of(name: str | None, known: Iterable[str]) -> bool:
    """Whether `name` is among `known`, of which "*.example.org" is each name below that one."""
    name = (name or "").lower().rstrip(".")
    return any(name == one or one[:2] == "*." and name.endswith(one[1:]) for one in known if name)


def host_name(address: str | None) -> str | None:
    """Return the name in "name:port", None where there is none or more than that."""
    try:
        parts = urlsplit(f"//{address or ''}")
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts.hostname if parts.netloc == address and "@" not in parts.netloc else None


class KnownHosts:
    """Refuses what calls the server by a name that it does not know, and what a foreign page
    sends: 403 and a sentence."""

    def __init__(self, app: Application, names: Iterable[str] = ()) -> None:
        self.app = app
        self.names = tuple(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            said = self.refusal(scope)
            if said is not None:
                await _refuse(scope, send, said)
                return
            scope = _as_its_own(scope)
        await self.app(scope, receive, send)

    def refusal(self, scope: Scope) -> str | None:
        """Return why a request is refused, None for one that is not."""
        hosts, origins = _said(scope, b"host"), _said(scope, b"origin")
        host, origin = "".join(hosts), "".join(origins)
        if len(hosts) != 1 or not is_one_of(host_name(host), (*LOOPBACK, *self.names)):
            return f"This server is not called {host[:100]!r}; name it in LAZYLAB_HOSTS if it is."
        if not origins or _is_own(origin, host):
            return None
        if len(origins) != 1 or not is_one_of(_name_of_page(origin), self.names):
            return f"A page of {origin[:100]!r} asked, which may not speak to this server."
        return None


class SafeHeaders:
    """Adds `headers` to every answer, a refused or an accepted websocket's included."""

    def __init__(self, app: Application, headers: Mapping[str, str]) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        added = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        ours = {name for name, _ in added}
        accepted = False

        async def tell(message: MutableMapping[str, Any]) -> None:
            nonlocal accepted
            kind = message["type"]
            if kind == "websocket.close" and not accepted and _can_answer(scope):
                await _answer(scope, tell, 403, b"")
                return
            if kind.endswith((".start", "websocket.accept")):
                accepted = True
                given = message.get("headers", [])
                message["headers"] = [h for h in given if h[0].lower() not in ours] + added
            await send(message)

        await self.app(scope, receive, tell)


def safe_headers(page: Path) -> dict[str, str]:
    """Return the headers of every answer of a server whose pages are drawn from the file `page`.

    Scripts come from the server itself, and from the ones within that file, as they are; styles
    may stand in the text, where Streamlit writes them. `blob:` is how it loads a component.
    """
    inline = _INLINE.findall(page.read_text(encoding="utf-8"))
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", "blob:", *(f"'sha256-{one}'" for one in hashes)]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{what} {who}" for what, who in policy.items()),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


def _said(scope: Scope, header: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == header]


def _is_own(origin: str, host: str) -> bool:
    return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())


def _name_of_page(origin: str) -> str | None:
    scheme, _, address = origin.partition("://")
    return host_name(address) if scheme in ("http", "https") else None


def _as_its_own(scope: Scope) -> Scope:
    """Return the request with the origin that its host has: who may ask has been decided, and
    Streamlit would look up this machine's address in the world, in everybody's time."""
    (host,) = _said(scope, b"host")
    if all(_is_own(origin, host) for origin in _said(scope, b"origin")):
        return scope
    own = f"http://{host}".encode("latin-1")
    given = scope["headers"]
    return {**scope, "headers": [(n, own if n == b"origin" else v) for n, v in given]}


async def _refuse(scope: Scope, send: Send, why: str) -> None:
    if scope["type"] == "http" or _can_answer(scope):
        await _answer(scope, send, 403, why.encode())
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": why[:120]})


def _can_answer(scope: Scope) -> bool:
    return "websocket.http.response" in scope.get("extensions", {})


async def _answer(scope: Scope, send: Send, status: int, body: bytes) -> None:
    kind = "websocket.http" if scope["type"] == "websocket" else "http"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    start = {"type": f"{kind}.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": f"{kind}.response.body", "body": body, "more_body": False})
