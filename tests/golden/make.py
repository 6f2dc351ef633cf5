"""Make the next golden log: one event of every kind, as this version writes them. A golden log is never changed.

    python -m tests.golden.make

Do it whenever a fact is added, or a schema version of one, or of the database.
"""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw
from msgspec.structs import fields

from holdfast.adapters.storage.compact import compact
from holdfast.adapters.storage.erase import erase
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.mapper import StoredEvent
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.schema import SCHEMA_VERSION
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.store import RosterRow
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.views.rebuild import digests
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.content import of_text
from holdfast.domain.link import events as link
from holdfast.domain.recorded import Actor, EventId, Recorded, Source, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode
from holdfast.domain.session.facts import BY_TAG
from holdfast.domain.session.session import Context, Session, fold, record
from tests.chaos.load import history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec.structs import FieldInfo

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.session.facts import Fact

FOLDER = Path(__file__).parent

_HELLO = of_text("Grüße, 世界 🙂")
_INPUT = Raw(b'{"command": "ls -l",  "n": 1.50}')
_PLACES = Raw(b'[{"path": "/srv/shop", "line": 7}]')
_OPTIONS = (e.Option("allow", "allow_once", "Allow"), e.Option("deny", "reject_once"))

EVERY_KIND: tuple[Fact, ...] = (
    e.SessionConfigured({"model": "large", "mode": "plan"}),
    e.SessionRenamed("A title"),
    e.SessionPinned(True),
    e.SessionMuted(True, 1_800_000_000_000_000),
    e.SessionNotified("tray", "text-1"),
    e.AttachRequested("link-1"),
    e.Attached("link-1", "remote-1", True, Raw(b'{"load": true}')),
    e.MessageSent("sent-1", _HELLO, "me", "side"),
    e.MessageReceived("received-1", _HELLO, "Bob"),
    e.MessageEdited("received-1", of_text("other words")),
    e.MessageAcknowledged("sent-1", "displayed"),
    e.PromptQueued("prompt-1", _HELLO),
    e.PromptQueued("prompt-2", _HELLO),
    e.PromptQueued("prompt-3", _HELLO),
    e.PromptEdited("prompt-1", of_text("list the files")),
    e.PromptWithdrawn("prompt-2"),
    e.PromptSent("prompt-1", of_text("list the files")),
    e.PromptAccepted("prompt-1"),
    e.TurnStarted("turn-1", "prompt-1"),
    e.TextAppended("text-1", "Let me "),
    e.TextAppended("text-1", "look.\n", "side"),
    e.ThoughtAppended("thought-1", "Hm.", "side"),
    e.PlanChanged("plan-1", Raw(b'[{"content": "look", "status": "pending"}]')),
    e.ToolCalled("tool-1", "call-1", "ls -l", "execute", "pending", _INPUT, Raw(b"1"), "side", Raw(b"[]"), Raw(b"[]")),
    e.PermissionRequested("ask-1", "turn-1", "ls -l", _INPUT, _OPTIONS, "f" * 64, "tool-1", Raw(b"7")),
    e.PermissionAnswered("ask-1", "allow", "f" * 64, "it is harmless"),
    e.ToolUpdated("tool-1", "call-1", "ls", "read", "in_progress", _INPUT, Raw(b"2"), "side", Raw(b'"total"'), _PLACES),
    e.ToolUpdated("tool-1", "call-1", grown=e.Splice(6, 1, " 0")),
    e.ToolUpdated("tool-1", "call-1", status="completed", output=Raw(b'"total 0"')),
    e.PermissionRequested("ask-2", "turn-1", "rm", _INPUT, _OPTIONS, "0" * 64),
    e.PermissionExpired("ask-2", "turn-closed"),
    e.NoticeAdded("notice-1", "injected", "be brief", "side"),
    e.UsageReported("message", "m-1", 10, 20, 30, 40, 100, 200_000, "0.12 USD"),
    e.ModeChanged("code"),
    e.CommandsChanged(Raw(b'[{"name": "/help"}]')),
    e.ModesOffered(Raw(b'[{"id": "plan",  "name": "Plan"}]')),
    e.OptionsOffered(Raw(b'[{"id": "model", "type": "select", "options": [{"value": "large"}]}]')),
    e.InfoChanged("The peer's title", "larger"),
    e.CancelRequested("turn-1"),
    e.TurnEnded("turn-1", "cancelled"),
    e.TurnStarted("turn-2"),
    e.ToolCalled("tool-2", "call-2", "sleep 60", "execute", "in_progress"),
    e.ToolAbandoned("tool-2", "interrupted"),
    e.TurnInterrupted("turn-2", "restarted"),
    e.QueueResumed(),
    e.TurnStarted("turn-3"),
    e.TurnUnknown("turn-3", "link lost"),
    e.PromptFailed("prompt-3", "not_delivered", "no agent", _HELLO),
    e.ReadUpTo("owner", 40),
    e.MarkedUnread("owner"),
    e.HistoryGap("the agent was restarted"),
    e.MessageCompacted("text-1", "text", "Let me ", (e.Pieces(19, (7,)),), "0" * 64, "side"),
    e.ToolCompacted(
        "tool-1",
        "call-1",
        (e.Run(22, 1),),
        "0" * 64,
        "ls",
        "read",
        "completed",
        _INPUT,
        Raw(b'"total 0"'),
        "side",
        Raw(b"[]"),
        _PLACES,
    ),
    e.RawReceived("raw-1", "novelty", Raw(b'{"a": [1, 2.50, null]}')),
    e.Unknown("from-tomorrow", 3, '{"kept":  "as it is"}'),
    e.Detached("link-1", "lost", "connection reset"),
    e.SessionEnded("user", "done"),
)
"""What a session may have lived through after it was created; `session-erased` comes from an erasure."""

EVERY_ATTEMPT: tuple[Fact, ...] = (
    link.ConnectionRequested("acp", "opencode acp", 2),
    link.ConnectionAuthenticated("token"),
    link.ConnectionOpened("opencode 1.2", True, Raw(b'{"loadSession": true}')),
    link.ConnectionLost("connection reset", "retryable"),
    link.ConnectionRetryScheduled(3, 1_790_000_000_000_000),
    link.ConnectionGaveUp(4, "max_attempts"),
    link.ConnectionHibernated(),
    link.ConnectionClosed("the user asked"),
    e.RawReceived("raw-1", "dial", Raw(b"{}")),
)
"""What a link may have lived through."""


def write_everything(store: Store) -> None:
    """Write sessions and a link that hold every kind of event."""
    _everything(store, StreamId("10000000-0000-4000-8000-000000000001"))
    _created_before_owners(store, StreamId("10000000-0000-4000-8000-000000000002"))
    for number, length in ((3, 60), (4, 20)):
        session_id = StreamId(f"10000000-0000-4000-8000-{number:012d}")
        session = Session(session_id)
        for session, events in history(session_id, Random(number), length):
            store.append_now(events, roster_row(session))
        attached = (e.AttachRequested("link-1"), e.Attached("link-1", f"remote-{number}"))
        _append(store, session, record(session, attached, Context(now_us(), new_event_id)))
    compact(store, StreamId("10000000-0000-4000-8000-000000000003"))
    erase(store, StreamId("10000000-0000-4000-8000-000000000004"), actor=Actor("human", "cli"))
    context = Context(now_us(), new_event_id)
    attempts = record(Session(StreamId("link-1")), EVERY_ATTEMPT, context)
    store.append_now(attempts, RosterRow("link", ended=False, rank=0, updated_at=context.now, row="{}"))


def _everything(store: Store, session_id: StreamId) -> None:
    context = Context(
        1_790_000_000_000_000,
        new_event_id,
        Actor("human", "laptop"),
        "client-1",
        1_780_000_000_000_000,
        Source(b"incarnat", 4096),
    )
    created = e.SessionCreated(
        "acp", "owner", "opencode acp", "opencode", "/srv/shop", "", "claude", "large", ("opencode", "acp")
    )
    _append(store, Session(session_id), record(Session(session_id), (created, *EVERY_KIND), context))


def _created_before_owners(store: Store, session_id: StreamId) -> None:
    """The first event of a session as schema 1 wrote it: it did not say whose session it is."""
    data = b'{"transport":"acp","target":"claude","agent":"claude","cwd":"/srv","title":"Old","model":"m"}'
    old = StoredEvent(session_id, 1, "session-created", data, new_event_id(), now_us(), 1)
    created = Recorded(session_id, 1, EventId(old.event_id), old.recorded_at, decode("session-created", 1, data))
    session = fold(Session(session_id), [created])
    store.submit([old], roster_row(session)).result()
    later = (
        e.TextAppended("t", "still here"),
        e.TurnStarted("turn-1"),
        e.PermissionRequested("ask-open", "turn-1", "ls", _INPUT, _OPTIONS, "f" * 64),
    )
    _append(store, session, record(session, later, Context(now_us(), new_event_id)))


def _append(store: Store, session: Session, events: Sequence[Recorded]) -> None:
    store.append_now(events, roster_row(fold(session, events)))


def _given(fact: Fact, field: FieldInfo) -> bool:
    return field.required or getattr(fact, field.name) != field.default


def main() -> None:
    """Write the next golden log and what must be found in it."""
    facts = (*EVERY_KIND, *EVERY_ATTEMPT)
    kinds = {type(fact) for fact in facts}
    missing = {tag for tag, registration in BY_TAG.items() if registration.fact not in kinds}
    assert missing == {"session-created", "session-erased"}, f"add examples of {missing}"
    for kind in kinds:
        examples = [fact for fact in facts if type(fact) is kind]
        unused = [field.name for field in fields(kind) if not any(_given(fact, field) for fact in examples)]
        assert not unused, f"add an example of {kind.__name__} with {unused}"
    number = 1 + sum(1 for _ in FOLDER.glob("*.db.gz"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        with open_store(StoreSettings.from_url(f"sqlite:///{path}")) as store:
            write_everything(store)
            while store.write(lambda transaction: projector.step(transaction.connection)):
                pass
            with store.reading() as connection:
                views = digests(connection)
        plain = sqlite3.connect(path)
        position, log_hash = plain.execute("SELECT position, log_hash FROM store").fetchone()
        held = plain.execute('SELECT DISTINCT type, "schema" FROM events ORDER BY 1, 2').fetchall()
        plain.close()
        found = {
            "schema": SCHEMA_VERSION,
            "events": position,
            "log_hash": log_hash.hex(),
            "views": views,
            "kinds": [f"{tag} {schema}" for tag, schema in held],
        }
        (FOLDER / f"{number:04d}.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        with path.open("rb") as whole, gzip.GzipFile(FOLDER / f"{number:04d}.db.gz", "wb", mtime=0) as packed:
            shutil.copyfileobj(whole, packed)


if __name__ == "__main__":
    main()
