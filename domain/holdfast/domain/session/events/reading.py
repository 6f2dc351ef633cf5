"""Facts about what a person has seen."""

from __future__ import annotations

from holdfast.domain.session.facts import Fact, registered


@registered("read-up-to")
class ReadUpTo(Fact, frozen=True):
    """A person has seen everything up to and including the event with this version."""

    reader: str
    version: int


@registered("marked-unread")
class MarkedUnread(Fact, frozen=True):
    """A person wants to be reminded of the session."""

    reader: str
