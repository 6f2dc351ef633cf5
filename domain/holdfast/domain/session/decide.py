"""What a command leads to: facts, or a refusal. Pure: the same state and command always give the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from holdfast.domain.errors import (
    ConflictError,
    NotFoundError,
    OptionError,
    PermissionExpiredError,
    PromptError,
    SessionEndedError,
    SessionErasedError,
)
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.admit import admit, expired
from holdfast.domain.session.evolve import evolve

if TYPE_CHECKING:
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.state import Prompt, SessionState

_AFTER_THE_END = (c.MarkRead, c.Notify, c.Erase, c.Observe)
"""What frontends do by themselves when somebody looks at the last that was said, or is told of it; and the agent's last
words, which may come late."""


def decide(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    """Return the facts that `command` leads to; none, where it would change nothing.

    Args:
        state: The session as it is.
        command: What is asked.
        version: Version of the session's latest event, 0 before the first.

    Raises:
        NotFoundError: The session does not exist.
        ConflictError: The command contradicts the state; subclasses say how.
    """
    if isinstance(command, c.Create):
        return _create(state, command)
    if state.erased and isinstance(command, c.Observe):
        return ()  # its agent may still talk
    if state.erased:
        msg = "the session was erased; nothing can be added to it"
        raise SessionErasedError(msg)
    if not state.created:
        msg = "there is no such session"
        raise NotFoundError(msg)
    if state.ended is not None and not isinstance(command, _AFTER_THE_END):
        msg = f"the session has ended ({state.ended}); start a new one"
        raise SessionEndedError(msg)
    match command:
        case c.Observe(facts=facts):
            return _observe(state, facts, version)
        case c.QueuePrompt() | c.EditPrompt() | c.WithdrawPrompt() | c.ResumeQueue() | c.StartTurn():
            return _decide_prompt(state, command)
        case c.Cancel():
            return _cancel(state)
        case c.Answer():
            return _answer(state, command)
        case c.End(reason=reason, detail=detail):
            return tuple(admit(state, e.SessionEnded(reason, detail)))
        case c.Erase():
            return (*admit(state, e.SessionEnded("erased")), e.SessionErased())
        case _:
            return _decide_marks(state, command, version)


def _create(state: SessionState, command: c.Create) -> tuple[Fact, ...]:
    if state.created:
        msg = "the session exists already"
        raise ConflictError(msg)
    return (
        e.SessionCreated(
            transport=command.transport,
            owner=command.owner,
            target=command.target,
            agent=command.agent,
            cwd=command.cwd,
            title=command.title,
            imported_from=command.imported_from,
            model=command.model,
            command=command.command,
        ),
    )


def _decide_marks(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    """Commands about how the session is shown. Asking for what is already so changes nothing."""
    match command:
        case c.Rename(title=title) if title != (state.title if state.named else ""):
            return (e.SessionRenamed(title),)
        case c.Configure(options=options) if not options.items() <= state.options.items():
            return (e.SessionConfigured(options),)
        case c.Pin(pinned=pinned) if pinned != state.pinned:
            return (e.SessionPinned(pinned),)
        case c.Mute(muted=muted, until=until):
            until = until if muted else None
            return (e.SessionMuted(muted, until),) if (muted, until) != (state.muted, state.muted_until) else ()
        case c.Notify(frontend=frontend, item_id=item_id):
            return (e.SessionNotified(frontend, item_id),)
        case c.MarkRead(reader=reader, version=up_to):
            seen = state.reader(reader)
            up_to = version if up_to is None else min(up_to, version)
            news = seen.marked or (state.unread(reader) > 0 and up_to > seen.version)
            return (e.ReadUpTo(seen.name, up_to),) if news else ()
        case c.MarkUnread(reader=reader) if not state.unread(reader):
            return (e.MarkedUnread(state.reader(reader).name),)
        case _:
            return ()


def _decide_prompt(
    state: SessionState,
    command: c.QueuePrompt | c.EditPrompt | c.WithdrawPrompt | c.ResumeQueue | c.StartTurn,
) -> tuple[Fact, ...]:
    match command:
        case c.QueuePrompt(prompt_id=prompt_id, content=content):
            if prompt_id in state.settled or state.prompt(prompt_id) is not None:
                msg = f"prompt {prompt_id} is already there"
                raise PromptError(msg)
            return (e.PromptQueued(prompt_id, content),)
        case c.EditPrompt(prompt_id=prompt_id, content=content):
            return (e.PromptEdited(_waiting(state, prompt_id).prompt_id, content),)
        case c.WithdrawPrompt(prompt_id=prompt_id):
            return (e.PromptWithdrawn(_waiting(state, prompt_id).prompt_id),)
        case c.ResumeQueue():
            return (e.QueueResumed(),) if state.held else ()
        case c.StartTurn(turn_id=turn_id):
            if state.turn is not None:
                msg = f"turn {state.turn.turn_id} is open; one prompt at a time"
                raise PromptError(msg)
            if turn_id in state.settled:
                msg = f"turn {turn_id} is over"
                raise PromptError(msg)
            if state.held or not state.queued:
                msg = "no prompt may be sent now"
                raise PromptError(msg)
            prompt = state.queued[0]
            return (e.PromptSent(prompt.prompt_id, prompt.content), e.TurnStarted(turn_id, prompt.prompt_id))
        case _:
            assert_never(command)


def _waiting(state: SessionState, prompt_id: str) -> Prompt:
    prompt = state.prompt(prompt_id)
    if prompt is None:
        msg = f"there is no prompt {prompt_id} that waits"
        raise NotFoundError(msg)
    if prompt.state != "queued":
        msg = f"prompt {prompt_id} was already sent"
        raise PromptError(msg)
    return prompt


def _cancel(state: SessionState) -> tuple[Fact, ...]:
    if state.turn is None:
        msg = "no turn is open"
        raise ConflictError(msg)
    if state.turn.cancelling:
        return ()
    return (e.CancelRequested(state.turn.turn_id), *expired(state, "cancelled"))


def _answer(state: SessionState, command: c.Answer) -> tuple[Fact, ...]:
    pending = state.request(command.request_id)
    if pending is None:
        msg = f"permission {command.request_id} cannot be answered any more: somebody was faster, or its turn is over"
        raise PermissionExpiredError(msg)
    if command.arguments_hash not in (None, pending.arguments_hash):
        msg = f"permission {command.request_id} is about other arguments than those that were shown"
        raise PermissionExpiredError(msg)
    offered = {option.option_id for option in pending.options}
    if command.option_id is not None and command.option_id not in offered:
        msg = f"{command.option_id!r} was not offered; choose one of {', '.join(sorted(offered))}"
        raise OptionError(msg)
    return (e.PermissionAnswered(pending.request_id, command.option_id, pending.arguments_hash, command.reason),)


def _observe(state: SessionState, facts: tuple[Fact, ...], version: int) -> tuple[Fact, ...]:
    admitted: list[Fact] = []
    for fact in facts:
        for each in admit(state, fact):
            version += 1
            state = evolve(state, each, version)
            admitted.append(each)
    return tuple(admitted)
