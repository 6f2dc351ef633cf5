"""What we ask of an agent: one function for each request, which gives its method and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROTOCOL_VERSION: Final = 1
"""The version that agents speak; an integer on the wire."""


class Call(Struct, frozen=True):
    """A method and its parameters."""

    method: str
    params: Raw


NO_SERVERS: Final = Raw(b"[]")
"""MCP servers of ours that an agent should use: it has its own."""

INTRODUCES: Final = frozenset({"session/new", "session/fork"})
"""Requests whose answer names a session that was not known before."""

OPENS: Final = INTRODUCES | {"session/load", "session/resume"}
"""Requests whose answer attaches a session."""


def initialize(version: str) -> Call:
    """Say who we are. Files and terminals of ours are not offered: an agent works with its own."""
    return _call(
        "initialize",
        {
            "protocolVersion": PROTOCOL_VERSION,
            "clientCapabilities": {},
            "clientInfo": {"name": "holdfast", "title": "Holdfast", "version": version},
        },
    )


def authenticate(method_id: str) -> Call:
    """Use one of the ways of authentication that the agent named."""
    return _call("authenticate", {"methodId": method_id})


def new(cwd: str, mcp_servers: Raw = NO_SERVERS) -> Call:
    """Begin a session in a folder."""
    return _call("session/new", {"cwd": cwd, "mcpServers": mcp_servers})


def load(session_id: str, cwd: str, mcp_servers: Raw = NO_SERVERS) -> Call:
    """Take a session up again; the agent repeats its history before it answers."""
    return _call("session/load", {"sessionId": session_id, "cwd": cwd, "mcpServers": mcp_servers})


def resume(session_id: str, cwd: str, mcp_servers: Raw = NO_SERVERS) -> Call:
    """Take a session up again; the agent repeats nothing."""
    return _call("session/resume", {"sessionId": session_id, "cwd": cwd, "mcpServers": mcp_servers})


def fork(session_id: str, cwd: str, mcp_servers: Raw = NO_SERVERS) -> Call:
    """Begin a session that knows what another one knows."""
    return _call("session/fork", {"sessionId": session_id, "cwd": cwd, "mcpServers": mcp_servers})


def list_sessions(cwd: str | None = None, cursor: str | None = None) -> Call:
    """Ask which sessions the agent has, of one folder or of all; a page at a time."""
    params = {"cwd": cwd, "cursor": cursor}
    return _call("session/list", {name: value for name, value in params.items() if value is not None})


def close(session_id: str) -> Call:
    """Let the agent put a session away."""
    return _call("session/close", {"sessionId": session_id})


def prompt(session_id: str, content: Raw) -> Call:
    """Hand over a person's words."""
    return _call("session/prompt", {"sessionId": session_id, "prompt": content})


def cancel(session_id: str) -> Call:
    """Stop the turn: a notification, which the answer to the prompt answers."""
    return _call("session/cancel", {"sessionId": session_id})


def set_mode(session_id: str, mode_id: str) -> Call:
    """Let the agent work in another mode."""
    return _call("session/set_mode", {"sessionId": session_id, "modeId": mode_id})


def set_config_option(session_id: str, config_id: str, value: str | bool) -> Call:
    """Give one of the agent's options a value."""
    params: dict[str, object] = {"sessionId": session_id, "configId": config_id, "value": value}
    return _call("session/set_config_option", params | ({"type": "boolean"} if isinstance(value, bool) else {}))


def selected(option_id: str) -> Raw:
    """Return the answer to a permission that takes one of the offered options."""
    return Raw(_encode({"outcome": {"outcome": "selected", "optionId": option_id}}))


CANCELLED: Final = Raw(b'{"outcome":{"outcome":"cancelled"}}')
"""The answer to a permission whose turn is being cancelled, or that nobody will answer."""

_encode = msgspec.json.Encoder().encode


def _call(method: str, params: Mapping[str, Sequence[object] | object]) -> Call:
    return Call(method, Raw(_encode(params)))
