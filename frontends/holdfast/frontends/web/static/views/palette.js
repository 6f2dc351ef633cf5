/** Ctrl+K: go to a session, or do something, by typing a few letters of it. */
import { html, useState } from "../lib/html.js";
import { best } from "../lib/fuzzy.js";
import { command } from "../lib/commands.js";
import { go, inspect, loadEnded, store } from "../lib/model.js";
import { LOOK, nameOf, statusOf } from "../lib/status.js";
import { useStore } from "../lib/store.js";
import { lastOf, line } from "../lib/words.js";
import { Panel } from "./panel.js";

export function Palette() {
  const rows = useStore(store, (state) => state.rows);
  const route = useStore(store, (state) => state.route);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const here = route.screen === "session" ? rows.find((row) => row.id === route.id) : undefined;
  const choices = [
    ...rows.map((row) => ({ key: row.id, shape: LOOK[statusOf(row)].shape, status: statusOf(row), label: nameOf(row), note: [LOOK[statusOf(row)].word, row.agent, lastOf(row.cwd)].filter(Boolean).join(" · "), run: () => go({ screen: "session", id: row.id, item: null }) })),
    ...actions(here),
  ];
  const found = best(query, choices, (choice) => `${choice.label} ${choice.note}`, 40);
  const chosen = Math.min(at, found.length - 1);
  const run = (/** @type {any} */ choice) => {
    store.set({ panel: null });
    choice?.run();
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by) {
      event.preventDefault();
      const to = (chosen + by + found.length) % found.length;
      setAt(to);
      document.getElementById(`choice-${to}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[chosen]);
    }
  };
  return html`<${Panel} label="Go to a session, or do something" kind="palette">
    <input type="text" role="combobox" aria-expanded="true" aria-controls="choices" aria-activedescendant=${found.length ? `choice-${chosen}` : undefined} aria-label="Session or command" placeholder="Go to a session, or do something" autofocus autocomplete="off" spellcheck=${false}
      onInput=${(/** @type {any} */ event) => { setQuery(event.target.value); setAt(0); }} onKeyDown=${press} />
    <ul id="choices" role="listbox" aria-label="Choices">${found.map((choice, index) => html`<li key=${choice.key} id=${`choice-${index}`} role="option" aria-selected=${index === chosen} onClick=${() => run(choice)} onMouseMove=${() => index !== chosen && setAt(index)}>
      <span class=${`dot ${choice.status ?? ""}`} aria-hidden="true">${choice.shape}</span><b dir="auto">${line(choice.label)}</b><span class="dim">${line(choice.note)}</span></li>`)}</ul>
    ${found.length ? null : html`<p class="empty">Nothing is called that.</p>`}
  <//>`;
}

/** @param {any} here */
function actions(here) {
  const plain = [
    ["New session", "n", () => store.set({ panel: "new" })],
    ["Inbox", "everything that needs you", () => go({ screen: "inbox" })],
    ["Search all sessions", "/", () => go({ screen: "search", query: "" })],
    ["Start page", "import, try it", () => go({ screen: "start" })],
    ["Show or hide ended sessions", "", loadEnded],
    ["Settings", "theme, notifications, tokens", () => go({ screen: "settings" })],
    ["All keys", "?", () => store.set({ panel: "keys" })],
  ];
  const about = here ? [
    ["Stop the turn", "cancel", () => command(here.id, "cancel")],
    ["Mark unread", "m", () => command(here.id, "unread")],
    [here.pinned ? "Unpin" : "Pin", "", () => command(here.id, "pin", { pinned: !here.pinned })],
    ["Reconnect", "try now", () => command(here.id, "reconnect")],
    ["Replay this session", "", () => go({ screen: "replay", id: here.id })],
    ["Inspect this session", "e", () => inspect("events")],
  ] : [];
  return /** @type {any[]} */ ([...about, ...plain]).map(([label, note, run]) => ({ key: label, shape: "→", label, note, run }));
}
