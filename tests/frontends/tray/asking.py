"""What agents of these tests ask, and how."""

from __future__ import annotations

from typing import Any, Final

Step = dict[str, Any]

READ: Final = {"title": "Read orders.py", "kind": "read", "rawInput": {"path": "/srv/shop/orders.py"}}
WRITE: Final = {"title": "Run the tests", "kind": "execute", "rawInput": {"command": "make test"}}


def asks(tool: dict[str, Any] = READ) -> list[Step]:
    """Announce a tool, ask for it, and say what came of it."""
    return [
        {"tool": {"toolCallId": "c1", **tool}},
        {"ask": "c1", "tool": tool, "allow": [{"say": "I was let."}], "deny": [{"say": "I was not let."}]},
    ]
