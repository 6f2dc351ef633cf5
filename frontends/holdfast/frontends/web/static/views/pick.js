/** A choice among a few named things, with words about each: the mode of a session, its model. */
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { line } from "../lib/words.js";

/**
 * @param {{label: string, value: string | null, choices: import("../lib/details.js").Choice[], choose: (id: string) => unknown, disabled?: boolean}} props
 */
export function Pick({ label, value, choices, choose, disabled = false }) {
  const [open, setOpen] = useState(false);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const chosen = choices.find((each) => each.id === value);
  useEffect(() => {
    if (open) (/** @type {HTMLElement | null} */ (box.current?.querySelector("[aria-checked=true]") ?? box.current?.querySelector("[role=menuitemradio]")))?.focus();
  }, [open]);
  const close = () => {
    setOpen(false);
    /** @type {HTMLElement | null} */ (box.current?.querySelector(".picked"))?.focus();
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (!open || event.ctrlKey || event.metaKey || event.altKey) return;
    const items = /** @type {HTMLElement[]} */ ([...(box.current?.querySelectorAll("[role=menuitemradio]") ?? [])]);
    const at = items.findIndex((each) => each === document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[to % items.length]?.focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") return setOpen(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<span class="pick" ref=${box} onKeyDown=${press}
      onFocusOut=${(/** @type {FocusEvent} */ event) => { if (!box.current?.contains(/** @type {Node | null} */ (event.relatedTarget))) setOpen(false); }}>
    <button type="button" class="picked" aria-haspopup="menu" aria-expanded=${open} aria-label=${`${label}: ${line(chosen?.name ?? value ?? "not told")}`} title=${label} disabled=${disabled || !choices.length} onClick=${() => (open ? close() : setOpen(true))}>
      <span class="dim">${line(label)}</span> <span>${line(chosen?.name ?? value ?? "…")}</span></button>
    ${open ? html`<span class="picks" role="menu" aria-label=${label}>${choices.map((each, at) => html`
      ${each.group && each.group !== choices[at - 1]?.group ? html`<span class="group" role="presentation">${line(each.group)}</span>` : null}
      <button type="button" role="menuitemradio" aria-checked=${each.id === value} tabindex="-1" onClick=${() => { close(); if (each.id !== value) void choose(each.id); }}>
        <b>${line(each.name)}</b>${each.description ? html`<span class="dim">${line(each.description)}</span>` : null}</button>`)}</span>` : null}
  </span>`;
}

/** What a session can be told to be: its mode, and whatever else its agent lets people choose. @param {{offers: import("../lib/details.js").Offers, mode: string | null, live: boolean, tell: (verb: string, body: any) => unknown}} props */
export function Choices({ offers, mode, live, tell }) {
  const others = offers.options.filter((option) => option.category !== "mode" && (option.kind === "boolean" || (option.kind === "select" && option.choices.length)));
  const modes = offers.modes.length || !mode ? offers.modes : [{ id: mode, name: mode, description: "", group: "" }]; // of an agent that only says which one it is in
  return html`
    ${modes.length ? html`<${Pick} label="Mode" value=${mode ?? offers.mode} choices=${modes} disabled=${!live || modes.length < 2} choose=${(/** @type {string} */ id) => tell("mode", { mode: id })} />` : null}
    ${others.map((option) => option.kind === "select"
      ? html`<${Pick} key=${option.id} label=${option.name} value=${option.value} choices=${option.choices} disabled=${!live} choose=${(/** @type {string} */ value) => tell("option", { option: option.id, value })} />`
      : html`<button key=${option.id} type="button" class="picked" role="switch" aria-checked=${option.value === "true"} title=${line(option.description)} disabled=${!live} onClick=${() => tell("option", { option: option.id, value: option.value === "true" ? "false" : "true" })}><span aria-hidden="true">${option.value === "true" ? "●" : "○"}</span> ${line(option.name)}</button>`)}`;
}
