"""What reaches a daemon from outside, given to a real one: requests as bytes, their bodies, frames of the stream."""

from __future__ import annotations

import json
import select
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.adapters.importers.claude_lines import EXAMPLE
from tests.frontends.daemon import PATIENCE_S, Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    Take = Callable[[bytes], None]

_NOT_ALL_OF_IT_S: Final = 0.1
"""How long an answer is waited for where it may be that the request has not ended."""

_ELSEWHERE: Final = {"/shutdown", "/demo/plug"}
"""Ends the daemon."""

SESSION: Final = b"5f0c7d2e-3b1a-4c86-9a57-2e8f61d0b943"
"""The example's. In what is given, SESSION, TOKEN and PORT stand for the right ones."""

BODIES: Final = (
    b'{"title":"shop","client_id":"c1","pinned":true,"muted":false,"for_s":60,"up_to":3,"name":"n","read_only":true}',
    b'{"content":[{"type":"text","text":"hello"},{"type":"image","data":"QUJD","mimeType":"image/png"}],"steer":false}',
    b'{"option":"allow","reason":"it is harmless","text":"hello","mode":"plan","model":"large","config":{"a":"b"}}',
    b'{"target":"nobody","agent":"nobody","cwd":"/nowhere","title":"t","prompt":"hello","session":"0199aaaa"}',
    b'{"sources":["/nowhere/a.jsonl"],"prompt_id":"p1","request_id":"r1","agents":false}',
)
REQUESTS: Final = (
    (
        b"GET /api/v1/sessions?limit=2&state=unread HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n"
        b"Authorization: Bearer TOKEN\r\n\r\n"
    ),
    (
        b"GET /api/v1/search?q=a%20%22b%22&limit=3 HTTP/1.1\r\nHost: localhost:PORT\r\nCookie: holdfast=a.b; x=y\r\n"
        b"Origin: http://localhost:PORT\r\nAuthorization: Bearer TOKEN\r\n\r\n"
    ),
    (
        b"POST /api/v1/sessions/SESSION/rename HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer TOKEN\r\n"
        b"Content-Length: 13\r\n"
        b"Content-Type: application/json; charset=utf-8\r\nIdempotency-Key: k\r\nHoldfast-Client: me\r\n\r\n"
        b'{"title":"a"}'
    ),
    b"GET /%2e%2e/app.js HTTP/1.0\r\nHost: localhost:PORT\r\nIf-None-Match: x\r\nRange: bytes=0-\r\n\r\n",
)
FRAMES: Final = (
    (
        b'{"type":"subscribe","sub":"a","events":{"after":null,"session":"x","types":["text-appended"]}}\n'
        b'{"type":"subscribe","sub":"b","view":"transcript","session":"SESSION","limit":5}\n{"type":"unsubscribe","sub":"a"}'
    ),
    (
        b'{"type":"subscribe","sub":"r","view":"roster","ended":true}\n{"type":"subscribe","sub":"i","view":"inbox"}\n'
        b'{"type":"focus","session":"SESSION","seen":7}\n{"type":"ping"}'
    ),
    (
        b'{"type":"command","client_id":"c1","verb":"rename","session":"SESSION","body":{"title":"a"}}\n'
        b'{"type":"command","client_id":"c2","verb":"read","session":"SESSION"}'
    ),
    (
        b'{"type":"subscribe","sub":"f","view":"frames","session":"SESSION"}\n'
        b'{"type":"subscribe","sub":"e","events":{"after":"0.1"}}'
    ),
)


@contextmanager
def bodies(folder: Path) -> Generator[Take]:
    """Send it as the body of each operation that takes one."""
    with _asked(folder) as daemon:
        described = daemon.get("/openapi.json").json()["paths"]
        paths = sorted(path.removeprefix("/api/v1") for path, operations in described.items() if "post" in operations)
        paths = [path for path in paths if path not in _ELSEWHERE]
        assert len(paths) > 20

        def take(data: bytes) -> None:
            path = paths[len(data) % len(paths)].replace("{id}", SESSION.decode())
            answer = daemon.post(path, data)
            assert answer.status < 500 or answer.status == 503, (path, answer)
            if answer.status >= 400:
                assert {"code", "detail"} <= set(answer.json())

        yield take


@contextmanager
def requests(folder: Path) -> Generator[Take]:
    """Send it as a request, head and body, whatever of it is one."""
    with _asked(folder) as daemon:

        def take(data: bytes) -> None:
            with socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE_S) as opened:
                with suppress(ConnectionError):  # it may be sure that it wants no more
                    opened.sendall(_named(data, daemon))
                said = b""
                with suppress(ConnectionError):
                    while select.select([opened], [], [], _NOT_ALL_OF_IT_S)[0] and (more := opened.recv(1 << 20)):
                        said += more
                        if b"\r\n\r\n" in said:
                            break
            assert not said or said.startswith(b"HTTP/1.1 "), said[:200]
            assert not said.startswith(b"HTTP/1.1 5"), said

        yield take


@contextmanager
def frames(folder: Path) -> Generator[Take]:
    """Say it on the stream, a frame a line, half of the time with its first line as the hello; then ask for a pong."""
    with _asked(folder) as daemon:
        hello = json.dumps({"type": "hello", "client": "fuzz", "token": daemon.token})

        def take(data: bytes) -> None:
            said: list[str | bytes] = [hello] if len(data) % 2 else []
            said += [_text(line) for line in _named(data, daemon).split(b"\n")]
            url = f"ws://127.0.0.1:{daemon.port}/api/v1/stream"
            protocol = Subprotocol("holdfast.v1")
            with connect(url, subprotocols=[protocol], compression=None, max_size=None) as opened:
                with suppress(ConnectionClosed):
                    for each in said:
                        opened.send(each)
                    opened.send('{"type":"ping"}')
                    while True:
                        answer: dict[str, Any] = json.loads(opened.recv(timeout=PATIENCE_S))
                        assert answer.get("code") != "internal", answer
                        if answer["type"] == "pong":
                            break
                opened.close()
                assert opened.close_code in {1000, 1001, 1002, 1007, 1009, 1013, 4401}, opened.close_reason

        yield take


@contextmanager
def _asked(folder: Path) -> Generator[Daemon]:
    """Run a daemon that knows one session; it is still well in the end, and has found no error of its own."""
    daemon = Daemon(folder / "home")
    try:
        daemon.start()
        assert daemon.post("/imports", {"sources": [str(EXAMPLE)]}).status == 200
        yield daemon
        assert daemon.get(f"/sessions/{SESSION.decode()}").status == 200
        assert [line for line in daemon.log() if line["level"] in ("error", "critical")] == []
    finally:
        daemon.close()


def _named(data: bytes, daemon: Daemon) -> bytes:
    named = data.replace(b"SESSION", SESSION).replace(b"TOKEN", daemon.token.encode())
    return named.replace(b"PORT", str(daemon.port).encode())


def _text(line: bytes) -> str | bytes:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line
