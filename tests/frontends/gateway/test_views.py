"""Whatever happens: who follows a view from anywhere sees what somebody sees who asks for it in the end."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from holdfast.domain import wire
from holdfast.domain.errors import HoldfastError, UsageError
from holdfast.domain.recorded import Actor
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.frontends.gateway.stream import frames
from holdfast.frontends.gateway.views.transcript import shape
from tests.domain.histories import Author
from tests.frontends.gateway.serving import ONE, TWO, Client, Json, Serving

if TYPE_CHECKING:
    from holdfast.domain.recorded import StreamId

VIEWS: tuple[Json, ...] = (
    {"view": "roster"},
    {"view": "inbox"},
    {"view": "transcript", "session": ONE, "limit": 3},
    {"view": "transcript", "session": TWO, "limit": 1000},
)


def _asks(command: c.Command) -> bool:
    """Requests have names of their own over all sessions, which those of these histories have not."""
    return isinstance(command, c.Observe) and any(isinstance(fact, e.PermissionRequested) for fact in command.facts)


class Life:
    """Two sessions to which anything happens."""

    def __init__(self, serving: Serving, seed: int) -> None:
        self._serving = serving
        self._random = Random(seed)
        self._authors = {session: Author(self._random.choice) for session in (ONE, TWO)}
        for session in self._authors:
            self._do(session, c.Create("acp", title=f"session {session[:6]}"))

    def happen(self, times: int) -> None:
        for _ in range(times):
            session = self._random.choice((ONE, TWO))
            command = self._authors[session].command()
            if not isinstance(command, (c.Create, c.Erase)) and not (session == TWO and _asks(command)):
                self._do(session, command)
            if self._random.random() < 0.1:
                self._serving.workspace.catch_up()

    def _do(self, session: StreamId, command: c.Command) -> None:
        try:
            self._serving.workspace.execute(session, command, cause=None, actor=Actor("human", "test"))
        except HoldfastError:
            return  # it was refused, and nothing happened
        self._authors[session].state = self._serving.workspace.load(session).state


def look(client: Client, prefix: str) -> None:
    for number, view in enumerate(VIEWS):
        client.send(type="subscribe", sub=f"{prefix}{number}", **view)


def shown(client: Client, prefix: str) -> list[dict[str, Json]]:
    assert client.watcher is not None
    return [client.watcher.views[f"{prefix}{number}"] for number in range(len(VIEWS))]


def catch_up(client: Client, rows: dict[str, Json]) -> None:
    """Read on until the list shows both sessions as they are, which says that every view has begun."""
    while True:
        assert client.watcher is not None
        there = client.watcher.views.get("a0", {})
        if all(there.get(each, {}).get("position", 0) >= row["position"] for each, row in rows.items()):
            return
        client.receive()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_who_follows_sees_what_who_comes_last_sees(serving: Serving, seed: int) -> None:
    life = Life(serving, seed)
    life.happen(20)
    with serving.client() as early, serving.client() as late:
        look(early, "a")
        life.happen(60)
        look(late, "a")
        life.happen(60)
        wanted = stored(serving)
        catch_up(early, wanted[0])
        catch_up(late, wanted[0])
        early.send(type="ping")  # whatever came before it has been taken in
        early.receive("pong")
        late.send(type="ping")
        late.receive("pong")
        for client in (early, late):
            settle(client, wanted)
            for view, there, fresh in zip(VIEWS, shown(client, "a"), wanted, strict=True):
                for item_id, item in fresh.items():
                    if item_id not in there:  # an older page does not hold them all
                        assert view.get("limit") == 3
                    else:
                        assert told(there[item_id]) == {"position": there[item_id]["position"]} | told(item), view


def stored(serving: Serving) -> list[dict[str, Json]]:
    """Every view as the store has it."""
    reading = serving.workspace
    pages = [reading.page(view["session"], limit=1000).items for view in VIEWS[2:]]
    items: list[list[wire.Shape]] = [
        [{**structs.asdict(row), "focused": list[str]()} for row in reading.rows(ended=True)],
        [{**wire.request(request), "id": request.request_id} for request in reading.inbox()],
        *([shape(item) for item in page] for page in pages),
    ]
    return [{item["id"]: item for item in json.loads(wire.encode(each))} for each in items]


def told(item: Json) -> Json:
    """An item without its empty text, which says as much as none."""
    return {name: value for name, value in item.items() if (name, value) != ("text", "")}


def settle(client: Client, wanted: list[dict[str, Json]]) -> None:
    """Take in what is still on its way: each view is as late as its own patches."""

    def behind() -> bool:
        views = list(zip(shown(client, "a"), wanted, strict=True))
        late = any(
            there[item_id]["position"] < item.get("position", 0)
            for there, fresh in views
            for item_id, item in fresh.items()
            if item_id in there
        )
        return late or views[1][0].keys() != views[1][1].keys()

    while behind():
        client.receive()


WORDS = st.sampled_from(
    ["type", "sub", "view", "events", "after", "session", "limit", "client_id", "verb", "body", "subscribe", "command"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner),
    max_leaves=10,
)


@given(st.text(max_size=200) | VALUES.map(json.dumps))
def test_any_text_is_a_frame_or_refused(text: str) -> None:
    said = ""
    try:
        frame: object = frames.read(text)
    except UsageError as error:
        frame, said = None, str(error)

    assert frame is not None or said
    assert frames.refused(text, "usage", said).startswith(b'{"type":"error"')
