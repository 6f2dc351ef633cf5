"""The program in a bundle answers `ok` only where the content is there as well, or where it was erased for good."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

import pytest

from holdfast.adapters.exporters import export, verifier
from holdfast.adapters.storage.chain import keyed
from holdfast.adapters.storage.compact import compact
from holdfast.adapters.storage.exported import verify_exported
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.workspace import Workspace
from holdfast.bootstrap.exporting import StoreSource
from holdfast.domain.content import of_text
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.frontends.cli.output import save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.adapters.storage.store import Store

ONE = StreamId("aaaa1111-0000-4000-8000-000000000001")
ME = Actor("human", "cli")

Line: TypeAlias = "dict[str, str | None]"
Deed: TypeAlias = "Callable[[Store], object]"


def _bundle(tmp_path: Path, deed: Deed) -> Path:
    settings, signed = StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db"), tmp_path / "checkpoints"
    with open_store(settings, checkpoints=signed, environ={}) as store:
        workspace = Workspace(store)
        called = e.ToolCalled("c1", "c1", title="ls", status="in_progress")
        done = (
            *(e.ToolUpdated("c1", "c1", title="x" * 900) for _ in range(9)),
            e.ToolUpdated("c1", "c1", status="completed"),
        )
        words = tuple(e.TextAppended("a1", f"word {number} ") for number in range(5))
        for command in (
            c.Create("acp", title="told"),
            c.QueuePrompt("p1", of_text("do it")),
            c.StartTurn("t1"),
            c.Observe((*words, called, *done, e.TextAppended("a2", "done"), e.TurnEnded("t1", "end_turn"))),
        ):
            workspace.execute(ONE, command, cause=None, actor=ME)
        deed(store)
    bundle = tmp_path / "bundle"
    with open_store(settings, write=False, environ={}) as store:
        save(bundle, export(StoreSource(store, signed), ONE, "bundle", redact=None, environ={}).files)
    return bundle


def _nothing(_store: Store) -> None:
    pass


def _compact(store: Store) -> None:
    assert compact(store, ONE).sessions


def _erase(store: Store) -> None:
    Workspace(store).erase(ONE, actor=ME)


def _seal(bundle: Path, lines: list[Line]) -> None:
    """Write the events anew, with a last line and sums that fit."""
    content = b"".join(json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for each in lines)
    end = f'{{"end":{{"events":{len(lines) - 1},"sha256":"{sha256(content).hexdigest()}"}}}}\n'
    (bundle / "events.jsonl").write_bytes(content + end.encode())
    names = sorted(path.name for path in bundle.iterdir() if path.name != "SHA256SUMS")
    sums = (f"{sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (bundle / "SHA256SUMS").write_text("".join(sums))


def _lines(bundle: Path) -> list[Line]:
    return [json.loads(line) for line in (bundle / "events.jsonl").read_bytes().splitlines()[:-1]]


def _take_out(line: Line, salt: str | None) -> None:
    if line["data"] is not None:
        digest = keyed(bytes.fromhex(salt or ""))(line["data"].encode())
        line["data"], line["digest"] = None, digest.hex()


@pytest.mark.parametrize("deed", [_nothing, _compact, _erase])
def test_what_is_whole_compacted_or_erased_is_right(deed: Deed, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, deed)
    _seal(bundle, _lines(bundle))

    assert verify_exported(bundle).ok
    assert verifier.main(bundle).startswith("ok: ")


@pytest.mark.parametrize("deed", [_nothing, _compact])
@pytest.mark.parametrize("kind", ["session-created", "text-appended", "turn-ended"])
def test_content_that_gave_way_to_its_digest_is_missed(kind: str, deed: Deed, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, deed)
    lines = _lines(bundle)
    _take_out(next(each for each in reversed(lines[1:]) if each["type"] == kind), lines[0]["salt"])
    _seal(bundle, lines)

    assert not verify_exported(bundle).ok
    with pytest.raises(ValueError, match="version"):
        verifier.main(bundle)


def test_a_session_is_not_erased_because_its_header_says_so(tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, _nothing)
    lines = _lines(bundle)
    for each in lines[1:]:
        _take_out(each, lines[0]["salt"])
    lines[0]["salt"] = None
    _seal(bundle, lines)

    assert not verify_exported(bundle).ok
    with pytest.raises(ValueError, match="version"):
        verifier.main(bundle)


def test_what_stood_for_others_and_was_taken_out_itself_is_missed(tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, _compact)
    lines = _lines(bundle)
    _take_out(next(each for each in lines[1:] if each["type"] == "message-compacted"), lines[0]["salt"])
    _seal(bundle, lines)

    assert not verify_exported(bundle).ok
    with pytest.raises(ValueError, match="version"):
        verifier.main(bundle)
