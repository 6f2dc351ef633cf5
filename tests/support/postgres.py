"""A real PostgreSQL server of our own: made in a temporary folder, reached by a Unix socket, gone with the test run."""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Generator

READY_WITHIN_S = 60.0
USER = "holdfast"
_CUT_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class PostgresServer:
    """One server with durable settings (`fsync` on), for one test worker.

    It listens on a Unix socket in a folder that only its owner may enter, so it needs no port and no password. It
    refuses to run as root; there it runs as `postgres` or `nobody`. On Linux the kernel ends it when the worker dies.
    """

    def __init__(self, programs: Path, primary: PostgresServer | None = None) -> None:
        """Make a data folder with the programs that lie in this one: a new server's, or a running one's standby's."""
        self._programs = programs
        # Not below pytest's temporary folder: only its owner may enter that, and a socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="hf-pg-"))
        atexit.register(self.close)
        self._process: subprocess.Popen[bytes] | None = None
        self._emptied: list[str] = []
        self._names = (f"test_{number}" for number in itertools.count(1))
        self._account = _unprivileged_account()
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        making: list[str | Path] = [
            *(programs / "initdb", f"--pgdata={self._data}", f"--username={USER}"),
            *("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"),
        ]
        if primary is not None:
            making = [
                *(programs / "pg_basebackup", f"--pgdata={self._data}", f"--host={primary.folder}"),
                *(f"--username={USER}", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
            ]
        subprocess.run([*self._as_account(), *making], check=True, capture_output=True, cwd=self.folder)

    def url(self, database: str = "postgres") -> str:
        """Return the address that SQLAlchemy takes."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Return a plain connection of the test's own, in autocommit."""
        return psycopg.connect(host=str(self.folder), user=USER, dbname=database, autocommit=True)

    def create_database(self) -> str:
        """Return the name of a new, empty database."""
        name = next(self._names)
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return name

    @contextmanager
    def database(self) -> Generator[str]:
        """Lend an empty database and tell its address. Whoever is still connected at the end is cut.

        It is emptied for the next one who asks, which takes a fifth of what a new one does.
        """
        name = self._emptied.pop() if self._emptied else self.create_database()
        yield self.url(name)
        self.start()
        with self.connect(name) as connection:
            connection.execute(_CUT_OTHERS)
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public AUTHORIZATION pg_database_owner")
            connection.execute("GRANT USAGE ON SCHEMA public TO public")
        self._emptied.append(name)

    def drop_database(self, name: str) -> None:
        """Drop the database and cut whoever is connected to it."""
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())

    @property
    def running(self) -> bool:
        """Whether the server process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and return when it accepts connections. No effect on a running one."""
        if self.running:
            return
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._as_account(),
                    *(self._programs / "postgres", "-D", self._data, "-k", self.folder),
                    *("-c", "listen_addresses=", "-c", "fsync=on", "-c", "shared_buffers=32MB"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Shut down in order; open connections are cut, open transactions rolled back."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill every process of the server at once, as a crash of the machine would."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGSTOP)  # so that it has no more children than these
        children = _children(self._process.pid)
        for child in children:
            _signal(child, signal.SIGKILL)
        self._end(signal.SIGKILL)
        for child in children:
            _wait_until_gone(child)

    def restart(self) -> None:
        """Stop in order and start again."""
        self.stop()
        self.start()

    def standby(self) -> PostgresServer:
        """Return a new, running server that follows this one; what this one commits from now on waits for it."""
        standby = PostgresServer(self._programs, self)
        standby.start()
        self.wait_for_standby()
        return standby

    def wait_for_standby(self) -> None:
        """Return when a commit is safe on two servers."""
        with self.connect() as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        self.wait_until("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")

    def wait_for_no_standby(self) -> None:
        """From here on a commit is safe when it is safe here."""
        with self.connect() as connection:
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Make a standby the primary, and return when it takes writes."""
        with self.connect() as connection:
            connection.execute("SELECT pg_promote(true)")

    def wait_until(self, query: str) -> None:
        """Return when a query answers something else than nothing, 0 or false."""
        deadline = time.monotonic() + READY_WITHIN_S
        with self.connect() as connection:
            while True:
                row = connection.execute(query.encode()).fetchone()
                if row and row[0]:
                    return
                if time.monotonic() > deadline:
                    message = f"this never came true: {query}"
                    raise RuntimeError(message)
                connection.execute("SELECT pg_sleep(0.01)")  # a server's own state has nothing that can be awaited

    def close(self) -> None:
        """End the server without ceremony and remove its folder."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _as_account(self) -> list[str | Path]:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            return []
        account = self._account
        drop = [] if account is None else [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        return [setpriv, "--pdeathsig=QUIT", *drop, "--"]

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(timeout=READY_WITHIN_S)
        self._process = None

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "log").read_text(errors="replace")
                    message = f"PostgreSQL did not start:\n{log[-2000:]}"
                    raise RuntimeError(message) from error
                # Its end is the only thing there is to wait for; it says nothing when it is ready.
                try:
                    process.wait(timeout=0.02)
                except subprocess.TimeoutExpired:
                    continue
            else:
                return


def _unprivileged_account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True)
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(pid) for pid, ppid in pairs if int(ppid) == parent]


def _signal(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return  # it ended by itself


def _wait_until_gone(pid: int) -> None:
    """Wait for a process that is no child of ours; a new server is refused while one holds the old shared memory."""
    if not hasattr(os, "pidfd_open"):
        return
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([handle], [], [], READY_WITHIN_S)
    finally:
        os.close(handle)
