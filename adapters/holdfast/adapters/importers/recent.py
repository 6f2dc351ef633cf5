"""Which items of a session were touched lately. A fold over its facts, so that a restart knows what it knew before."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.session.facts import Fact

LIMIT = 256
"""How many of a session's latest events are enough to know what is recent."""

_REMEMBERED = 64

Key = TypeVar("Key")
Value = TypeVar("Value")


class RecentItems:
    """The last item of each thread, and how often each message was taken up again. Bounded."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._last: dict[str | None, str] = {}
        self._runs: dict[str, int] = {}
        for fact in facts:
            self.note(fact)

    def item(self, message: str, thread: str | None) -> str:
        """Return the item that more of `message` belongs to: a new one, where something else came between."""
        run = self._runs.get(message, 0)
        if run and self._last.get(thread) != _named(message, run):
            run += 1
        return _named(message, max(run, 1))

    def note(self, fact: Fact) -> None:
        """Take note of one more fact."""
        match fact:
            case e.TextAppended(item_id=item_id, thread=thread) | e.ThoughtAppended(item_id=item_id, thread=thread):
                message, _, run = item_id.rpartition("#")
                if run.isdecimal() and message:
                    _remember(self._runs, message, int(run))
                else:
                    _remember(self._runs, item_id, 1)
                _remember(self._last, thread, item_id)
            case (
                e.ToolCalled(item_id=item_id, thread=thread)
                | e.MessageSent(item_id=item_id, thread=thread)
                | e.NoticeAdded(item_id=item_id, thread=thread)
            ):
                _remember(self._last, thread, item_id)
            case e.RawReceived(item_id=item_id):
                _remember(self._last, None, item_id)
            case _:
                pass


def _named(message: str, run: int) -> str:
    return message if run == 1 else f"{message}#{run}"


def _remember(memory: dict[Key, Value], key: Key, value: Value) -> None:
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
