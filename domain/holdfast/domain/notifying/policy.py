"""Who is told what: only of a change that matters, once, and not where somebody is looking."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain import attachments
from holdfast.domain.content import text_of
from holdfast.domain.escaping import block, one_line
from holdfast.domain.notifying.settings import NotificationSettings, quiet_hours
from holdfast.domain.notifying.standing import KEPT_TEXT, Answer, Kind, Standing, Telling, evolve
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from msgspec import Raw

    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.events import Option

STALE_S: Final = 60
"""An event that is older when it arrives is history that was caught up on: the icon shows what is left of it."""

SHOWN_CHARACTERS: Final = 240
SHOWN_LINES: Final = 6
"""What notifications show everywhere. A question that is longer has to be opened, and cannot be allowed unseen."""

ATTACHMENT: Final = f'"{attachments.KEY}"'.encode()
"""Stands where a part of the arguments is too long to be shown."""

LOOKING: Final = frozenset({"read", "search", "think"})
"""Kinds of tools that change nothing and send nothing."""

_PRESSING: Final[tuple[Kind, ...]] = ("needs_you", "failed", "message", "finished")
_TITLE: Final = 60
_FAILURES: Final = frozenset({"session-ended"})
_UNEVENTFUL: Final = frozenset({"cancelled", "session-ended", "unrecorded", "not_delivered"})
"""Ends of turns that a person asked for, or that no agent said."""

Reason = Literal["disabled", "focused", "muted", "quiet", "imported", "history", "told", "repeated"]


class Circumstances(Struct, frozen=True):
    """What beside the log decides.

    Attributes:
        now: Microseconds since the epoch.
        wall: What the clock on the wall shows then, in the time zone of the quiet hours.
        focused: Whether somebody looks at the session, on any frontend.
    """

    settings: NotificationSettings
    now: int
    wall: time
    focused: bool = False


class Show(Struct, frozen=True):
    """Show the one notification of a session, or change it.

    Attributes:
        item_id: The item that a click opens.
        kind: The most pressing of what it tells.
        count: How many things it tells.
        answers: What can be answered in it.
        sound: Whether the desktop may play one.
        news: The item that is to be noted as told, before it is shown; None changes what stands already, and is left
            alone where the person has closed it.
    """

    session_id: StreamId
    item_id: str
    kind: Kind
    summary: str
    body: str
    count: int = 1
    answers: tuple[Answer, ...] = ()
    sound: bool = True
    news: str | None = None


class Withdraw(Struct, frozen=True):
    """Take the notification of a session back."""

    session_id: StreamId


class Silent(Struct, frozen=True):
    """Something happened of which people are told, and they are not."""

    reason: Reason


Outcome = Show | Withdraw | Silent


def decide(known: Standing, recorded: Recorded, around: Circumstances) -> tuple[Standing, Outcome | None]:
    """Return what is known after an event of the log, and what is to be done about it.

    Events of a session come in the order of the log; those that were there before `known` was begun never come.
    """
    after = evolve(known, recorded)
    session_id = recorded.originator_id
    news = _news(after, recorded, around.settings)
    if news is None:
        if after.open == known.open:
            return after, None
        return after, _shown(session_id, after, around, None) if after.open else Withdraw(session_id)
    reason = _silence(after, recorded, news, around)
    if reason is not None:
        return after, Silent(reason)
    after = replace(after, open=(*after.open, news))
    return after, _shown(session_id, after, around, news.item_id)


def may_allow(title: str, input_: Raw, kind: str | None, settings: NotificationSettings) -> bool:
    """Return whether a question may be allowed without opening it: all of it is seen, and it can do no harm."""
    if settings.allow == "nothing" or not settings.preview or ATTACHMENT in bytes(input_):
        return False
    return _fits(question(title, input_)) and (settings.allow == "anything" or kind in LOOKING)


def answers(request_id: str, options: tuple[Option, ...], *, allow: bool) -> tuple[Answer, ...]:
    """Return the answers to offer: never one that would hold for longer than this once."""
    wanted = (("allow_once", "Allow"), ("reject_once", "Deny"))
    found: list[Answer] = []
    for kind, label in wanted:
        offered = [each for each in options if each.kind == kind]
        if len(offered) == 1 and (allow or kind != "allow_once"):
            found.append(Answer(request_id, offered[0].option_id, label))
    return tuple(found)


def question(title: str, input_: Raw) -> str:
    """Return what is asked, with its exact arguments."""
    arguments = bytes(input_).decode("utf-8", "replace")
    return f"{title}\n{arguments}" if arguments not in ("", "{}", "null") else title


def _news(known: Standing, recorded: Recorded, settings: NotificationSettings) -> Telling | None:
    fact, version = recorded.event, recorded.originator_version
    match fact:
        case e.PermissionRequested(request_id=request_id, title=title, input=input_, options=options):
            allow = may_allow(title, input_, known.tool(fact.item_id), settings)
            offered = answers(request_id, options, allow=allow) if settings.preview else ()
            return Telling(request_id, "needs_you", question(title, input_)[:KEPT_TEXT], version, offered)
        case e.TurnInterrupted(reason=reason) | e.TurnUnknown(reason=reason):
            return Telling(f"notice-{version}", "failed", reason, version)
        case e.Detached(reason="failed" | "gone", error=error):
            return Telling(f"notice-{version}", "failed", error or "it could not be connected", version)
        case e.PromptFailed(reason=reason, detail=detail, prompt_id=prompt_id) if reason not in _FAILURES:
            return Telling(prompt_id, "failed", detail or reason, version)
        case e.MessageReceived(item_id=item_id, content=content):
            return Telling(item_id, "message", text_of(content)[:KEPT_TEXT], version)
        case e.TurnEnded(stop_reason=stop) if stop not in _UNEVENTFUL and known.said_at > known.read:
            if known.queued:
                return None  # it goes on with the next prompt
            # Who has read its last words has read it: the end itself is nothing to be seen.
            return Telling(known.item_id or f"turn-{version}", "finished", known.said, known.said_at)
        case _:
            return None


def _silence(known: Standing, recorded: Recorded, news: Telling, around: Circumstances) -> Reason | None:
    settings = around.settings
    if known.imported or recorded.occurred_at is not None:
        return "imported"
    if recorded.recorded_at < around.now - STALE_S * 1_000_000:
        return "history"
    if news.item_id in known.told:
        return "told"
    if news.kind == "failed" and any(each.kind == "failed" for each in known.open):
        return "repeated"
    if around.focused:
        return "focused"
    if not settings.enabled:
        return "disabled"
    if known.muted and (known.muted_until is None or around.now < known.muted_until):
        return "muted"
    if settings.muted_until is not None and around.now < settings.muted_until.timestamp() * 1_000_000:
        return "muted"
    hours = quiet_hours(settings.quiet_hours)
    return "quiet" if hours is not None and hours.holds(around.wall) else None


def _shown(session_id: StreamId, known: Standing, around: Circumstances, news: str | None) -> Show:
    """Return the one notification: the most pressing of what is open, the latest of its kind."""
    kind: Kind = next(kind for kind in _PRESSING if any(each.kind == kind for each in known.open))
    alike = [each for each in known.open if each.kind == kind]
    top = alike[-1]
    preview = around.settings.preview
    return Show(
        session_id,
        top.item_id,
        kind,
        _summary(known, kind, len(alike), preview=preview),
        _clipped(top.text) if preview else "",
        len(known.open),
        top.answers if preview and len(alike) == 1 else (),
        around.settings.sound and news is not None,
        news,
    )


_SAID: Final[dict[Kind, str]] = {
    "needs_you": "Needs you", "failed": "Failed", "finished": "Finished", "message": "Message",
}  # fmt: skip


def _summary(known: Standing, kind: Kind, count: int, *, preview: bool) -> str:
    """The first prompt of a session is content, and no name where no content is to be shown."""
    name = known.title or (known.first if preview else "") or known.agent or "a session"
    name = one_line(name)
    name = name if len(name) <= _TITLE else f"{name[: _TITLE - 1]}…"
    return f"{_SAID[kind]}{f' ({count})' if count > 1 else ''}: {name}"


def _clipped(text: str) -> str:
    shown = block(text)
    cut = "\n".join(shown[:SHOWN_CHARACTERS].splitlines()[:SHOWN_LINES])
    return shown if cut == shown else f"{cut.rstrip()}…"


def _fits(text: str) -> bool:
    """Return whether all of it is shown; what has to be escaped is nothing to decide on at a glance."""
    return len(text) <= SHOWN_CHARACTERS and len(text.splitlines()) <= SHOWN_LINES and block(text) == text
