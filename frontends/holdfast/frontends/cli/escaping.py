"""JSON that a terminal cannot obey. What makes plain text harmless is the domain's, since exports need it as well."""

from __future__ import annotations

import re

from holdfast.domain.escaping import UNSEEN, block, escaped, one_line

__all__ = ["ascii_json", "block", "escaped", "json_for_terminal", "one_line"]

_OBEYED = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{UNSEEN}]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def json_for_terminal(text: str) -> str:
    """Return the JSON `text` as JSON of the same meaning that a terminal cannot obey.

    JSON itself leaves DEL, C1 and the bidirectional controls as they are. They can stand only inside its strings.
    """
    return _OBEYED.sub(_in_json, text.replace("\r", " "))


def ascii_json(text: str) -> str:
    """Return the JSON `text` as JSON of the same meaning in ASCII alone."""
    return _BEYOND_ASCII.sub(_in_json, text)


def _in_json(found: re.Match[str]) -> str:
    pairs = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pairs[at : at + 4]}" for at in range(0, len(pairs), 4))
