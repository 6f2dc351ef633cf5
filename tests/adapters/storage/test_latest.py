"""What was committed just now is told from memory as the log tells it, and by the log where it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage import latest
from holdfast.adapters.storage.reader import log_events
from holdfast.adapters.storage.tail import StoreTail
from holdfast.adapters.storage.workspace import Workspace
from holdfast.domain.content import of_text
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.answers import LogEvent

ME = Actor("human", "cli")
ONE = StreamId("aaaa1111-0000-4000-8000-000000000001")
TWO = StreamId("aaaa2222-0000-4000-8000-000000000002")

pytestmark = pytest.mark.anyio


def fill(store: Store, session: StreamId, texts: int = 3) -> None:
    workspace = Workspace(store)
    for command in (
        c.Create("acp", title="shop"),
        c.QueuePrompt("p1", of_text("hello")),
        c.StartTurn("t1"),
        *(c.Observe((e.TextAppended("t1.1", f"say {number} "),)) for number in range(texts)),
    ):
        workspace.execute(session, command, cause=None, actor=ME)


def stored(store: Store, after: int, session: StreamId | None = None, types: Sequence[str] = ()) -> list[LogEvent]:
    with store.reading() as connection:
        return log_events(connection, after, store.head(), session, types, limit=10_000)


async def test_what_memory_tells_is_what_the_log_tells(store: Store) -> None:
    before = store.head()
    fill(store, ONE)
    fill(store, TWO)

    for after in range(before, store.head() + 1):
        for session, types in ((None, ()), (TWO, ()), (None, ("text-appended",)), (ONE, ("turn-started",))):
            told = store.latest(after, stream=session, types=types, limit=10_000)
            assert told == (stored(store, after, session, types), store.head())


async def test_a_limit_is_kept_and_what_follows_comes_next(store: Store) -> None:
    before = store.head()
    fill(store, ONE, texts=20)
    tail = StoreTail(store)

    told: list[LogEvent] = []
    at = before
    while not (piece := await tail.stretch(at, types=("text-appended",), limit=3)).at_end:
        assert len(piece.events) == 3
        told += piece.events
        at = piece.end
    assert told + piece.events == stored(store, before, types=("text-appended",))


async def test_who_is_further_behind_than_memory_goes_is_told_by_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest, "_KEPT", 4)
    before = store.head()
    fill(store, ONE, texts=20)

    assert store.latest(before, stream=None, types=(), limit=100) is None
    assert store.latest(store.head() - 4, stream=None, types=(), limit=100) is not None
    assert (await StoreTail(store).stretch(before)).events == stored(store, before)


async def test_nothing_that_was_erased_is_told_from_memory(store: Store) -> None:
    before = store.head()
    fill(store, ONE)
    Workspace(store).erase(ONE, actor=ME)

    told = (await StoreTail(store).stretch(before)).events
    assert told == stored(store, before)
    assert not any(b"say 1" in bytes(event.data or b"") for event in told)
