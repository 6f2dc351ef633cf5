/** The frame of the page: the list beside what is looked at, panels above both. */
import { html, useEffect, useState } from "../lib/html.js";
import { recall } from "../lib/keep.js";
import { go, store } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { DaemonBanner } from "./banners.js";
import { Lazy } from "./lazy.js";
import { SessionList } from "./list.js";
import { SessionView } from "./session.js";
import { Announcer, Toasts } from "./toasts.js";

export function App() {
  const route = useStore(store, (state) => state.route);
  const link = useStore(store, (state) => state.link.state);
  const panel = useStore(store, (state) => state.panel);
  const fresh = useStore(store, (state) => state.rosterReady && state.rows.length === 0);
  useBestSession();
  if (link === "signed_out") return html`<${Lazy} from=${() => import("./signin.js")} name="SignIn" />`;
  return html`
    <a class="skip" href="#main">Skip to the session</a>
    <div class=${`frame screen-${route.screen} ${fresh ? "fresh" : ""}`}>
      <${SessionList} />
      <main id="main" tabindex="-1">
        <${DaemonBanner} />
        <${Screen} route=${route} />
      </main>
    </div>
    <${Panels} panel=${panel} />
    <${Toasts} />
    <${Announcer} />
  `;
}

/** @param {{route: import("../lib/route.js").Route}} props */
function Screen({ route }) {
  switch (route.screen) {
    case "session":
      return html`<${SessionView} key=${route.id} id=${route.id} item=${route.item} />`;
    case "new":
      return html`<${Lazy} from=${() => import("./draft.js")} name="DraftSession" key=${route.id} id=${route.id} />`;
    case "inbox":
      return html`<${Lazy} from=${() => import("./inbox.js")} name="Inbox" />`;
    case "settings":
      return html`<${Lazy} from=${() => import("./settings.js")} name="Settings" />`;
    case "search":
      return html`<${Lazy} from=${() => import("./search.js")} name="Search" query=${route.query} />`;
    case "replay":
      return html`<${Lazy} from=${() => import("./replay.js")} name="Replay" key=${route.id} id=${route.id} />`;
    default:
      return html`<${Lazy} from=${() => import("./welcome.js")} name="Welcome" />`;
  }
}

/** @param {{panel: string | null}} props */
function Panels({ panel }) {
  switch (panel) {
    case "palette":
      return html`<${Lazy} from=${() => import("./palette.js")} name="Palette" />`;
    case "keys":
      return html`<${Lazy} from=${() => import("./help.js")} name="Help" />`;
    case "new":
      return html`<${Lazy} from=${() => import("./new.js")} name="NewSession" />`;
    default:
      return null;
  }
}

/** On a wide page `/` opens the session that needs the person, else the last one. Once: coming back shows the start. */
function useBestSession() {
  const ready = useStore(store, (state) => state.rosterReady);
  const [, done] = useState(false);
  useEffect(() => {
    const { route, rows } = store.get();
    if (!ready || route.screen !== "home" || rows.length === 0 || history.state?.stay) return;
    const wanted = rows.find((row) => row.attention === "needs_you") ?? rows.find((row) => row.id === recall("last", null));
    if (wanted && innerWidth >= 720) go({ screen: "session", id: wanted.id, item: null }, { replace: true });
    done(true);
  }, [ready]);
}
