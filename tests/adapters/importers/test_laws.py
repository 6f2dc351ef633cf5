"""What holds of the import of every format, whatever is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.adapters.importers import feed
from holdfast.domain.errors import TranscriptError
from tests.adapters.importers import claude_lines as claude
from tests.adapters.importers import codex_lines as codex
from tests.adapters.importers import gemini_chats as gemini
from tests.adapters.importers import opencode_store as opencode
from tests.adapters.importers import test_acp as acp
from tests.adapters.importers.claude_lines import encoded, written
from tests.adapters.importers.memory_log import MemoryLog, broken_off, imported

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.adapters.importers.claude_lines import Fields

    Write = Callable[[Path], Path]

FORMATS: dict[str, Write] = {
    "claude": lambda folder: written(folder / "t.jsonl", *claude.TURN),
    "codex": lambda folder: written(folder / "t.jsonl", *codex.SESSION_LINES),
    "gemini document": lambda folder: gemini.chat(folder / "chat", *gemini.MESSAGES),
    "gemini lines": lambda folder: gemini.lines(folder / "chat", *gemini.MESSAGES),
    "opencode": lambda folder: opencode.stored(folder, *opencode.MESSAGES),
    "acp": lambda folder: written(folder / "t.jsonl", *acp.WHOLE_SESSION),
}
"""A session of each format, with something of everything in it."""


@pytest.mark.parametrize("eighths", range(8))
@pytest.mark.parametrize("name", FORMATS)
def test_an_import_that_was_killed_goes_on_where_it_stopped(
    name: str, eighths: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = FORMATS[name](tmp_path)
    monkeypatch.setattr(feed, "BATCH_LINES", 1)
    log = broken_off(path, room=len(imported(path).events) * eighths // 8)

    log.take(path)

    assert log.dump() == imported(path).dump()
    assert log.take(path).events == 0


@pytest.mark.slow
@pytest.mark.parametrize("lines", [claude.TURN, codex.SESSION_LINES], ids=["claude", "codex"])
@given(data=st.data())
@settings(max_examples=100)
def test_cut_at_any_byte_and_imported_in_parts_it_is_the_same_session(
    lines: list[Fields | bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Recordings of the protocol hold to less: what an agent said in two pieces may be one piece of text."""
    whole = encoded(lines)
    cuts = data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=3).map(sorted))
    path = tmp_path_factory.mktemp("cut") / "t.jsonl"
    log = MemoryLog()

    for cut in [*cuts, len(whole)]:
        path.write_bytes(whole[:cut])
        try:
            log.take(path)
        except TranscriptError:
            assert cut < len(encoded(lines[:1]))

    assert log.dump() == imported(path).dump()
    assert log.notes == []
