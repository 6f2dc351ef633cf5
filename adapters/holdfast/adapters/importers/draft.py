"""The facts of one record while it is translated, with the turn they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.recent import RecentItems, Said
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.session import Session

UNRECORDED = "unrecorded"
"""Why a turn ended of which no end was recorded."""


class Draft:
    """Collects what a record says of a session.

    Attributes:
        session: The session before the record.
        facts: What was collected.
    """

    def __init__(self, session: Session, recent: RecentItems) -> None:
        self.session = session
        self.facts: list[Fact] = []
        self._recent = recent
        self._turn = session.state.turn.turn_id if session.state.turn else None

    def add(self, fact: Fact) -> None:
        """Add a fact."""
        self.facts.append(fact)
        self._recent.note(fact)

    @property
    def turn(self) -> str | None:
        """The turn that is open."""
        return self._turn

    def said(self, kind: Said, words: str) -> str | None:
        """Return the item in which these words were said lately."""
        return self._recent.said(kind, words)

    def failed(self, item_id: str) -> bool:
        """Tell whether the latest that was heard of a use of a tool is that it failed."""
        return self._recent.failed(item_id)

    def item(self, message: str, thread: str | None) -> str:
        """Return the item that more of a message belongs to."""
        return self._recent.item(message, thread)

    def begin_turn(self, name: str, message: Fact | None = None) -> None:
        """Start a turn, with the message that asks for it; one that is open ended without a word."""
        if self._turn is not None:
            self.add(e.TurnEnded(self._turn, UNRECORDED))
        if message is not None:
            self.add(message)
        self._turn = f"turn-{name}"
        self.add(e.TurnStarted(self._turn))

    def in_turn(self, name: str) -> str:
        """Return the open turn. Start one where none is: the agent went on by itself, or after an import closed it."""
        if self._turn is None:
            self.begin_turn(name)
        return self._turn or ""

    def end_turn(self, name: str, stop_reason: str) -> None:
        """End the turn that is open, or the one that an import closed too early."""
        self.add(e.TurnEnded(self.in_turn(name), stop_reason))
        self._turn = None

    def interrupt_turn(self, name: str, reason: str) -> None:
        """Record that the turn broke off."""
        self.add(e.TurnInterrupted(self.in_turn(name), reason))
        self._turn = None
