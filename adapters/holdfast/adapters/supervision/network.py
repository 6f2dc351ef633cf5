"""Whether this machine has a network: a default route, of either kind."""

from __future__ import annotations

from pathlib import Path

_ROUTES = Path("/proc/net/route")
_ROUTES_6 = Path("/proc/net/ipv6_route")
_UP = 0x1
_NOWHERE = "lo"


def online(routes: Path = _ROUTES, routes_6: Path = _ROUTES_6) -> bool:
    """Tell whether there is a default route; yes where the system does not tell."""
    try:
        lines = routes.read_text().splitlines()[1:]
    except OSError:
        return True
    if any(_leads_out(line.split()) for line in lines):
        return True
    try:
        lines = routes_6.read_text().splitlines()
    except OSError:
        return False  # it is switched off
    return any(_leads_out_6(line.split()) for line in lines)


def _leads_out(fields: list[str]) -> bool:
    """Interface, destination, gateway, flags …; addresses in hexadecimal."""
    return len(fields) > 7 and fields[0] != _NOWHERE and fields[1] == fields[7] == "0" * 8 and _is_up(fields[3])


def _leads_out_6(fields: list[str]) -> bool:
    """Destination, its prefix … flags, interface."""
    if len(fields) < 10 or fields[0] != "0" * 32 or fields[1] != "00":
        return False
    return fields[-1] != _NOWHERE and _is_up(fields[-2])


def _is_up(flags: str) -> bool:
    try:
        return bool(int(flags, 16) & _UP)
    except ValueError:
        return False
