"""Why JSON cannot be read, for the person who wrote it."""

from __future__ import annotations

import re
from typing import Final

_HALF: Final = re.compile(
    rb"""(?<!\\)(?:\\\\)*             # an even number of backslashes: the next one begins an escape
         (\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])   # the first half of a pair without its second
             |[c-fC-F][0-9a-fA-F]{2}(?<!\\u[dD][89abAB]..\\u....)))  # or a second half without its first""",
    re.VERBOSE,
)


def why(error: Exception, text: bytes) -> str:
    """Return what is wrong with a text that led to an error, in one line."""
    match error:
        case UnicodeDecodeError():
            return f"it is not UTF-8, at byte {error.start}"
        case RecursionError():
            return "it is nested too deeply"
        case _ if half := _HALF.search(text):
            escape = half[1].decode()
            return f"{escape} at byte {half.start(1)} is half of a character, without its other half"
        case _:
            return str(error)
