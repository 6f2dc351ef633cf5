"""Listing sessions must feel instant, so what is imported is part of the contract."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.frontends.cli.running import ROOT, environment

HEAVY = {"sqlalchemy", "alembic", "eventsourcing", "rich", "anyio", "cryptography", "psycopg", "asyncio", "logging"}


def imported_by(code: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter holds after `code`."""
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; sys.stderr.write('\\n'.join(sys.modules))"],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return set(ran.stderr.splitlines())


@pytest.mark.slow
def test_the_entry_imports_click_and_little_else() -> None:
    names = imported_by("import holdfast.frontends.cli.main")

    assert "click" in names
    assert names & {*HEAVY, "msgspec", "holdfast.domain.ports"} == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "verb", ["ls", "ls --json", "show 0199aaaa", "inbox", "events --since 1200", "verify", "doctor", "search login"]
)
def test_no_verb_imports_what_it_does_not_need(verb: str) -> None:
    names = imported_by(
        "from tests.frontends.cli.program import MemoryDoors, friendly, main\n"
        f"assert main(MemoryDoors(friendly()), {verb.split()!r}) == 0"
    )

    assert names & HEAVY == set()
