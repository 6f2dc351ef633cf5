"""The command line where a daemon runs: the same answers as without it, by way of it."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from holdfast.bootstrap import Doors
from holdfast.frontends.cli.main import main
from tests.frontends.cli.conftest import Result
from tests.frontends.cli.running import ROOT
from tests.frontends.daemon import Daemon
from tests.support.cli import HOLDFAST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Cli

EXAMPLE = ROOT / "docs" / "examples" / "claude-session.jsonl"
HEAVY = {
    "sqlalchemy",
    "alembic",
    "eventsourcing",
    "rich",
    "anyio",
    "cryptography",
    "psycopg",
    "asyncio",
    "starlette",
    "http.client",
    "email",
    "ssl",
}

QUESTIONS = [
    "ls --all --json",
    "ls",
    "show 5f0c7d2e --json",
    "show 5f0c7d2e",
    "show 5f0c7d2e --last 3 --json",
    "show 5f0c7d2e --until 20 --json",
    "peek 5f0c7d2e --json",
    "events",
    "events --since 50 --session 5f0c7d2e --type text-appended",
    "replay 5f0c7d2e",
    "search harbour --json",
    'search "page is empty" -login agent:claude after:2026-01-01 --limit 2 --json',
    "inbox --json",
    "inbox",
    "agents --json",
    "verify --json",
    "rebuild --check --json",
    "show 5f0",
    "show nobody --json",
    "show 5f0c7d2e#nothing",
    "show 5f0c7d2e --before nonsense",
    "search -only",
]


class Run(Protocol):
    def __call__(self, *args: str) -> Result: ...


@pytest.fixture
def run(tmp_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The whole program in this process, on the home of the test."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_home))
    monkeypatch.delenv("HOLDFAST_DATABASE_URL", raising=False)

    def run(*args: str) -> Result:
        code = main(Doors(), args)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture
def example(cli: Cli) -> None:
    """A home with one imported session."""
    assert cli("import", EXAMPLE).returncode == 0


def test_every_question_is_answered_alike_with_and_without_a_daemon(
    run: Run, tmp_home: Path, example: None, daemon: Daemon
) -> None:
    with_it = {line: run(*line.split()) for line in QUESTIONS}
    daemon.stop()
    without = {line: run(*line.split()) for line in QUESTIONS}

    assert with_it == without
    assert {result.code for result in without.values()} == {0, 2, 3}


def test_what_is_changed_goes_through_the_daemon(run: Run, example: None, daemon: Daemon) -> None:
    assert run("rename", "5f0c7d2e", "Harbour").out.endswith('is now called "Harbour"\n')
    assert run("pin", "Harbour", "--json").json()["pinned"] is True
    assert run("mute", "Harbour", "--for", "1h", "--json").json()["muted_until"] is not None
    assert run("unread", "Harbour", "--json").json()["unread"] == 1
    assert run("read", "Harbour", "--json").json()["unread"] == 0
    assert run("rename", "nobody", "Anybody").code == 3
    assert set(run("rebuild", "--json").json()) == set(run("rebuild", "--check", "--json").json())

    events = [json.loads(line) for line in run("events", "--type", "session-renamed").out.splitlines()]
    assert [event["actor"] for event in events] == [{"kind": "human", "device": "cli"}]
    assert events[0]["cause"]

    assert run("rm", "Harbour", "--yes", "--json").json()["erased"] is True
    assert run("ls", "--all", "--json").json() == []
    assert run("verify").code == 0


def test_transcripts_are_imported_by_the_daemon_from_where_the_person_is(
    run: Run, cli: Cli, daemon: Daemon, tmp_home: Path
) -> None:
    shutil.copy(EXAMPLE, tmp_home.parent / "recorded.jsonl")

    imported = cli("import", "recorded.jsonl", "--json")

    assert json.loads(imported.stdout)["sessions"] == 1
    assert run("import", "nowhere").code == 3
    assert [row["imported_from"] for row in run("ls", "--json").json()] == ["claude"]


@pytest.mark.slow
def test_transcripts_are_watched_by_the_daemon_until_somebody_interrupts(
    run: Run, daemon: Daemon, tmp_home: Path
) -> None:
    lines = EXAMPLE.read_bytes().splitlines(keepends=True)
    growing = tmp_home.parent / "growing.jsonl"
    growing.write_bytes(b"".join(lines[:6]))
    with subprocess.Popen(
        [HOLDFAST, "import", "--watch", growing, "--json"], env=daemon.environ, stdout=subprocess.PIPE
    ) as watching:
        try:
            assert watching.stdout is not None
            first = json.loads(watching.stdout.readline())
            with growing.open("ab") as file:
                file.writelines(lines[6:])
            second = json.loads(watching.stdout.readline())
        finally:
            watching.send_signal(signal.SIGINT)

    assert watching.returncode == 130
    assert first["sessions"] == 1
    assert second["events"] > 0
    assert run("status").code == 0


@pytest.mark.slow
def test_a_watch_goes_on_with_a_daemon_that_was_killed_and_came_back(run: Run, daemon: Daemon, tmp_home: Path) -> None:
    lines = EXAMPLE.read_bytes().splitlines(keepends=True)
    growing = tmp_home.parent / "growing.jsonl"
    growing.write_bytes(b"".join(lines[:6]))
    with subprocess.Popen(
        [HOLDFAST, "import", "--watch", growing, "--json"], env=daemon.environ, stdout=subprocess.PIPE
    ) as watching:
        try:
            assert watching.stdout is not None
            told = [json.loads(watching.stdout.readline())]
            daemon.kill()
            with growing.open("ab") as file:
                file.writelines(lines[6:12])
            daemon.start()
            told.append(json.loads(watching.stdout.readline()))
            assert daemon.stop() == 0
            daemon.start()
            with growing.open("ab") as file:
                file.writelines(lines[12:])
            told.append(json.loads(watching.stdout.readline()))
        finally:
            watching.send_signal(signal.SIGINT)

    assert watching.returncode == 130
    assert all(each["events"] for each in told)
    assert run("ls", "--json").json()[0]["metadata"]["message_count"] == 10
    assert run("import", str(growing), "--json").json()["events"] == 0


@pytest.mark.parametrize("how", ["jsonl", "md --no-redact", "md", "html --no-redact"])
def test_an_export_is_the_same_by_way_of_the_daemon(run: Run, example: None, daemon: Daemon, how: str) -> None:
    asked = run("export", "5f0c7d2e", "--format", *how.split())
    daemon.stop()
    read = run("export", "5f0c7d2e", "--format", *how.split())

    assert (asked.code, asked.err) == (0, read.err)
    assert [line for line in asked.out.splitlines() if "exported" not in line and '{"end"' not in line] == [
        line for line in read.out.splitlines() if "exported" not in line and '{"end"' not in line
    ]


def test_a_bundle_proves_itself_by_way_of_the_daemon(run: Run, example: None, daemon: Daemon, tmp_path: Path) -> None:
    assert run("export", "5f0c7d2e", "--format", "bundle", "--output", str(tmp_path / "bundle")).code == 0
    wrong = run("export", "5f0c7d2e", "--format", "bundle", "--redact", "--output", str(tmp_path / "other"))

    assert run("verify", str(tmp_path / "bundle")).code == 0
    assert wrong.code == 2
    assert not (tmp_path / "other").exists()


def test_a_session_is_exported_from_the_store_that_the_daemon_keeps(
    tmp_home: Path, cli: Cli, tmp_path: Path, postgres_url: str
) -> None:
    """Only the daemon knows where it is: whoever asks has no address of it."""
    with contextlib.closing(Daemon(tmp_home, {"HOLDFAST_DATABASE_URL": postgres_url})) as daemon:
        daemon.start()
        assert cli("import", EXAMPLE).returncode == 0
        exported = cli("export", "5f0c7d2e", "--format", "jsonl", "--output", str(tmp_path / "out.jsonl"))
        listed = cli("ls", "--all", "--json")

    assert exported.returncode == 0, exported.stderr
    assert cli("verify", str(tmp_path / "out.jsonl")).returncode == 0
    assert len(json.loads(listed.stdout)) == 1
    assert not (tmp_home / "log.db").exists()


OF_OTHERS = ["ls", "show 5f0c", "search x", "export 5f0c --format md", "status", "new --agent demo", "read 5f0c", "up"]


@pytest.mark.parametrize("named", ["environment", "configuration"])
def test_no_verb_answers_from_another_store_than_the_one_that_is_named(
    daemon: Daemon, cli: Cli, tmp_path: Path, named: str
) -> None:
    secret = "sesame-open"  # it must not be shown
    url = f"postgresql+psycopg://me:{secret}@localhost/{named}"
    environ = {"HOLDFAST_DATABASE_URL": url} if named == "environment" else {}
    if not environ:
        (daemon.home / "config.toml").write_text(f'[storage]\nurl = "{url}"\n')

    for verb in OF_OTHERS:
        refused = cli(*verb.split(), env=environ)

        assert (refused.returncode, refused.stdout) == (4, ""), (verb, refused)
        assert refused.stderr.count("\n") == 1
        assert "keeps another store than" in refused.stderr
        assert secret not in refused.stderr
    assert secret not in (daemon.home / "daemon.json").read_text()
    assert cli("down", env=environ).returncode == 0


def test_a_daemon_goes_on_with_what_it_read_when_its_configuration_is_spoilt(run: Run, daemon: Daemon) -> None:
    (daemon.home / "config.toml").write_text("[agents]\nhibernate = 3\n")
    complaint = "config.toml cannot be used: Object contains unknown field `hibernate` - at `$.agents` (line 2)"

    for verb in ("ls --json", "status --json", "logs", "agents --json", "inbox"):
        ran = run(*verb.split())
        assert ran.code == 0, verb
        assert ran.err.count("cannot be used") <= 1
    assert complaint in run("ls").err
    checked = run("doctor", "--json")
    assert checked.code == 1
    (told,) = (each for each in checked.json() if each["check"] == "configuration")
    assert told["ok"] is False
    assert complaint in told["detail"]
    assert run("restart").code == 2
    assert run("down").code == 0
    for verb in ("ls", "up", "doctor", "new --agent demo"):
        refused = run(*verb.split())
        assert refused.code == 2, verb
        assert complaint in refused.err
    assert run("status").code == 5
    assert run("down").code == 0


def test_the_doctor_tells_a_configuration_that_has_changed_since(run: Run, daemon: Daemon) -> None:
    def told() -> str:
        checks = run("doctor", "--json").json()
        return str(next(each["detail"] for each in checks if each["check"] == "configuration"))

    assert told() == "defaults; there is no config.toml"
    (daemon.home / "config.toml").write_text("[agents]\nhibernate_after_s = 3\n")
    assert told().endswith("config.toml has changed: `holdfast restart` goes by it")


def test_the_same_store_may_be_spelt_in_another_way(daemon: Daemon, cli: Cli) -> None:
    spelt = f"sqlite:///{daemon.home}/../{daemon.home.name}/log.db"

    assert cli("ls", "--json", env={"HOLDFAST_DATABASE_URL": spelt}).stdout == "[]\n"


def test_what_a_killed_daemon_left_behind_is_no_daemon(run: Run, example: None, daemon: Daemon) -> None:
    daemon.kill()

    assert (daemon.home / "daemon.json").exists()
    assert len(run("ls", "--json").json()) == 1
    assert run("rename", "5f0c7d2e", "Harbour").code == 0
    assert run("status").code == 5


def test_readers_do_without_a_daemon_that_cannot_be_asked(run: Run, example: None, daemon: Daemon) -> None:
    (daemon.home / "token").chmod(0o644)
    open_to_others = run("ls", "--json")
    (daemon.home / "token").chmod(0o600)
    daemon.socket.unlink()
    unreachable = run("ls", "--json")

    assert (open_to_others.code, len(open_to_others.json())) == (0, 1)
    assert open_to_others.err.endswith("the store is read without the daemon\n")
    assert (unreachable.code, len(unreachable.json())) == (0, 1)
    status = run("status")
    assert status.code == 5
    assert "`holdfast restart` starts it again" in status.err  # for `up` it would run already


def test_a_home_that_is_open_to_others_is_closed_where_a_daemon_runs_too(run: Run, daemon: Daemon) -> None:
    daemon.home.chmod(0o755)

    assert "set back to 0700" in run("ls").err
    assert daemon.home.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "approve r-1",
        "deny r-1",
        "cancel 5f0c",
        "wait 5f0c --until idle",
        "queue 5f0c",
        "reconnect 5f0c",
        "mode 5f0c plan",
        "option 5f0c",
        "option 5f0c model large",
        "end 5f0c",
        "new --agent demo --no-start",
        "send 5f0c hello --no-start",
    ],
)
def test_what_needs_a_daemon_says_so_where_none_runs(run: Run, line: str) -> None:
    ran = run(*line.split())

    assert (ran.code, ran.out) == (5, "")
    assert ran.err == "holdfast: no daemon runs, and this needs one: `holdfast up` starts it\n"


@pytest.mark.slow
def test_the_daemon_is_started_told_about_and_ended(cli: Cli) -> None:
    def status(*verb: str) -> dict[str, Any]:
        ran = cli(*verb, "--json")
        assert ran.returncode == 0, ran.stderr
        told: dict[str, Any] = json.loads(ran.stdout)
        return told

    nothing = cli("logs")
    try:
        begun = status("up", "--port", "0")
        told = status("status")
        again = status("up", "--port", "0")
        after = status("restart")
    finally:
        ended = cli("down", "--json")

    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "Nothing has been logged yet.\n")
    assert set(told) == {"pid", "url", "socket", "started", "version", "sessions", "agents"}
    assert begun["pid"] == told["pid"] == again["pid"] != after["pid"]
    assert begun["url"] == after["url"]
    assert json.loads(ended.stdout) == {"stopped": True}
    assert cli("down").returncode == 0
    assert cli("status").returncode == 5
    logged = [json.loads(line)["event"] for line in cli("logs", "--json").stdout.splitlines()]
    assert logged.count("ready") == 2
    assert "ready" in cli("logs").stdout


@pytest.mark.slow
def test_asking_a_daemon_imports_nothing_that_opens_a_store(daemon: Daemon, example: None) -> None:
    code = "import sys; from holdfast.bootstrap import main; sys.argv[1:] = sys.argv[1].split(); code = main()"
    for line in (
        "ls",
        "ls --json",
        "show 5f0c7d2e",
        "inbox",
        "agents",
        "search harbour",
        "rename 5f0c7d2e Harbour",
        "status",
    ):
        ran = subprocess.run(
            [sys.executable, "-c", f"{code}\nassert code == 0\nsys.stderr.write('\\n'.join(sys.modules))", line],
            env=daemon.environ,
            capture_output=True,
            check=True,
            text=True,
        )
        assert set(ran.stderr.splitlines()) & HEAVY == set(), line


@pytest.mark.slow
def test_whoever_follows_the_log_hears_of_what_happens_after_a_daemon_was_killed(
    run: Run, daemon: Daemon, example: None
) -> None:
    with subprocess.Popen(
        [HOLDFAST, "events", "--follow", "--since", "61"], env=daemon.environ, stdout=subprocess.PIPE, text=True
    ) as following:
        try:
            assert following.stdout is not None
            run("rename", "5f0c7d2e", "One")
            first = json.loads(following.stdout.readline())
            daemon.kill()
            daemon.start()
            run("rename", "5f0c7d2e", "Two")
            second = json.loads(following.stdout.readline())
        finally:
            following.terminate()

    assert [each["data"]["title"] for each in (first, second)] == ["One", "Two"]
    assert second["position"] == first["position"] + 1
