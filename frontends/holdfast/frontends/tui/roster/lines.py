"""One session on one line, or two where it asks something and the screen is narrow. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.frontends.tui.cells import Span, clip, fill, harmless
from holdfast.frontends.tui.words import SHAPES, TURNING, age, seconds_until
from holdfast.frontends.wording import folder

if TYPE_CHECKING:
    from holdfast.frontends.tui.roster.entries import Entry

_MARGIN = 1
_BADGE = 4
_AGE = 4
_QUEUED = 4
_PLACE = 12
"""Cells of a folder where there is room for little more than its own name."""


class Columns(NamedTuple):
    """Cells of each column; 0 for one that is not shown.

    Attributes:
        second: Whether a session that asks something has a second line, since there is no room beside its name.
    """

    name: int
    now: int
    agent: int
    folder: int
    second: bool


def columns(width: int) -> Columns:
    """Return the columns that a width has room for: what a session is called, then what it does, then the rest."""
    room = width - 2 * _MARGIN - 5 - _BADGE - _AGE - _QUEUED
    if width < 64:
        return Columns(max(4, width - 5 - _AGE), 0, 0, 0, second=True)
    agent = 12 if width >= 92 else 0
    place = min(28, width // 6) if width >= 116 else _PLACE if width >= 98 else 0  # 100 less a scroll bar
    room -= sum(size + 2 for size in (agent, place) if size)
    name = min(48, max(20, room // 2))
    return Columns(name, max(0, room - name - 2), agent, place, second=False)


def height(entry: Entry, shown: Columns) -> int:
    """Return how many lines an entry takes."""
    return 2 if shown.second and entry.word in ("needs_you", "failed", "reconnecting") else 1


def first_line(entry: Entry, shown: Columns, now: float, *, question: str | None, turn: int) -> list[Span]:
    """Return what a session is called, what it does now, whom it is with, and since when."""
    shape, _, style = SHAPES[entry.word]
    if entry.word == "working":
        shape = TURNING[turn % len(TURNING)]
    loud = "bold" if entry.unread or entry.word in ("needs_you", "failed") else ""
    quiet = "faint" if entry.word in ("ended", "hibernated") else "dim"
    muted = entry.muted(now)
    queued = f"+{entry.queued}" if entry.queued else ("–" if muted else "")
    badge = str(min(entry.unread, 999)) if entry.unread else ""
    counts = [
        Span(fill(queued, _QUEUED, right=True), "faint" if muted and not entry.queued else "dim"),
        Span(fill(badge, _BADGE, right=True), "bold done"),
    ]
    name = shown.name
    if shown.second:  # the name has whatever is not needed
        counts = [Span(f" {text.strip()}", style) for text, style in counts if text.strip()]
        name -= sum(len(text) for text, _ in counts)
    spans = [
        Span(" "),
        Span(shape, f"{style} {loud}".strip()),
        Span("★" if entry.focused else " ", "accent"),
        Span(" "),
        Span(fill(harmless(entry.name), name), loud or ("dim" if quiet == "faint" else "")),
    ]
    if not shown.second:
        spans.append(Span("  "))
    if shown.now:
        text, tone = doing(entry, question, now)
        spans += [Span(fill(harmless(text), shown.now), tone), Span("  ")]
    if shown.agent:
        spans += [Span(fill(harmless(entry.peer), shown.agent), quiet), Span("  ")]
    if shown.folder:
        where = harmless(folder(entry.cwd or ""))
        if shown.folder == _PLACE:
            where = where.rstrip("/").rpartition("/")[2] or where
        spans += [Span(_tail(where, shown.folder), quiet), Span("  ")]
    return [
        *spans,
        *counts,
        Span(fill(age(entry.updated_at, now), _AGE + 1, right=True), "faint"),
    ]


def second_line(entry: Entry, width: int, now: float, *, question: str | None) -> list[Span]:
    """Return what a session wants, below its name."""
    text, tone = doing(entry, question, now)
    return [Span("    "), Span(clip(harmless(text), width - 5), tone)]


def doing(entry: Entry, question: str | None, now: float) -> tuple[str, str]:
    """Return what a session does or wants now, and the style of that."""
    said = entry.preview
    match entry.word:
        case "needs_you":
            return question or said or "asks for permission", "needs"
        case "failed":
            return entry.connection.error or said or "failed", "failed"
        case "working":
            return said or "working", "dim"
        case "reconnecting":
            return _trying(entry, now), "needs"
        case "hibernated":
            return said or "hibernated; goes on when you write", "faint"
        case "ended":
            return said or "ended", "faint"
        case "idle" | "unread":
            return said, "" if entry.unread else "dim"


def _trying(entry: Entry, now: float) -> str:
    connection = entry.connection
    if connection.state == "connecting" and connection.attempt <= 1:
        return "connecting"
    due = connection.next_retry_at
    when = f", next in {seconds_until(due, now)}s" if due else ""
    why = f": {connection.error}" if connection.error else ""
    return f"reconnecting, attempt {max(1, connection.attempt)}{when}{why}"


def _tail(text: str, size: int) -> str:
    """Return the end of a path: its last folder says more than its first."""
    if len(text) <= size:
        return fill(text, size)
    kept = text[-(size - 1) :]
    cut = kept.find("/")
    return fill("…" + (kept[cut:] if 0 <= cut < size // 2 else kept), size)
