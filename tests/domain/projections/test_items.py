from __future__ import annotations

import pytest

from holdfast.domain.projections.items import Append, Clear, Item, Put, apply


def test_text_grows_by_pieces_that_are_joined_when_somebody_reads_it() -> None:
    items = {"i1": Item("i1", "message", text="One", length=3)}

    apply(items, Append("i1", 3, " two", 7))
    apply(items, Append("i1", 7, " three", 8))

    item = items["i1"]
    assert (item.text, item.length, item.position) == ("One", 13, 8)
    assert item.settled() is item
    assert (item.text, item.tail) == ("One two three", [])
    assert item.settled().text == "One two three"


def test_an_item_that_is_replaced_keeps_its_place() -> None:
    items: dict[str, Item] = {}
    for name in ("i1", "i2"):
        apply(items, Put(Item(name, "message")))

    changed = Put(Item("i1", "message", text="again"))
    apply(items, changed)

    assert list(items) == ["i1", "i2"]
    assert items[changed.item_id].text == "again"


def test_clearing_leaves_nothing() -> None:
    items = {"i1": Item("i1", "message")}

    apply(items, Clear())

    assert items == {}


def test_nothing_can_be_added_to_an_item_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        apply({}, Append("i1", 0, "x", 1))
