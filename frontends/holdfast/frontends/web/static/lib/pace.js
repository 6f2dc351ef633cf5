/** When the page is drawn: once a frame however many patches come, and not before what was just opened is there. */

const PATIENCE_MS = 60; // a click that shows nothing for longer feels like one that was missed
const HIDDEN_MS = 250;

/** @type {(() => void)[]} */
let waiting = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Draw soon. @param {() => void} drawNow */
export function drawSoon(drawNow) {
  if (timer !== undefined) waiting.push(drawNow);
  else if (document.visibilityState === "hidden") setTimeout(drawNow, HIDDEN_MS); // it gets no frames
  else requestAnimationFrame(drawNow);
}

/** Something was asked for that will be here in a moment: to draw the page without it first would cost a frame of nothing. */
export function holdFrames() {
  clearTimeout(timer);
  timer = setTimeout(releaseFrames, PATIENCE_MS);
}

/** It is here. */
export function releaseFrames() {
  if (timer === undefined) return;
  clearTimeout(timer);
  timer = undefined;
  const drawn = waiting;
  waiting = [];
  drawn.forEach(drawSoon);
}

/**
 * Do something at once, and again as often as it is asked for, but not before a while has passed: what nobody could read meanwhile is not drawn.
 * @param {() => void} run @param {number} atMostEveryMs
 */
export function calmly(run, atMostEveryMs) {
  let done = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waits;
  const now = () => {
    clearTimeout(waits);
    waits = undefined;
    done = performance.now();
    run();
  };
  return () => {
    if (waits !== undefined) return;
    const left = done + atMostEveryMs - performance.now();
    if (left <= 0) now();
    else waits = setTimeout(now, left);
  };
}
