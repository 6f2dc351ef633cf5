"""Lines in the shape that Codex writes, as short as a test needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.adapters.importers.claude_lines import encoded, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.importers.claude_lines import Fields

SESSION = "01a1fb3d-492c-7333-b76d-ce8a78acfe54"
TURN = "01a1fb3d-4b32-7611-a2d0-09eb080f3988"

__all__ = ["SESSION", "TURN", "encoded", "written"]


def line(kind: str, payload: Fields, at: int = 0) -> Fields:
    """Return a line, `at` seconds after noon."""
    return {"timestamp": f"2026-02-03T12:{at // 60:02}:{at % 60:02}.500Z", "type": kind, "payload": payload}


def meta(session_id: object = SESSION, **fields: object) -> Fields:
    """Return the line at the beginning."""
    return line(
        "session_meta",
        {
            "id": session_id,
            "timestamp": "2026-02-03T12:00:00.000Z",
            "cwd": "/srv/demo",
            "originator": "codex_cli_rs",
            "cli_version": "0.137.0",
            "source": "cli",
            **fields,
        },
    )


def context(model: str = "gpt-x", mode: str = "default", **fields: object) -> Fields:
    """Return the line with what holds for a turn."""
    return line("turn_context", {"cwd": "/srv/demo", "model": model, "collaboration_mode": {"mode": mode}, **fields})


def item(kind: str, /, at: int = 0, **fields: object) -> Fields:
    """Return something that the model sees."""
    return line("response_item", {"type": kind, **fields}, at)


def event(kind: str, /, at: int = 0, **fields: object) -> Fields:
    """Return something that the frontends were told."""
    return line("event_msg", {"type": kind, **fields}, at)


def message(role: str, *texts: str, name: str | None = None) -> Fields:
    """Return a message that the model sees."""
    kind = "output_text" if role == "assistant" else "input_text"
    return item("message", id=name, role=role, content=[{"type": kind, "text": each} for each in texts])


def person(text: str) -> tuple[Fields, Fields]:
    """Return both lines of what a person said, in the order of Codex."""
    return message("user", text), event("user_message", message=text, images=[], local_images=[])


def agent(text: str) -> tuple[Fields, Fields]:
    """Return both lines of what the agent said, in the order of Codex."""
    return event("agent_message", message=text), message("assistant", text)


def called(use: str = "call_1", name: str = "exec_command", arguments: str = '{"cmd": "ls"}') -> Fields:
    return item("function_call", name=name, arguments=arguments, call_id=use)


def came(use: str = "call_1", output: object = "Exit code: 0\nOutput:\nok") -> Fields:
    return item("function_call_output", call_id=use, output=output)


def started(turn: str = TURN, at: int = 0) -> Fields:
    return event("task_started", at, turn_id=turn)


def completed(turn: str = TURN, at: int = 9) -> Fields:
    return event("task_complete", at, turn_id=turn)


def tokens(input_: int, output: int, cached: int = 0, last: int = 0) -> Fields:
    used: dict[str, Any] = {
        "input_tokens": input_,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": output // 2,
        "total_tokens": input_ + output,
    }
    info = {"total_token_usage": used, "last_token_usage": {"total_tokens": last}, "model_context_window": 1000}
    return event("token_count", info=info, rate_limits=None)


SESSION_LINES: tuple[Fields | bytes, ...] = (
    meta(),
    started(),
    message("developer", "<permissions instructions>all</permissions instructions>"),
    message("user", "<environment_context><cwd>/srv/demo</cwd></environment_context>"),
    context(),
    *person("list the files"),
    item("reasoning", summary=[{"type": "summary_text", "text": "a listing"}], encrypted_content="eA=="),
    *agent("I will look."),
    called(),
    b"half a li",
    came(output="Exit code: 2\nOutput:\nno"),
    tokens(100, 20, 40, 120),
    *agent("Done."),
    tokens(200, 40, 80, 120),
    completed(),
    started("second", 10),
    context("gpt-y"),
    *person("list the files"),
    *agent("Done."),
    tokens(300, 60, 80, 120),
    event("turn_aborted", 12, turn_id="second", reason="interrupted"),
    line("hologram", {"size": 3}, 13),
)
"""Two turns with something of everything in them, the last one interrupted."""


def rollout(path: Path, *lines: Fields | bytes) -> Path:
    """Write a rollout that begins as all do."""
    return written(path, meta(), *lines)
