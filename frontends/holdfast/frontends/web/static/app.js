/** Where the page begins. */
import { createElement, options, render } from "./lib/html.js";
import { listenForKeys } from "./lib/keys.js";
import { start, store } from "./lib/model.js";
import { documentTitle } from "./lib/status.js";
import { colourFrame } from "./lib/theme.js";
import { App } from "./views/app.js";

// One rendering a frame however many patches come; a hidden tab gets its frames from a timer.
options.debounceRendering = (/** @type {() => void} */ renderNow) => {
  if (document.visibilityState === "hidden") setTimeout(renderNow, 250);
  else requestAnimationFrame(renderNow);
};

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
