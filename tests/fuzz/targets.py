"""Every parser of what comes from outside, with good input to begin with, and what must hold whatever it is given.

A new parser is a function and a line of `TARGETS`. A function raises only what it lets through.
"""

from __future__ import annotations

import json
import struct
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from msgspec import MsgspecError, Raw
from msgspec import json as msgspec_json

from holdfast.adapters.configuration.file import read_configuration
from holdfast.adapters.exporters import verifier
from holdfast.adapters.storage.cursor import decode_cursor, encode_cursor
from holdfast.adapters.storage.exported import verify_exported
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.reader import Reader
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.supervision.host.protocol import Decoder, WireError, encode
from holdfast.bootstrap.library import LocalLibrary
from holdfast.domain import attachments
from holdfast.domain.content import beyond_text, of_text, text_of
from holdfast.domain.errors import (
    CursorError,
    HoldfastError,
    NotFoundError,
    SettingsError,
    TranscriptError,
    UsageError,
)
from holdfast.domain.recorded import StreamId
from holdfast.domain.search.query import parse
from tests.adapters.importers import claude_lines as claude
from tests.adapters.importers import codex_lines, gemini_chats, opencode_store, test_acp
from tests.adapters.importers.memory_log import MemoryLog
from tests.adapters.transports.acp.scene import OPTIONS, chunk, line, prompted, question, thought, update
from tests.fuzz import daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager

    Take = Callable[[bytes], None]
    """Gives one input to the parser."""


class Target(NamedTuple):
    """One parser.

    Attributes:
        seeds: Makes good input in an empty folder.
        prepare: Makes what takes input, for as long as it is needed; the folder is its own.
    """

    seeds: Callable[[Path], Sequence[bytes]]
    prepare: Callable[[Path], AbstractContextManager[Take]]


def alone(prepare: Callable[[Path], Take]) -> Callable[[Path], AbstractContextManager[Take]]:
    """Give a parser nothing to close afterwards."""

    @contextmanager
    def prepared(folder: Path) -> Generator[Take]:
        yield prepare(folder)

    return prepared


def transcripts(name: str = "t.jsonl") -> Callable[[Path], Take]:
    """Import a file, at once and as it grows: a log that can be read, the same one, and nothing more the next time."""

    def prepare(folder: Path) -> Take:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)

        def take(data: bytes) -> None:
            path.write_bytes(data)
            log = MemoryLog()
            try:
                log.take(path)
            except TranscriptError:
                with suppress(TranscriptError):
                    log.watch(path)
                assert log.events == []
                return
            assert log.take(path).events == 0
            for session_id in log.sessions:
                json.dumps([item.text + (item.title or "") for item in log.items(session_id)]).encode()
                assert log.row(session_id).lifecycle == "created"
            _grow(path, data)

        return take

    return prepare


def _grow(path: Path, data: bytes) -> None:
    half = len(data) // 2
    path.write_bytes(data[:half])
    log = MemoryLog()
    watch = log.watch(path.parent)
    path.write_bytes(data)
    watch.look(everywhere=True)
    watch.close_turns()
    assert {log.row(each).lifecycle for each in log.sessions} <= {"created", "unread"}


def opencode(folder: Path) -> Take:
    """Replace one of the many files of a session."""
    store = folder / "storage"
    about = opencode_store.stored(store, *opencode_store.MESSAGES)
    files = [path for path in sorted(store.rglob("*.json")) if path != about]
    kept = {path: path.read_bytes() for path in [about, *files]}

    def take(data: bytes) -> None:
        spoilt = files[len(data) % len(files)]
        for path in (spoilt, about):
            path.write_bytes(data)
            log = MemoryLog()
            with suppress(TranscriptError):
                log.take(about)
            for session_id in log.sessions:
                json.dumps([item.text for item in log.items(session_id)]).encode()
            path.write_bytes(kept[path])

    return take


def exported(folder: Path) -> Take:
    """Verify an exported file, and import it whatever that says."""
    path = folder / "e.jsonl"

    def take(data: bytes) -> None:
        path.write_bytes(data)
        right = False
        with suppress(TranscriptError):
            right = verify_exported(path).ok
        log = MemoryLog()
        with suppress(HoldfastError):
            log.take(path)
        assert right == (data == _exported("jsonl")[""])
        assert log.sessions or not right

    return take


def bundle(folder: Path) -> Take:
    """Verify a bundle of which one file is another, with our verifier and with its own: no other events pass."""
    kept = _exported("bundle")
    names = sorted(name for name in kept if name != "verify.py")
    whole = folder / "bundle"
    whole.mkdir()

    def take(data: bytes) -> None:
        name = next((name for name in names if data[:20] == kept[name][:20]), names[len(data) % len(names)])
        spoilt = {**kept, name: data}
        if name != "SHA256SUMS":  # or no verifier would look any further
            listed = (line.split("  ")[1] for line in kept["SHA256SUMS"].decode().splitlines())
            sums = (f"{sha256(spoilt[each]).hexdigest()}  {each}\n" for each in listed)
            spoilt["SHA256SUMS"] = "".join(sums).encode()
        for each, content in spoilt.items():
            (whole / each).write_bytes(content)
        ours = theirs = False
        with suppress(TranscriptError):
            ours = verify_exported(whole).ok
        with suppress(*VERIFIER_REFUSES):
            verifier.main(whole)
            theirs = True
        if any(spoilt[each] != kept[each] for each in kept if each.startswith(("events", "attachment-"))):
            assert not ours
            assert not theirs
        assert (ours and theirs) or spoilt != kept

    return take


VERIFIER_REFUSES = (
    ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError, struct.error,
)  # fmt: skip
"""What the bundle's own verifier answers with `bad`."""


def frames(_folder: Path) -> Take:
    """Let an agent say it in the middle of a turn, in pieces; the transcript can be read afterwards."""

    def take(data: bytes) -> None:
        scene, _ = prompted()
        for start in range(0, len(data), 4_001):
            scene.says(data[start : start + 4_001])
        scene.says(b"\n")
        json.dumps([item.text for item in scene.transcript()]).encode()

    return take


def wire(_folder: Path) -> Take:
    """Feed the daemon's end, and the host's, which share it."""

    def take(data: bytes) -> None:
        decoder = Decoder()
        with suppress(WireError):
            for start in range(0, len(data), 61):
                for header, body in decoder.feed(data[start : start + 61]):
                    assert isinstance(header, dict)
                    assert isinstance(body, bytes)

    return take


def queries(folder: Path) -> Take:
    """Ask a store: whatever is understood can be answered, unless it names a session that is not there."""
    store = open_store(StoreSettings.from_url(f"sqlite:///{folder}/log.db"), environ={})
    reader = Reader(store)

    def take(data: bytes) -> None:
        with suppress(UsageError, NotFoundError):
            reader.search(parse(data.decode("utf-8", "surrogateescape")))

    return take


def settings(folder: Path) -> Take:
    """Read it as `config.toml`."""
    path = folder / "config.toml"

    def take(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(SettingsError):
            read_configuration(path)

    return take


def cursors(folder: Path) -> Take:
    """Go on from it: in the log, in a transcript, from a row's name."""
    store = open_store(StoreSettings.from_url(f"sqlite:///{folder}/log.db"), environ={})
    reader = Reader(store)

    def take(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        with suppress(CursorError):
            assert 0 <= decode_cursor(text, "0" * 32, 100) <= 100
        with suppress(CursorError):
            store.position_of(text)
        with suppress(HoldfastError):
            reader.page(StreamId("s"), before=text)

    return take


def content(_folder: Path) -> Take:
    """Show content blocks as text."""

    def take(data: bytes) -> None:
        text_of(Raw(data)).encode("utf-8", "surrogatepass")
        beyond_text(Raw(data))

    return take


def references(_folder: Path) -> Take:
    """Put the contents back into what a log holds, and take them out of what a peer sends."""

    def take(data: bytes) -> None:
        for reference in attachments.references(data):
            assert attachments.is_name(reference.sha256)
        attachments.attach(data, lambda _: b"\xff" * 3)
        detached, held = attachments.detach(b'{"content":%b}' % data, ("content",))
        # Whatever else looks like a reference to whoever reads it would get the content of another.
        back = attachments.attach(detached, lambda each: held.get(each.sha256, b"of another"))
        with suppress(MsgspecError, UnicodeDecodeError, RecursionError):
            assert msgspec_json.decode(back) == msgspec_json.decode(b'{"content":%b}' % data)

    return take


@cache
def _exported(kind: Literal["jsonl", "bundle"]) -> dict[str, bytes]:
    """Return the files of an export of a short session from a store of its own."""
    found: dict[str, bytes] = {}
    with TemporaryDirectory() as place:
        folder = Path(place)
        shown = claude.user([claude.picture(_PICTURE)], uuid="shown", at=100)
        transcript = claude.written(folder / "t.jsonl", *claude.TURN, shown)
        library = LocalLibrary({"HOLDFAST_HOME": str(folder / "home"), "HOME": place}, print)
        with library.writing() as workspace:
            workspace.import_([str(transcript)])
        with library.reading() as reading:
            for name, pieces in reading.export(StreamId(claude.SESSION), kind).files:
                found[name] = b"".join(pieces)
    return found


def _of_export(kind: Literal["jsonl", "bundle"]) -> Callable[[Path], Sequence[bytes]]:
    def made(_folder: Path) -> Sequence[bytes]:
        return [content for name, content in _exported(kind).items() if name != "verify.py"]

    return made


def _documents(folder: Path) -> list[bytes]:
    return [gemini_chats.chat(folder / "chat", *gemini_chats.MESSAGES).read_bytes()]


def _stored(folder: Path) -> list[bytes]:
    opencode_store.stored(folder, *opencode_store.MESSAGES)
    return [path.read_bytes() for path in sorted(folder.rglob("*.json"))]


def _talk() -> Iterator[bytes]:
    call = update("tool_call", toolCallId="c1", title="ls", rawInput={"command": ["ls"]}, status="pending")
    done = update("tool_call_update", toolCallId="c1", status="completed", content=[{"type": "diff", "path": "/a"}])
    options = update("config_option_update", configOptions=[{"id": "mode", "currentValue": "plan", "options": OPTIONS}])
    answer: dict[str, Any] = {"id": "x", "result": {"stopReason": "end_turn", "usage": {"inputTokens": 7}}}
    yield line(chunk("hello", "m1")) + line(thought("hm")) + line(call) + line(question("q")) + line(done)
    yield line(options) + line([update("plan", entries=[]), {"id": 1, "method": "fs/read_text_file"}])
    yield line(answer) + line({"id": 7, "error": {"code": -32603, "message": "no quota"}})


_PICTURE: Final = b"\x89PNG\r\n\x1a\n" + b"holdfast" * 7_000

_QUERIES = (
    'word "two words" -not pre* agent:claude cwd:/srv in:0199aaaa before:2026-03-01 after:2025',
    '-"a phrase" ünï 日本 “quoted” before:2026-02-03T12:00:00Z',
    "a OR b AND (c) NEAR d* words:x ^e col : f",
)
_SETTINGS = (
    b'[storage]\nurl = "sqlite:////srv/log.db"\n',
    b"""# all
[storage]
url = 'postgresql+psycopg://u@h/db'
[agents]
env = ["A"]
hibernate_after_s = 1800
[targets.box]
command = ["ssh", "box", "opencode", "acp"]
cwd = "/srv"
env = ["B"]
""",
)


def _given(*seeds: bytes) -> Callable[[Path], Sequence[bytes]]:
    def made(_folder: Path) -> Sequence[bytes]:
        return seeds

    return made


_CLAUDE = (claude.EXAMPLE.read_bytes(), claude.encoded(claude.TURN))
_GEMINI = claude.encoded([gemini_chats.ABOUT, *gemini_chats.MESSAGES])
_WIRE = (encode({"id": 1, "verb": "write", "key": "k"}, b"data\n") + encode({"id": 2}), encode({}))
_CURSORS = (encode_cursor("0" * 32, 7).encode(), b"12", b"9" * 20)
_REFERENCE = b'[{"data":{"$attachment":"%b","size":3,"encoding":"base64","prefix":"data:,"}}]' % (b"0a" * 32)
_LARGE = b'{"$attachment":"x","a":[{"type":"image","data":"%b"}]}' % (b"QUJD" * 17_000)
_LINK = b'[{"type":"resource_link","name":"n","uri":"file:///a"},{"type":"image"}]'

TARGETS: Final[dict[str, Target]] = {
    "claude": Target(_given(*_CLAUDE), alone(transcripts())),
    "codex": Target(_given(codex_lines.encoded(codex_lines.SESSION_LINES)), alone(transcripts())),
    "gemini lines": Target(_given(_GEMINI), alone(transcripts("p/chats/c.jsonl"))),
    "gemini document": Target(_documents, alone(transcripts("session-1.json"))),
    "opencode": Target(_stored, alone(opencode)),
    "acp recording": Target(_given(claude.encoded(test_acp.WHOLE_SESSION)), alone(transcripts())),
    "acp frames": Target(_given(*_talk()), alone(frames)),
    "host wire": Target(_given(*_WIRE), alone(wire)),
    "query": Target(_given(*(each.encode() for each in _QUERIES)), alone(queries)),
    "config.toml": Target(_given(*_SETTINGS), alone(settings)),
    "exported session": Target(_of_export("jsonl"), alone(exported)),
    "evidence bundle": Target(_of_export("bundle"), alone(bundle)),
    "cursor": Target(_given(*_CURSORS), alone(cursors)),
    "attachments": Target(_given(_REFERENCE, _LARGE), alone(references)),
    "content blocks": Target(_given(bytes(of_text("hello")), _LINK), alone(content)),
    "http bodies": Target(_given(*daemon.BODIES), daemon.bodies),
    "http requests": Target(_given(*daemon.REQUESTS), daemon.requests),
    "stream frames": Target(_given(*daemon.FRAMES), daemon.frames),
}
