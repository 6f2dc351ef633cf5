"""Facts about the session as a whole: made, configured, named, ended, erased."""

from __future__ import annotations

from holdfast.domain.session.facts import Fact, registered


@registered("session-created", schema=2)
class SessionCreated(Fact, frozen=True):
    """A session exists from here on.

    Attributes:
        transport: Which kind of peer, such as `acp`.
        owner: The person whose session it is, and whose unread the roster shows. Always written: the session says
            whose it is, whatever the default becomes.
        target: What was asked for: a command line or an address.
        agent: Name of the agent, where there is one.
        cwd: Folder the agent works in.
        title: Given by a person or by the peer; empty where nobody gave one.
        imported_from: Kind of transcript it was imported from, None for live sessions.
        model: Model named by the source, where it names one.
        command: The argument list of the agent, where a person gave one; nothing for all that `target` names.
    """

    transport: str
    owner: str
    target: str = ""
    agent: str | None = None
    cwd: str | None = None
    title: str = ""
    imported_from: str | None = None
    model: str | None = None
    command: tuple[str, ...] = ()


@registered("session-configured")
class SessionConfigured(Fact, frozen=True):
    """Options of the peer took these values; options that are not named keep theirs.

    Attributes:
        options: The value of each option that changed.
    """

    options: dict[str, str]


@registered("session-renamed")
class SessionRenamed(Fact, frozen=True):
    """A person gave the session another title.

    Attributes:
        title: The title; an empty one leaves the naming to the peer.
    """

    title: str


@registered("session-pinned")
class SessionPinned(Fact, frozen=True):
    """The session was pinned to the top of every list, or unpinned.

    Attributes:
        pinned: Whether it is pinned now.
    """

    pinned: bool


@registered("session-muted")
class SessionMuted(Fact, frozen=True):
    """Notifications are off for some time, for good, or on again.

    Attributes:
        muted: Whether they are off.
        until: When they come back, in microseconds since the epoch; nothing for good.
    """

    muted: bool
    until: int | None = None


@registered("session-notified")
class SessionNotified(Fact, frozen=True):
    """A frontend told the person about an item, so that none tells it twice.

    Attributes:
        frontend: Which one.
    """

    frontend: str
    item_id: str


@registered("session-ended")
class SessionEnded(Fact, frozen=True):
    """The session is over for good; its history stays."""

    reason: str
    detail: str | None = None


@registered("session-erased")
class SessionErased(Fact, frozen=True):
    """The content of every event before this one was erased.

    Attributes:
        salt: What the digests of names begin with, hexadecimal; empty where there are none.
        names: SHA-256 over the salt, NUL and what its agent called the session, hexadecimal, for all it was called: so
            that its transcript does not come back by an import.
    """

    salt: str = ""
    names: tuple[str, ...] = ()
