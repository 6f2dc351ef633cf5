"""Which kinds of peers can be reached: ours and those of other packages, found through the same door."""

from __future__ import annotations

from importlib.metadata import entry_points

from holdfast.domain.errors import SettingsError
from holdfast.domain.transport import Transport

GROUP = "holdfast.transports"


def transports() -> dict[str, Transport]:
    """Return every transport that is installed, by its name.

    Raises:
        SettingsError: One cannot be used, or two have the same name.
    """
    found: dict[str, Transport] = {}
    for entry in entry_points(group=GROUP):
        try:
            transport = entry.load()()
        except Exception as error:  # whatever somebody else's package does when it is imported
            msg = f"the transport {entry.name!r} ({entry.value}) cannot be loaded: {error}; remove its package"
            raise SettingsError(msg) from error
        if not isinstance(transport, Transport):
            msg = f"the transport {entry.name!r} ({entry.value}) is no Transport: repair or remove its package"
            raise SettingsError(msg)
        if entry.name in found:
            msg = f"two packages bring a transport {entry.name!r}: remove one of them"
            raise SettingsError(msg)
        transport.name = entry.name
        found[entry.name] = transport
    return found
