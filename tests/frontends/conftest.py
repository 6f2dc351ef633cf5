"""What tests of every frontend can ask for."""

from __future__ import annotations

from tests.frontends.daemon import daemon, shared_daemon

__all__ = ["daemon", "shared_daemon"]
