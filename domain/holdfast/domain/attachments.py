"""What is too large for an event: images and embedded files leave its payload, and a reference takes their place.

A reference is JSON of exactly one form, and members of a peer that look like one are escaped, so nothing is mistaken
for one. Pure text in, text out: where the content is kept is for others to know.
"""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from msgspec import DecodeError, Raw, Struct, json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT: Final = 64 * 1024
"""A text in a payload that is longer than this is looked at; an attachment's text is never shorter."""

CONTENT_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of the largest attachment that an import takes; the lines of no transcript hold more."""

KEY: Final = "$attachment"
_MARK: Final = b'{"$attachment":"'
_REFERENCE: Final = re.compile(
    rb'\{"\$attachment":"([0-9a-f]{64})","size":(0|[1-9][0-9]{0,14}),"encoding":"(base64|utf-8)"'
    rb'(?:,"prefix":"([ !#-\[\]-~]{1,255})")?\}'
)
_NAME: Final = re.compile(r"[0-9a-f]{64}")
_ESCAPABLE: Final = b'$attachment"'
_TOKEN: Final = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*+:)?|[{}\[\]]', re.DOTALL)
_OWN_KEY: Final = re.compile(rb"\$+attachment")
_ESCAPED: Final = re.compile(rb'"\$(\$+attachment")(?=\s*+:)')
_DATA_URI: Final = re.compile(rb"data:[ !#-+\--\[\]-~]{0,200};base64,")
_BASE64_LIKE: Final = re.compile(rb"[A-Za-z0-9+/=_\s-]+")

_BINARY: Final = frozenset({"data", "blob", "bytes", "base64", "b64_json", "image", "audio", "result"})
"""Names under which peers and tools send bytes as text."""

_WORDS: Final = frozenset({"type", "text", "name", "title"})
"""Names whose values are read as words; they stay, whatever they hold."""


class Reference(Struct, frozen=True, gc=False):
    """What stands in a payload in the place of a long text.

    Attributes:
        sha256: Digest of the content, hexadecimal: its name.
        size: Bytes of the content.
        encoding: How the text was made of it: `base64` of bytes, or the text itself in `utf-8`.
        prefix: What the text had in front, such as `data:image/png;base64,`.
    """

    sha256: str
    size: int
    encoding: Literal["base64", "utf-8"]
    prefix: str = ""

    def text(self, content: bytes) -> str:
        """Return the text that stood there."""
        words = b2a_base64(content, newline=False).decode() if self.encoding == "base64" else content.decode()
        return self.prefix + words

    def json(self) -> bytes:
        """Return the reference as it stands in a payload."""
        prefix = f',"prefix":"{self.prefix}"' if self.prefix else ""
        return f'{{"{KEY}":"{self.sha256}","size":{self.size},"encoding":"{self.encoding}"{prefix}}}'.encode()


class Detached(NamedTuple):
    """A payload with references, and the contents that they name."""

    data: bytes
    contents: dict[str, bytes]


def is_name(text: str) -> bool:
    """Tell whether a text could be the name of an attachment."""
    return _NAME.fullmatch(text) is not None


def may_change(data: bytes) -> bool:
    """Tell whether `detach` has to look at a payload at all. Cheap."""
    return len(data) > LIMIT or _ESCAPABLE in data


def refers(data: bytes) -> bool:
    """Tell whether a stored payload may hold references. Cheap."""
    return _MARK in data


def detach(data: bytes, fields: tuple[str, ...]) -> Detached:
    """Take the long texts of attachments out of a payload, and escape what looks like a reference.

    Everything else stays as it is, byte by byte. Only what stands below the members `fields`, which hold a peer's JSON,
    is touched. Time proportional to the length; memory for the contents.
    """
    pieces: list[bytes] = []
    contents: dict[str, bytes] = {}
    names = {name.encode() for name in fields}
    done = 0
    inside = False
    key = b""
    path: list[bytes] = []
    for token in _TOKEN.finditer(data):
        match data[token.start()]:
            case 0x7B | 0x5B:  # { and [
                path.append(key)
                continue
            case 0x7D | 0x5D:
                key = path.pop() if path else b""
                continue
            case _:
                pass
        if token[2] is not None:
            key = token[1]
            if len(path) == 1:
                inside = key in names
            elif inside and _OWN_KEY.fullmatch(key):
                pieces += (data[done : token.start()], b'"$', key, b'"')
                done = token.end(1) + 1
        elif inside and len(path) > 1 and token.end(1) - token.start(1) > LIMIT:
            reference, content = _reference(token[0], key, path[-1])
            if reference is not None:
                pieces += (data[done : token.start()], reference.json())
                done = token.end()
                contents[reference.sha256] = content
    if not done:
        return Detached(bytes(data), contents)
    pieces.append(data[done:])
    return Detached(b"".join(pieces), contents)


def stays(content: bytes) -> bool:
    """Tell whether JSON of a peer would be stored just as it is."""
    if not may_change(content):
        return True
    wrapped = b'{"content":%b}' % content
    return detach(wrapped, ("content",)).data == wrapped


def references(data: bytes | str) -> Iterator[Reference]:
    """Yield the references in a stored payload."""
    raw = data.encode() if isinstance(data, str) else data
    if _MARK in raw:
        for found in _REFERENCE.finditer(raw):
            yield _read(found)


def attach(data: bytes, content_of: Callable[[Reference], bytes | None]) -> bytes:
    """Return a stored payload, or a part of one, as it was before: texts for references, nothing escaped any more.

    Args:
        data: JSON as it is stored.
        content_of: Gives the content; None leaves the reference.
    """
    left = False

    def whole(found: re.Match[bytes]) -> bytes:
        nonlocal left
        reference = _read(found)
        content = content_of(reference)
        if content is None:
            left = True
            return found[0]
        return json.encode(reference.text(content))

    result = _REFERENCE.sub(whole, data) if _MARK in data else data
    if not left and b"$$attachment" in data:
        # Only where no reference is left that an unescaped member could be taken for. Contents hold no such member.
        result = _ESCAPED.sub(rb'"\1', result)
    return result


def attach_json(raw: Raw, content_of: Callable[[Reference], bytes | None]) -> Raw:
    """Return a peer's JSON as it was before."""
    data = bytes(raw)
    return Raw(attach(data, content_of)) if b"$attachment" in data else raw


def media_type(start: bytes, *, text: bool) -> str:
    """Return the type of a content by its first bytes: that of a picture made of dots, or what cannot do anything.

    Args:
        start: At least its first 16 bytes.
        text: Whether it stood in its payload as text.
    """
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return "text/plain; charset=utf-8" if text else "application/octet-stream"


def _reference(token: bytes, key: bytes, parent: bytes) -> tuple[Reference | None, bytes]:
    """Return what takes the place of a long text, and its content; None for one that is not an attachment."""
    try:
        text = json.decode(token, type=str).encode() if b"\\" in token else token[1:-1]
        name = key.decode("utf-8", "replace")
        if name == "text" and parent == b"resource":
            text.decode()
            return _named(text, "utf-8")
        if name in _WORDS:
            return None, b""
        found = _DATA_URI.match(text)
        if found is not None and (content := _bytes_of(text[found.end() :])) is not None:
            return _named(content, "base64", found[0].decode())
        if name in _BINARY:
            if (content := _bytes_of(text)) is not None:
                return _named(content, "base64")
            if _BASE64_LIKE.fullmatch(text):
                return _named(text, "utf-8")
        if text.startswith(b"data:"):
            text.decode()
            return _named(text, "utf-8")
    except (DecodeError, UnicodeError):
        pass  # half a character, say: it stays where it is
    return None, b""


def _named(content: bytes, encoding: Literal["base64", "utf-8"], prefix: str = "") -> tuple[Reference, bytes]:
    return Reference(sha256(content).hexdigest(), len(content), encoding, prefix), content


def _bytes_of(text: bytes) -> bytes | None:
    """Return the bytes that a text encodes, if encoding them again gives the very same text."""
    try:
        content = a2b_base64(text, strict_mode=True)
    except (NotBase64, ValueError):
        return None
    return content if b2a_base64(content, newline=False) == text else None


def _read(found: re.Match[bytes]) -> Reference:
    encoding: Literal["base64", "utf-8"] = "base64" if found[3] == b"base64" else "utf-8"
    return Reference(found[1].decode(), int(found[2]), encoding, (found[4] or b"").decode())
