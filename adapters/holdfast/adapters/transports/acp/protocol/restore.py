"""How a session is taken up again with everything it had: the way, the configuration, and what is lost of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from holdfast.adapters.transports.acp.protocol import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.adapters.transports.acp.protocol.requests import Call
    from holdfast.adapters.transports.acp.protocol.results import Capabilities, Opened
    from holdfast.adapters.transports.acp.protocol.wire import ConfigOption


def way_back(can: Capabilities) -> Literal["resume", "load"] | None:
    """Return how a session is taken up again: without a replay where possible."""
    if can.resume:
        return "resume"
    return "load" if can.load else None


def to_reapply(session_id: str, wanted: Mapping[str, str], mode: str | None, found: Opened) -> list[Call]:
    """Return the requests that give a session, taken up again, the configuration that it had.

    Only what the agent still offers: an option that is gone is for the caller to tell, see `lost_options`.
    """
    calls = [
        requests.set_config_option(session_id, name, _typed(value, found.options[name]))
        for name, value in wanted.items()
        if name in found.options and found.values.get(name) != value
    ]
    by_option = any(option.category == "mode" for option in found.options.values())
    if mode is not None and not by_option and mode in found.modes and found.mode != mode:
        calls.append(requests.set_mode(session_id, mode))
    return calls


def lost_options(wanted: Mapping[str, str], mode: str | None, found: Opened) -> list[str]:
    """Return what of the configuration cannot be given back, in words. An agent that says nothing has kept it."""
    lost = [f"option {name} = {value}" for name, value in wanted.items() if found.options and name not in found.options]
    by_option = any(option.category == "mode" for option in found.options.values())
    if mode is not None and not by_option and found.modes and mode not in found.modes:
        lost.append(f"mode {mode}")
    return lost


def _typed(value: str, option: ConfigOption) -> str | bool:
    return value == "true" if bytes(option.current_value) in (b"true", b"false") else value
