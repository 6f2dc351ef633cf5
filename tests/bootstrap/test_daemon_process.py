"""The daemon as a process: one per home and store, found, started, ended, and what it leaves behind."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.configuration.home import Home
from holdfast.bootstrap.daemon import presence, process, sockets
from holdfast.bootstrap.daemon.control import LocalDaemon
from holdfast.bootstrap.daemon.credential import ensure_token, read_token
from holdfast.domain.daemon import Listen, Running
from holdfast.domain.errors import (
    DaemonError,
    HoldfastError,
    NotRunningError,
    OccupiedError,
    SettingsError,
    StoreBusyError,
    StoreReadOnlyError,
    UnsafeError,
)
from tests.agents.scripting import until
from tests.frontends.daemon import PATIENCE_S, Daemon, daemon
from tests.frontends.gateway.test_api import EXAMPLE, EXAMPLE_ID
from tests.support.cli import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["daemon"]

pytestmark = pytest.mark.slow

Control = "Callable[[Path], LocalDaemon]"


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Callable[..., LocalDaemon]]:
    """`control(home)` is the daemon of a home, ended with the test."""
    made: list[LocalDaemon] = []

    def make(home: Path, **environ: str) -> LocalDaemon:
        made.append(LocalDaemon(environment(home, environ), lambda line: None))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_starting_is_ready_when_it_returns_and_again_changes_nothing(
    control: Callable[..., LocalDaemon], tmp_home: Path
) -> None:
    first = control(tmp_home)
    assert first.running() is None

    started = first.start(Listen(port=0))
    again = control(tmp_home).start(Listen(port=0))

    assert again == started == first.running()
    assert json.loads((tmp_home / "daemon.json").read_text())["pid"] == started.pid
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_home.rglob("*") if path.is_file()} == {0o600}
    assert first.stop()
    assert first.running() is None
    assert not first.stop()
    assert not Path(started.socket).exists()
    assert not (tmp_home / "daemon.json").exists()


def test_of_many_who_start_at_once_one_wins_and_all_are_told_of_it(
    control: Callable[..., LocalDaemon], tmp_home: Path
) -> None:
    with ThreadPoolExecutor(4) as pool:
        starts = [pool.submit(control(tmp_home).start, Listen(port=0)) for _ in range(4)]
        started = [each.result() for each in starts]

    assert len({each.pid for each in started}) == 1


def test_another_home_on_the_same_store_is_refused_and_told_whose_it_is(
    control: Callable[..., LocalDaemon], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    first, second = tmp_path / "first", tmp_path / "second"
    control(first, HOLDFAST_DATABASE_URL=url).start(Listen(port=0))

    with pytest.raises(StoreBusyError, match=f"home {first}"):
        control(second, HOLDFAST_DATABASE_URL=url).start(Listen(port=0))


def test_what_a_killed_daemon_left_is_no_daemon_and_in_nobodys_way(daemon: Daemon) -> None:
    left = daemon.running
    daemon.kill()
    control = LocalDaemon(daemon.environ, lambda line: None)

    assert (daemon.home / "daemon.json").exists()
    assert daemon.socket.exists()
    assert control.running() is None

    daemon.start()

    assert daemon.running.pid != left.pid
    assert control.running() == daemon.running
    assert daemon.get("/status").json()["pid"] == daemon.pid


def test_a_daemon_that_is_killed_before_it_tells_that_it_is_ready_is_in_nobodys_way(
    control: Callable[..., LocalDaemon], tmp_home: Path
) -> None:
    home, (reading, writing) = Home(tmp_home), os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b" " * 4096)  # no room is left for its report, and JSON may begin with spaces
    os.set_blocking(writing, True)
    environ = process.environment(home, environment(tmp_home))
    command = process.command(Listen(port=0), report=writing)
    child = subprocess.Popen(command, env=environ, pass_fds=(writing,), start_new_session=True)
    os.close(writing)
    until(lambda: presence.find(home) is not None)  # what it writes last, before its report
    child.kill()

    with pytest.raises(DaemonError, match=r"^the daemon was killed \(SIGKILL\) before it was ready: start it again"):
        process.outcome(home, child, reading, PATIENCE_S)
    assert (tmp_home / "daemon.json").exists()
    assert control(tmp_home).start(Listen(port=0)).pid != child.pid


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("daemon.lock", r"cannot write {path} \(Is a directory\): it is a folder where a file belongs; move it away$"),
        ("daemon.json", r"the daemon cannot use {path} \(Is a directory\): it is a folder where a file belongs"),
        ("daemon.json.new", r"the daemon cannot use {path} \(Is a directory\): it is a folder where a file belongs"),
        (
            "log.db.lock",
            r"cannot write {path} \(Is a directory\): it is a folder where a file belongs; move it away, or",
        ),
        ("logs/stderr.log", r"the daemon cannot use {path} \(Is a directory\): it is a folder where a file belongs"),
        ("logs/daemon.log", r"the daemon cannot use {path} \(Is a directory\): it is a folder where a file belongs"),
    ],
)
def test_a_folder_where_a_file_belongs_is_named_with_what_to_do(tmp_home: Path, name: str, says: str) -> None:
    path = tmp_home / name
    path.mkdir(parents=True)

    with pytest.raises(HoldfastError, match=says.format(path=path)):
        LocalDaemon(environment(tmp_home), lambda line: None).start(Listen(port=0))


@pytest.mark.parametrize("name", ["logs", "checkpoints"])
def test_a_file_where_a_folder_belongs_is_named_with_what_to_do(tmp_home: Path, name: str) -> None:
    path = tmp_home / name
    path.touch()

    with pytest.raises(
        DaemonError, match=rf"^the daemon cannot use {path}.*: a file is where a folder belongs; move it"
    ):
        LocalDaemon(environment(tmp_home), lambda line: None).start(Listen(port=0))


def test_a_lock_that_is_a_link_is_not_followed(tmp_home: Path) -> None:
    (tmp_home / "daemon.lock").symlink_to(tmp_home / "elsewhere")

    with pytest.raises(StoreReadOnlyError, match="it is a link; remove it"), presence.only_one(Home(tmp_home)):
        pass


def test_a_process_that_got_the_pid_of_a_dead_daemon_is_not_taken_for_it(tmp_home: Path) -> None:
    left = Running(os.getpid(), "http://127.0.0.1:1", "/nowhere", "2026-01-01T00:00:00.000Z")
    presence.announce(Home(tmp_home), left)
    (tmp_home / "daemon.lock").touch()

    assert presence.find(Home(tmp_home)) is None


def test_what_a_dead_daemon_left_is_not_taken_for_its_successor_that_only_begins(tmp_home: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    home = Home(tmp_home)
    with presence.only_one(home):
        presence.announce(home, Running(int(dead.stdout), "http://127.0.0.1:1", "/nowhere", "2026-01-01T00:00:00.000Z"))

        assert presence.find(home) is None


def test_a_port_in_use_is_refused_and_any_free_one_is_taken_where_none_was_asked_for(tmp_home: Path) -> None:
    with sockets.open_tcp(Listen(port=0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(OccupiedError, match=rf"port {port} of 127\.0\.0\.1 is in use.*--port"):
            sockets.open_tcp(Listen(port=port))

    with sockets.open_tcp(Listen()) as usual, sockets.open_tcp(Listen()) as other:
        assert usual.getsockname() != other.getsockname()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "127.0.0.1.nip.io", "127.1.2.3"])
def test_an_address_beyond_this_machine_is_refused_before_anything_happens(host: str, tmp_path: Path) -> None:
    home = tmp_path / "home"

    with pytest.raises(UnsafeError, match="refusing to listen"):
        LocalDaemon(environment(home), lambda line: None).start(Listen(host, 0))

    assert not home.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_token_that_others_can_read_keeps_the_daemon_from_starting(tmp_home: Path, mode: int) -> None:
    ensure_token(tmp_home / "token")
    (tmp_home / "token").chmod(mode)

    with pytest.raises(UnsafeError, match="can be read by others"):
        LocalDaemon(environment(tmp_home), lambda line: None).start(Listen(port=0))

    assert presence.find(Home(tmp_home)) is None


def test_a_token_that_is_a_link_or_a_folder_or_empty_is_no_token(tmp_home: Path) -> None:
    token = tmp_home / "token"
    with pytest.raises(NotRunningError):
        read_token(token)

    (tmp_home / "elsewhere").write_text("x" * 43)
    (tmp_home / "elsewhere").chmod(0o600)
    token.symlink_to(tmp_home / "elsewhere")
    with pytest.raises(UnsafeError):
        ensure_token(token)

    token.unlink()
    token.mkdir()
    with pytest.raises(UnsafeError):
        ensure_token(token)

    token.rmdir()
    token.touch(0o600)
    with pytest.raises(UnsafeError, match="holds no token"):
        ensure_token(token)


def test_told_to_end_it_signs_the_log_and_says_goodbye_to_those_who_follow(daemon: Daemon) -> None:
    with daemon.streaming("/events?follow=true") as events:
        assert daemon.stop() == 0
        assert list(events) == []

    assert [each["event"] for each in daemon.log()] == ["ready", "told to end", "ended"]
    assert not daemon.socket.exists()


def test_asked_over_http_it_answers_and_then_ends(daemon: Daemon) -> None:
    answer = daemon.post("/shutdown")

    assert (answer.status, answer.json()) == (202, {"stopping": True})
    assert daemon.wait() == 0


def test_the_log_is_one_event_a_line_and_holds_no_secret(daemon: Daemon) -> None:
    daemon.get("/status", Authorization=f"Bearer {daemon.token[:-1]}x")
    daemon.get(f"/sessions?state={daemon.token}")
    daemon.stop()

    control = LocalDaemon(daemon.environ, lambda line: None)
    lines = list(control.logs())

    assert all({"at", "level", "logger", "event"} <= json.loads(line).keys() for line in lines)
    assert daemon.token not in "".join(lines)
    assert stat.S_IMODE((daemon.home / "logs" / "daemon.log").stat().st_mode) == 0o600


def test_logs_can_be_followed_over_a_rotation(tmp_home: Path) -> None:
    folder = tmp_home / "logs"
    folder.mkdir()
    (folder / "daemon.log.1").write_text('{"event":"older"}\n')
    (folder / "daemon.log").write_text('{"event":"old"}\n')
    followed = LocalDaemon(environment(tmp_home), lambda line: None).logs(follow=True)

    assert [next(followed), next(followed)] == ['{"event":"older"}', '{"event":"old"}']
    (folder / "daemon.log").rename(folder / "daemon.log.1")
    (folder / "daemon.log").write_text('{"event":"new"}\n')
    assert next(followed) == '{"event":"new"}'


def test_a_daemon_that_an_agent_started_does_not_count_as_a_part_of_it(
    control: Callable[..., LocalDaemon], tmp_home: Path
) -> None:
    running = control(tmp_home, HOLDFAST_HOST="0123456789abcdef").start(Listen(port=0))

    inherited = Path(f"/proc/{running.pid}/environ").read_bytes().split(b"\0")

    assert b"HOLDFAST_HOST=" in inherited
    assert not any(each.startswith(b"HOLDFAST_HOST=0") for each in inherited)
    assert Path(f"/proc/{running.pid}/cwd").readlink() == Path("/")
    assert os.getsid(running.pid) == running.pid


def test_in_the_foreground_it_is_this_very_process(tmp_home: Path) -> None:
    code = (
        "import os\n"
        "from holdfast.bootstrap.daemon.control import LocalDaemon\n"
        "from holdfast.domain.daemon import Listen\n"
        "print(os.getpid(), flush=True)\n"
        "LocalDaemon(os.environ, print).serve(Listen(port=0))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_home),
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        pid = int(process.stdout.readline())
        said = process.stderr.readline()
        control = LocalDaemon(environment(tmp_home), lambda line: None)
        running = control.running()
        assert running is not None
        assert running.pid == pid
        assert running.url in said
        with pytest.raises(OccupiedError, match=f"process {pid}"):
            control.serve(Listen(port=0))
        process.terminate()
        assert process.wait(60) == 0


def test_a_restart_listens_where_it_did(control: Callable[..., LocalDaemon], tmp_home: Path) -> None:
    first = control(tmp_home)
    before = first.start(Listen(port=0, web=False))

    after = first.restart()

    assert after.pid != before.pid
    assert (after.url, after.socket, after.web) == (before.url, before.socket, False)


def test_a_restart_with_a_misspelt_setting_leaves_the_daemon_that_runs_alone(
    control: Callable[..., LocalDaemon], tmp_home: Path
) -> None:
    local = control(tmp_home)
    before = local.start(Listen(port=0, web=False))
    (tmp_home / "config.toml").write_text("[transports.acp.reconnect]\nmax_atempts = 2\n")

    with pytest.raises(SettingsError, match="max_atempts"):
        local.restart()

    assert local.running() == before


def test_a_home_that_cannot_be_locked_twice_reports_the_holder(tmp_home: Path) -> None:
    home = Home(tmp_home)
    holder = f"process {os.getpid()}, which does not say yet"
    with presence.only_one(home), pytest.raises(OccupiedError, match=holder), presence.only_one(home):
        pass


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there it is known whether a signal is heeded")
@pytest.mark.parametrize("left", [b"{broken", b'{"pid": 1}', None])
def test_a_daemon_whose_file_is_lost_says_again_where_it_listens(
    control: Callable[..., LocalDaemon], tmp_home: Path, left: bytes | None
) -> None:
    local = control(tmp_home)
    started = local.start(Listen(port=0, web=False))
    file = tmp_home / "daemon.json"
    file.unlink() if left is None else file.write_bytes(left)

    assert local.start(Listen(port=0)) == started
    assert json.loads(file.read_bytes())["url"] == started.url


@pytest.mark.parametrize("agents", [False, True])
def test_a_daemon_whose_file_is_lost_can_still_be_ended(
    control: Callable[..., LocalDaemon], tmp_home: Path, monkeypatch: pytest.MonkeyPatch, *, agents: bool
) -> None:
    monkeypatch.setattr("holdfast.bootstrap.daemon.control._SILENT_S", 0.1)
    local = control(tmp_home)
    local.start(Listen(port=0, web=False))
    (tmp_home / "daemon.json").write_text("{broken")

    assert local.stop(agents=agents)
    assert not presence.lives(Home(tmp_home))


def test_a_daemon_that_would_leave_its_agents_is_not_ended_together_with_them(
    tmp_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that has only begun, or is of a version that knows no such signal. Here it is this very process."""
    monkeypatch.setattr("holdfast.bootstrap.daemon.control._SILENT_S", 0.1)
    with presence.only_one(Home(tmp_home)), pytest.raises(DaemonError, match="is not ready to end its agents"):
        LocalDaemon(environment(tmp_home), lambda line: None).stop(agents=True)


def test_a_long_home_still_gets_a_socket(control: Callable[..., LocalDaemon], tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)

    running = control(home).start(Listen(port=0))

    with socket.socket(socket.AF_UNIX) as reached:
        reached.connect(running.socket)


def test_a_daemon_whose_store_was_taken_over_acknowledges_nothing_more_and_ends(daemon: Daemon) -> None:
    daemon.post("/imports", {"sources": [str(EXAMPLE)]})
    path = f"/sessions/{EXAMPLE_ID}/rename"
    assert daemon.post(path, {"title": "before"}).status == 200
    # As a later daemon does that was started while this one was suspended.
    with closing(sqlite3.connect(daemon.home / "log.db")) as connection, connection:
        connection.execute("UPDATE store SET epoch = epoch + 1")

    refused = daemon.post(path, {"title": "after"})

    assert refused.json()["code"] == "store_fenced"
    assert daemon.wait() == 4
    assert "the store stopped" in [line["event"] for line in daemon.log()]
    daemon.start()
    assert daemon.get(f"/sessions/{EXAMPLE_ID}").json()["title"] == "before"
