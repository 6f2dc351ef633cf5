"""From an agent's mouth to the screen: the web page on one of a hundred sessions whose agents all talk at once."""

from __future__ import annotations

import re
from statistics import median, quantiles
from time import monotonic
from typing import TYPE_CHECKING, Final

from msgspec import Struct, convert
from playwright.sync_api import sync_playwright

from tests.benchmarks.report import Figure, Goal, Row
from tests.benchmarks.talking import RATE, cast, new, prompt, running
from tests.support.programs import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import CDPSession, Page

    from tests.benchmarks.scale import Scale
    from tests.benchmarks.talking import BenchDaemon

_SCREEN: Final = Goal("at most", 100, "value")
_FRAME: Final = Goal("at most", 17, "value")
_CORE: Final = Goal("at most", 1, "value")

_LATE_MS: Final = 25.0
"""A frame that comes so long after the one before it missed its turn: there are sixty a second."""

_TRIES: Final = 50
_PATIENCE_S: Final = 60.0
_STAMP: Final = re.compile(r"~(\d+):([\d.]+)~")

_WATCH: Final = """async pieces => {
    const { stream } = await import('/static/lib/model.js');
    const log = document.querySelector('[role=log]');
    const seen = { arrivals: [], sights: [], frames: [], away: 0 };
    let asked = false, last = 0, all;
    const stamp = text => Number([...text.slice(-200).matchAll(/~([0-9]+):[0-9.]+~/g)].at(-1)?.[1] ?? -1);
    const newest = () => {
        const walk = document.createTreeWalker(log, NodeFilter.SHOW_TEXT);
        let found = -1;
        for (let node = walk.lastChild(); node && found < 0; node = walk.previousNode()) found = stamp(node.data);
        return found;
    };
    stream.options.onFrame = (way, frame) => {
        const number = Math.max(-1, ...(frame.ops ?? []).map(op => stamp(op.text ?? op.item?.text ?? '')));
        if (number >= 0) seen.arrivals.push([number, performance.now()]);
    };
    new MutationObserver(() => {
        if (asked) return;
        const number = newest();
        if (number === (seen.sights.at(-1)?.[0] ?? -1)) return;
        asked = true;
        if (log.scrollHeight - log.scrollTop - log.clientHeight > 2) seen.away += 1;
        requestAnimationFrame(() => { // the next one: that which shows it is drawn
            asked = false;
            seen.sights.push([number, performance.now()]);
            if (number === pieces - 1) all();
        });
    }).observe(log, { subtree: true, childList: true, characterData: true });
    const tick = now => {
        if (last) seen.frames.push(now - last);
        last = now;
        requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    window.seen = new Promise(done => { all = () => done(seen); });
}"""
_SEEN: Final = """wait => Promise.race([
    window.seen, new Promise((_, refuse) => setTimeout(() => refuse(new Error('not every piece was shown')), wait)),
])"""


class Seen(Struct, frozen=True):
    """What the page noted, in milliseconds of its own clock.

    Attributes:
        arrivals: The newest piece that had come, and when.
        sights: The newest piece that was shown, and when the frame that showed it was done.
        frames: From each frame to the next one.
        away: How often the newest text was there and not in sight.
    """

    arrivals: list[tuple[int, float]]
    sights: list[tuple[int, float]]
    frames: list[float]
    away: int


class _Program(Struct):
    type: str
    cpuTime: float  # noqa: N815 - the browser's own word


class _Programs(Struct):
    processInfo: list[_Program]  # noqa: N815 - the browser's own word


class Painted(Struct, frozen=True):
    """What came of a run.

    Attributes:
        delays: Milliseconds of each piece, in order.
        within: How many of these went by in the page.
        clocks: Milliseconds by which they may be wrong, all by the same.
        busy: Processors that were kept busy: by the daemon, by the page, and by the whole browser.
    """

    delays: list[float]
    within: list[float]
    clocks: float
    frames: list[float]
    busy: tuple[float, float, float]


def painting(folder: Path, scale: Scale) -> Figure:
    """Measure the page while everybody talks; nothing where there is no browser."""
    work = f"{scale.talkers} sessions, {RATE} pieces of text a second in each, the web page on one of them"
    chromium = PROGRAMS["chromium"].find()
    if chromium is None:
        return Figure("page-live", work, (), missing="no Chromium here")
    with running(folder / "live") as daemon, cast(RATE, scale.talk_s) as path, sync_playwright() as playwright:
        sessions = [new(daemon, {"target": f"many:{path}?{number}"}) for number in range(scale.talkers)]
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            painted = _watched(page, browser.new_browser_cdp_session(), daemon, sessions, int(RATE * scale.talk_s))
        finally:
            browser.close()
    return Figure("page-live", work, _rows(painted))


def _rows(painted: Painted) -> tuple[Row, ...]:
    delays, frames = painted.delays, painted.frames
    tenth = max(2, len(delays) // 10)
    late = sum(frame > _LATE_MS for frame in frames) * 100 / len(frames)
    of_daemon, of_page, of_browser = painted.busy
    return (
        Row("99 of 100 pieces", "ms", quantiles(delays, n=100)[98], _SCREEN),
        Row("one of two", "ms", median(delays)),
        Row("of these in the page, 99 of 100", "ms", quantiles(painted.within, n=100)[98]),
        Row("the last tenth, 99 of 100", "ms", quantiles(delays[-tenth:], n=100)[98], _SCREEN),
        Row("by how much the two clocks may differ", "ms", painted.clocks),
        Row("a frame, one of two", "ms", median(frames), _FRAME),
        Row("frames that came late, of 100", "frames", late),
        Row("processors of the page", "cores", of_page, _CORE),
        Row("processors of the whole browser", "cores", of_browser),
        Row("processors of the daemon", "cores", of_daemon, _CORE),
    )


def _watched(page: Page, cdp: CDPSession, daemon: BenchDaemon, sessions: list[str], pieces: int) -> Painted:
    page.goto(daemon.post("/sign-in-codes").json()["url"])
    page.click(f"nav [data-session='{sessions[0]}']")
    page.wait_for_selector("[role=log]")
    page.evaluate(_WATCH, pieces)
    ahead, clocks = _clock(page)
    prompt(daemon, sessions)
    started, before = monotonic(), (daemon.busy_s(), *_busy_s(cdp))
    seen = convert(page.evaluate(_SEEN, _PATIENCE_S * 1000), Seen)
    took, after = monotonic() - started, (daemon.busy_s(), *_busy_s(cdp))
    said: list[tuple[str, str]] = _STAMP.findall(page.inner_text("[role=log]"))
    assert [int(number) for number, _ in said] == list(range(pieces)), "not shown as it was said"
    assert not seen.away, f"the newest text was out of sight {seen.away} times"
    came, shown = _times(seen.arrivals), _times(seen.sights)
    delays = [at - ahead - float(stamp) * 1000 for at, (_, stamp) in zip(shown, said, strict=True)]
    within = [at - arrived for at, arrived in zip(shown, came, strict=True)]
    daemons, pages, browsers = ((now - then) / took for now, then in zip(after, before, strict=True))
    return Painted(delays, within, clocks, seen.frames, (daemons, pages, browsers))


def _times(noted: list[tuple[int, float]]) -> list[float]:
    """Return the time of each piece from those of the newest ones."""
    times: list[float] = []
    for number, at in noted:
        times += [at] * (number + 1 - len(times))
    return times


def _clock(page: Page) -> tuple[float, float]:
    """Return by how many milliseconds the clock of the page is ahead of ours, and how wrong that may be.

    Both go at the same pace: they are the machine's, which nobody sets, counted from different moments.
    """
    asked: list[tuple[float, float]] = []
    for _ in range(_TRIES):
        before = monotonic()
        told = float(page.evaluate("performance.now()"))
        after = monotonic()
        asked.append(((after - before) * 500, told - (after + before) * 500))
    wrong, ahead = min(asked)
    return ahead, wrong


def _busy_s(cdp: CDPSession) -> tuple[float, float]:
    """Return how long the programs of pages have used a processor so far, and all programs of the browser."""
    told = convert(cdp.send("SystemInfo.getProcessInfo"), _Programs).processInfo  # pyright: ignore[reportUnknownMemberType] # theirs
    return sum(each.cpuTime for each in told if each.type == "renderer"), sum(each.cpuTime for each in told)
