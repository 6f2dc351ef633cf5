"""Pictures and files of a session, as a real daemon gives them out: only to who may ask, and never to be run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.adapters.importers import claude_lines as claude
from tests.adapters.storage.attached import name_of, picture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.daemon import Daemon
    from tests.support.cli import Cli

pytestmark = pytest.mark.slow

SHOWN = picture(1, 900_001)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + b" " * 60_000 + b"</svg>"
NOTES = "<script>alert(1)</script>\n" * 4_000
PATH = f"/sessions/{claude.SESSION}"


@pytest.fixture
def told(daemon: Daemon, tmp_path: Path) -> Daemon:
    """A daemon that knows a session with a picture, a drawing that could act, and a file."""
    notes = {"type": "resource", "resource": {"uri": "file:///notes.html", "text": NOTES}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [claude.picture(SVG), notes]}
    lines = [
        claude.user([claude.said("look"), claude.picture(SHOWN)], uuid="u1"),
        claude.assistant({"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "/a"}}),
        claude.user([result], uuid="u2", at=2),
    ]
    answer = daemon.post("/imports", {"sources": [str(claude.written(tmp_path / "t.jsonl", *lines))]})
    assert answer.status == 200, answer.body
    return daemon


def test_a_picture_is_given_out_as_what_it_is(told: Daemon) -> None:
    answer = told.get(f"{PATH}/attachments/{name_of(SHOWN)}")

    assert answer.status == 200
    assert answer.body == SHOWN
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith("inline;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("content", "kind"), [(SVG, "application/octet-stream"), (NOTES.encode(), "text/plain; charset=utf-8")]
)
def test_what_could_act_is_to_be_saved_and_not_shown(told: Daemon, content: bytes, kind: str) -> None:
    answer = told.get(f"{PATH}/attachments/{name_of(content)}")

    assert answer.body == content
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["0" * 64, "ZZ", "..%2Flog.db", name_of(SHOWN).upper(), "%00"])
def test_only_what_the_session_refers_to_is_there(told: Daemon, name: str) -> None:
    stray = told.home / "attachments" / ("0" * 64)
    stray.write_bytes(b"of nobody")

    assert told.get(f"{PATH}/attachments/{name}").status == 404
    assert told.get(f"/sessions/00000000-0000-4000-8000-000000000001/attachments/{name_of(SHOWN)}").status == 404


def test_a_credential_is_needed_and_one_for_reading_is_enough(told: Daemon, cli: Cli) -> None:
    path = f"{PATH}/attachments/{name_of(SHOWN)}"
    reading = cli("token", "new", "--read-only", "--name", "looker").stdout.split()[-1]

    assert told.get(path, Authorization="").status == 401
    assert told.get(path, Authorization=f"Bearer {reading}").body == SHOWN


def test_a_transcript_holds_pictures_or_references_as_is_asked(told: Daemon, cli: Cli) -> None:
    encoded = claude.picture(SHOWN)["source"]["data"].encode()
    for path in ("transcript", "last-turn", "around?item=u1"):
        joined = "&" if "?" in path else "?"
        assert encoded in told.get(f"{PATH}/{path}").body
        short = told.get(f"{PATH}/{path}{joined}attachments=reference").body
        assert name_of(SHOWN).encode() in short
        assert len(short) < 20_000
    assert encoded.decode() in cli("show", claude.SESSION, "--json").stdout
    assert told.get(f"{PATH}/transcript?attachments=some").status == 400


def test_an_export_by_the_daemon_carries_its_pictures(told: Daemon, cli: Cli, tmp_path: Path) -> None:
    for kind in ("jsonl", "bundle"):
        ran = cli("export", claude.SESSION, "--format", kind, "--output", tmp_path / kind)
        assert ran.returncode == 0, ran.stderr
        assert cli("verify", tmp_path / kind).returncode == 0
    assert (tmp_path / "bundle" / f"attachment-{name_of(SHOWN)}").read_bytes() == SHOWN


def test_an_erased_session_gives_nothing_out(told: Daemon) -> None:
    path = f"{PATH}/attachments/{name_of(SHOWN)}"
    assert told.request("DELETE", PATH).status == 204

    assert told.get(path).status == 404
    assert list((told.home / "attachments").iterdir()) == []


def test_altered_pictures_stay_references_in_a_transcript(told: Daemon) -> None:
    file = told.home / "attachments" / name_of(SHOWN)
    file.write_bytes(SHOWN[:-1] + bytes([SHOWN[-1] ^ 1]))

    refused = told.get(f"{PATH}/attachments/{name_of(SHOWN)}")
    assert (refused.status, refused.json()["code"]) == (500, "store_damaged")
    items = json.loads(told.get(f"{PATH}/transcript").body)["items"]
    assert items[0]["content"][1]["source"]["data"]["$attachment"] == name_of(SHOWN)
