"""Tells what a person said from what the tool put into the person's mouth."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Raw, Struct

from holdfast.adapters.importers.lines import is_object
from holdfast.domain import content as blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.adapters.importers.claude.line import Block, ClaudeLine

INTERRUPTED = "[Request interrupted by user"

_INJECTED = (
    "agent-notification|fork-boilerplate|ide_diagnostics|ide_opened_file|ide_selection|new-diagnostics|"
    "post-tool-use-hook|session-start-hook|system-reminder|task-notification|teammate-message|user-prompt-submit-hook"
)
_COMMAND = "command-name|command-message|command-args|command-contents"
_OUTPUT = "local-command-stdout|local-command-stderr|bash-stdout|bash-stderr"
_TYPED = "bash-input|user-memory-input"
_WRAPPED = re.compile(
    rf"\s*<(?P<tag>{_INJECTED}|{_COMMAND}|{_OUTPUT}|{_TYPED}|local-command-caveat)\b[^>]*>(?P<inner>.*?)</(?P=tag)>\s*",
    re.DOTALL,
)
_SIGILS = {"bash-input": "!", "user-memory-input": "#"}


class Aside(Struct, frozen=True):
    """Words that nobody said: what they are, and what they read."""

    kind: str
    text: str


@dataclass
class Speech:
    """What a line in the person's name holds.

    Attributes:
        said: Blocks of content that the person gave.
        asides: Everything else that can be read.
        results: What came of uses of tools.
        interrupted: Whether the person stopped the agent.
    """

    said: list[Raw] = field(default_factory=list["Raw"])
    asides: list[Aside] = field(default_factory=list["Aside"])
    results: list[Block] = field(default_factory=list["Block"])
    interrupted: bool = False

    def content(self) -> Raw:
        """Return what the person said as one content."""
        return Raw(b"[" + b",".join(bytes(raw) for raw in self.said) + b"]")


def hear(line: ClaudeLine) -> Speech:
    """Take a line in the person's name apart. On the thread of a sub-agent the agent speaks, and nothing is said."""
    speech = Speech()
    kind = _whole_kind(line)
    content = line.content()
    if isinstance(content, str):
        _hear_text(speech, content, kind)
        return speech
    for block in content or []:
        if block.type == "tool_result":
            speech.results.append(block)
        elif block.type == "text":
            _hear_text(speech, str(block.fields.get("text") or ""), kind, block.raw)
        elif kind is None:
            speech.said.append(block.raw.copy())
        else:
            speech.asides.append(Aside(kind, blocks.text_of(Raw(b"[" + bytes(block.raw) + b"]"))))
    return speech


def asides(text: str) -> tuple[list[Aside], str]:
    """Split `text` into what the tool wrapped at its beginning, and the rest."""
    wrapped, rest = _unwrap(text)
    return list(_asides(wrapped)), rest


def _whole_kind(line: ClaudeLine) -> str | None:
    """Return what the whole line is where the tool says so itself; None for what may be a person's."""
    origin = line.fields.get("origin")
    if line.says("isCompactSummary") or line.says("isVisibleInTranscriptOnly"):
        return "summary"
    injected = (
        line.says("isMeta")
        or line.thread is not None
        or line.fields.get("promptSource") == "system"
        or (is_object(origin) and origin.get("kind", "human") != "human")
    )
    return "injected" if injected else None


def _hear_text(speech: Speech, text: str, kind: str | None, raw: Raw | None = None) -> None:
    if text.startswith(INTERRUPTED):
        speech.interrupted = True
        return
    wrapped, rest = ([], text) if kind == "summary" else _unwrap(text)
    speech.asides.extend(_asides(wrapped))
    if not rest.strip():
        return
    if kind is not None:
        speech.asides.append(Aside(kind, rest))
    elif raw is not None and not wrapped:
        speech.said.append(raw.copy())
    else:
        speech.said.append(Raw(bytes(blocks.of_text(rest))[1:-1]))


def _unwrap(text: str) -> tuple[list[tuple[str, str, str]], str]:
    wrapped: list[tuple[str, str, str]] = []
    at = 0
    while match := _WRAPPED.match(text, at):
        wrapped.append((match["tag"], match["inner"], match[0]))
        at = match.end()
    return wrapped, text[at:]


def _asides(wrapped: list[tuple[str, str, str]]) -> Iterator[Aside]:
    command = {tag: inner.strip() for tag, inner, _ in wrapped if tag.startswith("command-")}
    if command:
        name = command.get("command-name") or command.get("command-message", "")
        yield Aside("command", f"/{name.removeprefix('/')} {command.get('command-args', '')}".strip())
    for tag, inner, whole in wrapped:
        if tag in _SIGILS:
            yield Aside("command", f"{_SIGILS[tag]} {inner.strip()}")
        elif tag in _OUTPUT.split("|"):
            if inner.strip():
                yield Aside("output", inner.strip("\n"))
        elif not tag.startswith("command-"):
            yield Aside("injected", whole.strip())
