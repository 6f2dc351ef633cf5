from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.frontends.tui.session.drawing import Growing
from holdfast.frontends.tui.session.markdown import markdown
from holdfast.frontends.tui.session.text import Line, cells

SAMPLE = """# Title

Some **bold**, *leaning*, ~~gone~~ and `code`, see [docs](https://example.org/a).

- one
  - two
- [x] done
1. first

> said **so**

```python
def f(x):
    \"\"\"doc
    \"\"\"
    return x + 1  # yes
```

| a | b |
|---|--:|
| `x|y` | 12 |

---
end"""


def texts(lines: list[Line]) -> list[str]:
    return [line.text.rstrip() for line in lines]


def styles(lines: list[Line], text: str) -> str:
    return next(span.style for line in lines for span in line.spans if span.text.strip() == text)


def test_a_text_reads_as_its_author_meant_it() -> None:
    assert texts(markdown(SAMPLE, 60)) == [
        "Title",
        "",
        "Some bold, leaning, gone and code, see docs",
        "(https://example.org/a).",
        "",
        "• one",
        "  ◦ two",
        "☑ done",
        "1. first",
        "",
        "▎ said so",
        "",
        " python",
        " def f(x):",
        '     """doc',
        '     """',
        "     return x + 1  # yes",
        "",
        "a   │  b",
        "────┼───",
        "x|y │ 12",
        "",
        "─" * 60,
        "end",
    ]


def test_emphasis_code_and_headings_have_their_own_styles() -> None:
    lines = markdown(SAMPLE, 80)

    assert "bold" in styles(lines, "bold")
    assert "italic" in styles(lines, "leaning")
    assert "strike" in styles(lines, "gone")
    assert "code" in styles(lines, "code")
    assert "heading" in styles(lines, "Title")


def test_code_has_the_colours_of_its_language_also_over_several_lines() -> None:
    lines = markdown(SAMPLE, 80)

    assert "code.keyword" in styles(lines, "return")
    assert "code.comment" in styles(lines, "# yes")
    assert "code.string" in styles(lines, '"""doc')
    assert "code.number" in styles(lines, "1")
    assert all(line.fill == "code.block" for line in lines if "def f" in line.text)


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("[your bank](https://evil.example)", "your bank (https://evil.example)"),
        ("[x](javascript:alert(1))", "x (javascript:alert(1))"),
        ("![cat](https://tracker.example/1.gif)", "[image: cat]"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        (r"\*not leaning\*", "*not leaning*"),
        ("``a ` b``", "a ` b"),
    ],
)
def test_a_link_shows_where_it_leads_and_nothing_is_fetched_or_run(source: str, seen: str) -> None:
    assert texts(markdown(source, 80)) == [seen]


def test_a_table_gives_way_where_there_is_no_room() -> None:
    lines = markdown("| name | text |\n|---|---|\n| a | " + "word " * 20 + "|", 30)

    assert all(cells(line.text) <= 30 for line in lines)
    assert sum("word" in line.text for line in lines) > 3


@pytest.mark.parametrize("width", [8, 20, 61, 100])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    assert all(cells(line.text) <= max(width, 17) for line in markdown(SAMPLE, width))


@given(st.lists(st.integers(0, len(SAMPLE)), max_size=12), st.integers(20, 80))
def test_a_text_that_grows_by_pieces_ends_as_the_whole(cuts: list[int], width: int) -> None:
    growing = Growing(width)
    lines: list[Line] | None = []
    for end in [*sorted(cuts), len(SAMPLE)]:
        lines = growing.take(SAMPLE[:end])

    assert lines is not None
    assert texts(lines) == texts(markdown(SAMPLE, width))


def test_a_text_that_was_changed_is_not_taken_for_one_that_grew() -> None:
    growing = Growing(80)
    growing.take("one\ntwo\n")

    assert growing.take("one\nTWO\nthree") is None


@given(st.text(alphabet=st.sampled_from("`*_[]()|>#-\\~ \n\tax1"), max_size=80))
def test_nothing_that_is_written_breaks_it(text: str) -> None:
    assert all(span.text.isprintable() for line in markdown(text, 40) for span in line.spans)


def test_escapes_split_over_pieces_never_come_together() -> None:
    growing = Growing(80)
    shown = ""
    for end in range(1, len("a\x1b]52;c;AAAA\x07\x1b[2Jb") + 1):
        lines = growing.take("a\x1b]52;c;AAAA\x07\x1b[2Jb"[:end])
        shown = "".join(line.text for line in lines or [])
        assert shown.isprintable()

    assert shown == "a\\x1b]52;c;AAAA\\x07\\x1b[2Jb"


@pytest.mark.slow
def test_a_message_of_a_hundred_thousand_lines_is_drawn_only_where_it_grew() -> None:
    growing = Growing(80)
    text = "some **words** of it\n" * 100_000
    first = growing.take(text)
    again = growing.take(text + "and")

    assert first is not None
    assert again is not None
    assert again[: len(first)] == first
    assert again[5] is first[5]  # not drawn again


def test_of_an_endless_line_that_is_being_written_the_end_is_seen_and_stands_still() -> None:
    growing, text = Growing(80), "word " * 8_000
    before = growing.take(text + "here")
    after = growing.take(text + "here too")

    assert before is not None
    assert after is not None
    assert before[-1].text.endswith("here")
    assert after[-1].text.endswith("too")
    assert before[:-1] == after[: len(before) - 1]
    assert "25,000 characters before this …" in after[0].text
