"""ACP as supervision asks for it: one connection to an agent, and the sessions that it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.adapters.transports.acp.protocol import requests
from holdfast.adapters.transports.acp.protocol.connection import (
    Answered,
    Connection,
    Spoke,
    TooLong,
    Unreadable,
)
from holdfast.adapters.transports.acp.protocol.framing import Lines
from holdfast.adapters.transports.acp.protocol.link import Link
from holdfast.adapters.transports.acp.protocol.replay import Expected
from holdfast.adapters.transports.acp.protocol.requests import INTRODUCES
from holdfast.adapters.transports.acp.protocol.restore import lost_options, to_reapply, way_back
from holdfast.adapters.transports.acp.protocol.results import (
    AuthenticationRequiredError,
    SessionGoneError,
    explained,
    initialized,
    refused_if,
)
from holdfast.adapters.transports.acp.protocol.session import Conversation
from holdfast.adapters.transports.acp.protocol.translate import as_text
from holdfast.adapters.transports.acp.wishes import Wishes
from holdfast.domain.errors import AgentError
from holdfast.domain.link import events as links
from holdfast.domain.session import events as e
from holdfast.domain.transport import Failure, Heard, Speech

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from holdfast.adapters.transports.acp.protocol.framing import Framing
    from holdfast.adapters.transports.acp.protocol.link import Delivery
    from holdfast.adapters.transports.acp.protocol.requests import Call
    from holdfast.adapters.transports.acp.protocol.results import Capabilities
    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.transport import Joining, Wish, Write

HELD_LIMIT: Final = 100_000
"""Messages of an agent that are held while a session is being opened. More is no opening."""


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
        self._keys = frozenset(keys)
        self._can: Capabilities | None = None
        self._greeting = ""
        self._greeted = False
        self._sessions: dict[StreamId, Conversation] = {}
        self._names: dict[Conversation, StreamId] = {}
        self._openings: dict[StreamId, _Opening] = {}
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
        opening = _Opening(joining, conversation)
        self._carry(joining.session.id, conversation)
        self._openings[joining.session.id] = opening
        return () if self._can is None else self._open(opening, self._can)

    def restore(self, joining: Joining) -> Sequence[Write]:
        """Take up a session with an agent that went on while the daemon was away."""
        conversation = Conversation(self._connection, self._link_id, state=joining.session.state)
        self._carry(joining.session.id, conversation)
        self._greeted = True
        return self._link.restore(conversation, joining.history)

    def detach(self, session_id: StreamId) -> Sequence[Write]:
        """Let go of a session; the agent puts it away where it can."""
        conversation = self._drop(session_id)
        self._openings.pop(session_id, None)
        if conversation is None:
            return ()
        self._link.drop(conversation)
        if conversation.remote_id is None or self._can is None or not self._can.close:
            return ()
        call = requests.close(conversation.remote_id)
        return [self._connection.request(f"close:{self._link_id}:{session_id}", call.method, call.params)]

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
        openings, self._openings = self._openings, {}
        for opening in openings.values():
            for heard in opening.held:
                facts = tuple(fact for fact in heard.facts if not isinstance(fact, e.Attached))
                yield Heard(heard.session_id, facts, heard.source)

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
                yield from self._answered(self._openings[session_id], delivery, observation)
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
        opening = None if heard.session_id is None else self._openings.get(heard.session_id)
        if opening is None:
            yield heard
            return
        if heard.facts:
            opening.held.append(Heard(heard.session_id, heard.facts, heard.source))
        if heard.writes:
            yield Heard(writes=heard.writes)
        if len(opening.held) > HELD_LIMIT:
            yield self._failed(opening, Failure("refused", "the agent talks without end instead of opening a session"))

    def _session_of(self, conversation: Conversation | None) -> StreamId | None:
        if conversation is None:
            return None
        return self._names.get(conversation)

    # Opening

    def _welcomed(self, answered: Answered) -> Iterator[Heard]:
        self._greeted = True
        try:
            self._can = initialized(answered.result, answered.error)
        except AgentError as error:
            word = "authentication-required" if isinstance(error, AuthenticationRequiredError) else "initialize-refused"
            yield Heard(failure=Failure(word, str(error)))
            return
        for opening in list(self._openings.values()):
            writes = self._open(opening, self._can)
            if writes:
                yield Heard(writes=tuple(writes))
            else:
                yield self._missing(opening, "the agent can take up no earlier session")

    def _open(self, opening: _Opening, can: Capabilities) -> Sequence[Write]:
        joining, conversation = opening.joining, opening.conversation
        conversation.capabilities = can.verbatim
        state, cwd = joining.session.state, joining.peer.cwd or "/"
        remote = state.remote_id or joining.peer.continues
        if remote is None or (joining.prompts == 0 and joining.peer.continues is None):
            opening.call = requests.new(cwd)  # nothing was ever said in it: agents do not keep such sessions
        else:
            match way_back(can):
                case "resume":
                    opening.call = requests.resume(remote, cwd)
                case "load":
                    opening.call = requests.load(remote, cwd)
                case None:
                    return ()
        opening.key = joining.key
        return [self._link.open(conversation, opening.key, opening.call)]

    def _answered(self, opening: _Opening, delivery: Delivery, answered: Answered) -> Iterator[Heard]:
        joining, conversation = opening.joining, opening.conversation
        if answered.key == opening.key:
            if conversation.refusal is not None:
                yield from self._refused(opening)
                return
            told = () if opening.anew is None else (opening.anew,)
            opening.held.append(Heard(joining.session.id, (*delivery.facts, *told), answered.source))
            yield from self._reapply(opening)
        elif answered.method == "authenticate":
            yield from self._signed_in(opening, answered)
        else:
            opening.held.append(Heard(joining.session.id, delivery.facts, answered.source))
            opening.waiting.discard(answered.key)
            if answered.error is not None:
                why = f"the agent did not take its configuration back: {explained(answered.error)}"
                yield self._failed(opening, Failure("configuration-lost", why, "terminal"))
            elif not opening.waiting:
                yield from self._opened(opening)

    def _reapply(self, opening: _Opening) -> Iterator[Heard]:
        state, conversation = opening.joining.session.state, opening.conversation
        if not state.ever_attached:
            yield from self._opened(opening)
            return
        if lost := lost_options(state.options, state.mode, conversation.found):
            why = f"the agent cannot give the session back as it was: no {', no '.join(lost)}; start a new one"
            yield self._failed(opening, Failure("configuration-lost", why, "terminal"))
            return
        calls = to_reapply(conversation.remote_id or "", state.options, state.mode, conversation.found)
        keys = [f"{opening.key}:{number}" for number in range(1, len(calls) + 1)]
        opening.waiting.update(keys)
        writes = [self._link.ask(conversation, key, call) for key, call in zip(keys, calls, strict=True)]
        if writes:
            yield Heard(writes=tuple(writes))
        else:
            yield from self._opened(opening)

    def _opened(self, opening: _Opening) -> Iterator[Heard]:
        session_id = opening.joining.session.id
        self._openings.pop(session_id, None)
        opened = links.ConnectionOpened(
            remote=None if self._can is None else f"{self._can.name} {self._can.version}".strip() or None,
            resumed=opening.call is not None and opening.call.method != "session/new",
            capabilities=opening.conversation.capabilities,
        )
        yield from opening.held
        yield Heard(facts=(opened,))
        if opening.call is not None and opening.call.method == "session/load":
            expected = Expected(opening.joining.prompts, opening.joining.last_prompt)
            for doubt in opening.conversation.replay.doubts(expected):
                notice = e.NoticeAdded(opening.conversation.naming.next(), "doubt", doubt)
                opening.conversation.naming.after(notice)
                yield Heard(session_id, (notice,), opening.held[-1].source)

    def _refused(self, opening: _Opening) -> Iterator[Heard]:
        refusal, call = opening.conversation.refusal, opening.call
        assert refusal is not None
        assert call is not None
        try:
            refused_if(refusal, call.method)
        except AuthenticationRequiredError as error:
            method = None if opening.signed_in else self._sign_in_with()
            if method is None:
                yield self._failed(opening, Failure("authentication-required", str(error)))
                return
            opening.signed_in = method
            write = self._link.ask(opening.conversation, f"{opening.key}:sign-in", requests.authenticate(method))
            yield Heard(writes=(write,))
        except AgentError as error:
            if call.method in INTRODUCES:
                yield self._failed(opening, Failure("refused", str(error), "terminal"))
            else:
                yield self._missing(opening, str(error), gone=isinstance(error, SessionGoneError))

    def _missing(self, opening: _Opening, why: str, *, gone: bool = False) -> Heard:
        """The agent does not have the session any more, or cannot go on with it: do what the policy says."""
        joining, reason = opening.joining, "gone" if gone else "not-resumable"
        match joining.missing:
            case "recreate-once":
                opening.key = f"{joining.key}:anew"
                opening.call = requests.new(joining.peer.cwd or "/")
                told = e.NoticeAdded(opening.conversation.naming.next(), "begun-anew", f"{why}; {_ANEW}")
                opening.conversation.naming.after(told)
                opening.anew = told
                return Heard(writes=(self._link.open(opening.conversation, opening.key, opening.call),))
            case "ask":
                return self._failed(opening, Failure(reason, f"{why}; {_ADVICE}", "terminal"))
            case _:
                return self._failed(opening, Failure(reason, why, "terminal"))

    def _sign_in_with(self) -> str | None:
        """Return the agent's way to sign in with a key that it finds in its environment, where it has one."""
        methods = () if self._can is None else self._can.auth_methods
        return next((name for name, _ in methods if name.replace("-", "_").upper() in self._keys), None)

    def _signed_in(self, opening: _Opening, answered: Answered) -> Iterator[Heard]:
        if answered.error is not None or opening.call is None:
            why = f"the agent did not let us sign in: {explained(answered.error)}" if answered.error else "not asked"
            yield self._failed(opening, Failure("authentication-required", why))
            return
        opening.key = f"{opening.joining.key}:again"
        write = self._link.open(opening.conversation, opening.key, opening.call)
        yield Heard(facts=(links.ConnectionAuthenticated(opening.signed_in or ""),), writes=(write,))

    def _failed(self, opening: _Opening, failure: Failure) -> Heard:
        session_id = opening.joining.session.id
        self._openings.pop(session_id, None)
        self._drop(session_id)
        self._link.drop(opening.conversation)
        return Heard(session_id, failure=failure)


def _since_the_turn_started(history: Sequence[Recorded]) -> list[Fact]:
    facts = [recorded.event for recorded in history]
    starts = [at for at, fact in enumerate(facts) if isinstance(fact, e.TurnStarted)]
    return facts[starts[-1] :] if starts else facts


class _Opening:
    """A session on its way to being attached, and what the agent said meanwhile."""

    def __init__(self, joining: Joining, conversation: Conversation) -> None:
        self.joining = joining
        self.conversation = conversation
        self.key = joining.key
        self.call: Call | None = None
        self.anew: e.NoticeAdded | None = None
        self.signed_in: str | None = None
        self.waiting: set[str] = set()
        self.held: list[Heard] = []


_ITS_OWN_WORDS: Final = (e.TextAppended, e.ThoughtAppended)
_ADVICE: Final = "its history stays here: start a new session to go on, or remove this one with `holdfast rm`"
_ANEW: Final = "it has begun another one for this session, and remembers nothing of what stands above"
