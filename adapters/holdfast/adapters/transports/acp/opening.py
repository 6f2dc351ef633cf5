"""Sessions on their way to being attached to an agent: begun or taken up again, and given back their configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.adapters.transports.acp.protocol import requests
from holdfast.adapters.transports.acp.protocol.replay import Expected
from holdfast.adapters.transports.acp.protocol.requests import INTRODUCES
from holdfast.adapters.transports.acp.protocol.restore import lost_options, to_reapply, way_back
from holdfast.adapters.transports.acp.protocol.results import (
    AuthenticationRequiredError,
    SessionGoneError,
    explained,
    refused_if,
)
from holdfast.domain.errors import AgentError
from holdfast.domain.link import events as links
from holdfast.domain.session import events as e
from holdfast.domain.transport import Failure, Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from holdfast.adapters.transports.acp.protocol.connection import Answered
    from holdfast.adapters.transports.acp.protocol.link import Delivery, Link
    from holdfast.adapters.transports.acp.protocol.requests import Call
    from holdfast.adapters.transports.acp.protocol.results import Capabilities
    from holdfast.adapters.transports.acp.protocol.session import Conversation
    from holdfast.domain.recorded import StreamId
    from holdfast.domain.transport import Joining, Write

HELD_LIMIT: Final = 100_000
"""Messages of an agent that are held while a session is being opened. More is no opening."""

_ADVICE: Final = "its history stays here: start a new session to go on, or remove this one with `holdfast rm`"
_ANEW: Final = "it has begun another one for this session, and remembers nothing of what stands above"


class Openings:
    """Those of one connection.

    Attributes:
        can: What the agent can do, None before it has said so.
    """

    def __init__(self, link: Link, keys: Collection[str], drop: Callable[[StreamId], object]) -> None:
        """Open sessions on `link`.

        Args:
            link: The connection.
            keys: Names of the credentials that the agent finds in its environment.
            drop: Called with a session that could not be opened.
        """
        self.can: Capabilities | None = None
        self._link = link
        self._keys = frozenset(keys)
        self._drop = drop
        self._of: dict[StreamId, Opening] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def __contains__(self, session_id: StreamId | None) -> bool:
        return session_id in self._of

    def begin(self, joining: Joining, conversation: Conversation) -> Sequence[Write]:
        """Return what opens a session, or takes it up again; nothing before the agent has said what it can do."""
        opening = self._of[joining.session.id] = Opening(joining, conversation)
        return () if self.can is None else self._open(opening, self.can)

    def forget(self, session_id: StreamId) -> None:
        """Open a session no further."""
        self._of.pop(session_id, None)

    def welcomed(self, can: Capabilities) -> Iterator[Heard]:
        """Go on with all of them, now that the agent has said what it can do."""
        self.can = can
        for opening in list(self._of.values()):
            writes = self._open(opening, can)
            if writes:
                yield Heard(writes=tuple(writes))
            else:
                yield self._missing(opening, "the agent can take up no earlier session")

    def hold(self, session_id: StreamId, heard: Heard) -> Iterator[Heard]:
        """Keep the facts of what was heard of a session until it is opened."""
        opening = self._of[session_id]
        if heard.facts:
            opening.held.append(Heard(session_id, heard.facts, heard.source))
        if heard.writes:
            yield Heard(writes=heard.writes)
        if len(opening.held) > HELD_LIMIT:
            yield self._failed(opening, Failure("refused", "the agent talks without end instead of opening a session"))

    def gone(self) -> Iterator[Heard]:
        """Return what is held for those that will never be attached."""
        openings, self._of = self._of, {}
        for opening in openings.values():
            for heard in opening.held:
                facts = tuple(fact for fact in heard.facts if not isinstance(fact, e.Attached))
                yield Heard(heard.session_id, facts, heard.source)

    def answered(self, session_id: StreamId, delivery: Delivery, answered: Answered) -> Iterator[Heard]:
        """Go on with one session after an answer that is about it."""
        opening = self._of[session_id]
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

    def _open(self, opening: Opening, can: Capabilities) -> Sequence[Write]:
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

    def _reapply(self, opening: Opening) -> Iterator[Heard]:
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

    def _opened(self, opening: Opening) -> Iterator[Heard]:
        session_id = opening.joining.session.id
        self._of.pop(session_id, None)
        opened = links.ConnectionOpened(
            remote=None if self.can is None else f"{self.can.name} {self.can.version}".strip() or None,
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

    def _refused(self, opening: Opening) -> Iterator[Heard]:
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

    def _missing(self, opening: Opening, why: str, *, gone: bool = False) -> Heard:
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
        methods = () if self.can is None else self.can.auth_methods
        return next((name for name, _ in methods if name.replace("-", "_").upper() in self._keys), None)

    def _signed_in(self, opening: Opening, answered: Answered) -> Iterator[Heard]:
        if answered.error is not None or opening.call is None:
            why = f"the agent did not let us sign in: {explained(answered.error)}" if answered.error else "not asked"
            yield self._failed(opening, Failure("authentication-required", why))
            return
        opening.key = f"{opening.joining.key}:again"
        write = self._link.open(opening.conversation, opening.key, opening.call)
        yield Heard(facts=(links.ConnectionAuthenticated(opening.signed_in or ""),), writes=(write,))

    def _failed(self, opening: Opening, failure: Failure) -> Heard:
        session_id = opening.joining.session.id
        self._of.pop(session_id, None)
        self._drop(session_id)
        self._link.drop(opening.conversation)
        return Heard(session_id, failure=failure)


class Opening:
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
