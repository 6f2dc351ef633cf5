"""Makes text from outside harmless: what a terminal would obey, or a reader not see, is shown as an escape."""

from __future__ import annotations

import re
from typing import Final

UNSEEN: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, Arabic mark, fillers, Mongolian
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line and paragraph ends, every bidirectional control
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"  # fillers, variations (but those of emoji), byte order mark
    "\ud800-\udfff"  # surrogates: bytes of a file name that are no UTF-8
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand, music, tags that spell hidden text
)
"""Characters that show nothing, or reorder what stands around them, as the inside of a regular expression's class."""

_ONE_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f{UNSEEN}]")
_BLOCK = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{UNSEEN}]")
_BREAKS = re.compile(r"[ \t\r\n]*[\t\r\n][ \t\r\n]*")


def escaped(text: str) -> str:
    r"""Return `text` on one line, with every control and every unseen character as `\n`, `\x1b` or `\u202e`."""
    return text if text.isascii() and text.isprintable() else _ONE_LINE.sub(_visible, text)


def one_line(text: str) -> str:
    """Return `text` on one line for people: breaks and tabs become a space, the rest is escaped."""
    if text.isascii() and text.isprintable():
        return text
    return _ONE_LINE.sub(_visible, _BREAKS.sub(" ", text))


def block(text: str) -> str:
    """Return `text` with its lines and tabs, everything else escaped."""
    return _BLOCK.sub(_visible, text.replace("\r\n", "\n"))


_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _visible(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # the byte that Python hid in there
    if code < 0x100:
        return _NAMED.get(character) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
