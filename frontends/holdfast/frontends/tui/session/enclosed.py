"""Pictures and files in a message or in what a tool gave back: what they are, and what it takes to have them. Pure."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64Error
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from holdfast.frontends.tui.session.items import number, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.frontends.tui.session.items import Json

_DEEP: Final = 6
"""Levels of a tool's output that are looked through."""

_ENDINGS: Final = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "audio/wav": ".wav",
    "audio/mpeg": ".mp3",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}


class Enclosed(NamedTuple):
    """One of them.

    Attributes:
        kind: `image`, `audio` or `resource`.
        name: What its sender calls it; empty where nothing.
        media_type: Its media type, as its sender says.
        size: Its bytes; 0 where nobody says.
        here: Its content, where it stands in the item.
        reference: The name under which it is kept beside the log, where it is.
    """

    kind: str
    name: str
    media_type: str
    size: int
    here: bytes | None = None
    reference: str = ""

    @property
    def can_be_saved(self) -> bool:
        """Whether there is content to be had, and not only a link."""
        return self.here is not None or bool(self.reference)

    @property
    def words(self) -> str:
        """What it is, in one line."""
        size = f"{_amount(self.size)}" if self.size else ""
        return "  ".join(filter(None, (self.kind.replace("_", " "), self.name, self.media_type, size)))

    def file_name(self, session: str, at: int) -> str:
        """Return a name for a file of it, which nothing that its sender says leads out of a folder or hides."""
        base = self.name.replace("\\", "/").rstrip("/").rpartition("/")[2]
        kept = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "-" for each in base)
        kept = kept.lstrip(".-")[-60:].lstrip(".-")
        ending = _ENDINGS.get(self.media_type, "")
        if not kept:
            return f"{self.kind}-{session[:8]}-{at}{ending or '.bin'}"
        return kept if "." in kept else f"{kept}{ending}"


def enclosed(item: Json) -> list[Enclosed]:
    """Return what an item holds beside words."""
    if item.get("kind") == "tool_call":
        return [*_found(item.get("content"), _DEEP), *_found(item.get("output"), _DEEP)]
    return list(_found(item.get("content"), 2))


def _found(value: object, deep: int) -> Iterator[Enclosed]:
    if deep < 0:
        return
    if isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _found(each, deep - 1)
    elif isinstance(value, dict):
        block = cast("Json", value)
        kind = text(block, "type")
        if kind in ("image", "audio", "resource", "resource_link"):
            yield _one(kind, block)
        elif kind != "diff":
            for name in ("content", "output", "source"):
                yield from _found(block.get(name), deep - 1)


def _one(kind: str, block: Json) -> Enclosed:
    resource, source = _object(block.get("resource")), _object(block.get("source"))
    name = text(block, "name") or text(block, "title") or text(block, "uri") or text(resource, "uri")
    media_type = text(block, "mimeType") or text(resource, "mimeType") or text(source, "media_type")
    content = next(
        (each for each in (block.get("data"), source.get("data"), resource.get("blob"), resource.get("text")) if each),
        None,
    )
    if isinstance(content, dict):
        reference = cast("Json", content)
        return Enclosed(kind, name, media_type, number(reference, "size"), None, text(reference, "$attachment"))
    if not isinstance(content, str):
        return Enclosed(kind, name, media_type, number(block, "size"))
    here = _bytes(content) if content is not resource.get("text") else content.encode(errors="replace")
    return Enclosed(kind, name, media_type, len(here or b""), here)


def _bytes(data: str) -> bytes | None:
    try:
        return b64decode(data.partition(",")[2] if data.startswith("data:") else data, validate=True)
    except (NotBase64Error, ValueError):
        return None


def _object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _amount(size: int) -> str:
    if size >= 1024 * 1024:
        return f"{size / 1024 / 1024:.1f} MiB"
    return f"{size / 1024:.1f} KiB" if size >= 1024 else f"{size} bytes"
