"""The stream as a client sees it: events by cursor, views with their patches, commands, and what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from holdfast.domain.recorded import Actor
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.domain.scene import asks
from tests.frontends.gateway.serving import ONE, PATIENCE_S, TWO, Client, Json, Serving


def applied(items: dict[str, Json], patch: Json) -> None:
    """Apply a patch by the rule of the contract."""
    for op in patch["ops"]:
        match op["op"]:
            case "put":
                before = items.get(op["item"]["id"])
                if before is None or op["item"]["position"] > before["position"]:
                    items[op["item"]["id"]] = op["item"]
            case "append":
                item = items.get(op["id"])
                if item is not None and op["position"] > item["position"]:
                    item["text"] = item["text"][: op["at"]] + op["text"]
                    item["position"] = op["position"]
            case "drop":
                items.pop(op["id"], None)
            case "set":
                if op["id"] in items:
                    items[op["id"]].update(op["fields"])
            case other:
                raise AssertionError(other)


def test_events_come_in_order_from_the_beginning_and_go_on_live(serving: Serving) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="subscribe", sub="s1", events={"after": None})
        first = client.receive("events")
        caught_up = client.receive("caught_up")
        serving.speak("hi")
        live = client.receive("events")

    positions = [event["position"] for event in first["events"]]
    assert positions == list(range(1, len(positions) + 1))
    assert first["cursor"] == caught_up["cursor"]
    assert caught_up["position"] == positions[-1]
    assert [event["type"] for event in live["events"]] == ["text-appended"]
    assert live["events"][0]["data"]["text"] == "hi"
    assert live["events"][0]["position"] == positions[-1] + 1


def test_a_client_goes_on_where_its_cursor_stands(serving: Serving) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="subscribe", sub="s1", events={"after": None})
        cursor = client.receive("caught_up")["cursor"]
    serving.speak("one")
    serving.speak("two")

    with serving.client() as client:
        client.send(type="subscribe", sub="s1", events={"after": cursor})
        events = client.receive("events")["events"]
        client.receive("caught_up")

    assert [event["data"]["text"] for event in events] == ["one", "two"]


def test_a_long_backlog_comes_in_frames_of_at_most_64_events_without_a_gap(serving: Serving) -> None:
    serving.begin()
    serving.say(ONE, c.Observe(tuple(e.TextAppended("m1", f"{number} ") for number in range(3_000))))
    positions: list[int] = []
    with serving.client() as client:
        client.send(type="subscribe", sub="s1", events={"after": None})
        while (frame := client.receive())["type"] == "events":
            assert len(frame["events"]) <= 64
            positions += [event["position"] for event in frame["events"]]

    assert frame["type"] == "caught_up"
    assert positions == list(range(1, serving.store.head() + 1))


def test_events_of_one_session_and_some_types_only(serving: Serving) -> None:
    serving.begin(ONE)
    serving.begin(TWO)
    serving.speak("hi", TWO)
    with serving.client() as client:
        client.send(
            type="subscribe", sub="s1", events={"after": None, "session": TWO, "types": ["text-appended", "no-such"]}
        )
        past = client.receive("events")
        client.receive("caught_up")
        serving.speak("not this", ONE)
        serving.speak("but this", TWO)
        live = client.receive("events")

    assert [event["data"]["text"] for event in past["events"] + live["events"]] == ["hi", "but this"]


@pytest.mark.parametrize("cursor", ["0" * 32 + ".1", 10_000, "nonsense"])
def test_a_cursor_that_is_not_of_this_log_is_answered_by_reset(serving: Serving, cursor: str | int) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="subscribe", sub="s1", events={"after": cursor})
        assert client.receive() | {"detail": ""} == {"type": "reset", "sub": "s1", "reason": "cursor", "detail": ""}
        client.send(type="subscribe", sub="s1", events={"after": 0})  # the name is free again
        assert client.receive()["type"] == "events"


def test_a_transcript_is_a_snapshot_and_patches_that_fit_it(serving: Serving) -> None:
    serving.begin()
    serving.speak("Hel")
    with serving.client() as client:
        client.send(type="subscribe", sub="t", view="transcript", session=ONE, limit=50)
        snapshot = client.receive("snapshot")
        items = {item["id"]: item for item in snapshot["items"]}
        position = snapshot["position"]
        for text in ("lo", " wor", "ld ☃"):
            serving.speak(text)
        serving.say(ONE, c.Observe((e.TurnEnded("t1", "end_turn"),)), c.Rename("other"))
        serving.speak("bye", item="m2")
        while "m2" not in items:
            patch = client.receive("patch")
            assert patch["from"] == position
            assert patch["position"] > position
            position = patch["position"]
            applied(items, patch)

    assert snapshot["view"] == "transcript"
    assert [item["role"] for item in snapshot["items"]] == ["user", "assistant"]
    assert items["m1"]["text"] == "Hello world ☃"
    assert [item["ordinal"] for item in items.values()] == sorted(item["ordinal"] for item in items.values())


def test_many_who_look_at_one_transcript_see_the_same(serving: Serving) -> None:
    serving.begin()
    serving.speak("0 ")
    with serving.client() as one, serving.client() as two:
        one.send(type="subscribe", sub="a", view="transcript", session=ONE)
        first = {item["id"]: item for item in one.receive("snapshot")["items"]}
        serving.speak("1 ")
        applied(first, one.receive("patch"))
        two.send(type="subscribe", sub="b", view="transcript", session=ONE, limit=1)
        second = {item["id"]: item for item in two.receive("snapshot")["items"]}
        for number in range(2, 20):
            serving.speak(f"{number} ")
        wanted = "".join(f"{number} " for number in range(20))
        for client, items in ((one, first), (two, second)):
            while items["m1"]["text"] != wanted:
                applied(items, client.receive("patch"))

    assert set(first) == {"p1", "m1"}
    assert set(second) == {"m1"}


def test_an_item_that_left_the_page_still_changes(serving: Serving) -> None:
    serving.begin()
    serving.say(ONE, c.Observe((e.ToolCalled("old", "call-1", "List files", status="pending"),)))
    serving.say(ONE, c.Observe(tuple(e.TextAppended(f"m{number}", "x") for number in range(300))))
    with serving.client() as client:
        client.send(type="subscribe", sub="t", view="transcript", session=ONE, limit=1)
        assert client.receive("snapshot")["before"] is not None
        serving.say(ONE, c.Observe((e.ToolUpdated("old", "call-1", status="completed"),)))
        (op,) = client.receive("patch")["ops"]

    assert op["op"] == "put"
    assert (op["item"]["id"], op["item"]["status"], op["item"]["title"]) == ("old", "completed", "List files")


def test_the_roster_changes_with_its_sessions(serving: Serving) -> None:
    serving.begin(ONE)
    with serving.client() as client:
        client.send(type="subscribe", sub="r", view="roster")
        snapshot = client.receive("snapshot")
        rows = {row["id"]: row for row in snapshot["items"]}
        assert [row["title"] for row in snapshot["items"]] == ["shop"]
        serving.begin(TWO, "garden")
        serving.say(ONE, c.Rename("market"))
        while TWO not in rows or rows[ONE]["title"] != "market":
            applied(rows, client.receive("patch"))
        serving.say(ONE, c.End())
        while rows[ONE]["lifecycle"] != "ended":
            applied(rows, client.receive("patch"))
        serving.workspace.erase(TWO, actor=Actor("human", "test"))
        while TWO in rows:
            applied(rows, client.receive("patch"))

    with serving.client() as client:
        client.send(type="subscribe", sub="r", view="roster")
        client.send(type="subscribe", sub="all", view="roster", ended=True)
        frames = {frame["sub"]: frame for frame in (client.receive("snapshot"), client.receive("snapshot"))}
    assert frames["r"]["items"] == []
    assert [row["id"] for row in frames["all"]["items"]] == [ONE]


def test_the_inbox_fills_and_empties(serving: Serving) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="subscribe", sub="i", view="inbox")
        assert client.receive("snapshot")["items"] == []
        serving.say(ONE, c.Observe((asks("r1"),)))
        (put,) = client.receive("patch")["ops"]
        serving.say(ONE, c.Answer("r1", "allow"))
        (drop,) = client.receive("patch")["ops"]

    assert put["item"]["request_id"] == put["item"]["id"] == "r1"
    assert [option["option_id"] for option in put["item"]["options"]] == ["allow", "deny"]
    assert (drop["op"], drop["id"]) == ("drop", "r1")


def test_an_erased_session_resets_its_transcript(serving: Serving) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="subscribe", sub="t", view="transcript", session=ONE)
        client.receive("snapshot")
        serving.workspace.erase(ONE, actor=Actor("human", "test"))
        assert client.receive("reset")["reason"] == "erased"
        client.send(type="subscribe", sub="t", view="transcript", session=ONE)
        assert client.receive("error")["code"] == "not_found"


def test_what_was_erased_is_not_shown_again_while_another_has_yet_to_hear_of_it(serving: Serving) -> None:
    serving.begin()
    serving.speak("a secret")
    with serving.client() as client:
        serving.look("transcript", ONE)
        client.send(type="subscribe", sub="t", view="transcript", session=ONE)
        client.receive("snapshot")
        serving.workspace.erase(ONE, actor=Actor("human", "test"))
        client.receive("reset")
        client.send(type="subscribe", sub="t", view="transcript", session=ONE)
        assert client.receive("snapshot", "error")["type"] == "error"


def test_what_was_erased_is_not_sent_from_memory(serving: Serving) -> None:
    serving.begin()
    serving.speak("a secret")
    with serving.client() as client, serving.client() as late:
        client.send(type="subscribe", sub="s1", events={"after": None})
        assert client.receive("events")["events"][-1]["data"]["text"] == "a secret"
        client.receive("caught_up")
        serving.workspace.erase(ONE, actor=Actor("human", "test"))
        assert client.receive("events")["events"][-1]["type"] == "session-erased"
        late.send(type="subscribe", sub="s1", events={"after": None})
        events = late.receive("events")["events"]

    assert {event["data"] is None for event in events[:-1]} == {True}
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))


def test_a_command_is_answered_once_it_is_in_the_log(serving: Serving) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="command", client_id="c1", verb="rename", session=ONE, body={"title": "new"})
        answer = client.receive("ok")
        client.send(type="command", client_id="c1", verb="rename", session=ONE, body={"title": "newer"})
        again = client.receive("ok")

    assert answer == {"type": "ok", "client_id": "c1", "result": {"events": 1}, "position": serving.store.head()}
    assert again["result"] == answer["result"]
    assert serving.workspace.row(ONE).title == "new"


def test_a_read_only_token_reads_and_commands_nothing(serving: Serving) -> None:
    serving.begin()
    with serving.client("reader") as client:
        client.send(type="command", client_id="c1", verb="rename", session=ONE, body={"title": "new"})
        assert client.receive()["code"] == "denied"
        client.send(type="subscribe", sub="r", view="roster")
        assert client.receive("snapshot")["items"][0]["title"] == "shop"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", "usage"),
        ("[]", "usage"),
        ('{"type":"dance"}', "usage"),
        ('{"type":"subscribe"}', "usage"),
        ('{"type":"subscribe","sub":7,"view":"roster"}', "usage"),
        ('{"type":"subscribe","sub":"","view":"roster"}', "usage"),
        ('{"type":"subscribe","sub":"x"}', "usage"),
        ('{"type":"subscribe","sub":"x","view":"roster","events":{}}', "usage"),
        ('{"type":"subscribe","sub":"x","view":"weather"}', "usage"),
        ('{"type":"subscribe","sub":"x","view":"transcript"}', "usage"),
        ('{"type":"subscribe","sub":"x","view":"transcript","session":"nobody"}', "not_found"),
        ('{"type":"subscribe","sub":"x","view":"transcript","session":"nobody","limit":0}', "usage"),
        ('{"type":"subscribe","sub":"x","view":"transcript","session":"\\u0000"}', "not_found"),
        ('{"type":"subscribe","sub":"x","view":"offers","session":"nobody"}', "not_found"),
        ('{"type":"subscribe","sub":"x","view":"frames","session":"nobody"}', "not_found"),
        ('{"type":"subscribe","sub":"x","view":"frames"}', "usage"),
        ('{"type":"subscribe","sub":"x","events":{"session":"nobody"}}', "not_found"),
        (
            '{"type":"subscribe","sub":"x","events":{"session":"nobody","types":["text-appended"],"after":0}}',
            "not_found",
        ),
        ('{"type":"subscribe","sub":"x","events":{"session":"\\u0000"}}', "not_found"),
        ('{"type":"subscribe","sub":"x","events":{"types":["\\u0000"]}}', "usage"),
        ('{"type":"focus","session":"\\u0000","seen":1}', "not_found"),
        ('{"type":"subscribe","sub":"taken","view":"roster"}', "usage"),
        ('{"type":"command","verb":"rename"}', "usage"),
        ('{"type":"command","client_id":"c","verb":"dance","session":"x"}', "usage"),
        ('{"type":"command","client_id":"c","verb":"read","session":"nobody"}', "not_found"),
        ('{"type":"command","client_id":"c","verb":"read","session":"\\u0000"}', "not_found"),
        ('{"type":"hello","client":"again"}', "usage"),
        ('{"type":"unsubscribe","sub":"\\ud800"}', "usage"),
        ("[" * 5_000, "usage"),
        (b"\x00\x01", "usage"),
    ],
)
def test_a_frame_that_cannot_be_used_is_refused_and_the_connection_goes_on(
    serving: Serving, frame: str | bytes, code: str
) -> None:
    with serving.client() as client:
        client.send(type="subscribe", sub="taken", view="inbox")
        client.receive("snapshot")
        client.watcher = None
        client.connection.send(frame)
        answer = client.receive()
        assert (answer["type"], answer["code"]) == ("error", code)
        assert answer["detail"]
        client.send(type="ping", unknown={"fields": "are ignored"})
        assert client.receive() == {"type": "pong"}


def closed(client: Client) -> tuple[int, str]:
    with suppress(ConnectionClosed):
        while True:
            client.connection.recv(timeout=PATIENCE_S)
    connection = client.connection.protocol
    return connection.close_code or 0, connection.close_reason or ""


def test_a_message_over_one_megabyte_closes_with_1009(serving: Serving) -> None:
    with serving.client() as client:
        client.connection.send('{"type":"ping","padding":"' + "x" * 2**20 + '"}')
        assert closed(client)[0] == 1009


@pytest.mark.parametrize("token", [None, "", "wrong", "the-right-toke", "THE-RIGHT-TOKEN"])
def test_without_a_right_token_the_door_stays_shut(serving: Serving, token: str | None) -> None:
    with serving.client(token) as client:
        assert closed(client)[0] == 4401


def test_the_first_frame_is_a_hello(serving: Serving) -> None:
    with serving.connect() as connection:
        connection.send('{"type":"subscribe","sub":"r","view":"roster"}')
        assert closed(Client(connection))[0] == 4401


@pytest.mark.slow
def test_who_says_nothing_is_not_waited_for(serving: Serving) -> None:
    with serving.connect() as connection:
        assert closed(Client(connection))[0] == 4401


@pytest.mark.slow
def test_a_token_that_is_taken_back_closes_what_came_in_with_it(serving: Serving) -> None:
    with serving.client("reader") as client, serving.client() as other:
        client.send(type="ping")
        client.receive("pong")
        del serving.gate.tokens["reader"]
        assert closed(client)[0] == 4401
        other.send(type="ping")
        assert other.receive("pong")


def test_what_is_said_to_a_peer_can_be_listened_to_while_it_is_said(serving: Serving) -> None:
    serving.begin()
    serving.begin(TWO)
    serving.overhear(ONE, '{"method":"initialize"}')
    with serving.client() as client:
        client.send(type="subscribe", sub="s1", view="frames", session=ONE)
        kept = client.receive("frames")
        client.send(type="subscribe", sub="s2", view="frames", session=TWO)
        nothing = client.receive("frames")
        serving.overhear(ONE, '{"method":"session/new"}')
        live = client.receive("frames")
        client.send(type="unsubscribe", sub="s1")
        client.send(type="unsubscribe", sub="s2")
        client.send(type="ping")
        client.receive("pong")

    assert [each["text"] for each in kept["frames"]] == ['{"method":"initialize"}']
    assert nothing == {"type": "frames", "sub": "s2", "frames": []}
    assert live["sub"] == "s1"
    assert [(each["number"], each["direction"], each["text"]) for each in live["frames"]] == [
        (2, "in", '{"method":"session/new"}')
    ]
    assert serving.keeper.listeners == []


@pytest.mark.parametrize("what", [{"events": {"session": ONE}}, {"view": "frames", "session": ONE}])
def test_a_session_that_was_erased_is_unknown_to_who_comes_afterwards(serving: Serving, what: Json) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="subscribe", sub="s1", **what)
        client.receive("frames", "caught_up")
        client.send(type="unsubscribe", sub="s1")
        serving.workspace.erase(ONE, actor=Actor("human", "test"))
        client.send(type="subscribe", sub="s2", **what)
        refusal = client.receive("error")
        client.send(type="subscribe", sub="s2", view="roster")  # the name is free again, and the connection alive
        client.receive("snapshot")

    assert (refusal["sub"], refusal["code"]) == ("s2", "not_found")


@pytest.mark.parametrize("seen", [-1, 2**63])
def test_a_place_that_no_log_has_is_refused_and_the_connection_goes_on(serving: Serving, seen: int) -> None:
    serving.begin()
    with serving.client() as client:
        client.send(type="focus", session=ONE, seen=seen)
        assert client.receive("error")["code"] == "usage"
        client.send(type="ping")
        client.receive("pong")
