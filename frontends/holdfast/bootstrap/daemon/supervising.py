"""The supervisor put together: the log, every transport, and what the user configured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.adapters.storage.journal import StoreJournal
from holdfast.adapters.supervision.directory import Directory
from holdfast.adapters.supervision.host.launch import runtime_folder
from holdfast.adapters.supervision.settings import Settings
from holdfast.adapters.supervision.supervisor import Supervisor
from holdfast.adapters.transports.acp import agents
from holdfast.adapters.transports.acp.transport import AcpTransport

if TYPE_CHECKING:
    from holdfast.adapters.storage.store import Store
    from holdfast.bootstrap.library import LocalLibrary


def supervisor(library: LocalLibrary, store: Store) -> Supervisor:
    """Return what keeps the sessions of `store` connected; nothing happens before it runs.

    Raises:
        AgentError: There is no folder for sockets.
    """
    environ = library.environ
    transport = AcpTransport(environ=environ)
    return Supervisor(
        StoreJournal(store),
        Directory({transport.name: transport}, home=environ.get("HOME") or str(Path.home())),
        Settings(
            hosts=library.home.hosts,
            runtime=runtime_folder(),
            environ=environ,
            secrets=agents.secrets(environ),
        ),
    )
