"""The log as supervision uses it, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import Raw, json

from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.journal import StoreJournal
from holdfast.domain.content import of_text
from holdfast.domain.errors import NotFoundError, VersionConflictError
from holdfast.domain.journal import Batch, Open, Past
from holdfast.domain.link import events as links
from holdfast.domain.recorded import DAEMON, Recorded, Source, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, handle
from tests.adapters.storage.attached import block, kept, name_of, picture

if TYPE_CHECKING:
    from holdfast.adapters.storage.store import Store
    from tests.adapters.storage.given import Stores

HOST = bytes(range(8))


class Writer:
    """Carries out commands through a journal, as a keeper does."""

    def __init__(self, journal: StoreJournal, name: str) -> None:
        self.journal = journal
        self.session = Session(StreamId(name))

    async def do(self, *commands: c.Command, cause: str | None = None, offset: int | None = None) -> None:
        for command in commands:
            source = None if offset is None else Source(HOST, offset)
            events = handle(self.session, command, Context(1, new_event_id, cause=cause, source=source))
            self.session = fold(self.session, events)
            await self.journal.append([Batch(events, self.session)])

    async def begin(self, transport: str = "acp") -> None:
        await self.do(c.Create(transport, "agent"), cause="begin")

    async def see(self, *facts: e.Fact, offset: int | None = None) -> None:
        await self.do(c.Observe(facts), offset=offset)


@pytest.fixture
def journal(store: Store) -> StoreJournal:
    return StoreJournal(store)


async def test_a_prompt_with_a_picture_is_handed_on_after_a_restart_as_it_was_given(
    journal: StoreJournal, store: Store
) -> None:
    """What waits is read from the log, goes into the next event, and to the agent: whole each time, kept once."""
    content = Raw(json.encode([{"type": "text", "text": "look"}, block(picture())]))
    one = Writer(journal, "one")
    await one.begin()
    await one.do(c.QueuePrompt("p1", content), cause="say")

    one.session = await journal.load(one.session.id)
    (waiting,) = one.session.state.queue
    assert bytes(waiting.content) == bytes(content)
    await one.do(c.StartTurn("t1"))
    sent = [each.event for each in await journal.since_prompt(one.session.id)]

    assert [bytes(each.content) for each in sent if isinstance(each, e.PromptSent)] == [bytes(content)]
    assert kept(store) == {name_of(picture()): len(picture())}
    assert (await journal.past(one.session.id)).last_prompt == "look\n[image]"


async def test_a_session_comes_back_as_it_was(journal: StoreJournal) -> None:
    one = Writer(journal, "one")
    await one.begin()
    await one.do(c.QueuePrompt("p1", of_text("hello")), cause="say")

    assert await journal.load(one.session.id) == one.session
    assert (await journal.load(StreamId("nobody"))).version == 0
    assert [each.originator_version for each in await journal.by_cause(one.session.id, "say")] == [2]
    assert await journal.by_cause(one.session.id, "never") == []
    assert [each.originator_version for each in await journal.after(one.session.id, 1)] == [2]


async def test_batches_keep_their_order_and_get_positions(journal: StoreJournal) -> None:
    one, two = Session(StreamId("one")), Session(StreamId("two"))
    batches: list[Batch] = []
    for session in (one, two):
        events = handle(session, c.Create("acp"), Context(1, new_event_id))
        batches.append(Batch(events, fold(session, events)))
    link = (Recorded(StreamId("link"), 1, new_event_id(), 1, links.ConnectionRequested("acp", "agent"), None, DAEMON),)

    assert await journal.append([*batches, Batch(link)]) == [[1], [2], [3]]
    assert (await journal.link(StreamId("link")))[0] == 1
    assert (await journal.link(StreamId("link")))[1].standing == "connecting"
    assert (await journal.link(StreamId("other")))[0] == 0


async def test_what_does_not_fit_is_refused_and_leaves_nothing(journal: StoreJournal) -> None:
    one = Writer(journal, "one")
    await one.begin()
    stale = Writer(journal, "one")

    with pytest.raises(VersionConflictError):
        await stale.begin()
    assert (await journal.load(one.session.id)).version == 1


async def test_what_the_peer_was_told_is_known(journal: StoreJournal) -> None:
    one = Writer(journal, "one")
    await one.begin()
    assert await journal.past(one.session.id) == Past(0, None, (1,))
    assert await journal.past(StreamId("nobody")) == Past()
    assert await journal.since_prompt(one.session.id) == []
    await one.see(e.AttachRequested("link"), e.Attached("link", "remote"), offset=10)
    await one.do(c.QueuePrompt("p1", of_text("first")), c.StartTurn("t1"))
    await one.see(e.TurnEnded("t1", "end_turn"), offset=20)
    await one.do(c.QueuePrompt("p2", of_text("second")), c.StartTurn("t2"))
    await one.see(e.TextAppended("t2.1", "hm"), offset=30)

    assert await journal.past(one.session.id) == Past(2, "second", (1, 1))
    assert [type(each.event) for each in await journal.since_prompt(one.session.id)] == [
        e.PromptSent,
        e.TurnStarted,
        e.TextAppended,
    ]
    assert await journal.offset(one.session.id, HOST) == 30
    assert await journal.offset(one.session.id, bytes(8)) == 0


async def test_sessions_that_need_looking_after_are_found(journal: StoreJournal) -> None:
    for name in ("idle", "busy", "waiting", "ended", "imported"):
        each = Writer(journal, name)
        await each.begin("import" if name == "imported" else "acp")
        match name:
            case "busy":
                await each.see(e.AttachRequested("link"), e.Attached("link"), e.TurnStarted("t1"))
            case "waiting":
                await each.do(c.QueuePrompt("p", of_text("x")))
            case "ended":
                await each.see(e.AttachRequested("link"), e.Attached("link"), e.SessionEnded("user"))
            case "imported":
                await each.see(e.TurnStarted("t1"))
            case _:
                pass

    found = sorted(await journal.open_sessions(), key=lambda each: each.session_id)
    assert found == [Open(StreamId("busy"), True, 0), Open(StreamId("waiting"), False, 1)]


async def test_who_asked_is_found_without_any_view(journal: StoreJournal) -> None:
    one = Writer(journal, "one")
    await one.begin()
    asked = e.PermissionRequested('r:"1"%', None, "touch", Raw(b"{}"), (), e.arguments_hash("touch", Raw(b"{}")))
    await one.see(asked)

    assert await journal.asked_by('r:"1"%') == "one"
    assert await journal.asked_by("r:") is None


async def test_erasing_goes_through_and_the_epoch_grows(journal: StoreJournal, store: Store, stores: Stores) -> None:
    one = Writer(journal, "one")
    await one.begin()
    await journal.erase(one.session.id, DAEMON)

    assert (await journal.load(one.session.id)).state.erased
    with pytest.raises(NotFoundError):
        await journal.erase(StreamId("nobody"), DAEMON)
    before = journal.epoch
    store.close()
    again = stores.open()
    assert StoreJournal(again).epoch > before
    assert StoreJournal(again).name == journal.name
