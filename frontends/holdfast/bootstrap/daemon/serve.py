"""The daemon put together: one store, its keepers, the gateway and its sockets, in one event loop."""

from __future__ import annotations

import logging
import os
import signal
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from msgspec.structs import replace

from holdfast.adapters.storage import erase
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.tail import StoreTail
from holdfast.bootstrap.daemon import memory, presence, process, sockets
from holdfast.bootstrap.daemon.callers import Callers
from holdfast.bootstrap.daemon.credential import ensure_token, read_token
from holdfast.bootstrap.daemon.folding import keep_up
from holdfast.bootstrap.daemon.supervising import secrets, supervisor
from holdfast.bootstrap.daemon.tokens import TokenFile
from holdfast.bootstrap.daemon.upkeep import StoreUpkeep
from holdfast.bootstrap.daemon.watching import Watches
from holdfast.bootstrap.library import LocalLibrary, LocalReading
from holdfast.domain.daemon import Running
from holdfast.domain.errors import HoldfastError, NotRunningError, StoreBusyError, StoreError, UnsafeError
from holdfast.domain.timestamps import to_text
from holdfast.frontends.gateway.app import build
from holdfast.frontends.gateway.house import House
from holdfast.frontends.gateway.server import Listener

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator, Mapping

    from anyio.abc import TaskStatus

    from holdfast.adapters.configuration.home import Home
    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.supervision.secrets import Secrets
    from holdfast.adapters.supervision.supervisor import Supervisor
    from holdfast.domain.daemon import Listen

_OTHERS_S = 0.5
"""How long a store that another home holds is waited for: it will not be given back."""

_log = logging.getLogger("holdfast.daemon")


def serve(
    home: Home, listen: Listen, environ: Mapping[str, str], tell: Callable[[Running | HoldfastError], None]
) -> None:
    """Be the daemon of `home` until a signal or a request ends it. The caller is the only one for this home.

    Args:
        home: Exists and is private.
        listen: Where to listen.
        environ: What it was started with.
        tell: Told once that it is ready.

    Raises:
        HoldfastError: It cannot begin, or the store stopped under it.
    """
    ensure_token(home.token)
    library = LocalLibrary(environ, _warn)
    path = sockets.unix_path(home.path)
    with _opened(library) as store:
        tcp, unix = sockets.open_tcp(listen), sockets.open_unix(path)
        running = Running(os.getpid(), sockets.url_of(tcp), str(path), "", listen.web, library.settings.digest)
        try:
            anyio.run(_serve, library, store, running, [tcp, unix], tell, backend="asyncio")
        finally:
            path.unlink(missing_ok=True)
        if store.stopped is not None:
            raise store.stopped
    _log.info("ended")


async def _serve(
    library: LocalLibrary,
    store: Store,
    running: Running,
    listening: list[socket.socket],
    tell: Callable[[Running | HoldfastError], None],
) -> None:
    stop = anyio.Event()
    running = replace(running, started=to_text(now_us()))
    upkeep = StoreUpkeep(store, library)
    hidden = secrets(library)
    keeping = supervisor(library, store, hidden)
    watches = Watches(upkeep.watching)
    house = House(
        reading=LocalReading(store, library),
        tail=StoreTail(store),
        keeping=keeping,
        upkeep=upkeep,
        watches=watches,
        token=_token(library.home, hidden),
        tokens=TokenFile(library.home),
        running=running,
        version=version("holdfast"),
        end=stop.set,
        plug=_kill if library.environ.get(process.PARENT) == str(os.getppid()) else None,
    )
    app, live = build(house, port=listening[0].getsockname()[1])
    callers = Callers()
    listener = Listener(callers.around(app), stop)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, keeping, stop)
        tasks.start_soon(_tell_again, listener, library.home, running)
        tasks.start_soon(_end_with_store, store, stop)
        tasks.start_soon(keep_up, store, callers)
        await tasks.start(_supervise, keeping, stop)
        tasks.start_soon(live.run)
        tasks.start_soon(to_thread.run_sync, _finish_erasures, store)
        tasks.start_soon(watches.run)
        tasks.start_soon(watches.begin, library.configuration.import_.watch)
        tasks.start_soon(_close_streams, house, stop)
        async with anyio.create_task_group() as serving:
            serving.start_soon(listener.listen, listening)
            await listener.ready.wait()
            presence.announce(library.home, running)
            memory.settle()
            _log.info("ready", extra={"url": running.url, "socket": running.socket, "pid": running.pid})
            tell(running)
        tasks.cancel_scope.cancel()


@contextmanager
def _opened(library: LocalLibrary) -> Generator[Store]:
    """Open the store for writing, with its last checkpoint written when it is left."""
    settings = replace(library.settings, wait_s=_OTHERS_S)
    checkpoints, environ = library.home.checkpoints, library.environ
    try:
        store = open_store(settings, checkpoints=checkpoints, environ=environ)
    except StoreBusyError as error:
        if error.home != str(library.home.path):
            raise
        # A command of this very home writes; it will be done soon.
        store = open_store(library.settings, checkpoints=checkpoints, environ=environ)
    try:
        if store.regressed is not None:
            raise store.regressed
        yield store
    finally:
        store.close()


async def _end_on_signal(keeping: Supervisor, stop: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, presence.END_AGENTS) as signals:
        async with anyio.create_task_group() as ending:
            async for which in signals:
                _log.info("told to end", extra={"signal": signal.Signals(which).name})
                if which == presence.END_AGENTS:
                    ending.start_soon(_end_with_agents, keeping, stop)
                    continue
                if stop.is_set():
                    os._exit(1)  # asked for the second time: whatever hangs, hangs
                stop.set()


async def _tell_again(listener: Listener, home: Home, running: Running) -> None:
    """Say anew where the daemon listens whenever somebody finds that nothing says it any more."""
    with anyio.open_signal_receiver(presence.TELL_AGAIN) as signals:
        async for _ in signals:
            if listener.ready.is_set():
                presence.announce(home, running)


async def _end_with_agents(keeping: Supervisor, stop: anyio.Event) -> None:
    await keeping.end_agents("the daemon was ended together with its agents")
    stop.set()


async def _supervise(
    keeping: Supervisor, stop: anyio.Event, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Keep sessions connected. Their agents go on under their hosts when this is cancelled."""
    try:
        await keeping.run(task_status=task_status)
    except* StoreError as errors:
        _log.critical("sessions cannot be kept any more", exc_info=errors)
        stop.set()


async def _end_with_store(store: Store, stop: anyio.Event) -> None:
    """End once the store writes no more: nothing may be acknowledged from then on, and the next start looks anew."""
    bell = store.bell()
    try:
        while store.stopped is None:
            bell.arm()
            if store.stopped is None:
                await bell.wait()
    finally:
        bell.close()
    _log.critical("the store stopped", exc_info=store.stopped)
    stop.set()


async def _close_streams(house: House, stop: anyio.Event) -> None:
    await stop.wait()
    house.ending.set()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _finish_erasures(store: Store) -> None:
    """Remove what a kill left of erased content."""
    try:
        erase.finish(store)
    except StoreError as error:
        _log.warning("traces of erased content remain", exc_info=error)


def _token(home: Home, hidden: Secrets) -> Callable[[], str]:
    """Return what gives the current token, which is `hidden` as well; an agent can read the file as its user can.

    A file that cannot be trusted any more opens nothing.
    """

    def current() -> str:
        try:
            token = read_token(home.token)
        except (NotRunningError, UnsafeError) as error:
            _log.error("token refused", exc_info=error)
            raise
        hidden.learn(token)
        return token

    hidden.learn(read_token(home.token))
    return current


def _warn(line: str) -> None:
    _log.warning(line)
