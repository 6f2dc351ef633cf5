"""What is new in what an agent says of a tool. Agents repeat arguments and whole outputs with each little change.

Nothing here needs to survive a restart: what is forgotten is said once more.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Raw, Struct
from msgspec.structs import replace

from holdfast.adapters.transports.acp.protocol.wire import given
from holdfast.domain.attachments import stays
from holdfast.domain.content import NOTHING
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.transports.acp.protocol.wire import Update

REMEMBERED_BYTES: Final = 32 * 1024 * 1024
"""How much content of tools is remembered to find out how it grew."""

_WORTH_IT: Final = 512
_STATUSES: Final[dict[str, e.ToolStatus]] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
    "canceled": "failed",
    "rejected": "failed",
}

S = TypeVar("S", bound=str)


class _Said(Struct):
    title: str | None = None
    kind: str | None = None
    status: e.ToolStatus | None = None
    input: bytes = b""
    output: bytes = b""
    locations: bytes = b""
    content: bytes = b""
    content_text: str | None = None


class ToolLog:
    """What was said last of each tool in use."""

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}
        self.remembered_bytes = 0

    def clear(self) -> None:
        """Forget everything, as at the beginning of a turn."""
        self._said.clear()
        self.remembered_bytes = 0

    def news(self, item_id: str, update: Update, *, announced: bool) -> e.ToolCalled | e.ToolUpdated | None:
        """Return what `update` says that was not said before; None for nothing.

        Args:
            item_id: The use of a tool.
            update: What the agent says.
            announced: Whether it is said of a use that has not appeared before, or anew.
        """
        said = self._said.setdefault(item_id, _Said())
        status = None if update.status is None else _STATUSES.get(update.status)
        fields = e.ToolUpdated(
            item_id,
            update.tool_call_id or "",
            title=_changed(update.title, said.title),
            kind=_changed(update.kind, said.kind),
            status=_changed(status, said.status),
            input=_changed_json(given(update.raw_input), said.input),
            output=_changed_json(given(update.raw_output), said.output),
            locations=_changed_json(given(update.locations), said.locations),
            content=_changed_json(given(update.content), said.content),
        )
        fact = self._with_growth(fields, said, whole=announced)
        said.title = update.title or said.title
        said.kind = update.kind or said.kind
        said.status = status or said.status
        said.input = _digest(fields.input) or said.input
        said.output = _digest(fields.output) or said.output
        said.locations = _digest(fields.locations) or said.locations
        if announced:
            return e.ToolCalled(
                item_id,
                fields.call_id,
                title=fields.title,
                kind=fields.kind,
                status=fields.status,
                input=fields.input,
                output=fields.output,
                content=fields.content,
                locations=fields.locations,
            )
        return None if fact == e.ToolUpdated(item_id, fields.call_id) else fact

    def _with_growth(self, fact: e.ToolUpdated, said: _Said, *, whole: bool) -> e.ToolUpdated:
        """Say how the content grew where that is much shorter than all of it."""
        if not fact.content:
            return fact
        before, now = said.content_text, bytes(fact.content).decode()
        self.remembered_bytes += len(now) - len(before or "")
        said.content, said.content_text = _digest(fact.content), now
        if self.remembered_bytes > REMEMBERED_BYTES:
            self._forget()
        if whole or before is None or len(now) < _WORTH_IT:
            return fact
        if not (stays(before.encode()) and stays(now.encode())):
            return fact  # what is stored has references in it, and a difference must be one to that
        grown = splice(before, now)
        return fact if len(grown.insert) * 2 > len(now) else replace(fact, content=NOTHING, grown=grown)

    def _forget(self) -> None:
        for said in self._said.values():
            said.content_text = None
        self.remembered_bytes = 0


def splice(before: str, now: str) -> e.Splice:
    """Return how `before` became `now`, in time proportional to their length."""
    head = _common(before, now)
    shorter = min(len(before), len(now)) - head
    tail = _common(before[head:][::-1][:shorter], now[head:][::-1][:shorter])
    return e.Splice(head, tail, now[head : len(now) - tail])


def _common(one: str, other: str) -> int:
    """Return how many characters both begin with; halving, so that the comparing is done in C."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _changed(now: S | None, before: S | None) -> S | None:
    return None if now == before else now


def _changed_json(now: Raw, before: bytes) -> Raw:
    return NOTHING if now and _digest(now) == before else now


def _digest(raw: Raw) -> bytes:
    return blake2b(raw, digest_size=16).digest() if raw else b""
