"""Keeping the values of credentials out of the log: in what comes in one piece, and in text that comes in many.

A value gives way to as many asterisks. Nothing else changes, not even a length: offsets into what the peer sent, and
into texts of which only the changes are recorded, stay right.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from msgspec import Raw
from msgspec.structs import replace

from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.recorded import StreamId
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.transport import Heard

SHORTEST: Final = 8
"""A shorter value is no secret, and would be found in ordinary words."""

_ASIDE = (
    e.UsageReported,
    e.CommandsChanged,
    e.ModesOffered,
    e.OptionsOffered,
    e.InfoChanged,
    e.ModeChanged,
    e.SessionConfigured,
    e.PromptAccepted,
)
"""Facts that come between two pieces of one text without ending it."""


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the values in it."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, "*" * len(secret))
    return text


def hidden_json(content: Raw, secrets: Iterable[str]) -> Raw:
    """Return JSON without the values in it."""
    data = bytes(content)
    for secret in secrets:
        if len(secret) >= SHORTEST:
            for form in forms(secret):
                data = data.replace(form, b"*" * len(form))
    return Raw(data)


class Veil:
    """Hides values in what one peer says."""

    def __init__(self, secrets: Iterable[str]) -> None:
        texts = {secret for secret in secrets if len(secret) >= SHORTEST}
        self._texts = sorted(texts, key=len, reverse=True)
        self._forms = sorted({form for text in texts for form in forms(text)}, key=len, reverse=True)
        self._carry = b""
        self._held: dict[StreamId | None, _Held] = {}

    @property
    def holds(self) -> bool:
        """Whether something that was heard is not given out yet."""
        return bool(self._held)

    def hide(self, data: bytes) -> bytes:
        """Return bytes with the values hidden; what may be the beginning of one comes with the next bytes."""
        if not self._forms:
            return data
        data, self._carry = self._carry + data, b""
        for form in self._forms:
            data = data.replace(form, b"*" * len(form))
        keep = max((_overlap(data, form) for form in self._forms), default=0)
        if keep:
            data, self._carry = data[:-keep], data[-keep:]
        return data

    def last_bytes(self) -> bytes:
        """Return what was kept back when no more bytes will come."""
        data, self._carry = self._carry, b""
        return data

    def facts(self, heard: Heard) -> list[Heard]:
        """Return what may be recorded now that this was heard too, in order."""
        if not self._texts:
            return [heard]
        held = self._held.pop(heard.session_id, None) or _Held()
        held.all.append(heard)
        for index, fact in enumerate(heard.facts):
            self._look(held, len(held.all) - 1, index, fact)
        if held.open:
            self._held[heard.session_id] = held
            return []
        return held.all

    def rest(self) -> list[Heard]:
        """Return everything that is still held, when nothing more will be heard."""
        rest = [heard for held in self._held.values() for heard in held.all]
        self._held.clear()
        return rest

    def _look(self, held: _Held, at: int, index: int, fact: Fact) -> None:
        if isinstance(fact, _ASIDE):
            return
        if not isinstance(fact, e.TextAppended | e.ThoughtAppended):
            held.open.clear()
            return
        name = (type(fact), fact.item_id)
        if held.name != name:
            held.open.clear()
            held.name = name
        held.open.append((at, index))
        texts = [held.text(place) for place in held.open]
        joined = "".join(texts)
        for secret in self._texts:
            joined = joined.replace(secret, "*" * len(secret))
        begin = 0
        for place, text in zip(held.open, texts, strict=True):
            held.write(place, joined[begin : begin + len(text)])
            begin += len(text)
        keep = max(_overlap(joined, secret) for secret in self._texts)
        while held.open and len(joined) - len(held.text(held.open[0])) >= keep:
            joined = joined[len(held.text(held.open.pop(0))) :]


class _Held:
    """What was heard of one session and is not given out, because a text in it may end in the beginning of a value."""

    def __init__(self) -> None:
        self.all: list[Heard] = []
        self.open: list[tuple[int, int]] = []
        self.name: tuple[type, str] | None = None

    def text(self, place: tuple[int, int]) -> str:
        fact = self.all[place[0]].facts[place[1]]
        assert isinstance(fact, e.TextAppended | e.ThoughtAppended)
        return fact.text

    def write(self, place: tuple[int, int], text: str) -> None:
        if text == self.text(place):
            return
        at, index = place
        facts = list(self.all[at].facts)
        facts[index] = replace(facts[index], text=text)
        self.all[at] = replace(self.all[at], facts=tuple(facts))


def forms(secret: str) -> set[bytes]:
    """Return a value as it may stand in JSON."""
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    return {form.encode() for form in (secret, plain, json.dumps(secret)[1:-1], plain.replace("/", "\\/"))}


def _overlap(text: bytes | str, secret: bytes | str) -> int:
    """Return how many of the last characters may be the beginning of a value."""
    for length in range(min(len(secret) - 1, len(text)), 0, -1):
        if text[-length:] == secret[:length]:
            return length
    return 0
