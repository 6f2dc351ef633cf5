"""Sessions with a real agent by the command line, through a real daemon."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

from holdfast.bootstrap import Doors
from holdfast.frontends.cli.main import main
from tests.agents.scripting import Scripted
from tests.frontends.cli.conftest import Result
from tests.frontends.cli.hostile import HOSTILE
from tests.journeys.world import runs
from tests.support.cli import HOLDFAST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.frontends.daemon import Daemon

pytestmark = pytest.mark.slow

CLAUDE = Path(__file__).parents[3] / "docs" / "examples" / "claude-session.jsonl"

ASK = {
    "ask": "call-1",
    "tool": {"title": "rm -rf build", "rawInput": {"command": "rm -rf build"}},
    "allow": [{"say": "It is gone."}],
    "deny": [{"say": "Then not."}],
}


class Run(Protocol):
    def __call__(self, *args: str) -> Result: ...


@pytest.fixture
def run(daemon: Daemon, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The whole program in this process, beside a daemon that runs. Its agents end with the test."""
    monkeypatch.setenv("HOLDFAST_HOME", str(daemon.home))
    monkeypatch.delenv("HOLDFAST_DATABASE_URL", raising=False)

    def run(*args: str) -> Result:
        code = main(Doors(), args)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    yield run
    run("down", "--agents")


class Begin(Protocol):
    def __call__(self, *options: str, **script: object) -> tuple[str, Scripted]: ...


@pytest.fixture
def begin(run: Run, tmp_path: Path) -> Begin:
    """Begin a session with an agent that does what the keywords say; return its id and the agent."""

    def begin(*options: str, **script: object) -> tuple[str, Scripted]:
        agent = Scripted(tmp_path / f"agent-{len(list(tmp_path.glob('agent-*')))}", **script)
        ran = run("new", *options, "--cwd", str(tmp_path), "--", *agent.command)
        assert ran.code == 0, ran.err
        return ran.out.strip(), agent

    return begin


def test_a_session_begins_with_the_words_that_come_first(run: Run, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")

    row = run("new", "--title", "Echo", "--json", "hello", "--", *agent.command).json()

    assert (row["title"], row["transport"], row["connection"]["state"]) == ("Echo", "acp", "connected")
    assert run("wait", "Echo", "--until", "idle", "--timeout", "30").code == 0
    assert agent.prompts() == ["hello"]
    assert row["id"] in {each["id"] for each in run("ls", "--json").json()}


def test_the_same_client_id_begins_one_session_and_says_one_thing(run: Run, begin: Begin, tmp_path: Path) -> None:
    first, agent = begin("--client-id", "n-1")
    again = run("new", "--client-id", "n-1", "--", *agent.command)

    one = run("send", first, "once", "--client-id", "p-1", "--wait")
    two = run("send", first, "once", "--client-id", "p-1", "--wait")

    assert again.out.strip() == first
    assert (one.code, one.out) == (two.code, two.out) == (0, "once\n")
    assert agent.prompts() == ["once"]


def test_a_reply_is_waited_for_and_printed(run: Run, begin: Begin) -> None:
    session, _ = begin(prompts=[[{"think": "hm"}, {"say": "One."}, {"tool": {"toolCallId": "t"}}, {"say": "Two."}]])

    plain = run("send", session, "go", "--wait")
    told = run("send", session, "go", "--wait", "--json").json()

    assert (plain.code, plain.out) == (0, "One.\n\nTwo.\n")
    assert (told["reply"], told["outcome"], told["stop_reason"]) == ("One.\n\nTwo.", "ended", "end_turn")
    assert told["state"] == "accepted"


def test_words_may_come_from_standard_input(begin: Begin, daemon: Daemon) -> None:
    session, agent = begin()

    def send(given: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [HOLDFAST, "send", session, "-", "--wait"],
            env=daemon.environ,
            input=given,
            capture_output=True,
            check=False,
        )

    assert send("two\nlines, ünd more\n".encode()).stdout.decode() == "two\nlines, ünd more\n\n"
    assert (send(b"").returncode, send(b"\xff").returncode) == (2, 2)
    assert agent.prompts() == ["two\nlines, ünd more\n"]


def test_whoever_waits_for_a_reply_is_told_when_it_needs_a_person(run: Run, begin: Begin) -> None:
    session, _ = begin(prompts=[[{"say": "May I?"}, ASK]])

    asked = run("send", session, "go", "--wait", "--timeout", "30")
    queued = run("send", session, "and then", "--wait", "--timeout", "30")
    (request,) = run("inbox", "--json").json()

    assert (asked.code, asked.out) == (4, "May I?\n")
    assert "rm -rf build" in asked.err
    assert f"holdfast approve {request['request_id']}" in asked.err
    assert (queued.code, queued.out) == (4, "")
    assert run("wait", session, "--until", "needs-you").code == 0
    assert run("wait", session, "--until", "idle", "--timeout", "0.2").code == 1


def test_a_question_is_approved_by_the_one_answer_that_allows_once(run: Run, begin: Begin) -> None:
    session, agent = begin(prompts=[[ASK]])
    run("send", session, "go")
    run("wait", session, "--until", "needs-you", "--timeout", "30")
    (request,) = run("inbox", "--json").json()

    approved = run("approve", request["request_id"][:10], "--json")
    again = run("approve", request["request_id"])

    assert approved.json() == {"request_id": request["request_id"], "session_id": session, "option_id": "once"}
    assert again.code == 4
    assert run("approve", "never-asked").code == 3
    assert run("wait", session, "--until", "idle", "--timeout", "30").code == 0
    assert "It is gone." in run("peek", session).out
    assert [each["result"]["outcome"]["optionId"] for each in agent.journal("answered")] == ["once"]


class Case(NamedTuple):
    """What an agent offers, what a person says, the exit code, and what reaches the agent: None while it waits."""

    offered: dict[str, str]
    said: list[str]
    code: int
    outcome: str | None


@pytest.mark.parametrize(
    "case",
    [
        Case({"a": "allow_once", "b": "allow_once"}, ["approve"], 2, None),
        Case({"a": "allow_always"}, ["approve"], 2, None),
        Case({"a": "allow_once", "b": "allow_always"}, ["approve", "--option", "b"], 0, "b"),
        Case({"a": "allow_once"}, ["approve", "--option", "c"], 4, None),
        Case({"a": "allow_once", "b": "reject_once"}, ["deny", "--reason", "too risky"], 0, "b"),
        Case({"a": "allow_once"}, ["deny"], 0, "cancelled"),
    ],
    ids=lambda case: " ".join([*case.said, *case.offered.values()]),
)
def test_answers_are_chosen_as_the_agent_offers_them(run: Run, begin: Begin, case: Case) -> None:
    options = [{"optionId": option_id, "kind": kind, "name": option_id} for option_id, kind in case.offered.items()]
    session, agent = begin(prompts=[[{**ASK, "options": options, "cancelled": []}]])
    run("send", session, "go")
    run("wait", session, "--until", "needs-you", "--timeout", "30")
    (request,) = run("inbox", "--json").json()

    verb, *rest = case.said
    ran = run(verb, request["request_id"], *rest)

    assert ran.code == case.code, ran
    assert ran.err.count("\n") == (1 if case.code else 0)
    if case.outcome is None:
        assert len(run("inbox", "--json").json()) == 1
    else:
        run("wait", session, "--until", "idle", "--timeout", "30")
        (answered,) = [each["result"]["outcome"] for each in agent.journal("answered")]
        assert case.outcome in (answered.get("optionId"), answered["outcome"])


def test_prompts_wait_their_turn_and_can_be_changed_and_taken_back(run: Run, begin: Begin) -> None:
    session, agent = begin(prompts=[[ASK], [{"say": "{prompt}"}]])
    run("send", session, "first")
    run("wait", session, "--until", "needs-you", "--timeout", "30")
    for words in ("second", "third", "fourth"):
        assert run("send", session, words, "--json").json()["state"] == "queued"

    def waiting(*args: str) -> dict[str, str]:
        listed = run("queue", session, *args, "--json").json()
        return {each["text"]: each["prompt_id"] for each in listed if each["state"] == "queued"}

    ids = waiting()
    assert list(ids) == ["second", "third", "fourth"]
    assert list(waiting("edit", ids["second"][:12], "changed")) == ["changed", "third", "fourth"]
    assert list(waiting("drop", ids["third"])) == ["changed", "fourth"]
    assert run("queue", session, "drop", "nobody").code == 3
    assert "changed" in run("queue", session).out

    (request,) = run("inbox", "--json").json()
    run("approve", request["request_id"])
    assert run("wait", session, "--until", "idle", "--timeout", "30").code == 0
    assert agent.prompts() == ["first", "changed", "fourth"]
    assert run("queue", session, "clear", "--json").json() == []
    assert run("queue", session).err == "Nothing waits to be sent.\n"


def test_a_turn_is_cancelled_and_the_session_goes_on(run: Run, begin: Begin) -> None:
    session, agent = begin(prompts=[[{"say": "{n} ", "times": 100_000, "every_s": 0.01}]])
    assert run("cancel", session).code == 4
    run("send", session, "count")
    assert run("wait", session, "--until", "idle", "--timeout", "0.1").code == 1
    assert run("cancel", session).code == 0
    assert run("wait", session, "--until", "idle", "--timeout", "30").code == 0
    assert [each["reason"] for each in agent.turns()] == ["cancelled"]
    assert run("send", "nobody", "hello").code == 3


def test_an_ended_session_takes_nothing_more(run: Run, begin: Begin) -> None:
    session, _ = begin("--title", "Short")

    assert run("end", "Short", "--json").json()["lifecycle"] == "ended"

    assert run("wait", session, "--until", "ended", "--timeout", "5").code == 0
    assert run("send", session, "hello").code == 4
    assert run("cancel", session).code == 4
    assert run("reconnect", session).code == 4
    for words in (["end"], ["unread"], ["pin"], ["mute"], ["rename", "Long"], ["mode", "x"], ["queue", "clear"]):
        verb, *rest = words
        told = run(verb, session, *rest)
        assert (told.code, told.out) == (4, ""), verb
        assert "the session has ended" in told.err
    assert run("read", session).code == 0
    assert run("ls", "--json").json() == []


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--", "/nowhere/agent"], "/nowhere/agent"),
        (["--cwd", "/nowhere", "--", "cat"], "/nowhere"),
        (["--", "false"], ""),
    ],
)
def test_an_agent_that_does_not_start_leaves_a_session_that_says_why(run: Run, args: list[str], told: str) -> None:
    ran = run("new", "--json", *args)

    row = ran.json()
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert told in ran.err
    assert row["connection"]["state"] in ("failed", "gave_up")
    assert row["connection"]["error"]
    assert [each["id"] for each in run("ls", "--json").json()] == [row["id"]]


def test_nobody_waits_for_what_will_not_come(run: Run, begin: Begin) -> None:
    failed = run("new", "--", "/nowhere/agent").out.strip()
    ended, _ = begin()
    run("end", ended)

    asked = run("send", failed, "hello", "--wait")
    waited = run("wait", ended, "--until", "needs-you")
    stuck = run("wait", failed, "--until", "idle")

    assert (asked.code, waited.code, stuck.code) == (1, 4, 1)
    assert "the prompt waits in the queue" in asked.err
    assert f"holdfast reconnect {failed}" in stuck.err
    assert [each["text"] for each in run("queue", failed, "--json").json()] == ["hello"]
    assert run("wait", ended, "--until", "idle").code == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["new"], "with whom?"),
        (["new", "--"], "nothing follows --"),
        (["new", "--agent", "demo", "--", "cat"], "contradict"),
        (["new", "--agent", "nobody"], "nobody"),
        (["new", "--agent", "demo", "one", "two"], "in quotes"),
        (["new", "gopher://somewhere"], "gopher"),
        (["new", "--agent", "demo", " "], "nothing to say"),
        (["send", "x", " "], "nothing to say"),
        (["send", "x", "hello", "--timeout", "3"], "--wait"),
        (["queue", "x", "edit", "p"], "PROMPT TEXT"),
        (["queue", "x", "clear", "p"], "nothing more"),
        (["queue", "x", "dance"], "dance"),
        (["wait", "x"], "--until"),
    ],
)
def test_what_cannot_be_meant_is_refused_on_one_line(run: Run, args: list[str], told: str) -> None:
    ran = run(*args)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_nothing_that_an_agent_says_commands_the_terminal(run: Run, begin: Begin) -> None:
    evil = "".join(HOSTILE)
    tool = {"title": evil, "rawInput": {evil: evil}}
    options = [{"optionId": "a", "kind": "allow_once", "name": evil}]
    session, _ = begin(prompts=[[{"say": evil}, {**ASK, "tool": tool, "options": options}]])

    shown = [run("send", session, evil.replace("\x00", ""), "--wait"), run("inbox"), run("queue", session)]
    (request,) = run("inbox", "--json").json()
    shown.append(run("approve", request["request_id"]))

    for ran in shown:
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ran.out + ran.err), ran


def test_a_daemon_is_started_for_whoever_needs_one(daemon: Daemon, run: Run) -> None:
    daemon.stop()
    try:
        ran = subprocess.run(
            [HOLDFAST, "new", "--agent", "demo", "--json"],
            env=daemon.environ, capture_output=True, check=False, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["agent"] == "demo"
        assert ran.stderr.startswith("holdfast: started the daemon at http://127.0.0.1:")
    finally:
        assert run("down", "--agents").code == 0


@pytest.mark.parametrize(
    ("order", "code", "why"),
    [
        (["nosuch://there"], 2, "neither a name in config.toml nor an address"),
        (["xmpp:somebody@example.org", "--no-start"], 2, "neither a name in config.toml nor an address"),
        (["--agent", "nosuch"], 2, "there is no agent 'nosuch'"),
        (["--agent", "goose"], 1, "goose is not installed"),
    ],
)
def test_no_daemon_is_started_for_whom_there_is_not(
    daemon: Daemon, run: Run, order: list[str], code: int, why: str
) -> None:
    daemon.stop()

    ran = run("new", *order)

    assert (ran.code, ran.err.count("\n")) == (code, 1), ran
    assert why in ran.err
    assert run("status").code == 5


def test_agents_that_a_daemon_left_end_without_one_as_well(run: Run, begin: Begin, daemon: Daemon) -> None:
    session, agent = begin(prompts=[[{"say": "on it"}, {"ask": "t1", "tool": {"title": "x"}}]])
    run("send", session, "go")
    run("wait", session, "--until", "needs-you", "--timeout", "30")
    (pid,) = agent.pids()
    daemon.stop()
    assert runs(pid)

    ended = run("down", "--agents")

    assert (ended.code, ended.out) == (0, "the daemon has ended with its agents\n")
    assert not runs(pid)
    assert run("status").code == 5
    assert [json.loads(line)["type"] for line in run("events", "--session", session).out.splitlines()].count(
        "turn-interrupted"
    ) == 1
    assert "No daemon runs" in run("down", "--agents").err


@pytest.mark.parametrize("mode", [0o600, 0o644, None])
def test_the_owner_ends_daemon_and_agents_whatever_became_of_the_token(
    run: Run, begin: Begin, daemon: Daemon, mode: int | None
) -> None:
    session, agent = begin(prompts=[[{"say": "on it"}, {"ask": "t1", "tool": {"title": "x"}}]])
    run("send", session, "go")
    run("wait", session, "--until", "needs-you", "--timeout", "30")
    (pid,) = agent.pids()
    token = daemon.home / "token"
    token.unlink() if mode is None else token.chmod(mode)

    ended = run("down", "--agents")

    assert (ended.code, ended.out) == (0, "the daemon has ended with its agents\n")
    assert not runs(pid)
    assert run("down", "--agents").code == 0


def test_whoever_waits_outlives_the_daemon(run: Run, tmp_path: Path, daemon: Daemon) -> None:
    agent = Scripted(tmp_path / "agent")
    agent.change(prompts=[[{"say": "before "}, agent.touch("said"), agent.wait("go"), {"say": "after"}]])
    fresh = run("new", "--", *agent.command).out.strip()
    with subprocess.Popen(
        [HOLDFAST, "send", fresh, "go", "--wait"], env=daemon.environ, stdout=subprocess.PIPE, text=True
    ) as sending:
        agent.reached("said")
        daemon.kill()
        agent.open("go")
        daemon.start()
        out, _ = sending.communicate(timeout=60)

    assert (sending.returncode, out) == (0, "before after\n")


def test_who_waited_in_vain_is_told_for_how_long(run: Run, begin: Begin) -> None:
    session, _ = begin()

    waited = run("wait", session, "--until", "needs-you", "--timeout", "1.5")

    assert (waited.code, waited.err) == (1, "holdfast: the session was not needs-you within 1.5 s\n")


def test_modes_are_listed_and_changed(run: Run, begin: Begin) -> None:
    modes = [{"id": "ask", "name": "Ask", "description": "Asks\x1b[2J first"}, {"id": "act", "name": "Act"}]
    session, _ = begin(result={"modes": {"currentModeId": "ask", "availableModes": modes}})
    plain, _ = begin()

    listed = run("mode", session)
    by_name = run("mode", session, "ACT", "--json")
    run("mode", session, "ask")
    changed = run("mode", session, "act")
    answer = json.loads(run("mode", session, "--json").out)

    assert [line.split()[:2] for line in listed.out.splitlines()[-2:]] == [["●", "ask"], ["act", "Act"]]
    assert "\x1b" not in listed.out
    assert json.loads(by_name.out)["mode"] == "act"
    assert changed.out.strip().endswith("is in mode act")
    assert (answer["mode"], [each["id"] for each in answer["modes"]]) == ("act", ["ask", "act"])
    assert run("mode", plain).out == "its agent offers no modes\n"


OPTIONS = [
    {
        "id": "model",
        "name": "Model",
        "type": "select",
        "description": "Who\x1b[2J thinks",
        "currentValue": "small",
        "options": [{"value": "small", "name": "Small"}, {"value": "large", "name": "Large", "description": "Thinks"}],
    },
    {"id": "web", "name": "Search the web", "type": "boolean", "currentValue": False},
]


def test_options_are_listed_and_given_values(run: Run, begin: Begin) -> None:
    session, agent = begin("--title", "Picky", result={"configOptions": OPTIONS})

    listed = run("option", session).out.splitlines()
    values = run("option", session, "model").out.splitlines()
    by_id = run("option", session, "model", "large")
    switched = run("option", session, "search the web", "true", "--json").json()
    told = run("option", session, "--json").json()

    assert [line.split()[:4] for line in listed[-2:]] == [
        ["model", "small", "small,", "large"],
        ["web", "false", "true,", "false"],
    ]
    assert "\x1b" not in "".join(listed)
    assert [line.split() for line in values[-2:]] == [["●", "small", "Small"], ["large", "Large", "Thinks"]]
    assert by_id.out == '"Picky": model is large\n'
    assert switched["options"] == {"model": "large", "web": "true"}
    assert [(each["id"], each["value"]) for each in told] == [("model", "large"), ("web", "true")]
    assert run("option", session, "web", "--json").json() == told[1]
    assert run("option", session, "model", "SMALL").out == '"Picky": model is small\n'
    asked = [(params["configId"], params["value"]) for params in agent.got("session/set_config_option")]
    assert asked == [("model", "large"), ("web", True), ("model", "small")]


def test_an_option_that_is_not_there_is_named_with_those_that_are(run: Run, begin: Begin) -> None:
    session, _ = begin(result={"configOptions": OPTIONS})
    plain, _ = begin()

    unknown = run("option", session, "colour", "red")

    assert (unknown.code, unknown.out) == (3, "")
    assert unknown.err == "holdfast: its agent has no option 'colour'; it has model, web\n"
    assert run("option", plain).out == "its agent offers no options\n"
    assert run("option", plain, "model").code == 3


def test_who_reconnects_hears_why_there_is_nobody_to_connect_to(
    run: Run, begin: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    back, _ = begin()
    run("import", str(CLAUDE))
    broken = run("new", "--json", "--", "no-such-agent").json()["id"]

    missing, again = run("reconnect", "5f0c7d2e"), run("reconnect", broken)

    assert (missing.code, missing.out) == (1, "")
    assert missing.err.startswith("holdfast: agent claude is not installed: ")
    assert again.code == 1
    assert "no-such-agent cannot be run" in again.err
    assert run("reconnect", back).out.endswith(": connected\n")


def test_a_target_that_is_not_configured_any_more_is_refused_and_another_reason_is_told(
    run: Run, daemon: Daemon
) -> None:
    configuration = daemon.home / "config.toml"

    def configure(text: str) -> None:
        configuration.write_text(text)
        assert run("restart").code == 0

    configure('[targets.near]\ncommand = ["no-such-agent"]\n')
    assert "no-such-agent cannot be run" in run("new", "near", "--title", "Near").err
    configure('[targets.near]\ncommand = ["nor-this-one"]\n')
    changed = run("reconnect", "Near")
    configure("")
    removed = run("reconnect", "Near")

    assert (changed.code, changed.out) == (1, '"Near": failed\n')
    assert "nor-this-one cannot be run" in changed.err
    assert (removed.code, removed.out) == (4, "")
    assert removed.err == (
        "holdfast: 'near' is not in config.toml any more: put its [targets] back, or begin a new session\n"
    )


def test_a_peer_that_cannot_be_reached_yet_is_said_to_be_tried_again(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        begun = run("new", f"acp+ws://127.0.0.1:{taken.getsockname()[1]}/")

    session = begun.out.strip()
    assert (begun.code, len(begun.err.splitlines())) == (0, 1)
    assert "it is still reconnecting (" in begun.err
    assert "`holdfast ls`" in begun.err
    assert run("ls", "--json").json()[0]["id"] == session
