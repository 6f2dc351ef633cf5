"""What concerns the daemon and its store as a whole."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import anyio
from anyio import to_thread
from msgspec import Meta, Struct, json
from starlette.background import BackgroundTask

from holdfast.domain.answers import Check, Compaction, Found, ImportReport
from holdfast.domain.errors import ConflictError, HoldfastError
from holdfast.domain.recorded import StreamId
from holdfast.frontends.gateway.house import Status
from holdfast.frontends.gateway.operations import (
    HEARTBEAT_S,
    Body,
    Call,
    Nothing,
    Operation,
    Operations,
    found,
    in_thread,
    listed,
    streamed,
)
from holdfast.frontends.gateway.problems import describe
from holdfast.frontends.gateway.progress import answered, steps

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.responses import Response

    from holdfast.domain.ports import Progress
    from holdfast.frontends.gateway.house import House, Watching

Source = Annotated[str, Meta(min_length=1, max_length=10_000, pattern=r"^[^\x00]*$")]


class Importing(Body, frozen=True, kw_only=True):
    """Files, folders, or names of tools; with `watch` what comes to them later is imported as well."""

    sources: Annotated[list[Source], Meta(min_length=1, max_length=1_000)]
    watch: bool = False


class Compacting(Body, frozen=True, kw_only=True):
    """The session; every one where that saves room, without it."""

    session: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=r"^[^\x00]*$")] | None = None


class Importable(Struct, frozen=True):
    """What other tools have left on this machine, and the sources that are watched until the daemon ends."""

    items: list[Found]
    watched: list[str]
    after: None = None


class Checks(Struct, frozen=True):
    """The lines of a health report."""

    items: list[Check]
    after: None = None


class Ending(Body, frozen=True, kw_only=True):
    """Whether the agents end with the daemon; they go on otherwise."""

    agents: bool = False


class Stopping(Struct, frozen=True):
    """The daemon ends."""

    stopping: bool = True


class Upkeep:
    """Questions and commands to the daemon."""

    def __init__(self, house: House) -> None:
        """Ask `house`."""
        self._house = house

    async def status(self, call: Call, given: Nothing) -> Response:
        """Return what runs, and where."""
        del call, given
        house, running = self._house, self._house.running
        sessions = await in_thread(house.upkeep.sessions)
        return found(
            Status(
                running.pid,
                running.url,
                running.socket,
                running.started,
                house.version,
                sessions,
                house.keeping.live(),
                running.web,
                house.plug is not None,
            )
        )

    async def agents(self, call: Call, given: Nothing) -> Response:
        """Return the agents that are known."""
        del call, given
        return listed(await in_thread(self._house.keeping.agents))

    async def doctor(self, call: Call, given: Nothing) -> Response:
        """Check store, folder, files and processes."""
        del call, given
        return found(Checks(await in_thread(self._house.upkeep.checks)))

    async def importable(self, call: Call, given: Nothing) -> Response:
        """Return what there is to import."""
        del call, given
        return found(Importable(await in_thread(self._house.upkeep.found), self._house.watches.sources))

    async def import_(self, call: Call, given: Importing) -> Response:
        """Import transcripts. Watched ones go on until the client hangs up, where it reads lines, else for ever."""
        if given.watch:
            return await self._watch(call, given.sources)

        def work(progress: Progress | None) -> ImportReport:
            return self._house.upkeep.import_(given.sources, progress)

        return await answered(call, work)

    async def _watch(self, call: Call, sources: list[str]) -> Response:
        watching = self._house.upkeep.watching(sources)
        if call.lines:
            return streamed(self._news(watching))
        report = await in_thread(watching.begin)
        self._house.watches.keep(sources, watching)
        return found(report)

    async def _news(self, watching: Watching) -> AsyncGenerator[bytes]:
        """Yield a result for what was there, and one each time something came."""
        begun: list[ImportReport] = []

        def begin(progress: Progress | None) -> ImportReport:
            begun.append(watching.begin(progress))
            return begun[0]

        try:
            async with aclosing(steps(begin)) as lines:
                async for line in lines:
                    yield line
            quiet_s = 0.0
            while begun and not self._house.ending.is_set():
                with anyio.move_on_after(watching.pause_s):  # no file tells that it was written to
                    await self._house.ending.wait()
                report = await to_thread.run_sync(watching.look)
                quiet_s += watching.pause_s
                if report.events:
                    yield json.encode({"result": report}) + b"\n"
                elif quiet_s < HEARTBEAT_S:
                    continue
                else:
                    yield b"\n"
                quiet_s = 0.0
        except HoldfastError as error:
            yield json.encode({"problem": describe(error)}) + b"\n"
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(watching.close_turns)

    async def rebuild(self, call: Call, given: Body) -> Response:
        """Build every view anew."""
        del given
        return await answered(call, self._house.upkeep.rebuild)

    async def compact(self, call: Call, given: Compacting) -> Response:
        """Tell the messages of ended turns as wholes. Connected sessions are left alone."""
        house = self._house
        session_id = None if given.session is None else StreamId(given.session)

        def connected(each: StreamId) -> bool:
            """One that only rests in memory reads what was written behind its back before it writes again."""
            shown = house.connection(each)
            return shown is not None and shown.state in ("connected", "connecting", "reconnecting")

        def work(progress: Progress | None) -> Compaction:
            return house.upkeep.compact(session_id, actor=call.actor, held=connected, progress=progress)

        return await answered(call, work)

    async def shutdown(self, call: Call, given: Ending) -> Response:
        """End the daemon, once this is answered."""
        del call
        if given.agents:
            await self._house.keeping.end_agents("the daemon was ended together with its agents")
        response = found(Stopping(), 202)
        response.background = BackgroundTask(self._end)
        return response

    async def pull(self, call: Call, given: Body) -> Response:
        """Kill the daemon at once, as a power cut would, once this is answered."""
        del call, given
        plug = self._house.plug
        if plug is None:
            msg = "nobody would start this daemon again: `make run` starts one whose plug may be pulled"
            raise ConflictError(msg)
        response = found(Stopping(), 202)
        response.background = BackgroundTask(_then, plug)
        return response

    async def _end(self) -> None:
        self._house.end()


async def _then(act: Callable[[], None]) -> None:
    act()


def operations(house: House) -> Operations:
    """Return what concerns the daemon as a whole."""
    upkeep = Upkeep(house)
    return [
        Operation("GET", "/status", "Tell what runs.", upkeep.status, Nothing, Status),
        Operation("GET", "/agents", "List the agents that are known.", upkeep.agents, Nothing, "KnownAgents"),
        Operation("GET", "/doctor", "Check the daemon's health.", upkeep.doctor, Nothing, Checks),
        Operation("GET", "/imports", "List what could be imported.", upkeep.importable, Nothing, Importable),
        Operation(
            "POST", "/imports", "Import transcripts.", upkeep.import_, Importing, ImportReport, statuses=(404, 409, 422)
        ),
        Operation("POST", "/rebuild", "Build the views anew.", upkeep.rebuild, Body, dict[str, str]),
        Operation(
            "POST",
            "/compact",
            "Tell ended turns as wholes.",
            upkeep.compact,
            Compacting,
            Compaction,
            statuses=(404, 409),
        ),
        Operation("POST", "/shutdown", "End the daemon.", upkeep.shutdown, Ending, Stopping, 202),
        Operation("POST", "/demo/plug", "Kill the daemon.", upkeep.pull, Body, Stopping, 202, (409,)),
    ]
