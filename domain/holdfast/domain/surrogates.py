"""Halves of surrogate pairs in JSON: programs that cut a text in two in the middle of an emoji write them.

No reader of the log could encode them again.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\[^u]"
)


def without_halves(data: bytes) -> bytes:
    """Return JSON text with U+FFFD in the place of each half without its other half."""
    return _ESCAPES.sub(_whole, data)


def _whole(match: re.Match[bytes]) -> bytes:
    """Whole pairs and other escapes stay; they are matched so that a half is never looked for inside them."""
    found = match[0]
    return b"\\ufffd" if len(found) == 6 else found
