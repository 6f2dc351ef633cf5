"""Names of files for `@`: what git ignores is left out as git would, and nothing leads out of the folder."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.frontends.gateway import files
from holdfast.frontends.gateway.ignored import Ignored

if TYPE_CHECKING:
    from pathlib import Path

RULES = """
# a comment
*.log
!keep.log
/top.txt
build/
docs/**/private
src/*.gen.[ch]
a?c
\\!odd
**/deep.txt
logs/**
"""
NAMES = [
    "x.log", "keep.log", "sub/x.log", "sub/keep.log", "top.txt", "sub/top.txt", "build/a", "sub/build/b", "other/build",
    "docs/private", "docs/a/b/private", "docs/a/public", "src/x.gen.c", "src/x.gen.py", "src/sub/x.gen.c", "abc",
    "abbc", "!odd", "deep.txt", "a/b/deep.txt", "logs/one", "logs/two/three", "plain",
]  # fmt: skip


def grow(top: Path, names: list[str]) -> None:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()


def as_git_says(top: Path) -> list[str]:
    """What git itself would take in, in a repository of our own."""
    listed = subprocess.run(
        ["git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    paths = [path for path in listed.split("\0") if path]
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.split("/")))


def repository(top: Path) -> Path:
    subprocess.run(["git", "init", "-q", top], check=True)
    return top


def test_what_git_ignores_is_left_out(tmp_path: Path) -> None:
    top = repository(tmp_path)
    (top / ".gitignore").write_text(RULES)
    grow(top, NAMES)
    (top / "sub" / ".gitignore").write_text("!x.log\nmore\n")
    (top / ".git" / "info" / "exclude").write_text("mine\n")
    grow(top, ["sub/more", "more", "mine", "sub/mine"])

    assert sorted(files.like(str(top), "", 1_000)) == as_git_says(top)


def test_a_folder_in_a_repository_has_the_rules_above_it(tmp_path: Path) -> None:
    top = repository(tmp_path)
    (top / ".gitignore").write_text("*.log\n/one/two/secret\n")
    grow(top, ["one/two/a.log", "one/two/secret", "one/two/open"])
    (top / "one" / ".gitignore").write_text("")

    assert files.like(str(top / "one" / "two"), "", 10) == ["open"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet="ab/*?[]!\\-^.# ", min_size=1, max_size=8))
def test_no_rule_breaks_the_search(tmp_path: Path, rule: str) -> None:
    (tmp_path / ".git").mkdir(exist_ok=True)
    (tmp_path / ".gitignore").write_text(rule + "\nabc\n")

    assert Ignored().inside(tmp_path).leaves_out(f"{tmp_path}/abc", folder=False)


def test_nothing_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    grow(outside, ["secret", "folder/secret"])
    inside = tmp_path / "inside"
    grow(inside, ["real", "folder/real"])
    (inside / "stolen").symlink_to(outside / "secret")
    (inside / "other").symlink_to(outside)
    (inside / "own").symlink_to(inside / "real")
    (inside / "dangling").symlink_to(inside / "nothing")
    os.mkfifo(inside / "pipe")
    (tmp_path / "link").symlink_to(inside)

    for folder in (inside, tmp_path / "link"):
        assert sorted(files.like(str(folder), "", 10)) == ["folder/real", "own", "real"]


def test_a_rule_that_is_made_to_take_long_does_not(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*a" * 60 + "b\n" + "**/a/" * 40 + "b\n")
    grow(tmp_path, ["a" * 200, "a/" * 60 + "c"])

    assert len(files.like(str(tmp_path), "", 10)) == 2


@pytest.mark.parametrize("folder", ["relative", "/nowhere/at/all", ""])
def test_a_folder_that_is_none_has_no_files(folder: str) -> None:
    assert files.like(folder, "", 10) == []


@pytest.mark.slow
def test_the_search_ends_in_a_folder_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LOOKED_AT", 50)
    grow(tmp_path, [f"{n // 10}/{n}" for n in range(200)])

    assert 0 < len(files.like(str(tmp_path), "", 1_000)) < 200
