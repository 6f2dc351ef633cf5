"""What opens the door of a real daemon, on HTTP and WebSocket alike: tokens, sign-in codes, cookies; and their end."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from http.client import IncompleteRead
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from holdfast.adapters.configuration.home import Home
from holdfast.bootstrap.daemon.tokens import TokenFile
from holdfast.domain.daemon import Listen
from holdfast.domain.errors import ConflictError, NotFoundError, UnsafeError, UsageError
from holdfast.frontends.gateway.keys import CODE_S, Codes
from tests.frontends.daemon import PATIENCE_S, Answer, Daemon
from tests.frontends.gateway.serving import Client
from tests.frontends.gateway.test_door import FOREIGN_HOSTS, FOREIGN_ORIGINS

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from websockets.sync.client import ClientConnection

slow = pytest.mark.slow


@contextmanager
def stream(daemon: Daemon, headers: dict[str, str] | None = None, origin: str | None = None) -> Generator[Client]:
    connection: ClientConnection
    with connect(
        f"ws://127.0.0.1:{daemon.port}/api/v1/stream",
        subprotocols=[Subprotocol("holdfast.v1")],
        compression=None,
        additional_headers=headers or {},
        origin=None if origin is None else Origin(origin),
    ) as connection:
        yield Client(connection)


def alive(client: Client) -> bool:
    client.send(type="ping")
    return bool(client.receive("pong"))


def end_of(client: Client) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        client.receive("never")
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code


def signed_in(daemon: Daemon) -> dict[str, str]:
    """Buy a cookie, as a browser does."""
    link = daemon.post("/sign-in-codes", {}).json()
    answer = daemon.request("POST", "/sign-in", {"code": link["code"]}, headers={"Authorization": ""}, tcp=True)
    assert answer.status == 204, answer
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0], "Authorization": ""}


def status(daemon: Daemon, headers: dict[str, str]) -> int:
    return daemon.request("GET", "/status", headers=headers, tcp=True).status


def book(daemon: Daemon) -> TokenFile:
    return TokenFile(Home(daemon.home))


@slow
def test_a_code_works_once_and_buys_a_cookie_that_outlives_the_daemon(daemon: Daemon) -> None:
    link = daemon.post("/sign-in-codes", {}).json()
    assert link["url"] == f"{daemon.url}/#code={link['code']}"
    assert link["expires_in"] == 60
    port = daemon.port

    cookie = signed_in(daemon)
    used = daemon.request("POST", "/sign-in", {"code": link["code"]}, headers={"Authorization": ""}, tcp=True)
    again = daemon.request("POST", "/sign-in", {"code": link["code"]}, headers={"Authorization": ""}, tcp=True)
    assert (used.status, again.status, again.json()["code"]) == (204, 401, "denied")
    assert status(daemon, cookie) == 200
    left = daemon.post("/sign-in-codes", {}).json()["code"]
    daemon.kill()
    daemon.start(Listen(port=port))

    assert status(daemon, cookie) == 200
    survived = daemon.request("POST", "/sign-in", {"code": left}, headers={"Authorization": ""}, tcp=True)
    assert survived.status == 401
    with stream(daemon, {"Cookie": cookie["Cookie"]}, daemon.url) as client:
        client.send(type="hello", client="page")
        assert alive(client)


@slow
def test_a_rotation_takes_everything_back_that_rested_on_the_old_token(daemon: Daemon) -> None:
    old = daemon.token
    cookie = signed_in(daemon)
    _, secret = book(daemon).new("kept", read_only=False)
    with stream(daemon) as by_token, stream(daemon, {"Cookie": cookie["Cookie"]}) as by_cookie, stream(daemon) as kept:
        by_token.send(type="hello", token=old)
        by_cookie.send(type="hello")
        kept.send(type="hello", token=secret)
        assert alive(by_token)
        assert alive(by_cookie)
        assert alive(kept)

        book(daemon).rotate()

        assert end_of(by_token) == 4401
        assert end_of(by_cookie) == 4401
        assert alive(kept)
    assert daemon.token != old
    assert status(daemon, {"Authorization": f"Bearer {old}"}) == 401
    assert status(daemon, cookie) == 401
    assert status(daemon, {"Authorization": f"Bearer {daemon.token}"}) == 200


@slow
def test_a_token_that_may_only_read_reads_until_it_is_revoked(daemon: Daemon) -> None:
    token, secret = book(daemon).new("wall", read_only=True)
    headers = {"Authorization": f"Bearer {secret}"}
    assert token.read_only

    assert status(daemon, headers) == 200
    refused = daemon.request("POST", "/shutdown", {}, headers=headers, tcp=True)
    link = daemon.request("POST", "/sign-in-codes", {}, headers=headers, tcp=True)
    assert (refused.status, refused.json()["code"], link.status) == (403, "denied", 403)
    with stream(daemon, headers) as client:
        client.send(type="hello")
        client.send(type="command", client_id="c1", verb="rename", session="x", body={"title": "t"})
        assert client.receive("error")["code"] == "denied"
        client.send(type="subscribe", sub="r", view="roster")
        assert client.receive("snapshot")["items"] == []

        book(daemon).revoke("wall")

        assert end_of(client) == 4401
    assert status(daemon, headers) == 401


@slow
def test_what_is_still_being_answered_ends_with_the_token_that_asked(daemon: Daemon) -> None:
    session = daemon.post("/sessions", {"agent": "demo", "wait_s": 30}).json()["id"]
    _, secret = book(daemon).new("wall", read_only=True)
    _, kept = book(daemon).new("kept", read_only=True)
    paths = ["/events?follow=true", "/events?follow=true", f"/sessions/{session}/wait?until=ended&timeout=600"]
    asked = [daemon.connect(tcp=True) for _ in paths]
    for connection, path, token in zip(asked, paths, (secret, kept, secret), strict=True):
        connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
    following, other = (connection.getresponse() for connection in asked[:2])
    assert following.readline()
    assert other.readline()

    book(daemon).revoke("wall")

    with pytest.raises(IncompleteRead):
        following.read()
    with asked[2].getresponse() as refused:
        assert (refused.status, json.loads(refused.read())["code"]) == (401, "denied")
    daemon.post(f"/sessions/{session}/rename", {"title": "still told"})
    assert any(b"still told" in line for line in iter(other.readline, b""))
    for connection in asked:
        connection.close()
    daemon.post(f"/sessions/{session}/end")


@slow
@pytest.mark.parametrize("origin", [each for each in FOREIGN_ORIGINS if each])
def test_a_foreign_origin_is_refused_on_the_stream_even_with_a_token(shared_daemon: Daemon, origin: str) -> None:
    headers = {"Authorization": f"Bearer {shared_daemon.token}"}
    with pytest.raises(InvalidStatus) as caught, stream(shared_daemon, headers, origin.format(port=shared_daemon.port)):
        pass
    assert caught.value.response.status_code == 403
    assert json.loads(caught.value.response.body or b"{}")["code"] == "origin"


def handshake(daemon: Daemon, **headers: str) -> str:
    """Return the first line that answers a handshake with exactly these headers."""
    asked = {
        "Host": f"127.0.0.1:{daemon.port}", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
        "Authorization": f"Bearer {daemon.token}",
    } | headers  # fmt: skip
    lines = ["GET /api/v1/stream HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE_S) as raw:
        raw.sendall("\r\n".join(lines).encode())
        return raw.recv(4096).decode().partition("\r\n")[0]


@slow
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused_on_the_stream_even_with_a_token(shared_daemon: Daemon, host: str) -> None:
    named = host.format(port=shared_daemon.port)

    assert handshake(shared_daemon, Host=named).startswith("HTTP/1.1 421 ")


@slow
def test_on_the_stream_too_host_comes_before_origin_and_origin_before_the_credential(shared_daemon: Daemon) -> None:
    wrong = {"Origin": "http://evil", "Authorization": "Bearer wrong"}

    assert handshake(shared_daemon, Host="evil", **wrong).startswith("HTTP/1.1 421 ")
    assert handshake(shared_daemon, **wrong).startswith("HTTP/1.1 403 ")
    assert handshake(shared_daemon, Authorization="Bearer wrong").startswith(("HTTP/1.1 401 ", "HTTP/1.1 429 "))
    assert handshake(shared_daemon).startswith("HTTP/1.1 101 ")


@slow
@pytest.mark.parametrize("wrong", ["Bearer nonsense", "Bearer ", "Basic dDp0", "Bearer {token}x"])
def test_a_wrong_header_is_refused_at_the_handshake(shared_daemon: Daemon, wrong: str) -> None:
    headers = {"Authorization": wrong.format(token=shared_daemon.token)}
    with pytest.raises(InvalidStatus) as caught, stream(shared_daemon, headers):
        pass
    assert caught.value.response.status_code in (401, 429)


@slow
def test_a_token_in_the_address_opens_nothing(shared_daemon: Daemon) -> None:
    url = f"ws://127.0.0.1:{shared_daemon.port}/api/v1/stream?token={shared_daemon.token}"
    with connect(url, compression=None) as connection:
        client = Client(connection)
        client.send(type="hello")
        assert end_of(client) == 4401


@slow
@pytest.mark.parametrize(
    "cookie",
    ["{name}=1.2.3", "{name}=", "{name}=99999999999999999999.a.b", "other=1; {name}=x.y.z", "=;;=", "{name}=ü"],
)
def test_a_forged_cookie_opens_nothing(daemon: Daemon, cookie: str) -> None:
    forged = cookie.format(name=f"holdfast-{daemon.port}")

    assert status(daemon, {"Authorization": "", "Cookie": forged}) == 401


@slow
def test_wrong_tokens_are_counted_and_a_right_one_is_never_limited(daemon: Daemon) -> None:
    answers: list[Answer] = [
        daemon.request("GET", "/status", headers={"Authorization": "Bearer wrong"}, tcp=True) for _ in range(32)
    ]

    assert [answer.status for answer in answers] == [401] * 30 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    assert status(daemon, {"Authorization": f"Bearer {daemon.token}"}) == 200
    with stream(daemon) as client:
        client.send(type="hello", token="wrong")
        assert end_of(client) == 4401
    with stream(daemon) as client:
        client.send(type="hello", token=daemon.token)
        assert alive(client)


def test_a_code_is_good_for_a_minute() -> None:
    now = 0.0
    codes = Codes(lambda: now)
    early, late = codes.new(), codes.new()

    now = CODE_S - 1.0
    assert codes.take(early)
    assert not codes.take(early)
    now = CODE_S + 1.0
    assert not codes.take(late)
    assert not codes.take("")


def test_the_book_of_tokens_refuses_what_cannot_be_meant(tmp_home: Path) -> None:
    tokens = TokenFile(Home(tmp_home))
    tokens.new("phone", read_only=False)

    with pytest.raises(ConflictError):
        tokens.new("phone", read_only=True)
    for name in ("", "../x", "token", "a" * 65, "\x1b[2J"):
        with pytest.raises(UsageError):
            tokens.new(name, read_only=False)
    with pytest.raises(NotFoundError):
        tokens.revoke("nobody")
    assert [token.name for token in tokens.named()] == ["phone"]
    assert (tmp_home / "tokens").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["mode", "content", "link"])
def test_a_book_that_cannot_be_trusted_opens_nothing(tmp_home: Path, damage: str) -> None:
    tokens = TokenFile(Home(tmp_home))
    tokens.new("phone", read_only=False)
    path = tmp_home / "tokens"
    match damage:
        case "mode":
            path.chmod(0o644)
        case "content":
            path.write_text("[{]")
        case _:
            path.rename(tmp_home / "elsewhere")
            path.symlink_to(tmp_home / "elsewhere")

    with pytest.raises(UnsafeError):
        tokens.named()


@slow
def test_tokens_are_given_out_and_taken_back_over_http(daemon: Daemon) -> None:
    made = daemon.post("/tokens", {"name": "wall", "read_only": True})
    again = daemon.post("/tokens", {"name": "wall"})
    odd = daemon.post("/tokens", {"name": "../x"})
    listed = daemon.get("/tokens").json()["items"]
    headers = {"Authorization": f"Bearer {made.json()['token']}"}

    assert (made.status, again.status, odd.status) == (201, 409, 400)
    assert [(each["name"], each["read_only"]) for each in listed] == [("wall", True)]
    assert made.json()["token"] not in str(listed)
    assert status(daemon, headers) == 200
    assert daemon.request("DELETE", "/tokens/wall").status == 204
    assert daemon.request("DELETE", "/tokens/wall").status == 404
    assert status(daemon, headers) == 401


@slow
def test_who_was_given_a_token_gets_nothing_by_it_that_outlives_it(daemon: Daemon) -> None:
    _, secret = book(daemon).new("guest", read_only=False)
    guest = {"Authorization": f"Bearer {secret}"}
    own = signed_in(daemon)

    def asked(method: str, path: str, headers: dict[str, str]) -> int:
        return daemon.request(method, path, {} if method == "POST" else None, headers=headers, tcp=True).status

    for method, path in (("POST", "/sign-in-codes"), ("POST", "/tokens"), ("GET", "/tokens"), ("DELETE", "/tokens/x")):
        assert asked(method, path, guest) == 403, path
        assert asked(method, path, own) in (200, 201, 404), path
    assert status(daemon, guest) == 200
