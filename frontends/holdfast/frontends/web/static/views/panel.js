/** A dialog above the page: closes with Escape and a click beside it, and gives the focus back. */
import { html, useEffect, useRef } from "../lib/html.js";
import { store } from "../lib/model.js";

/** @param {{label: string, children?: any, kind?: string, close?: () => void}} props */
export function Panel({ label, children, kind = "", close: own }) {
  const mine = useRef(store.get().panel);
  const close = own ?? (() => {
    if (store.get().panel === mine.current) store.set({ panel: null });
  });
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault(); // the browser would close it a moment later, and with it what the next key opens
    event.stopPropagation();
    close();
  };
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected && document.activeElement === document.body) before.focus();
    };
  }, []);
  return html`<dialog ref=${box} class=${`panel ${kind}`} aria-label=${label} onClose=${close} onCancel=${close} onKeyDown=${press}
    onClick=${(/** @type {any} */ event) => { if (event.target === box.current) close(); }}>${children}</dialog>`;
}
