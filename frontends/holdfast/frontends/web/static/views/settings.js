/** What this browser is told to be like, who else may come in, and what runs behind it. */
import { html, useEffect, useState } from "../lib/html.js";
import { call, get } from "../lib/http.js";
import { KEYS } from "../lib/keys.js";
import { complain, refresh, signOut, store } from "../lib/model.js";
import { able, wish, wishes } from "../lib/notify.js";
import { useStore } from "../lib/store.js";
import { setTheme, theme } from "../lib/theme.js";
import { age, count, dateAndTime, line } from "../lib/words.js";
import { Copy } from "./code.js";
import { Back } from "./inbox.js";

export function Settings() {
  return html`<section class="screen settings" aria-label="Settings">
    <header class="head"><${Back} /><h1>Settings</h1></header>
    <div class="sheets"><${Looks} /><${Notifications} /><${Tokens} /><${Daemon} /><${Keys} /></div>
  </section>`;
}

function Looks() {
  const [chosen, choose] = useState(theme());
  const take = (/** @type {import("../lib/theme.js").Theme} */ wanted) => { setTheme(wanted); choose(wanted); };
  return html`<section class="sheet"><h2>Looks</h2>
    <fieldset class="segments"><legend class="unseen">Theme</legend>${/** @type {const} */ ([["system", "As the system"], ["light", "Light"], ["dark", "Dark"]]).map(([name, words]) => html`<label class=${name === chosen ? "chosen" : ""}><input type="radio" name="theme" checked=${name === chosen} onChange=${() => take(name)} /> ${words}</label>`)}</fieldset>
  </section>`;
}

function Notifications() {
  const [now, setNow] = useState(wishes());
  const [allowed, setAllowed] = useState(able());
  const change = (/** @type {any} */ what) => { wish(what); setNow(wishes()); };
  const turn = async (/** @type {boolean} */ on) => {
    if (on && able() === "default") await Notification.requestPermission();
    setAllowed(able());
    change({ on: on && able() === "granted" });
  };
  const quiet = now.quiet ?? { from: "", to: "" };
  return html`<section class="sheet"><h2>Notifications of this browser</h2>
    <p class="dim">When a session comes to need you, fails, or finishes while nobody looks at it. Never for one that is open in front of you anywhere, nor for one that is muted. They come while this page is open in a tab; the tray tells you without one.</p>
    ${allowed === "none" ? html`<p>This browser has no notifications.</p>` : allowed === "denied" ? html`<p class="warn">This browser forbids them for this page; its own settings change that.</p>` : null}
    <label class="switch"><input type="checkbox" checked=${now.on && allowed === "granted"} disabled=${allowed === "none" || allowed === "denied"} onChange=${(/** @type {any} */ event) => void turn(event.target.checked)} /> <span>Notify me</span></label>
    <label class="switch"><input type="checkbox" checked=${now.preview} disabled=${!now.on} onChange=${(/** @type {any} */ event) => change({ preview: event.target.checked })} /> <span>Show what was said</span></label>
    <label class="switch"><input type="checkbox" checked=${now.sound} disabled=${!now.on} onChange=${(/** @type {any} */ event) => change({ sound: event.target.checked })} /> <span>With a sound</span></label>
    <div class="hours"><span>Quiet from</span> <input type="time" aria-label="Quiet from" value=${quiet.from} disabled=${!now.on} onChange=${(/** @type {any} */ event) => change({ quiet: { ...quiet, from: event.target.value } })} />
      <span>to</span> <input type="time" aria-label="Quiet to" value=${quiet.to} disabled=${!now.on} onChange=${(/** @type {any} */ event) => change({ quiet: { ...quiet, to: event.target.value } })} /></div>
  </section>`;
}

function Tokens() {
  const [list, setList] = useState(/** @type {any[] | null} */ (null));
  const [made, setMade] = useState(/** @type {any} */ (null));
  const load = () => get("/tokens").then((page) => setList(page.items), (problem) => { setList([]); complain(problem); });
  useEffect(() => void load(), []);
  const give = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = event.target.elements;
    try {
      setMade(await call("POST", "/tokens", { name: form.name.value.trim() || null, read_only: form.reads.checked }));
      event.target.reset();
      await load();
    } catch (problem) {
      complain(problem);
    }
  };
  const revoke = async (/** @type {string} */ name) => {
    if (!confirm(`Revoke “${name}”? Whatever came in by it is out within a second.`)) return;
    await call("DELETE", `/tokens/${encodeURIComponent(name)}`).catch(complain);
    if (made?.name === name) setMade(null);
    await load();
  };
  const now = Date.now();
  return html`<section class="sheet"><h2>Who else may come in</h2>
    <p class="dim">Other programs and devices speak to the daemon with a token of their own, which can be taken back by itself. One that only reads can watch everything and change nothing.</p>
    ${list?.length ? html`<ul class="tokens">${list.map((each) => html`<li key=${each.name}><b>${line(each.name)}</b> <span class="dim">${each.read_only ? "reads only" : "reads and writes"} · <time title=${dateAndTime(each.created)}>${age(each.created, now)}</time></span><button type="button" class="quiet small danger" onClick=${() => revoke(each.name)}>Revoke</button></li>`)}</ul>` : list ? html`<p>Nobody has one.</p>` : null}
    ${made ? html`<div class="made" role="status"><p>The token <b>${line(made.name)}</b>, shown this once:</p><code>${made.token}</code> <${Copy} text=${made.token} what="the token" /></div>` : null}
    <form class="give" onSubmit=${give}><input name="name" aria-label="Name of the token" placeholder="a name, such as wall-display" autocomplete="off" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" maxlength="64" /><label class="switch"><input type="checkbox" name="reads" checked /> <span>reads only</span></label><button type="submit">Give out a token</button></form>
    <p class="bar"><span class="space">This browser is signed in by a cookie of 30 days.</span><button type="button" onClick=${signOut}>Sign this browser out</button></p>
  </section>`;
}

function Daemon() {
  const status = useStore(store, (state) => state.status);
  const minute = useStore(store, (state) => Math.floor(state.now / 60_000) * 60_000);
  const [checks, setChecks] = useState(/** @type {any[] | null} */ (null));
  useEffect(() => {
    void refresh();
    get("/doctor").then((page) => setChecks(page.items), () => setChecks([])); // then only what it is doing is told
  }, []);
  if (!status) return null;
  const worries = (checks ?? []).filter((each) => !each.ok);
  const facts = [["Version", status.version], ["Address", status.url], ["Process", `${status.pid}, up for ${age(status.started, Math.max(minute, Date.parse(status.started)))}`], ["Sessions", `${status.sessions}, ${count(status.agents, "agent")} running`]];
  return html`<section class="sheet"><h2>The daemon</h2>
    <dl class="facts-list">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${line(value)}</dd>`)}</dl>
    ${checks?.length ? html`<details><summary>${worries.length ? html`<span class="warn">${count(worries.length, "thing")} to look at</span>` : `All ${checks.length} checks are well`}</summary>
      <ul class="checks">${checks.map((each) => html`<li class=${each.ok ? "" : "bad"}><span role="img" aria-label=${each.ok ? "well" : "not well"}>${each.ok ? "✓" : "✗"}</span> <b>${line(each.check)}</b> <span>${line(each.detail)}</span></li>`)}</ul></details>` : null}
  </section>`;
}

function Keys() {
  return html`<section class="sheet"><h2>Keys</h2>
    <dl class="pairs">${KEYS.map(([keys, meaning]) => html`<div><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${meaning}</dd></div>`)}</dl></section>`;
}
