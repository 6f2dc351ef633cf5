"""`export`, `verify FILE` and the past of a session, as typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.domain.answers import FirstBad, Verification
from holdfast.domain.content import of_text
from holdfast.domain.errors import ConflictError, NotFoundError
from holdfast.domain.session import events as e
from holdfast.frontends.cli.output import save

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.frontends.cli.conftest import Run
    from tests.frontends.cli.memory import MemoryLibrary

ID = "0199aaaa-0000-4000-8000-000000000001"


@pytest.fixture
def session(library: MemoryLibrary) -> str:
    """A session of three messages, a second apart, the first event at 12:00:01 UTC."""
    said = (e.MessageSent(f"m{number}", of_text(f"message {number}")) for number in range(1, 4))
    return library.happened(ID, e.SessionCreated("acp", "owner", title="shop"), *said)


def test_an_export_goes_to_standard_output(run: Run, library: MemoryLibrary, session: str) -> None:
    for kind in ("jsonl", "md", "html"):
        ran = run("export", "shop", "--format", kind)
        assert (ran.code, ran.out) == (0, "one\ntwo\n")

    assert [each[1:] for each in library.exported] == [("jsonl", None), ("md", None), ("html", None)]


def test_what_was_redacted_is_told_by_kind(run: Run, library: MemoryLibrary, session: str) -> None:
    nothing = run("export", "shop", "--format", "md")
    library.removed = {"JWT": 1, "AWS key": 2}
    some = run("export", "shop", "--format", "md", "--redact")
    kept = run("export", "shop", "--format", "md", "--no-redact")

    assert (
        nothing.err == "holdfast: redacted nothing: no secret was recognised, which does not prove that there is none\n"
    )
    assert some.err == "holdfast: redacted 3 secrets: 2 AWS key, 1 JWT\n"
    assert kept.err == ""


def test_a_file_is_written_whole_and_never_over_another(
    run: Run, library: MemoryLibrary, session: str, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"

    first = run("export", "shop", "--format", "jsonl", "--output", str(target))
    target.write_text("mine")
    second = run("export", "shop", "--format", "jsonl", "--output", str(target))

    assert (first.code, first.out) == (0, "")
    assert second.code == 4
    assert "exists already" in second.err
    assert target.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_bundle_is_a_folder_that_must_be_named(
    run: Run, library: MemoryLibrary, session: str, tmp_path: Path
) -> None:
    library.files = {"a": [b"1", b"2"], "b": [b"3"]}
    (tmp_path / "there").mkdir()

    assert run("export", "shop", "--format", "bundle").code == 2
    assert run("export", "shop", "--format", "bundle", "--output", str(tmp_path / "there")).code == 4
    assert run("export", "shop", "--format", "bundle", "--output", str(tmp_path / "no" / "out")).code == 3
    assert run("export", "shop", "--format", "bundle", "--output", str(tmp_path / "out")).code == 0
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == {"a": b"12", "b": b"3"}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out", "there"]


def test_an_export_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise NotFoundError("gone")

    for name in ("", "events.jsonl"):
        with pytest.raises(NotFoundError):
            save(tmp_path / "out", iter([(name, pieces())]))
        assert list(tmp_path.iterdir()) == []


def test_whoever_was_faster_keeps_the_name(tmp_path: Path) -> None:
    target = tmp_path / "out"

    def pieces() -> Iterator[bytes]:
        yield b"ours"
        target.write_text("theirs")

    with pytest.raises(ConflictError):
        save(target, iter([("", pieces())]))

    assert target.read_text() == "theirs"


@pytest.mark.parametrize("args", [[], ["--format", "pdf"], ["--format"]], ids=str)
def test_a_format_has_to_be_named(run: Run, session: str, args: list[str]) -> None:
    assert run("export", "shop", *args).code == 2


def test_a_file_is_verified_without_the_log(run: Run, library: MemoryLibrary) -> None:
    assert run("verify", "some.jsonl").code == 0

    bad = FirstBad(7, ID, 3, "tampered")
    library.verification = Verification(ok=False, checked=2, first_bad=bad, behind=None, cannot_know=[])
    ran = run("verify", "some.jsonl", "--json")

    assert ran.code == 1
    assert ran.json()["first_bad"] == {"position": 7, "session_id": ID, "version": 3, "reason": "tampered"}
    assert (
        ran.err == "holdfast: some.jsonl does not verify: tampered at position 7, version 3; export the session again\n"
    )
    assert library.verified == ["some.jsonl", "some.jsonl"]
    assert library.opened == []


def test_show_shows_the_past(run: Run, session: str) -> None:
    def shown(*args: str) -> list[str]:
        return [item["id"] for item in run("show", "shop", *args, "--json").json()["items"]]

    assert shown("--until", "3") == ["m1", "m2"]
    assert shown("--at", "2025-11-20T12:00:03Z") == ["m1", "m2"]
    assert shown("--at", "2025-11-20T13:00:03+01:00") == ["m1", "m2"]
    assert shown("--until", "99", "--last", "1") == ["m3"]
    assert run("show", "shop", "--until", "3", "--json").json()["session"]["metadata"]["message_count"] == 2
    assert "message 2" in run("show", "shop", "--until", "3").out


def test_a_moment_that_is_none_is_refused(run: Run, session: str) -> None:
    for verb in ("show", "replay"):
        assert run(verb, "shop", "--until", "0").code == 3
        assert run(verb, "shop", "--at", "1999-01-01").code == 3
        assert run(verb, "shop", "--at", "noon").code == 2
        assert run(verb, "shop", "--until", "3", "--at", "2025-11-20").code == 2
        assert run(verb, "nobody").code == 3
    assert run("replay", "shop", "--speed", "0").code == 2
