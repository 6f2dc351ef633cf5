"""One agent process and the conversations it carries: each message finds its conversation, in the order it came."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from holdfast.adapters.transports.acp.protocol import results
from holdfast.adapters.transports.acp.protocol.connection import (
    NOT_FOUND,
    OPEN_LIMIT,
    Answered,
    Asked,
    Connection,
    Notified,
    Observation,
    Refused,
    Spoke,
    TooLong,
    Unreadable,
    Withdrawn,
)
from holdfast.adapters.transports.acp.protocol.requests import INTRODUCES, OPENS, Call
from holdfast.adapters.transports.acp.protocol.session import Conversation
from holdfast.adapters.transports.acp.protocol.translate import as_text
from holdfast.adapters.transports.acp.protocol.wire import Params, parsed
from holdfast.domain.session.facts import Fact
from holdfast.domain.transport import Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdfast.domain.recorded import Recorded

HELD_LIMIT: Final = 64 * 1024 * 1024
"""Bytes that wait for a session to be introduced; then they are given out as nobody's."""


class Delivery(Struct, frozen=True):
    """Something that the agent said, whom it is about, and what follows.

    Attributes:
        conversation: None for what is about the link itself, or about nobody we know.
        observation: What was said. It carries the source of the facts.
        facts: To be recorded in the conversation's session, together.
        writes: To be sent without waiting for the log.
    """

    conversation: Conversation | None
    observation: Observation
    facts: tuple[Fact, ...] = ()
    writes: tuple[Write, ...] = ()


class Link:
    """Routes between one connection and its conversations.

    Some agents talk about a session before the answer that names it. Until then what they say is held, and everything
    behind it as well: what is committed of a link must be a prefix of what it sent.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._named: dict[str, Conversation] = {}
        self._asked: dict[str, Conversation] = {}
        self._questions: dict[str, Conversation] = {}
        self._introducing: set[str] = set()
        self._held: deque[Observation] = deque()
        self.held_bytes = 0
        """Bytes that wait for a session to be introduced."""

    def open(self, conversation: Conversation, key: str, call: Call, *, adopt: bool = False) -> Write:
        """Return the request that begins or takes up a conversation on this link."""
        write = conversation.open(key, call, adopt=adopt)
        self._asked[key] = conversation
        if call.method in INTRODUCES:
            self._introducing.add(key)
        elif conversation.remote_id is not None:
            self._named[conversation.remote_id] = conversation
        return write

    def ask(self, conversation: Conversation, key: str, call: Call) -> Write:
        """Return any other request about a conversation."""
        self._asked[key] = conversation
        return conversation.ask(key, call)

    def committed(self, conversation: Conversation, recorded: Recorded) -> list[Write]:
        """Return what the agent has to be told now that the log holds this event of the conversation's session.

        Raises:
            PromptError: A turn was started while the agent is not ready for one.
        """
        return self._expecting(conversation, conversation.committed(recorded))

    def restore(self, conversation: Conversation, history: Iterable[Recorded]) -> list[Write]:
        """Take up a conversation that went on while we were away; see `Conversation.restore`."""
        if conversation.remote_id is not None:
            self._named[conversation.remote_id] = conversation
        return self._expecting(conversation, conversation.restore(history))

    def _expecting(self, conversation: Conversation, writes: list[Write]) -> list[Write]:
        for write in writes:
            if self.connection.expects(write.key):
                self._asked[write.key] = conversation
        return writes

    def drop(self, conversation: Conversation) -> None:
        """Route nothing to this conversation any more."""
        for table in (self._named, self._asked, self._questions):
            for name in [name for name, found in table.items() if found is conversation]:
                del table[name]

    def receive(self, data: bytes) -> list[Delivery]:
        """Take bytes in any slices; return what follows, in the order in which it must be committed."""
        delivered: list[Delivery] = []
        for observation in self.connection.receive(data):
            if isinstance(observation, Spoke) and not self._held:
                conversation = self._named.get(observation.piece.session_id)
                if conversation is not None and conversation.phase != "recovering":
                    # Nearly all that an agent says: none of the other ways can be meant.
                    delivered.append(Delivery(conversation, observation, conversation.spoke(observation.piece)))
                    continue
            for each in observation.told() if isinstance(observation, Spoke) else (observation,):
                delivered += self._route(each)
        return delivered

    def gone(self) -> list[Delivery]:
        """The connection is over. Return what was held for sessions that were never introduced."""
        self._introducing.clear()
        rest = list(self._flush())
        for conversation in {id(found): found for found in self._named.values()}.values():
            conversation.gone()
        return rest

    def _route(self, observation: Observation) -> Iterator[Delivery]:
        if isinstance(observation, Answered) and observation.method in OPENS:
            self._introduced(observation)
            yield from self._flush()
            yield self._deliver(observation)
        elif isinstance(observation, Refused):
            yield self._deliver(observation)  # it makes no facts, and the agent may wait for it before it goes on
        elif isinstance(observation, TooLong):
            self._introducing.clear()
            yield from self._flush()
            yield self._deliver(observation)
        elif self._held or self._must_wait(observation):
            self._held.append(observation)
            self.held_bytes += _size(observation)
            if self.held_bytes > HELD_LIMIT:
                yield from self._flush(whatever=True)
        else:
            yield self._deliver(observation)

    def _introduced(self, answered: Answered) -> None:
        self._introducing.discard(answered.key)
        conversation = self._asked.get(answered.key)
        name = results.opened(answered.result).session_id
        if conversation is not None and name is not None and answered.error is None:
            self._named[name] = conversation

    def _must_wait(self, observation: Observation) -> bool:
        if not self._introducing:
            return False
        name = _session_of(observation)
        return name is not None and name not in self._named

    def _flush(self, *, whatever: bool = False) -> Iterator[Delivery]:
        while self._held and (whatever or not self._must_wait(self._held[0])):
            observation = self._held.popleft()
            self.held_bytes -= _size(observation)
            yield self._deliver(observation)

    def _deliver(self, observation: Observation) -> Delivery:
        conversation = self._conversation(observation)
        if conversation is None:
            return self._unclaimed(observation)
        if isinstance(observation, Asked):
            self._questions[observation.key] = conversation
            if len(self._questions) > OPEN_LIMIT:
                del self._questions[next(iter(self._questions))]
        step = conversation.observe(observation)
        return Delivery(conversation, observation, step.facts, step.writes)

    def _conversation(self, observation: Observation) -> Conversation | None:
        match observation:
            case Answered(key=key):
                return self._asked.pop(key, None)
            case Withdrawn(key=key):
                return self._questions.pop(key, None)
            case _:
                name = _session_of(observation)
                return None if name is None else self._named.get(name)

    def _unclaimed(self, observation: Observation) -> Delivery:
        """Garbage, and words about sessions that we do not know, are kept by the only conversation there is."""
        only = self._only()
        match observation:
            case Refused(write=write):
                return Delivery(None, observation, writes=(write,))
            case Asked(key=key):
                refusal = self.connection.refuse(key, NOT_FOUND, "There is no such session")
                return Delivery(None, observation, writes=() if refusal is None else (refusal,))
            case Unreadable(reason=reason, data=data) if only is not None:
                return Delivery(only, observation, (only.keep(f"garbage: {reason}", as_text(data)),))
            case Notified(method="session/update", params=params) if only is not None and params:
                return Delivery(only, observation, (only.keep("session/update of another session", params),))
            case _:
                return Delivery(None, observation)

    def _only(self) -> Conversation | None:
        return next(iter(self._named.values())) if len(self._named) == 1 else None


def _session_of(observation: Observation) -> str | None:
    if isinstance(observation, Notified | Asked):
        params = parsed(Params, observation.params)
        return None if params is None else params.session_id
    return None


def _size(observation: Observation) -> int:
    match observation:
        case Notified(params=params) | Asked(params=params):
            return len(params) + _OVERHEAD
        case Answered(result=result):
            return len(result) + _OVERHEAD
        case Unreadable(data=data):
            return len(data) + _OVERHEAD
        case _:
            return _OVERHEAD


_OVERHEAD: Final = 500
