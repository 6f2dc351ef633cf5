"""What an agent repeats while it takes a session up again: counted and compared with the log, never appended."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from holdfast.adapters.transports.acp.protocol.wire import Block, Update, parsed

RECENT: Final = 4
REMEMBERED: Final = 1 << 16
"""Characters of a message that are remembered and compared."""


class Expected(Struct, frozen=True):
    """What the log says should be in a replay: how many messages of the person, and how the last one reads."""

    prompts: int
    last_prompt: str | None = None


class Replay(Struct):
    """What was repeated.

    Attributes:
        updates: Updates of the conversation's history.
        prompts: Messages of the person, as the agent counts them.
        recent: Texts of the latest ones.
        tools: Uses of tools, by the agent's ids.
    """

    updates: int = 0
    prompts: int = 0
    recent: list[str] = []
    tools: set[str] = set()
    _message_id: str | None = None
    _person: bool = False

    def take(self, update: Update) -> None:
        """Count one more update."""
        self.updates += 1
        block = parsed(Block, update.content)
        text = (block.text or "") if block is not None else ""
        match update.session_update:
            case "user_message_chunk":
                if not self._person or update.message_id != self._message_id:
                    self.prompts += 1
                    self.recent = [*self.recent[1 - RECENT :], ""]
                self.recent[-1] = (self.recent[-1] + text)[:REMEMBERED]
                self._message_id = update.message_id
            case "tool_call" | "tool_call_update" if update.tool_call_id and len(self.tools) < 10_000:
                self.tools.add(update.tool_call_id)
            case _:
                pass
        self._person = update.session_update == "user_message_chunk"

    def doubts(self, expected: Expected) -> list[str]:
        """Return what speaks against this being the session that we have, in words; nothing where nothing does.

        Agents add messages of their own, merge some, leave out cancelled turns, or replay nothing at all: fewer words
        prove nothing. That the last message is nowhere among the latest ones is worth telling.
        """
        if not self.updates:
            nothing = "the agent repeated nothing, so that what it remembers cannot be compared"
            return [nothing] if expected.prompts else []
        found: list[str] = []
        if self.prompts > 2 * expected.prompts + 2:
            found.append(f"the agent remembers {self.prompts} messages of yours, the log holds {expected.prompts}")
        last = _bare(expected.last_prompt or "")
        if last and self.prompts and not any(last in _bare(text) for text in self.recent):
            found.append("the last message in the log is not among the latest that the agent remembers")
        return found


def _bare(text: str) -> str:
    return "".join(text[:REMEMBERED].split())
