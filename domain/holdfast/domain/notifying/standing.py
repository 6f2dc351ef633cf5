"""What the policy knows of one session: a small fold over its events, begun from the row of the roster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.content import text_of
from holdfast.domain.projections.roster import FOREVER
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import BY_CLASS, Fact
from holdfast.domain.session.state import OWNER
from holdfast.domain.timestamps import from_text

if TYPE_CHECKING:
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import Recorded

Kind = Literal["needs_you", "failed", "finished", "message"]

KEPT_TEXT: Final = 600
"""Characters that are kept of what is told: more than any notification shows."""

_FACTS: Final[tuple[type[Fact], ...]] = (
    e.SessionCreated, e.SessionRenamed, e.InfoChanged, e.SessionMuted, e.SessionNotified, e.SessionEnded,
    e.SessionErased, e.ReadUpTo, e.PermissionRequested, e.PermissionAnswered, e.PermissionExpired, e.ToolCalled,
    e.ToolUpdated, e.PromptQueued, e.PromptSent, e.PromptWithdrawn, e.PromptFailed, e.TurnStarted, e.TurnEnded,
    e.TurnInterrupted, e.TurnUnknown, e.TextAppended, e.MessageReceived, e.Detached,
)  # fmt: skip
TYPES: Final = tuple(BY_CLASS[fact].tag for fact in _FACTS)
"""The type tags of all events that matter here."""

_TOLD: Final = 64
_TOOLS: Final = 32


class Answer(Struct, frozen=True):
    """An answer that can be given without opening anything."""

    request_id: str
    option_id: str
    label: str


class Telling(Struct, frozen=True):
    """One thing that a person is being told.

    Attributes:
        item_id: The item of the transcript.
        version: Of the event that it is about; who has read that far needs not be told any more.
        answers: What can be done about it on the spot.
    """

    item_id: str
    kind: Kind
    text: str
    version: int
    answers: tuple[Answer, ...] = ()


class Standing(Struct, frozen=True):
    """One session, as far as it matters for telling people.

    Attributes:
        title: What people call it; empty where nobody named it.
        named: Whether a person called it that.
        first: The first words of its first prompt, which are a name for it as well, but content.
        turn: The open turn.
        item_id: The message that the agent wrote last.
        said: How it begins.
        said_at: Version of the latest text in this or the last turn, 0 for none.
        read: Up to which version the owner has read.
        queued: Prompts that wait, so that the end of a turn is not the end of the work.
        tools: The kinds of the latest tools, by item, as the peer said them last.
        told: Items that were told of lately, by whichever frontend.
        open: What the notification of the session tells now.
    """

    title: str = ""
    named: bool = False
    first: str = ""
    agent: str = ""
    owner: str = OWNER
    imported: bool = False
    muted: bool = False
    muted_until: int | None = None
    turn: str | None = None
    item_id: str | None = None
    said: str = ""
    said_at: int = 0
    read: int = 0
    queued: frozenset[str] = frozenset()
    tools: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    open: tuple[Telling, ...] = ()

    def tool(self, item_id: str | None) -> str | None:
        """Return the kind of a tool's use, None where it is not known."""
        return next((kind for known, kind in self.tools if known == item_id), None)


def begun(row: Row) -> Standing:
    """Return what the roster says of a session that was there before."""
    streaming = row.lifecycle == "streaming"
    muted = row.muted_until is not None
    named = row.title != (row.metadata.first_message_preview or "")
    return Standing(
        title=row.title if named else "",
        named=named,
        first=row.metadata.first_message_preview or "",
        agent=row.agent or "",
        owner=row.owner,
        imported=row.imported_from is not None,
        muted=muted,
        muted_until=from_text(row.muted_until) if row.muted_until and row.muted_until != FOREVER else None,
        turn="" if streaming else None,
        # Whether the open turn has said anything yet is only known where it was not read.
        said_at=1 if streaming and row.unread else 0,
        said=row.preview[:KEPT_TEXT] if streaming else "",
    )


def evolve(known: Standing, recorded: Recorded) -> Standing:
    """Return what is known after an event. Total."""
    fact, version = recorded.event, recorded.originator_version
    match fact:
        case e.SessionCreated():
            return replace(
                known,
                title=fact.title,
                named=bool(fact.title),
                agent=fact.agent or "",
                owner=fact.owner,
                imported=fact.imported_from is not None,
            )
        case e.SessionRenamed(title=title):
            return replace(known, title=title, named=bool(title))
        case e.InfoChanged(title=str(title)) if not known.named:
            return replace(known, title=title)
        case e.SessionMuted(muted=muted, until=until):
            return replace(known, muted=muted, muted_until=until, open=())
        case e.SessionNotified(item_id=item_id):
            return replace(known, told=(*known.told, item_id)[-_TOLD:])
        case e.SessionEnded() | e.SessionErased():
            return replace(known, turn=None, open=())
        case e.ReadUpTo(reader=reader, version=read) if reader == known.owner:
            read = max(known.read, min(read, version))
            return replace(known, read=read, open=tuple(each for each in known.open if each.version > read))
        case e.PermissionAnswered(request_id=request_id) | e.PermissionExpired(request_id=request_id):
            return replace(known, open=tuple(each for each in known.open if each.item_id != request_id))
        case e.ToolCalled(item_id=item_id, kind=str(kind)) | e.ToolUpdated(item_id=item_id, kind=str(kind)):
            others = tuple(each for each in known.tools if each[0] != item_id)
            return replace(known, tools=(*others, (item_id, kind))[-_TOOLS:])
        case _:
            return _turned(known, recorded, version)


def _turned(known: Standing, recorded: Recorded, version: int) -> Standing:
    match recorded.event:
        case e.PromptQueued(prompt_id=prompt_id, content=content):
            first = known.first or text_of(content)[:KEPT_TEXT]
            return replace(known, queued=known.queued | {prompt_id}, first=first)
        case (
            e.PromptSent(prompt_id=prompt_id)
            | e.PromptWithdrawn(prompt_id=prompt_id)
            | e.PromptFailed(prompt_id=prompt_id)
        ):
            return replace(known, queued=known.queued - {prompt_id})
        case e.TurnStarted(turn_id=turn_id):
            # Whoever let it go on has seen what came before; questions of an open turn cannot be there yet.
            return replace(known, turn=turn_id, said_at=0, said="", item_id=None, open=_questions(known))
        case e.TurnEnded() | e.TurnInterrupted() | e.TurnUnknown():
            return replace(known, turn=None)
        case e.TextAppended(thread=None, item_id=item_id, text=text) if text.strip():
            said = known.said + text if item_id == known.item_id else text.lstrip()
            return replace(known, item_id=item_id, said=said[:KEPT_TEXT], said_at=version)
        case _:
            return known


def _questions(known: Standing) -> tuple[Telling, ...]:
    return tuple(each for each in known.open if each.kind == "needs_you")
