"""Many attachments at once: slow ones are cut off and miss nothing, and who looks at what is told."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from holdfast.domain.projections.roster import Connection
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.frontends.gateway.views.patches import Patches
from tests.frontends.gateway.serving import ONE, TOKEN, TWO, Client, Json, Serving

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from websockets.sync.client import ClientConnection


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    running = Serving(tmp_path)
    yield running
    running.close()


def row(client: Client, session: str, known: Json) -> Json:
    """Take one patch of a roster in."""
    for op in client.receive("patch")["ops"]:
        if op["op"] == "put" and op["item"]["id"] == session:
            known = op["item"]
        elif op["op"] == "set" and op["id"] == session:
            known = known | op["fields"]
    return known


@contextmanager
def stalled(serving: Serving) -> Generator[Client]:
    """A client with a small buffer, that reads nothing unless it is asked to."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", int(serving.url.split(":")[2].split("/")[0])))
        connection: ClientConnection
        with connect(
            serving.url, sock=raw, compression=None, max_queue=1, max_size=None, ping_interval=None
        ) as connection:
            client = Client(connection)
            client.send(type="hello", client="slow", token=TOKEN)
            yield client


@pytest.mark.slow
def test_a_reader_that_takes_nothing_is_cut_off_with_its_cursor_and_misses_nothing(serving: Serving) -> None:
    serving.begin()
    positions: list[int] = []
    with stalled(serving) as slow:
        slow.send(type="subscribe", sub="s", events={"after": None})
        with serving.client() as healthy:
            healthy.send(type="subscribe", sub="s", events={"after": None})
            for _ in range(20):
                serving.say(ONE, c.Observe(tuple(e.TextAppended("m1", "x" * 8_000) for _ in range(128))))
            head = serving.store.head()
            seen = 0
            while seen < head:  # nobody else waits for the slow one
                seen = healthy.receive("events")["events"][-1]["position"]
        serving.wait_until_cut()
        with suppress(ConnectionClosed):
            while True:
                positions += [each["position"] for each in slow.receive("events")["events"]]
        protocol = slow.connection.protocol
        assert protocol.close_code == 1013
        reason = protocol.close_reason or ""
    assert reason.startswith("cursor=")

    with serving.client() as again:
        again.send(type="subscribe", sub="s", events={"after": reason.removeprefix("cursor=")})
        while (positions[-1] if positions else 0) < head:
            positions += [each["position"] for each in again.receive("events")["events"]]
    assert positions == list(range(1, head + 1))
    assert len(positions) > 64


def test_fifty_that_come_and_go_leave_nothing_behind(serving: Serving) -> None:
    serving.begin()
    for _ in range(50):
        with serving.client() as client:
            client.send(type="subscribe", sub="t", view="transcript", session=ONE)
            client.send(type="subscribe", sub="r", view="roster")
            client.send(type="focus", session=ONE)
            client.receive("snapshot")
    serving.speak("hello")
    with serving.client() as client:
        client.send(type="subscribe", sub="t", view="transcript", session=ONE)
        client.send(type="subscribe", sub="r", view="roster")
        snapshots = {frame["sub"]: frame for frame in (client.receive("snapshot"), client.receive("snapshot"))}
        texts = [item["text"] for item in snapshots["t"]["items"]]
        known = snapshots["r"]["items"][0]
        while known["focused"]:  # the last of them may still be leaving
            known = row(client, ONE, known)

    assert texts == ["hello", "hello"]
    assert set(serving.keeper.focuses.values()) == {None}


def test_who_looks_is_told_and_forgotten(serving: Serving) -> None:
    serving.begin()
    with serving.client(name="watcher") as watcher:
        watcher.send(type="subscribe", sub="r", view="roster")
        (known,) = watcher.receive("snapshot")["items"]
        assert known["focused"] == []
        with serving.client(name="phone") as phone:
            phone.send(type="focus", session=ONE)
            while known["focused"] != ["phone"]:
                known = row(watcher, ONE, known)
            assert set(serving.keeper.focuses.values()) == {ONE}
        while known["focused"]:
            known = row(watcher, ONE, known)

    assert set(serving.keeper.focuses.values()) == {None}


def test_how_a_session_is_connected_is_laid_over_its_row(serving: Serving) -> None:
    serving.begin(ONE)
    serving.begin(TWO)
    with serving.client() as client:
        client.send(type="subscribe", sub="r", view="roster")
        rows = {item["id"]: item for item in client.receive("snapshot")["items"]}
        assert rows[ONE]["connection"]["state"] == "offline"
        serving.keeper.connections[ONE] = Connection("reconnecting", 3, "2026-03-12T09:30:00.000Z", "gone")
        serving.happen_to_link()
        known = rows[ONE]
        while known["connection"]["state"] != "reconnecting":
            known = row(client, ONE, known)
        assert known["connection"]["attempt"] == 3
        assert known["position"] == rows[ONE]["position"]
        del serving.keeper.connections[ONE]
        serving.happen_to_link()
        while known["connection"]["state"] != "offline":
            known = row(client, ONE, known)


def unread(serving: Serving) -> int:
    return serving.workspace.row(ONE).unread


def test_what_was_shown_in_a_focused_view_is_read(serving: Serving) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="subscribe", sub="r", view="roster")
        (known,) = client.receive("snapshot")["items"]
        serving.speak("first output")
        while known["unread"] != 1:
            known = row(client, ONE, known)
        client.send(type="subscribe", sub="t", view="transcript", session=ONE)
        assert unread(serving) == 1  # a peek clears nothing
        client.send(type="focus", session=ONE)
        while known["unread"]:
            known = row(client, ONE, known)

    assert unread(serving) == 0


def test_what_the_client_says_is_hidden_stays_unread(serving: Serving) -> None:
    serving.begin()
    serving.speak("first output")
    position = serving.store.head()
    with serving.client() as client:
        client.send(type="subscribe", sub="r", view="roster")
        (known,) = client.receive("snapshot")["items"]
        client.send(type="subscribe", sub="t", view="transcript", session=ONE)
        client.receive("snapshot")
        client.send(type="focus", session=ONE, seen=None)
        client.send(type="command", client_id="c1", verb="rename", session=ONE, body={"title": "meanwhile"})
        client.receive("ok")
        assert unread(serving) == 1
        client.send(type="focus", session=ONE, seen=position)
        while known["unread"]:
            known = row(client, ONE, known)


def test_a_reader_without_rights_marks_nothing_as_read(serving: Serving) -> None:
    serving.begin()
    serving.speak("first output")
    with serving.client("reader") as client:
        client.send(type="subscribe", sub="t", view="transcript", session=ONE)
        client.receive("snapshot")
        client.send(type="focus", session=ONE)
        for _ in range(3):
            serving.speak("more")
            client.receive("patch")
        client.send(type="ping")
        client.receive("pong")

    assert unread(serving) == 1


def test_patches_that_are_not_kept_any_more_are_missed_aloud() -> None:
    patches = Patches()
    for end in range(5_000):
        patches.add(end, [b"{}"])

    assert patches.at(4_999) is not None
    assert patches.at(5_000) is None
    with pytest.raises(LookupError):
        patches.at(0)


def test_a_view_that_cannot_be_folded_is_given_up_and_the_others_go_on(serving: Serving) -> None:
    serving.begin()
    serving.speak("one", item="m1")
    serving.speak("two", item="m2")
    with serving.client() as client:
        client.send(type="subscribe", sub="t", view="transcript", session=ONE, limit=1)  # so that others are fetched
        client.send(type="subscribe", sub="e", events={"after": serving.store.head()})
        client.receive("snapshot")
        client.receive("caught_up")
        with serving.store.reading() as connection:
            number = connection.exec_driver_sql("SELECT stream FROM keys WHERE id = ?", (ONE,)).scalar_one()
        damage = "INSERT INTO items (stream, ordinal, id, position, kind, body) VALUES (?, 1, 'm9', 1, 'x', '{')"
        serving.store.write(lambda transaction: transaction.connection.exec_driver_sql(damage, (number,)))
        serving.speak("hello", item="m9")
        frames = {
            frame["type"]: frame for frame in (client.receive("reset", "events"), client.receive("reset", "events"))
        }
        client.send(type="ping")
        client.receive("pong")

    assert frames["reset"]["reason"] == "failed"
    assert frames["events"]["events"][0]["data"]["text"] == "hello"
