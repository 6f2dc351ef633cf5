from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.frontends.tui.session.listing import Listing
from holdfast.frontends.tui.session.rows import rows

if TYPE_CHECKING:
    from holdfast.frontends.tui.session.items import Json


def item(place: int, kind: str = "message", **more: object) -> Json:
    at = f"2026-11-{1 + place // 40:02}T07:00:00.000Z"
    return {"id": f"i{place}", "kind": kind, "at": at, "ordinal": place, "position": place, "role": "assistant", **more}


def tool(place: int, status: str = "completed") -> Json:
    return item(place, "tool_call", status=status, title=f"tool {place}")


def view(*items: Json) -> dict[str, Json]:
    return {str(each["id"]): each for each in items}


def taken(*items: Json, before: str | None = None) -> Listing:
    listing = Listing()
    listing.take(view(*items), view(*items), before)
    return listing


def kinds(listing: Listing) -> list[str]:
    return [f"{row.kind} {len(row.ids)}" if row.kind == "tools" else row.kind for row in listing.rows]


def test_three_silent_tools_become_one_row_and_two_do_not() -> None:
    assert kinds(taken(tool(1), tool(2), tool(3), item(4))) == ["day", "tools 3", "item"]
    assert kinds(taken(tool(1), tool(2), item(3))) == ["day", "item", "item", "item"]


def test_running_and_failed_tools_stay_open() -> None:
    listing = taken(tool(1), tool(2), tool(3, "failed"), tool(4), tool(5), tool(6, "in_progress"))

    assert kinds(listing) == ["day", *["item"] * 6]


def test_a_tool_that_ends_joins_the_run_before_it() -> None:
    known = view(tool(1), tool(2), tool(3, "in_progress"))
    listing = Listing()
    listing.take(known, known, None)
    known["i3"] = tool(3) | {"position": 9}

    listing.take(known, ["i3"], None)

    assert kinds(listing) == ["day", "tools 3"]


def test_the_line_of_what_is_new_stands_below_what_was_read_and_splits_a_run() -> None:
    listing = taken(tool(1), tool(2), tool(3), tool(4), item(5))
    listing.read_up_to("i3")

    assert kinds(listing) == ["day", "tools 3", "unread", "item", "item"]


def test_there_is_no_such_line_below_the_newest_item_until_another_one_comes() -> None:
    known = view(item(1), item(2))
    listing = Listing()
    listing.take(known, known, None)
    listing.read_up_to("i2")
    before = kinds(listing)
    known["i3"] = item(3)
    listing.take(known, ["i3"], None)

    assert before == ["day", "item", "item"]
    assert kinds(listing) == ["day", "item", "item", "unread", "item"]


def test_who_speaks_is_said_where_that_changes() -> None:
    listing = taken(item(1, role="user"), item(2), item(3), item(4, "notice"), item(5))

    assert [row.speaks for row in listing.rows if row.kind == "item"] == [True, True, False, False, True]


def test_a_page_above_joins_what_is_there() -> None:
    listing = taken(tool(3), tool(4), item(5), before="3")

    listing.older([item(1), tool(2)], None)

    assert kinds(listing) == ["day", "item", "tools 3", "item"]
    assert listing.before is None


def test_an_older_state_of_an_item_changes_nothing() -> None:
    known = view(item(1, text="new") | {"position": 5})
    listing = Listing()
    listing.take(known, known, None)

    listing.take(view(item(1, text="old") | {"position": 2}), ["i1"], None)

    assert listing.get("i1")["text"] == "new"


def test_a_snapshot_after_an_absence_keeps_what_is_above_where_the_two_meet() -> None:
    listing = taken(*(item(n) for n in range(1, 6)), before="1")
    later = view(*(item(n) for n in range(4, 9)))

    listing.take(later, later, "4")

    assert [each["id"] for each in listing.items()] == [f"i{n}" for n in range(1, 9)]
    assert listing.before == "1"


def test_a_snapshot_that_does_not_meet_what_is_here_begins_anew() -> None:
    listing = taken(*(item(n) for n in range(1, 6)), before="1")
    later = view(*(item(n) for n in range(20, 23)))

    listing.take(later, later, "20")

    assert [each["id"] for each in listing.items()] == ["i20", "i21", "i22"]
    assert listing.before == "20"


def test_an_erased_session_is_empty() -> None:
    listing = taken(item(1), item(2))
    listing.take({}, ["i1", "i2"], None)

    assert not listing.rows


def test_items_that_do_not_tell_their_place_stay_in_their_order() -> None:
    asked = {key: value for key, value in item(1, "permission").items() if key != "ordinal"} | {"position": 9}
    said = {key: value for key, value in item(2).items() if key != "ordinal"}

    assert [each["id"] for each in taken(asked, said).items()] == ["i1", "i2"]


_DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.sampled_from(["message", "tool_call", "notice", "thought"]), st.booleans()),
        st.tuples(st.just("turn"), st.integers(0, 30), st.booleans()),
        st.tuples(st.just("page"), st.integers(1, 5), st.booleans()),
        st.tuples(st.just("read"), st.integers(0, 30), st.booleans()),
    ),
    max_size=25,
)


@settings(max_examples=150)
@given(_DEEDS)
def test_rows_that_were_changed_are_those_that_would_be_made_anew(deeds: list[tuple[str, object, bool]]) -> None:
    first, position = 1_000, 1_000
    known = view(tool(first))
    listing = Listing()
    listing.take(known, known, "more")
    unread = None
    for name, what, flag in deeds:
        position += 1
        ids = [str(each["id"]) for each in listing.items()]
        if name == "new":
            made = item(position, str(what), status="completed" if flag else "failed")
            known[str(made["id"])] = made
            listing.take(known, [str(made["id"])], "more")
        elif name == "turn":
            turned = ids[int(str(what)) % len(ids)]
            if turned in known:
                known[turned] = known[turned] | {"status": "completed" if flag else "failed", "position": position}
                listing.take(known, [turned], "more")
        elif name == "page":
            size = int(str(what))
            page = [tool(first - size + n) if flag else item(first - size + n) for n in range(size)]
            first -= size
            listing.older(page, "more")
        else:
            unread = ids[int(str(what)) % len(ids)] if flag else None
            listing.read_up_to(unread)

    ids = [str(each["id"]) for each in listing.items()]
    anew = rows(ids, listing.get, 0, len(ids), unread_after=unread, first=listing.rows[0].place)
    assert listing.rows == anew
    assert len(listing.geometry) == len(anew)
    for at, row in enumerate(anew):
        assert row.kind != "item" or listing.row_of(row.ids[0]) == at
        assert row.kind == "unread" or listing.find(row.key) == at
