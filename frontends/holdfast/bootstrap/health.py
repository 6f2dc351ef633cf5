"""The lines of a health report beside those of the store: the configuration, agents, and what is left of dead ones."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from holdfast.adapters.configuration.file import read_configuration
from holdfast.adapters.supervision.host import reap
from holdfast.adapters.transports.acp.agents import listed
from holdfast.domain.answers import Check
from holdfast.domain.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdfast.adapters.configuration.file import Configuration


def configuration(path: Path, in_use: Configuration) -> Check:
    """Say whether the file can be used, and whether it is what is in use."""
    from holdfast.bootstrap.daemon import supervising  # it knows every transport, and few verbs need one

    try:
        found = read_configuration(path)
        supervising.check(found)
    except HoldfastError as error:
        return Check("configuration", ok=False, detail=str(error))
    if found != in_use:
        return Check("configuration", ok=True, detail=f"{path} has changed: `holdfast restart` goes by it")
    return Check("configuration", ok=True, detail=str(path) if path.exists() else "defaults; there is no config.toml")


def agents(environ: Mapping[str, str]) -> Check:
    """Say which agents are installed."""
    known = listed(lambda name: shutil.which(name, path=environ.get("PATH")))
    found = [each.name for each in known if each.found]
    missing = len(known) - len(found)
    more = f"; `holdfast agents` tells how to install {missing} more" if missing else ""
    return Check("agents", ok=True, detail=f"{', '.join(found) or 'none'} can be started{more}")


def orphans(hosts: Path) -> Check:
    """Say whether anything still runs of agents whose host is dead."""
    found = reap.survey(hosts)
    left = reap.orphans(found)
    if left:
        named = ", ".join(str(process.pid) for process in left[:5])
        detail = f"{len(left)} processes of agents whose host is dead ({named}): `holdfast restart` ends them"
        return Check("orphans", ok=False, detail=detail)
    alive = sum(each.state == "alive" for each in found)
    hosted = "1 agent under its host" if alive == 1 else f"{alive} agents under their hosts"
    return Check("orphans", ok=True, detail=f"none; {hosted}")
