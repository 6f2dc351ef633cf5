"""Who may come in: Host first, then Origin, then the credential, on HTTP and WebSocket alike. No CORS is ever granted.

A page in a browser can reach a port of this machine under any name (DNS rebinding) and from any origin. Only then does
a credential mean anything.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.websockets import WebSocketClose

from holdfast.frontends.gateway.problems import ProblemError, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

HEAD_BYTES: Final = 32 * 1024
WRONG_A_MINUTE: Final = 30

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_UNIX_NAMES = frozenset({*_NAMES, "holdfast"})
_PEERS = 1024


@dataclass(frozen=True)
class Credential:
    """What a request came in with.

    Attributes:
        name: Which token or sign-in it is, for people.
        read_only: Whether it allows nothing that changes anything.
        rests_on: A digest of the token behind it; once that is taken back, the credential is worth nothing.
        own: Whether that is the token of the home, and not one that was given out.
    """

    name: str
    read_only: bool = False
    rests_on: str = ""
    own: bool = False


class Door:
    """The outermost part of the app: nothing behind it runs for a request that it refuses.

    What it lets in finds its `Credential` in `scope["state"]["credential"]`: None only on paths outside `/api`, and on
    WebSockets, where the first message may bring one.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        port: int,
        recognisers: Sequence[Callable[[Headers], Credential | None]],
        limit: Limit,
        open_paths: Sequence[str] = (),
    ) -> None:
        """Guard `app`.

        Args:
            app: What lies behind.
            port: The port of the TCP socket, which Host and Origin must name.
            recognisers: Asked in turn whose request it is.
            limit: Counts wrong credentials.
            open_paths: Paths under `/api` that need no credential, such as the one that buys one.
        """
        self._app = app
        bare = _NAMES if port == 80 else ()
        self._hosts = frozenset([*(f"{name}:{port}" for name in _NAMES), *bare])
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._recognisers = recognisers
        self._open_paths = frozenset(open_paths)
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        try:
            self._check(scope)
        except ProblemError as problem:
            if scope["type"] == "websocket":
                await _refuse_websocket(scope, receive, send, problem)
            else:
                await answer(problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        raw = scope["headers"]
        if sum(len(name) + len(value) + 4 for name, value in raw) + len(scope["raw_path"]) > HEAD_BYTES:
            raise ProblemError(431, "head", f"the head of the request has more than {HEAD_BYTES} bytes")
        headers = Headers(scope=scope)
        self._check_host(scope, headers)
        self._check_origin(headers)
        credential = self.recognise(headers)
        scope.setdefault("state", {})["credential"] = credential
        path: str = scope["path"]
        if credential is not None or path in self._open_paths or not _is_api(path):
            return
        peer = _peer(scope)
        if scope["type"] == "websocket" and "authorization" not in headers:
            return  # the first message may bring one, and is counted there
        self.refuse(peer, brought_one="authorization" in headers or "cookie" in headers)

    def recognise(self, headers: Headers) -> Credential | None:
        """Return whose request it is, as far as its headers tell."""
        return next((found for each in self._recognisers if (found := each(headers)) is not None), None)

    def refuse(self, peer: str, *, brought_one: bool) -> None:
        """Refuse a request without a credential that is known. A right one never comes here, so it is never limited.

        Raises:
            ProblemError: Always.
        """
        if brought_one:
            wait_s = self._limit.wrong(peer)
            if wait_s is not None:
                msg = f"too many wrong credentials: wait {wait_s} s"
                raise ProblemError(429, "denied", msg, {"Retry-After": str(wait_s)})
        msg = "a credential is needed: send `Authorization: Bearer` with the token of the daemon's home"
        raise ProblemError(401, "denied", msg, {"WWW-Authenticate": "Bearer"})

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        allowed = host in self._hosts
        if not allowed and on_unix_socket(scope):
            allowed = host.rpartition(":")[0] in _UNIX_NAMES or host in _UNIX_NAMES
        if not allowed:
            raise ProblemError(421, "host", "this is not the host that was asked for")

    def _check_origin(self, headers: Headers) -> None:
        origins = headers.getlist("origin")
        if origins and (len(origins) > 1 or origins[0].lower() not in self._origins):
            raise ProblemError(403, "origin", "requests from other origins are refused")


class Limit:
    """Counts wrong credentials, a peer at a time."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Count by a clock in seconds."""
        self._now = now
        self._wrong: dict[str, deque[float]] = {}

    def wrong(self, peer: str) -> int | None:
        """Count one more; return how many seconds the peer has to wait, None for none."""
        now = self._now()
        if peer not in self._wrong and len(self._wrong) >= _PEERS:
            self._wrong.pop(next(iter(self._wrong)))
        times = self._wrong.setdefault(peer, deque())
        while times and times[0] <= now - 60:
            times.popleft()
        if len(times) >= WRONG_A_MINUTE:
            return int(times[0] + 60 - now) + 1
        times.append(now)
        return None


def bearer(headers: Headers) -> str | None:
    """Return the token of an `Authorization: Bearer` header."""
    values = headers.getlist("authorization")
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def on_unix_socket(scope: Scope) -> bool:
    """Tell whether a request came by the Unix socket: its server is a path without a port."""
    server = scope.get("server")
    return server is not None and server[1] is None


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return "unix" if client is None or on_unix_socket(scope) else str(client[0])


def _is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send, problem: ProblemError) -> None:
    """Refuse before the handshake: with the same problem where the server can send one, else with a bare refusal."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await answer(problem)(scope, receive, send)
    else:
        await WebSocketClose(1008, problem.detail)(scope, receive, send)
