"""What supervision is told: where hosts live, which limits hold, and the policies of each transport."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import random

from msgspec import Struct, field

from holdfast.adapters.supervision.network import online
from holdfast.adapters.supervision.secrets import Secrets
from holdfast.domain.policy import AgentPolicy, TransportPolicy


def suspended_s() -> float:
    """Return how long this machine was suspended since it was started; 0 where that is not told."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return 0.0 if boot is None else time.clock_gettime(boot) - time.monotonic()


class Settings(Struct, frozen=True):
    """What a supervisor works with.

    Attributes:
        hosts: The folder of all agent hosts.
        runtime: A short folder for their sockets.
        environ: Where the environment of agents is taken from.
        agents: Limits of agents.
        policies: Policies by the name of the transport, in place of those that transports bring.
        secrets: Values that never enter the log.
        random: Where jitter comes from.
        suspended_s: How long the machine has slept so far.
        online: Whether the machine has a network.
        cancel_s: How long an agent may take to end a turn that it was asked to stop, before its watchdog ends it.
    """

    hosts: Path
    runtime: Path
    environ: Mapping[str, str] = os.environ
    agents: AgentPolicy = AgentPolicy()
    policies: Mapping[str, TransportPolicy] = {}
    secrets: Secrets = field(default_factory=Secrets)
    random: Callable[[], float] = random
    suspended_s: Callable[[], float] = suspended_s
    online: Callable[[], bool] = online
    cancel_s: float = 10.0
