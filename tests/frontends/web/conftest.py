"""A real browser on a real daemon, with agents that do what a script says."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.programs import need

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import BrowserContext, ConsoleMessage, ViewportSize

    from tests.frontends.daemon import Daemon

AGENT = Path(__file__).parents[2] / "agents" / "scripted.py"
PATIENCE_MS = 45_000

# What the browser itself says when a daemon is away, or a browser is not signed in; no program can keep it from that.
_NETWORK = re.compile(r"net::ERR_|WebSocket connection to|Failed to load resource")


@contextmanager
def browser() -> Generator[Browser]:
    """A browser. As long as it is there, its event loop keeps every other one of the thread from running."""
    program = need("chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, one for the tests of a module, none of which is a coroutine."""
    with browser() as launched:
        yield launched


class Web:
    """Windows on one daemon. What any of them complains of is remembered."""

    def __init__(self, chromium: Browser, daemon: Daemon, folder: Path) -> None:
        self.chromium = chromium
        self.daemon = daemon
        self.folder = folder
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._contexts: list[BrowserContext] = []

    def context(self, **options: Any) -> BrowserContext:
        """Return a browser of its own, with no cookie."""
        context = self.chromium.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        return context

    def open(self, path: str = "/", *, width: int = 1280, height: int = 800, **options: Any) -> Page:
        """Return a window of a browser that signed in by the link, at an address of the page."""
        viewport: ViewportSize = {"width": width, "height": height}
        page = self.window(self.context(viewport=viewport, **options))
        page.goto(self.link())
        page.wait_for_selector("nav.list")
        if path != "/":
            page.goto(self.daemon.url + path)
        return page

    def window(self, context: BrowserContext) -> Page:
        """Return another window of the same browser."""
        page = context.new_page()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))
        return page

    def link(self) -> str:
        """Return a sign-in link, as `holdfast web` prints it."""
        made = self.daemon.post("/sign-in-codes")
        assert made.status == 201, made.body
        return str(made.json()["url"])

    def begin(self, script: dict[str, Any], **order: Any) -> dict[str, Any]:
        """Begin a session with an agent that does what `script` says, and return its row once it is ready."""
        file = self.folder / f"script-{uuid4().hex}.json"
        file.write_text(json.dumps(script))
        command = [sys.executable, "-I", "-S", str(AGENT), str(file)]
        made = self.daemon.post("/sessions", {"command": command, "cwd": str(self.folder), "wait_s": 30, **order})
        assert made.status == 201, made.body
        row: dict[str, Any] = made.json()
        return row

    def send(self, session: str, text: str) -> None:
        """Send a prompt from elsewhere."""
        sent = self.daemon.post(f"/sessions/{session}/prompts", {"content": text}, Holdfast_Client="elsewhere")
        assert sent.status == 202, sent.body

    def events(self, session: str, *types: str) -> list[dict[str, Any]]:
        """Return what the log holds of a session."""
        wanted = "".join(f"&type={each}" for each in types)
        events: list[dict[str, Any]] = self.daemon.get(f"/events?session={session}{wanted}").lines()
        return events

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _NETWORK.search(message.text):
            self.errors.append(message.text)

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()


@pytest.fixture
def web(chromium: Browser, daemon: Daemon, tmp_path: Path) -> Iterator[Web]:
    """Windows on a daemon of the test's own; at the end none of them may have complained or asked another host."""
    yield from _opened(Web(chromium, daemon, tmp_path))


@pytest.fixture
def shared_web(chromium: Browser, shared_daemon: Daemon, tmp_path: Path) -> Iterator[Web]:
    """The same on a daemon that the tests of a module share."""
    yield from _opened(Web(chromium, shared_daemon, tmp_path))


def _opened(web: Web) -> Iterator[Web]:
    yield web
    web.close()
    assert web.errors == []
    assert [url for url in web.requests if not url.startswith((web.daemon.url, "data:", "blob:"))] == []
