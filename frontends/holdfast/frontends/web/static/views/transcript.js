/** The transcript of one session: loaded in pages, opened where the reader left off, kept in place while it grows. */
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../lib/html.js";
import { command } from "../lib/commands.js";
import { go, store } from "../lib/model.js";
import { leavePast, loadNewer, loadOlder, reach } from "../lib/paging.js";
import { guess, lines } from "../lib/rows.js";
import { useStore } from "../lib/store.js";
import { Line } from "./item.js";
import { VirtualList } from "./virtual.js";

const SEEKING = 1_000;

/** @param {{id: string, item: string | null}} props */
export function TranscriptView({ id, item }) {
  const entry = useStore(store, (state) => state.transcripts.get(id));
  const row = useStore(store, (state) => state.rows.find((each) => each.id === id));
  const details = useStore(store, (state) => state.details.get(id));
  const model = entry?.model;
  const past = entry?.past ?? null;
  const loaded = past ?? model;
  const list = useRef(/** @type {any} */ (null));
  const [atEnd, setAtEnd] = useState(true);
  const [left, setLeft] = useState(/** @type {string | null | undefined} */ (undefined)); // undefined: not known yet
  const [goal, setGoal] = useState(/** @type {string | null} */ (null));
  const [seeking, seek] = useState(/** @type {string | null} */ (null));
  const [opened, open] = useState(/** @type {Set<string>} */ (new Set()));

  useEffect(() => {
    if (left !== undefined || !model?.ready || !details?.caughtUp) return;
    const unread = (row?.unread ?? 0) > 0;
    const seen = unread ? model.items.findLast((each) => (each.ordinal ?? each.position) <= details.readPosition) : undefined;
    setLeft(seen?.id ?? null);
    if (seen && !item) setGoal("unread");
  }, [entry, details, left]);

  const shown = useMemo(
    () => (loaded ? lines(loaded.items, { unreadAfter: left ?? null }) : []),
    [loaded, loaded?.shape, left],
  );
  const sees = atEnd && !past && left !== undefined && goal === null && !seeking;
  useEffect(() => {
    store.set({ sees: sees ? id : null });
    return () => store.set({ sees: null });
  }, [id, sees]);

  useEffect(() => {
    if (!item || !model?.ready) return undefined;
    let over = false;
    seek(item);
    void reach(id, item).then((found) => {
      if (over) return;
      seek(null);
      if (found) setGoal(item);
    });
    return () => (over = true);
  }, [item, model?.ready]);

  // Once the line that is to be shown is one of the list's.
  useEffect(() => {
    const line = goal === null ? undefined : shown.find((each) => each.key === goal || (each.type === "tools" && each.items.some((one) => one.id === goal)));
    if (!line) return;
    if (line.type === "tools") open((before) => new Set(before).add(line.key));
    list.current?.jump(line.key);
    setGoal(null);
  }, [goal, shown]);

  useTranscriptKeys(list, id, seek);
  const toEnd = () => {
    leavePast(id);
    list.current?.toEnd();
  };
  useEffect(() => {
    const sent = (/** @type {any} */ { detail }) => {
      if (detail.session !== id) return;
      if (item) go({ screen: "session", id, item: null }, { replace: true });
      toEnd();
    };
    addEventListener("holdfast-sent", sent);
    return () => removeEventListener("holdfast-sent", sent);
  }, [id, item]);
  const streaming = row?.lifecycle === "streaming";
  const last = model?.items.at(-1)?.id;
  const toggle = useCallback((/** @type {string} */ key) => open((before) => {
    const after = new Set(before);
    if (!after.delete(key)) after.add(key);
    return after;
  }), []);
  const show = (/** @type {any} */ line) => {
    const fresh = line.type === "item" ? (loaded?.get(line.item.id) ?? line.item) : null;
    return html`<${Line} line=${line} item=${fresh} session=${id} agent=${row?.agent ?? null} streaming=${streaming && fresh?.id === last} marked=${item === line.key} open=${opened.has(line.key)} toggle=${toggle} live=${model?.ready ?? false} />`;
  };
  if (!model) return null;
  return html`<div class="transcript">
    ${seeking ? html`<p class="seeking" role="status">${seeking === item ? "Looking for it further up …" : "On the way to the beginning …"}</p>` : null}
    ${!model.items.length ? html`<p class="empty">${model.ready ? "Send a message to start the conversation." : "Loading …"}</p>` : null}
    <${VirtualList} handle=${list} lines=${shown} show=${show} guess=${guess} label="Transcript" version=${entry?.version} onTop=${() => void loadOlder(id)} onBottom=${() => past && void loadNewer(id)} more=${past !== null} onEnd=${setAtEnd} />
    ${atEnd ? null : html`<button type="button" class="to-end" onClick=${toEnd}>↓ ${streaming ? "Newest" : "To the end"}</button>`}
  </div>`;
}

/** `[` and `]` go from prompt to prompt, Home and End to the ends. @param {{current: any}} list @param {string} id @param {(what: string | null) => void} seek */
function useTranscriptKeys(list, id, seek) {
  useEffect(() => {
    const press = async (/** @type {KeyboardEvent} */ event) => {
      const { target, key } = event;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !list.current) return;
      const field = target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ? target : null;
      if (field && !((key === "Home" || key === "End") && /** @type {any} */ (field).value === "")) return;
      const virtual = list.current;
      if (key === "End") {
        leavePast(id);
        virtual.toEnd();
      } else if (key === "Home") {
        event.preventDefault(); // before the browser goes to the top of what happens to be loaded
        seek("the beginning");
        while (await loadOlder(id, SEEKING));
        seek(null);
        virtual.toTop();
      } else if (key === "[" || key === "]") {
        const here = virtual.geometry.at(virtual.follow ? virtual.geometry.total : virtual.top + virtual.height * 0.2 + 1);
        const prompts = virtual.lines.map((/** @type {any} */ line, /** @type {number} */ at) => (line.item?.role === "user" ? at : -1)).filter((/** @type {number} */ at) => at >= 0);
        const to = key === "[" ? prompts.findLast((/** @type {number} */ at) => at < here) : prompts.find((/** @type {number} */ at) => at > here);
        if (to === undefined && (await (key === "[" ? loadOlder(id) : loadNewer(id)))) return;
        if (to !== undefined) virtual.jump(virtual.lines[to].key);
      } else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [id]);
}
