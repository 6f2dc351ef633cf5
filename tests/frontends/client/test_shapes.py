from __future__ import annotations

import pytest
from msgspec import Raw, json

from holdfast.domain import wire
from holdfast.domain.answers import Hit, LogEvent
from holdfast.domain.content import of_text
from holdfast.domain.errors import DaemonError
from holdfast.domain.projections.inbox import Request
from holdfast.domain.projections.replay import Moment
from holdfast.domain.recorded import Actor, EventId, Recorded, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import encode
from holdfast.domain.session.facts import Fact, Unknown
from holdfast.frontends.client import shapes

FACTS: tuple[Fact, ...] = (
    e.SessionCreated("acp", "owner", agent="claude", cwd="/srv/shop", title="Fix the race"),
    e.MessageSent("u1", of_text("Why?")),
    e.TurnStarted("t1"),
    e.ThoughtAppended("h1", "hm"),
    e.TextAppended("a1", "Because."),
    e.ToolCalled("c1", "c1", title="Bash", kind="execute", status="pending", input=Raw(b'{"a": 1}')),
    e.PlanChanged("p1", Raw(b'[{"content": "x", "status": "pending"}]')),
    e.PermissionRequested("r1", "t1", "Bash", Raw(b"{}"), (e.Option("o", "allow_once", "Yes"),), "h", "c1"),
    e.PermissionAnswered("r1", "o", "h", "because"),
    e.RawReceived("x1", "session/update", Raw(b'{"of": "tomorrow"}')),
    e.TurnInterrupted("t1", "gone"),
)


def recorded(version: int, fact: Fact) -> Recorded:
    return Recorded(
        StreamId("s1"),
        version,
        EventId(version.to_bytes(16, "big")),
        1_763_640_000_123_000 + version * 1_000,
        fact,
        cause="c" if version % 2 else None,
        actor=Actor("human", "cli") if version % 2 else Actor("peer"),
        occurred_at=1_763_640_000_000_000 if version % 3 else None,
        position=version,
    )


def moment() -> Moment:
    then = Moment(StreamId("s1"))
    for version, fact in enumerate(FACTS, 1):
        then.take(recorded(version, fact))
    return then


def test_a_page_comes_back_as_it_was() -> None:
    page = moment().page()

    back = shapes.page(wire.encode(wire.page(page)))

    assert wire.page(back) == wire.page(page)
    assert (back.session, back.position, back.before) == (page.session, page.position, page.before)
    assert {item.kind for item in back.items} == {
        *("message", "thought", "tool_call", "plan", "permission", "notice", "raw"),
    }


def test_rows_come_back_with_the_cursor_of_what_follows() -> None:
    row = moment().page().session

    assert shapes.row(wire.encode(row)) == row
    assert shapes.rows(wire.encode({"items": [row], "after": "next"})) == ([row], "next")


def test_hits_and_requests_come_back_as_they_were() -> None:
    hit = Hit(StreamId("s1"), "a1", 5, "Fix", "⟦race⟧", "message", "assistant", 1_763_640_000_123_000)
    options = (e.Option("o", "allow_once", "Yes"),)
    request = Request("r1", StreamId("s1"), None, "Bash", Raw(b""), options, 1_763_640_000_123_000)

    assert shapes.hits(wire.encode({"items": [wire.hit(hit)], "after": None})) == [hit]
    assert shapes.requests(wire.encode({"items": [wire.request(request)], "after": None})) == [request]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_every_event_comes_back_with_its_payload_as_it_is_stored(fact: Fact) -> None:
    encoded = encode(fact)
    logged = LogEvent(recorded(1, fact), "session", encoded.tag, Raw(encoded.data))

    back = shapes.event(wire.event(logged))

    assert back.recorded.event == Unknown(encoded.tag, encoded.schema, encoded.data.decode())
    assert (back.stream_kind, back.type, back.data) == ("session", encoded.tag, Raw(encoded.data))
    assert wire.event(back) == wire.event(logged)


def test_an_event_of_a_link_and_an_erased_one_come_back() -> None:
    line = wire.event(LogEvent(recorded(2, Unknown("of-tomorrow", 7, None)), "link", "of-tomorrow", None))

    back = shapes.event(line)

    assert (back.stream_kind, back.data, back.recorded.event) == ("link", None, Unknown("of-tomorrow", 7, None))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"items": 1}', b"\xff", b'{"items": [{}], "after": null}'])
def test_an_answer_of_another_kind_is_an_error_in_one_line(body: bytes) -> None:
    for reader in (shapes.row, shapes.rows, shapes.page, shapes.hits, shapes.requests, shapes.event):
        with pytest.raises(DaemonError) as raised:
            reader(body)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["recorded_at", "event_id"])
def test_an_event_with_nonsense_in_it_is_an_error(name: str) -> None:
    line = json.decode(wire.event(LogEvent(recorded(1, FACTS[0]), "session", "session-created", None)))

    with pytest.raises(DaemonError, match="another version"):
        shapes.event(json.encode({**line, name: "nonsense"}))
