"""What tests of the TUI can ask for."""

from __future__ import annotations

from tests.frontends.tui.terminal import terminal

__all__ = ["terminal"]
