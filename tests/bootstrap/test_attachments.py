"""Pictures from the transcript of another tool into the log and out of it again, on both databases."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.importers.exported import restore
from holdfast.adapters.storage.opening import open_store
from holdfast.bootstrap.library import LocalLibrary, LocalWorkspace
from holdfast.domain import wire
from holdfast.domain.attachments import references
from holdfast.domain.errors import NotFoundError, StoreDamagedError, TranscriptError
from holdfast.domain.recorded import DAEMON, StreamId
from holdfast.domain.whole import whole_page
from holdfast.frontends.cli.output import save
from tests.adapters.importers import claude_lines as claude
from tests.adapters.storage.attached import name_of, picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.domain.exported import Export, Format
    from holdfast.domain.ports import Reading

    Home = Callable[[str], LocalLibrary]

pytestmark = pytest.mark.slow

SESSION = StreamId(claude.SESSION)
FIRST, SECOND = picture(1), picture(2, 900_001)
SECRET = "sk-" + "a" * 30
NOTES = "A file that was put into the prompt.\n" * 4_000 + SECRET
FILE = {"type": "resource", "resource": {"uri": "file:///notes.txt", "text": NOTES}}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Opens homes by name; the first one keeps its log in each database in turn, all others in a file."""
    url = {} if request.param == "sqlite" else {"HOLDFAST_DATABASE_URL": str(request.getfixturevalue("postgres_url"))}

    def opened(name: str) -> LocalLibrary:
        environ = {"HOLDFAST_HOME": str(tmp_path / name), "HOME": str(tmp_path), **(url if name == "first" else {})}
        return LocalLibrary(environ, print)

    return opened


@pytest.fixture
def first(home: Home, tmp_path: Path) -> LocalLibrary:
    """A home with one session: two pictures, one of them twice."""
    lines = [
        claude.user([claude.said("look"), claude.picture(FIRST)], uuid="u1"),
        claude.assistant({"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "/a"}}),
        claude.user(
            [{"type": "tool_result", "tool_use_id": "t1", "content": [claude.picture(SECOND), FILE]}], uuid="u2", at=2
        ),
        claude.user([claude.picture(FIRST)], uuid="u3", at=3),
    ]
    library = home("first")
    with library.writing() as workspace:
        workspace.import_([str(claude.written(tmp_path / "t.jsonl", *lines))])
    return library


def exported(library: LocalLibrary, kind: Format, target: Path, *, redact: bool | None = None) -> Export:
    """The export of the session, written to `target`."""
    with library.reading() as reading:
        made = reading.export(SESSION, kind, redact=redact)
        save(target, made.files)
        return made


def imported(library: LocalLibrary, source: Path) -> list[tuple[object, ...]]:
    """The events of the session after an import, as far as another store keeps them."""
    with library.writing() as workspace:
        workspace.import_([str(source)])
        return logged(workspace)


def logged(reading: Reading) -> list[tuple[object, ...]]:
    events = reading.events(session_id=SESSION)
    return [(each.recorded.event_id, each.type, each.recorded.at, bytes(each.data or b"")) for each in events]


def whole(library: LocalLibrary) -> bytes:
    """The transcript, as programs get it, without where its events stand."""
    with library.reading() as reading:
        page = whole_page(reading.page(SESSION), lambda name: reading.attachment(SESSION, name))
        shown = wire.encode(wire.page(page)["items"])
        return re.sub(rb'"position":\\d+', b"", shown)


def test_a_transcript_shows_its_pictures_and_the_log_only_refers_to_them(first: LocalLibrary) -> None:
    with first.reading() as reading:
        stored = [bytes(each.data or b"") for each in reading.events(session_id=SESSION)]
        page = reading.page(SESSION)
        size = len(b"".join(reading.attachment(SESSION, name_of(SECOND)).pieces))

    named = {each.sha256 for data in stored for each in references(data)}
    assert max(map(len, stored)) < 2_000
    assert len(wire.encode(wire.page(page))) < 5_000
    assert named == {name_of(FIRST), name_of(SECOND), name_of(NOTES.encode())}
    assert size == len(SECOND)
    shown = whole(first)
    for each in (FIRST, SECOND):
        assert claude.picture(each)["source"]["data"].encode() in shown
    assert SECRET.encode() in shown


def test_what_does_not_fit_into_an_answer_stays_a_reference(first: LocalLibrary) -> None:
    with first.reading() as reading:
        page = whole_page(reading.page(SESSION), lambda name: reading.attachment(SESSION, name), len(FIRST))

    shown = wire.encode(wire.page(page))
    assert next(each.sha256 for each in references(shown)) == name_of(FIRST)
    assert shown.count(claude.picture(FIRST)["source"]["data"].encode()) == 1


def test_only_what_a_session_refers_to_is_given_out(first: LocalLibrary) -> None:
    with first.reading() as reading:
        for session, name in ((SESSION, name_of(b"x")), (SESSION, "../log.db"), (StreamId("other"), name_of(FIRST))):
            with pytest.raises(NotFoundError):
                reading.attachment(session, name)


def test_an_exported_file_carries_its_pictures_and_comes_back(first: LocalLibrary, home: Home, tmp_path: Path) -> None:
    exported(first, "jsonl", tmp_path / "e.jsonl")
    second = home("second")
    assert second.verify_file(str(tmp_path / "e.jsonl")).ok

    with first.reading() as reading:
        assert imported(second, tmp_path / "e.jsonl") == logged(reading)
        assert imported(second, tmp_path / "e.jsonl") == logged(reading)

    assert whole(second) == whole(first)
    with second.reading() as reading:
        assert reading.verify().ok
        checks = {each.check: each.detail for each in reading.checks()}
    assert checks["attachments"].startswith("3 attachments")


def test_an_import_that_was_cut_off_goes_on(first: LocalLibrary, home: Home, tmp_path: Path) -> None:
    """Pictures that came with earlier events are in the log, and are not held again."""
    exported(first, "jsonl", tmp_path / "e.jsonl")
    lines = (tmp_path / "e.jsonl").read_bytes().splitlines(keepends=True)
    events = [number for number, line in enumerate(lines) if line.startswith(b'{"position"')]
    second = LocalLibrary({"HOLDFAST_HOME": str(tmp_path / "second"), "HOME": str(tmp_path)}, print)
    for until in (events[2], events[-1]):
        part = tmp_path / "part.jsonl"
        part.write_bytes(b"".join(lines[: until + 1]))
        with second.writing() as workspace, part.open("rb") as file:
            assert isinstance(workspace, LocalWorkspace)
            restore(part, file, workspace, print)

    with first.reading() as one, second.reading() as other:
        assert logged(other) == logged(one)
    assert whole(second) == whole(first)


def _with_another_byte(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b"iVBORw0K", b"iVBORw0L", 1) for line in lines]


def _without_attachments(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if not line.startswith(b'{"attachment"')]


def _with_attachments_at_the_end(lines: list[bytes]) -> list[bytes]:
    return [lines[0], *sorted(lines[1:-1], key=lambda line: line.startswith(b'{"attachment"')), lines[-1]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_with_another_byte, "tampered"),
        (_without_attachments, "missing"),
        (_with_attachments_at_the_end, "missing"),
    ],
)
def test_a_picture_that_was_changed_or_taken_out_of_a_file_is_noticed(
    first: LocalLibrary,
    home: Home,
    tmp_path: Path,
    change: Callable[[list[bytes]], list[bytes]],
    reason: str,
) -> None:
    exported(first, "jsonl", tmp_path / "e.jsonl")
    lines = (tmp_path / "e.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "e.jsonl").write_bytes(b"".join(change(lines)))
    second = home("second")

    found = second.verify_file(str(tmp_path / "e.jsonl"))
    assert found.first_bad is not None
    assert found.first_bad.reason == reason
    with pytest.raises(TranscriptError):
        imported(second, tmp_path / "e.jsonl")
    with second.reading() as reading:
        assert reading.rows() == []


def test_a_bundle_has_its_pictures_as_files_that_its_verifier_checks(
    first: LocalLibrary, home: Home, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    exported(first, "bundle", bundle)
    second = home("second")
    file = bundle / f"attachment-{name_of(SECOND)}"
    assert file.read_bytes() == SECOND
    assert _verifier(bundle).startswith("ok: ")
    assert second.verify_file(str(bundle)).ok
    assert len(imported(second, bundle / "events.jsonl")) > 1
    assert whole(second) == whole(first)

    changed = tmp_path / "changed"
    shutil.copytree(bundle, changed)
    (changed / file.name).write_bytes(SECOND[:-1] + bytes([SECOND[-1] ^ 1]))
    assert _verifier(changed).startswith("bad: attachment-")
    assert not second.verify_file(str(changed)).ok

    # A forger who mends the sums too is found by what the events say.
    sums = (changed / "SHA256SUMS").read_text()
    forged = name_of((changed / file.name).read_bytes())
    (changed / "SHA256SUMS").write_text(sums.replace(f"{name_of(SECOND)}  ", f"{forged}  "))
    assert _verifier(changed).startswith("bad: version ")
    bad = second.verify_file(str(changed)).first_bad
    assert bad is not None
    assert bad.reason == "tampered"

    (changed / file.name).unlink()
    bad = second.verify_file(str(changed)).first_bad
    assert bad is not None
    assert bad.reason == "missing"


def test_what_is_gone_cannot_be_exported_as_if_it_were_there(first: LocalLibrary, tmp_path: Path) -> None:
    with open_store(first.settings, environ={}) as store:
        store.write(lambda transaction: store.attachments.remove(transaction.connection, [name_of(SECOND)]))

    for kind in ("jsonl", "bundle"):
        with pytest.raises(StoreDamagedError):
            exported(first, kind, tmp_path / kind)
        assert not (tmp_path / kind).exists()
    exported(first, "html", tmp_path / "e.html", redact=False)
    assert whole(first)


def test_a_page_shows_pictures_only_where_no_secret_could_be_in_them(first: LocalLibrary, tmp_path: Path) -> None:
    redacted = exported(first, "html", tmp_path / "redacted.html")
    exported(first, "html", tmp_path / "plain.html", redact=False)
    page, plain = (tmp_path / "redacted.html").read_text(), (tmp_path / "plain.html").read_text()

    assert "<img" not in page
    assert SECRET not in page
    assert "A file that was put into the prompt." in page
    assert redacted.removed.left_out == 3
    assert "Images left out" in page
    assert plain.count('<img alt="An image of this session" src="data:image/png;base64,') == 3
    assert "img-src data:" in plain
    assert SECRET in plain


def test_markdown_names_pictures(first: LocalLibrary, tmp_path: Path) -> None:
    exported(first, "md", tmp_path / "e.md")
    text = (tmp_path / "e.md").read_text()

    assert f"[image, 878.9 KiB, {name_of(SECOND)[:12]}…]" in text
    assert SECRET not in text
    assert "A file that was put into the prompt." in text


def test_erasing_the_session_removes_its_pictures(first: LocalLibrary) -> None:
    with first.writing() as workspace:
        workspace.erase(SESSION, actor=DAEMON)
        checks = {each.check: each.detail for each in workspace.checks()}
        assert checks["attachments"] == "0 attachments, 0 bytes"
        assert workspace.verify().ok


def _verifier(bundle: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-I", "-S", bundle / "verify.py"], check=False, capture_output=True, text=True, timeout=60
    )
    return ran.stdout or ran.stderr
