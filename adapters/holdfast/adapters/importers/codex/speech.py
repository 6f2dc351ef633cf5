"""Messages and thoughts of a rollout. Most stand in it twice, for the model and for people: each is said once.

What an event said has an item that ends in `.e`, so that its twin among the items for the model is told from the same
words said again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from msgspec import Raw, json

from holdfast.adapters.importers.codex.line import parts
from holdfast.adapters.importers.fields import file_block, text
from holdfast.adapters.importers.lines import is_array, is_object
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.codex.line import CodexLine
    from holdfast.adapters.importers.draft import Draft
    from holdfast.adapters.importers.lines import JsonObject

BY_EVENT = ".e"
TASK = "task-"
"""Begins the names of turns that the tool itself declared. In them a person may speak without beginning another."""

_COMMAND = re.compile(r"\s*<user_shell_command>(.*)</user_shell_command>\s*", re.DOTALL)
_INJECTED = re.compile(
    r"\s*(?:# AGENTS\.md instructions|<(?P<tag>skill|INSTRUCTIONS|[a-z]+(?:[_ ][a-z]+)+)\b[^>]*>.*</(?P=tag)>\s*$)",
    re.DOTALL,
)
_AROUND_IMAGES = re.compile(r"\s*</?image\b[^>]*>\s*")


def message(line: CodexLine, draft: Draft, name: str, anchor: str) -> None:
    """Add a message that the model sees: of the agent, of the person, or of the tool in somebody's name."""
    said = [each for each in parts(line.payload.get("content")) if each.strip()]
    match text(line.payload, "role"):
        case "assistant":
            for each in said:
                agent_said(draft, name, each, anchor)
        case "user":
            person = [each for each in said if not _INJECTED.match(each)]
            _inject(draft, name, [each for each in said if _INJECTED.match(each)])
            words = "".join(each for each in person if not _AROUND_IMAGES.fullmatch(each))
            person_said(draft, name, words, anchor, _images(line.payload.get("content")))
        case _:
            _inject(draft, name, said)


def person_said(draft: Draft, name: str, words: str, anchor: str, images: list[JsonObject] | None = None) -> None:
    """Add words of the person, unless their twin was added before. They begin a turn, where the tool declares none."""
    blocks: list[JsonObject] = []
    if words.strip():
        if _repeats(draft, "message", words, name):
            return
        blocks.append({"type": "text", "text": words})
    if not blocks and not images:
        return
    fact = e.MessageSent(name, Raw(json.encode([*blocks, *(images or ())])))
    if (draft.turn or "").startswith(f"turn-{TASK}"):
        draft.add(fact)
    else:
        draft.begin_turn(anchor, fact)


def agent_said(draft: Draft, name: str, words: str, anchor: str) -> None:
    """Add words of the agent, unless their twin was added before."""
    if words.strip() and not _repeats(draft, "text", words, name):
        draft.in_turn(anchor)
        draft.add(e.TextAppended(name, words))


def agent_thought(draft: Draft, name: str, words: str, anchor: str) -> None:
    """Add a thought, unless its twin was added before."""
    if words.strip() and not _repeats(draft, "thought", words, name):
        draft.in_turn(anchor)
        draft.add(e.ThoughtAppended(name, words))


def agent_thinks(line: CodexLine, draft: Draft, name: str, anchor: str) -> None:
    """Add a `reasoning` item: the summary, and the words themselves where they are not encrypted."""
    thoughts = parts(line.payload.get("summary")) + parts(line.payload.get("content"))
    for number, each in enumerate(thoughts):
        agent_thought(draft, f"{name}.{number}" if number else name, each, anchor)


def agent_says(line: CodexLine, draft: Draft, name: str) -> None:
    """Add what one agent tells another."""
    if words := "\n".join(parts(line.payload.get("content"))).strip():
        sender = " → ".join(filter(None, (text(line.payload, "author"), text(line.payload, "recipient"))))
        draft.add(e.NoticeAdded(name, "agent", f"{sender}: {words}" if sender else words))


def _repeats(draft: Draft, kind: Literal["message", "text", "thought"], words: str, name: str) -> bool:
    twin = draft.said(kind, words)
    return twin is not None and twin.endswith(BY_EVENT) != name.endswith(BY_EVENT)


def _inject(draft: Draft, name: str, said: list[str]) -> None:
    if not said:
        return
    typed = _COMMAND.fullmatch(said[0]) if len(said) == 1 else None
    if typed:
        draft.add(e.NoticeAdded(f"{name}.0", "command", typed[1].strip()))
    else:
        draft.add(e.NoticeAdded(f"{name}.0", "injected", "\n\n".join(each.strip() for each in said)))


def _images(content: object) -> list[JsonObject]:
    """Return the images among the parts as content blocks."""
    images: list[JsonObject] = []
    for each in content if is_array(content) else []:
        address = text(each, "image_url") if is_object(each) else ""
        if address:
            images.append(file_block(address, "image"))
    return images
