"""Did the agent get it? What is known about something written, and what follows from it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from holdfast.adapters.supervision.host.folder import Status

Place = Literal["queued", "unread", "read"]
"""How far something written came: not into the pipe, into it but not out of it, or, at least in part, out of it."""

Outcome = Literal["send", "wait", "not_delivered", "unknown", "interrupted"]
"""What is to be done or said about it.

`send`: it was never accepted, and can be. `wait`: the agent has it or will. `not_delivered`: the agent surely never saw
it; it may be sent again after saying so. `unknown`: it may have been read. `interrupted`: it was being answered.
"""


class Facts(Struct, frozen=True):
    """What is known about something that was to be written to an agent.

    Attributes:
        host: `alive`; `ended`: it wrote its last status before it went; `dead`: it was killed, or its machine was.
        agent_alive: Whether the agent lives, by the host's word.
        place: Where it is, None if the host never accepted it.
        seen: Whether anything in the spool answers it: an update or the response.
    """

    host: Literal["alive", "ended", "dead"]
    agent_alive: bool
    place: Place | None
    seen: bool


def judge(facts: Facts) -> Outcome:
    """Return what became of it, as far as that can be known. Nothing that may have been read is ever sent again."""
    match facts:
        case Facts(host="dead", seen=seen):
            return "interrupted" if seen else "unknown"
        case Facts(agent_alive=True, place=None, seen=False):
            return "send"
        case Facts(agent_alive=True):
            return "wait"
        case Facts(seen=True):
            return "interrupted"
        case Facts(place="read"):
            return "unknown"
        case _:
            return "not_delivered"


def place(status: Status, key: str) -> Place | None:
    """Return how far a key came; the status must have been asked about it."""
    span = status.keys[key]
    if span is None:
        return None
    start, _ = span
    if start >= status.piped:
        return "queued"
    # Read only in part is read: an agent may act on half a message, and none of it can be taken back.
    return "unread" if start >= status.piped - status.unread else "read"
