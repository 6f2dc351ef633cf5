"""Starting an agent, and what is said when that cannot be done."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from holdfast.adapters.supervision.host import folder
from holdfast.adapters.supervision.host.launch import (
    PROGRAM,
    Order,
    environment,
    launch,
    new_incarnation,
    runtime_folder,
)
from holdfast.domain.errors import AgentError, AgentFolderError, CommandNotFoundError
from tests.adapters.supervision.host.support import death_of, driving, proc

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.supervision.host.support import House

SECRET = "a value that must not be seen"


def order(*command: str, cwd: str = "/") -> Order:
    return Order(command=command, cwd=cwd, environment=environment(os.environ))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        (
            order("no-such-agent"),
            CommandNotFoundError,
            "no-such-agent cannot be run: No such file or directory; install",
        ),
        (order("/etc/passwd"), CommandNotFoundError, "is not marked as a program; `chmod +x /etc/passwd` does that"),
        (order("./passwd", cwd="/etc"), CommandNotFoundError, "./passwd cannot be run: it is not marked as a program"),
        (order("/etc"), CommandNotFoundError, "/etc cannot be run: it is a folder; name the program in it"),
        (order(""), CommandNotFoundError, "a command without a name cannot be run: name a program"),
        (
            order("cat", cwd="/no/such/folder"),
            AgentFolderError,
            "folder /no/such/folder cannot be entered: No such file",
        ),
        (order("cat", cwd="/etc/passwd"), AgentFolderError, "folder /etc/passwd cannot be entered: Not a directory"),
        (order(), CommandNotFoundError, "needs a command"),
        (order("cat", "zero\0byte"), CommandNotFoundError, "no zero byte"),
    ],
    ids=["no command", "no program", "here", "a folder", "empty", "no folder", "a file", "nothing", "a zero byte"],
)
async def test_what_cannot_be_started_is_told_in_one_line_and_leaves_nothing(
    house: House, wanted: Order, error: type[AgentError], told: str
) -> None:
    with pytest.raises(error, match=re.escape(told)):
        await launch(house.hosts, wanted, runtime=house.runtime)

    assert not house.hosts.exists() or not list(house.hosts.iterdir())
    assert not list(house.runtime.iterdir())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("begins", "told"),
    [("#!/no/such/shell\n", "the interpreter that its first line names is not there"), ("hello", "it is no program")],
)
async def test_a_script_that_nothing_can_read_is_told_from_one_that_is_missing(
    house: House, tmp_path: Path, begins: str, told: str
) -> None:
    script = tmp_path / "agent"
    script.write_text(begins)
    script.chmod(0o755)

    with pytest.raises(CommandNotFoundError, match=told):
        await launch(house.hosts, order(str(script)), runtime=house.runtime)


@pytest.mark.anyio
async def test_a_host_is_found_again_by_its_labels_and_its_chosen_incarnation(house: House) -> None:
    incarnation = new_incarnation()
    wanted = Order(command=("cat",), cwd="/", environment={"PATH": os.environ["PATH"]}, labels={"link": "of mine"})

    host = await launch(house.hosts, wanted, runtime=house.runtime, incarnation=incarnation)

    assert host == folder.describe(house.hosts / incarnation.hex())
    assert (host.id, host.labels, host.command) == (incarnation, {"link": "of mine"}, ["cat"])


@pytest.mark.anyio
async def test_a_host_is_not_part_of_the_agent_whose_tool_started_its_daemon(house: House) -> None:
    host = await house.launch()

    assert proc(host.host.pid, "environ") == b"HOLDFAST_HOST=\0"


@pytest.mark.anyio
async def test_values_of_the_environment_are_in_no_file_and_no_argument_list(house: House) -> None:
    wanted = Order(command=("cat",), cwd="/", environment={"PATH": os.environ["PATH"], "API_KEY": SECRET})

    host = await launch(house.hosts, wanted, runtime=house.runtime)

    assert SECRET.encode() in proc(host.agent.pid, "environ")
    seen = [path.read_bytes() for path in host.folder.iterdir()]
    seen += [proc(pid, "cmdline") for pid in (host.host.pid, host.agent.pid)]
    assert not any(SECRET.encode() in text for text in seen)


@pytest.mark.anyio
async def test_a_launch_that_is_cancelled_leaves_no_agent(house: House) -> None:
    with anyio.fail_after(60):
        async with anyio.create_task_group() as launching:
            launching.start_soon(house.launch)
            while not list(house.hosts.glob("*/host.json")):
                await anyio.lowlevel.checkpoint()
            launching.cancel_scope.cancel()

    (place,) = house.hosts.iterdir()
    told = folder.describe(place)
    assert told is not None
    await death_of(told.host.pid)
    assert folder.ending(place) is not None


@pytest.mark.anyio
async def test_a_full_disk_is_told_before_anything_runs(house: House) -> None:
    house.hosts.touch()  # in the place of the folder

    with pytest.raises(AgentError, match="no room for an agent's files"):
        await house.launch()


@pytest.mark.anyio
async def test_many_agents_start_at_once_and_answer(house: House) -> None:
    answers: list[str] = []

    async def one(number: int) -> None:
        host = await house.launch()
        async with driving(host) as driven:
            answers.append(await driven.ask(f"echo {number}"))

    async with anyio.create_task_group() as nursery:
        for number in range(20):
            nursery.start_soon(one, number)

    assert sorted(answers, key=int) == [str(number) for number in range(20)]


def test_an_agent_sees_the_common_names_the_locale_and_what_was_named() -> None:
    source = {"PATH": "/bin", "LC_ALL": "C", "HOME": "/h", "AWS_SECRET": "x", "MY_KEY": "y", "PYTHONPATH": "/evil"}

    assert environment(source, ["MY_KEY", "UNSET"]) == {"PATH": "/bin", "LC_ALL": "C", "HOME": "/h", "MY_KEY": "y"}


def test_the_folder_for_sockets_is_short_and_this_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 90)))
    assert len(str(runtime_folder())) < 40
    assert runtime_folder().stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_place_of_that_folder_is_refused(monkeypatch: pytest.MonkeyPatch, house: House) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(house.runtime))
    (house.runtime / "holdfast").symlink_to("/tmp")

    with pytest.raises(AgentError, match="is not a folder of this user"):
        runtime_folder()


@pytest.mark.slow
def test_the_host_needs_nothing_but_the_standard_library() -> None:
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", PROGRAM], input=b"", capture_output=True, check=False
    ).stderr.decode()

    imported = set(re.findall(r"\| +([\w.]+)$", told, re.MULTILINE))
    own = {name for name in imported if name.split(".")[0] == "holdfast"}
    assert {name.rpartition(".")[2] for name in own} <= {
        "holdfast", "adapters", "supervision", "host", "agent", "peer", "processes", "protocol", "spool",
    }  # fmt: skip
    assert {name.split(".")[0] for name in imported - own} <= set(sys.stdlib_module_names) | {"zipimport"}
    assert not {"typing", "pathlib", "asyncio", "logging", "subprocess"} & imported, "each costs every host its memory"
