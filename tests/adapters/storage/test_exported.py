"""An exported session verifies by itself, and one changed byte anywhere is found, on both databases."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from itertools import chain
from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec import Raw

from holdfast.adapters.exporters import export, verifier
from holdfast.adapters.storage.exported import verify_exported
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.workspace import Workspace
from holdfast.bootstrap.exporting import StoreSource
from holdfast.domain.content import of_text
from holdfast.domain.errors import NotFoundError, SessionErasedError, TranscriptError, UsageError
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.frontends.cli.output import save

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdfast.domain.exported import Format
    from tests.adapters.storage.given import Stores

    Fill = Callable[[Callable[[Workspace], None]], StoreSource]

ONE, TWO = StreamId("aaaa1111-0000-4000-8000-000000000001"), StreamId("aaaa2222-0000-4000-8000-000000000002")
ME = Actor("human", "cli")


def talk(workspace: Workspace, session: StreamId, turns: int) -> None:
    def do(command: c.Command) -> None:
        workspace.execute(session, command, cause=None, actor=ME)

    do(c.Create("acp", title="ünï 日本 \u202e\x1b[31m"))
    for turn in range(turns):
        do(c.QueuePrompt(f"p{turn}", of_text("do it")))
        do(c.StartTurn(f"t{turn}"))
        said = (
            e.TextAppended(f"a{turn}", 'He said:\n"\\u0041" \u2028'),
            e.RawReceived(f"r{turn}", "odd", Raw(b'{\n "a":  1.50}')),
        )
        do(c.Observe((*said, e.TurnEnded(f"t{turn}", "end_turn"))))


@pytest.fixture
def fill(store_url: str, tmp_path: Path) -> Iterator[Fill]:
    """Do something with a store, close it so that it is signed, and open it for reading."""
    folder = tmp_path / "checkpoints"
    with ExitStack() as stack:

        def filled(work: Callable[[Workspace], None]) -> StoreSource:
            with open_store(StoreSettings.from_url(store_url), checkpoints=folder, environ={}) as store:
                work(Workspace(store))
            reading = open_store(StoreSettings.from_url(store_url), write=False, environ={})
            return StoreSource(stack.enter_context(reading), folder)

        yield filled


@pytest.fixture
def source(fill: Fill) -> StoreSource:
    """Two sessions that took turns in the log, signed in between and at the end."""

    def before(workspace: Workspace) -> None:
        talk(workspace, TWO, 2)

    def after(workspace: Workspace) -> None:
        talk(workspace, ONE, 3)
        workspace.execute(TWO, c.Rename("b"), cause="k1", actor=ME)
        workspace.execute(ONE, c.Rename("a"), cause="k2", actor=ME)

    fill(before)
    return fill(after)


def made(source: StoreSource, kind: Format, target: Path, session: StreamId = ONE) -> Path:
    save(target, export(source, session, kind, redact=None, environ={}).files)
    return target


def standalone(bundle: Path) -> subprocess.CompletedProcess[str]:
    """Run the bundle's own program, with nothing of ours in reach."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "verify.py"], cwd=bundle, capture_output=True, text=True, check=False
    )


def test_an_export_verifies_and_says_what_it_cannot_know(source: StoreSource, tmp_path: Path) -> None:
    found = verify_exported(made(source, "jsonl", tmp_path / "one.jsonl"))

    assert (found.ok, found.first_bad, found.notes) == (True, None, [])
    assert found.checked == len((tmp_path / "one.jsonl").read_bytes().splitlines()) - 2
    assert any("wrote the whole file anew" in each for each in found.cannot_know)


def test_a_bundle_verifies_with_ours_and_with_its_own_program(source: StoreSource, tmp_path: Path) -> None:
    bundle = made(source, "bundle", tmp_path / "bundle")

    found = verify_exported(bundle)
    own = standalone(bundle)

    assert (found.ok, found.notes) == (True, [])
    assert not any("anew" in each for each in found.cannot_know), "signed checkpoints vouch for all of it"
    assert own.stdout.startswith(f"ok: {found.checked} events"), own.stderr
    assert "signed up to position" in own.stdout
    assert bundle.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o777 for each in bundle.iterdir()} == {0o600}
    assert len((bundle / "verify.py").read_text().splitlines()) <= 100
    assert "after 0" not in (bundle / "chain.txt").read_text(), "it begins at the checkpoint before the session"


def _swap(lines: list[bytes]) -> None:
    lines[3], lines[4] = lines[4], lines[3]


def _swap_payloads(lines: list[bytes]) -> None:
    first, second = json.loads(lines[3]), json.loads(lines[6])
    first["data"], second["data"] = second["data"], first["data"]
    lines[3], lines[6] = json.dumps(first).encode() + b"\n", json.dumps(second).encode() + b"\n"


def _change(name: str, value: object) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        lines[4] = json.dumps(json.loads(lines[4]) | {name: value}).encode() + b"\n"

    return change


DAMAGE: dict[str, tuple[Callable[[list[bytes]], object], str, int | None]] = {
    "an event taken out": (lambda lines: lines.pop(4), "missing", 4),
    "two events swapped": (_swap, "reordered", 3),
    "two payloads swapped": (_swap_payloads, "reordered", 3),
    "an event twice": (lambda lines: lines.insert(4, lines[4]), "reordered", 5),
    "the end cut off": (lambda lines: lines.pop(), "missing", None),
    "the last events and the end cut off": (lambda lines: lines.__delitem__(slice(-3, None)), "missing", None),
    "the last event taken out": (lambda lines: lines.pop(-2), "missing", None),
    "cut off in a line": (lambda lines: lines.__setitem__(slice(4, None), [lines[4][:50]]), "missing", 4),
    "garbage between": (lambda lines: lines.insert(4, b"garbage\n"), "tampered", 4),
    "something behind the end": (lambda lines: lines.append(b"\n"), "tampered", None),
    "another payload": (_change("data", '{"title":"x"}'), "tampered", 4),
    "no payload": (_change("data", None), "tampered", 4),
    "another time": (_change("recorded_at", 1), "tampered", 4),
    "another actor": (_change("actor", "policy"), "tampered", 4),
    "another session": (_change("session_id", TWO), "tampered", 4),
    "a number too large": (_change("recorded_at", 2**63 - 1), "tampered", 4),
    "another hash": (_change("hash", "00" * 32), "tampered", 4),
    "no hash": (_change("hash", "none"), "tampered", 4),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_with_its_place(damage: str, source: StoreSource, tmp_path: Path) -> None:
    work, reason, version = DAMAGE[damage]
    path = made(source, "jsonl", tmp_path / "one.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    work(lines)
    path.write_bytes(b"".join(lines))

    found = verify_exported(path)

    assert not found.ok
    assert found.first_bad is not None
    assert (found.first_bad.reason, found.first_bad.session_id) == (reason, ONE)
    assert version in (None, found.first_bad.version)
    assert found.notes


@pytest.mark.slow
def test_no_byte_of_an_export_can_change_unseen(source: StoreSource, tmp_path: Path) -> None:
    path = made(source, "jsonl", tmp_path / "one.jsonl")
    content = path.read_bytes()
    chance = Random(1)

    for at in [
        *range(300),
        *(chance.randrange(len(content)) for _ in range(300)),
        *range(len(content) - 120, len(content)),
    ]:
        flipped = bytearray(content)
        flipped[at] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        try:
            assert not verify_exported(path).ok, at
        except TranscriptError:
            assert at < content.index(b"\n"), "only of the header may nothing be recognised"


@pytest.mark.slow
def test_no_byte_of_a_bundle_can_change_unseen(source: StoreSource, tmp_path: Path) -> None:
    bundle = made(source, "bundle", tmp_path / "bundle")
    chance = Random(2)

    for path in sorted(bundle.iterdir()):
        content = path.read_bytes()
        for turn in range(12):
            flipped = bytearray(content)
            flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            path.write_bytes(flipped)
            try:
                assert not verify_exported(bundle).ok, path
            except TranscriptError:
                assert path.name == "events.jsonl"
            if path.name != "verify.py" and turn < 2:
                assert standalone(bundle).returncode == 1, path
        path.write_bytes(content)
    assert verify_exported(bundle).ok
    assert standalone(bundle).returncode == 0


def test_no_byte_of_the_sums_can_change_or_be_cut_off_unseen(source: StoreSource, tmp_path: Path) -> None:
    """Line ends of many kinds, and what stands between a sum and its name, are easily read over."""
    bundle = made(source, "bundle", tmp_path / "bundle")
    sums = bundle / "SHA256SUMS"
    content = sums.read_bytes()
    ends = [at for at, byte in enumerate(content) if byte == ord("\n")]
    around = [*range(60, 70), *ends]
    flipped = [content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :] for at in around for bit in range(8)]

    for each in [*flipped, b"", *(content[:at] for at in ends), *(content[: at + 1] for at in ends[:-1])]:
        sums.write_bytes(each)
        with pytest.raises(ValueError, match=r"is not as it was written|codec can't decode"):
            verifier.main(bundle)
    sums.write_bytes(content)
    (bundle / "note.txt").write_text("Dear diary")
    with pytest.raises(ValueError, match=r"^note\.txt is not as it was written"):
        verifier.main(bundle)


@pytest.mark.parametrize("name", ["chain.txt", "checkpoints.jsonl", "key.pub", "README.txt", "SHA256SUMS", "verify.py"])
def test_a_file_taken_out_of_a_bundle_is_missed(name: str, source: StoreSource, tmp_path: Path) -> None:
    bundle = made(source, "bundle", tmp_path / "bundle")
    (bundle / name).unlink()

    found = verify_exported(bundle)

    assert not found.ok
    assert found.first_bad is not None
    assert any(name in each for each in found.notes)
    assert name == "verify.py" or standalone(bundle).returncode == 1


def test_a_bundle_written_anew_without_the_key_is_found_out(source: StoreSource, tmp_path: Path) -> None:
    """Everything is consistent but for the signed checkpoints: those saw another log."""
    bundle = made(source, "bundle", tmp_path / "bundle")
    other = made(source, "bundle", tmp_path / "other", TWO)
    for name in ("events.jsonl", "chain.txt"):
        shutil.copy(other / name, bundle / name)
    chain = (bundle / "chain.txt").read_text().splitlines()
    (bundle / "chain.txt").write_text("\n".join([chain[0], "11" * 32, *chain[2:]]) + "\n")

    found = verify_exported(bundle)

    assert not found.ok
    assert standalone(bundle).returncode == 1


def test_events_after_the_last_checkpoint_are_not_vouched_for(stores: Stores, tmp_path: Path) -> None:
    store = stores.open()
    talk(Workspace(store), ONE, 1)

    bundle = made(StoreSource(store, tmp_path / "none"), "bundle", tmp_path / "bundle")

    found = verify_exported(bundle)
    assert found.ok
    assert any("no signed checkpoint vouches" in each for each in found.cannot_know)
    assert "signed up to position 0" in standalone(bundle).stdout


def test_a_session_erased_while_it_is_exported_leaves_no_file(stores: Stores, tmp_path: Path) -> None:
    store = stores.open()
    workspace = Workspace(store)
    talk(workspace, ONE, 1)
    events = export(StoreSource(store, tmp_path), ONE, "jsonl", redact=None, environ={}).files
    name, pieces = next(events)
    header = next(pieces)
    workspace.erase(ONE, actor=ME)

    with pytest.raises(SessionErasedError):
        save(tmp_path / "late.jsonl", iter([(name, chain([header], pieces))]))

    assert not list(tmp_path.glob("*late*"))


def test_what_is_no_export_is_refused(source: StoreSource, tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text('{"type":"user"}\n')
    (tmp_path / "empty").mkdir()

    for name in ("other.jsonl", "empty"):
        with pytest.raises(TranscriptError):
            verify_exported(tmp_path / name)
    with pytest.raises(NotFoundError):
        verify_exported(tmp_path / "nowhere")
    with pytest.raises(NotFoundError):
        made(source, "jsonl", tmp_path / "x.jsonl", StreamId("nobody"))
    with pytest.raises(UsageError):
        export(source, ONE, "jsonl", redact=True, environ={})


def test_an_export_goes_through_more_items_than_a_chunk(fill: Fill) -> None:
    def work(workspace: Workspace) -> None:
        talk(workspace, ONE, 1)
        observed = tuple(e.NoticeAdded(f"n{number}", "note", f"number {number}") for number in range(1_200))
        workspace.execute(ONE, c.Observe(observed[:700]), cause=None, actor=ME)
        workspace.catch_up()
        workspace.execute(ONE, c.Observe(observed[700:]), cause=None, actor=ME)

    source = fill(work)

    items = [item.id for item in source.items(ONE)]
    assert items[-1_200:] == [f"n{number}" for number in range(1_200)]
    assert len(items) == len(set(items))
