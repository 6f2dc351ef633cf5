"""The whole command as it is installed, over a store on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.cli import Cli

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "claude-session.jsonl"


def test_from_import_to_erasure(cli: Cli) -> None:
    def answer(*args: str | Path) -> Any:
        ran = cli(*args, "--json")
        assert (ran.returncode, ran.stderr) == (0, ""), ran
        return json.loads(ran.stdout)

    done, again = answer("import", EXAMPLE), answer("import", EXAMPLE)
    assert (done["sessions"], again["events"]) == (1, 0)

    rows = answer("ls")
    name = str(rows[0]["id"])
    assert rows[0]["lifecycle"] == "created"

    page = answer("show", name[:8])
    assert len(page["items"]) > 10
    events = cli("events", "--session", name).stdout.splitlines()
    assert [json.loads(line)["version"] for line in events] == list(range(1, done["events"] + 1))

    row = answer("rename", name, "Another title")
    assert row["title"] == "Another title"
    views = answer("rebuild")
    assert answer("rebuild", "--check") == views

    assert answer("rm", "Another title", "--yes") == {"id": name, "erased": True}
    assert cli("ls").stdout == ""
    gone = cli("show", name)
    assert (gone.returncode, "was erased" in gone.stderr) == (3, True)
    assert "tidewatch" not in cli("events").stdout
    assert answer("verify")["ok"]


def test_reading_an_empty_home_writes_nothing(cli: Cli, tmp_home: Path) -> None:
    for verb in ("ls", "inbox", "events", "verify"):
        assert cli(verb).returncode == 0

    assert list(tmp_home.iterdir()) == []


def test_a_source_that_holds_nothing_makes_no_store(cli: Cli, tmp_home: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for source, code in (("missing.jsonl", 3), ("/bin/sh", 1), (tmp_path / "folder", 1), ("", 3), ("codex", 3)):
        assert cli("import", source).returncode == code

    assert list(tmp_home.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "env", "code"),
    [
        (("ls",), {"HOLDFAST_DATABASE_URL": "mysql://x/y"}, 2),
        (("show", "nobody"), {}, 3),
        (("import", "missing.jsonl"), {}, 3),
        (("import", "/bin/sh"), {}, 1),
        (("rename", "nobody", "x"), {}, 3),
    ],
)
def test_what_goes_wrong_is_one_line(cli: Cli, args: tuple[str, ...], env: dict[str, str], code: int) -> None:
    ran = cli(*args, env=env)

    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (code, "", 1)
    assert ran.stderr.startswith("holdfast: ")
