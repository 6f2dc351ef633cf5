"""What an agent sent, compared with what the log holds: by its own copy, to which nobody else had access."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec import DecodeError, Struct, json

from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode
from holdfast.domain.session.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.answers import LogEvent

_SPOKEN = {"agent_message_chunk": "text", "agent_thought_chunk": "thought"}


class Proof(Struct, frozen=True):
    """What came of a comparison.

    Attributes:
        sent: Messages of the agent that were looked for.
        lost: How many of them the log does not hold.
        doubled: How many it holds more than once.
    """

    sent: int
    lost: int
    doubled: int


class _Content(Struct):
    text: str = ""


class _Update(Struct, rename="camel"):
    session_update: str
    content: _Content | list[object] | None = None
    tool_call_id: str = ""
    status: str | None = None


class _Params(Struct):
    update: _Update | None = None


class _Message(Struct):
    method: str = ""
    id: str | int | None = None
    params: _Params | None = None
    result: dict[str, object] | None = None


class Told:
    """Everything that one side tells, in the same terms for both: what is spoken in its order, all else by name."""

    def __init__(self) -> None:
        self.spoken: dict[str, list[str]] = {kind: [] for kind in _SPOKEN.values()}
        self.named: Counter[tuple[str, ...]] = Counter()


def sent(copy: Iterable[bytes]) -> Told:
    """Return what the agent told, by the lines of its own copy."""
    told = Told()
    for line in copy:
        try:
            message = json.decode(line, type=_Message)
        except DecodeError:
            continue  # cut off in the middle: the agent was ended while it wrote
        update = message.params.update if message.params else None
        if update is not None and update.session_update in _SPOKEN:
            if isinstance(update.content, _Content):
                told.spoken[_SPOKEN[update.session_update]].append(update.content.text)
        elif update is not None and update.session_update.startswith("tool_call"):
            told.named["tool", update.tool_call_id, update.status or ""] += 1
        elif message.method == "session/request_permission":
            told.named["permission",] += 1
        elif message.result is not None and "stopReason" in message.result:
            told.named["turn", str(message.result["stopReason"])] += 1
    return told


def held(events: Iterable[LogEvent]) -> Told:
    """Return what the agent told, by the events of its session."""
    told = Told()
    for logged in events:
        fact = logged.recorded.event
        match decode(fact.tag, fact.schema, fact.data) if isinstance(fact, Unknown) else fact:
            case e.TextAppended(text=text):
                told.spoken["text"].append(text)
            case e.ThoughtAppended(text=text):
                told.spoken["thought"].append(text)
            case e.ToolCalled(call_id=call_id, status=status) | e.ToolUpdated(call_id=call_id, status=status):
                told.named["tool", call_id, status or ""] += 1
            case e.PermissionRequested():
                told.named["permission",] += 1
            case e.TurnEnded(stop_reason=stop_reason):
                told.named["turn", stop_reason] += 1
            case _:
                pass
    return told


def compare(by_agent: Told, by_log: Told) -> Proof:
    """Return whether each side tells the same, each thing once."""
    lost = (by_agent.named - by_log.named).total()
    doubled = (by_log.named - by_agent.named).total()
    for kind, pieces in by_agent.spoken.items():
        missing, extra = _differences(pieces, "".join(by_log.spoken[kind]))
        lost += missing
        doubled += extra
    return Proof(sum(map(len, by_agent.spoken.values())) + by_agent.named.total(), lost, doubled)


def _differences(pieces: list[str], text: str) -> tuple[int, int]:
    """Return how many of `pieces` a text lacks, and how many places in it hold more than them."""
    whole = "".join(pieces)
    if whole == text:
        return 0, 0
    ends = list(accumulate(map(len, pieces)))
    missing: set[int] = set()
    extra = 0
    for operation, start, end, other, other_end in SequenceMatcher(None, whole, text, autojunk=False).get_opcodes():
        if operation in ("delete", "replace"):
            missing |= {n for n, piece in enumerate(pieces) if ends[n] > start and ends[n] - len(piece) < end}
        if operation in ("insert", "replace") and other_end > other:
            extra += 1
    return len(missing), extra
