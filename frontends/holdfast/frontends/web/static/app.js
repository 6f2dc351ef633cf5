/** Where the page begins. */
import { createElement, options, render } from "./lib/html.js";
import { listenForKeys } from "./lib/keys.js";
import { start, store } from "./lib/model.js";
import { drawSoon } from "./lib/pace.js";
import { documentTitle } from "./lib/status.js";
import { colourFrame } from "./lib/theme.js";
import { App } from "./views/app.js";

options.debounceRendering = drawSoon;

store.subscribe(() => {
  const title = documentTitle(store.get().rows);
  if (document.title !== title) document.title = title;
});

const root = /** @type {HTMLElement} */ (document.getElementById("page"));
root.textContent = "";
render(createElement(App, {}), root);
listenForKeys();
colourFrame();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colourFrame);
void start();

if ("serviceWorker" in navigator && globalThis.isSecureContext) {
  const trusted = globalThis.trustedTypes?.createPolicy("holdfast", {
    createScriptURL: (/** @type {string} */ address) => {
      if (address !== "/sw.js") throw new TypeError("Only the service worker of this page is a script by address.");
      return address;
    },
  });
  navigator.serviceWorker.register(trusted ? trusted.createScriptURL("/sw.js") : "/sw.js").catch(() => {
    // Without it the page works, but cannot be opened while the daemon is down.
  });
}
