"""The supervisor put together: the log, every transport, and what the user configured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from holdfast.adapters.configuration.file import handed_on, policies
from holdfast.adapters.storage.journal import StoreJournal
from holdfast.adapters.supervision.directory import Directory
from holdfast.adapters.supervision.host.launch import runtime_folder
from holdfast.adapters.supervision.secrets import Secrets
from holdfast.adapters.supervision.settings import Settings
from holdfast.adapters.supervision.supervisor import Supervisor
from holdfast.adapters.transports.acp import agents
from holdfast.adapters.transports.finding import transports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.adapters.configuration.file import Configuration
    from holdfast.adapters.storage.store import Store
    from holdfast.bootstrap.library import LocalLibrary
    from holdfast.domain.transport import Transport


def check(configuration: Configuration) -> None:
    """Look whether a daemon could start with this configuration.

    Raises:
        SettingsError: It could not, and why.
    """
    found = transports()
    policies(
        configuration,
        {name: each.policy for name, each in found.items()},
        {name: each.heeds for name, each in found.items()},
    )


def directory(
    configuration: Configuration, environ: Mapping[str, str], found: Mapping[str, Transport] | None = None
) -> Directory:
    """Return who can be talked to, by the transports that were found."""
    home = environ.get("HOME") or str(Path.home())
    return Directory(transports() if found is None else found, configuration.targets, home=home)


def secrets(library: LocalLibrary) -> Secrets:
    """Return what never enters the log: the keys that agents are handed, and the password of the store."""
    environ = library.environ
    password = make_url(library.settings.url).password
    known = (*agents.secrets(environ), *handed_on(library.configuration, environ))
    return Secrets(known if password is None else (*known, password))


def supervisor(library: LocalLibrary, store: Store, secrets: Secrets) -> Supervisor:
    """Return what keeps the sessions of `store` connected; nothing happens before it runs.

    Raises:
        AgentError: There is no folder for sockets.
        SettingsError: A transport cannot be used, or the configuration names one that is not there.
    """
    environ, configuration = library.environ, library.configuration
    found = transports()
    return Supervisor(
        StoreJournal(store),
        directory(configuration, environ, found),
        Settings(
            hosts=library.home.hosts,
            runtime=runtime_folder(),
            environ=environ,
            agents=configuration.agents,
            policies=policies(
                configuration,
                {name: each.policy for name, each in found.items()},
                {name: each.heeds for name, each in found.items()},
            ),
            secrets=secrets,
        ),
    )
