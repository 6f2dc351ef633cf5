"""The web page in a real browser: opening and scrolling a hundred thousand items, and going from session to session."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.content import of_text
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Session, fold, record
from tests.benchmarks.material import BATCH, TEXT, beginning, new_session, now
from tests.benchmarks.reading import opened
from tests.benchmarks.report import Figure, Goal, Row
from tests.frontends.daemon import Daemon
from tests.support.programs import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.recorded import StreamId
    from tests.benchmarks.scale import Scale

_FRAME: Final = Goal("at most", 17, "value")
_SWITCH: Final = Goal("at most", 100, "value")
_BYTES: Final = Goal("at most", 200_000, "value")

_SIZE = """[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
    .filter(each => !each.name.includes('/api/')).reduce((sum, each) => sum + each.encodedBodySize, 0)"""
_LOAD_ALL = """async id => {
    const { store } = await import('/static/lib/model.js');
    const { loadOlder } = await import('/static/lib/paging.js');
    while (await loadOlder(id, 1000));
    return store.get().transcripts.get(id).model.items.length;
}"""
_SCROLL = """async frames => {
    const box = document.querySelector('[role=log]');
    const took = [];
    box.scrollTop = box.scrollHeight / 2;
    await new Promise(requestAnimationFrame);
    for (let frame = 0, last = performance.now(); frame < frames; frame += 1) {
        box.scrollTop -= 120;
        await new Promise(requestAnimationFrame);
        took.push(performance.now() - last);
        last = performance.now();
    }
    return took.sort((a, b) => a - b)[Math.floor(frames / 2)];
}"""
_SWITCH_TO = """async id => {
    const began = performance.now();
    document.querySelector(`nav [data-session='${id}']`).click();
    const item = `[role=log] [data-item^='${id.slice(0, 8)}']`;
    while (!location.pathname.endsWith(id) || !document.querySelector(item)) await new Promise(requestAnimationFrame);
    return performance.now() - began;
}"""


def showing(folder: Path, scale: Scale) -> Figure:
    """Measure the page on a daemon with one long session and a short one; nothing where there is no browser."""
    title = f"the page, with {scale.events:,} items in a session"
    chromium = PROGRAMS["chromium"].find()
    if chromium is None:
        return Figure("page", f"{title}: no Chromium here", ())
    home = folder / "home"
    home.mkdir(mode=0o700)
    long, short = new_session(), new_session()
    with opened(home) as store:
        fill(store, short, 40)
        fill(store, long, scale.events)
    daemon = Daemon(home)
    try:
        daemon.start()
        caught_up(daemon, long)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            rows = _measure(page, daemon, long, short, scale.rounds)
            browser.close()
    finally:
        daemon.close()
    return Figure("page", title, rows)


def caught_up(daemon: Daemon, session: StreamId) -> None:
    """Return once the views hold what was just written, which is when the end of a long session is found at once."""
    for _ in range(200):
        began = perf_counter()
        daemon.get(f"/sessions/{session}/transcript?limit=60")
        if perf_counter() - began < 0.05:
            return


def _measure(page: Page, daemon: Daemon, long: StreamId, short: StreamId, rounds: int) -> tuple[Row, ...]:
    page.goto(daemon.post("/sign-in-codes").json()["url"])
    page.wait_for_selector(f"nav [data-session='{long}']")
    size: float = page.evaluate(_SIZE)
    opening: float = page.evaluate(_SWITCH_TO, long)
    page.evaluate(_LOAD_ALL, long)
    frames = sorted(float(page.evaluate(_SCROLL, 300)) for _ in range(min(rounds, 3)))
    page.evaluate(_SWITCH_TO, short)
    switches = sorted(float(page.evaluate(_SWITCH_TO, each)) for _ in range(min(rounds, 5)) for each in (long, short))
    return (
        Row("first load", "bytes", size, _BYTES),
        Row("a frame while scrolling", "ms", frames[len(frames) // 2], _FRAME, samples=tuple(frames)),
        Row("opening the long one for the first time", "ms", opening, _SWITCH),
        Row("switching between open ones", "ms", switches[len(switches) // 2], _SWITCH, samples=tuple(switches)),
    )


def fill(store: Store, session: StreamId, items: int) -> None:
    """Append so many items: prompts, and answers in Markdown."""
    after = Session(session)
    facts: list[e.Fact] = [beginning(f"Session with {items:,} items")]
    for number in range(items):
        item = f"{session[:8]}-{number}"
        said = f"**{number}** {TEXT}\n\n- `one`\n- two\n\n{TEXT}"
        facts.append(
            e.MessageReceived(item, of_text(said)) if number % 4 else e.MessageSent(item, of_text(f"{number}? {TEXT}"))
        )
        if len(facts) >= BATCH or number == items - 1:
            happened = record(after, facts, now())
            after = fold(after, happened)
            store.append_now(happened, roster_row(after))
            facts = []
