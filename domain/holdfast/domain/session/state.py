"""What a session is: the facts its events leave behind. No rules here; those are in `decide`."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from holdfast.domain.session.events import Option

OWNER = "owner"
"""The one reader there is until there are accounts: a person, whatever device is used."""

RECENT = 256
"""How many settled ids and units of reading a state remembers, so that it stays small. Peers repeat what was just said,
not what was said hundreds of ids ago; units that are older than those are read together."""

OPEN_TOOLS = 256
"""How many uses of tools may be open at a time, for the same reason; no agent works on nearly as many at once."""

PromptState = Literal["queued", "sent", "accepted"]
Attachment = Literal["never", "requested", "attached", "detached"]


class Prompt(Struct, frozen=True):
    """A prompt without an outcome."""

    prompt_id: str
    content: Raw
    state: PromptState = "queued"


class Turn(Struct, frozen=True):
    """The turn that is open. `cancelling` is set once a person asked to stop it."""

    turn_id: str
    prompt_id: str | None = None
    cancelling: bool = False


class Pending(Struct, frozen=True):
    """A permission that waits for an answer."""

    request_id: str
    turn_id: str | None
    options: tuple[Option, ...]
    arguments_hash: str


class Reader(Struct, frozen=True):
    """What one person has seen.

    Attributes:
        name: The person.
        version: Everything up to this event was seen.
        units: How many units of reading were seen.
        marked: Whether the person wants to be reminded.
    """

    name: str
    version: int = 0
    units: int = 0
    marked: bool = False


Offering = Literal["modes", "options", "commands"]


class Offer(Struct, frozen=True):
    """What a peer offers a person to choose from: where it stands, and what tells it from another.

    Attributes:
        version: Of the event that holds it.
        digest: See `offer_digest`.
    """

    version: int
    digest: str


class SessionState(Struct, frozen=True):
    """One session after all its events so far.

    Small on purpose: keepers hold thousands of these, and a transcript is a projection, not a state.

    Attributes:
        created: Whether the session exists at all.
        owner: The person whose session it is.
        ended: Why it ended, None while it has not.
        erased: Whether its content is gone.
        title: What a person called it, else what the peer calls it.
        named: Whether a person gave the title.
        options: Configuration to re-apply when the session is taken up again.
        offers: What the peer offered last of each kind.
        attachment: Whether it is connected now, or ever was.
        link_id: The link that carries it, or carried it last.
        remote_id: The peer's name of the session.
        failure: What broke, until its owner has seen it.
        failed_at: Version of the event that said so first, which is the one that counts as unread.
        turn: The open turn.
        queue: Prompts without an outcome, in the order they were given.
        held: Whether waiting prompts stay until a person resumes the queue.
        pending: Permissions that wait.
        tools: Uses of tools that have not come to an end, the oldest first.
        settled: Ids of permissions, turns and prompts that got their outcome lately.
        spoke: Whether the current or last turn produced text for people.
        units: How many units a person would count as new: turns with text, messages, requests, failures.
        unit_versions: Versions of the latest units.
        readers: What each person has seen.
    """

    created: bool = False
    owner: str = OWNER
    ended: str | None = None
    erased: bool = False
    title: str = ""
    named: bool = False
    mode: str | None = None
    options: dict[str, str] = {}
    offers: dict[Offering, Offer] = {}
    pinned: bool = False
    muted: bool = False
    muted_until: int | None = None
    attachment: Attachment = "never"
    link_id: str | None = None
    remote_id: str | None = None
    ever_attached: bool = False
    detached_because: str | None = None
    detach_error: str | None = None
    failure: str | None = None
    failed_at: int = 0
    turn: Turn | None = None
    queue: tuple[Prompt, ...] = ()
    held: bool = False
    pending: tuple[Pending, ...] = ()
    tools: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    spoke: bool = False
    units: int = 0
    unit_versions: tuple[int, ...] = ()
    readers: tuple[Reader, ...] = ()

    def reader(self, name: str | None = None) -> Reader:
        """Return what `name`, or else the owner, has seen; nothing, for somebody who never looked."""
        name = self.owner if name is None else name
        return next((reader for reader in self.readers if reader.name == name), Reader(name))

    def unread(self, name: str | None = None) -> int:
        """Return how many units `name`, or else the owner, has not seen; at least one while marked unread."""
        reader = self.reader(name)
        return max(self.units - reader.units, int(reader.marked))

    @property
    def queued(self) -> tuple[Prompt, ...]:
        """The prompts that wait to be sent."""
        return tuple(prompt for prompt in self.queue if prompt.state == "queued")

    def prompt(self, prompt_id: str) -> Prompt | None:
        """Return the prompt without an outcome that has this id."""
        return next((prompt for prompt in self.queue if prompt.prompt_id == prompt_id), None)

    def request(self, request_id: str) -> Pending | None:
        """Return the waiting permission with this id."""
        return next((pending for pending in self.pending if pending.request_id == request_id), None)
