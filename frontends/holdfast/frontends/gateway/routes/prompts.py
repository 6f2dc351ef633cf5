"""What is said to a session, what waits to be said, and what its peer asks."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

from msgspec import Meta, Struct

from holdfast.domain import wire
from holdfast.domain.content import text_of
from holdfast.domain.errors import NotFoundError, PermissionExpiredError, PromptError, SessionEndedError, UsageError
from holdfast.domain.keeping import Order
from holdfast.domain.projections.roster import Row
from holdfast.domain.session import commands
from holdfast.domain.session.events import PromptQueued
from holdfast.frontends.codes import code_of
from holdfast.frontends.gateway.content import Content, blocks
from holdfast.frontends.gateway.operations import (
    CONTENT_BYTES,
    Body,
    Call,
    Nothing,
    Operation,
    Operations,
    found,
    in_thread,
    listed,
)
from holdfast.frontends.gateway.outcomes import Outcome, outcome, prompts
from holdfast.frontends.gateway.problems import ProblemError
from holdfast.frontends.gateway.routes.queries import answer_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.domain.session.commands import Command
    from holdfast.frontends.gateway.house import House

Text = Annotated[str, Meta(max_length=10_000)]
Word = Annotated[str, Meta(min_length=1, max_length=10_000)]


class Beginning(Body, frozen=True, kw_only=True):
    """A session to begin: exactly one of `target`, `agent` and `command` says with whom."""

    target: Word | None = None
    agent: Word | None = None
    command: Annotated[list[Text], Meta(min_length=1, max_length=1_000)] | None = None
    cwd: Word | None = None
    title: Annotated[str, Meta(max_length=1_000)] = ""
    prompt: Content | None = None
    wait_s: Annotated[float, Meta(ge=0, le=30)] = 0


class Prompting(Body, frozen=True, kw_only=True):
    """What is said."""

    content: Content


class Prompted(Struct, frozen=True):
    """What became of a prompt so far."""

    prompt_id: str
    state: Outcome


class Waiting(Struct, frozen=True):
    """A prompt that waits to be sent."""

    prompt_id: str
    text: str
    state: Literal["queued"]


class Queue(Struct, frozen=True):
    """All prompts that wait to be sent, in the order they were given."""

    items: list[Waiting]
    after: None = None


class Mode(Body, frozen=True, kw_only=True):
    """The mode to be in, as the peer calls it."""

    mode: Word


class Choosing(Body, frozen=True, kw_only=True):
    """The value that one of the peer's options is to have, both as `GET /sessions/{id}/offers` names them."""

    option: Word
    value: Annotated[str, Meta(max_length=10_000)]


class Deciding(Body, frozen=True, kw_only=True):
    """The answer to a permission: one of its options, or null to cancel it."""

    option_id: str | None
    reason: Annotated[str, Meta(max_length=10_000)] | None = None


class Answered(Struct, frozen=True):
    """The answer as it was recorded."""

    request_id: str
    session_id: str
    option_id: str | None


class Prompts:
    """Commands that concern the peer."""

    def __init__(self, house: House) -> None:
        """Act on the sessions of `house`."""
        self._house = house
        self._keeping = house.keeping

    async def create(self, call: Call, given: Beginning) -> Response:
        """Begin a session."""
        words = (given.target, given.agent, given.cwd, *(given.command or ()))
        if any("\0" in word for word in words if word):
            msg = "a command, a folder and an address hold no zero byte"
            raise UsageError(msg)
        if given.cwd is not None and not Path(given.cwd).is_absolute():
            # It would be a folder of the daemon's own, which is nobody's but the daemon's business.
            msg = f"the folder {given.cwd[:200]!r} is not an absolute path: name it from / on"
            raise UsageError(msg)
        order = Order(
            target=given.target,
            agent=given.agent,
            command=None if given.command is None else tuple(given.command),
            cwd=given.cwd,
            title=given.title,
            prompt=None if given.prompt is None else blocks(given.prompt),
        )
        session_id = await self._keeping.create(order, client_id=call.cause, actor=call.actor)
        if given.wait_s:
            await self._keeping.opened(session_id, within_s=given.wait_s)
        return await answer_row(self._house, session_id, 201)

    async def prompt(self, call: Call, given: Prompting) -> Response:
        """Say something, as soon as the peer listens."""
        command = commands.QueuePrompt(uuid4().hex, blocks(given.content))
        events = await self._execute(call, command)
        # A client that asks the same again is told of its first prompt.
        queued = next((each.event for each in events if isinstance(each.event, PromptQueued)), None)
        prompt_id = command.prompt_id if queued is None else queued.prompt_id
        return found(Prompted(prompt_id, await outcome(self._house.tail, call.session, prompt_id)), 202)

    async def cancel(self, call: Call, given: Body) -> Response:
        """Ask for the open turn to stop."""
        del given
        await self._execute(call, commands.Cancel())
        return await answer_row(self._house, call.session)

    async def mode(self, call: Call, given: Mode) -> Response:
        """Ask the peer for a mode."""
        await self._keeping.set_mode(call.session, given.mode, cause=call.cause, actor=call.actor)
        return await answer_row(self._house, call.session)

    async def option(self, call: Call, given: Choosing) -> Response:
        """Ask the peer for another value of one of its options."""
        await self._keeping.set_option(call.session, given.option, given.value, cause=call.cause, actor=call.actor)
        return await answer_row(self._house, call.session)

    async def reconnect(self, call: Call, given: Body) -> Response:
        """Try to connect now."""
        del given
        await self._keeping.reconnect(call.session, cause=call.cause, actor=call.actor)
        return await answer_row(self._house, call.session)

    async def queue(self, call: Call, given: Nothing) -> Response:
        """Return what waits."""
        del given
        await in_thread(self._house.reading.row, call.session)
        return await self._queue(call.session)

    async def edit(self, call: Call, given: Prompting) -> Response:
        """Change a prompt that waits."""
        await self._execute(call, commands.EditPrompt(call.path["prompt"], blocks(given.content)))
        return await self._queue(call.session)

    async def drop(self, call: Call, given: Nothing) -> Response:
        """Take a waiting prompt back."""
        del given
        await self._execute(call, commands.WithdrawPrompt(call.path["prompt"]))
        return await self._queue(call.session)

    async def clear(self, call: Call, given: Nothing) -> Response:
        """Take every waiting prompt back."""
        del given
        row = await in_thread(self._house.reading.row, call.session)
        if row.ended is not None:
            msg = "the session has ended, and nothing waits in it"
            raise SessionEndedError(msg)
        for prompt in await prompts(self._house.tail, call.session):
            if prompt.state == "queued":
                with suppress(NotFoundError, PromptError):  # it was sent or taken back in this instant
                    await self._keeping.execute(
                        call.session, commands.WithdrawPrompt(prompt.prompt_id), cause=None, actor=call.actor
                    )
        return await self._queue(call.session)

    async def resume(self, call: Call, given: Body) -> Response:
        """Let waiting prompts go on after an interruption."""
        del given
        await self._execute(call, commands.ResumeQueue())
        return await self._queue(call.session)

    async def inbox(self, call: Call, given: Nothing) -> Response:
        """Return what waits for a person."""
        del call, given
        return listed([wire.request(each) for each in await in_thread(self._house.reading.inbox)])

    async def answer(self, call: Call, given: Deciding) -> Response:
        """Answer a permission."""
        request = call.path["request"]
        try:
            events = await self._keeping.answer(
                request, given.option_id, given.reason, cause=call.cause, actor=call.actor
            )
        except NotFoundError as error:  # one that was never asked is refused like one that is over: it decides nothing
            raise ProblemError(409, code_of(NotFoundError), str(error)) from error
        if not events:
            msg = f"permission {request} was answered already"
            raise PermissionExpiredError(msg)
        return found(Answered(request, events[0].originator_id, given.option_id))

    async def _execute(self, call: Call, command: Command) -> Sequence[Recorded]:
        return await self._keeping.execute(call.session, command, cause=call.cause, actor=call.actor)

    async def _queue(self, session_id: StreamId) -> Response:
        waiting = await prompts(self._house.tail, session_id)
        queued = [each for each in waiting if each.state == "queued"]
        return found(Queue([Waiting(each.prompt_id, text_of(each.content), "queued") for each in queued]))


def operations(house: House) -> Operations:
    """Return what concerns the peers of sessions."""
    session, statuses = "/sessions/{id}", (404, 409, 422, 502)
    talk = Prompts(house)
    waiting = f"{session}/queue"
    return [
        Operation("POST", "/sessions", "Begin a session.", talk.create, Beginning, Row, 201, statuses),
        Operation(
            "POST", f"{session}/prompts", "Say something.", talk.prompt, Prompting, Prompted, 202, statuses,
            CONTENT_BYTES,
        ),
        Operation("POST", f"{session}/cancel", "Stop its turn.", talk.cancel, Body, Row, statuses=statuses),
        Operation("POST", f"{session}/mode", "Change its mode.", talk.mode, Mode, Row, statuses=statuses),
        Operation("POST", f"{session}/option", "Set an option.", talk.option, Choosing, Row, statuses=statuses),
        Operation("POST", f"{session}/reconnect", "Connect now.", talk.reconnect, Body, Row, statuses=statuses),
        Operation("GET", waiting, "Show its queue.", talk.queue, Nothing, Queue, statuses=(404,)),
        Operation("DELETE", waiting, "Clear its queue.", talk.clear, Nothing, Queue, statuses=statuses),
        Operation("POST", f"{waiting}/resume", "Let its queue go on.", talk.resume, Body, Queue, statuses=statuses),
        Operation(
            "PATCH", waiting + "/{prompt}", "Change a waiting prompt.", talk.edit, Prompting, Queue,
            statuses=statuses, limit_bytes=CONTENT_BYTES,
        ),
        Operation(
            "DELETE", waiting + "/{prompt}", "Take a prompt back.", talk.drop, Nothing, Queue, statuses=statuses
        ),
        Operation("GET", "/inbox", "List what waits for a person.", talk.inbox, Nothing, "Inbox"),
        Operation(
            "POST", "/inbox/{request}", "Answer a permission.", talk.answer, Deciding, Answered, statuses=statuses
        ),
    ]  # fmt: skip
