"""A transport of somebody else, installed as a package of its own: the same journeys, through the same program."""

from __future__ import annotations

import json
import shutil
import site
import socketserver
import subprocess
import sys
import threading
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tests.frontends.daemon import PATIENCE_S
from tests.support.cli import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.support.cli import Cli

PLUGIN = Path(__file__).parents[1] / "plugins" / "chat" / "holdfast_chat.py"

pytestmark = pytest.mark.slow


class Room(socketserver.StreamRequestHandler):
    """One connection of the chat server: it says every word of a line back."""

    def handle(self) -> None:
        server = cast("Chat", self.server)
        server.calls += 1
        for line in self.rfile:
            verb, room, *words = line.decode().split()
            if verb == "JOIN":
                self.wfile.write(f"JOINED {room}\n".encode())
                continue
            server.heard.append(" ".join(words))
            for word in words:
                self.wfile.write(f"WORD {room} {word}\n".encode())
            self.wfile.write(f"DONE {room} end_turn\n".encode())


class Chat(socketserver.ThreadingTCPServer):
    """The chat server."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls = 0
        self.heard: list[str] = []
        super().__init__(("127.0.0.1", 0), Room)

    @property
    def address(self) -> str:
        return f"chat://127.0.0.1:{self.server_address[1]}"


@contextmanager
def chat() -> Generator[Chat]:
    with Chat() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with Holdfast, and with the package as an installer leaves it."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.EnvBuilder(symlinks=True).create(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    ours = next(path for path in site.getsitepackages() if Path(path).name == "site-packages")
    (packages / "holdfast.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    told = packages / "holdfast_chat-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: holdfast-chat\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[holdfast.transports]\nchat = holdfast_chat:Chat\n")
    shutil.copy(PLUGIN, packages)
    return folder / "bin" / Path(sys.executable).name


@pytest.fixture
def holdfast(installed: Path, tmp_home: Path) -> Generator[Callable[..., subprocess.CompletedProcess[str]]]:
    def holdfast(*args: str) -> subprocess.CompletedProcess[str]:
        program = "import sys; from holdfast.bootstrap import main; sys.exit(main())"
        return subprocess.run(
            [str(installed), "-I", "-c", program, *args],
            check=False,
            capture_output=True,
            text=True,
            env=environment(tmp_home),
            timeout=PATIENCE_S,
        )

    yield holdfast
    holdfast("down", "--agents")


def test_sessions_of_another_kind_of_peer_are_kept_like_all_others(
    holdfast: Callable[..., subprocess.CompletedProcess[str]], tmp_home: Path
) -> None:
    with chat() as server:
        assert holdfast("up", "--port", "0", "--no-web").returncode == 0
        begun = holdfast("new", f"{server.address}/kitchen", "soup is ready")
        assert begun.returncode == 0, begun.stderr
        kitchen = begun.stdout.strip()
        garden = holdfast("new", f"{server.address}/garden").stdout.strip()
        told = holdfast("send", garden, "mind the roses", "--wait")
        assert told.stdout.strip() == "mind the roses"
        holdfast("wait", kitchen, "--until", "idle")
        rows = {row["id"]: row for row in json.loads(holdfast("ls", "--json").stdout)}
        assert {(row["transport"], row["connection"]["state"]) for row in rows.values()} == {("chat", "connected")}
        assert server.calls == 1, "one connection carries all rooms"

        running = json.loads((tmp_home / "daemon.json").read_text())
        subprocess.run(["kill", "-9", str(running["pid"])], check=True)
        assert holdfast("up", "--port", "0", "--no-web").returncode == 0
        more = holdfast("send", kitchen, "and bread", "--wait")

        assert more.stdout.strip() == "and bread", more
        assert server.calls == 2
        assert server.heard == ["soup is ready", "mind the roses", "and bread"]
        items = json.loads(holdfast("show", kitchen, "--json").stdout)["items"]
        said = [(item["role"], item["text"].strip()) for item in items if item["kind"] == "message"]
        assert said == [
            ("user", "soup is ready"),
            ("assistant", "soup is ready"),
            ("user", "and bread"),
            ("assistant", "and bread"),
        ]
        assert json.loads(holdfast("verify", "--json").stdout)["ok"] is True


def test_where_it_is_not_installed_its_addresses_are_a_usage_error(cli: Cli) -> None:
    refused = cli("new", "chat://127.0.0.1:1/room")
    cli("down")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "chat://" in refused.stderr
