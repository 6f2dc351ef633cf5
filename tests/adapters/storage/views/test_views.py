"""What the stored views show is what the log says, however far they are folded, on both dialects."""

from __future__ import annotations

import signal
from contextlib import suppress
from functools import partial
from threading import Event, main_thread
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.views.source import SIZE
from holdfast.adapters.storage.workspace import Workspace
from holdfast.domain.content import of_text
from holdfast.domain.errors import (
    AmbiguousNameError,
    CursorError,
    HoldfastError,
    NotFoundError,
    SessionEndedError,
    StoreDamagedError,
    ViewsDifferError,
)
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.domain.histories import commands
from tests.domain.scene import asks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.writer import WriteTransaction

ME = Actor("human", "cli")
ONE = StreamId("aaaa1111-0000-4000-8000-000000000001")
TWO = StreamId("aaaa2222-0000-4000-8000-000000000002")


def say(workspace: Workspace, session: StreamId, *commands: c.Command) -> None:
    for command in commands:
        workspace.execute(session, command, cause=None, actor=ME)


def a_session(workspace: Workspace, session: StreamId = ONE, title: str = "shop") -> None:
    say(
        workspace,
        session,
        c.Create("acp", title=title),
        c.QueuePrompt("p1", of_text("hello")),
        c.StartTurn("t1"),
        c.Observe((e.TextAppended("t1.1", "Hi "), e.TextAppended("t1.1", "there"), e.TurnEnded("t1", "end_turn"))),
    )


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    histories=st.lists(commands(max_size=15), min_size=1, max_size=3),
    turns=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=40),
)
def test_views_folded_in_any_steps_equal_views_built_anew(
    workspace: Workspace, store: Store, histories: list[list[c.Command]], turns: list[tuple[int, int]]
) -> None:
    names = [StreamId(str(uuid4())) for _ in histories]
    left = [iter(history) for history in histories]
    in_turn = [(which % len(names), size) for which, size in turns]
    in_order = [(which, 0) for which, history in enumerate(histories) for _ in history]

    for which, size in [*in_turn, *in_order]:
        command = next(left[which], None)
        if command is None:
            continue
        with suppress(HoldfastError):  # a refusal changes nothing
            workspace.execute(names[which], command, cause=None, actor=ME)
        if size:
            store.write(partial(_step, size))

    shown = {name: workspace.page(name, limit=1_000).items for name in names if name in _listed(workspace)}
    inbox = workspace.inbox()
    workspace.catch_up()
    assert workspace.inbox() == inbox, "what is not folded yet is shown all the same"
    assert {name: workspace.page(name, limit=1_000).items for name in shown} == shown
    assert workspace.digests() == workspace.rebuild()


def _step(size: int, transaction: WriteTransaction) -> int:
    return projector.step(transaction.connection, size=size)


def _listed(workspace: Workspace) -> set[str]:
    return {row.id for row in workspace.rows(ended=True)}


def test_an_answer_is_shown_with_its_time_whether_it_is_folded_or_not(workspace: Workspace) -> None:
    a_session(workspace)
    say(workspace, ONE, c.Observe((asks("r1", None),)), c.Answer("r1", "allow", arguments_hash="hash-of-ls"))
    (answered,) = (logged.recorded for logged in workspace.events(types=["permission-answered"]))

    fresh = workspace.page(ONE, limit=1).items
    workspace.catch_up()

    assert [item.decided_at for item in fresh] == [answered.recorded_at]
    assert workspace.page(ONE, limit=1).items == fresh
    assert workspace.digests() == workspace.rebuild()


def test_everything_but_the_log_can_be_dropped_and_comes_back(
    workspace: Workspace, store: Store, reopened: Callable[[], Workspace]
) -> None:
    a_session(workspace)
    say(workspace, ONE, c.Observe((asks("r1"),)))
    workspace.catch_up()
    before, rows, inbox = workspace.digests(), workspace.rows(), workspace.inbox()

    def drop(transaction: WriteTransaction) -> None:
        for table in schema.metadata.sorted_tables:
            if table.name not in schema.LASTING:
                transaction.connection.execute(text(f"DROP TABLE {table.name}"))

    store.write(drop)
    workspace = reopened()

    assert workspace.rebuild() == before
    assert (workspace.rows(), workspace.inbox()) == (rows, inbox)


@pytest.mark.parametrize("table", ["sessions", "items", "inbox", "projections", "links"])
def test_a_single_view_that_was_dropped_is_back_as_soon_as_somebody_writes(
    workspace: Workspace, store: Store, reopened: Callable[[], Workspace], table: str
) -> None:
    a_session(workspace)
    say(workspace, ONE, c.Observe((asks("r1"),)))
    workspace.catch_up()
    rows, page, inbox = workspace.rows(), workspace.page(ONE), workspace.inbox()
    store.write(lambda transaction: transaction.connection.execute(text(f"DROP TABLE {table}")).rowcount)

    workspace = reopened()

    assert (workspace.rows(), workspace.page(ONE), workspace.inbox()) == (rows, page, inbox)
    assert workspace.digests()


def test_a_rebuild_does_not_forget_an_erasure_that_is_to_be_finished(workspace: Workspace, store: Store) -> None:
    a_session(workspace)
    mark = {"name": "erasure", "position": 0}
    store.write(lambda transaction: transaction.connection.execute(insert(schema.projections), mark).rowcount)

    workspace.rebuild()

    with store.reading() as connection:
        assert "erasure" in connection.scalars(select(schema.projections.c.name)).all()


def test_a_reader_who_misses_a_view_is_told_how_to_get_it_back(workspace: Workspace, store: Store) -> None:
    a_session(workspace)
    store.write(lambda transaction: transaction.connection.execute(text("DROP TABLE items")).rowcount)

    with pytest.raises(StoreDamagedError, match="lacks its table items: run holdfast rebuild"):
        workspace.page(ONE)


@pytest.mark.parametrize(("table", "column"), [("sessions", "row"), ("items", "body"), ("inbox", "body")])
def test_a_view_that_cannot_be_read_is_no_bug_and_built_anew(
    workspace: Workspace, store: Store, table: str, column: str
) -> None:
    a_session(workspace)
    say(workspace, ONE, c.Observe((e.TurnStarted("t2"), asks("r1", "t2"))))
    workspace.catch_up()
    good = workspace.digests()
    damage = text(f"UPDATE {table} SET {column} = 'nonsense'")
    store.write(lambda transaction: transaction.connection.execute(damage).rowcount)

    with pytest.raises(StoreDamagedError, match="holdfast rebuild"):
        _ = workspace.rows(), workspace.page(ONE), workspace.inbox()
    assert workspace.rebuild() == good


@pytest.mark.parametrize("table", ["sessions", "events"])
def test_text_that_is_no_text_is_damage_and_not_quoted(tmp_path: Path, table: str) -> None:
    with open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db")) as store:
        workspace = Workspace(store)
        a_session(workspace)
        column = "row" if table == "sessions" else "data"
        damage = text(f"UPDATE {table} SET {column} = CAST(x'7365637265743aff' AS TEXT)")
        store.write(lambda transaction: transaction.connection.execute(damage).rowcount)

        with pytest.raises(StoreDamagedError, match=r"no UTF-8: run `holdfast verify`") as told:
            _ = workspace.rows(), list(workspace.events())
    assert "secret" not in str(told.value)


def test_a_view_that_was_tampered_with_is_noticed_and_built_anew(workspace: Workspace, store: Store) -> None:
    a_session(workspace)
    workspace.catch_up()
    good = workspace.digests()
    forged = update(schema.items).values(body='{"id":"t1.1","kind":"message","text":"never said"}')
    store.write(lambda transaction: transaction.connection.execute(forged).rowcount)

    with pytest.raises(ViewsDifferError, match="transcript"):
        workspace.digests()
    assert workspace.rebuild() == good


def test_a_rebuild_that_is_interrupted_leaves_the_old_views_and_does_not_go_on(
    workspace: Workspace, store: Store
) -> None:
    """Given a person who presses Ctrl-C after the first of many batches."""
    a_session(workspace)
    say(workspace, ONE, c.Observe(tuple(e.TextAppended("m", str(number)) for number in range(3 * SIZE))))
    workspace.catch_up()
    before = workspace.digests()
    told: list[int] = []
    gave_up = Event()

    def report(_what: str, done: int, _total: int | None) -> None:
        told.append(done)
        if len(told) == 1:
            signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)
        else:
            gave_up.wait(timeout=10)

    with pytest.raises(KeyboardInterrupt):
        workspace.rebuild(report)
    gave_up.set()

    assert workspace.digests() == before
    store.write(lambda transaction: transaction.connection.execute(text("SELECT 1")).rowcount)
    assert len(told) <= 2


def test_a_transcript_is_read_in_pages_from_the_end(workspace: Workspace) -> None:
    say(workspace, ONE, c.Create("acp"))
    for number in range(25):
        say(workspace, ONE, c.Observe((e.TextAppended(f"m{number}", str(number)),)))
        if number == 12:
            workspace.catch_up()

    seen: list[str] = []
    before: str | None = None
    while True:
        page = workspace.page(ONE, before=before, limit=10)
        seen = [item.text for item in page.items] + seen
        before = page.before
        if before is None:
            break

    assert seen == [str(number) for number in range(25)]


@pytest.mark.parametrize("cursor", ["x", "-1", "", "9" * 30])
def test_a_cursor_that_is_none_is_refused(workspace: Workspace, cursor: str) -> None:
    a_session(workspace)
    with pytest.raises(CursorError):
        workspace.page(ONE, before=cursor)


def test_the_last_turn_begins_where_the_person_spoke_last(workspace: Workspace) -> None:
    a_session(workspace)
    say(
        workspace,
        ONE,
        c.QueuePrompt("p2", of_text("again")),
        c.StartTurn("t2"),
        c.Observe((e.TextAppended("t2.1", "yes"),)),
    )
    turn = workspace.last_turn(ONE)
    assert [item.text for item in turn.items] == ["again", "yes"]
    assert turn.before is not None


def test_the_roster_shows_what_is_pressing_first_and_what_ended_only_when_asked(workspace: Workspace) -> None:
    idle, ended, waiting = (StreamId(f"bbbb{n}") for n in range(3))
    for name in (waiting, idle, ended):
        say(workspace, name, c.Create("acp"))
    say(workspace, waiting, c.Observe((asks("r1", None),)))
    say(workspace, ended, c.End())
    say(workspace, idle, c.Rename("newest"))

    assert [row.id for row in workspace.rows()] == [waiting, idle]
    assert [row.id for row in workspace.rows(ended=True)] == [waiting, idle, ended]
    say(workspace, idle, c.Pin())
    assert [row.id for row in workspace.rows()] == [idle, waiting]
    assert workspace.row(idle).position == workspace.page(idle).position


def test_a_session_is_named_by_id_prefix_or_title(workspace: Workspace) -> None:
    a_session(workspace, ONE, 'a "quoted" 100%_title')
    a_session(workspace, TWO, "other")

    assert workspace.resolve(ONE) == ONE
    assert workspace.resolve("aaaa1") == ONE
    assert workspace.resolve('a "quoted" 100%_title') == ONE
    assert workspace.resolve("other") == TWO


@pytest.mark.parametrize("name", ["aaa", "", "nothing", "oth%", "aaa_1", "ot\\her", "\0"])
def test_a_name_that_fits_nothing_is_not_found(workspace: Workspace, name: str) -> None:
    a_session(workspace, ONE, "other")
    with pytest.raises(NotFoundError):
        workspace.resolve(name)


def test_a_name_that_fits_several_is_ambiguous_and_names_them(workspace: Workspace) -> None:
    a_session(workspace, ONE)
    a_session(workspace, TWO)
    for name in ("aaaa", "shop"):
        with pytest.raises(AmbiguousNameError) as refusal:
            workspace.resolve(name)
        assert refusal.value.candidates == (ONE, TWO)


def test_the_same_command_again_answers_what_it_led_to_the_first_time(
    workspace: Workspace, reopened: Callable[[], Workspace]
) -> None:
    say(workspace, ONE, c.Create("acp"))
    first = workspace.execute(ONE, c.QueuePrompt("p1", of_text("once")), cause="client-7", actor=ME)
    workspace = reopened()
    again = workspace.execute(ONE, c.QueuePrompt("p9", of_text("twice")), cause="client-7", actor=ME)

    assert [event.event_id for event in again] == [event.event_id for event in first]
    assert workspace.row(ONE).queued == 1


def test_a_refused_command_writes_nothing(workspace: Workspace) -> None:
    say(workspace, ONE, c.Create("acp"), c.End())
    before = len(list(workspace.events()))
    with pytest.raises(SessionEndedError):
        workspace.execute(ONE, c.QueuePrompt("p1", of_text("late")), cause="x", actor=ME)
    assert len(list(workspace.events())) == before


def test_events_are_listed_by_position_session_and_type(workspace: Workspace) -> None:
    a_session(workspace, ONE)
    a_session(workspace, TWO)

    positions = [event.recorded.position for event in workspace.events()]
    assert positions == list(range(1, len(positions) + 1))
    assert {event.recorded.originator_id for event in workspace.events(session_id=TWO)} == {TWO}
    assert [event.type for event in workspace.events(types=["turn-ended"])] == ["turn-ended"] * 2
    assert [event.recorded.position for event in workspace.events(since=positions[-2] or 0)] == positions[-1:]
    assert list(workspace.events(session_id=StreamId("nobody"))) == []
