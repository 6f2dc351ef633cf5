"""Icon, tooltip and menu as pure functions of one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from msgspec import Raw
from msgspec.structs import replace

from holdfast.domain.notifying.settings import NotificationSettings
from holdfast.domain.preferences import Chosen, TraySettings
from holdfast.domain.projections import roster
from holdfast.domain.projections.inbox import Request
from holdfast.domain.projections.roster import Connection, Row
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e
from holdfast.frontends.tray.menu import menu
from holdfast.frontends.tray.picture import WORDS, picture
from holdfast.frontends.tray.state import Contact, State, matters, most_urgent, ordered
from tests.domain.scene import ALLOW, DENY, HELLO, START, asks, given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.frontends.tray.port import Entry, Mark


def a_row(*facts: e.Fact, name: str = "s1", title: str = "Shop") -> Row:
    return replace(roster.row(given(*facts)), id=name, title=title)


NEEDY = a_row(e.TurnStarted("t1"), asks())
WORKING = a_row(e.TurnStarted("t1"), name="s2")
FAILED = a_row(e.TurnUnknown("t1", "?"), name="s3")
UNREAD = a_row(e.TurnStarted("t1"), e.TextAppended("m1", "hi"), e.TurnEnded("t1", "end_turn"), name="s4")
IDLE = a_row(name="s5")
LOST = replace(a_row(name="s6"), connection=Connection("reconnecting"))
ENDED = a_row(e.SessionEnded("user"), name="s7")
SLEEPING = a_row(e.AttachRequested("l1"), e.Attached("l1"), e.Detached("l1", "hibernated"), name="s8")


def waits(row: Row = NEEDY, name: str = "r1", input_: bytes = b'{"path":"a_b.py"}', title: str = "Read it") -> Request:
    return Request(name, StreamId(row.id), "t1", title, Raw(input_), (ALLOW, DENY), START)


def connected(*rows: Row, waiting: tuple[tuple[Request, str | None], ...] = (), **chosen: object) -> State:
    return State(
        "connected",
        ordered(row for row in rows if matters(row)),
        waiting,
        Chosen(notifications=replace(NotificationSettings(), **chosen)),
        now=START,
    )


def lines(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        yield from lines(entry.children)


def labels(state: State) -> list[str]:
    return [entry.label for entry in lines(menu(state)) if entry.label]


@pytest.mark.parametrize(
    ("rows", "mark", "title"),
    [
        ((), "idle", "Holdfast: all is quiet"),
        ((IDLE, SLEEPING, ENDED), "idle", "Holdfast: all is quiet"),
        ((WORKING, IDLE), "working", "Holdfast: 1 works"),
        ((NEEDY, WORKING, FAILED), "needs_you", "Holdfast: 1 needs you, 1 failed, 1 works"),
        ((UNREAD, LOST), "idle", "Holdfast: 1 is reconnecting, 1 has news"),
        ((NEEDY, replace(NEEDY, id="s9")), "needs_you", "Holdfast: 2 need you"),
    ],
)
def test_the_icon_counts(rows: tuple[Row, ...], mark: Mark, title: str) -> None:
    shown = picture(rows, "connected", keep_running=False)

    assert (shown.mark, shown.title) == (mark, title)


@pytest.mark.parametrize(
    ("contact", "mark"),
    [("connecting", "reconnecting"), ("disconnected", "reconnecting"), ("denied", "reconnecting"), ("down", "down")],
)
def test_what_is_known_no_more_is_not_counted(contact: Contact, mark: Mark) -> None:
    shown = picture((NEEDY,), contact, keep_running=True)

    assert (shown.mark, shown.number) == (mark, 0)
    assert shown.lines == (WORDS[contact], "Background mode is on: the daemon keeps running")


def test_a_click_opens_what_needs_somebody_longest_else_the_most_pressing() -> None:
    later = replace(NEEDY, id="s9", updated_at="2030-01-01T00:00:00.000Z")
    waiting = ((waits(NEEDY), None), (waits(later, "r2"), None))

    assert most_urgent(connected(WORKING, later, NEEDY, waiting=waiting)) == NEEDY
    assert most_urgent(connected(WORKING, FAILED, UNREAD)) == FAILED
    assert most_urgent(connected(IDLE)) is None


def test_only_what_needs_somebody_is_listed() -> None:
    state = connected(NEEDY, WORKING, FAILED, waiting=((waits(), "read"),))

    (entry,) = [entry for entry in menu(state) if entry.key[0] == "session"]

    assert entry.label == "Shop: Read it"
    assert [child.label for child in entry.children] == [
        "Open on the page", "Open in a terminal", "", "Read it", '{"path":"a_b.py"}', "Allow this once",
        "Deny this once", "", "Mute",
    ]  # fmt: skip


def test_what_may_be_known_by_those_who_look_over_a_shoulder() -> None:
    named_by_its_prompt = a_row(
        e.PromptQueued("p1", HELLO), e.PromptSent("p1", HELLO), asks(turn_id=None), title="hello"
    )
    state = connected(named_by_its_prompt, waiting=((waits(named_by_its_prompt), "read"),), preview=False)

    told = labels(state)

    assert "opencode" in told
    assert not [label for label in told if "hello" in label or "a_b" in label or "this once" in label]


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (waits(), None),
        (waits(), "execute"),
        (waits(input_=b'{"path":"' + b"a" * 80 + b'"}'), "read"),
        (waits(title="\n".join("abcdefg")), "read"),
        (waits(title="Read \u202eit"), "read"),
    ],
)
def test_what_is_not_seen_whole_or_does_more_than_look_is_not_allowed_here(request_: Request, kind: str | None) -> None:
    told = labels(connected(NEEDY, waiting=((request_, kind),)))

    assert "Allow this once" not in told
    assert "Deny this once" in told


def test_what_an_agent_calls_things_stays_on_its_line() -> None:
    hostile = waits(title="a\nb\x1b[31m\u202e" + "c" * 100)

    assert all(
        "\n" not in label and "\x1b" not in label and "\u202e" not in label and len(label) <= 90
        for label in labels(connected(NEEDY, waiting=((hostile, None),)))
    )


def test_more_than_a_screen_of_sessions_is_counted() -> None:
    rows = [replace(NEEDY, id=f"s{number}") for number in range(20)]
    state = connected(*rows, waiting=tuple((waits(row, f"r-{row.id}"), None) for row in rows))

    assert len([entry for entry in menu(state) if entry.key[0] == "session"]) == 12
    assert "and 8 more" in labels(state)


def test_every_line_has_a_key_of_its_own() -> None:
    again = waits(name="r2")
    keys = [entry.key for entry in lines(menu(connected(NEEDY, waiting=((waits(), "read"), (again, "read")))))]

    assert len(keys) == len(set(keys))


def test_without_a_daemon_it_can_be_started_and_nothing_answered() -> None:
    state = replace(connected(NEEDY, waiting=((waits(), "read"),)), contact="down")

    told = labels(state)

    assert "Start the daemon" in told
    assert "The daemon is not running" in told
    assert not [label for label in told if "this once" in label or "Open" in label]


def test_without_a_page_only_the_terminal_is_offered() -> None:
    told = labels(replace(connected(), page=False))

    assert "Open in a terminal" in told
    assert "Open the page" not in told


def test_quiet_hours_and_mutes_are_told_in_words() -> None:
    until = datetime.fromtimestamp(START / 1_000_000 + 3_600, UTC)
    told = labels(connected(quiet_hours="22:00-07:00", time_zone="Europe/Berlin", muted_until=until))

    assert "Quiet hours: 22:00-07:00 (Europe/Berlin)" in told
    assert "Notifications: muted" in told
    assert "Muted until 2023-11-14 23:13 UTC: notify again" in told
    assert "Mute all" not in told
    assert "Notifications: off" in labels(connected(enabled=False))


def test_a_mute_that_is_over_is_none() -> None:
    told = labels(connected(muted_until=datetime.fromtimestamp(START / 1_000_000 - 1, UTC)))

    assert "Mute all" in told
    assert "Notifications" in told


def test_a_muted_session_can_be_heard_again() -> None:
    muted = replace(NEEDY, muted_until=roster.FOREVER)

    assert "Notify again" in labels(connected(muted, waiting=((waits(muted), None),)))


def test_close_asks_once() -> None:
    asking = labels(connected())
    asked = labels(replace(connected(), chosen=Chosen(TraySettings(keep_running=False))))

    assert "Should the daemon keep running in the background?" in asking
    assert "Should the daemon keep running in the background?" not in asked
    assert "Close" in asked
    assert "Quit" in asking
    assert "Quit" in asked


def test_what_is_wrong_with_the_settings_comes_first() -> None:
    state = replace(connected(), trouble="config.toml cannot be used: why")

    assert menu(state)[0].label == "config.toml cannot be used: why"
