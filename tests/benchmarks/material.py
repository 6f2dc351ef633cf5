"""What is written and read: pieces of text of 120 bytes, a conversation around them, a transcript file."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Raw

from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import now_us
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.content import of_text
from holdfast.domain.recorded import Recorded, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, record
from holdfast.domain.session.state import OWNER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.adapters.storage.store import RosterRow, Store
    from holdfast.domain.session.facts import Fact

TEXT: Final = (
    "The agent says one hundred and twenty bytes at a time, as long as it takes"
    " to say them all, and then it goes on talking."
)
"""120 bytes, the size of a piece of text that the goals are about."""

BATCH: Final = 1_000
_PIECES_A_MESSAGE: Final = 80


def new_session() -> StreamId:
    """Return the name of a session that nobody has used."""
    return StreamId(str(uuid.uuid4()))


def piece(session: StreamId, version: int) -> Recorded:
    """Return the one event of a command: more text of a message."""
    return Recorded(session, version, new_event_id(), now_us(), e.TextAppended(f"m{version // 100}", TEXT))


def turn(number: int) -> list[Fact]:
    """Return a hundred facts of one turn: asked, thought about, tried out, and mostly said."""
    name = str(number)
    facts: list[Fact] = [
        e.PromptQueued(f"p{name}", of_text("What does it say now?")),
        e.TurnStarted(f"t{name}", f"p{name}"),
        e.PromptSent(f"p{name}", of_text("What does it say now?")),
        e.PromptAccepted(f"p{name}"),
        *(e.ThoughtAppended(f"i{name}", TEXT) for _ in range(8)),
    ]
    for tool in range(3):
        item = f"c{name}-{tool}"
        facts.append(e.ToolCalled(item, item, "ls", "execute", "in_progress", Raw(b'{"command":"ls -l"}')))
        facts.append(e.ToolUpdated(item, item, status="completed", output=of_text(TEXT)))
    facts += [e.TextAppended(f"m{name}", TEXT) for _ in range(_PIECES_A_MESSAGE)]
    facts.append(e.UsageReported("message", f"m{name}", 1_000, 200, 0, 5_000))
    facts.append(e.TurnEnded(f"t{name}", "end_turn"))
    return facts


def created(session: StreamId) -> Session:
    """Return a session with a name and a first message, as a list shows most of them."""
    facts = (
        beginning(f"Tides of {session[:8]}"),
        *turn(1)[:20],
        *turn(1)[-2:],
    )
    return fold(Session(session), record(Session(session), facts, now()))


def row_of(session: StreamId) -> RosterRow:
    """Return the row that a list shows of such a session, made by the real fold."""
    return roster_row(created(session))


def talk(store: Store, session: StreamId, events: int) -> None:
    """Append pieces of text alone, a batch at a time."""
    for start in range(0, events, BATCH):
        versions = range(start + 1, min(start + BATCH, events) + 1)
        store.append_now([piece(session, version) for version in versions], row_of(session))


def converse(store: Store, session: StreamId, events: int) -> Session:
    """Append whole turns until the session has `events` of them, and return what became of it."""
    after = Session(session)
    for facts in _conversation(events):
        happened = record(after, facts, now())
        after = fold(after, happened)
        store.append_now(happened, roster_row(after))
    return after


def _conversation(events: int) -> Iterator[list[Fact]]:
    yield [beginning("Tides")]
    left = events - 1
    number = 0
    while left > 0:
        number += 1
        facts = turn(number)[:left]
        left -= len(facts)
        yield facts


def beginning(title: str) -> Fact:
    """Return the first fact of a session."""
    return e.SessionCreated(transport="acp", agent="claude", cwd="/srv/tidewatch", owner=OWNER, title=title)


def now() -> Context:
    """Return what facts of this moment are recorded with."""
    return Context(now_us(), new_event_id)


def write_transcript(path: Path, size: int) -> int:
    """Write a transcript of another tool of about `size` bytes and return its size."""
    with path.open("w") as file:
        number = 0
        while file.tell() < size:
            number += 1
            for line in _exchange(number):
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
    return path.stat().st_size


def _exchange(number: int) -> Iterator[dict[str, object]]:
    said = " ".join([TEXT] * 8)
    yield _line("user", number, 0, {"role": "user", "content": f"Question {number}: {TEXT}"})
    blocks: tuple[dict[str, object], ...] = (
        {"type": "thinking", "thinking": said, "signature": "c2lnbmVk"},
        {"type": "tool_use", "id": f"use_{number}", "name": "Bash", "input": {"command": "ls -l"}},
        {"type": "text", "text": said},
    )
    for place, block in enumerate(blocks, 1):
        yield _line("assistant", number, place, _answer(number, block))
    result = {"type": "tool_result", "tool_use_id": f"use_{number}", "content": "\n".join([TEXT] * 20)}
    yield _line("user", number, 4, {"role": "user", "content": [result]})


def _answer(number: int, block: dict[str, object]) -> dict[str, object]:
    usage = {"input_tokens": 9, "output_tokens": 212, "cache_creation_input_tokens": 512, "cache_read_input_tokens": 0}
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [block],
        "stop_reason": None,
        "usage": usage,
    }


def _line(kind: str, number: int, place: int, message: dict[str, object]) -> dict[str, object]:
    at = datetime(2026, 2, 3, tzinfo=UTC) + timedelta(seconds=number, milliseconds=place)
    return {
        "parentUuid": None,
        "isSidechain": False,
        "type": kind,
        "uuid": str(uuid.UUID(int=number * 8 + place)),
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "userType": "external",
        "cwd": "/srv/tidewatch",
        "sessionId": "0b2f6a5e-51c3-4d0e-9d5e-7f6a1c2b3d4e",
        "version": "2.1.197",
        "gitBranch": "main",
        "message": message,
    }
