"""Names for what an agent says, short and the same again after a restart: a fold over the facts of the turn.

`t7.2` is the second item of turn `t7`; `t7.m…` is a message, and `t7.h…` a thought, to which the agent gave an id of
its own; `#2` at the end continues it after something else came between; `t7/call_1` is a use of a tool.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.session.facts import Fact

BEFORE_ANY_TURN: Final = "t0"

Speech = Literal["m", "h"]
"""Message, or thought that is only heard."""

_SAFE: Final = re.compile(r"[\x21\x22\x24-\x7e]{1,96}", re.ASCII)
_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuv"
_TOOLS: Final = 256


class _Tool(Struct):
    item_id: str
    turn: str
    finished: bool = False


class Naming:
    """Which item a piece of output belongs to. `after` tells it what was said; nothing else changes it."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        """Begin with the facts of the session since its latest turn started, that one included."""
        self.turn = BEFORE_ANY_TURN
        self._count = 0
        self._open: str | None = None
        self._speech: Speech = "m"
        self._pieces: dict[str, int] = {}
        self._message = ("", _digest(""))
        self._tools: dict[str, _Tool] = {}
        self._plan = False
        for fact in facts:
            self.after(fact)

    def speech(self, kind: Speech, message_id: str | None) -> str:
        """Return the item that a piece of a message or of a thought belongs to.

        Another kind, another message id, or something in between starts the next item.
        """
        if message_id is None:
            numbered = self._open is not None and self._open.rpartition(".")[2].isdecimal()
            return self._open if self._open and numbered and self._speech == kind else self.next()
        if message_id != self._message[0]:
            self._message = (message_id, _digest(message_id))
        base = f"{self.turn}.{kind}{self._message[1]}"
        if self._open is not None and _base(self._open) == base:
            return self._open
        pieces = self._pieces.get(base, 0)
        return f"{base}#{pieces + 1}" if pieces else base

    def next(self) -> str:
        """Return the name of an item that stands for itself."""
        return f"{self.turn}.{self._count + 1}"

    def plan(self) -> str:
        """Return the item of the turn's plan."""
        return f"{self.turn}.plan"

    def tool(self, call_id: str, *, announced: bool) -> str:
        """Return the item of a use of a tool.

        Agents count their calls from the beginning in each turn. What names a use that an earlier turn left unfinished
        is about that one, unless it announces a new one.
        """
        known = self._tools.get(call_id)
        if known is not None and (known.turn == self.turn or not (known.finished or announced)):
            return known.item_id
        return f"{self.turn}/{call_id if _SAFE.fullmatch(call_id) else _digest(call_id)}"

    def knows(self, call_id: str, item_id: str) -> bool:
        """Return whether this use of a tool has appeared before."""
        known = self._tools.get(call_id)
        return known is not None and known.item_id == item_id

    def after(self, fact: Fact) -> None:
        """Take up one more fact, in the order of the log."""
        match fact:
            case e.TurnStarted(turn_id=turn_id):
                self._start(turn_id)
            case e.TextAppended(item_id=item_id, thread=None):
                self._say(item_id, "m")
            case e.ThoughtAppended(item_id=item_id, thread=None):
                self._say(item_id, "h")
            case (
                e.ToolCalled(item_id=item_id, call_id=call_id, status=status)
                | e.ToolUpdated(item_id=item_id, call_id=call_id, status=status)
            ):
                self._use(call_id, item_id, status)
            case e.PlanChanged():
                self._open = self._open if self._plan else None
                self._plan = True
            case e.PermissionRequested():
                self._open = None
            case (
                e.MessageReceived(item_id=item_id)
                | e.MessageSent(item_id=item_id)
                | e.NoticeAdded(item_id=item_id)
                | e.RawReceived(item_id=item_id)
            ):
                self._number(item_id)
                self._open = None
            case _:
                pass

    def _start(self, turn_id: str) -> None:
        self.turn = turn_id
        self._count = 0
        self._open = None
        self._pieces.clear()
        self._plan = False
        unfinished = [(call_id, tool) for call_id, tool in self._tools.items() if not tool.finished]
        self._tools = dict(unfinished[-_TOOLS:])

    def _say(self, item_id: str, kind: Speech) -> None:
        if item_id != self._open:
            self._number(item_id)
            base = _base(item_id)
            self._pieces[base] = self._pieces.get(base, 0) + 1
        self._open = item_id
        self._speech = kind

    def _number(self, item_id: str) -> None:
        turn, _, number = item_id.rpartition(".")
        if turn == self.turn and number.isdecimal():
            self._count = max(self._count, int(number))

    def _use(self, call_id: str, item_id: str, status: e.ToolStatus | None) -> None:
        known = self._tools.get(call_id)
        if known is None or known.item_id != item_id:
            self._open = None
            known = self._tools[call_id] = _Tool(item_id, self.turn)
        if status is not None:
            known.finished = status in ("completed", "failed")


def _base(item_id: str) -> str:
    return item_id.partition("#")[0]


def _digest(name: str) -> str:
    """Return eight characters for a peer's name, which may be long, or hold what a name must not."""
    number = int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=5).digest())
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(0, 40, 5))
