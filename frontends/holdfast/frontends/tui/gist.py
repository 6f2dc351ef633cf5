"""A few items in a few lines, for looking in passing; the session's own screen shows them whole. Pure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, cast

from msgspec import json

from holdfast.domain.escaping import block
from holdfast.frontends.tui.cells import Span, clip, harmless
from holdfast.frontends.tui.session.items import arguments, command
from holdfast.frontends.tui.session.text import Span as Words
from holdfast.frontends.tui.session.text import hard, source_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.frontends.client.views import Json

_TEXT = 4_000
"""Characters of a text that are looked at; of what streams, the last ones count."""


def gist(items: Sequence[Json], width: int) -> list[list[Span]]:
    """Return lines of at most `width` cells, the newest last."""
    lines: list[list[Span]] = []
    for item in items:
        lines += _item(item, width)
    return lines


def _item(item: Json, width: int) -> list[list[Span]]:
    text = str(item.get("text") or "")[-_TEXT:]
    status = str(item.get("status") or "")
    match item["kind"]:
        case "message" if item.get("role") == "user":
            return _said(text, width, "› ", "bold", "accent")
        case "message":
            return _said(text, width, "  ", "", "")
        case "thought":
            last = harmless(" ".join(text.split()))  # its end: that is what it is at
            end = last[-(width - 3) :]
            end = last if len(last) <= width - 2 else f"…{end.partition(' ')[2] or end}"
            return [[Span("  "), Span(clip(end, width - 2), "faint italic")]] if last else []
        case "tool_call":
            sign, style = _TOOL.get(status, ("·", "dim"))
            return [[Span(f"{sign} ", style), Span(clip(harmless(str(item.get("title") or "")), width - 2), "dim")]]
        case "permission":
            waiting = status == "pending"
            sign, style = ("● ", "needs") if waiting else ("· ", "dim")
            title = clip(harmless(str(item.get("title") or "")), width - 2)
            asked = [[Span("  "), Span(clip(exact(item.get("input")), width - 2), "bold")]] if waiting else []
            return [[Span(sign, style), Span(title, style)], *asked]
        case "notice":
            return [[Span("  "), Span(clip(harmless(text or status), width - 2), "needs")]]
        case _:
            return []


_TOOL = {"completed": ("✓", "done"), "failed": ("✗", "failed"), "in_progress": ("◐", "working")}


def _said(text: str, width: int, sign: str, style: str, sign_style: str) -> list[list[Span]]:
    lines: list[str] = []
    for each in block(text).expandtabs(4).split("\n"):
        lines += textwrap.wrap(each, width - 2, drop_whitespace=True) or [""]
    while lines and not lines[-1]:
        lines.pop()
    return [
        [Span(sign if at == 0 else "  ", sign_style), Span(clip(line, width - 2), style)]
        for at, line in enumerate(lines)
    ]


def asked_for(given: object, width: int) -> list[str]:
    """Return all of what an agent asks to do: its command, line by line as it is, and then whatever goes with it."""
    named = command(given)
    sources = [] if named is None else named.split("\n")
    for name, value in arguments(given):
        if named is None or name != "command":
            sources += f"{name}: {value}".split("\n") if name else value.split("\n")
    return [
        "".join(span.text for span in line)
        for each in sources
        for line in hard([Words(source_line(each, whole=True))], width)
    ]


def exact(given: object) -> str:
    """Return what an agent asks to do: its command where it names one, else all of it as JSON; on one line."""
    if isinstance(given, dict):
        command = cast("dict[object, object]", given).get("command")
        if isinstance(command, str):
            return harmless(command)
    return harmless(json.encode(given).decode()) if given is not None else ""
