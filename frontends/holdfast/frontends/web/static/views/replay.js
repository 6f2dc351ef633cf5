/** A session as it was at any moment: its events once more, as fast or as slow as one likes, in the same renderer. */
import { html, useEffect, useMemo, useRef, useState } from "../lib/html.js";
import { readEvents } from "../lib/events.js";
import { expanded, take } from "../lib/fold.js";
import { go, rowOf, store } from "../lib/model.js";
import { guess, lines } from "../lib/rows.js";
import { nameOf } from "../lib/status.js";
import { useStore } from "../lib/store.js";
import { clock, count, line } from "../lib/words.js";
import { Line } from "./item.js";
import { VirtualList } from "./virtual.js";

const SPEEDS = [1, 2, 5, 20, 100];
const LONGEST_PAUSE_MS = 3_000;

/** @param {{id: string}} props */
export function Replay({ id }) {
  const row = useStore(store, () => rowOf(id));
  const [events, setEvents] = useState(/** @type {any[] | null} */ (null));
  const [wrong, setWrong] = useState("");
  const [read, setRead] = useState(0);
  const [at, setAt] = useState(0);
  const [playing, play] = useState(false);
  const [speed, setSpeed] = useState(5);
  const [opened, open] = useState(/** @type {Set<string>} */ (new Set()));
  const folded = useRef({ at: 0, items: /** @type {Map<string, any>} */ (new Map()) });
  useEffect(() => {
    readEvents({ session: id }, setRead).then((read) => {
      const all = expanded(read);
      setEvents(all);
      setAt(all.length);
    }, (problem) => setWrong(problem.message));
  }, [id]);
  useEffect(() => {
    if (!playing || !events || at >= events.length) return void play(false);
    const pause = at === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, Date.parse(events[at].recorded_at) - Date.parse(events[at - 1].recorded_at));
    const step = setTimeout(() => setAt(at + 1), Math.max(0, pause) / speed);
    return () => clearTimeout(step);
  }, [playing, at, speed, events]);
  const shown = useMemo(() => {
    if (!events) return [];
    if (folded.current.at > at) folded.current = { at: 0, items: new Map() };
    const state = folded.current;
    for (; state.at < at; state.at += 1) take(state.items, events[state.at]);
    return lines([...state.items.values()]);
  }, [events, at]);
  const toggle = (/** @type {string} */ key) => open((before) => {
    const after = new Set(before);
    if (!after.delete(key)) after.add(key);
    return after;
  });
  const now = events?.[at - 1];
  return html`<section class="conversation replay" aria-label="Replay">
    <header class="head"><a class="back" href=${`/sessions/${id}`} aria-label="Back to the session" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); go({ screen: "session", id, item: null }); }}>‹</a>
      <div class="who"><h1 dir="auto">${line(row ? nameOf(row) : id.slice(0, 8))}</h1><p class="facts"><span>replay</span><span>${events ? count(events.length, "event") : wrong || `reading … ${read}`}</span>${now ? html`<span>${new Date(now.recorded_at).toLocaleDateString()} ${clock(now.recorded_at)}</span><span>position ${now.position}</span>` : null}</p></div></header>
    <div class="transcript"><${VirtualList} lines=${shown} guess=${guess} label="Transcript as it was" version=${at}
      show=${(/** @type {any} */ each) => html`<${Line} line=${each} item=${each.item} session=${id} agent=${row?.agent ?? null} streaming=${playing && each.item?.position === now?.position} marked=${false} open=${opened.has(each.key)} toggle=${toggle} live=${false} />`} /></div>
    <footer class="foot player"><button type="button" class="primary" disabled=${!events?.length} onClick=${() => { if (!playing && at >= (events?.length ?? 0)) setAt(0); play(!playing); }}>${playing ? "Pause" : "Play"}</button>
      <input type="range" min="0" max=${events?.length ?? 0} value=${at} aria-label="Moment" aria-valuetext=${`event ${at} of ${events?.length ?? 0}`} onInput=${(/** @type {any} */ event) => { play(false); setAt(Number(event.target.value)); }} />
      <label><span class="unseen">Speed</span><select value=${speed} onChange=${(/** @type {any} */ event) => setSpeed(Number(event.target.value))}>${SPEEDS.map((each) => html`<option value=${each} selected=${each === speed}>${each}×</option>`)}</select></label></footer>
  </section>`;
}
