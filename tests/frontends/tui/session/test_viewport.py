from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.frontends.tui.session.drawing import Scene
from holdfast.frontends.tui.session.viewport import Viewport

if TYPE_CHECKING:
    from holdfast.frontends.tui.session.items import Json


def message(place: int, lines: int = 1, **more: object) -> Json:
    text = "\n\n".join(f"m{place}.{line}" for line in range(lines))
    return {
        "id": f"i{place}", "kind": "message", "role": "assistant", "at": "2026-11-21T07:00:00.000Z",
        "ordinal": place, "position": place, "text": text, **more,
    }  # fmt: skip


def viewport(*items: Json, height: int = 10, before: str | None = None) -> tuple[Viewport, dict[str, Json]]:
    known = {str(each["id"]): each for each in items}
    made = Viewport(Scene(60))
    made.height = height
    made.take(known, known, before)
    return made, known


def seen(made: Viewport) -> list[str]:
    return [line.text for line, _ in made.shown() if line.text]


def test_it_opens_at_the_end_and_stays_there() -> None:
    made, known = viewport(*(message(n) for n in range(50)))
    assert seen(made)[-1] == "m49.0"

    known["i50"] = message(50)
    made.take(known, ["i50"], None)

    assert seen(made)[-1] == "m50.0"
    assert made.at_end


def test_what_is_read_stays_where_it_is_while_more_comes_below_and_above() -> None:
    made, known = viewport(*(message(n) for n in range(100, 150)), before="100")
    made.shown()
    made.move(-30)
    before = seen(made)

    known["i150"] = message(150, 9)
    made.take(known, ["i150"], "100")
    made.older([message(n, 1 + n % 7) for n in range(50, 100)], "50")

    assert seen(made) == before


def test_heights_that_were_guessed_wrong_do_not_move_what_is_read() -> None:
    made, _ = viewport(*(message(n, 1 + n % 5) for n in range(100)))
    made.shown()
    for _ in range(40):
        before = seen(made)
        made.move(-1)
        after = seen(made)
        assert after[-1] in before[-2:] or after[1:] == before[: len(after) - 1]


def test_scrolling_down_reaches_the_end_and_follows_again() -> None:
    made, _ = viewport(*(message(n, 1 + n % 5) for n in range(100)))
    made.shown()
    made.move(-200)
    made.shown()
    for _ in range(300):
        made.move(3)
        made.shown()

    assert made.follow
    assert seen(made)[-1].startswith("m99.")


def test_only_rows_that_were_seen_are_drawn() -> None:
    made, _ = viewport(*(message(n) for n in range(50_000)))
    made.shown()
    made.jump("i20000")
    made.shown()

    assert seen(made)[0].startswith("m199")
    assert len(made.remembered) < 40


def test_a_message_that_is_written_has_a_cursor_and_grows() -> None:
    made, known = viewport(message(1))
    made.streaming("i1")
    assert seen(made)[-1] == "m1.0█"

    known["i1"]["text"] = "m1.0 and more"
    known["i1"]["position"] = 2
    made.take(known, ["i1"], None)

    assert seen(made)[-1] == "m1.0 and more█"
    made.streaming(None)
    assert seen(made)[-1] == "m1.0 and more"


def test_another_width_keeps_the_place() -> None:
    made, _ = viewport(*(message(n, text=f"m{n}.0 " + "word " * 40) for n in range(200)))
    made.jump("i100", above=0)
    first = next(text for text in seen(made) if text.startswith("m"))
    made.resize(30, 10)

    assert next(text for text in seen(made) if text.startswith("m")).split()[0] == first.split()[0]


def test_unfolding_shows_a_part_then_all_then_nothing() -> None:
    output = "\n".join(f"line {n}" for n in range(40))
    use: Json = {"id": "t", "kind": "tool_call", "title": "run", "status": "completed", "output": output, "position": 1}
    made, _ = viewport(use, height=80)
    at = made.listing.row_of("t")
    assert at is not None
    counts: list[int] = []
    for _ in range(3):
        made.unfold(at)
        counts.append(sum("│ line" in text for text in seen(made)))

    assert counts == [16, 40, 0]


def test_prompts_are_gone_through_one_by_one() -> None:
    roles = ["user" if n % 10 == 0 else "assistant" for n in range(40)]
    made, _ = viewport(*(message(n, role=role) for n, role in enumerate(roles)))
    made.shown()
    found: list[str] = []
    for way in (-1, -1, 1):
        at = made.prompt(way)
        assert at is not None
        made.hold(at)
        made.shown()
        found.append(made.listing.rows[at].key)

    assert found == ["i30", "i20", "i30"]
