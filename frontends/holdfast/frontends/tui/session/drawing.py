"""A row of a transcript as lines of a screen. Pure: no widget, no connection, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.enclosed import enclosed
from holdfast.frontends.tui.session.markdown import Markdown, markdown
from holdfast.frontends.tui.session.rows import day_of
from holdfast.frontends.tui.session.text import Line, Span, cells, clip, flow, inside, newest, safe
from holdfast.frontends.tui.session.tools import draw_run, draw_tool, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.session.rows import Row

_LONG_NOTICE: Final = 160
_THINKING: Final = 4
"""Lines of a thought that is still being thought which are shown."""

_RAW: Final = 24
_WORD: Final = 32

NOTICES: Final = {
    "resumed": "Resumed",
    "interrupted": "Interrupted",
    "unknown": "How this turn ended is not known",
    "gap": "Something may be missing here",
    "ended": "Ended",
    "failed": "Failed",
    "error": "The turn ended with an error",
    "cancelled": "Cancelled",
    "restarted": "Restarted",
    "max_tokens": "Stopped: the limit of tokens was reached",
    "max_turn_requests": "Stopped: the limit of requests was reached",
    "refusal": "The agent refused",
}
_EXPIRED: Final = {
    "turn-closed": "its turn was over",
    "cancelled": "its turn was stopped",
    "session-ended": "its session ended",
    "agent-gone": "its agent was gone",
    "withdrawn": "its agent took it back",
}
"""Why nobody answered a question."""

_BAD: Final = ("failed", "error", "interrupted", "unknown", "gap", "refusal", "max_tokens", "max_turn_requests")
_PLAN: Final = {"completed": ("✓", "ok"), "in_progress": ("◐", "running")}


@dataclass
class Scene:
    """What rows are drawn with, beside themselves.

    Attributes:
        width: For what they are drawn.
        agent: The name of whoever answers.
        opened: How far rows are unfolded, by their keys: 0 not at all, 1 in part, 2 whole.
        streaming: The item that is being written now.
        pending: Whether permission requests can be answered here.
    """

    width: int
    agent: str = "Agent"
    opened: dict[str, int] = field(default_factory=dict[str, int])
    streaming: str | None = None
    pending: bool = True


class Growing:
    """The lines of a text that is still being written. What stands is kept; only its end is drawn again."""

    def __init__(self, width: int, style: str = "") -> None:
        """Begin without text."""
        self._writer = Markdown(width, style)
        self._text = ""
        self._taken = 0
        self._lines: list[Line] = []

    def take(self, text: str) -> list[Line] | None:
        """Return the lines of a text, or None where it is not what there was and something more."""
        if not text.startswith(self._text):
            return None
        self._text = text
        end = text.rfind("\n") + 1
        if end > self._taken:
            for source in text[self._taken : end - 1].split("\n"):
                self._lines += self._writer.feed(source)
            self._taken = end
        return [*self._lines, *self._writer.rest(newest(text[self._taken :]))]


def draw(row: Row, get: Callable[[str], Json], scene: Scene, body: list[Line] | None = None) -> list[Line]:
    """Return the lines of a row.

    Args:
        row: The row.
        get: Gives an item.
        scene: What it is drawn with.
        body: The lines of its text, where they are known already.
    """
    lines = list(_draw(row, get, scene, body))
    return [Line(), *lines] if row.apart and lines else lines


def _draw(row: Row, get: Callable[[str], Json], scene: Scene, body: list[Line] | None) -> Iterator[Line]:
    width = scene.width
    item = get(row.ids[0])
    match row.kind:
        case "day":
            yield _across(day_of(item), width, "day")
        case "unread":
            yield _across("New since you were here", width, "unread")
        case "tools":
            if row.speaks:
                yield _speaker(item, scene)
            yield from draw_run([get(each) for each in row.ids], width, scene.opened.get(row.key, 0))
        case "item":
            yield from _item(row, item, scene, body)


def _item(row: Row, item: Json, scene: Scene, body: list[Line] | None) -> Iterator[Line]:
    width, level = scene.width, scene.opened.get(row.key, 0)
    kind, user = item.get("kind"), item.get("role") == "user"
    if kind == "message" and user:
        yield from _prompt(item, scene)
        return
    if row.speaks:
        yield _speaker(item, scene)
    match kind:
        case "message":
            lines = markdown(items.spoken(item), width) if body is None else body
            yield from _with_cursor(lines) if scene.streaming == item.get("id") else lines
            yield from _besides(item, width)
        case "thought":
            yield from _thought(item, scene, level)
        case "tool_call":
            yield from draw_tool(item, width, level)
            for line in _besides(item, inside(width, 2)):
                yield line._replace(spans=(Span("  "), *line.spans))
        case "permission":
            yield from _permission(item, width, pending=scene.pending)
        case "plan":
            yield from _plan(item, width, level)
        case "notice":
            yield from _notice(item, width, level)
        case _:
            yield from _raw(item, width, level)


def _prompt(item: Json, scene: Scene) -> Iterator[Line]:
    """Draw what the person said, with how far it has come."""
    width = scene.width
    status = items.text(item, "status")
    name = _short(items.text(item, "author") or "You")
    head = [Span(name, "user.name"), Span(f"  {items.clock(item)}", "time")]
    if status and status != "accepted":
        worry = status in ("failed", "unknown")
        dot = "·"
        head.append(Span(f" {dot} {safe(status)}", "bad" if worry else "time"))
    yield Line(tuple(head), "user.block", "user.bar")
    for line in markdown(items.spoken(item), width, "user"):
        yield Line(line.spans, f"user.block {line.fill}", "user.bar")
    for line in _besides(item, width):
        yield Line(line.spans, "user.block", "user.bar")
    if why := items.text(item, "reason"):
        lead = (Span("✗ ", "bad"),)
        for spans in flow([Span(safe(why), "bad")], width, lead, (Span("  "),)):
            yield Line(spans, "user.block", "user.bar")


def _speaker(item: Json, scene: Scene) -> Line:
    name = _short(items.text(item, "author") or scene.agent or "Agent")
    spans = [Span(name, "agent.name"), Span(f"  {items.clock(item)}", "time")]
    if item.get("thread"):
        spans.append(Span(" · side chain", "time"))
    return Line(tuple(spans))


def _with_cursor(lines: list[Line]) -> Iterator[Line]:
    cursor = Span("█", "cursor")
    if not lines:
        yield Line((cursor,))
        return
    yield from lines[:-1]
    last = lines[-1]
    yield last._replace(spans=(*last.spans, cursor))


def _besides(item: Json, width: int) -> Iterator[Line]:
    for each in enclosed(item):
        text = clip(safe(each.words), width - 9)
        keys = (Span("  s", "key"), Span(" save", "dim")) if each.can_be_saved else ()
        yield Line((Span("▣ ", "link"), Span(text, "dim"), *keys))


def _thought(item: Json, scene: Scene, level: int) -> Iterator[Line]:
    width = scene.width
    said = items.text(item, "text")
    now = scene.streaming == item.get("id")
    lead = Span("✻ ", "thought")
    if level:
        yield Line((lead, Span("Thinking" if now else "Thought", "thought.label")))
        for line in markdown(said, inside(width, 2), "thought"):
            yield Line((Span("  "), *line.spans), line.fill)
        return
    if now:
        yield Line((lead, Span("Thinking", "thought.label"), Span("…", "thought.label")))
        last = [line for line in said[-2_000:].split("\n") if line.strip()][-2:]
        drawn = [
            spans for text in last for spans in flow([Span(safe(text), "thought")], width, (Span("  "),), (Span("  "),))
        ]
        yield from (Line(spans) for spans in drawn[-_THINKING:])
        return
    first = clip(safe(said[:400].strip()), width - 12)
    yield Line((lead, Span("Thought ", "thought.label"), Span(first, "thought")))


def _permission(item: Json, width: int, *, pending: bool) -> Iterator[Line]:
    title = safe(items.text(item, "title") or "permission")
    if item.get("status") == "pending":
        words = "  waits for your answer" if pending else "  waits for an answer"
        yield from _wrapped([Span(title), Span(words, "dim")], width, (Span("● ", "needs"),), 2)
        return
    sign, word, style = outcome(item)
    spans = [Span(title)]
    reason = items.text(item, "reason")
    if reason and item.get("status") == "expired":
        spans.append(Span(f"  {_EXPIRED.get(reason, safe(reason))}", "dim"))
    elif reason:
        spans.append(Span(f"  “{safe(reason)}”", "italic"))
    if by := items.text(item, "decided_by"):
        spans.append(Span(f"  by {_short(by)}  {items.decided(item)}".rstrip(), "dim"))
    yield from _wrapped(spans, width, (Span(f"{sign} ", style), Span(f"{_short(word)}  ", style)), 2)


def outcome(item: Json) -> tuple[str, str, str]:
    """Return what became of a question: its sign, the answer in words, its style."""
    chosen = next((option for option in items.options(item) if option[0] == item.get("decision")), None)
    if item.get("status") == "expired":
        return "∙", "Expired", "dim"
    if chosen is not None:
        return ("✓", chosen[2], "ok") if chosen[1].startswith("allow") else ("✗", chosen[2], "bad")
    return "✗", "Denied" if item.get("decision") == "cancelled" else "Answered", "bad"


def plan_line(entry: tuple[str, str], width: int) -> Iterator[Line]:
    """Yield one entry of a plan."""
    status, what = entry
    shape, style = _PLAN.get(status, ("∙", "dim"))
    done = "plan.done" if status == "completed" else "bold" if status == "in_progress" else ""
    yield from _wrapped([Span(safe(what), done)], width, (Span(f"{shape} ", style),), 2)


def _plan(item: Json, width: int, level: int) -> Iterator[Line]:
    entries = items.plan(item)
    done = sum(status == "completed" for status, _ in entries)
    fold = "▾" if level else "▸"
    yield Line((Span(f"{fold} ", "dim"), Span("Plan  ", "label"), Span(f"{done} of {len(entries)} done", "dim")))
    if level:
        for entry in entries:
            yield from (Line((Span("  "), *line.spans)) for line in plan_line(entry, inside(width, 2)))


def _notice(item: Json, width: int, level: int) -> Iterator[Line]:
    status = items.text(item, "status")
    words = NOTICES.get(status, _short(status) or "Notice")
    said = items.text(item, "text").strip()
    said = "" if said == status else said
    style = "notice.bad" if status in _BAD else "notice"
    if not said:
        yield _across(words, width, style)
    elif status in NOTICES and len(said) <= _LONG_NOTICE and "\n" not in said:
        dot = "·"
        whole = f"{words} {dot} {safe(said)}"
        if cells(whole) + 8 <= width:
            yield _across(whole, width, style)
        else:
            yield _across(words, width, style)
            yield from _wrapped([Span(safe(said), "dim")], width, (Span("  "),), 2)
    elif level or (len(said) <= _LONG_NOTICE and "\n" not in said):
        yield from _wrapped([Span(words, style)], width, (), 0)
        yield from markdown(said, width, "dim")
    else:
        first = clip(safe(said[:400]), width - cells(words) - 5)
        yield Line((Span("▸ ", "dim"), Span(f"{words}  ", style), Span(first, "dim")))


def _raw(item: Json, width: int, level: int) -> Iterator[Line]:
    title = clip(safe(items.text(item, "title") or "unknown"), width - 8)
    yield Line((Span("◇ raw ", "dim"), Span(title, "dim")))
    if level:
        body = items.text(item, "text") or items.plain(item.get("content"))
        yield from folded(body, width, None if level > 1 else _RAW, "dim")


def _short(text: str) -> str:
    """Return a word that somebody else chose, no longer than one would choose."""
    return clip(safe(text), _WORD)


def _across(words: str, width: int, style: str) -> Line:
    """A line across the whole width with words in it."""
    rule = "─"
    words = clip(words, width - 6)
    left = 3 if width < 60 else max(3, (min(width, 100) - cells(words) - 2) // 2)
    right = max(0, min(width, 100) - left - cells(words) - 2)
    return Line((Span(rule * left, f"{style} rule"), Span(f" {words} ", style), Span(rule * right, f"{style} rule")))


def _wrapped(spans: list[Span], width: int, lead: tuple[Span, ...], indent: int) -> Iterator[Line]:
    for each in flow(spans, width, lead, (Span(" " * indent),)):
        yield Line(each)
