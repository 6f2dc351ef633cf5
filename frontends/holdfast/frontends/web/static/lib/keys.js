/** The keys of the page, and the words that its help has for them. */
import { command } from "./commands.js";
import { go, inspect, rowOf, store } from "./model.js";
import { statusOf } from "./status.js";

/** @type {[string, string][]} */
export const KEYS = [
  ["j k ↑ ↓", "move in the list"],
  ["Space", "peek at the last turn"],
  ["Enter", "open · in the composer: send"],
  ["Shift+Enter", "break the line"],
  ["Esc", "back (never ends a session)"],
  ["Tab", "composer ↔ what needs you"],
  ["n", "new session"],
  ["Ctrl+K", "go to a session, or do something"],
  [".", "next session that needs you"],
  ["u", "next unread"],
  ["i", "inbox"],
  ["/", "search all sessions"],
  ["[ ]", "previous, next prompt"],
  ["Home End", "top and end of the transcript"],
  ["m", "mark unread"],
  ["M", "mute"],
  ["e", "inspector"],
  [",", "settings"],
  ["a A d z", "on a focused request: allow once, always, deny, later"],
  ["?", "all keys"],
];

/** @param {EventTarget | null} target */
function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** @param {"palette" | "keys" | "new" | null} panel */
export const show = (panel) => store.set({ panel });

export function listenForKeys() {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const { panel, route } = store.get();
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      show(panel === "palette" ? null : "palette");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || panel || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return back(event);
    if (typing(event.target)) return;
    const run = pressed(event, route);
    if (run) {
      event.preventDefault();
      run();
    }
  });
}

/** @param {KeyboardEvent} event @param {import("./route.js").Route} route @returns {(() => void) | undefined} */
function pressed(event, route) {
  const here = route.screen === "session" ? rowOf(route.id) : undefined;
  const open = here && here.lifecycle !== "ended" ? here : undefined;
  const onButton = event.target instanceof HTMLElement && event.target.closest("button, a[href], [role=group][data-request]");
  switch (event.key) {
    case "j":
    case "ArrowDown":
      return inTranscript(event) && event.key !== "j" ? undefined : () => step(1);
    case "k":
    case "ArrowUp":
      return inTranscript(event) && event.key !== "k" ? undefined : () => step(-1);
    case "n":
      return () => show("new");
    case "?":
      return () => show("keys");
    case "/":
      return () => go({ screen: "search", query: "" });
    case ",":
      return () => go({ screen: "settings" });
    case "i":
      return () => go({ screen: "inbox" });
    case "u":
      return () => next("unread");
    case ".":
      return () => next("needs_you");
    case "e":
      return here && (() => inspect(store.get().inspector ? null : "events"));
    case "m":
      return open && (() => void command(open.id, "unread"));
    case "M":
      return open && (() => void command(open.id, "mute", open.muted_until ? { until: null, muted: false } : { until: null }));
    case " ":
      return onButton && !(/** @type {HTMLElement} */ (onButton).dataset.session) ? undefined : peek;
    default:
      return undefined;
  }
}

/** @param {Event} event */
function inTranscript(event) {
  return event.target instanceof HTMLElement && event.target.closest("[role=log]") !== null;
}

/** @param {number} by */
function step(by) {
  const entries = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("nav [data-session]")]);
  const at = entries.findIndex((entry) => entry === document.activeElement);
  const from = at >= 0 ? at : entries.findIndex((entry) => entry.getAttribute("aria-current") === "page");
  entries[Math.max(0, Math.min(entries.length - 1, from + by))]?.focus();
}

/** @param {import("./status.js").Status} wanted */
function next(wanted) {
  const { rows, route } = store.get();
  const here = rows.findIndex((row) => route.screen === "session" && row.id === route.id);
  const found = [...rows.slice(here + 1), ...rows.slice(0, here + 1)].find((row) => statusOf(row) === wanted);
  if (found) go({ screen: "session", id: found.id, item: null });
}

function peek() {
  const id = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.session : undefined;
  if (id) dispatchEvent(new CustomEvent("holdfast-peek", { detail: id }));
}

/** Goes back one layer: an inspector that lies above its session is one, as in panels.css. @param {KeyboardEvent} event */
function back(event) {
  if (typing(event.target)) {
    /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  const { route, inspector } = store.get();
  if (route.screen === "session" && inspector && matchMedia("(max-width: 1179px)").matches) inspect(null);
  else if (route.screen !== "home") go({ screen: "home" });
}

