"""What a person says to a peer, as a request holds it: a text, or content blocks of the Agent Client Protocol."""

from __future__ import annotations

from binascii import Error as NotBase64
from binascii import a2b_base64
from typing import Annotated, Final, cast

import msgspec
from msgspec import Meta, Raw

from holdfast.domain.content import of_text
from holdfast.domain.errors import UsageError

NEEDS: Final = {
    "text": ("text",),
    "image": ("data", "mimeType"),
    "audio": ("data", "mimeType"),
    "resource_link": ("uri", "name"),
    "resource": ("resource",),
}
"""The blocks that agents take, and what each must hold. Whatever else one holds is handed on as it is."""

_BYTES: Final = {"image": "data", "audio": "data", "resource": "blob"}
"""Where a block spells bytes out. A resource may hold a text in their place."""

_SHAPE: Final = {"required": ["type"], "properties": {"type": {"enum": list(NEEDS)}}}

Block = Annotated[dict[str, object], Meta(extra_json_schema=_SHAPE)]
Content = str | list[Block]


def blocks(content: Content) -> Raw:
    """Return content blocks as JSON.

    Raises:
        UsageError: There is nothing in them, or one is none that an agent could take.
    """
    if isinstance(content, str):
        if not content.strip():
            msg = "the prompt is empty: say something"
            raise UsageError(msg)
        return of_text(content)
    if not content:
        msg = "content is a text, or a list of one content block or more"
        raise UsageError(msg)
    for at, block in enumerate(content):
        _check(f"content[{at}]", block)
    return Raw(msgspec.json.encode(content))


def _check(where: str, block: dict[str, object]) -> None:
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in NEEDS:
        what = "has no type" if kind is None else f"is of type {str(kind)[:40]!r}"
        msg = f"{where} {what}: a content block is one of {', '.join(NEEDS)}"
        raise UsageError(msg)
    for name in NEEDS[kind]:
        if not isinstance(block.get(name), dict if name == "resource" else str):
            msg = f"{where} is of type {kind!r} and has no {name!r}"
            raise UsageError(msg)
    if kind in _BYTES:
        name = _BYTES[kind]
        holder = cast("dict[str, object]", block["resource"]) if kind == "resource" else block
        if name in holder and not _is_base64(holder[name]):
            msg = f"{where} is of type {kind!r}, and its {name!r} is no base64 (RFC 4648 §4, without line breaks)"
            raise UsageError(msg)
        if name == "data" and not holder[name]:  # an embedded file may be empty, but no picture and no sound is
            msg = f"{where} is of type {kind!r}, and its 'data' is empty"
            raise UsageError(msg)


def _is_base64(text: object) -> bool:
    try:
        a2b_base64(cast("str", text), strict_mode=True)
    except (NotBase64, ValueError, TypeError):  # a ValueError for letters beyond ASCII
        return False
    return True
