"""The port through which frontends reach the sessions that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, uuid4, uuid5

import anyio
from anyio import TASK_STATUS_IGNORED
from msgspec.structs import replace

from holdfast.adapters.supervision.directory import IMPORT, Directory
from holdfast.adapters.supervision.fleet import Fleet
from holdfast.adapters.supervision.keeper import Keeper, Observed, existing
from holdfast.adapters.supervision.secrets import hidden, hidden_json
from holdfast.domain.errors import ConflictError, NotFoundError, SessionEndedError
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Session
from holdfast.domain.transport import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anyio.abc import TaskStatus

    from holdfast.adapters.supervision.link_keeper import LinkKeeper
    from holdfast.adapters.supervision.settings import Settings
    from holdfast.domain.journal import Journal
    from holdfast.domain.keeping import KnownAgent, Order, PeerFrame
    from holdfast.domain.projections.roster import Connection
    from holdfast.domain.recorded import Actor, Recorded
    from holdfast.domain.session.commands import Command

_SETTLED: Final = ("failed", "gave_up")


class Supervisor:
    """Implements `holdfast.domain.keeping.Keeping` over a log, transports and agent hosts."""

    def __init__(self, journal: Journal, directory: Directory, settings: Settings) -> None:
        """Keep the sessions of `journal`. Nothing happens before `run`."""
        self._journal = journal
        self._directory = directory
        self._settings = settings
        self._fleet = Fleet(journal, directory, settings)

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Keep sessions until cancelled; agents and their hosts go on afterwards.

        `task_status.started()` comes as soon as commands are taken. Recovery goes on beside.

        Raises:
            StoreError: The log takes nothing more.
        """
        await self._fleet.run(task_status=task_status)

    def listen(self, listener: Callable[[StreamId], None]) -> Callable[[], None]:
        """Call `listener` on the loop whenever `connection` of a session may have changed; returns how to stop that.

        Attempts and delays are events of the link, so that nothing in the session's own stream tells of them.
        """
        return self._fleet.listen(listener)

    async def create(self, order: Order, *, client_id: str | None, actor: Actor) -> StreamId:
        """Begin a session and start connecting it."""
        name = uuid4() if client_id is None else uuid5(NAMESPACE_URL, f"{self._journal.name}:{client_id}")
        session_id = StreamId(str(name))
        if client_id is not None and (await self._fleet.keepers.get(session_id)).session.version:
            return session_id
        peer = self._directory.ordered(order)
        commands: list[Command] = [
            c.Create(
                transport=peer.transport,
                target=hidden(peer.target, self._settings.secrets),
                agent=peer.agent,
                cwd=peer.cwd,
                title=hidden(order.title, self._settings.secrets),
                command=tuple(hidden(word, self._settings.secrets) for word in order.command or ()),
            )
        ]
        if order.prompt is not None:
            commands.append(c.QueuePrompt(str(uuid4()), hidden_json(order.prompt, self._settings.secrets)))
        keeper = Keeper(Session(session_id))
        keeper.recovered.set()
        if (other := self._fleet.keepers.known(session_id)) is not None:
            async with other.lock:
                pass  # the same client id, at the same time: it is there once this is free, or was refused
            return await self.create(order, client_id=client_id, actor=actor)
        self._fleet.keepers.expect(keeper)
        try:
            events = await self._fleet.ledger.execute(keeper, commands, cause=client_id, actor=actor)
        except BaseException:
            self._fleet.forget(session_id)
            raise
        self._fleet.await_delivery(keeper, _queued(events))
        if self._fleet.policy(peer.transport).create in ("eager", "on_connect"):
            self._fleet.want(keeper)
        return session_id

    async def opened(self, session_id: StreamId, *, within_s: float) -> None:
        """Return once the session is ready, or has failed, or the time is over."""
        keeper = await self._keeper(session_id)
        with anyio.move_on_after(within_s):
            while not self._is_opened(keeper):
                await keeper.news()

    async def execute(
        self, session_id: StreamId, command: Command, *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        """Carry out a command, then what it means to the peer."""
        if isinstance(command, c.Erase):
            await self.erase(session_id, actor=actor)
            return ()
        keeper = await self._keeper(session_id)
        command = self._veiled(command)
        if isinstance(command, c.QueuePrompt):
            await self._check_prompt(keeper, cause)
        events = await self._fleet.ledger.execute(keeper, [command], cause=cause, actor=actor)
        self._fleet.await_delivery(keeper, _queued(events))
        if isinstance(command, c.End):
            self._fleet.let_go(keeper, command.reason)
        return events

    async def answer(
        self, request_id: str, option_id: str | None, reason: str | None, *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        """Answer a permission of whatever session; None cancels it."""
        asked = self._fleet.ledger.asked
        session_id = asked.get(request_id)
        if session_id is None:
            await self._fleet.loaded.wait()
            session_id = asked.get(request_id) or await self._journal.asked_by(request_id)
        if session_id is None:
            msg = f"no permission {request_id} was ever asked for: see `holdfast inbox`"
            raise NotFoundError(msg)
        return await self.execute(session_id, c.Answer(request_id, option_id, reason), cause=cause, actor=actor)

    async def set_mode(self, session_id: StreamId, mode: str, *, cause: str | None, actor: Actor) -> Sequence[Recorded]:
        """Ask the peer for a mode and return once it has agreed; wakes a session that sleeps."""
        keeper = await self._keeper(session_id)
        if cause is not None and (earlier := await self._journal.by_cause(session_id, cause)):
            return earlier
        link, before = await self._awake(keeper)
        if before.state.mode == mode:
            return ()
        await link.ask(keeper, f"mode:{uuid4().hex}", Wish("mode", mode))
        if keeper.session.state.mode != mode:
            facts = [e.ModeChanged(mode)]  # it agreed, and said nothing of it by itself
            await self._fleet.ledger.observe([Observed(keeper, facts)], actor=actor)
        return await self._journal.after(session_id, before.version)

    async def set_option(
        self, session_id: StreamId, option: str, value: str, *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        """Ask the peer for another value of an option and return once it has agreed; wakes a session that sleeps."""
        keeper = await self._keeper(session_id)
        if cause is not None and (earlier := await self._journal.by_cause(session_id, cause)):
            return earlier
        link, before = await self._awake(keeper)
        if before.state.options.get(option) == value:
            return ()
        await link.ask(keeper, f"option:{uuid4().hex}", Wish("option", value, option))
        if keeper.session.state.options.get(option) != value:
            facts = [e.SessionConfigured({option: value})]
            await self._fleet.ledger.observe([Observed(keeper, facts)], actor=actor)
        return await self._journal.after(session_id, before.version)

    async def _awake(self, keeper: Keeper) -> tuple[LinkKeeper, Session]:
        """Return the link of a session that is connected, or can be.

        Raises:
            SessionEndedError: The session has ended.
            ConflictError: Its peer does not answer.
        """
        state = keeper.session.state
        if state.ended is not None:
            msg = f"the session has ended ({state.ended}); start a new one"
            raise SessionEndedError(msg)
        if state.attachment != "attached":
            self._fleet.want(keeper)
            await self.opened(keeper.id, within_s=self._settings.agents.initialize_timeout_s)
        link = self._fleet.link(keeper.id)
        if link is None or keeper.session.state.attachment != "attached":
            shown = self.connection(keeper.id)
            msg = f"the session is not connected: {(shown and shown.error) or 'its peer does not answer'}"
            raise ConflictError(msg)
        return link, keeper.session

    async def reconnect(self, session_id: StreamId, *, cause: str | None, actor: Actor) -> None:
        """Try now, whatever the policy says."""
        del cause, actor
        keeper = await self._keeper(session_id)
        if keeper.session.state.ended is not None:
            msg = f"the session has ended ({keeper.session.state.ended}); start a new one"
            raise SessionEndedError(msg)
        link = self._fleet.link(session_id)
        if link is None or not (link.running and link.connected):
            self._directory.known(keeper.session)  # whoever asks hears at once that there is nobody to connect to
            self._fleet.want(keeper)

    async def erase(self, session_id: StreamId, *, actor: Actor) -> str | None:
        """End the session, let its peer go and erase the content for good."""
        keeper = await self._fleet.keepers.get(session_id)
        state = keeper.session.state
        if state.created and not state.erased and state.ended is None:
            await self._fleet.ledger.execute(keeper, [c.End("erased")], cause=None, actor=actor)
        link = self._fleet.link(session_id)
        self._fleet.let_go(keeper, "erased")
        if link is not None and len(link.members) <= 1:
            await link.over()
        async with keeper.lock:
            remains = await self._journal.erase(session_id, actor)
            self._fleet.forget(session_id)
        return remains

    def connection(self, session_id: StreamId) -> Connection | None:
        """Return how the session is connected now; None where only the log knows."""
        return self._fleet.connection(session_id)

    def frames(self, session_id: StreamId, *, after: int = 0) -> Sequence[PeerFrame]:
        """Return the latest frames of the connection that carries a session, those after a number."""
        link = self._fleet.link(session_id)
        return () if link is None else link.frames.after(after)

    def on_frames(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the loop for every frame of whatever session; returns how to stop that."""
        return self._fleet.news.listen(listener)

    def focus(self, attachment: str, session_id: StreamId | None) -> None:
        """Remember which session an attached frontend looks at."""
        if session_id is None:
            self._fleet.focus.pop(attachment, None)
            return
        self._fleet.focus[attachment] = session_id
        self._fleet.attend(session_id)

    def agents(self) -> list[KnownAgent]:
        """Return the agents that are known, found or not."""
        return list(self._directory.agents())

    def live(self) -> int:
        """Return how many agents run."""
        return sum(1 for link in self._fleet.links() if link.connected and link.peer.command is not None)

    async def end_agents(self, reason: str) -> None:
        """End every agent that runs; no session ends with it."""
        await self._fleet.loaded.wait()
        links = [link for link in self._fleet.links() if link.running]
        for link in links:
            link.close(reason)
        for link in links:
            await link.over()

    async def _keeper(self, session_id: StreamId) -> Keeper:
        keeper = await self._fleet.keepers.get(session_id)
        existing(keeper.session)
        return keeper

    def _is_opened(self, keeper: Keeper) -> bool:
        state = keeper.session.state
        if state.ended is not None or state.attachment == "attached":
            return True
        # A link fails before its session says so. Whoever waited looks at the row then, and it must say so too.
        link, shown = self._fleet.link(keeper.id), self.connection(keeper.id)
        return (link is None or not link.running) and shown is not None and shown.state in _SETTLED

    async def _check_prompt(self, keeper: Keeper, cause: str | None) -> None:
        """Refuse a prompt that cannot be sent, where the policy does not keep it for later."""
        state, summary = keeper.session.state, keeper.session.summary
        if state.ended is not None or (cause and await self._journal.by_cause(keeper.id, cause)):
            return
        if summary.transport == IMPORT:
            self._directory.known(keeper.session)
            return
        queue = self._fleet.policy(summary.transport).queue
        if state.attachment == "attached" or queue.accepts(len(state.queued)):
            return
        if queue.when_down == "reject":
            msg = "the session is not connected, and its transport keeps no prompts: reconnect first"
        else:
            msg = f"{len(state.queued)} prompts wait already, more are not kept while the session is not connected"
        raise ConflictError(msg)

    def _veiled(self, command: Command) -> Command:
        """Return a command without the values of credentials in it."""
        secrets = self._settings.secrets
        match command:
            case c.QueuePrompt(prompt_id=prompt_id, content=content):
                return c.QueuePrompt(prompt_id, hidden_json(content, secrets))
            case c.EditPrompt(prompt_id=prompt_id, content=content):
                return c.EditPrompt(prompt_id, hidden_json(content, secrets))
            case c.Rename(title=title):
                return c.Rename(hidden(title, secrets))
            case c.Answer(reason=str(reason)):
                return replace(command, reason=hidden(reason, secrets))
            case _:
                return command


def _queued(events: Sequence[Recorded]) -> dict[str, int]:
    """Return the prompts that were just queued, and when."""
    return {each.event.prompt_id: each.at for each in events if isinstance(each.event, e.PromptQueued)}
