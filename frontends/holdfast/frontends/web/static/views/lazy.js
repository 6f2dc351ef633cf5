/** A part of the page that is fetched when it is first shown. */
import { html, useEffect, useState } from "../lib/html.js";

/** @type {Map<string, any>} */
const loaded = new Map();

/** @type {Promise<void> | undefined} */
let styled;

/** The styles that only such parts need. */
export function style() {
  styled ??= new Promise((done) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = "/static/css/panels.css";
    sheet.onload = sheet.onerror = () => done();
    document.head.append(sheet);
  });
  return styled;
}

/** @param {{from: () => Promise<any>, name: string, [prop: string]: any}} props */
export function Lazy({ from, name, ...rest }) {
  const [, again] = useState(0);
  const [failed, fail] = useState(false);
  useEffect(() => {
    if (loaded.has(name)) return;
    Promise.all([from(), style()]).then(([module]) => {
      loaded.set(name, module[name]);
      again((n) => n + 1);
    }, () => fail(true));
  }, [name]);
  const View = loaded.get(name);
  if (View) return html`<${View} ...${rest} />`;
  return failed ? html`<p class="empty" role="alert">This part of the page could not be fetched. It is back when the daemon is.</p>` : null;
}
