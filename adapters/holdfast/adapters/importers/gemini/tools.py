"""How the tools of Gemini CLI are shown: a class of tool, and what it is used for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.importers.fields import inner, text

if TYPE_CHECKING:
    from holdfast.adapters.importers.lines import JsonObject

_KINDS = {
    "edit": "edit",
    "glob": "search",
    "google_web_search": "fetch",
    "grep_search": "search",
    "list_directory": "search",
    "read_file": "read",
    "read_many_files": "read",
    "replace": "edit",
    "run_shell_command": "execute",
    "save_memory": "think",
    "search_file_content": "search",
    "web_fetch": "fetch",
    "write_file": "edit",
    "write_todos": "think",
}
"""Kinds as the Agent Client Protocol names them; any other tool is `other`."""

_TELLING = ("command", "file_path", "absolute_path", "path", "dir_path", "pattern", "query", "url", "prompt", "fact")


def kind_of(tool: str) -> str:
    """Return the class of a tool."""
    return _KINDS.get(tool, "other")


def hint_of(call: JsonObject) -> str:
    """Return what the arguments tell about the use."""
    arguments = inner(call, "args")
    return next((said for each in _TELLING if (said := text(arguments, each)).strip()), "")
