/** An item and the events that made it, as the log has them. */
import { html, useEffect, useState } from "../lib/html.js";
import { readEvents } from "../lib/events.js";
import { block } from "../lib/words.js";
import { Copy } from "./code.js";
import { Panel } from "./panel.js";

const MOST = 400;

/** @param {{id: string, item: any, close: () => void}} props */
export function Raw({ id, item, close }) {
  const [events, setEvents] = useState(/** @type {any[] | null} */ (null));
  useEffect(() => {
    const from = item.ordinal ?? item.position;
    const about = (/** @type {any} */ event) => event.position <= item.position && [event.data?.id, event.data?.item_id, event.data?.prompt_id, event.data?.request_id].includes(item.id);
    readEvents({ session: id, after: Math.max(0, from - 1) }, undefined, item.position).then(
      (all) => setEvents(all.filter((event) => about(event) || event.position === from || event.position === item.position).slice(0, MOST)),
      () => setEvents([]), // then the item itself is shown
    );
  }, [item.id]);
  const text = (events ?? []).map((event) => JSON.stringify(event, null, 2)).join("\n\n");
  return html`<${Panel} label="The raw events" kind="raw-panel" close=${close}>
    <h2>${item.kind.replace("_", " ")} <code>${item.id}</code></h2>
    <pre tabindex="0">${events === null ? "Reading …" : block(text || JSON.stringify(item, null, 2))}</pre>
    <form method="dialog"><${Copy} text=${text} what="these events" /> <button>Close</button></form>
  <//>`;
}
