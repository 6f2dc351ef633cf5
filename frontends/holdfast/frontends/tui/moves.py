"""The keys that move in every list."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

MOVES: Final = (
    Binding("up,k", "move(-1)", "Up", show=False),
    Binding("down,j", "move(1)", "Down", show=False),
    Binding("pageup", "page(-1)", "Page up", show=False),
    Binding("pagedown", "page(1)", "Page down", show=False),
    Binding("home,g", "edge(-1)", "First", show=False),
    Binding("end,G", "edge(1)", "Last", show=False),
)
"""What has them has the actions `move`, `page` and `edge`, each with a direction."""
