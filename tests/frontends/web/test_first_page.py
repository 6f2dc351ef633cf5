"""The first three minutes: one's own transcripts, the demo agent, and the plug."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.cli import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "claude-session.jsonl"

expect.set_options(timeout=60_000)


@pytest.fixture
def link(tmp_home: Path, tmp_path: Path) -> Iterator[str]:
    """What `make run` prints, on a machine that has transcripts of an agent."""
    transcripts = tmp_path / "person" / ".claude" / "projects" / "-work"
    transcripts.mkdir(parents=True)
    shutil.copy(EXAMPLE, transcripts / "0192.jsonl")
    parent = subprocess.Popen(
        [sys.executable, "-I", "-m", "holdfast.bootstrap.daemon.parent", "--port", "0"],
        env=environment(tmp_home, {"HOME": str(tmp_path / "person")}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        try:
            yield next(found[0] for line in parent.stdout if (found := re.search(r"http://\S+#code=\S+", line)))
        finally:
            parent.send_signal(signal.SIGINT)
            parent.wait(60)


def test_own_transcripts_are_imported_and_the_pulled_plug_loses_nothing(link: str, chromium: Browser) -> None:
    page = chromium.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(link)
    expect(page.get_by_role("button", name="Start the demo agent")).to_be_visible()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("1 session imported")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 720})

    page.get_by_role("button", name="Start the demo agent").click()
    expect(page.locator("[data-request]")).to_be_visible()
    page.get_by_role("button", name="Allow once").click()
    plug = page.get_by_role("button", name="Pull the plug")
    expect(plug).to_be_enabled()
    plug.click()

    expect(page.locator("[data-banner=daemon]")).to_be_visible()
    expect(page.locator("[data-verified]")).to_have_text(re.compile(r"✓ verified: [\d,]+ events, 0 lost, 0 doubled"))
    expect(page.locator("nav [data-session]")).to_have_count(2)

    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("link", name="All sessions").click()
    page.get_by_role("link", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="Your own transcripts")).to_be_visible()
    assert errors == []
    page.close()
