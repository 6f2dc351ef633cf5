"""One conversation with an agent: what its messages mean where the conversation stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Raw, Struct
from msgspec.structs import replace

from holdfast.adapters.transports.acp.protocol import requests, results
from holdfast.adapters.transports.acp.protocol.connection import (
    INVALID_PARAMS,
    REQUEST_CANCELLED,
    Answered,
    Asked,
    Notified,
    Observation,
    Refused,
    Withdrawn,
)
from holdfast.adapters.transports.acp.protocol.flight import Flight
from holdfast.adapters.transports.acp.protocol.items import Naming
from holdfast.adapters.transports.acp.protocol.replay import Replay
from holdfast.adapters.transports.acp.protocol.requests import INTRODUCES, OPENS, Call
from holdfast.adapters.transports.acp.protocol.results import Opened
from holdfast.adapters.transports.acp.protocol.translate import STATE, Known, Translator
from holdfast.adapters.transports.acp.protocol.wire import Kind, Params, Update, parsed
from holdfast.domain.content import NOTHING
from holdfast.domain.errors import PromptError
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import Fact
from holdfast.domain.transport import Write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.adapters.transports.acp.protocol.connection import Connection
    from holdfast.adapters.transports.acp.protocol.envelope import RpcError
    from holdfast.adapters.transports.acp.protocol.pieces import PieceParams
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.state import Offering, SessionState

Phase = Literal["unbound", "starting", "idle", "running", "cancelling", "recovering", "lost"]
"""Where a conversation stands: not with an agent; being begun; ready; in a turn; in a turn that is to stop; being taken
up again; not taken up again, although that was tried."""


class Step(Struct, frozen=True):
    """What follows from an observation: facts for the log, and what may be written without waiting for it."""

    facts: tuple[Fact, ...] = ()
    writes: tuple[Write, ...] = ()


class Conversation:
    """One session of an agent, without I/O.

    What it returns as facts is to be recorded in that order. It acts on the agent only through `committed`, that is,
    after the log holds the intent.
    """

    def __init__(
        self,
        connection: Connection,
        link_id: str,
        *,
        state: SessionState | None = None,
        history: Iterable[Fact] = (),
    ) -> None:
        """Make a conversation that is not with an agent yet.

        Args:
            connection: The peer.
            link_id: What the log calls the connection.
            state: What the log says of the session, where it is not new.
            history: The facts since its latest turn started, that one included.
        """
        known = Known({}) if state is None else _known(state)
        self.phase: Phase = "unbound"
        self.remote_id: str | None = None if state is None else state.remote_id
        self.capabilities: Raw = NOTHING
        self.refusal: RpcError | None = None
        self.found = Opened()
        self.replay = Replay()
        self._connection = connection
        self._link_id = link_id
        self._translator = Translator(Naming(history), known)
        self._flight: Flight | None = None
        self._sent: tuple[str, e.PromptSent] | None = None
        self._modes_asked: dict[str, str] = {}

    @property
    def known(self) -> Known:
        """What the session last said of itself: the configuration to give it back."""
        return self._translator.known

    @property
    def naming(self) -> Naming:
        """What names its items."""
        return self._translator.naming

    # What we ask of the agent

    def open(self, key: str, call: Call, *, adopt: bool = False) -> Write:
        """Return the request that begins the session at the agent, or takes it up again.

        Args:
            key: The intent's event id.
            call: One of `requests.new`, `fork`, `load`, `resume`.
            adopt: Take what the agent repeats as the session's history: only for one that the log has nothing of.
        """
        self.phase = "starting" if adopt or call.method in INTRODUCES else "recovering"
        if call.method not in INTRODUCES:
            asked = parsed(Params, call.params)
            self.remote_id = self.remote_id if asked is None else asked.session_id
        self.refusal = None
        self.replay = Replay()
        self.found = Opened()
        return self._connection.request(key, call.method, call.params)

    def ask(self, key: str, call: Call) -> Write:
        """Return any other request about this session, such as `requests.set_mode`."""
        if call.method == "session/set_mode":
            asked = parsed(_SetMode, call.params)
            self._modes_asked[key] = "" if asked is None else asked.mode_id
        return self._connection.request(key, call.method, call.params)

    def committed(self, recorded: Recorded) -> list[Write]:
        """Return what the agent has to be told now that the log holds this event.

        Raises:
            PromptError: A turn was started while the agent is not ready for one.
        """
        key = recorded.event_id.hex()
        match recorded.event:
            case e.PromptSent() as sent:
                self._sent = (key, sent)
            case e.TurnStarted(turn_id=turn_id, prompt_id=prompt_id):
                return self._start(turn_id, prompt_id)
            case e.CancelRequested(turn_id=turn_id) if self._flight is not None and self._flight.turn_id == turn_id:
                self.phase = "cancelling"
                call = requests.cancel(self.remote_id or "")
                return [self._connection.notify(key, call.method, call.params)]
            case e.PermissionAnswered(request_id=request_id, option_id=option_id):
                answer = requests.CANCELLED if option_id is None else requests.selected(option_id)
                return _some(self._connection.answer(request_id, answer))
            case e.PermissionExpired(request_id=request_id, reason="withdrawn"):
                return _some(self._connection.refuse(request_id, REQUEST_CANCELLED, "Request cancelled"))
            case e.PermissionExpired(request_id=request_id):
                return _some(self._connection.answer(request_id, requests.CANCELLED))
            case e.TurnEnded(turn_id=turn_id) | e.TurnInterrupted(turn_id=turn_id) | e.TurnUnknown(turn_id=turn_id) if (
                self._flight is not None and self._flight.turn_id == turn_id
            ):
                self._flight = None
                self.phase = "idle" if self.phase in ("running", "cancelling") else self.phase
            case _:
                pass
        return []

    def _start(self, turn_id: str, prompt_id: str | None) -> list[Write]:
        self._translator.start_turn(turn_id, prompt_id)
        sent, self._sent = self._sent, None
        if prompt_id is None or sent is None or sent[1].prompt_id != prompt_id:
            return []
        if self.phase != "idle" or self.remote_id is None:
            msg = f"the agent cannot take a prompt while the session is {self.phase}"
            raise PromptError(msg)
        key, fact = sent
        self._flight = Flight(key, turn_id, prompt_id, fact.content.copy())
        self.phase = "running"
        call = requests.prompt(self.remote_id, fact.content)
        return [self._connection.request(key, call.method, call.params)]

    def restore(self, history: Iterable[Recorded]) -> list[Write]:
        """Take up an agent that went on while we were away, where the log left off.

        Args:
            history: The events since the latest turn started, its `prompt-sent` included.

        Returns:
            Everything that was to be written in that time. What the agent got already is known by its key.
        """
        self.phase = "idle"
        writes: list[Write] = []
        for recorded in history:
            fact = recorded.event
            if isinstance(fact, e.PermissionRequested) and fact.rpc_id:
                self._connection.recall(fact.request_id, fact.rpc_id)
            if isinstance(fact, e.PromptAccepted) and self._flight is not None:
                self._flight.accepted = True
            if not isinstance(fact, e.TurnStarted):
                self.naming.after(fact)
            writes += self.committed(recorded)
        return writes

    def gone(self) -> None:
        """The agent is not there any more. What becomes of the turn is for the caller to say."""
        self.phase = "unbound"
        self._flight = None
        self._modes_asked.clear()

    # What the agent says

    def observe(self, observation: Observation) -> Step:
        """Return what follows from something the agent said about this session. Never raises."""
        match observation:
            case Notified(method="session/update", params=params):
                return Step(tuple(self._update(params)))
            case Notified(method=method, params=params) if not method.startswith(("_", "$/")):
                return Step((self.keep(method, params),))
            case Asked(key=key, verbatim=verbatim, params=params):
                turn_id = None if self._flight is None else self._flight.turn_id
                facts = self._translator.permission(key, turn_id, verbatim, params)
                if facts is None:
                    why = "there is no toolCall in the request"
                    return Step(writes=tuple(_some(self._connection.refuse(key, INVALID_PARAMS, why))))
                return Step((*self._accepted(), *facts))
            case Withdrawn(key=key):
                return Step((e.PermissionExpired(key, "withdrawn"),))
            case Refused(write=write):
                return Step(writes=(write,))
            case Answered():
                return Step(tuple(self._answered(observation)))
            case _:
                return Step()

    def spoke(self, piece: PieceParams) -> tuple[Fact, ...]:
        """Return what a piece of text becomes, as `observe` would, while nothing is being taken up again."""
        return (*self._accepted(), *self._translator.spoke(piece.update))

    def keep(self, label: str, body: Raw) -> Fact:
        """Return the fact that keeps something verbatim that no other fact describes."""
        fact = self._translator.unknown(label, body or Raw(b"null"))
        self.naming.after(fact)
        return fact

    def _update(self, params: Raw) -> Iterable[Fact]:
        found = parsed(Params, params)
        raw = params if found is None or not found.update else found.update
        update = parsed(Update, raw)
        if update is None:
            update = Update((parsed(Kind, raw) or Kind()).session_update)
        if self.phase == "recovering":
            return self._replayed(update, raw)
        if update.session_update in STATE:
            return self._translator.state(update, raw)
        accepted = self._accepted()
        if update.session_update == "user_message_chunk" and self._flight is not None and self._flight.is_echo(update):
            return accepted
        return (*accepted, *self._translator.history(update, raw))

    def _replayed(self, update: Update, raw: Raw) -> Iterable[Fact]:
        """History is only counted. Configuration is what the agent came back with, not what anybody chose."""
        match update.session_update:
            case "config_option_update":
                found = results.opened(Raw(b'{"configOptions":%b}' % (update.config_options or b"null")))
                self.found = replace(found, modes=self.found.modes, offered_modes=self.found.offered_modes)
            case "current_mode_update":
                self.found = replace(self.found, mode=update.current_mode_id)
            case kind if kind in STATE:
                return self._translator.state(update, raw)
            case _:
                self.replay.take(update)
        return ()

    def _accepted(self) -> tuple[Fact, ...]:
        """The first sign of the agent in a turn shows that it has the prompt."""
        return () if self._flight is None else self._flight.accept()

    def _answered(self, answered: Answered) -> Iterable[Fact]:
        match answered.method:
            case method if method in OPENS:
                return self._opened(answered)
            case "session/prompt":
                return self._turn_over(answered)
            case "session/set_mode":
                mode = self._modes_asked.pop(answered.key, "")
                return self._translator.mode(mode) if mode and answered.error is None else ()
            case "session/set_config_option" if answered.error is None:
                return self._translator.options(results.opened(answered.result).config_options)
            case _:
                return ()

    def _opened(self, answered: Answered) -> Iterable[Fact]:
        taken_up = answered.method not in INTRODUCES
        if answered.error is not None:
            self.refusal = answered.error
            self.phase = "lost" if taken_up else "unbound"
            return ()
        opened = results.opened(answered.result)
        if opened.options or opened.mode or opened.modes:
            self.found = opened
        self.phase = "idle"
        self.remote_id = opened.session_id or self.remote_id
        facts: list[Fact] = [e.Attached(self._link_id, self.remote_id, taken_up, self.capabilities)]
        facts += self._translator.offers(self.found.config_options, self.found.offered_modes)
        if not taken_up or not (self.known.options or self.known.mode):
            facts += self._translator.options(self.found.config_options)
            facts += self._translator.mode(self.found.mode) if self.found.mode else ()
        if opened.model:
            facts.append(e.InfoChanged(model=opened.model))
        return facts

    def _turn_over(self, answered: Answered) -> Iterable[Fact]:
        flight = self._flight
        if flight is None or flight.key != answered.key:
            return ()
        cancelling = self.phase == "cancelling"
        self._flight = None
        self.phase = "idle"
        facts = flight.outcome(answered, self.naming.next(), cancelling=cancelling)
        for fact in facts:
            self.naming.after(fact)
        return facts


def _known(state: SessionState) -> Known:
    offers: dict[Offering, str] = {kind: offer.digest for kind, offer in state.offers.items()}
    return Known(dict(state.options), state.mode, state.title, offers)


class _SetMode(Struct, rename="camel"):
    mode_id: str


def _some(write: Write | None) -> list[Write]:
    return [] if write is None else [write]
