"""Waiting before an attempt: for its time, for the network, for a machine that slept; less when somebody hurries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from holdfast.adapters.supervision.settings import Settings
    from holdfast.domain.policy import NetworkPolicy

SLICE_S: Final = 10.0
"""A pause is cut into these, so that a machine that wakes from sleep is noticed."""

LOOK_S: Final = 1.0
"""How often to look whether there is a network, where attempts wait for one: nobody tells."""


async def pause(wait_s: float, settings: Settings, network: NetworkPolicy, hurry: anyio.Event) -> None:
    """Wait, unless somebody is in a hurry, the machine was asleep meanwhile, or the network has come back."""
    waits = network.on_loss == "pause"
    due = anyio.current_time() + wait_s
    asleep = settings.suspended_s()
    away = waits and not settings.online()
    while (left := due - anyio.current_time()) > 0 and not hurry.is_set():
        with anyio.move_on_after(min(left, LOOK_S if waits else SLICE_S)):
            await hurry.wait()
        if settings.suspended_s() - asleep > 1.0:
            return
        if waits and away != (away := not settings.online()) and not away:
            due = min(due, anyio.current_time() + network.retry_after_return_s)


async def until_online(settings: Settings, network: NetworkPolicy, hurry: anyio.Event) -> None:
    """Wait for a network where attempts without one are pointless, and a little longer: it comes up in steps."""
    if network.on_loss != "pause" or settings.online():
        return
    while not settings.online() and not hurry.is_set():
        with anyio.move_on_after(LOOK_S):
            await hurry.wait()
    await pause(network.retry_after_return_s, settings, network, hurry)
