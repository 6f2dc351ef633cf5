/** Search over everything that was ever said in any session. A hit opens where it was said. */
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { get } from "../lib/http.js";
import { go } from "../lib/model.js";
import { address } from "../lib/route.js";
import { age, block, count, line, unmarked } from "../lib/words.js";
import { Back } from "./inbox.js";

/** Who or what a hit is, in words. @type {Record<string, string>} */
const KINDS = { user: "you", assistant: "agent", tool_call: "tool", permission: "question" };

/** @param {{query: string}} props */
export function Search({ query }) {
  const [hits, setHits] = useState(/** @type {any[] | null} */ (null));
  const [wrong, setWrong] = useState("");
  const latest = useRef("");
  const look = async (/** @type {string} */ words) => {
    latest.current = words;
    if (!words.trim()) return setHits(null);
    try {
      const found = await get("/search", { q: words, limit: 50 });
      if (latest.current !== words) return; // an older question was answered later
      setHits(found.items);
      setWrong("");
    } catch (problem) {
      if (latest.current === words) setWrong(/** @type {Error} */ (problem).message);
    }
  };
  useEffect(() => void look(query), [query]);
  const timer = useRef(/** @type {any} */ (0));
  const type = (/** @type {any} */ event) => {
    const words = event.target.value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => go({ screen: "search", query: words }, { replace: true }), 180);
  };
  return html`<section class="screen search" aria-label="Search">
    <header class="head"><${Back} /><h1>Search</h1></header>
    <input type="search" aria-label="Search all sessions" placeholder="Words, &quot;a phrase&quot;, agent:claude, after:2026-01-01" value=${query} ref=${(/** @type {any} */ field) => field && !field.dataset.seen && ((field.dataset.seen = "1"), field.focus())} onInput=${type} autocomplete="off" />
    <p class="dim" role="status">${wrong ? line(wrong) : hits ? (hits.length === 50 ? "The best 50 of many" : count(hits.length, "hit")) : "Everything that was said in any session, imported ones too."}</p>
    <ol class="hits">${(hits ?? []).map((hit) => {
      const to = /** @type {const} */ ({ screen: "session", id: hit.session_id, item: hit.item_id || null }); // a title is of no item
      return html`<li key=${`${hit.session_id}#${hit.item_id}`}><a href=${address(to)} onClick=${(/** @type {Event} */ event) => { event.preventDefault(); go(to); }}>
        <span class="facts"><b dir="auto">${line(hit.title || hit.session_id.slice(0, 8))}</b><span>${KINDS[hit.role ?? hit.kind] ?? line(hit.role ?? hit.kind)}</span><span>${age(hit.at, Date.now())}</span></span>
        <span class="snippet" dir="auto"><${Snippet} text=${hit.snippet} /></span></a></li>`;
    })}</ol>
  </section>`;
}

/** What was found stands between brackets of its own. @param {{text: string}} props */
function Snippet({ text }) {
  return block(unmarked(text)).split(/⟦(.*?)⟧/).map((part, at) => (at % 2 ? html`<mark>${part}</mark>` : part));
}
