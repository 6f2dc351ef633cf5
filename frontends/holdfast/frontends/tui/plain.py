"""Text as ASCII, cell for cell, for a locale that is not UTF-8."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category, east_asian_width, normalize

_NEAREST: Final = str.maketrans(
    {
        "●": "!", "✓": "+", "✗": "x", "∙": ".", "·": "-", "◌": "o", "↻": "@", "★": "*", "☆": "*",
        "◐": "|", "◓": "/", "◑": "-", "◒": "\\",
        "…": "~", "–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "«": "<", "»": ">",
        "›": ">", "‹": "<", "→": ">", "←": "<", "↑": "^", "↓": "v", "⏎": "<", "⇥": ">", "⌃": "^", "•": "*", "○": "o",
        "▸": ">", "▾": "v", "▶": ">", "▼": "v", "▲": "^", "◀": "<", "█": "#", "▌": "|", "▐": "|", "▎": "|", "▍": "|",
        "▏": "|", "┃": "|", "✻": "*", "⋯": "~", "☑": "x", "☐": "o", "◦": "-", "◇": "#", "▣": "#",
        "▊": "#", "▉": "#", "▋": "#", "▇": "#", "▆": "#", "▅": "#", "▄": "_", "▃": "_", "▂": "_", "▁": "_",
        "▔": "-", "▀": "-", "░": ".", "▒": ":", "▓": "#", "■": "#", "□": "o", "×": "x", "✔": "+", "✘": "x", "⚠": "!",
    }
)  # fmt: skip
_BEYOND: Final = re.compile(r"[^\x00-\x7f]")


def plain(text: str) -> str:
    """Return `text` in ASCII; what has no likeness becomes `?`, twice where it takes two cells."""
    return _BEYOND.sub(_nearest, text.translate(_NEAREST))


def _nearest(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if 0x2500 <= code <= 0x257F:
        return _LINES.get(character, "+")
    if category(character) in ("Mn", "Me", "Cf"):
        return ""
    base = normalize("NFKD", character)[0]
    if base.isascii() and base.isprintable() and east_asian_width(character) not in "WF":
        return base
    return "??" if east_asian_width(character) in "WF" else "?"


_LINES: Final = (
    dict.fromkeys("─━┄┅┈┉╌╍═╴╶╸╺", "-") | dict.fromkeys("│┃┆┇┊┋╎╏║╵╷╹╻", "|") | {"╱": "/", "╲": "\\", "╳": "x"}
)
