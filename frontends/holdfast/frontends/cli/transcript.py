"""A transcript for people: who said what, what tools did, and lines across where the conversation itself changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.domain.projections import bodies
from holdfast.frontends.cli import wording
from holdfast.frontends.cli.cells import clip, width, wrap
from holdfast.frontends.cli.escaping import block, one_line
from holdfast.frontends.cli.markdown import markdown
from holdfast.frontends.cli.terminal import Line, Span
from holdfast.frontends.wording import amount, count, folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdfast.domain.projections.items import Item
    from holdfast.domain.projections.roster import Row


class Detail(NamedTuple):
    """How much of each item is shown.

    Attributes:
        body: Lines of the arguments, and of the result, of a tool; None leaves both out.
        text: Lines of a message; None for all of it.
        thoughts: Whether thoughts are shown at all.
        hint: What shows the rest.
    """

    body: int | None
    text: int | None
    thoughts: bool
    hint: str


WHOLE = Detail(body=20, text=None, thoughts=True, hint="show --json for all")
GLANCE = Detail(body=None, text=12, thoughts=False, hint="show for all")

_TOOLS = {
    "completed": ("✓", "+", "green"),
    "failed": ("✗", "x", "red"),
    "in_progress": ("◐", ">", "cyan"),
    "pending": ("∙", ".", "dim"),
}
_IN = Span("    in   ", "dim")
_OUT = Span("    out  ", "dim")
_PLAN = {"completed": ("✓", "x"), "in_progress": ("◐", ">")}
_SPEAKERS = {"user": "You", "assistant": "Agent", "system": "System"}
WORRYING = ("failed", "unknown")


class Renderer:
    """Turns the items of one session into lines."""

    def __init__(self, session: Row, detail: Detail, *, limit: int | None, unicode: bool, day: str = "") -> None:
        """Prepare for a transcript.

        Args:
            session: The row of the session.
            detail: How much of each item is shown.
            limit: Cells in a line; None where lines may be of any length.
            unicode: Whether more than ASCII may be used for our own signs.
            day: The date that the reader knows of already.
        """
        self._session = session
        self._detail = detail
        self._width = limit
        self._unicode = unicode
        self._dots = "…" if unicode else "..."
        self._speaker = ""
        self._kind = ""
        self._day = day

    def head(self) -> Iterator[Line]:
        """Yield what is to be known of the session as a whole."""
        row, now = self._session, wording.now()
        shape, word, style = wording.mark(row, unicode=self._unicode)
        marks = [row.agent, row.model, row.mode, folder(row.cwd or "")]
        if row.pinned:
            marks.append("pinned")
        marks.append(wording.muted(row, now))
        yield (Span(one_line(row.title) or "(untitled)", "bold"),)
        yield (Span(f"{shape} {word}", style), *self._joined(marks, first=False))
        yield self._joined(
            [
                row.id,
                f"created {wording.local_of(row.created_at)}",
                f"updated {wording.age_of(row.updated_at, now)} ago",
                count(row.metadata.message_count, "message"),
                f"{amount(row.metadata.total_tokens)} tokens" if row.metadata.total_tokens else None,
                f"{row.queued:,} queued" if row.queued else None,
            ]
        )
        if row.connection.error:
            yield (Span(one_line(row.connection.error), "red"),)

    def items(self, items: Iterable[Item]) -> Iterator[Line]:
        """Yield the lines of the items."""
        for item in items:
            if item.kind == "thought" and not self._detail.thoughts:
                continue
            day, _ = wording.local(item.at)
            if day != self._day:
                self._day = day
                yield ()
                yield self._across(day)
                self._speaker = ""
            yield from self._item(item.settled())

    def _item(self, item: Item) -> Iterator[Line]:
        match item.kind:
            case "message":
                yield from self._said_by(item)
                lines = list(markdown(item.text.strip("\n"), self._inner(2)))
                yield from _indented(2, self._folded(lines, self._detail.text))
            case "thought":
                yield from self._said_by(item)
                yield self._in_one_line("thought: ", item.text)
            case "tool_call":
                yield from self._said_by(item)
                yield from self._tool(item)
            case "permission":
                yield from self._permission(item)
            case "plan":
                yield from self._said_by(item)
                for status, text in bodies.plan(item.content):
                    shape = _PLAN.get(status, ("∙", "."))[not self._unicode]
                    yield from self._block([text], Span(f"  {shape} "))
            case "notice":
                yield from self._notice(item)
            case "raw":
                yield ()
                yield (Span(f"  {self._raw_sign()} {one_line(item.title or '')}", "dim"),)
                body = bodies.arguments(item.content) if item.content else item.text.split("\n")
                yield from self._block(self._cut(body, 5), Span("    "), "dim")

    def _said_by(self, item: Item) -> Iterator[Line]:
        """Yield who speaks from here on, where that is somebody else."""
        role = item.role or "assistant"
        name = item.author or (role == "assistant" and self._session.agent) or _SPEAKERS.get(role, role)
        thread = f"side chain {item.thread}" if item.thread else None
        worry = item.status if item.kind == "message" and item.status in WORRYING else None
        if worry and item.reason:
            reason = item.reason if " " in item.reason else item.reason.replace("_", " ")
            worry = f"{worry}: {self._clipped(reason, 24)}"
        speaker = f"{name}\n{thread}"
        kind, self._kind = self._kind, item.kind
        if speaker == self._speaker and role == "assistant" and not worry:
            if kind != item.kind or kind == "message":
                yield ()  # uses of tools, and thoughts, that follow each other stay together
            return
        self._speaker = speaker
        yield ()
        rest = self._joined([wording.local(item.at)[1], thread], first=False)
        worries = () if worry is None else (Span(f" {self._dot()} {worry}", "red"),)
        yield (Span(one_line(name), "bold blue" if role == "user" else "bold"), *rest, *worries)

    def _tool(self, item: Item) -> Iterator[Line]:
        shape, plain, style = _TOOLS.get(item.status or "", ("∙", ".", "dim"))
        yield (
            Span(f"  {shape if self._unicode else plain} ", style),
            Span(self._clipped(item.title or item.tool or "tool", 24), "bold"),
            *self._joined([item.tool, item.status, item.reason], first=False),
        )
        if self._detail.body is not None:
            yield from self._block(self._cut(bodies.arguments(item.input), self._detail.body), _IN)
            yield from self._block(self._cut(bodies.result(item.output), self._detail.body), _OUT)

    def _permission(self, item: Item) -> Iterator[Line]:
        self._speaker = ""
        yield ()
        waits = item.status == "pending"
        shape = ("●" if waits else "∙") if self._unicode else ("!" if waits else ".")
        decision = f"{item.decision} by {item.decided_by}" if item.decision and item.decided_by else item.decision
        yield (
            Span(f"  {shape} ", "bold yellow" if waits else "dim"),
            Span(self._clipped(item.title or "permission", 24), "bold"),
            *self._joined([f"permission {item.status}", decision, item.reason], first=False),
        )
        yield from self._block(self._cut(bodies.arguments(item.input), self._detail.body or 20), _IN)
        if waits:
            for option in item.options:
                yield (Span("      "), Span(one_line(option.option_id), "bold"), Span(f"  {one_line(option.name)}"))

    def _notice(self, item: Item) -> Iterator[Line]:
        self._speaker = ""
        label = one_line(item.status or "notice")
        text = item.text.strip()
        if "\n" in text or len(text) > 60:
            yield ()
            yield self._in_one_line(f"{label}: ", text)
        else:
            yield ()
            yield self._across(f"{label}: {text}" if text else label)

    def _across(self, words: str) -> Line:
        rule = "─" if self._unicode else "-"
        return (Span(f"{rule * 2} {one_line(words)} {rule * 2}", "dim"),)

    def _in_one_line(self, label: str, text: str) -> Line:
        """Fold a text to its first line, and say what is hidden."""
        first, *others = text.strip().split("\n")
        whole = f"  {label}{one_line(first)}"
        if not others and (self._width is None or width(whole) <= self._width):
            return (Span(whole, "dim"),)
        more = f" ({count(len(others), 'more line')}; " if others else " ("
        more += f"{self._detail.hint})"
        return (Span(f"  {label}{self._clipped(first, len(label) + len(more) + 2)}{more}", "dim"),)

    def _block(self, lines: list[str], lead: Span, style: str = "") -> Iterator[Line]:
        """Yield lines of text from outside, wrapped, the first after `lead`, the rest below its end."""
        size = len(lead.text)
        for line in lines:
            for piece in wrap(block(line), self._inner(size)):
                yield (lead, Span(piece, style)) if piece or lead.text.strip() else ()
                lead = Span(" " * size)

    def _cut(self, lines: list[str], limit: int) -> list[str]:
        return bodies.fold(lines, limit, self._detail.hint, self._dots)

    def _folded(self, lines: list[Line], limit: int | None) -> list[Line]:
        if limit is None or len(lines) <= limit:
            return lines
        more = count(len(lines) - limit, "more line")
        return [*lines[:limit], (Span(f"{self._dots} {more} ({self._detail.hint})", "dim"),)]

    def _joined(self, words: Iterable[str | None], *, first: bool = True) -> Line:
        """Put a dot between the words; without `first`, before the first as well."""
        dot = f" {self._dot()} "
        text = dot.join(one_line(word) for word in words if word)
        return (Span(text if first or not text else dot + text, "dim"),)

    def _clipped(self, text: str, taken: int) -> str:
        text = one_line(text)
        return clip(text, 2_000 if self._width is None else max(20, self._width - taken), self._dots)

    def _inner(self, taken: int) -> int | None:
        return None if self._width is None else self._width - taken

    def _dot(self) -> str:
        return "·" if self._unicode else "|"

    def _raw_sign(self) -> str:
        return "◇ raw" if self._unicode else "raw"


def _indented(size: int, lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        yield (Span(" " * size), *line) if any(line) and line != (Span(""),) else ()
