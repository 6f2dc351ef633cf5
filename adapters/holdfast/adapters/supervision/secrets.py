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


_SAID: Final = (e.TextAppended, e.ThoughtAppended)
"""Facts that are pieces of a text."""


class Secrets:
    """The values that never enter the log, as they are known now: a token may be replaced while its daemon runs.

    Attributes:
        texts: The values, the longest first. Learning another puts a new tuple in its place.
        forms: The same as they may stand in JSON.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.texts: tuple[str, ...] = ()
        self.forms: tuple[bytes, ...] = ()
        self._keep(values)

    def learn(self, value: str) -> None:
        """Hide one more value from now on."""
        if value not in self.texts:
            self._keep((*self.texts, value))

    def _keep(self, values: Iterable[str]) -> None:
        texts = {value for value in values if len(value) >= SHORTEST}
        self.texts = tuple(sorted(texts, key=len, reverse=True))
        self.forms = tuple(sorted({form for text in texts for form in forms(text)}, key=len, reverse=True))


def hidden(text: str, secrets: Secrets) -> str:
    """Return a text without the values in it."""
    for secret in secrets.texts:
        text = text.replace(secret, "*" * len(secret))
    return text


def hidden_json(content: Raw, secrets: Secrets) -> Raw:
    """Return JSON without the values in it."""
    data = bytes(content)
    for form in secrets.forms:
        data = data.replace(form, b"*" * len(form))
    return Raw(data)


class Veil:
    """Hides values in what one peer says."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._carry = b""
        self._held: dict[StreamId | None, _Held] = {}

    @property
    def holds(self) -> bool:
        """Whether something that was heard is not given out yet."""
        return bool(self._held)

    def hide(self, data: bytes) -> bytes:
        """Return bytes with the values hidden; what may be the beginning of one comes with the next bytes."""
        forms = self._secrets.forms
        if not forms:
            return data
        data, self._carry = self._carry + data, b""
        for form in forms:
            data = data.replace(form, b"*" * len(form))
        tail = data[-len(forms[0]) :].decode("latin-1")
        keep = max(_overlap(tail, form.decode("latin-1")) for form in forms)
        if keep:
            data, self._carry = data[:-keep], data[-keep:]
        return data

    def last_bytes(self) -> bytes:
        """Return what was kept back when no more bytes will come."""
        data, self._carry = self._carry, b""
        return data

    def facts(self, heard: Heard) -> list[Heard]:
        """Return what may be recorded now that this was heard too, in order."""
        held = self._held.pop(heard.session_id, None)
        if held is None:
            if not self._begins(heard):
                return [heard]
            held = _Held()
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

    def _begins(self, heard: Heard) -> bool:
        """Whether a value, or the beginning of one, stands in a text; nearly always there is none."""
        for fact in heard.facts:
            if isinstance(fact, _SAID):
                for secret in self._secrets.texts:
                    if secret in fact.text or _overlap(fact.text, secret):
                        return True
        return False

    def _look(self, held: _Held, at: int, index: int, fact: Fact) -> None:
        if isinstance(fact, _ASIDE):
            return
        if not isinstance(fact, _SAID):
            held.open.clear()
            return
        name = (type(fact), fact.item_id)
        if held.name != name:
            held.open.clear()
            held.name = name
        held.open.append((at, index))
        texts = [held.text(place) for place in held.open]
        joined = "".join(texts)
        secrets = self._secrets.texts
        for secret in secrets:
            joined = joined.replace(secret, "*" * len(secret))
        begin = 0
        for place, text in zip(held.open, texts, strict=True):
            held.write(place, joined[begin : begin + len(text)])
            begin += len(text)
        keep = max(_overlap(joined, secret) for secret in secrets)
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
        assert isinstance(fact, _SAID)
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


def _overlap(text: str, secret: str) -> int:
    """Return how many of the last characters may be the beginning of a value."""
    first, end = secret[:1], len(text)
    begin = text.find(first, max(0, end - len(secret) + 1))
    while begin >= 0:
        if secret.startswith(text[begin:]):
            return end - begin
        begin = text.find(first, begin + 1)
    return 0
