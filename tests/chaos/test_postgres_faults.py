"""R12: the server is killed and comes back, and the way to it is cut after every message around every commit."""

from __future__ import annotations

import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from tests.chaos.cutting_proxy import CuttingProxy, Messages
from tests.chaos.invariants import check
from tests.chaos.writer import STOPPED

if TYPE_CHECKING:
    from tests.chaos.figures import Figures
    from tests.chaos.processes import Zygote
    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

BLOCKED_S = 0.1


def kill_server(zygote: Zygote, server: PostgresServer, home: Path) -> tuple[list[str], float, float]:
    """Kill the server under load and start it again; return what does not hold, how long writing and the loop stood."""
    url = server.url(server.create_database())
    run = zygote.start("writer", "--url", url, "--home", home, "--sessions", "8", "--persist", "--ticker")
    run.listen_to_acks(150)
    server.kill()
    run.catch_up()
    server.start()
    back = time.monotonic()
    run.listen_to_acks(50)
    resumed_s = time.monotonic() - back
    words = run.kill()
    violations = check(StoreSettings.from_url(url, wait_s=10), home, [words]).violations
    if words.status != -9:
        violations.append(f"the writer gave up: {words.stopped}")
    return violations, resumed_s, words.late_s


@pytest.mark.parametrize(
    "times", [pytest.param(1, id="slice"), *(pytest.param(10, id=f"{n}", marks=pytest.mark.chaos) for n in range(3))]
)
def test_a_server_that_is_killed_costs_nothing(
    times: int, zygote: Zygote, postgres_server: PostgresServer, tmp_path: Path, figures: Figures
) -> None:
    found = [kill_server(zygote, postgres_server, tmp_path) for _ in range(times)]

    violations = [violation for each, _, _ in found for violation in each]
    late_s = max(late for _, _, late in found)
    figures(
        "R12", "PostgreSQL killed -9 and restarted",
        tried=times, violations=len(violations), resumed_s=round(max(resumed for _, resumed, _ in found), 2),
        loop_blocked_s=round(late_s, 3),
    )  # fmt: skip
    assert violations == []
    if times > 1:
        assert late_s < BLOCKED_S


class Cut:
    """Runs of a writer, each on a fresh store, whose connection is cut after one message."""

    def __init__(self, zygote: Zygote, server: PostgresServer, folder: Path) -> None:
        self._zygote = zygote
        self._server = server
        self._folder = folder
        self._empty = server.create_database()
        open_store(StoreSettings.from_url(server.url(self._empty))).close()

    def after(self, message: int, word: bytes = b"", *options: str) -> tuple[int, list[str]]:
        """Cut after this one of the messages that hold a word; return how many there were, and what does not hold."""
        name = f"{self._empty}_{message}"
        home = self._folder / name
        home.mkdir()
        with self._server.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {self._empty}".encode())
        # A socket's path must be short.
        with (
            tempfile.TemporaryDirectory(prefix="hf-cut-") as folder,
            CuttingProxy(self._server.folder, Path(folder), message, word) as proxy,
        ):
            url = self._server.url(name).replace(str(self._server.folder), folder)
            words = self._zygote.start(
                "writer", "--url", url, "--home", home, "--sessions", "2", "--events", "12", "--persist", *options
            ).wait()
        settings = StoreSettings.from_url(self._server.url(name), wait_s=10)
        violations = check(settings, home, [words]).violations
        # A store that was never open may well say that there is none; one that is open comes back.
        if words.status not in ({0} if words.ready else {0, STOPPED}):
            violations.append(f"the writer gave up: {words.stopped} ({words.status})")
        self._server.drop_database(name)
        return proxy.passed, [f"cut after {word.decode()} {message}: {violation}" for violation in violations]


@pytest.mark.parametrize(
    ("word", "first", "nth"),
    [
        pytest.param(b"COMMIT", 5, 3, id="slice-commits"),
        pytest.param(b"", 11, 83, id="slice"),
        pytest.param(b"COMMIT", 1, 1, id="commits", marks=pytest.mark.chaos),
        *(pytest.param(b"", n, 6, id=f"from-{n}", marks=pytest.mark.chaos) for n in range(1, 7)),
    ],
)
def test_a_cut_after_any_message_costs_nothing_and_doubles_nothing(
    word: bytes,
    first: int,
    nth: int,
    *,
    zygote: Zygote,
    postgres_server: PostgresServer,
    tmp_path: Path,
    figures: Figures,
) -> None:
    cut = Cut(zygote, postgres_server, tmp_path)
    tried = 0
    violations: list[str] = []
    for message in count(first, nth):
        messages, found = cut.after(message, word)
        violations += found
        if messages < message:
            break
        tried += 1

    what = "connection cut after every message" + (" about a commit" if word else "")
    figures("R12", what, tried=tried, violations=len(violations))
    assert violations == []
    assert tried > 4


def test_cuts_catch_a_lost_reply_that_is_taken_for_a_failure(
    zygote: Zygote, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    cut = Cut(zygote, postgres_server, tmp_path)

    assert any(cut.after(message, b"COMMIT", "--mutant", "lost-is-failed")[1] for message in range(8, 30))


def test_messages_are_counted_however_they_are_sliced() -> None:
    stream = b"\0\0\0\x08\0\x03\0\0" + b"Q\0\0\0\x08SEL\0" + b"X\0\0\0\x04"
    whole = Messages(begins_bare=True).take(stream)
    sliced = Messages(begins_bare=True)

    assert [message for byte in stream for message in sliced.take(bytes([byte]))] == whole
    assert [len(message) for message in whole] == [8, 9, 5]
