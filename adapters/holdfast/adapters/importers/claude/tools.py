"""How the tools of Claude Code are shown: a class of tool, and one line of what it is used for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.importers.lines import is_object
from holdfast.adapters.importers.titles import title

if TYPE_CHECKING:
    from holdfast.adapters.importers.lines import JsonObject

_KINDS = {
    "Agent": "think",
    "Bash": "execute",
    "BashOutput": "execute",
    "Edit": "edit",
    "EnterPlanMode": "switch_mode",
    "ExitPlanMode": "switch_mode",
    "Glob": "search",
    "Grep": "search",
    "KillBash": "execute",
    "KillShell": "execute",
    "LS": "search",
    "LSP": "search",
    "MultiEdit": "edit",
    "NotebookEdit": "edit",
    "NotebookRead": "read",
    "PowerShell": "execute",
    "Read": "read",
    "Task": "think",
    "TaskOutput": "execute",
    "TodoRead": "think",
    "TodoWrite": "think",
    "ToolSearch": "search",
    "WebFetch": "fetch",
    "WebSearch": "fetch",
    "Write": "edit",
    "bash_code_execution": "execute",
    "code_execution": "execute",
    "web_fetch": "fetch",
    "web_search": "fetch",
}
"""Kinds as the Agent Client Protocol names them; any other tool is `other`."""

_TELLING = (
    "command",
    "file_path",
    "notebook_path",
    "pattern",
    "path",
    "query",
    "url",
    "description",
    "skill",
    "subject",
    "prompt",
    "question",
    "task_id",
    "bash_id",
    "shell_id",
)


def kind_of(tool: str) -> str:
    """Return the class of a tool."""
    return _KINDS.get(tool, "other")


def title_of(tool: str, arguments: object) -> str:
    """Return one line that says what the tool is used for, such as `Bash: echo hello`."""
    return title(tool, _hint(arguments) if is_object(arguments) else "")


def _hint(arguments: JsonObject) -> str:
    for name in _TELLING:
        value = arguments.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return ""
