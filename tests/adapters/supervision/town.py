"""A daemon's inside, in the process of the test: a real store, a real supervisor, real agents under real hosts."""

from __future__ import annotations

import os
import uuid
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import pytest

from holdfast.adapters.storage.journal import StoreJournal
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.store import CaughtUp
from holdfast.adapters.storage.workspace import Workspace
from holdfast.adapters.supervision.directory import Directory
from holdfast.adapters.supervision.secrets import Secrets
from holdfast.adapters.supervision.settings import Settings
from holdfast.adapters.supervision.supervisor import Supervisor
from holdfast.adapters.transports.acp.transport import AcpTransport
from holdfast.domain.content import of_text
from holdfast.domain.keeping import Order
from holdfast.domain.policy import AgentPolicy
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
    from pathlib import Path

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.policy import Target, TransportPolicy
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.transport import Transport

ME = Actor("human", "test")
WITHIN_S = 60.0
"""No test waits longer for anything; reaching it is a failure, never a measurement."""

F = TypeVar("F", bound="Fact")

DATABASES: Final = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
ON_BOTH: Final = pytest.mark.parametrize("town", DATABASES, indirect=True)
"""Runs a test with the log in each database."""


class Town:
    """One home, over any number of lives of its daemon."""

    def __init__(self, home: Path, runtime: Path, url: str | None = None) -> None:
        self.home = home
        self.url = url or f"sqlite:///{home}/log.db"
        self.hosts = home / "hosts"
        self.runtime = runtime
        self.agents = AgentPolicy(abandon_after_s=600.0)
        self.policies: Mapping[str, TransportPolicy] = {}
        self.transports: dict[str, Transport] = {"acp": AcpTransport()}
        self.targets: dict[str, Target] = {}
        self.secrets = Secrets()
        self.environ: dict[str, str] = dict(os.environ)
        self.cancel_s = 10.0
        self.journal: Callable[[Store], StoreJournal] = StoreJournal
        self.random: Callable[[], float] = lambda: 0.0

    @contextmanager
    def log(self) -> Generator[Workspace]:
        """Open the log while no daemon runs."""
        with open_store(StoreSettings.from_url(self.url, wait_s=10.0), environ={}) as store:
            yield Workspace(store)

    @asynccontextmanager
    async def daemon(self) -> AsyncGenerator[Daemon]:
        """Live once; leaving it lets go of everything as a kill would: nothing is said to anybody."""
        with open_store(StoreSettings.from_url(self.url, wait_s=10.0), environ={}) as store:
            settings = Settings(
                hosts=self.hosts,
                runtime=self.runtime,
                environ=self.environ,
                agents=self.agents,
                policies=self.policies,
                secrets=self.secrets,
                random=self.random,
                cancel_s=self.cancel_s,
            )
            directory = Directory(self.transports, self.targets, home=str(self.home))
            journal = self.journal(store)
            supervisor = Supervisor(journal, directory, settings)
            async with anyio.create_task_group() as nursery:
                await nursery.start(supervisor.run)
                yield Daemon(store, journal, supervisor)
                nursery.cancel_scope.cancel()


class Daemon:
    """One life of the daemon, and what a person does with it."""

    def __init__(self, store: Store, journal: StoreJournal, keeping: Supervisor) -> None:
        self.store = store
        self.journal = journal
        self.keeping = keeping

    async def new(
        self,
        command: Sequence[str] = (),
        prompt: str | None = None,
        *,
        target: str | None = None,
        client_id: str | None = None,
        cwd: str | None = None,
    ) -> StreamId:
        """Begin a session."""
        content = None if prompt is None else of_text(prompt)
        order = Order(command=tuple(command) or None, target=target, prompt=content, cwd=cwd)
        return await self.keeping.create(order, client_id=client_id, actor=ME)

    async def ready(self, session: StreamId) -> None:
        """Wait until the session is attached."""
        with anyio.fail_after(WITHIN_S):
            await self.keeping.opened(session, within_s=WITHIN_S)
        shown = self.keeping.connection(session)
        assert shown is not None
        assert shown.state == "connected", shown

    async def do(self, session: StreamId, command: c.Command, client_id: str | None = None) -> Sequence[Recorded]:
        return await self.keeping.execute(session, command, cause=client_id, actor=ME)

    async def send(self, session: StreamId, text: str, client_id: str | None = None) -> str:
        """Queue a prompt and return its id."""
        prompt_id = f"p-{uuid.uuid4().hex[:8]}"
        (queued, *_) = await self.do(session, c.QueuePrompt(prompt_id, of_text(text)), client_id)
        assert isinstance(queued.event, e.PromptQueued)
        return queued.event.prompt_id

    def log(self, session: StreamId) -> list[Recorded]:
        return list(self.store.events(session))

    def facts(self, session: StreamId) -> list[Fact]:
        return [recorded.event for recorded in self.log(session)]

    def text(self, session: StreamId) -> str:
        """Everything the agent said."""
        return "".join(fact.text for fact in self.facts(session) if isinstance(fact, e.TextAppended))

    async def until(
        self, session: StreamId, holds: Callable[[list[Fact]], object], what: str = "it never came"
    ) -> list[Fact]:
        """Return the facts of a session once they are as wanted, woken by each commit."""
        try:
            with anyio.fail_after(WITHIN_S):
                async with aclosing(self.store.subscribe(stream=session)) as events:
                    async for event in events:
                        if isinstance(event, CaughtUp) and holds(facts := self.facts(session)):
                            return facts
        except TimeoutError:
            pass
        raise AssertionError(f"{what}: {self.facts(session)}")

    async def saw(self, session: StreamId, kind: type[F], count: int = 1) -> list[F]:
        """Return the facts of one kind once there are so many."""
        facts = await self.until(
            session, lambda facts: len([f for f in facts if isinstance(f, kind)]) >= count, f"no {kind.__name__}"
        )
        return [fact for fact in facts if isinstance(fact, kind)]
