"""The menu, from what is known at one moment. Pure: keys go out, and the same keys come back as clicks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from holdfast.domain.escaping import one_line
from holdfast.domain.notifying.policy import answers, may_allow, question
from holdfast.domain.projections.roster import Row, status
from holdfast.domain.timestamps import to_text
from holdfast.frontends.tray.picture import WORDS, background, summary
from holdfast.frontends.tray.port import Entry

if TYPE_CHECKING:
    from holdfast.domain.projections.inbox import Request
    from holdfast.frontends.tray.state import State

SPANS: Final = {"1 hour": 3_600, "4 hours": 14_400, "1 day": 86_400, "1 week": 604_800}
"""For how long something is muted, in seconds."""

_LISTED: Final = 12
_LINE: Final = 70
_DRAWN: Final = ""


def menu(state: State) -> tuple[Entry, ...]:
    """Return the menu: who needs you first, then what can be done."""
    sections = (
        _trouble(state),
        _needy(state),
        _opening(state),
        _telling(state),
        _background(state),
        _leaving(state),
    )
    entries: list[Entry] = []
    for number, section in enumerate(section for section in sections if section):
        if number:
            entries.append(Entry(("line", str(number)), _DRAWN))
        entries += section
    return tuple(entries)


def _trouble(state: State) -> list[Entry]:
    return [Entry(("trouble",), _clipped(state.trouble))] if state.trouble else []


def _needy(state: State) -> list[Entry]:
    """Only what needs the person: all else is what the page and the terminal are for."""
    if state.contact != "connected":
        return []
    rows = {row.id: row for row in state.rows}
    asked: dict[str, list[tuple[Request, str | None]]] = {}
    for request, kind in state.waiting:
        if request.session_id in rows:
            asked.setdefault(request.session_id, []).append((request, kind))
    entries = [_session(state, rows[session_id], requests) for session_id, requests in asked.items()]
    if len(entries) > _LISTED:
        return [*entries[:_LISTED], Entry(("more",), f"and {len(entries) - _LISTED} more")]
    return entries


def _session(state: State, row: Row, requests: list[tuple[Request, str | None]]) -> Entry:
    first = requests[0][0]
    preview = state.chosen.notifications.preview
    name = _name(row, preview=preview)
    children = _places(state, row, first)
    for request, kind in requests:
        children.append(Entry(("line", request.request_id), _DRAWN))
        children += _request(state, request, kind)
    children += [Entry(("line", row.id), _DRAWN), _mute(row)]
    return Entry(("session", row.id), _clipped(f"{name}: {first.title}" if preview else name), children=tuple(children))


def _places(state: State, row: Row, request: Request) -> list[Entry]:
    """Where it can be opened, first where the person wants it."""
    places = {"web": "Open on the page", "tui": "Open in a terminal"} if state.page else {"tui": "Open in a terminal"}
    wanted = sorted(places, key=lambda place: place != state.chosen.tray.open)
    return [Entry(("open", row.id, request.request_id, place), places[place], acts=True) for place in wanted]


def _request(state: State, request: Request, kind: str | None) -> list[Entry]:
    """The question with its exact arguments, and below it what can be answered without opening it."""
    settings = state.chosen.notifications
    if not settings.preview:
        return [Entry(("asked", request.request_id, "0"), "wants to know something")]
    lines = question(request.title, request.input).splitlines() or [""]
    allow = may_allow(request.title, request.input, kind, settings) and all(len(line) <= _LINE for line in lines)
    shown = [Entry(("asked", request.request_id, str(at)), _clipped(line)) for at, line in enumerate(lines[:6])]
    offered = answers(request.request_id, request.options, allow=allow)
    return [
        *shown,
        *(Entry(("answer", each.request_id, each.option_id), f"{each.label} this once", acts=True) for each in offered),
    ]


def _mute(row: Row) -> Entry:
    if row.muted_until is not None:
        return Entry(("unmute", row.id), "Notify again", acts=True)
    spans = [Entry(("mute", row.id, str(seconds)), f"For {span}", acts=True) for span, seconds in SPANS.items()]
    spans.append(Entry(("mute", row.id, "0"), "Until I say so", acts=True))
    return Entry(("muting", row.id), "Mute", children=tuple(spans))


def _opening(state: State) -> list[Entry]:
    if state.contact == "down":
        return [Entry(("start",), "Start the daemon", acts=True)]
    entries = [Entry(("web",), "Open the page", acts=True)] if state.page else []
    return [*entries, Entry(("tui",), "Open in a terminal", acts=True)]


def _telling(state: State) -> list[Entry]:
    settings = state.chosen.notifications
    muted = settings.muted_until is not None and settings.muted_until.timestamp() * 1_000_000 > state.now
    children = [
        Entry(("set", "enabled"), "Show notifications", checked=settings.enabled, acts=True),
        Entry(("set", "sound"), "With a sound", checked=settings.sound, acts=True),
        Entry(("set", "preview"), "With what it is about", checked=settings.preview, acts=True),
        Entry(("line", "telling"), _DRAWN),
    ]
    if muted and settings.muted_until is not None:
        until = to_text(int(settings.muted_until.timestamp() * 1_000_000))
        children.append(Entry(("unmute",), f"Muted until {until[:16].replace('T', ' ')} UTC: notify again", acts=True))
    else:
        spans = tuple(Entry(("mute", str(seconds)), f"For {span}", acts=True) for span, seconds in SPANS.items())
        children.append(Entry(("muting",), "Mute all", children=spans))
    if settings.quiet_hours:
        zone = f" ({settings.time_zone})" if settings.time_zone else ""
        children.append(Entry(("quiet",), f"Quiet hours: {settings.quiet_hours}{zone}"))
    label = "Notifications"
    label += ": off" if not settings.enabled else ": muted" if muted else ""
    return [Entry(("telling",), label, children=tuple(children))]


def _background(state: State) -> list[Entry]:
    """Connection and background mode, in words."""
    words = WORDS[state.contact]
    if state.contact == "connected":
        words += f": {summary(Counter(status(row) for row in state.rows))}"
    keep_running = bool(state.chosen.tray.keep_running)
    return [
        Entry(("contact",), words),
        Entry(("background",), background(keep_running=keep_running)),
        Entry(("keep",), "Keep running in the background", checked=keep_running, acts=True),
        Entry(("autostart",), "Start when I log in", checked=state.autostart, acts=True),
    ]


def _leaving(state: State) -> list[Entry]:
    """The first Close asks; what was answered then is what the next ones do."""
    leave = Entry(("quit",), "Quit", acts=True)
    if state.chosen.tray.keep_running is not None:
        return [Entry(("close",), "Close", acts=True), leave]
    asked = (
        Entry(("close", "asked"), "Should the daemon keep running in the background?"),
        Entry(("close", "keep"), "Keep it running", acts=True),
        Entry(("close", "end"), "No, end it as well", acts=True),
    )
    return [Entry(("closing",), "Close", children=asked), leave]


def _name(row: Row, *, preview: bool) -> str:
    """The first prompt of a session is content, and no name where no content is to be shown."""
    told = preview or row.title != (row.metadata.first_message_preview or "")
    return (row.title if told else "") or row.agent or row.id[:8]


def _clipped(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _LINE else f"{text[: _LINE - 1]}…"
