"""Write those parts of the reference that the code itself knows best, between their markers.

`make docs` runs it, and `tests/test_generated_pages.py` fails while a page is stale.
"""

from __future__ import annotations

import inspect
import re
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Raw, Struct, UnsetType
from msgspec.structs import fields

from docs.statechart import CHARTS, command_table, diagram, explore, transition_table
from holdfast.domain.link import events as link_events
from holdfast.domain.session import events
from holdfast.domain.session.facts import BY_TAG, Registration
from holdfast.domain.session.upcasters import UPCASTERS
from holdfast.frontends.conformance import frames
from holdfast.frontends.tui.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REFERENCE: Final = Path(__file__).parent / "reference"

_BLOCK = re.compile(r"(<!-- begin (?P<name>[a-z-]+): .*? -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)
_JSON_NAMES: Final[dict[object, str]] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    NoneType: "null",
    Raw: "any JSON",
    Any: "any JSON",
    frames.Json: "object",
}


def generated(page: str) -> str:
    """Return `page` with every block between markers as the code of now makes it.

    Raises:
        KeyError: A marker names a block that nothing makes.
    """
    blocks = _blocks()
    return _BLOCK.sub(lambda block: f"{block[1]}\n{blocks[block['name']]()}\n{block[3]}", page)


def main() -> None:
    """Bring every page of the reference up to date."""
    for path in sorted(REFERENCE.glob("*.md")):
        path.write_text(generated(path.read_text()))


def _blocks() -> dict[str, Callable[[], str]]:
    walks = explore()
    blocks: dict[str, Callable[[], str]] = {
        "events": event_pages,
        "event-tags": tag_table,
        "commands": partial(command_table, walks),
        "client-frames": partial(frame_tables, frames.OF_CLIENTS),
        "server-frames": partial(frame_tables, frames.OF_SERVERS),
        "ops": partial(frame_tables, frames.OPS),
        "tui-keys": key_tables,
    }
    for name, chart in CHARTS.items():
        blocks[f"{name}-diagram"] = partial(diagram, walks, chart)
        blocks[f"{name}-table"] = partial(transition_table, walks, chart)
    return blocks


def _registrations() -> list[tuple[str, Registration]]:
    """Every tag, those of sessions before those of links, whichever was imported first."""
    return sorted(BY_TAG.items(), key=lambda each: each[1].fact.__module__ == link_events.__name__)


def tag_table() -> str:
    """One line for each registered tag."""
    lines = ["| type | schema | says |", "| --- | --- | --- |"]
    for tag, registration in _registrations():
        summary = _documented(registration.fact)[0].split("\n")[0]
        lines.append(f"| [`{tag}`](#{tag}) | {registration.schema} | {summary} |")
    return "\n".join(lines) + "\n"


def event_pages() -> str:
    """Every registered fact with its fields, in the order of the modules that define them."""
    shared = _documented(events)[1] | _documented(link_events)[1]
    parts: list[str] = []
    module = ""
    for tag, registration in _registrations():
        if registration.fact.__module__ != module:
            module = registration.fact.__module__
            parts.append(f"## {_heading(inspect.getmodule(registration.fact))}\n")
        parts.append(_event(tag, registration, shared))
    return "\n".join(parts)


def frame_tables(kinds: Iterable[type[Struct]]) -> str:
    """Every frame of the stream with its fields."""
    parts: list[str] = []
    for kind in kinds:
        told, described = _documented(kind)
        hints = get_type_hints(kind)
        tag = kind.__struct_config__.tag
        name = f"`{tag}`" if isinstance(tag, str) else f"{kind.__name__} (inside a frame)"
        lines = [f"### {name}", "", told, ""]
        if fields(kind):
            lines += ["| field | type | always there | is |", "| --- | --- | --- | --- |"]
        for field in fields(kind):
            always = "yes" if field.required else ""
            sort = json_type(hints[field.name])
            lines.append(f"| `{field.encode_name}` | {sort} | {always} | {described[field.name]} |")
        parts.append("\n".join(lines).rstrip() + "\n")
    return "\n".join(parts)


def key_tables() -> str:
    """Every key of the terminal interface."""
    parts: list[str] = []
    for title, keys in KEYS:
        lines = [f"### {title}", "", "| key | does |", "| --- | --- |"]
        lines += [f"| `{key}` | {does} |" for key, does in keys]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _heading(module: object) -> str:
    """The subject of a module of facts: the beginning of its docstring."""
    subject = re.split(r"[,:.]", _documented(module)[0].removeprefix("Facts about "))[0]
    return subject[0].upper() + subject[1:]


def _event(tag: str, registration: Registration, shared: dict[str, str]) -> str:
    told, described = _documented(registration.fact)
    hints = get_type_hints(registration.fact)
    lines = [f"### `{tag}`", "", told, ""]
    if registration.schema > 1:
        lines += [f"Schema {registration.schema}. {_step(tag, version)}" for version in range(1, registration.schema)]
        lines.append("")
    listed = fields(registration.fact)
    if listed:
        lines += ["| field | type | always there | is |", "| --- | --- | --- | --- |"]
    for field in listed:
        words = described.get(field.name) or shared[field.name]
        always = "yes" if field.required else ""
        lines.append(f"| `{field.encode_name}` | {json_type(hints[field.name])} | {always} | {words} |")
    return "\n".join(lines).rstrip() + "\n"


def _step(tag: str, version: int) -> str:
    return f"From version {version}: {inspect.getdoc(UPCASTERS[tag, version])}"


def json_type(hint: Any) -> str:
    """Return what a Python annotation looks like in the stored JSON.

    Raises:
        TypeError: Nobody said yet what it looks like.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _JSON_NAMES:
        return _JSON_NAMES[hint]
    if origin is Literal:
        return ", ".join(f"`{argument}`" for argument in arguments)
    if origin in (UnionType, Union):
        return " or ".join(json_type(argument) for argument in arguments if argument is not UnsetType)
    if origin in (tuple, list):
        return f"array of {json_type(arguments[0])}"
    if origin is dict:
        return f"object of {json_type(arguments[1])}s"
    if isinstance(hint, type) and issubclass(hint, Struct):
        return f"objects `{{{', '.join(field.encode_name for field in fields(hint))}}}`"
    msg = f"say what {hint!r} looks like in JSON"
    raise TypeError(msg)


def _documented(thing: object) -> tuple[str, dict[str, str]]:
    """Return the words of a docstring, in one line a paragraph, and what it says of each attribute."""
    text, _, attributes = (inspect.getdoc(thing) or "").partition("\nAttributes:\n")
    described: dict[str, str] = {}
    for name, words in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE):
        described[name] = " ".join(words.split())
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n")), described


if __name__ == "__main__":
    main()
