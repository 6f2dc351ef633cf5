"""Pictures that are kept beside the log, on the page."""

from __future__ import annotations

import struct
import zlib
from random import Random
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.adapters.importers import claude_lines as claude
from tests.adapters.storage.attached import name_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.web.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.chromium]


def drawn(seed: int) -> bytes:
    """A picture of noise that a browser can show."""
    width, height = 200, 150
    lines = b"".join(b"\0" + Random(seed + line).randbytes(width * 3) for line in range(height))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_pictures_are_fetched_when_they_are_looked_at(web: Web, tmp_path: Path) -> None:
    shown, read = drawn(1), drawn(2)
    lines = [
        claude.user([claude.said("look"), claude.picture(shown)], uuid="u1"),
        claude.assistant({"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "/a.png"}}),
        claude.user([{"type": "tool_result", "tool_use_id": "t1", "content": [claude.picture(read)]}], "u2", 2),
    ]
    imported = web.daemon.post("/imports", {"sources": [str(claude.written(tmp_path / "t.jsonl", *lines))]})
    assert imported.status == 200, imported.body

    page = web.open(f"/sessions/{claude.SESSION}")
    picture = page.locator(".item.user .pictures img")
    expect(picture).to_have_js_property("naturalWidth", 200)
    page.get_by_text("Read: /a.png").click()
    expect(page.locator(".tool .pictures img")).to_have_js_property("naturalHeight", 150)
    assert picture.get_attribute("src") == f"/api/v1/sessions/{claude.SESSION}/attachments/{name_of(shown)}"


def test_a_picture_that_is_gone_is_named(web: Web, tmp_path: Path) -> None:
    shown = drawn(1)
    transcript = claude.written(tmp_path / "t.jsonl", claude.user([claude.picture(shown)], uuid="u1"))
    assert web.daemon.post("/imports", {"sources": [str(transcript)]}).status == 200
    (web.daemon.home / "attachments" / name_of(shown)).unlink()

    page = web.open(f"/sessions/{claude.SESSION}")

    expect(page.locator(".item.user .pictures")).to_have_text("image, not shown")
