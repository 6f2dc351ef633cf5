from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from msgspec import json

from holdfast.domain import wire
from holdfast.domain.answers import LogEvent
from holdfast.domain.daemon import Running
from holdfast.domain.errors import (
    AmbiguousNameError,
    DaemonError,
    DaemonLostError,
    HoldfastError,
    NotFoundError,
    NotRunningError,
    SessionEndedError,
    TimedOutError,
    UsageError,
)
from holdfast.domain.recorded import Actor, EventId, Recorded, StreamId
from holdfast.domain.session.facts import Unknown
from holdfast.frontends.client.exchange import Exchange
from holdfast.frontends.client.reading import DaemonReading
from holdfast.frontends.client.sessions import DaemonSessions
from holdfast.frontends.client.writing import DaemonWorkspace
from tests.frontends.client.canned import Canned, Finder, chunked, ok

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Protocol

    from tests.frontends.client.canned import Answer

    class Talk(Protocol):
        def __call__(self, *answers: Answer) -> tuple[Exchange, Canned]: ...


@pytest.fixture
def said() -> list[str]:
    """What the client told the person."""
    return []


@pytest.fixture
def talk(tmp_path: Path, said: list[str]) -> Iterator[Talk]:
    """Give an exchange with a socket that answers as told."""
    with ExitStack() as stack:

        def talk(*answers: Answer) -> tuple[Exchange, Canned]:
            path = tmp_path / "socket"
            canned = Canned(path, *answers)
            stack.callback(canned.close)
            running = Running(1, "http://127.0.0.1:1", str(path), "2026-03-12T09:00:00.000Z")
            return Exchange(Finder(lambda: running), running, "cli", said.append), canned

        yield talk


def problem(status: str, **fields: object) -> bytes:
    return ok(json.encode(fields), "application/problem+json", status)


def event(position: int) -> bytes:
    recorded = Recorded(
        StreamId("s"), position, EventId(bytes(16)), 1, Unknown("x", 1, "{}"), actor=Actor("peer"), position=position
    )
    return wire.event(LogEvent(recorded, "session", "x", None)) + b"\n"


def test_a_question_carries_the_credential_and_the_name_of_who_asks(talk: Talk) -> None:
    exchange, canned = talk(ok(b"[]"))

    assert exchange.get("/sessions", {"state": "all", "after": None, "type": ("a", "b&c")}) == b"[]"

    (asked,) = canned.asked
    assert asked.startswith(b"GET /api/v1/sessions?state=all&type=a&type=b%26c HTTP/1.1\r\nHost: localhost\r\n")
    assert b"Authorization: Bearer secret\r\n" in asked
    assert b"Holdfast-Client: cli\r\n" in asked


def test_what_the_daemon_refuses_is_raised_as_it_was_raised_there(talk: Talk) -> None:
    exchange, _ = talk(
        problem("409 Conflict", code="session_ended", detail="it has ended"),
        problem("409 Conflict", code="ambiguous_name", name="5f0c", candidates=["5f0c1", "5f0c2"]),
        problem("418 I'm a teapot", code="of_tomorrow", title="no coffee"),
        ok(b"<html>", "text/html", "502 Bad Gateway"),
    )

    with pytest.raises(SessionEndedError, match=r"^it has ended$"):
        exchange.send("POST", "/sessions/s/cancel", {})
    with pytest.raises(AmbiguousNameError, match="5f0c1, 5f0c2"):
        exchange.get("/resolve", {"name": "5f0c"})
    with pytest.raises(HoldfastError, match=r"^no coffee$"):
        exchange.get("/status")
    with pytest.raises(HoldfastError, match="502 Bad Gateway"):
        exchange.get("/status")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n",
        b"X" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        chunked(b"one", whole=False),
    ],
)
def test_a_daemon_that_goes_away_in_mid_answer_is_said_to_have_gone(talk: Talk, answer: bytes) -> None:
    exchange, _ = talk(answer)

    with pytest.raises(DaemonLostError, match="went away"):
        exchange.send("DELETE", "/sessions/s")


def test_what_can_be_asked_twice_is_asked_again_of_a_daemon_that_came_back(talk: Talk, said: list[str]) -> None:
    exchange, canned = talk(b"", ok(b"1"), b"", ok(b"2"), b"", b"")

    assert exchange.get("/status") == b"1"
    assert exchange.send("POST", "/sessions", {"client_id": "one"}) == b"2"
    assert canned.asked[2] == canned.asked[3]
    with pytest.raises(DaemonLostError):
        exchange.send("POST", "/sessions", {"client_id": "two"})
    assert len(canned.asked) == 6
    assert said == ["the daemon went away; waiting for it to come back"] * 3


def test_silence_is_not_waited_for_for_ever(talk: Talk) -> None:
    exchange, _ = talk(None)

    with pytest.raises(DaemonError, match="has not answered for 0 s"):
        exchange.get("/status", timeout_s=0.01)


def test_without_a_socket_no_daemon_runs(tmp_path: Path, said: list[str]) -> None:
    running = Running(1, "http://127.0.0.1:1", str(tmp_path / "nobody"), "2026-03-12T09:00:00.000Z")

    with pytest.raises(NotRunningError):
        Exchange(Finder(lambda: None), running, "cli", said.append).get("/status")


def test_what_cannot_be_written_in_utf_8_is_refused_here(talk: Talk) -> None:
    exchange, canned = talk(ok(b"{}"))

    with pytest.raises(UsageError):
        exchange.send("POST", "/imports", {"sources": ["\udcff"]})
    with pytest.raises(UsageError):
        exchange.get("/resolve", {"name": "\udcff"})
    assert canned.asked == []


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nshort and more", b"short"),
        (chunked(b"x" * 200_000, b"y"), b"x" * 200_000 + b"y"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\none\r\n0\r\nTrailer: x\r\n\r\n", b"one"),
    ],
    ids=["none", "empty", "until the end", "counted", "in chunks", "in chunks with more around them"],
)
def test_an_answer_is_as_long_as_it_says(talk: Talk, answer: bytes, body: bytes) -> None:
    exchange, _ = talk(answer)

    assert exchange.get("/status") == body


def test_a_refusal_is_heard_before_a_long_body_was_taken(talk: Talk, tmp_path: Path) -> None:
    exchange, _ = talk(problem("413 Content Too Large", code="too_large", detail="too long"))

    with pytest.raises(HoldfastError):
        exchange.send("POST", "/sessions/s/prompts", {"content": "x" * 5_000_000})


def test_lines_come_whole_however_they_are_cut(talk: Talk) -> None:
    exchange, _ = talk(chunked(b"on", b"e\n\ntwo\nth", b"ree\nfour"))

    assert list(exchange.lines("/events")) == [b"one", b"two", b"three", b"four"]


def test_work_tells_how_far_it_is_and_then_what_came_of_it(talk: Talk) -> None:
    exchange, canned = talk(
        chunked(
            b'{"progress": ["events", 1, 2]}\n',
            b'{"progress": ["files", 5, null]}\n{"result": {"a": 1}}\n',
        )
    )
    told: list[tuple[str, int, int | None]] = []

    def report(what: str, done: int, total: int | None) -> None:
        told.append((what, done, total))

    assert exchange.worked("POST", "/rebuild", {}, report) == b'{"a": 1}'

    assert told == [("events", 1, 2), ("files", 5, None)]
    assert b"Accept: application/x-ndjson\r\n" in canned.asked[0]


def test_work_may_be_answered_at_once_refused_or_broken_off(talk: Talk) -> None:
    exchange, _ = talk(
        ok(b'{"a": 2}'),
        chunked(b'{"problem": {"code": "session_ended", "detail": "over"}}\n'),
        chunked(b'{"progress": ["events", 1, 2]}\n'),
        chunked(b"nonsense\n"),
    )

    assert exchange.worked("POST", "/rebuild", {}, None) == b'{"a": 2}'
    with pytest.raises(SessionEndedError):
        exchange.worked("POST", "/rebuild", {}, None)
    with pytest.raises(DaemonLostError):
        exchange.worked("POST", "/rebuild", {}, None)
    with pytest.raises(DaemonError, match="another version"):
        exchange.worked("POST", "/rebuild", {}, None)


def test_whoever_follows_the_log_goes_on_where_a_daemon_left_off(talk: Talk, said: list[str]) -> None:
    exchange, canned = talk(
        chunked(event(3), event(5), whole=False),
        chunked(event(8)[:20], whole=False),
        chunked(event(8)),
    )
    followed = DaemonReading(exchange).events(since=2, follow=True)

    assert [next(followed).recorded.position for _ in range(3)] == [3, 5, 8]

    assert [asked.split()[1] for asked in canned.asked] == [
        b"/api/v1/events?after=2&follow=true",
        b"/api/v1/events?after=5&follow=true",
        b"/api/v1/events?after=5&follow=true",
    ]
    assert said == ["the daemon went away; waiting for it to come back"] * 2


def test_a_watch_begins_anew_with_a_daemon_that_came_back_and_tells_only_what_is_new(
    talk: Talk, said: list[str]
) -> None:
    def came(events: int) -> bytes:
        return b'{"result": {"files": 1, "sessions": 1, "events": %d, "malformed": 0, "skipped": 0}}\n' % events

    exchange, canned = talk(
        chunked(came(0), came(5), whole=False),
        chunked(came(0), came(3)),
        chunked(came(2), whole=False),
    )
    watched = DaemonWorkspace(exchange).watch(["claude"])

    assert [next(watched).events for _ in range(4)] == [0, 5, 3, 2]
    watched.close()

    assert [asked.split()[1] for asked in canned.asked] == [b"/api/v1/imports"] * 3
    assert said == ["the daemon went away; waiting for it to come back"] * 2


def test_what_a_daemon_refuses_to_watch_is_not_asked_for_again(talk: Talk) -> None:
    exchange, canned = talk(problem("404 Not Found", code="not_found", detail="there is no such path"))

    with pytest.raises(NotFoundError):
        next(DaemonWorkspace(exchange).watch(["nowhere"]))

    assert len(canned.asked) == 1


def test_whoever_follows_waits_for_a_daemon_that_is_about_to_end(tmp_path: Path, said: list[str]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    begun = [
        Running(n, "http://127.0.0.1:1", str(path), "") for n, path in enumerate((first, tmp_path / "gone", second))
    ]
    before, after = Canned(first, chunked(event(3))), Canned(second, chunked(event(4)))
    try:
        exchange = Exchange(Finder(iter(begun[1:]).__next__), begun[0], "cli", said.append)
        followed = DaemonReading(exchange).events(follow=True)

        assert [next(followed).recorded.position for _ in range(2)] == [3, 4]
    finally:
        before.close()
        after.close()


def test_a_daemon_that_is_dying_and_still_looks_alive_is_waited_for_once_more(tmp_path: Path, said: list[str]) -> None:
    """It closes its socket a moment before it counts as dead: where it was is told once more, and nobody is there."""
    first, second = tmp_path / "first", tmp_path / "second"
    begun = [
        Running(n, "http://127.0.0.1:1", str(path), "") for n, path in enumerate((first, tmp_path / "gone", second))
    ]
    before, after = Canned(first, b""), Canned(second, ok(b"[]"))
    try:
        exchange = Exchange(Finder(iter(begun[1:]).__next__), begun[0], "cli", said.append)

        assert exchange.get("/sessions") == b"[]"
    finally:
        before.close()
        after.close()


def test_whoever_does_not_follow_is_told_that_the_log_broke_off(talk: Talk) -> None:
    exchange, _ = talk(chunked(event(3), whole=False))

    with pytest.raises(DaemonLostError):
        list(DaemonReading(exchange).events())


def test_a_daemon_that_stays_away_is_not_waited_for_for_ever(tmp_path: Path, said: list[str]) -> None:
    running = Running(1, "http://127.0.0.1:1", str(tmp_path / "nobody"), "2026-03-12T09:00:00.000Z")
    exchange = Exchange(Finder(lambda: None), running, "cli", said.append, patience_s=0.01)

    with pytest.raises(NotRunningError):
        exchange.come_back()
    with pytest.raises(NotRunningError):
        exchange.come_back(deadline=0)
    assert len(said) == 1


def test_who_follows_in_pieces_waits_for_a_daemon_as_long_as_who_follows_at_once(
    tmp_path: Path, said: list[str]
) -> None:
    running = Running(1, "http://127.0.0.1:1", str(tmp_path / "first"), "2026-03-12T09:00:00.000Z")
    before = Canned(tmp_path / "first", chunked(event(3), whole=False))
    exchange = Exchange(Finder(lambda: None), running, "cli", said.append)
    try:
        followed = DaemonSessions(exchange).follow(StreamId("s"), 0, 0.5)
        assert next(followed).recorded.position == 3
    finally:
        before.close()
        (tmp_path / "first").unlink()

    with pytest.raises(TimedOutError):
        next(followed)
    for _ in range(3):
        with pytest.raises(TimedOutError):
            next(DaemonSessions(exchange).follow(StreamId("s"), 3, 0.01))
    assert said == ["the daemon went away; waiting for it to come back"]


def test_whoever_follows_until_a_deadline_is_told_that_it_came(talk: Talk) -> None:
    exchange, _ = talk(chunked(event(3)), None)
    followed = DaemonSessions(exchange).follow(StreamId("s"), 0, 0.2)

    assert next(followed).recorded.position == 3
    with pytest.raises(TimedOutError, match="in time"):
        next(followed)
