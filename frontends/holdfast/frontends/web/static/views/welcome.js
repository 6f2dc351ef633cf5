/** The first page: something real at once. One's own transcripts, an agent to try, and a plug to pull. */
import { html, useEffect, useState } from "../lib/html.js";
import { get, newId, post } from "../lib/http.js";
import { begin } from "../lib/commands.js";
import { complain, go, store } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { bytes, count, folder, line } from "../lib/words.js";
import { Back } from "./inbox.js";

export function Welcome() {
  const rows = useStore(store, (state) => state.rows);
  const called = useStore(store, (state) => state.route.screen === "start");
  return html`<section class="screen welcome" aria-label="Start">
    ${called ? html`<header class="head"><${Back} /><h1>Start</h1></header>` : null}
    <div class="hero"><img src="/static/icon.svg" width="64" height="64" alt="" />
      <h1>Close anything. Kill anything.<br />Nothing is lost.</h1>
      <p>Your sessions live in a log on this machine. Windows, agents and the daemon itself may come and go.</p></div>
    <div class="cards"><${TryIt} /><${Import} /></div>
    ${rows.length ? html`<p class="dim center">${count(rows.length, "session")} here. <kbd>Ctrl+K</kbd> goes to any of them, <kbd>?</kbd> lists all keys.</p>` : null}
  </section>`;
}

function TryIt() {
  const live = useStore(store, (state) => state.link.state === "live");
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const row = await begin({ agent: "demo", title: "Try it", prompt: "Show me what you can do.", client_id: newId() });
      go({ screen: "session", id: row.id, item: null });
    } catch (problem) {
      complain(problem);
    }
    setBusy(false);
  };
  return html`<article class="card"><h2>Try it</h2>
    <p>A small agent of ours, as real as any other process. It talks, uses a tool and asks for leave. Then pull the plug in the middle of a sentence.</p>
    <button type="button" class="primary" disabled=${!live || busy} onClick=${run}>${busy ? "Starting …" : "Start the demo agent"}</button></article>`;
}

function Import() {
  const [found, setFound] = useState(/** @type {any[] | null} */ (null));
  const [chosen, choose] = useState(/** @type {Set<string>} */ (new Set()));
  const [state, setState] = useState(/** @type {{busy: boolean, report: any}} */ ({ busy: false, report: null }));
  const live = useStore(store, (each) => each.link.state === "live");
  useEffect(() => {
    if (!live) return;
    get("/imports").then((list) => {
      setFound(list.items);
      choose(new Set(list.items.map((/** @type {any} */ each) => each.path)));
    }, () => setFound([]));
  }, [live]);
  const run = async () => {
    setState({ busy: true, report: null });
    // With its first session a narrow window shows the list, and would hide what came of this.
    if (store.get().route.screen === "home" && matchMedia("(max-width: 719px)").matches) go({ screen: "start" }, { replace: true });
    try {
      const report = await post("/imports", { sources: [...chosen] });
      setState({ busy: false, report });
    } catch (problem) {
      complain(problem);
      setState({ busy: false, report: null });
    }
  };
  const toggle = (/** @type {string} */ path) => {
    const after = new Set(chosen);
    if (!after.delete(path)) after.add(path);
    choose(after);
  };
  return html`<article class="card"><h2>Your own transcripts</h2>
    ${state.report
      ? html`<p role="status"><b>${count(state.report.sessions, "session")} imported</b>, ${count(state.report.events, "event")} from ${count(state.report.files, "file")}${state.report.malformed ? `, ${count(state.report.malformed, "malformed line")} left out` : ""}. They are in the list and can be searched.</p><a href="/search" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); go({ screen: "search", query: "" }); }}>Search them</a>`
      : found === null ? html`<p class="dim">Looking …</p>`
      : !found.length ? html`<p>No transcripts of coding agents were found on this machine. When there are some, they can be imported here and searched.</p>`
      : html`<p>Found on this machine. Files stay as they are.</p>
        <ul class="found">${found.map((each) => html`<li><label><input type="checkbox" checked=${chosen.has(each.path)} onChange=${() => toggle(each.path)} /> <b>${line(each.source)}</b> <span class="dim">${count(each.files, "file")}, ${bytes(each.bytes)} · ${line(folder(each.path))}</span></label></li>`)}</ul>
        <button type="button" class="primary" disabled=${!live || state.busy || !chosen.size} onClick=${run}>${state.busy ? "Importing …" : "Import"}</button>`}
  </article>`;
}
