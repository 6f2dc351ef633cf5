"""Arguments, results and other JSON of a peer, as lines that a person can read. Whatever it is, something is shown."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, TypeAlias, cast

from msgspec import MsgspecError, json

from holdfast.domain.escaping import escaped
from holdfast.domain.sizes import in_words

if TYPE_CHECKING:
    from msgspec import Raw

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_SHORT = 100

_BESIDE = ("image", "audio", "resource")

_ATTACHMENT = "[attachment, "
_REFERS = b'"$attachment"'

_LONGEST = 2_000
"""Characters of one line that are shown."""


def arguments(raw: Raw) -> list[str]:
    """Return the arguments of a tool: one `name: value` a line, longer texts indented below their name."""
    value = _decoded(raw)
    if not isinstance(value, dict):
        return _lines(value)
    lines: list[str] = []
    for key, each in value.items():
        name, below = escaped(key), _lines(each)  # a name may hold line ends as well
        if len(below) == 1:
            lines.append(f"{name}: {below[0]}")
        else:
            lines += [f"{name}:", *(f"  {line}" for line in below)]
    return lines


def result(raw: Raw) -> list[str]:
    """Return what came of a tool: its texts as they are, everything else as JSON."""
    value = _decoded(raw)
    if isinstance(value, dict) and isinstance(output := value.get("output"), str) and len(value) == 1:
        value = output  # how many agents wrap a text
    return _lines(value)


def beyond_text(raw: Raw) -> list[str]:
    """Return what a message holds beside its words: its images by name, and the files that were put into it."""
    value = _decoded(raw)
    blocks = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return [line for block in blocks if block.get("type") in _BESIDE for line in _block(block)]


def plan(raw: Raw) -> list[tuple[str, str]]:
    """Return the entries of a plan, each with its status."""
    entries = _decoded(raw)
    if not isinstance(entries, list):
        return [("", line) for line in _lines(entries)]
    shown: list[tuple[str, str]] = []
    for entry in entries:
        fields = entry if isinstance(entry, dict) else {}
        content = fields.get("content")
        shown.append((str(fields.get("status", "")), content if isinstance(content, str) else " ".join(_lines(entry))))
    return shown


def fold(lines: list[str], limit: int, hint: str, dots: str = "…") -> list[str]:
    """Return at most `limit` lines, none of absurd length; what is left out is counted in words, with `hint`."""
    kept = [_cut(line, hint, dots) for line in lines[:limit]]
    more = len(lines) - len(kept)
    if more:
        kept.append(f"{dots} {more:,} more {'line' if more == 1 else 'lines'} ({hint})")
    return kept


def _cut(line: str, hint: str, dots: str) -> str:
    if len(line) <= _LONGEST:
        return line
    return f"{line[:_LONGEST]} {dots} {len(line) - _LONGEST:,} more characters ({hint})"


def _decoded(raw: Raw) -> Json:
    """Return the JSON as Python has it; as the text it is, where Python could not show it again."""
    if not raw:
        return None
    try:
        value = cast("Json", json.decode(raw))
        dumps(value)
        if _REFERS in bytes(raw):
            value = _named(value)
    except (MsgspecError, RecursionError, UnicodeDecodeError):
        return bytes(raw).decode("utf-8", "replace")
    return value


def _named(value: Json) -> Json:
    """Put a few words in the place of every reference to an attachment."""
    match value:
        case {"$attachment": str(name), "size": int(size)}:
            return f"{_ATTACHMENT}{in_words(size)}, {name[:12]}…]"
        case dict():
            return {key: _named(each) for key, each in value.items()}
        case list():
            return [_named(each) for each in value]
        case _:
            return value


def _lines(value: Json) -> list[str]:
    match value:
        case None:
            return []
        case str():
            return value.replace("\r\n", "\n").rstrip("\n").split("\n")
        case list():
            blocks = [each for each in value if isinstance(each, dict) and "type" in each]
            if blocks and len(blocks) == len(value):
                return [line for block in blocks for line in _block(block)]
            return _plain(value, value)
        case dict():
            return _plain(value, list(value.values()))
        case _:
            return [dumps(value)]


def _plain(value: Json, parts: list[Json]) -> list[str]:
    """Return JSON as it is: on one line where that is short and flat."""
    line = dumps(value, ensure_ascii=False)
    if len(line) <= _SHORT and not any(isinstance(each, dict | list) for each in parts):
        return [line]
    return dumps(value, ensure_ascii=False, indent=2).split("\n")


def _block(block: dict[str, Json]) -> list[str]:
    """Return one content block as agents exchange them."""
    match block:
        case {"type": "text", "text": str(text)}:
            return _lines(text)
        case {"type": "content", "content": content}:
            return _block(content) if isinstance(content, dict) else _lines(content)
        case {"type": "diff", "path": str(path), "newText": str(new)}:
            old = block.get("oldText")
            removed = [f"- {line}" for line in _lines(old)] if isinstance(old, str) and old else []
            return [path, *removed, *(f"+ {line}" for line in _lines(new))]
        case {"type": "image" | "audio" as kind}:
            source = block.get("source")
            data = block.get("data") or (source.get("data") if isinstance(source, dict) else None)
            if isinstance(data, str) and data.startswith(_ATTACHMENT):
                return [f"[{kind}, {data.removeprefix(_ATTACHMENT)}"]
            return [f"[{kind}]"]
        case {"type": "resource", "resource": {"uri": str(uri), "text": str(text)}}:
            return [uri, *_lines(text)]
        case _:
            return _plain(block, list(block.values()))
