"""What stands inside a line of Markdown: emphasis, code and links, as spans. A link always shows where it leads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdfast.frontends.tui.session.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_INLINE = re.compile(
    r"(?P<escape>\\[\\`*_{}\[\]()#+.!~|>-])"
    r"|(?P<tick>`+)(?P<code>.+?)(?<!`)(?P=tick)(?!`)"
    r"|(?P<image>!)?\[(?P<label>[^\[\]]*)\]\((?P<to>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+\"[^\"]*\")?\)"
    r"|(?P<auto><(?:https?|mailto):[^<>\s]+>|https?://[^\s<>\"'`]+[^\s<>\"'`.,:;!?)\]}*_])"
    r"|(?P<bold>\*\*(?=\S)(?P<bolder>.+?)(?<=\S)\*\*|__(?=\S)(?P<under>.+?)(?<=\S)__(?!\w))"
    r"|(?P<strike>~~(?=\S)(?P<struck>.+?)(?<=\S)~~)"
    r"|(?P<italic>(?<!\w)\*(?=[^\s*])(?P<leaning>[^*]+?)(?<=[^\s*])\*(?![*\w])|(?<!\w)_(?=[^\s_])(?P<slanted>[^_]+?)(?<=[^\s_])_(?!\w))"
)
_SPECIAL = re.compile(r"[\\`*_\[~<]|https?://")

_DEEPEST = 4
_LONGEST = 4_000
"""Characters of a line beyond which it is shown as it is: patterns that look back could take long."""


def inline(text: str, style: str = "", depth: int = 0) -> Iterator[Span]:
    """Yield the spans of a line that is harmless already."""
    if depth > _DEEPEST or len(text) > _LONGEST or not _SPECIAL.search(text):
        yield Span(text, style)
        return
    at = 0
    for found in _INLINE.finditer(text):
        if found.start() > at:
            yield Span(text[at : found.start()], style)
        at = found.end()
        yield from _piece(found, style, depth)
    if at < len(text):
        yield Span(text[at:], style)


def _piece(found: re.Match[str], style: str, depth: int) -> Iterator[Span]:
    match found.lastgroup:
        case _ if found["escape"]:
            yield Span(found["escape"][1], style)
        case _ if found["code"] is not None:
            code = found["code"]
            inner = code[1:-1] if code.startswith(" ") and code.endswith(" ") and code.strip() else code
            yield Span(inner, f"{style} code")
        case _ if found["label"] is not None:
            yield from _link(found, style, depth)
        case _ if found["auto"]:
            yield Span(found["auto"].strip("<>"), f"{style} link")
        case _ if found["bold"]:
            yield from inline(found["bolder"] or found["under"], f"{style} bold", depth + 1)
        case _ if found["strike"]:
            yield from inline(found["struck"], f"{style} strike", depth + 1)
        case _:
            yield from inline(found["leaning"] or found["slanted"], f"{style} italic", depth + 1)


def _link(found: re.Match[str], style: str, depth: int) -> Iterator[Span]:
    label, to = found["label"], found["to"]
    if found["image"]:
        yield Span(f"[image: {label or to}]", f"{style} dim")  # nothing is fetched
        return
    yield from inline(label or to, f"{style} link", depth + 1)
    if to and to != label:
        yield Span(f" ({to})", f"{style} url")
