"""What a transcript shows, row by row: items, folded runs of silent tools, days, and where the reader left off.

Rows are made anew only where something changed: 100,000 of them may be open.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from holdfast.frontends.tui.session.items import moment, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.frontends.tui.session.items import Json

FOLDED: Final = 3
"""So many silent uses of tools, one after the other, become one row."""

RowKind = Literal["item", "tools", "day", "unread"]


class Row(NamedTuple):
    """One row.

    Attributes:
        key: Its name, the same as long as it is about the same.
        kind: What it is.
        ids: The items that it shows; for a day or the unread line, the item that follows, or that came before.
        speaks: Whether somebody else spoke before: then it says who.
        apart: Whether a line is left free above it.
        place: The number of its item, counted from any other; for the unread line, that of the last one read.
    """

    key: str
    kind: RowKind
    ids: tuple[str, ...]
    speaks: bool = False
    apart: bool = True
    place: int = 0


class _Before(NamedTuple):
    """What a row depends on beside its item: what came before."""

    day: str = ""
    speaker: str = ""
    small: bool = False
    """Whether the row before was one of those that stand close together."""


def silent(item: Json) -> bool:
    """Whether it is a use of a tool that worked, and about which nobody has to know."""
    return item.get("kind") == "tool_call" and item.get("status") == "completed"


def rows(
    ids: Sequence[str],
    get: Callable[[str], Json],
    begin: int,
    end: int,
    *,
    unread_after: str | None = None,
    first: int = 0,
) -> list[Row]:
    """Return the rows of the items from `begin` to `end`.

    Args:
        ids: All items, in order.
        get: Gives an item.
        begin: The first one; not in the middle of a run of silent tools.
        end: The one after the last.
        unread_after: The last item that was read; None where there is no such line.
        first: The number of the first of all items.
    """
    shown: list[Row] = []
    day, speaker, close = _before(get(ids[begin - 1]), ids[begin - 1] == unread_after) if begin else _Before()
    at = begin
    while at < end:
        item_id = ids[at]
        item = get(item_id)
        today = _date(text(item, "at")[:15])
        if today != day:
            day, speaker, close = today, "", False
            shown.append(Row(f"day {item_id}", "day", (item_id,), place=first + at))
        says = _speaker(item)
        speaks = bool(says) and says != speaker
        small = _small(item)
        apart = speaks or not (small and close)
        last = at
        if silent(item):
            while last + 1 < end and ids[last] != unread_after and _goes_on(get(ids[last + 1]), today):
                last += 1
        if last - at + 1 >= FOLDED:
            run = tuple(ids[at : last + 1])
            shown.append(Row(f"tools {item_id}", "tools", run, speaks, apart, first + at))
        else:
            last = at
            shown.append(Row(item_id, "item", (item_id,), speaks, apart, first + at))
        speaker, close = says, small
        if ids[last] == unread_after and last + 1 < len(ids):
            shown.append(Row("unread", "unread", (ids[last],), place=first + last))
            speaker, close = "", False
        at = last + 1
    return shown


def day_of(item: Json) -> str:
    """Return the day of an item in words."""
    when = moment(item)
    return "" if when is None else f"{when:%A} {when.day} {when:%B %Y}"


def _goes_on(item: Json, today: str) -> bool:
    """Whether an item belongs to the run of silent tools before it."""
    return silent(item) and _date(text(item, "at")[:15]) == today


def _before(item: Json, unread: bool) -> _Before:
    today = _date(text(item, "at")[:15])
    return _Before(today) if unread else _Before(today, _speaker(item), _small(item))


def _small(item: Json) -> bool:
    return item.get("kind") in ("tool_call", "thought")


@lru_cache(maxsize=4_096)
def _date(ten_minutes: str) -> str:
    """Return the day where the person is; zones differ by quarters of an hour, and no day begins within one."""
    try:
        return f"{datetime.fromisoformat(f'{ten_minutes}0:00+00:00').astimezone():%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return ten_minutes[:10]


def _speaker(item: Json) -> str:
    match item.get("kind"):
        case "notice" | "permission":
            return ""
        case "message" if item.get("role") == "user":
            return f"user {text(item, 'author')}"
        case _:
            return f"agent {text(item, 'author')} {text(item, 'thread')}"
