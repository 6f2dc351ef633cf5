from __future__ import annotations

from holdfast.domain.session import events as e
from tests.domain.scene import START, recorded


def test_an_event_happened_when_its_source_says_so_else_when_it_was_written() -> None:
    assert recorded(e.HistoryGap("away")).at == START
    assert recorded(e.HistoryGap("away"), occurred_at=7).at == 7
    assert recorded(e.HistoryGap("away"), occurred_at=0).at == 0
