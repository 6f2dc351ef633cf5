"""Facts about what an agent says and does in a turn. Text from a peer is verbatim."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from holdfast.domain.content import NOTHING
from holdfast.domain.session.facts import Fact, registered

ToolStatus = Literal["pending", "in_progress", "completed", "failed"]

_SHORT = {"item_id": "id"}
"""Most events are pieces of text, so what stands in each of them is short in the log."""


@registered("text-appended")
class TextAppended(Fact, frozen=True, rename=_SHORT):
    """More text of a message of the agent."""

    item_id: str
    text: str
    thread: str | None = None


@registered("thought-appended")
class ThoughtAppended(Fact, frozen=True, rename=_SHORT):
    """More text of a thought of the agent."""

    item_id: str
    text: str
    thread: str | None = None


@registered("tool-called")
class ToolCalled(Fact, frozen=True):
    """The agent uses a tool. A second one for the same item changes what it names, like an update.

    Attributes:
        item_id: Names the use in the session; the peer's own id may repeat from turn to turn.
        call_id: The peer's own id.
        title: One line for people.
        kind: The peer's class of tool, such as `execute` or `read`.
        status: Where it stands.
        input: Arguments as the peer sent them.
        output: What came of it, as the peer sent it.
        content: What there is to show of it, as the peer sent it: texts, differences, images.
        locations: The places in files it is about, as the peer sent them.
    """

    item_id: str
    call_id: str
    title: str | None = None
    kind: str | None = None
    status: ToolStatus | None = None
    input: Raw = NOTHING
    output: Raw = NOTHING
    thread: str | None = None
    content: Raw = NOTHING
    locations: Raw = NOTHING


class Splice(Struct, frozen=True, omit_defaults=True):
    """How a text changed: `head` characters in front and `tail` at the end stay, what was between them is `insert`."""

    head: int
    tail: int
    insert: str


@registered("tool-updated")
class ToolUpdated(Fact, frozen=True):
    """A use of a tool changed in the named fields. May come before, or without, its `tool-called`.

    Attributes:
        kind: The peer's class of tool.
        status: Where it stands.
        input: Arguments as the peer sent them.
        output: What came of it, as the peer sent it.
        content: What there is to show of it, as the peer sent it.
        locations: The places in files it is about, as the peer sent them.
        grown: What changed in the JSON text of `content`, where that is shorter than the whole: peers send all of an
            output again with each piece of it.
    """

    item_id: str
    call_id: str
    title: str | None = None
    kind: str | None = None
    status: ToolStatus | None = None
    input: Raw = NOTHING
    output: Raw = NOTHING
    thread: str | None = None
    content: Raw = NOTHING
    locations: Raw = NOTHING
    grown: Splice | None = None


@registered("tool-abandoned")
class ToolAbandoned(Fact, frozen=True):
    """The peer never told how a use of a tool ended, and its turn or its agent is over: it counts as failed.

    Should the peer tell more of it after all, that counts.

    Attributes:
        reason: `turn-ended`, `cancelled`, `interrupted`, `unknown`, `unrecorded` where a transcript does not say,
            `session-ended`, `detached`, or `crowded` where more were open at a time than anybody keeps track of.
    """

    item_id: str
    reason: str


@registered("plan-changed")
class PlanChanged(Fact, frozen=True):
    """The agent's plan, whole.

    Attributes:
        entries: Its entries, verbatim.
    """

    item_id: str
    entries: Raw


@registered("notice-added")
class NoticeAdded(Fact, frozen=True):
    """Words that no person and no agent said in the conversation: injected context, summaries, errors.

    Attributes:
        kind: What it is, such as `injected`, `summary`, `error`, `command`.
    """

    item_id: str
    kind: str
    text: str
    thread: str | None = None


@registered("usage-reported")
class UsageReported(Fact, frozen=True):
    """Tokens as the peer counts them.

    Attributes:
        scope: `message`: the tokens of one message, replacing an earlier report of the same message. `session`: the
            running total of the whole session. `context`: says nothing of tokens used, only of the window.
        message_id: The message, for that scope.
        input: Tokens sent.
        output: Tokens received.
        cache_creation: Tokens written to the peer's cache.
        cache_read: Tokens read from it.
        context_used: Tokens in the context window, where reported.
        context_size: Size of the context window, where reported.
        cost: Amount and currency as reported, such as `0.12 USD`.
    """

    scope: Literal["message", "session", "context"]
    message_id: str | None = None
    input: int = 0
    output: int = 0
    cache_creation: int = 0
    cache_read: int = 0
    context_used: int | None = None
    context_size: int | None = None
    cost: str | None = None

    @property
    def total(self) -> int:
        """All tokens of the report."""
        return self.input + self.output + self.cache_creation + self.cache_read


@registered("mode-changed")
class ModeChanged(Fact, frozen=True):
    """The peer works in another mode.

    Attributes:
        mode: Its name, such as `plan`.
    """

    mode: str


@registered("info-changed")
class InfoChanged(Fact, frozen=True):
    """The peer gave the session a title, or works with another model.

    Attributes:
        title: The title, which counts until a person gives one.
        model: Name of the model.
    """

    title: str | None = None
    model: str | None = None
