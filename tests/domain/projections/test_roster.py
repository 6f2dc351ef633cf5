from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from holdfast.domain.projections.roster import (
    FOREVER,
    Connection,
    ConnectionState,
    Metadata,
    Row,
    StatusWord,
    connection,
    row,
    status,
)
from holdfast.domain.session import events as e
from tests.domain.scene import HELLO, NAME, asks, given

if TYPE_CHECKING:
    from holdfast.domain.session.lifecycle import Attention, Lifecycle

ATTACHED = e.Attached("l1")


def test_a_row_tells_everything_that_a_list_shows() -> None:
    session = given(
        e.PromptQueued("p1", HELLO),
        e.PromptSent("p1", HELLO),
        e.TurnStarted("t1", "p1"),
        e.TextAppended("i1", "On it. "),
        asks(),
        e.PromptQueued("p2", HELLO),
        e.ModeChanged("plan"),
        e.InfoChanged("Tidy the shop", "large"),
        e.UsageReported("session", input=7),
        e.SessionPinned(pinned=True),
    )

    assert row(session) == Row(
        id=NAME,
        title="Tidy the shop",
        transport="acp",
        target="opencode acp",
        agent="opencode",
        cwd="/srv/shop",
        lifecycle="streaming",
        connection=Connection(),
        attention="needs_you",
        unread=2,
        pending=1,
        queued=1,
        mode="plan",
        pinned=True,
        muted_until=None,
        preview="On it.",
        created_at="2023-11-14T22:13:20.000Z",
        updated_at="2023-11-14T22:13:30.000Z",
        ended=None,
        metadata=Metadata(7, 2, "2023-11-14T22:13:24.000Z", "hello"),
        model="large",
    )


def test_a_session_that_nobody_named_is_called_by_its_first_words() -> None:
    assert row(given()).title == ""
    assert row(given(e.PromptSent("p1", HELLO))).title == "hello"


@pytest.mark.parametrize(
    ("fact", "until"),
    [
        (e.SessionMuted(muted=True), FOREVER),
        (e.SessionMuted(muted=True, until=0), "1970-01-01T00:00:00.000Z"),
        (e.SessionMuted(muted=True, until=10**30), FOREVER),
        (e.SessionMuted(muted=False, until=None), None),
    ],
)
def test_a_mute_says_until_when(fact: e.Fact, until: str | None) -> None:
    assert row(given(fact)).muted_until == until


def test_the_end_is_told_with_its_time() -> None:
    ended = row(given(e.SessionEnded("user")))

    assert (ended.lifecycle, ended.ended) == ("ended", "2023-11-14T22:13:21.000Z")


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ((), Connection("offline")),
        ((e.AttachRequested("l1"),), Connection("connecting")),
        ((ATTACHED,), Connection("connected")),
        ((ATTACHED, e.Detached("l1", "lost", "reset")), Connection("reconnecting", error="reset")),
        ((ATTACHED, e.Detached("l1", "failed", "crash")), Connection("failed", error="crash")),
        (
            (ATTACHED, e.Detached("l1", "gone", "no such session")),
            Connection("failed", error="no such session", code="gone"),
        ),
        ((ATTACHED, e.Detached("l1", "hibernated")), Connection("hibernated")),
        ((ATTACHED, e.Detached("l1", "closed")), Connection("offline")),
        ((ATTACHED, e.Detached("l1", "exited", "status 1")), Connection("offline", error="status 1")),
        ((ATTACHED, e.SessionEnded("user")), Connection("offline")),
        ((ATTACHED, e.Detached("l1", "lost", "reset"), e.SessionEnded("user")), Connection("offline", error="reset")),
        ((ATTACHED, e.SessionEnded("user"), e.Detached("l1", "lost")), Connection("offline")),
    ],
)
def test_the_connection_is_what_the_session_itself_knows_of_it(facts: tuple[e.Fact, ...], shown: Connection) -> None:
    assert connection(given(*facts).state) == shown


@pytest.mark.parametrize(
    ("lifecycle", "attention", "state", "word"),
    [
        ("ended", "needs_you", "failed", "ended"),
        ("streaming", "needs_you", "failed", "needs_you"),
        ("streaming", "failed", "connected", "failed"),
        ("created", "none", "failed", "failed"),
        ("connected", "none", "gave_up", "failed"),
        ("streaming", "unread", "reconnecting", "working"),
        ("unread", "unread", "reconnecting", "reconnecting"),
        ("created", "none", "connecting", "reconnecting"),
        ("unread", "unread", "hibernated", "unread"),
        ("connected", "none", "hibernated", "hibernated"),
        ("connected", "none", "connected", "idle"),
        ("created", "none", "offline", "idle"),
    ],
)
def test_the_status_is_the_most_pressing_word(
    lifecycle: Lifecycle, attention: Attention, state: ConnectionState, word: StatusWord
) -> None:
    listed = replace(row(given()), lifecycle=lifecycle, attention=attention, connection=Connection(state))

    assert status(listed) == word
