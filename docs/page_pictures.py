"""Take the pictures of the page: what a browser really shows of `make run`, its plug pulled included.

`python -m docs.page_pictures` runs a daemon on a home that is thrown away, looks at it with Chromium, and writes
`page-light.png`, `page-dark.png` and `pull-the-plug.webp`, the last one with ImageMagick.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Generator

IMAGES: Final = Path(__file__).parent / "images"
EXAMPLE: Final = Path(__file__).parent / "examples" / "claude-session.jsonl"
WIDE: Final[ViewportSize] = {"width": 1280, "height": 820}
PHONE: Final[ViewportSize] = {"width": 390, "height": 760}

_STEP_MS: Final = 150
_AFTER: Final = 12


def main() -> None:
    """Take all of them anew."""
    expect.set_options(timeout=60_000)
    person = Path(tempfile.gettempdir()) / "anna"
    with tempfile.TemporaryDirectory() as folder, daemon(person, Path(folder)) as link, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_program("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport=WIDE, color_scheme="light")
        page.goto(link)
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_text("1 session imported")).to_be_visible()
        for title, cwd in (("Why is the harbour page empty?", "harbour"), ("Times of the ferries", "ferries")):
            begin(page, title, str(person / cwd), "Please find out.")
        page.get_by_role("button", name="Start the demo agent").click()
        expect(page.locator("[data-request]")).to_be_visible()
        take_the_plug(page, Path(folder))
        page.locator("nav [data-session]", has_text="Why is the harbour").click()
        expect(page.locator("[data-request]")).to_be_in_viewport()
        expect(page.locator("nav [aria-current] .badge")).to_have_count(0)
        page.mouse.move(0, 0)
        page.screenshot(path=IMAGES / "page-light.png")
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(PHONE)
        page.screenshot(path=IMAGES / "page-dark.png")
        chromium.close()


@contextmanager
def daemon(person: Path, folder: Path) -> Generator[str]:
    """Run what `make run` runs, for somebody who has transcripts; yield its sign-in link."""
    transcripts = person / ".claude" / "projects" / "-tidewatch"
    transcripts.mkdir(parents=True)
    for name in ("harbour", "ferries"):
        (person / name).mkdir()
    shutil.copy(EXAMPLE, transcripts / "5f0c.jsonl")
    environ = {
        "HOLDFAST_HOME": str(folder / "home"),
        "HOME": str(person),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
    }
    command = [sys.executable, "-I", "-m", "holdfast.bootstrap.daemon.parent", "--port", "0"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        try:
            yield next(found[0] for line in parent.stdout if (found := re.search(r"http://\S+#code=\S+", line)))
        finally:
            parent.send_signal(signal.SIGINT)
            parent.wait()
            shutil.rmtree(person)


def begin(page: Page, title: str, cwd: str, prompt: str) -> None:
    """Begin a session with the demo agent, as another frontend would."""
    page.evaluate(
        "async (order) => { const { post } = await import('/static/lib/http.js'); await post('/sessions', order) }",
        {"agent": "demo", "title": title, "cwd": cwd, "prompt": prompt, "wait_s": 30},
    )
    expect(page.locator("nav [data-session][data-status=needs_you]", has_text=title)).to_be_visible()


def take_the_plug(page: Page, folder: Path) -> None:
    """Allow the demo agent its tool, pull the plug while it speaks, and keep what was to be seen."""
    page.get_by_role("button", name="Allow once").click()
    plug = page.get_by_role("button", name="Pull the plug")
    expect(plug).to_be_enabled()
    page.mouse.move(0, 0)
    shots: list[Path] = []

    def shoot() -> None:
        shots.append(folder / f"{len(shots):03}.png")
        page.screenshot(path=shots[-1])

    for _ in range(4):
        shoot()
        page.wait_for_timeout(_STEP_MS)
    plug.click()
    verified = page.locator("[data-verified]")
    while not verified.count():
        shoot()
        page.wait_for_timeout(_STEP_MS)
    for _ in range(_AFTER):
        shoot()
        page.wait_for_timeout(_STEP_MS)
    frames = [str(each) for each in shots]
    size = ["-resize", "800x", "-layers", "optimize", "-quality", "82", "-loop", "0"]
    subprocess.run(
        [_program("convert"), "-delay", "22", *frames, *size, str(IMAGES / "pull-the-plug.webp")], check=True
    )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        sys.exit(f"{name} is not installed")
    return found


if __name__ == "__main__":
    main()
