"""Compacting sessions of a store: nothing that anybody can see of them changes, on both databases."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec import json
from sqlalchemy import select, update

from holdfast.adapters.exporters import jsonl
from holdfast.adapters.importers.exported import restore
from holdfast.adapters.storage import compact as compacting
from holdfast.adapters.storage import schema
from holdfast.adapters.storage.chain import payload_digest
from holdfast.adapters.storage.compact import compact, savings
from holdfast.adapters.storage.erase import erase
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.exported import verify_exported
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.origin import origin
from holdfast.adapters.storage.reading import latest, stream_number
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.verify import verify
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.views.check import fresh_digests
from holdfast.adapters.storage.views.rebuild import rebuild
from holdfast.adapters.storage.views.roster import one, roster_row
from holdfast.adapters.storage.workspace import Workspace
from holdfast.domain.content import of_text
from holdfast.domain.errors import ConflictError, NotFoundError, SessionErasedError, TranscriptError
from holdfast.domain.projections.replay import Moment, story
from holdfast.domain.recorded import DAEMON, Recorded, StreamId
from holdfast.domain.search.query import parse
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import Unknown
from holdfast.domain.session.session import Session, fold
from tests.chaos.load import history, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.answers import LogEvent
    from holdfast.domain.session.facts import Fact

SPOKEN, OTHER = StreamId("10000000-0000-4000-8000-000000000001"), StreamId("10000000-0000-4000-8000-000000000002")
ITEM = "item-0123456789abcdef0123456789abcdef"
WORDS = [f"word{number} " for number in range(100)]


def write(store: Store, name: StreamId, *facts: Fact) -> None:
    """Append facts to a session as a keeper would, and fold them into the views."""
    session = loaded(store, name)
    events = [
        Recorded(name, session.version + number, new_event_id(), number * 1_000_000, fact)
        for number, fact in enumerate(facts, 1)
    ]
    store.append_now(events, roster_row(fold(session, events)))
    while store.write(lambda transaction: projector.step(transaction.connection)):
        pass


def speak(store: Store, name: StreamId = SPOKEN) -> None:
    """Write a turn in which an agent speaks word by word."""
    pieces = [e.TextAppended(ITEM, word) for word in WORDS]
    asked = e.MessageSent("asked", of_text("Say many words."))
    created = e.SessionCreated("acp", "owner", agent="claude")
    write(store, name, created, asked, e.TurnStarted("t1"), *pieces, e.TurnEnded("t1", "end_turn"))


def shown(store: Store) -> list[object]:
    """Everything that people see: transcripts, rows without their places in the log, requests, what is found."""
    workspace = Workspace(store)
    with store.reading() as connection:
        items = connection.execute(select(schema.items).order_by(schema.items.c.stream, schema.items.c.ordinal))
        rows = connection.execute(select(schema.sessions.c.id, schema.sessions.c.row).order_by(schema.sessions.c.id))
        seen: list[object] = [*map(tuple, items), *((name, json.decode(row)) for name, row in map(tuple, rows))]
    return [*seen, workspace.inbox(), workspace.search(parse("word7")), workspace.search(parse("red"))]


def data_of(store: Store, name: StreamId, tag: str) -> list[str | None]:
    return [
        None if event.data is None else bytes(event.data).decode()
        for event in Workspace(store).events(session_id=name, types=[tag])
    ]


def test_a_message_is_whole_and_its_pieces_are_digests(store: Store, tmp_path: Path) -> None:
    speak(store)

    found = compact(store, SPOKEN)

    assert (found.sessions, found.messages, found.events) == (1, 1, 100)
    assert found.after < found.before
    assert data_of(store, SPOKEN, "text-appended") == [None] * 100
    (whole,) = data_of(store, SPOKEN, "message-compacted")
    assert json.decode(whole or "")["text"] == "".join(WORDS)
    verdict = verify(store.readers, tmp_path / "checkpoints")
    assert verdict.ok, verdict
    assert verdict.checked == 105


def test_nothing_that_people_see_changes(store: Store) -> None:
    speak(store)
    for number, name in enumerate(("a", "b", "c")):
        for session, events in history(StreamId(f"random-{name}"), Random(number), 120):
            store.append_now(events, roster_row(session))
    while store.write(lambda transaction: projector.step(transaction.connection)):
        pass
    before = shown(store)
    with store.reading() as connection:
        digests = fresh_digests(connection)
    sessions = [loaded(store, StreamId(name)) for name in (SPOKEN, "random-a", "random-b", "random-c")]

    for session in sessions:
        compact(store, session.id)

    assert shown(store) == before
    with store.reading() as connection:
        assert fresh_digests(connection) == digests
    store.write(lambda transaction: rebuild(transaction.connection, transaction.connection))
    assert shown(store) == before
    assert [(loaded(store, each.id).state, loaded(store, each.id).summary) for each in sessions] == [
        (each.state, each.summary) for each in sessions
    ]


def test_versions_stay_gapless_and_the_next_event_follows(store: Store) -> None:
    speak(store)
    compact(store, SPOKEN)

    write(store, SPOKEN, e.TextAppended(ITEM, "and one more"))

    with store.reading() as connection:
        assert one(connection, SPOKEN).preview.startswith("word0")
    session = Session(SPOKEN)
    assert [event.originator_version for event in store.events(SPOKEN)] == list(range(1, 107))
    assert fold(session, store.events(SPOKEN)).version == 106
    page = Workspace(store).page(SPOKEN)
    assert page.items[-1].text == "".join(WORDS) + "and one more"


def test_a_position_inside_a_compacted_message_shows_all_of_it(store: Store) -> None:
    speak(store)
    inside = next(event.position or 0 for event in store.events(SPOKEN) if event.originator_version == 30)
    compact(store, SPOKEN)

    moment = Moment(SPOKEN)
    for event in story(Workspace(store), SPOKEN, until=inside):
        moment.take(event)

    assert moment.page().items[-1].text == "".join(WORDS)
    assert moment.position == inside


def test_the_latest_events_have_their_words(store: Store) -> None:
    speak(store)
    before = list(store.events(SPOKEN))

    compact(store, SPOKEN)

    with store.reading() as connection:
        assert latest(connection, SPOKEN, 3)[0] == before[-2]
    assert list(store.events(SPOKEN))[: len(before)] == before
    assert list(store.log(stream=SPOKEN))[: len(before)] == before


def test_an_open_turn_is_left_alone(store: Store) -> None:
    speak(store)
    write(store, SPOKEN, e.TurnStarted("t2"), *(e.TextAppended("open", word) for word in WORDS))

    found = compact(store, SPOKEN)

    assert found.messages == 1
    assert None not in data_of(store, SPOKEN, "text-appended")[100:]


def test_doing_it_again_changes_nothing(store: Store) -> None:
    speak(store)
    compact(store)
    before = store.head()

    again = compact(store)

    assert (again.sessions, again.messages, again.events, again.before) == (0, 0, 0, again.after)
    assert store.head() == before


def test_without_a_name_only_what_saves_room_is_compacted(store: Store) -> None:
    speak(store)
    write(store, OTHER, e.SessionCreated("acp", "owner"), e.TextAppended("m", "a"), e.TextAppended("m", "b"))
    with store.reading() as connection:
        worth = {name: savings(connection, stream_number(connection, name) or 0) for name in (SPOKEN, OTHER)}

    found = compact(store)

    assert found.sessions == 1
    assert worth == {SPOKEN: found.before - found.after, OTHER: 0} or worth[SPOKEN] > 0 == worth[OTHER]
    assert None not in data_of(store, OTHER, "text-appended")
    assert compact(store, OTHER).messages == 1, "whoever names it means all of it"


def test_sessions_that_somebody_holds_are_left_alone_and_counted(store: Store) -> None:
    speak(store)
    speak(store, StreamId("free"))

    found = compact(store, held=lambda session: session == SPOKEN)

    assert (found.sessions, found.connected) == (1, 1)
    assert None not in data_of(store, SPOKEN, "text-appended")
    with pytest.raises(ConflictError, match="connected"):
        compact(store, SPOKEN, held=lambda _session: True)


def test_a_large_file_is_written_anew_only_where_that_gives_back_a_part_of_it(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "AT_ANY_RATE", 0)  # so that the file counts as large
    speak(sqlite_store)
    speak(sqlite_store, OTHER)

    monkeypatch.setattr(compacting, "WORTH", 1)  # all of it would have to come back
    little = compact(sqlite_store, SPOKEN)
    monkeypatch.setattr(compacting, "WORTH", 1_000_000)
    much = compact(sqlite_store, OTHER)

    assert little.events == much.events == len(WORDS)
    assert "less than a twentieth" in (little.remains or "")
    assert much.remains is None
    assert much.file_after < much.file_before


def test_a_session_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError):
        compact(store, StreamId("nobody"))


def test_a_compacted_session_can_be_erased(store: Store, tmp_path: Path) -> None:
    speak(store)
    compact(store, SPOKEN)

    erase(store, SPOKEN, actor=DAEMON)

    assert set(data_of(store, SPOKEN, "message-compacted")) == {None}
    assert isinstance(list(store.events(SPOKEN))[10].event, Unknown)
    assert compact(store, SPOKEN).events == 0
    verdict = verify(store.readers, tmp_path / "checkpoints")
    assert verdict.ok, verdict


def test_verifying_finds_a_payload_that_nothing_stands_for(store: Store, tmp_path: Path) -> None:
    speak(store)
    compact(store, SPOKEN)
    with store.reading() as connection:
        sent = select(schema.events).where(schema.events.c.type == "turn-started")
        victim = connection.execute(sent).one()

    def take_away(version_of: int) -> None:
        chosen = update(schema.events).where(schema.events.c.position == version_of)
        store.write(lambda transaction: transaction.connection.execute(chosen.values(data=None, digest=bytes(32))))

    take_away(victim.position)

    found = verify(store.readers, tmp_path / "checkpoints").first_bad
    assert found is not None
    assert (found.position, found.reason) == (victim.position, "tampered")


def test_verifying_finds_an_event_that_stands_for_what_it_does_not(store: Store, tmp_path: Path) -> None:
    speak(store)
    with store.reading() as connection:
        digests = connection.execute(select(schema.events.c.version, schema.events.c.position)).all()
    # Everything is hashed anew, so that the chain itself tells nothing: only the digest over the pieces does.
    empty = e.MessageCompacted(ITEM, "text", "x" * 100, (e.Pieces(4, (1,) * 100),), "0" * 64)
    write(store, SPOKEN, empty)
    victim = next(position for version, position in digests if version == 4)
    with store.reading() as connection:
        salt = connection.scalar(select(schema.keys.c.salt).where(schema.keys.c.id == SPOKEN)) or b""
        data = connection.scalar(select(schema.events.c.data).where(schema.events.c.position == victim)) or ""
    chosen = update(schema.events).where(schema.events.c.position == victim)
    values = {"data": None, "digest": payload_digest(salt, data.encode())}
    store.write(lambda transaction: transaction.connection.execute(chosen.values(values)))

    found = verify(store.readers, tmp_path / "checkpoints").first_bad
    assert found is not None
    assert (found.position, found.reason) == (victim, "tampered")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Store]:
    """Another store, to import to."""
    with open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/elsewhere.db"), environ={}) as store:
        yield store


class Log(Workspace):
    """A store as the importer of exports sees it."""

    def history(self, session_id: StreamId) -> Iterator[Recorded]:
        return (logged.recorded for logged in self.events(session_id=session_id))


def exported(store: Store, path: Path) -> Path:
    path.write_bytes(b"".join(jsonl.lines(origin(store, SPOKEN, 0))))
    return path


def imported(path: Path, store: Store) -> int:
    assert verify_exported(path).ok
    with path.open("rb") as file:
        added = restore(path, file, Log(store), lambda _line: None)
    while store.write(lambda transaction: projector.step(transaction.connection)):
        pass
    return added


def test_an_export_of_it_verifies_and_imports_back(store: Store, elsewhere: Store, tmp_path: Path) -> None:
    speak(store)
    compact(store, SPOKEN)

    added = imported(exported(store, tmp_path / "it.jsonl"), elsewhere)

    assert added == 105
    assert [item.text for item in Workspace(elsewhere).page(SPOKEN).items][-1] == "".join(WORDS)
    assert shown(elsewhere)[-3:] == shown(store)[-3:]
    assert verify(elsewhere.readers, tmp_path / "none").ok
    with elsewhere.reading() as connection:
        fresh_digests(connection)
    again = exported(elsewhere, tmp_path / "again.jsonl")
    assert verify_exported(again).ok
    assert imported(again, elsewhere) == 0


@pytest.mark.parametrize("compacted_first", ["here", "there"])
def test_an_export_is_recognised_whichever_side_was_compacted(
    store: Store, elsewhere: Store, compacted_first: str, tmp_path: Path
) -> None:
    speak(store)
    plain = exported(store, tmp_path / "plain.jsonl")
    compact(store, SPOKEN)
    smaller = exported(store, tmp_path / "smaller.jsonl")

    first, second = (smaller, plain) if compacted_first == "here" else (plain, smaller)

    assert [imported(first, elsewhere), imported(second, elsewhere)] == (
        [105, 0] if compacted_first == "here" else [104, 1]
    )
    compact(elsewhere, SPOKEN)
    assert verify(elsewhere.readers, tmp_path / "none").ok
    assert Workspace(elsewhere).page(SPOKEN).items[-1].text == "".join(WORDS)


def test_an_export_without_what_stands_for_its_pieces_does_not_verify(
    store: Store, elsewhere: Store, tmp_path: Path
) -> None:
    speak(store)
    compact(store, SPOKEN)
    write(store, SPOKEN, e.SessionRenamed("later"))
    path = exported(store, tmp_path / "it.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(line for line in lines if b"message-compacted" not in line))

    assert not verify_exported(cut).ok
    with cut.open("rb") as file, pytest.raises(TranscriptError):
        restore(cut, file, Log(elsewhere), lambda _line: None)
    assert elsewhere.head() == 0


def test_a_session_that_is_erased_while_it_is_exported_says_so(store: Store) -> None:
    speak(store)
    compact(store, SPOKEN)
    lines = jsonl.lines(origin(store, SPOKEN, 0))
    next(lines)

    erase(store, SPOKEN, actor=DAEMON)

    with pytest.raises(SessionErasedError):
        list(lines)


def test_the_log_itself_shows_that_the_pieces_are_gone(store: Store) -> None:
    speak(store)
    compact(store, SPOKEN)

    events: list[LogEvent] = list(Workspace(store).events(session_id=SPOKEN, types=["text-appended"]))

    assert {event.data for event in events} == {None}
