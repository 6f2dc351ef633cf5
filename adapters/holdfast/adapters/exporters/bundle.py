"""An evidence bundle: a session, the hashes and signatures that vouch for it, and a program that checks them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.adapters.exporters import jsonl
from holdfast.domain.attachments import references
from holdfast.domain.enclosed import FILE_PREFIX
from holdfast.domain.exported import CHAIN_NAME, CHECKPOINTS_NAME, EVENTS_NAME, SUMS_NAME, Origin
from holdfast.domain.timestamps import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.adapters.exporters.export import Source
    from holdfast.domain.attachments import Reference
    from holdfast.domain.exported import EventLine, Evidence
    from holdfast.domain.recorded import StreamId

_README = """\
Evidence of session {session}

exported   {at} from store {store}
events     {events}, at positions {first} to {last} of the log

Check it, with Python 3.11 or newer and nothing else:

    python3 verify.py

or with Holdfast: `holdfast verify FOLDER`. Both compute the hash of every event anew, follow the hashes of the whole
log from one signed checkpoint to the next, and check the signatures.

events.jsonl       every event, with its hash; the first line holds the key of the payload digests
attachment-*       what events refer to, such as images; each is named by the SHA-256 that its events have of it
chain.txt          the hash of every event of the log around it; they tell nothing of other sessions but their number
checkpoints.jsonl  what the log's owner signed while it was written
key*.pub           the public keys; compare them with a copy that you trust
SHA256SUMS         for `sha256sum --check`
verify.py          a hundred lines to read before you run them

The content of the session is in here as it was said, secrets included.
"""
_HASHES = 1_000


def files(source: Source, session_id: StreamId) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the files of the bundle, to be read in this order."""
    sums: dict[str, str] = {}
    origin = source.origin(session_id)
    span = _Span()
    events = jsonl.lines(Origin(origin.header, span.follow(origin.events), origin.content), enclose=False)
    yield EVENTS_NAME, _summed(sums, EVENTS_NAME, events)
    for name, reference in span.attachments.items():
        yield name, _summed(sums, name, origin.content(reference))
    evidence = source.evidence(span.first, span.last)
    yield CHAIN_NAME, _summed(sums, CHAIN_NAME, _chain(evidence))
    readme = _README.format(
        session=origin.header.session_id,
        at=to_text(origin.header.exported_at),
        store=origin.header.store,
        events=span.count,
        first=span.first,
        last=span.last,
    )
    verifier = Path(__file__).with_name("verifier.py").read_bytes()
    others = {CHECKPOINTS_NAME: evidence.checkpoints, **evidence.keys}
    for name, content in {**others, "verify.py": verifier, "README.txt": readme.encode()}.items():
        yield name, _summed(sums, name, iter([content]))
    yield SUMS_NAME, iter([f"{total}  {name}\n".encode() for name, total in sums.items()])


class _Span:
    """Where the events stand that passed by, and what they refer to, by the names of files."""

    def __init__(self) -> None:
        self.first = self.last = self.count = 0
        self.attachments: dict[str, Reference] = {}

    def follow(self, events: Iterator[EventLine]) -> Iterator[EventLine]:
        for event in events:
            self.first = self.first or event.position
            self.last = event.position
            self.count += 1
            for reference in references(event.data or ""):
                self.attachments.setdefault(FILE_PREFIX + reference.sha256, reference)
            yield event


def _chain(evidence: Evidence) -> Iterator[bytes]:
    yield f"after {evidence.after}\n".encode()
    some: list[str] = []
    for event_hash in evidence.hashes:
        some.append(event_hash.hex())
        if len(some) == _HASHES:
            yield "".join(f"{each}\n" for each in some).encode()
            some.clear()
    yield "".join(f"{each}\n" for each in some).encode()


def _summed(sums: dict[str, str], name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = sha256()
    for piece in pieces:
        total.update(piece)
        yield piece
    sums[name] = total.hexdigest()
