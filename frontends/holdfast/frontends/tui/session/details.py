"""What stands below a session beside its row, folded from the few events that tell it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from holdfast.frontends.tui.session import items

if TYPE_CHECKING:
    from holdfast.frontends.tui.session.items import Json

TYPES: Final = (
    "usage-reported",
    "info-changed",
    "read-up-to",
    "turn-started",
    "turn-ended",
    "turn-interrupted",
    "turn-unknown",
    "queue-resumed",
    "prompt-queued",
    "prompt-edited",
    "prompt-withdrawn",
    "prompt-sent",
    "prompt-failed",
)


class Details(Struct):
    """What was told.

    Attributes:
        used: Tokens in the context window; 0 where nobody says.
        size: Tokens that fit into it.
        cost: What the session cost, as its agent says it.
        held: Whether the queue waits for a word after an interruption.
        queue: Grows when the queue changes.
        read: Where the log says that the person had seen everything.
        turn_at: When the open turn began, ISO 8601.
    """

    used: int = 0
    size: int = 0
    cost: str = ""
    held: bool = False
    queue: int = 0
    read: int = 0
    turn_at: str = ""

    def take(self, event: Json) -> None:
        """Go on by one event."""
        data = event.get("data")
        given = cast("Json", data) if isinstance(data, dict) else {}
        match event.get("type"):
            case "usage-reported":
                if items.number(given, "context_size"):
                    self.used, self.size = items.number(given, "context_used"), items.number(given, "context_size")
                self.cost = items.text(given, "cost") or self.cost
            case "read-up-to":
                self.read = items.number(event, "position")
            case "turn-started":
                self.turn_at, self.held = items.text(event, "recorded_at"), False
            case "turn-ended":
                self.turn_at = ""
            case "turn-interrupted" | "turn-unknown":
                self.turn_at, self.held = "", True
            case "queue-resumed":
                self.held = False
                self.queue += 1
            case str() as kind if kind.startswith("prompt-"):
                self.queue += 1
            case _:
                pass
