"""Which items of a session were touched lately. A fold over its facts, so that a restart knows what it knew before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

from msgspec import MsgspecError, Raw, Struct, json

from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.session.facts import Fact

LIMIT = 256
"""How many of a session's latest events are enough to know what is recent."""

_REMEMBERED = 64

Said = Literal["message", "text", "thought"]
"""Who said it, and how: a person, the agent, or the agent to itself."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class RecentItems:
    """The last item of each thread, how often each message was taken up again, what was said, what failed. Bounded."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._last: dict[str | None, str] = {}
        self._runs: dict[str, int] = {}
        self._said: dict[tuple[Said, int], str] = {}
        self._failed: dict[str, bool] = {}
        for fact in facts:
            self.note(fact)

    def item(self, message: str, thread: str | None) -> str:
        """Return the item that more of `message` belongs to: a new one, where something else came between."""
        run = self._runs.get(message, 0)
        if run and self._last.get(thread) != _named(message, run):
            run += 1
        return _named(message, max(run, 1))

    def said(self, kind: Said, words: str) -> str | None:
        """Return the item that these words, and no others, were added to last."""
        return self._said.get((kind, hash(words)))

    def failed(self, item_id: str) -> bool:
        """Tell whether the latest that was heard of a use of a tool is that it failed."""
        return self._failed.get(item_id, False)

    def note(self, fact: Fact) -> None:
        """Take note of one more fact."""
        match fact:
            case e.TextAppended(item_id=item_id, text=words):
                _remember(self._said, ("text", hash(words)), item_id)
            case e.ThoughtAppended(item_id=item_id, text=words):
                _remember(self._said, ("thought", hash(words)), item_id)
            case e.MessageSent(item_id=item_id, content=content):
                _remember(self._said, ("message", hash(_words(content))), item_id)
            case e.ToolUpdated(item_id=item_id, status=status) if status is not None:
                _remember(self._failed, item_id, status == "failed")
            case _:
                pass
        self._place(fact)

    def _place(self, fact: Fact) -> None:
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


class _Block(Struct):
    text: str = ""


def _words(content: Raw) -> str:
    try:
        return "".join(block.text for block in json.decode(content, type=list[_Block]))
    except MsgspecError:
        return ""


def _named(message: str, run: int) -> str:
    return message if run == 1 else f"{message}#{run}"


def _remember(memory: dict[Key, Value], key: Key, value: Value) -> None:
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
