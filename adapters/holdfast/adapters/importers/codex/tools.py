"""How the tools of Codex are shown: a class of tool, and what it is used for."""

from __future__ import annotations

import re
import shlex

from holdfast.adapters.importers.lines import is_array, is_object

_KINDS = {
    "apply_patch": "edit",
    "close_agent": "think",
    "container.exec": "execute",
    "exec": "execute",
    "exec_command": "execute",
    "grep_files": "search",
    "list_dir": "search",
    "local_shell": "execute",
    "read_file": "read",
    "resume_agent": "think",
    "send_input": "think",
    "shell": "execute",
    "shell_command": "execute",
    "spawn_agent": "think",
    "tool_search": "search",
    "unified_exec": "execute",
    "update_plan": "think",
    "view_image": "read",
    "wait": "think",
    "wait_agent": "think",
    "web_search": "fetch",
    "write_stdin": "execute",
}
"""Kinds as the Agent Client Protocol names them; any other tool is `other`."""

_TELLING = ("cmd", "command", "path", "dir_path", "file_path", "pattern", "query", "url", "message", "prompt", "chars")
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)
_SHELL_ARGUMENTS = ("-c", "-lc")


def kind_of(tool: str) -> str:
    """Return the class of a tool."""
    return _KINDS.get(tool, "other")


def hint_of(arguments: object) -> str:
    """Return what arguments tell about the use: a command, a place, the files of a patch."""
    if isinstance(arguments, str):
        patched: list[str] = _PATCHED.findall(arguments)
        return ", ".join(patched) or arguments
    if not is_object(arguments):
        return ""
    for name in _TELLING:
        value = arguments.get(name)
        if is_array(value):
            value = _command([each for each in value if isinstance(each, str)])
        if isinstance(value, str) and value.strip():
            return value
    patch = arguments.get("input")
    return hint_of(patch) if isinstance(patch, str) else ""


def _command(words: list[str]) -> str:
    """Return a command as a person types it, without the shell around it."""
    if len(words) == 3 and words[1] in _SHELL_ARGUMENTS:
        return words[2]
    return shlex.join(words)
