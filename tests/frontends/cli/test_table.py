from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.frontends.cli.cells import width
from holdfast.frontends.cli.table import Column, table
from holdfast.frontends.cli.terminal import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.frontends.cli.terminal import Line

COLUMNS = [
    Column("STATUS", [Span("working"), Span("idle")]),
    Column("NAME", [Span("a name that is rather long"), Span("short")], least=8),
    Column("EMPTY", [Span(""), Span("")]),
    Column("FOLDER", [Span("/a/folder"), Span("/b")], least=6, rank=2),
    Column("AGE", [Span("5m"), Span("12h")], rank=1, right=True),
]


def texts(lines: Iterable[Line]) -> list[str]:
    return ["".join(part if isinstance(part, str) else part.text for part in line) for line in lines]


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert texts(table(COLUMNS, None)) == [
        "STATUS   NAME                        FOLDER     AGE",
        "working  a name that is rather long  /a/folder   5m",
        "idle     short                       /b         12h",
    ]


def test_flexible_columns_give_way_first() -> None:
    assert texts(table(COLUMNS, 40)) == [
        "STATUS   NAME             FOLDER     AGE",
        "working  a name that is…  /a/folder   5m",
        "idle     short            /b         12h",
    ]


def test_then_the_least_important_columns_go() -> None:
    assert texts(table(COLUMNS, 24)) == [
        "STATUS   NAME        AGE",
        "working  a name th…   5m",
        "idle     short       12h",
    ]
    assert texts(table(COLUMNS, 18)) == ["STATUS   NAME", "working  a name t…", "idle     short"]


def test_no_line_is_longer_than_the_terminal_while_columns_can_go() -> None:
    for limit in range(17, 60):
        assert all(width(line) <= limit for line in texts(table(COLUMNS, limit)))


def test_a_cell_stays_on_its_line() -> None:
    assert texts(table([Column("NAME", [Span("a\nb\x1b[2J")])], None)) == ["NAME", "a b\\x1b[2J"]
