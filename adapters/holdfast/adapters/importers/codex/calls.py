"""Uses of tools in a rollout, and what came of them. Both name the use, so a pair needs no memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Raw, json

from holdfast.adapters.importers.codex.line import parts
from holdfast.adapters.importers.codex.tools import hint_of, kind_of
from holdfast.adapters.importers.fields import inner, text
from holdfast.adapters.importers.lines import is_object, json_object
from holdfast.adapters.importers.names import item_name
from holdfast.adapters.importers.titles import title
from holdfast.domain.content import NOTHING
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.codex.line import CodexLine
    from holdfast.adapters.importers.draft import Draft
    from holdfast.domain.session.events import ToolStatus

_HEAD = re.compile(r"(?:Chunk ID|Exit code|Process exited|Process running|Wall time)\b")
_EXIT = re.compile(r"^(?:Exit code:|Process exited with code) *(-?\d+)", re.MULTILINE)
_FAILED = re.compile(
    r"(?:aborted\b|(?:exec command|patch) rejected|rejected\b|(?:exec_command|write_stdin) failed|execution error|"
    r"failed to parse|failed in sandbox|unsupported (?:custom tool )?call|apply_patch verification failed|"
    r"command timed out|tool call error|err: )",
)


def called(line: CodexLine, draft: Draft, anchor: str, status: ToolStatus = "in_progress") -> None:
    """Add a use of a tool. A few tools of the server tell what came of it in the same line."""
    payload = line.payload
    use = text(payload, "call_id") or text(payload, "id")
    tool = text(payload, "name") or line.kind.removesuffix("_call") or "tool"
    given = payload.get("arguments", payload.get("input", payload.get("action", payload.get("revised_prompt"))))
    arguments, verbatim = given, line.verbatim.action or line.verbatim.arguments
    if isinstance(given, str):
        # Arguments are JSON in a text; what was sent is the JSON.
        decoded = json_object(given.encode())
        arguments = given if decoded is None else decoded
        verbatim = Raw(json.encode(given)) if decoded is None else Raw(given.encode())
    draft.in_turn(anchor)
    draft.add(
        e.ToolCalled(
            item_name(use) or anchor,
            use,
            title=title(tool, hint_of(arguments)),
            kind=kind_of(tool),
            status=status,
            input=verbatim.copy() if verbatim else NOTHING,
            output=line.verbatim.result.copy() if line.verbatim.result else NOTHING,
        )
    )


def came(line: CodexLine, draft: Draft) -> None:
    """Add what came of a use of a tool."""
    use = text(line.payload, "call_id")
    item_id = item_name(use)
    if item_id is None:
        return
    failed = has_failed(line.payload.get("output"))
    if failed is None:
        failed = draft.failed(item_id)  # by an event that came before, and knew
    output = line.verbatim.output or line.verbatim.tools
    draft.add(
        e.ToolUpdated(
            item_id,
            use,
            status="failed" if failed else "completed",
            output=output.copy() if output else Raw(b'""'),
        )
    )


def fail(use: str, draft: Draft) -> None:
    """Add that a use of a tool failed, as an event says."""
    item_id = item_name(use)
    if item_id is not None and not draft.failed(item_id):
        draft.add(e.ToolUpdated(item_id, use, status="failed"))


def has_failed(output: object) -> bool | None:
    """Tell whether an output says that the tool failed, by an exit status or in words; None where it does not say."""
    if is_object(output):
        if isinstance(output.get("success"), bool):
            return output["success"] is False
        output = output.get("content")
    said = "\n".join(parts(output))
    wrapped = json_object(said.encode()) if said.startswith("{") else None
    if wrapped is not None:
        status = inner(wrapped, "metadata").get("exit_code")
        return status != 0 if isinstance(status, int) else None
    if _HEAD.match(said):
        status = _EXIT.search(said.partition("\nOutput:")[0])
        return int(status[1]) != 0 if status else None
    return True if _FAILED.match(said) else None
