"""ACP as supervision asks for it: one connection to an agent, and the sessions that it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.adapters.transports.acp.opening import Openings
from holdfast.adapters.transports.acp.protocol import requests
from holdfast.adapters.transports.acp.protocol.connection import (
    IN_PASSING,
    Answered,
    Connection,
    Spoke,
    TooLong,
    Unreadable,
)
from holdfast.adapters.transports.acp.protocol.framing import Lines
from holdfast.adapters.transports.acp.protocol.link import Link
from holdfast.adapters.transports.acp.protocol.results import AuthenticationRequiredError, initialized
from holdfast.adapters.transports.acp.protocol.session import Conversation
from holdfast.adapters.transports.acp.protocol.translate import as_text
from holdfast.adapters.transports.acp.wishes import Wishes
from holdfast.domain.errors import AgentError
from holdfast.domain.session import events as e
from holdfast.domain.transport import Failure, Heard, Speech

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from holdfast.adapters.transports.acp.protocol.framing import Framing
    from holdfast.adapters.transports.acp.protocol.link import Delivery
    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.transport import Joining, Wish, Write


class AcpSpeech(Speech):
    """One agent without I/O.

    Nothing of a session is given out before it is wholly there, its configuration included: what the log holds of an
    agent is then either nothing, so that opening can begin anew under the same keys, or everything up to an offset.
    """

    def __init__(
        self, link_id: str, incarnation: bytes, framing: Framing, *, version: str, keys: Collection[str] = ()
    ) -> None:
        """Speak to an agent.

        Args:
            link_id: What the log calls the link.
            incarnation: Names the stream of bytes.
            framing: How messages are told apart, from the offset on at which reading begins.
            version: Ours, for the agent to know.
            keys: Names of the credentials that the agent finds in its environment.
        """
        self._link_id = link_id
        self._connection = Connection(incarnation, framing)
        self._link = Link(self._connection)
        self._lines = isinstance(framing, Lines)
        self._version = version
        self._greeting = ""
        self._greeted = False
        self._sessions: dict[StreamId, Conversation] = {}
        self._names: dict[Conversation, StreamId] = {}
        self._openings = Openings(self._link, keys, self._drop)
        self._wishes = Wishes(self._link)
        self._offset = framing.offset

    @property
    def greeted(self) -> bool:
        """Whether the agent has answered `initialize`."""
        return self._greeted

    @property
    def offset(self) -> int:
        """Everything before this byte was given out by `receive`."""
        if not self._openings and not self._link.held_bytes:
            self._offset = self._connection.offset
        return self._offset

    def begin(self, key: str) -> Sequence[Write]:
        """Return `initialize`."""
        self._greeting = key
        call = requests.initialize(self._version)
        return [self._connection.request(key, call.method, call.params)]

    def attach(self, joining: Joining) -> Sequence[Write]:
        """Return what opens a session, or takes it up again; nothing before the agent has said what it can do."""
        state = joining.session.state
        conversation = Conversation(
            self._connection,
            self._link_id,
            state=state if state.ever_attached else None,
            history=_since_the_turn_started(joining.history),
        )
        self._carry(joining.session.id, conversation)
        return self._openings.begin(joining, conversation)

    def restore(self, joining: Joining) -> Sequence[Write]:
        """Take up a session with an agent that went on while the daemon was away."""
        conversation = Conversation(self._connection, self._link_id, state=joining.session.state)
        self._carry(joining.session.id, conversation)
        self._greeted = True
        return self._link.restore(conversation, joining.history)

    def detach(self, session_id: StreamId) -> Sequence[Write]:
        """Let go of a session; the agent puts it away where it can."""
        conversation = self._drop(session_id)
        self._openings.forget(session_id)
        if conversation is None:
            return ()
        self._link.drop(conversation)
        can = self._openings.can
        if conversation.remote_id is None or can is None or not can.close:
            return ()
        call = requests.close(conversation.remote_id)
        return [self._connection.request(f"{IN_PASSING}close:{self._link_id}:{session_id}", call.method, call.params)]

    def committed(self, session_id: StreamId, recorded: Recorded) -> Sequence[Write]:
        """Return what the agent has to be told now that the log holds this event."""
        if isinstance(recorded.event, _ITS_OWN_WORDS):
            return ()
        conversation = self._sessions.get(session_id)
        return () if conversation is None else self._link.committed(conversation, recorded)

    def _carry(self, session_id: StreamId, conversation: Conversation) -> None:
        self._drop(session_id)
        self._sessions[session_id] = conversation
        self._names[conversation] = session_id

    def _drop(self, session_id: StreamId) -> Conversation | None:
        conversation = self._sessions.pop(session_id, None)
        if conversation is not None:
            del self._names[conversation]
        return conversation

    def takes_prompt(self, session_id: StreamId) -> bool:
        """Return whether the agent is ready for a prompt of this session."""
        conversation = self._sessions.get(session_id)
        return conversation is not None and session_id not in self._openings and conversation.phase == "idle"

    def wish(self, session_id: StreamId, key: str, wish: Wish) -> Sequence[Write]:
        """Return the request for another mode, or another value of an option."""
        return self._wishes.ask(self._sessions[session_id], key, wish)

    def receive(self, data: bytes) -> Iterable[Heard]:
        """Take bytes in any slices; return what follows. Never raises."""
        # While something is being opened each answer leads to the next request. After a restart several answers come at
        # once, and those to requests that were not made again yet would mean nothing.
        while data and self._openings and self._lines:
            line, newline, data = data.partition(b"\n")
            for delivery in self._link.receive(line + newline):
                yield from self._hear(delivery)
        if data:
            for delivery in self._link.receive(data):
                if isinstance(delivery.observation, Spoke) and not self._openings:
                    yield Heard(self._session_of(delivery.conversation), delivery.facts, delivery.observation.source)
                else:
                    yield from self._hear(delivery)

    def gone(self) -> Iterable[Heard]:
        """Return what was held for sessions that were still being opened; they were never attached."""
        for delivery in self._link.gone():
            yield from self._hear(delivery)
        yield from self._openings.gone()

    # What the agent says

    def _hear(self, delivery: Delivery) -> Iterator[Heard]:
        observation = delivery.observation
        session_id = self._session_of(delivery.conversation)
        match observation:
            case TooLong(error=error):
                yield Heard(failure=Failure("frame-too-long", str(error), "terminal"))
            case Answered() if observation.key == self._greeting:
                yield from self._welcomed(observation)
            case Answered() if session_id is not None and session_id in self._openings:
                yield from self._openings.answered(session_id, delivery, observation)
            case Answered() if observation.key in self._wishes:
                yield self._wishes.answered(session_id, delivery, observation)
            case Unreadable(reason=reason, data=data) if session_id is None and len(self._sessions) == 1:
                ((only, conversation),) = self._sessions.items()
                fact = conversation.keep(f"garbage: {reason}", as_text(data))
                yield from self._give(Heard(only, (fact,), observation.source))
            case _:
                yield from self._give(Heard(session_id, delivery.facts, observation.source, delivery.writes))

    def _give(self, heard: Heard) -> Iterator[Heard]:
        """Give something out, or hold its facts while its session is being opened."""
        if heard.session_id is None or heard.session_id not in self._openings:
            yield heard
        else:
            yield from self._openings.hold(heard.session_id, heard)

    def _session_of(self, conversation: Conversation | None) -> StreamId | None:
        if conversation is None:
            return None
        return self._names.get(conversation)

    def _welcomed(self, answered: Answered) -> Iterator[Heard]:
        self._greeted = True
        try:
            can = initialized(answered.result, answered.error)
        except AgentError as error:
            word = "authentication-required" if isinstance(error, AuthenticationRequiredError) else "initialize-refused"
            yield Heard(failure=Failure(word, str(error)))
            return
        yield from self._openings.welcomed(can)


def _since_the_turn_started(history: Sequence[Recorded]) -> list[Fact]:
    facts = [recorded.event for recorded in history]
    starts = [at for at, fact in enumerate(facts) if isinstance(fact, e.TurnStarted)]
    return facts[starts[-1] :] if starts else facts


_ITS_OWN_WORDS: Final = (e.TextAppended, e.ThoughtAppended)
