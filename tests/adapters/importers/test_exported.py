"""What was exported comes back as it was: same ids, times, causes, actors, payloads; on both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.adapters.importers import exported
from holdfast.domain.errors import ConflictError, TranscriptError
from tests.adapters.importers import claude_lines as claude
from tests.adapters.importers.memory_log import MemoryLog, broken_off

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Cli

pytestmark = pytest.mark.slow

_NEW = ("position", "hash")
"""What a new store gives an event anew."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def env(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment in which `holdfast` uses each database in turn."""
    if request.param == "sqlite":
        return {}
    return {"HOLDFAST_DATABASE_URL": str(request.getfixturevalue("postgres_url"))}


@pytest.fixture
def export(cli: Cli, tmp_path: Path) -> Path:
    """The export of a session with a person's own changes in it, from a store of its own."""
    home = tmp_path / "first"
    transcript = tmp_path / "claude.jsonl"
    claude.written(
        transcript,
        claude.user("hello", uuid="u1"),
        claude.assistant(claude.said("Hi \u202e there"), uuid="a1"),
        claude.user("bye", uuid="u2", at=2),
    )
    assert cli("import", transcript, home=home).returncode == 0
    (row,) = json.loads(cli("ls", "--json", home=home).stdout)
    cli("rename", row["id"], "ünï\u2028", home=home)
    ran = cli("export", row["id"], "--format", "jsonl", "--output", tmp_path / "out.jsonl", home=home)
    assert ran.returncode == 0, ran.stderr
    return tmp_path / "out.jsonl"


def events(path: Path) -> list[dict[str, Any]]:
    """The events of an export, without what each store gives them."""
    found = [json.loads(line) for line in path.read_text().split("\n")[1:-2]]
    return [{name: value for name, value in each.items() if name not in _NEW} for each in found]


def test_an_export_comes_back_as_it_was(export: Path, cli: Cli, env: dict[str, str], tmp_path: Path) -> None:
    first = json.loads(cli("import", export, "--json", env=env).stdout)
    again = json.loads(cli("import", export, "--json", env=env).stdout)

    (row,) = json.loads(cli("ls", "--json", env=env).stdout)
    cli("export", row["id"], "--format", "jsonl", "--output", tmp_path / "second.jsonl", env=env)
    assert first == {"files": 1, "sessions": 1, "events": len(events(export)), "malformed": 0, "skipped": 0}
    assert again == {"files": 1, "sessions": 0, "events": 0, "malformed": 0, "skipped": 0}
    assert events(tmp_path / "second.jsonl") == events(export)
    assert cli("verify", env=env).returncode == 0
    assert cli("verify", tmp_path / "second.jsonl", env=env).returncode == 0
    assert cli("rebuild", "--check", env=env).returncode == 0


def test_a_session_that_went_another_way_is_left_alone(export: Path, cli: Cli, env: dict[str, str]) -> None:
    """More here than there is fine; the same version with something else is not."""
    cli("import", export, env=env)
    (row,) = json.loads(cli("ls", "--json", env=env).stdout)
    cli("rename", row["id"], "here", env=env)
    more_here = cli("import", export, env=env)
    first = export.parent / "first"
    cli("rename", row["id"], "there", home=first)
    cli("export", row["id"], "--format", "jsonl", "--output", export.with_name("later.jsonl"), home=first)

    differs = cli("import", export.with_name("later.jsonl"), env=env)

    assert (more_here.returncode, more_here.stdout.split()[:2]) == (0, ["nothing", "new"])
    assert differs.returncode == 4
    assert "differs" in differs.stderr
    assert json.loads(cli("ls", "--json", env=env).stdout)[0]["title"] == "here"


def test_a_longer_export_adds_the_rest(export: Path, cli: Cli, env: dict[str, str]) -> None:
    cli("import", export, env=env)
    (row,) = json.loads(cli("ls", "--json", env=env).stdout)
    first = export.parent / "first"
    cli("rename", row["id"], "later", home=first)
    cli("export", row["id"], "--format", "jsonl", "--output", export.with_name("later.jsonl"), home=first)

    more = json.loads(cli("import", export.with_name("later.jsonl"), "--json", env=env).stdout)

    assert more["events"] == 1
    assert json.loads(cli("ls", "--json", env=env).stdout)[0]["title"] == "later"


def test_an_export_that_was_changed_is_not_imported(export: Path, cli: Cli, env: dict[str, str]) -> None:
    export.write_bytes(export.read_bytes().replace(b"hello", b"hullo"))

    ran = cli("import", export, env=env)

    assert ran.returncode == 1
    assert "not as it was exported" in ran.stderr
    assert json.loads(cli("ls", "--all", "--json", env=env).stdout) == []


def test_an_erased_session_does_not_come_back(export: Path, cli: Cli, env: dict[str, str]) -> None:
    cli("import", export, env=env)
    (row,) = json.loads(cli("ls", "--json", env=env).stdout)
    cli("rm", row["id"], "--yes", env=env)

    ran = cli("import", export, env=env)

    assert "was erased" in ran.stderr
    assert json.loads(cli("ls", "--all", "--json", env=env).stdout) == []


def test_an_import_that_broke_off_goes_on(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "BATCH_EVENTS", 2)
    log = broken_off(export, room=5)

    log.take(export)

    assert len(log.events) == len(events(export))


@pytest.mark.parametrize(
    "change",
    [{"version": 9}, {"type": "a\0b"}, {"schema": 70_000}, {"data": "no JSON"}, {"data": "[]"}, {"data": None}],
    ids=str,
)
def test_what_no_log_may_hold_is_refused(change: dict[str, object], export: Path) -> None:
    lines = export.read_text().split("\n")
    lines[2] = json.dumps(json.loads(lines[2]) | change)
    export.write_text("\n".join(lines))
    log = MemoryLog()

    with pytest.raises(TranscriptError):
        log.take(export)

    assert log.events == []


def test_a_conflict_names_the_version(export: Path) -> None:
    log = MemoryLog()
    log.take(export)
    lines = export.read_text().split("\n")
    lines[3] = json.dumps(json.loads(lines[3]) | {"recorded_at": 5})
    export.write_text("\n".join(lines))

    with pytest.raises(ConflictError, match="version 3"):
        log.take(export)
