from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.frontends.tui.session.completion import content, fitting, wanted
from holdfast.frontends.tui.session.drafts import Draft, Drafts

if TYPE_CHECKING:
    from pathlib import Path


def test_a_draft_is_there_again_with_its_name(tmp_path: Path) -> None:
    draft = Draft("half a thou", pasted=["x" * 30_000], files=["a.py"])
    Drafts(tmp_path / "drafts").save("s1", draft)

    assert Drafts(tmp_path / "drafts").load("s1") == draft
    assert not Drafts(tmp_path / "drafts").load("s2")


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    Drafts(folder).save("s1", Draft("secret"))

    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


def test_an_empty_draft_leaves_nothing(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.save("s1", Draft("text"))
    drafts.save("s1", Draft(" \n"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("held", [b"", b"{", b"[]", b'{"text": 3}', b"\xff"])
def test_a_file_that_holds_something_else_is_no_draft(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "s1.json").write_bytes(held)

    assert not Drafts(tmp_path).load("s1")


def test_the_name_of_a_session_leads_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    Drafts(folder).save("../../x", Draft("text"))

    assert [path.parent for path in tmp_path.rglob("*.json")] == [folder]


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    drafts = Drafts(None)
    drafts.save("s1", Draft("text"))

    assert drafts.load("s1").text == "text"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("before", "kind", "word"),
    [
        ("/", "command", ""),
        ("/hel", "command", "hel"),
        ("see @src/a", "file", "src/a"),
        ("@", "file", ""),
        ("one\n@b", "file", "b"),
    ],
)
def test_commands_are_completed_at_the_beginning_and_files_anywhere(before: str, kind: str, word: str) -> None:
    found = wanted(before)

    assert found is not None
    assert (found.kind, found.word) == (kind, word)


@pytest.mark.parametrize("before", ["", "a /b", "\n/x", "mail@host", "/two words", "@file then"])
def test_nothing_else_is_completed(before: str) -> None:
    assert wanted(before) is None


def test_what_begins_with_the_word_comes_first() -> None:
    names = ["docs/serve.md", "server.py", "src/server/main.py", "s_e_r.txt", "other"]

    assert fitting("ser", names) == ["server.py", "docs/serve.md", "src/server/main.py", "s_e_r.txt"]


def test_a_text_alone_is_sent_as_text() -> None:
    assert content(Draft(" hello \n"), "/work") == "hello"


def test_files_and_pasted_texts_are_sent_beside_the_words() -> None:
    draft = Draft("see @a b.py and @c.py, not @gone.py", pasted=["long"], files=["c.py", "other.py"])

    assert content(draft, "/work/my dir") == [
        {"type": "text", "text": "long"},
        {"type": "text", "text": "see @a b.py and @c.py, not @gone.py"},
        {"type": "resource_link", "uri": "file:///work/my%20dir/c.py", "name": "c.py"},
    ]
