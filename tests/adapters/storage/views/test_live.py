"""Views that are kept up in bites while sessions are at work show what the log says at every moment."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.views import passages, projector, transcript
from holdfast.adapters.storage.views.live import Bites, Next
from holdfast.adapters.storage.views.tables import tracked
from holdfast.domain.content import of_text
from holdfast.domain.errors import HoldfastError
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.search.query import parse
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.storage.views.test_views import ONE, a_session, say
from tests.domain.histories import commands

if TYPE_CHECKING:
    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.workspace import Workspace

ME = Actor("human", "cli")
STEPS = ("fold", "gather", "write", "beside", "rest", "all", "step", "anew")


def finish(store: Store, bites: Bites) -> None:
    while store.fold(bites.fold):
        pass
    while store.fold(partial(bites.index, everything=True)):
        pass


def gather(store: Store, bites: Bites) -> Next:
    """Take one step of folding beside the writer."""
    with store.reading() as connection:
        return bites.gather(connection)


def finish_beside(store: Store, bites: Bites) -> None:
    """Fold all that is there as the daemon does."""
    while (what := gather(store, bites)) != "nothing":
        if what == "fold" or (what == "write" and not store.fold(bites.write)):
            store.fold(bites.fold)


def found(workspace: Workspace, word: str) -> list[str]:
    return [hit.snippet for hit in workspace.search(parse(word))]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    histories=st.lists(commands(max_size=15), min_size=1, max_size=3),
    turns=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(STEPS)), max_size=40),
)
def test_views_kept_up_in_any_bites_equal_views_built_anew(
    workspace: Workspace, store: Store, histories: list[list[c.Command]], turns: list[tuple[int, str]]
) -> None:
    names = [StreamId(str(uuid4())) for _ in histories]
    left = [iter(history) for history in histories]
    bites = Bites()

    for which, then in [*turns, *((number % len(names), "") for number in range(45))]:
        command = next(left[which % len(names)], None)
        if command is not None:
            with suppress(HoldfastError):  # a refusal changes nothing
                workspace.execute(names[which % len(names)], command, cause=None, actor=ME)
        match then:
            case "fold":
                store.fold(bites.fold)
            case "rest" | "all":
                store.fold(partial(bites.index, everything=then == "all"))
            case "step":
                store.write(lambda transaction: projector.step(transaction.connection, size=3))
            case "gather":
                gather(store, bites)
            case "write":
                store.fold(bites.write)
            case "beside":
                finish_beside(store, bites)
            case "anew":
                bites = Bites()
            case _:
                pass
    finish(store, bites)

    with store.reading() as connection:
        assert tracked(connection, passages.NAME) == tracked(connection, transcript.NAME) == store.head()
    assert workspace.digests() == workspace.rebuild()


def test_an_item_that_grows_is_found_before_it_is_indexed_and_not_twice_after(
    workspace: Workspace, store: Store
) -> None:
    bites = Bites()
    a_session(workspace)
    finish(store, bites)
    say(
        workspace,
        ONE,
        c.QueuePrompt("p2", of_text("on")),
        c.StartTurn("t2"),
        c.Observe((e.TextAppended("t2.1", "a heron stands"),)),
    )
    store.fold(bites.fold)
    store.fold(lambda connection: bites.index(connection, everything=False))
    with store.reading() as connection:
        assert tracked(connection, passages.NAME) < tracked(connection, transcript.NAME), "it may still grow"

    assert len(found(workspace, "heron")) == 1
    say(workspace, ONE, c.Observe((e.TextAppended("t2.1", " and waits"),)))
    assert len(found(workspace, "heron waits")) == 1
    finish(store, bites)
    assert len(found(workspace, "heron waits")) == 1
    assert found(workspace, "ostrich") == []


def test_a_session_that_is_erased_leaves_no_word_behind(workspace: Workspace, store: Store) -> None:
    bites = Bites()
    a_session(workspace)
    finish(store, bites)
    say(workspace, ONE, c.Observe((e.TextAppended("t1.9", "zanzibar"),)))
    store.fold(bites.fold)

    workspace.erase(ONE, actor=ME)
    finish(store, bites)

    assert found(workspace, "zanzibar") == []
    assert workspace.digests() == workspace.rebuild()


def test_nothing_of_a_session_that_is_erased_while_it_is_folded_comes_back(workspace: Workspace, store: Store) -> None:
    bites = Bites()
    a_session(workspace)
    finish(store, bites)
    say(workspace, ONE, c.Observe((e.TextAppended("t1.9", "zanzibar"),)))
    assert gather(store, bites) == "more"
    assert gather(store, bites) == "write"

    workspace.erase(ONE, actor=ME)

    assert not store.fold(bites.write)
    with store.reading() as connection:
        assert not any("zanzibar" in body for body in connection.scalars(select(schema.items.c.body)))
    finish_beside(store, bites)
    finish(store, bites)
    assert workspace.digests() == workspace.rebuild()
