"""Hiding the value of a credential that a peer says in pieces: its beginning in one message, the rest in later ones.

A message cannot wait for the next one where people watch them come. So the beginning of a value gives way as soon as it
is long enough to be one, and whatever goes on with it gives way when it comes: of a value that a peer cuts up, no more
than its first characters are ever seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.adapters.supervision.secrets import Secrets

SHOWN: Final = 3
"""So many first characters of a value may be seen: every other word begins like that."""

_APART = 16
"""What goes on with a value comes within so many messages: others may come between."""


class Pieces:
    """Hides pieces of values in messages of JSON, each whole or cut off at its end."""

    def __init__(self, secrets: Secrets) -> None:
        """Hide these, and what they learn."""
        self._secrets = secrets
        self._values: dict[bytes, _Value] = {}

    def hide(self, message: bytes) -> bytes:
        """Return a message without the pieces in it, of the same length."""
        for form in self._secrets.forms:
            value = self._values.get(form)
            if value is None:
                value = self._values[form] = _Value(form)
            message = value.hide(message)
        return message


class _Value:
    """One form of one value, and how much of it was said so far."""

    def __init__(self, form: bytes) -> None:
        self._form = form
        self._said: dict[int, int] = {}  # so many of its first bytes, and in how many messages the rest may come

    def hide(self, message: bytes) -> bytes:
        if not self._said and not self._may_begin(message):
            return message
        said = {length: left - 1 for length, left in self._said.items() if left > 1}
        covered: list[tuple[int, int]] = []
        for before in (0, *self._said):
            for begin, end in self._found(message, before):
                reached = before + end - begin
                if reached < len(self._form):
                    said[reached] = _APART
                if reached > SHOWN:
                    covered.append((begin, end))
        self._said = said
        for begin, end in covered:
            message = message[:begin] + b"*" * (end - begin) + message[end:]
        return message

    def _may_begin(self, message: bytes) -> bool:
        """Tell nearly every message, in which nothing of the value is, from those that have to be looked through."""
        first = self._form[:1]
        return self._form[:2] in message or first + b'"' in message or message.endswith(first)

    def _found(self, message: bytes, before: int) -> Iterator[tuple[int, int]]:
        """Yield where a message goes on with the value, of which `before` bytes were said.

        The beginning of it ends a string; a later part begins one, and is all of it unless it is the last.
        """
        rest = self._form[before:]
        begin = message.find(rest[:1])
        while begin >= 0:
            if not before or message[begin - 1 : begin] == b'"':
                end = begin + _alike(message, begin, rest)
                if message[end : end + 1] in _ENDS or (before and end - begin == len(rest)):
                    yield begin, end
            begin = message.find(rest[:1], begin + 1)


_ENDS = (b'"', b"")


def _alike(message: bytes, at: int, text: bytes) -> int:
    """Return how many bytes of a message from a place on are the first ones of a text."""
    length = 1
    while length < len(text) and message[at + length : at + length + 1] == text[length : length + 1]:
        length += 1
    return length
