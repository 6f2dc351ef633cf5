"""The use of a tool as lines: what it is, how it went, and, unfolded, what went in, came out and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.diff import changes, drawn, tally
from holdfast.frontends.tui.session.text import Line, Span, clip, flow, inside, safe, source_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.frontends.tui.session.diff import Change
    from holdfast.frontends.tui.session.items import Json

_SHAPES: Final = {
    "completed": ("✓", "ok", ""),
    "failed": ("✗", "bad", "failed"),
    "in_progress": ("◐", "running", "running"),
    "pending": ("∙", "dim", "waiting"),
}
_UNTOLD: Final = {
    "turn-ended": "its turn was over",
    "cancelled": "its turn was stopped",
    "interrupted": "its turn was interrupted",
    "unknown": "what became of its turn is not known",
    "unrecorded": "the transcript does not say",
    "session-ended": "its session ended",
    "detached": "its agent was gone",
    "crowded": "too many were open at once",
}
"""What was over before an agent told how its tool ended."""

FOLDED_LINES: Final = 16
"""Lines of an input, an output or a change that are shown before it is unfolded whole."""

_LIVE_LINES: Final = 6
"""Latest lines of a tool that runs."""

_DIFF_LINES: Final = 24
_WORD: Final = 32
"""Cells of a name that somebody else gave."""


def draw_run(uses: Sequence[Json], width: int, level: int) -> Iterator[Line]:
    """Yield several uses of tools that worked as one line; unfolded, one line each below it, then all of them."""
    kinds = list(dict.fromkeys(items.text(use, "tool") for use in uses if use.get("tool")))
    names = ", ".join(safe(kind) for kind in kinds[:4]) + (" …" if len(kinds) > 4 else "")
    head = (Span("✓ ", "ok"), Span(f"{len(uses)} tool calls", "tool.title"))
    rest = clip(names, width - 20)
    yield Line((*head, Span(f"  {rest}", "dim"), Span(f" {'▾' if level else '▸'}", "dim")))
    if level:
        for use in uses:
            lines = draw_tool(use, inside(width, 2), level - 1)
            yield from (Line((Span("  "), *line.spans), line.fill) for line in lines)


def draw_tool(item: Json, width: int, level: int) -> Iterator[Line]:
    """Yield one use of a tool. What runs or failed is open by itself."""
    status = items.text(item, "status")
    shape, style, word = _SHAPES.get(status, ("∙", "dim", clip(safe(status), _WORD)))
    files = [(path, changes(old, new)) for path, old, new in items.diffs(item)]
    title = safe(items.text(item, "title") or items.text(item, "tool") or "Tool")
    kind = clip(safe(items.text(item, "tool")), _WORD)
    added, removed = map(sum, zip(*(tally(found) for _, found in files), strict=True)) if files else (0, 0)
    after = [Span(f"  {kind}", "dim")] if kind and kind != title else []
    if files:
        after += [Span(f"  +{added}", "diff.plus"), Span(f" −{removed}", "diff.minus")]
    if word:
        after.append(Span(f"  {word}", style))
    taken = sum(len(span.text) for span in after)
    lead = Span(f"{shape} ", style)
    if level:
        yield from (Line(each) for each in flow([Span(title, "tool.title"), *after], width, (lead,), (Span("  "),)))
    else:
        clipped = clip(title, max(12, width - taken - 2))
        yield Line((lead, Span(clipped, "tool.title"), *after))
    yield from _body(item, files, width, level, status)


def _body(
    item: Json, files: Sequence[tuple[str, Sequence[Change]]], width: int, level: int, status: str
) -> Iterator[Line]:
    inner = inside(width, 4)
    limit = None if level > 1 else FOLDED_LINES
    running, failed = status == "in_progress", status == "failed"
    if level and not files:
        yield from _framed(_arguments(item.get("input"), inner, limit))
    if level or running or failed:
        for path, found in files:
            yield from _framed(_change(path, found, inner, None if level > 1 else _DIFF_LINES))
    output = items.output(item)
    untold = items.text(item, "reason") if failed else ""
    if level and not files and output and item.get("input"):
        yield from _framed(iter((Line(),)))
    if untold:
        words = f"How it ended was never told: {_UNTOLD.get(untold, safe(untold))}."
        yield from _framed(Line(each) for each in flow([Span(words, "dim")], inner))
    if not output:
        if level and not files and status == "completed":
            yield from _framed(iter((Line((Span("No output.", "dim"),)),)))
        return
    if level or failed:
        yield from _framed(folded(output, inner, limit, "output"))
    elif running:
        yield from _framed(_latest(output, inner))


def _framed(lines: Iterator[Line]) -> Iterator[Line]:
    bar = Span("  │ ", "rule ground")
    for line in lines:
        yield Line((bar, *line.spans), line.fill)


def _arguments(value: object, width: int, limit: int | None) -> Iterator[Line]:
    for name, given in items.arguments(value):
        label = Span(f"{clip(safe(name), _WORD)}: " if name else "", "label")
        if "\n" in given or len(given) > width * 3:
            if name:
                yield Line((label,))
            yield from (Line((Span("  "), *line.spans)) for line in folded(given, inside(width, 2), limit, "input"))
        else:
            yield from (Line(each) for each in flow([label, Span(safe(given), "input")], width, (), (Span("  "),)))


def _change(path: str, found: Sequence[Change], width: int, limit: int | None) -> Iterator[Line]:
    dots = "…"
    yield Line((Span(clip(safe(path), width, dots), "path"),))
    cut = limit is not None and len(found) > limit
    yield from drawn(found[:limit] if cut else found, path, width)
    if cut and limit is not None:
        yield Line((Span(f"{dots} {len(found) - limit:,} more lines", "more"),))


def folded(text: str, width: int, limit: int | None, style: str) -> Iterator[Line]:
    """Yield the lines of a text, at most `limit` of them; what is left out is counted in words."""
    sources = text.rstrip("\n").split("\n")
    shown = sources if limit is None else sources[:limit]
    for source in shown:
        yield from (Line(each) for each in flow([Span(source_line(source), style)], width))
    if len(sources) > len(shown):
        more = len(sources) - len(shown)
        words = f"… {more:,} more {'line' if more == 1 else 'lines'}"
        yield Line((Span(words, "more"),))


def _latest(text: str, width: int) -> Iterator[Line]:
    """Yield the last lines of what is still coming in."""
    sources = text.rstrip("\n").rsplit("\n", _LIVE_LINES)
    for source in sources[-_LIVE_LINES:]:
        yield Line((Span(clip(source_line(source), width), "output"),))
