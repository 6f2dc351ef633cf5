from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, json

from holdfast.adapters.supervision.coalesce import PIECE_LIMIT, Coalescer, Entry
from holdfast.domain.recorded import Source, StreamId
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.domain.session.facts import Fact

A, B = StreamId("a"), StreamId("b")
HOST = bytes(8)


def at(offset: int) -> Source:
    return Source(HOST, offset)


def text(words: str, item_id: str = "t1.1", thread: str | None = None) -> e.TextAppended:
    return e.TextAppended(item_id, words, thread)


def gathered(*frames: tuple[StreamId, list[Fact]]) -> list[Entry]:
    queue = Coalescer()
    for number, (session, facts) in enumerate(frames, 1):
        queue.add(session, facts, at(number))
    return queue.take()


def test_pieces_of_one_text_become_one_up_to_the_last_frame() -> None:
    assert gathered((A, [text("I ")]), (A, [text("will ")]), (A, [text("do")])) == [
        Entry(A, [text("I will do")], at(3))
    ]


def test_what_comes_in_between_parts_them() -> None:
    plan = e.ModeChanged("plan")

    assert gathered((A, [text("I ")]), (A, [plan, text("will ")]), (A, [text("do")])) == [
        Entry(A, [text("I "), plan, text("will do")], at(3))
    ]


def test_other_items_other_threads_and_other_kinds_are_not_mixed() -> None:
    thought = e.ThoughtAppended("t1.1", "x")

    ((entry),) = gathered((A, [text("x")]), (A, [thought]), (A, [text("x", "t1.2")]), (A, [text("x", "t1.2", "side")]))

    assert entry.facts == [text("x"), thought, text("x", "t1.2"), text("x", "t1.2", "side")]


def test_no_frame_of_another_session_is_overtaken() -> None:
    entries = gathered((A, [text("1")]), (B, [text("2")]), (A, [text("3")]))

    assert [(entry.session_id, entry.source and entry.source.offset) for entry in entries] == [(A, 1), (B, 2), (A, 3)]


def test_what_was_taken_does_not_grow() -> None:
    queue = Coalescer()
    queue.add(A, [text("1")], at(1))
    taken = queue.take()
    queue.add(A, [text("2")], at(2))

    assert taken == [Entry(A, [text("1")], at(1))]
    assert queue.take() == [Entry(A, [text("2")], at(2))]
    assert queue.take() == []


def test_frames_without_facts_leave_no_trace() -> None:
    queue = Coalescer()
    queue.add(A, [], at(1))

    assert len(queue) == 0


def test_pieces_stay_pieces_beyond_a_size() -> None:
    piece: list[Fact] = [text("x" * 30_000)]
    ((entry),) = gathered(*((A, piece) for _ in range(9)))

    lengths = [len(fact.text) for fact in entry.facts if isinstance(fact, e.TextAppended)]
    assert sum(lengths) == 270_000
    assert max(lengths) <= PIECE_LIMIT + 30_000


def test_it_is_full_once_it_holds_enough() -> None:
    queue = Coalescer(limit_bytes=10_000)
    queue.add(A, [text("x" * 5000)], at(1))
    half = queue.full
    queue.add(A, [text("x" * 5000)], at(2))
    whole = queue.full
    queue.take()

    assert (half, whole, queue.full) == (False, True, False)


def test_the_incarnations_of_an_agent_are_not_mixed() -> None:
    queue = Coalescer()
    queue.add(A, [text("1")], at(1))
    queue.add(A, [text("2")], Source(b"another!", 1))

    assert len(queue.take()) == 2


FACTS = st.one_of(
    st.builds(text, st.text(max_size=3), st.sampled_from(["i", "j"])),
    st.builds(e.ThoughtAppended, st.just("i"), st.text(max_size=3)),
    st.just(e.ModeChanged("plan")),
)
FRAMES = st.lists(st.tuples(st.sampled_from([A, B]), st.lists(FACTS, max_size=3)), max_size=30)


def flat(frames: Sequence[tuple[StreamId | None, list[Fact]]], session: StreamId) -> list[tuple[object, ...]]:
    """Each character with the item it belongs to, and everything else, in order."""
    found: list[tuple[object, ...]] = []
    for name, facts in frames:
        for fact in facts if name == session else ():
            if isinstance(fact, e.TextAppended | e.ThoughtAppended):
                found += [(type(fact), fact.item_id, character) for character in fact.text]
            else:
                found.append((fact,))
    return found


@given(FRAMES, st.sets(st.integers(0, 30)))
def test_nothing_is_lost_doubled_or_moved(frames: list[tuple[StreamId, list[Fact]]], taken_at: set[int]) -> None:
    queue = Coalescer()
    entries: list[Entry] = []
    for number, (session, facts) in enumerate(frames):
        queue.add(session, facts, at(number))
        if number in taken_at:
            entries += queue.take()
    entries += queue.take()

    appended = [(entry.session_id, entry.facts) for entry in entries]
    assert flat(appended, A) == flat(frames, A)
    assert flat(appended, B) == flat(frames, B)
    offsets = [entry.source.offset for entry in entries if entry.source is not None]
    assert offsets == sorted(offsets)


def test_lines_that_are_no_messages_are_kept_together_word_for_word() -> None:
    queue = Coalescer()
    for number, line in enumerate(['"y"', '"y"', '"\\u00fc \\"z\\""']):
        queue.add(A, [e.RawReceived(f"t1.{number}", "garbage: no JSON", Raw(line.encode()))], at(number))
    queue.add(A, [e.RawReceived("t1.9", "garbage: too deep", Raw(b'"["'))], at(3))
    queue.add(A, [e.RawReceived("t1.10", "garbage: too deep", Raw(b"[1]"))], at(4))

    (entry,) = queue.take()

    assert [(fact.item_id, json.decode(fact.body)) for fact in entry.facts if isinstance(fact, e.RawReceived)] == [
        ("t1.0", 'y\ny\nü "z"'),
        ("t1.9", "["),
        ("t1.10", [1]),
    ]
    assert entry.source == at(4)
