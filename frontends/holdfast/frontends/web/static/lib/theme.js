/** Light, dark, or as the system has it. */
import { keep, recall } from "./keep.js";

/** @typedef {"system" | "light" | "dark"} Theme */

/** @returns {Theme} */
export const theme = () => recall("theme", "system");

/** @param {Theme} wanted */
export function setTheme(wanted) {
  keep("theme", wanted === "system" ? null : wanted);
  if (wanted === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  colourFrame();
}

/** The colour of what surrounds the page, where a browser or a phone has any. */
export function colourFrame() {
  const colour = getComputedStyle(document.body).backgroundColor;
  for (const each of document.querySelectorAll("meta[name=theme-color]")) each.setAttribute("content", colour);
}
