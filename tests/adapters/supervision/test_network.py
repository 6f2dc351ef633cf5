"""Whether there is a network, by the routes that the system tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.supervision.network import online

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
DEFAULT = "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
LOCAL = "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
DOWN = "eth0\t00000000\t010011AC\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"
DEFAULT_6 = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 00000001 00000000 00000003 wlan0\n"
LOOPBACK_6 = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200 lo\n"


@pytest.mark.parametrize(
    ("routes", "routes_6", "there"),
    [
        (HEAD + LOCAL + DEFAULT, "", True),
        (HEAD + LOCAL, LOOPBACK_6, False),
        (HEAD + DOWN, "", False),
        (HEAD, DEFAULT_6, True),
        (HEAD, LOOPBACK_6, False),
        (HEAD + "nonsense\n", "nonsense\n", False),
        ("", "", False),
        (None, "", True),
        (HEAD, None, False),
    ],
)
def test_a_network_is_a_default_route(tmp_path: Path, routes: str | None, routes_6: str | None, there: bool) -> None:
    paths = (tmp_path / "route", tmp_path / "ipv6_route")
    for path, content in zip(paths, (routes, routes_6), strict=True):
        if content is not None:
            path.write_text(content)

    assert online(*paths) is there
