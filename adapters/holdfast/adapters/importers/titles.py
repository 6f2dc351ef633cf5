"""One line that says what a tool is used for."""

from __future__ import annotations

TITLE = 160
"""Characters of a title."""


def title(tool: str, hint: str) -> str:
    """Return the name of a tool with what it is used for, such as `Bash: echo hello`, in one short line."""
    hint = " ".join(hint[: TITLE * 2].split())
    line = f"{tool}: {hint}" if hint else tool
    return line if len(line) <= TITLE else f"{line[: TITLE - 1]}…"
