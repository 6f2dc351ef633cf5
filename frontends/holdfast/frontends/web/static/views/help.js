/** All keys. */
import { html } from "../lib/html.js";
import { KEYS } from "../lib/keys.js";
import { Panel } from "./panel.js";

export function Help() {
  return html`<${Panel} label="Keys" kind="keys">
    <h2 tabindex="-1" autofocus>Keys</h2>
    <dl>${KEYS.map(([keys, meaning]) => html`<dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${meaning}</dd>`)}</dl>
    <form method="dialog"><button>Close</button></form>
  <//>`;
}
