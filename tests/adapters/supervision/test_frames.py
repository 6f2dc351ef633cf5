"""The latest frames of a connection: whole, bounded, and without known credentials."""

from __future__ import annotations

import json
from itertools import count, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.supervision.frames import FRAME_BYTES, FRAMES, RING_BYTES, News, Ring
from holdfast.adapters.supervision.pieces import SHOWN
from holdfast.adapters.supervision.secrets import Secrets
from holdfast.domain.session import events as e
from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.supervision.town import Town

SECRET = "sk-ant-abc123xyz"


def ring() -> Ring:
    return Ring(News(), count(1).__next__, Secrets())


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.data())
def test_lines_are_the_same_in_whatever_slices_they_come(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    kept = ring()
    while whole:
        cut = data.draw(st.integers(1, len(whole)))
        kept.heard(whole[:cut], lines=True)
        whole = whole[cut:]

    assert [frame.text for frame in kept.after(0)] == [line.decode("utf-8", "replace") for line in lines if line]


def test_a_flood_and_a_line_without_an_end_take_no_more_room() -> None:
    kept = ring()
    for _ in range(1_000):
        kept.heard(b"x" * 100_000, lines=True)
    kept.heard(b"\n" + b"y\n" * 10_000 + b"unfinished", lines=True)
    kept.said(b"z" * 10_000_000)
    kept.heard(b"m" * 10_000_000, lines=False)
    kept.broken_off()
    frames = kept.after(0)

    assert len(frames) <= FRAMES
    assert sum(len(frame.text) for frame in frames) <= RING_BYTES
    assert [(frame.text[0], len(frame.text), frame.size_bytes) for frame in frames[-3:]] == [
        ("z", FRAME_BYTES, 10_000_000),
        ("m", FRAME_BYTES, 10_000_000),
        ("u", 10, 10),
    ]
    assert kept.after(frames[-2].number) == frames[-1:]


def test_who_listens_hears_of_each_frame_until_it_has_had_enough() -> None:
    news = News()
    kept, heard = Ring(news, count(1).__next__, Secrets()), [0]

    def listener() -> None:
        heard[0] += 1

    stop = news.listen(listener)
    kept.heard(b"one\ntwo\nthr", lines=True)
    kept.said(b"answer\n")
    stop()
    kept.said(b"more\n")

    assert heard == [3]


def chunk(text: str) -> bytes:
    """A message in which an agent says a piece of a text."""
    content = {"type": "text", "text": text}
    update = {"sessionUpdate": "agent_message_chunk", "content": content}
    return json.dumps({"method": "session/update", "params": {"sessionId": "s", "update": update}}).encode() + b"\n"


def texts(kept: Ring) -> list[str]:
    return [json.loads(each.text)["params"]["update"]["content"]["text"] for each in kept.after(0)]


@given(st.sets(st.integers(1, len(SECRET) - 1), min_size=1), st.integers(0, 10))
def test_of_a_value_that_comes_in_pieces_only_the_first_letters_are_seen(cuts: set[int], between: int) -> None:
    kept = Ring(News(), count(1).__next__, Secrets([SECRET]))
    edges = [0, *sorted(cuts), len(SECRET)]
    pieces = [SECRET[begin:end] for begin, end in pairwise(edges)]
    pieces[0], pieces[-1] = f"the key is {pieces[0]}", f"{pieces[-1]}, I think"
    for number, piece in enumerate(pieces):
        kept.heard(chunk(piece), lines=True)
        if number == 0:
            kept.heard(chunk("something else") * between, lines=True)

    shown = "".join(text for text in texts(kept) if text != "something else")
    assert len(shown) == len(f"the key is {SECRET}, I think")
    assert SECRET[SHOWN:] not in shown
    assert shown in {f"the key is {SECRET[:at].ljust(len(SECRET), '*')}, I think" for at in range(SHOWN + 1)}


def test_what_only_looks_like_a_piece_of_a_value_is_shown() -> None:
    kept = Ring(News(), count(1).__next__, Secrets([SECRET, "short"]))
    said = ["sk-", "antique", "the rest: k-ant-abc123xyz", "123xyz", "short", "", "s", "k", "so it ends in sk-"]
    for text in said:
        kept.heard(chunk(text), lines=True)

    assert texts(kept) == said


@pytest.mark.slow
async def test_what_an_agent_and_the_daemon_said_is_there_without_secrets(town: Town, tmp_path: Path) -> None:
    town.secrets = Secrets([SECRET])
    cut = [{"say": f"in two: {SECRET[:7]}"}, {"say": f"{SECRET[7:]}, you see"}]
    agent = Scripted(tmp_path, prompts=[[{"say": f"the key is {SECRET}, I think"}, *cut]])
    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, f"my key is {SECRET}")
        await daemon.saw(session, e.TurnEnded)
        frames = daemon.keeping.frames(session)
        later = daemon.keeping.frames(session, after=frames[-1].number)

    said = [(frame.direction, json.loads(frame.text).get("method")) for frame in frames]
    assert said[0] == ("out", "initialize")
    assert ("out", "session/new") in said
    assert ("out", "session/prompt") in said
    assert ("in", "session/update") in said
    assert SECRET not in "".join(frame.text for frame in frames)
    assert "the key is ****" in "".join(frame.text for frame in frames if frame.direction == "in")
    assert SECRET[7:] not in "".join(frame.text for frame in frames)
    assert list(later) == []
