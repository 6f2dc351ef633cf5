from __future__ import annotations

from holdfast.frontends.tui.session.diff import changes, drawn, tally


def shown(old: str | None, new: str) -> list[str]:
    return [f"{change.sign}{change.number} {change.text}" for change in changes(old, new)]


def test_a_change_stands_between_three_lines_of_what_stayed() -> None:
    old = "".join(f"line {n}\n" for n in range(1, 12))

    assert shown(old, old.replace("line 6\n", "LINE 6\n")) == [
        "…0 ", " 3 line 3", " 4 line 4", " 5 line 5", "-6 line 6", "+6 LINE 6", " 7 line 7", " 8 line 8", " 9 line 9",
    ]  # fmt: skip


def test_a_new_file_is_all_new() -> None:
    assert shown(None, "a\nb\n") == ["+1 a", "+2 b"]


def test_a_file_that_stayed_has_no_changes() -> None:
    assert changes("a\nb\n", "a\nb\n") == ()


def test_changes_are_counted() -> None:
    assert tally(changes("a\nb\n", "a\nc\nd\n")) == (2, 1)


def test_large_files_are_shown_without_comparing_every_line_with_every_other() -> None:
    old = "".join(f"{n}\n" for n in range(20_000))
    found = changes(old, old.replace("\n10000\n", "\nten thousand\n"))

    assert tally(found) == (1, 1)
    assert len(found) < 10


def test_an_escape_in_a_file_or_its_name_is_harmless() -> None:
    lines = list(drawn(changes("a\n", "\x1b[2J\u202e\n"), "\x1b]0;x\x07.py", 40))

    assert all(line.text.isprintable() for line in lines)
