/** Shown when the browser holds no right: how to get one. */
import { html } from "../lib/html.js";
import { store } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { Copy } from "./code.js";

export function SignIn() {
  const wrong = useStore(store, (state) => state.signInError);
  return html`<main class="signin" id="main">
    <img src="/static/icon.svg" width="56" height="56" alt="" />
    <h1>Holdfast</h1>
    ${wrong ? html`<p class="banner bad" role="alert">${wrong}</p>` : null}
    <p>This browser is not signed in. In a terminal on this machine, run</p>
    <p class="command"><code>holdfast web</code> <${Copy} text="holdfast web" what="the command" /></p>
    <p class="dim">It prints a link that signs this browser in. The link works once, for a minute.</p>
  </main>`;
}
