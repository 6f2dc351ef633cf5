"""Every fact of a session's life, as the log keeps it. No rules here; those are in `decide`.

Ids inside a session (`prompt_id`, `turn_id`, `item_id`, `request_id`) are strings, unique in the session. An `item_id`
names an entry of the transcript; one that ends in `#n` continues the message before the `#` after something else, such
as a use of a tool, came between. Text and `Raw` JSON that come from a peer are verbatim.

Attributes:
    item_id: The item of the transcript.
    prompt_id: The prompt.
    turn_id: The turn.
    request_id: The permission that was asked for.
    link_id: The connection that carries the session, or was to carry it.
    call_id: The peer's own id of the use of a tool.
    content: The words, as content blocks or whatever else the peer takes, verbatim.
    author: Who said it, as the peer names them.
    thread: The side chain it belongs to, such as a helper that the agent sent; nothing for the main one.
    text: The words, verbatim.
    title: One line for people.
    reader: The person.
    reason: Why, in a word.
    detail: Why, in words for people.
    error: What went wrong, in words for people.
"""

from holdfast.domain.session.events.attachment import (
    Attached,
    AttachRequested,
    Detached,
    DetachReason,
)
from holdfast.domain.session.events.lifecycle import (
    SessionConfigured,
    SessionCreated,
    SessionEnded,
    SessionErased,
    SessionMuted,
    SessionNotified,
    SessionPinned,
    SessionRenamed,
)
from holdfast.domain.session.events.messages import (
    MessageAcknowledged,
    MessageEdited,
    MessageReceived,
    MessageSent,
)
from holdfast.domain.session.events.offers import (
    CommandsChanged,
    ModesOffered,
    OptionsOffered,
    offer_digest,
)
from holdfast.domain.session.events.output import (
    InfoChanged,
    ModeChanged,
    NoticeAdded,
    PlanChanged,
    Splice,
    TextAppended,
    ThoughtAppended,
    ToolAbandoned,
    ToolCalled,
    ToolStatus,
    ToolUpdated,
    UsageReported,
)
from holdfast.domain.session.events.permissions import (
    Option,
    PermissionAnswered,
    PermissionExpired,
    PermissionRequested,
    arguments_hash,
)
from holdfast.domain.session.events.reading import (
    MarkedUnread,
    ReadUpTo,
)
from holdfast.domain.session.events.remnants import (
    HistoryGap,
    RawReceived,
)
from holdfast.domain.session.events.turns import (
    CancelRequested,
    Delivery,
    OfPrompt,
    OfTurn,
    PromptAccepted,
    PromptEdited,
    PromptFailed,
    PromptQueued,
    PromptSent,
    PromptWithdrawn,
    QueueResumed,
    StopReason,
    TurnEnded,
    TurnInterrupted,
    TurnStarted,
    TurnUnknown,
)
from holdfast.domain.session.events.wholes import (
    MessageCompacted,
    Pieces,
    Run,
    ToolCompacted,
)
from holdfast.domain.session.facts import Fact, Unknown

__all__ = [
    "AttachRequested",
    "Attached",
    "CancelRequested",
    "CommandsChanged",
    "Delivery",
    "DetachReason",
    "Detached",
    "Fact",
    "HistoryGap",
    "InfoChanged",
    "MarkedUnread",
    "MessageAcknowledged",
    "MessageCompacted",
    "MessageEdited",
    "MessageReceived",
    "MessageSent",
    "ModeChanged",
    "ModesOffered",
    "NoticeAdded",
    "OfPrompt",
    "OfTurn",
    "Option",
    "OptionsOffered",
    "PermissionAnswered",
    "PermissionExpired",
    "PermissionRequested",
    "Pieces",
    "PlanChanged",
    "PromptAccepted",
    "PromptEdited",
    "PromptFailed",
    "PromptQueued",
    "PromptSent",
    "PromptWithdrawn",
    "QueueResumed",
    "RawReceived",
    "ReadUpTo",
    "Run",
    "SessionConfigured",
    "SessionCreated",
    "SessionEnded",
    "SessionErased",
    "SessionMuted",
    "SessionNotified",
    "SessionPinned",
    "SessionRenamed",
    "Splice",
    "StopReason",
    "TextAppended",
    "ThoughtAppended",
    "ToolAbandoned",
    "ToolCalled",
    "ToolCompacted",
    "ToolStatus",
    "ToolUpdated",
    "TurnEnded",
    "TurnInterrupted",
    "TurnStarted",
    "TurnUnknown",
    "Unknown",
    "UsageReported",
    "arguments_hash",
    "offer_digest",
]
