"""How the tools of opencode are shown: a class of tool, and what it is used for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.importers.fields import inner, text

if TYPE_CHECKING:
    from holdfast.adapters.importers.lines import JsonObject

_KINDS = {
    "apply_patch": "edit",
    "bash": "execute",
    "codesearch": "search",
    "edit": "edit",
    "glob": "search",
    "grep": "search",
    "list": "search",
    "lsp": "search",
    "multiedit": "edit",
    "patch": "edit",
    "read": "read",
    "skill": "read",
    "task": "think",
    "todoread": "think",
    "todowrite": "think",
    "webfetch": "fetch",
    "websearch": "fetch",
    "write": "edit",
}
"""Kinds as the Agent Client Protocol names them; any other tool is `other`."""

_TELLING = ("command", "filePath", "path", "pattern", "query", "url", "description", "prompt")


def kind_of(tool: str) -> str:
    """Return the class of a tool."""
    return _KINDS.get(tool, "other")


def hint_of(state: JsonObject) -> str:
    """Return what the arguments tell about the use, else the title that the tool gave it."""
    arguments = inner(state, "input")
    return next((said for each in _TELLING if (said := text(arguments, each)).strip()), "") or text(state, "title")
