"""Makes text from outside harmless for a terminal: what would be obeyed, or not be seen, is shown as an escape."""

from __future__ import annotations

import re

_UNSEEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, Arabic mark, fillers, Mongolian
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line and paragraph ends, every bidirectional control
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"  # fillers, variations (but those of emoji), byte order mark
    "\ud800-\udfff"  # surrogates: bytes of a file name that are no UTF-8
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand, music, tags that spell hidden text
)
_ONE_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f{_UNSEEN}]")
_BLOCK = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_UNSEEN}]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
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


def json_for_terminal(text: str) -> str:
    """Return the JSON `text` as JSON of the same meaning that a terminal cannot obey.

    JSON itself leaves DEL, C1 and the bidirectional controls as they are. They can stand only inside its strings.
    """
    return _BLOCK.sub(_in_json, text.replace("\r", " "))


def ascii_json(text: str) -> str:
    """Return the JSON `text` as JSON of the same meaning in ASCII alone."""
    return _BEYOND_ASCII.sub(_in_json, text)


_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _visible(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # the byte that Python hid in there
    if code < 0x100:
        return _NAMED.get(character) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _in_json(found: re.Match[str]) -> str:
    pairs = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pairs[at : at + 4]}" for at in range(0, len(pairs), 4))
