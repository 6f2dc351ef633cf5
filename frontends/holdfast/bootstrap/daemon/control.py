"""The daemon of one home, from outside: find it, begin it, end it. The port `DaemonControl`; imports nothing heavy."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from holdfast.adapters.configuration.home import find_home, prepare_home
from holdfast.bootstrap.daemon import presence
from holdfast.bootstrap.daemon.credential import read_token
from holdfast.domain.daemon import Listen, Running
from holdfast.domain.errors import DaemonError, OccupiedError, OtherStoreError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from holdfast.bootstrap.daemon.tokens import TokenFile

_READY_S = 120.0
_END_S = 30.0
_END_WITH_AGENTS_S = 60.0
"""An agent may have to be killed first, which leaves it some seconds to end by itself."""

_SILENT_S = 10.0
"""How long a daemon that is to end may take to say where it listens; after that its process is told to end."""


class LocalDaemon:
    """The daemon of this user's home, as the environment names it."""

    def __init__(self, environ: Mapping[str, str], warn: Callable[[str], None]) -> None:
        """Find out where everything lies; look at nothing yet.

        Raises:
            SettingsError: The home cannot be used.
        """
        self._environ = environ
        self._warn = warn
        self._home = find_home(environ)
        self._looked = False

    def running(self, *, wait_s: float = 0.0) -> Running | None:
        """Return the daemon that is ready, None where there is none.

        Raises:
            OtherStoreError: It keeps another store than environment or configuration name. Where they name none, the
                store is whichever the daemon of this home keeps.
        """
        found = presence.find(self._home, wait_s=wait_s)
        first, self._looked = not self._looked, True
        if found is not None and found.store:
            try:
                self._same_store(found)
            except SettingsError as error:
                if first:  # later, somebody may be drawing on the terminal
                    self._warn(f"{error}; the daemon goes on with what it read when it began")
        return found

    def _same_store(self, found: Running) -> None:
        named = "HOLDFAST_DATABASE_URL"
        url = self._environ.get(named)
        if not url and self._home.configuration.exists():
            from holdfast.adapters.configuration.file import read_configuration  # few homes have one

            named, url = "[storage] url in config.toml", read_configuration(self._home.configuration).storage.url
        if not url:
            return
        from holdfast.adapters.storage.settings import StoreSettings

        if StoreSettings.from_url(url).digest != found.store:
            msg = (
                f"the daemon of {self._home.path} (process {found.pid}) keeps another store than {named} names: "
                "`holdfast restart` starts it with that one, or use another HOLDFAST_HOME for it"
            )
            raise OtherStoreError(msg)

    def token(self) -> str:
        """Return the credential for its HTTP API.

        Raises:
            NotRunningError: There is none yet.
            UnsafeError: Others can read the file, or it is a link.
        """
        return read_token(self._home.token)

    def tokens(self) -> TokenFile:
        """Return what else was given out to speak to it; makes the home where there is none."""
        from holdfast.bootstrap.daemon.tokens import TokenFile  # one verb asks for it

        prepare_home(self._home, self._warn)
        return TokenFile(self._home)

    def start(self, listen: Listen) -> Running:
        """Start a daemon in the background and return once it is ready; where one runs, return that one.

        Raises:
            HoldfastError: What kept it from getting ready, as the daemon itself reported it.
        """
        from holdfast.bootstrap.daemon import process  # only who starts a daemon needs it

        process.check(listen)
        running = self.running(wait_s=_READY_S)
        if running is not None:
            return running
        prepare_home(self._home, self._warn)
        try:
            return process.spawn(self._home, self._environ, listen, within_s=_READY_S)
        except OccupiedError:
            # Two who started one at the same time want the same: the one that won.
            running = self.running(wait_s=_READY_S)
            if running is None:
                raise
            return running

    def serve(self, listen: Listen) -> NoReturn:
        """Become the daemon: this process goes on as it until it is told to end.

        Raises:
            OccupiedError: One runs already.
        """
        from holdfast.bootstrap.daemon import process  # only who starts a daemon needs it

        process.check(listen)
        running = self.running()
        if running is not None:
            msg = (
                f"a daemon of {self._home.path} runs already (process {running.pid} at {running.url}): use that one, "
                "or end it with `holdfast down`"
            )
            raise OccupiedError(msg)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(  # noqa: S606 - an argument list of ours
            sys.executable, process.command(listen), process.environment(self._home, self._environ)
        )

    def stop(self, *, agents: bool = False) -> bool:
        """End the daemon and return once it is gone; False where none ran.

        By a signal, not by a request: whoever may send one is its owner, also where its credential is lost or open to
        others and it answers nobody. Agents that an earlier daemon left are ended by one that is started for it, and
        that writes down what became of them.

        Raises:
            DaemonError: It does not end.
        """
        running = presence.find(self._home, wait_s=_SILENT_S)  # whatever it keeps
        pid = running.pid if running is not None else presence.process_of(self._home)
        if pid is None and agents and self._has_agents():
            pid = self.start(Listen(port=0, web=False)).pid
        if pid is None:
            return False
        if agents and not presence.ends_agents(pid):
            msg = f"the daemon (process {pid}) is not ready to end its agents: `holdfast down` leaves them alone"
            raise DaemonError(msg)
        _signal(pid, presence.END_AGENTS if agents else signal.SIGTERM)
        if not presence.wait_until_gone(self._home, _END_WITH_AGENTS_S if agents else _END_S):
            msg = f"the daemon (process {pid}) does not end: see `holdfast logs`, or end it with `kill -9`"
            raise DaemonError(msg)
        return True

    def _has_agents(self) -> bool:
        """Tell whether an agent goes on without a daemon."""
        from holdfast.adapters.supervision.host import folder  # only who ends agents without a daemon asks

        hosts = self._home.hosts
        return hosts.is_dir() and any(folder.is_alive(host) for host in hosts.iterdir())

    def restart(self, listen: Listen | None = None) -> Running:
        """End the daemon and start it again, where it was unless `listen` says otherwise; agents go on.

        Raises:
            SettingsError: It could not start with the configuration as it is now; it has not been ended.
        """
        if self._home.configuration.exists():
            from holdfast.adapters.configuration.file import read_configuration  # few homes have one
            from holdfast.bootstrap.daemon import supervising

            supervising.check(read_configuration(self._home.configuration))
        running = presence.find(self._home)  # whatever it keeps, and perhaps just because of that
        self.stop()
        if listen is None and running is not None:
            host, _, port = running.url.removeprefix("http://").rpartition(":")
            listen = Listen(host.strip("[]"), int(port), running.web)
        return self.start(listen or Listen())

    def logs(self, *, follow: bool = False) -> Iterator[str]:
        """Yield the lines of its log, one JSON object each, oldest first; with `follow` for ever as they come."""
        from holdfast.bootstrap.daemon import logs  # for this verb alone

        return logs.lines(self._home.logs, follow=follow)

    def install_service(self) -> list[str]:
        """Make the daemon start when the user logs in, and start it; return what was done, a line each.

        Raises:
            DaemonError: There is no systemd for this user, it refuses, or the daemon that it starts does not get ready.
        """
        from holdfast.bootstrap.daemon import service  # for this verb alone

        prepare_home(self._home, self._warn)
        return service.install(self._home, self._environ, self.stop)

    def remove_service(self) -> list[str]:
        """Take back what `install_service` did; return what was done, a line each."""
        from holdfast.bootstrap.daemon import service  # for this verb alone

        return service.remove(self._environ)


def _signal(pid: int, which: signal.Signals) -> None:
    try:
        os.kill(pid, which)
    except ProcessLookupError:
        return  # it ended by itself
    except PermissionError as error:
        msg = f"the daemon is process {pid} of another user: ask them to end it"
        raise DaemonError(msg) from error
