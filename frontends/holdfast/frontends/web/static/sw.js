/** Lets the page open while the daemon is down: its files are kept, its data never is (the page keeps its own copy). */
const SHELF = "holdfast-1";

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const shelf = await caches.open(SHELF);
      const names = await (await fetch("/static/files.json", { cache: "no-store" })).json();
      await shelf.addAll(["/", ...names.map((name) => `/static/${name}`)]);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== SHELF) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || url.pathname.startsWith("/api/") || url.pathname === "/healthz") return;
  event.respondWith(fromDaemonOrShelf(request));
});

/** What the daemon has now; what was kept where it does not answer. */
async function fromDaemonOrShelf(request) {
  const shelf = await caches.open(SHELF);
  const key = request.mode === "navigate" ? "/" : new URL(request.url).pathname;
  try {
    const answer = await fetch(request);
    if (answer.ok) await shelf.put(key, answer.clone()).catch(() => undefined); // no room: shown it is all the same
    return answer;
  } catch (unreachable) {
    const kept = await shelf.match(key);
    if (kept) return kept;
    throw unreachable;
  }
}
