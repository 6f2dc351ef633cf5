"""Who is let in: Host, then Origin, then the credential, and the limits of what is read before that."""

from __future__ import annotations

import socket
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from tests.frontends.daemon import PATIENCE_S, Answer, Daemon

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow


def ask(daemon: Daemon, path: str, headers: Mapping[str, str], method: str = "GET") -> Answer:
    """Ask by TCP with exactly these headers."""
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=PATIENCE_S)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def headers(daemon: Daemon, **more: str) -> dict[str, str]:
    return {"Host": f"127.0.0.1:{daemon.port}", "Authorization": f"Bearer {daemon.token}"} | more


FOREIGN_HOSTS = [
    "example.org", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.nip.io:{port}", "localhost:{port}.evil", "", "[::1]",
    "0.0.0.0:{port}", "localhost:{port}@evil", "127.0.0.1:{port},evil",
]  # fmt: skip
FOREIGN_ORIGINS = [
    "null", "http://example.org", "https://127.0.0.1:{port}", "http://127.0.0.1", "http://127.0.0.1:1",
    "http://localhost:{port}.evil", "http://127.0.0.1:{port}/", "file://", "", "http://evil@127.0.0.1:{port}",
]  # fmt: skip


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_misdirected_even_with_a_token(shared_daemon: Daemon, host: str) -> None:
    named = host.format(port=shared_daemon.port)

    answer = ask(shared_daemon, "/api/v1/status", headers(shared_daemon, Host=named))

    assert (answer.status, answer.json()["code"]) == (421, "host")
    assert ask(shared_daemon, "/healthz", {"Host": named}).status == 421


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"])
def test_the_names_of_this_machine_are_let_in(shared_daemon: Daemon, host: str) -> None:
    named = host.format(port=shared_daemon.port)

    assert ask(shared_daemon, "/api/v1/status", headers(shared_daemon, Host=named)).status == 200


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_is_forbidden_even_with_a_token(shared_daemon: Daemon, origin: str) -> None:
    named = origin.format(port=shared_daemon.port)

    answer = ask(shared_daemon, "/api/v1/status", headers(shared_daemon, Origin=named))

    assert (answer.status, answer.json()["code"]) == (403, "origin")
    assert "access-control-allow-origin" not in answer.headers


def test_the_own_origin_is_let_in_and_nothing_grants_any_other_one(shared_daemon: Daemon) -> None:
    own = headers(shared_daemon, Origin=f"http://localhost:{shared_daemon.port}")

    answer = ask(shared_daemon, "/api/v1/status", own)
    preflight = ask(shared_daemon, "/api/v1/status", own | {"Access-Control-Request-Method": "POST"}, "OPTIONS")

    assert answer.status == 200
    assert preflight.status == 405
    assert not any(name.startswith("access-control") for name in (*answer.headers, *preflight.headers))


def test_host_is_looked_at_before_origin_and_origin_before_the_credential(shared_daemon: Daemon) -> None:
    wrong = {"Host": "evil", "Origin": "http://evil", "Authorization": "Bearer wrong"}

    assert ask(shared_daemon, "/api/v1/status", wrong).status == 421
    assert ask(shared_daemon, "/api/v1/status", wrong | {"Host": f"localhost:{shared_daemon.port}"}).status == 403


@pytest.mark.parametrize(
    "miss", ["{short}", "{token}a", "{swapped}", "", "{short}~", "{token} {token}", '"{token}"', "ü"]
)
def test_a_near_miss_of_the_token_opens_nothing(shared_daemon: Daemon, miss: str) -> None:
    daemon, token = shared_daemon, shared_daemon.token
    given = miss.format(token=token, short=token[:-1], swapped=token.swapcase()).encode().decode("latin-1")

    answer = ask(daemon, "/api/v1/sessions", headers(daemon, Authorization=f"Bearer {given}"))

    assert (answer.status, answer.json()["code"]) == (401, "denied")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_elsewhere_than_in_the_header_opens_nothing(shared_daemon: Daemon) -> None:
    token, host = shared_daemon.token, {"Host": f"localhost:{shared_daemon.port}"}

    assert ask(shared_daemon, f"/api/v1/status?token={token}", host).status == 401
    assert ask(shared_daemon, "/api/v1/status", host | {"Cookie": f"token={token}"}).status == 401
    assert ask(shared_daemon, "/api/v1/status", host | {"Authorization": f"Basic {token}"}).status == 401
    assert shared_daemon.get("/status", Authorization="").status == 401, "the Unix socket asks for it too"


def test_health_says_nothing_and_needs_nothing(shared_daemon: Daemon) -> None:
    answer = ask(shared_daemon, "/healthz", {"Host": f"localhost:{shared_daemon.port}"})

    assert (answer.status, answer.json()) == (200, {"ok": True})


def test_wrong_credentials_are_limited_and_the_right_one_never_is(daemon: Daemon) -> None:
    wrong = headers(daemon, Authorization="Bearer wrong")

    statuses = [ask(daemon, "/api/v1/status", wrong).status for _ in range(31)]
    limited = ask(daemon, "/api/v1/status", wrong)

    assert statuses == [401] * 30 + [429]
    assert 0 < int(limited.headers["retry-after"]) <= 61
    assert ask(daemon, "/api/v1/status", headers(daemon)).status == 200
    assert daemon.get("/status", Authorization="Bearer wrong").status == 401, "another peer counts for itself"


def test_a_rotated_token_counts_at_once(daemon: Daemon) -> None:
    before = daemon.token
    after = before[::-1]

    (daemon.home / "token").write_text(after)

    assert daemon.get("/status", Authorization=f"Bearer {before}").status == 401
    assert daemon.get("/status").status == 200


def test_a_head_over_32_kilobytes_is_refused_however_it_comes(shared_daemon: Daemon) -> None:
    own = headers(shared_daemon)

    at_once = ask(shared_daemon, "/api/v1/status", own | {"X-Long": "x" * 33_000})
    in_the_path = ask(shared_daemon, f"/api/v1/{'x' * 33_000}", own)
    below = ask(shared_daemon, "/api/v1/status", own | {"X-Long": "x" * 30_000})

    assert (at_once.status, at_once.json()["code"]) == (431, "head")
    assert in_the_path.status == 431
    assert below.status == 200
    with socket.create_connection(("127.0.0.1", shared_daemon.port), timeout=PATIENCE_S) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-Long: " + b"x" * 1_000)
        received = b""
        try:
            for _ in range(64):
                raw.sendall(b"x" * 1_000)
            received = raw.recv(65536)
        except ConnectionError:
            received = received or b"HTTP/1.1 431"  # it was told and closed while there was more to send
    assert received.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "request_line",
    [b"\x00\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
     b"POST /api/v1/shutdown HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_refused_with_a_problem(shared_daemon: Daemon, request_line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shared_daemon.port), timeout=PATIENCE_S) as raw:
        raw.sendall(request_line)
        answer = b""
        while piece := raw.recv(65536):
            answer += piece

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%5c..%5cetc", "/static/..%2f.."]
)
def test_no_path_leads_out(shared_daemon: Daemon, path: str) -> None:
    answer = ask(shared_daemon, path, headers(shared_daemon))

    assert (answer.status, answer.json()["code"]) == (404, "not_found")
