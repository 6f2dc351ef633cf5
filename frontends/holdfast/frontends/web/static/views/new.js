/** A new session: with whom, where. It exists once something is said; until then it is only an address. */
import { html, useEffect, useState } from "../lib/html.js";
import { newId } from "../lib/http.js";
import { keep, recall } from "../lib/keep.js";
import { go, refresh, store } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { folder, line } from "../lib/words.js";
import { Copy } from "./code.js";
import { Panel } from "./panel.js";

export function NewSession() {
  const agents = useStore(store, (state) => state.agents);
  const rows = useStore(store, (state) => state.rows);
  const last = recall("new", { agent: null, cwd: null });
  const found = agents.filter((agent) => agent.found);
  const [agent, choose] = useState(/** @type {string | null} */ (last.agent));
  const [missing, showMissing] = useState(false);
  useEffect(() => void refresh(), []);
  const entered = new Set(rows.filter((row) => row.connection.state !== "failed").map((row) => row.cwd));
  // A folder in which nothing but failed sessions lie may not be there: proposed, it would fail the next one too.
  const doubtful = (/** @type {string} */ cwd) => !entered.has(cwd) && rows.some((row) => row.cwd === cwd);
  const known = [last.cwd, ...rows.map((row) => row.cwd)].filter((cwd) => cwd && !doubtful(cwd));
  const folders = [...new Set(known)].slice(0, 12);
  const chosen = found.some((each) => each.name === agent) ? agent : (found[0]?.name ?? null);
  const begin = (/** @type {any} */ event) => {
    event.preventDefault();
    const form = event.target.elements;
    const order = { agent: chosen, cwd: form.cwd.value.trim() || null, title: form.title.value.trim() };
    keep("new", { agent: order.agent, cwd: order.cwd });
    const id = newId();
    keep(`new.${id}`, order);
    go({ screen: "new", id });
  };
  return html`<${Panel} label="New session" kind="new">
    <form onSubmit=${begin}>
      <h2>New session</h2>
      <fieldset><legend>With</legend><div class="agents">
        ${found.map((each) => html`<label class=${each.name === chosen ? "chosen" : ""}><input type="radio" name="agent" value=${each.name} checked=${each.name === chosen} onChange=${() => choose(each.name)} /> ${line(each.name)}</label>`)}
      </div>
      ${found.length ? null : html`<p class="dim">No agent was found on this machine.</p>`}
      ${agents.length > found.length ? html`<button type="button" class="quiet small" aria-expanded=${missing} onClick=${() => showMissing(!missing)}>${agents.length - found.length} more can be installed</button>` : null}
      ${missing ? html`<dl class="install">${agents.filter((each) => !each.found).map((each) => html`<dt>${line(each.name)}</dt><dd><code>${line(each.install)}</code> <${Copy} text=${each.install} what=${`how to install ${each.name}`} /></dd>`)}</dl>` : null}
      </fieldset>
      <label>Folder <input name="cwd" list="folders" placeholder="the folder it works in" defaultValue=${folders[0] ?? ""} autocomplete="off" spellcheck=${false} /></label>
      <datalist id="folders">${folders.map((each) => html`<option value=${each}>${folder(each)}</option>`)}</datalist>
      <label>Title <input name="title" placeholder="may be empty" autocomplete="off" /></label>
      <div class="bar"><button type="button" class="quiet" onClick=${() => store.set({ panel: null })}>Cancel</button><button type="submit" class="primary" disabled=${!chosen}>Begin</button></div>
    </form>
  <//>`;
}
