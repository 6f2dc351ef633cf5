/** A block of code with its language and a button that copies it. */
import { html, useEffect, useMemo, useState } from "../lib/html.js";

/** Fetched with the first block that has a language; until then code is plain. @type {null | typeof import("../lib/highlight.js").highlight} */
let highlight = null;

/** @param {{text: string, language?: string}} props */
export function CodeBlock({ text, language = "" }) {
  const [, coloured] = useState(highlight !== null);
  useEffect(() => {
    if (highlight || !language) return;
    import("../lib/highlight.js").then((module) => {
      highlight = module.highlight;
      coloured(true);
    }, () => undefined); // plain it stays
  }, [language]);
  const parts = useMemo(() => highlight?.(text, language) ?? [{ kind: "", text }], [text, language, highlight]);
  return html`<figure class="code">
    <figcaption><span>${language || "text"}</span><${Copy} text=${text} what="code" /></figcaption>
    <pre tabindex="0"><code>${parts.map((part) => (part.kind ? html`<span class=${`t-${part.kind}`}>${part.text}</span>` : part.text))}</code></pre>
  </figure>`;
}

/** @param {{text: string | (() => string), what: string, label?: string}} props */
export function Copy({ text, what, label = "Copy" }) {
  const [said, say] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      say("Copied");
    } catch {
      say("Not allowed");
    }
    setTimeout(() => say(""), 1_500);
  };
  return html`<button type="button" class="quiet small" aria-label=${`${label} ${what}`} onClick=${copy}>${said || label}</button>`;
}
