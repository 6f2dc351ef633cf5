"""Facts about what a person has seen."""

from __future__ import annotations

from holdfast.domain.session.facts import Fact, registered


@registered("read-up-to")
class ReadUpTo(Fact, frozen=True):
    """A person has seen everything so far.

    Attributes:
        version: The latest event that was seen: its version in the session.
    """

    reader: str
    version: int


@registered("marked-unread")
class MarkedUnread(Fact, frozen=True):
    """A person wants to be reminded of the session."""

    reader: str
