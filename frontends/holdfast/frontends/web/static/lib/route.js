/** The addresses of the page. */

/**
 * @typedef {{screen: "home"} | {screen: "start"} | {screen: "settings"} | {screen: "session", id: string, item: string | null}
 *   | {screen: "new", id: string} | {screen: "inbox"} | {screen: "search", query: string}
 *   | {screen: "replay", id: string}} Route
 */

/** @param {{pathname: string, hash: string, search: string}} location @returns {Route} */
export function parse({ pathname, hash, search }) {
  const [first, second] = pathname.split("/").filter(Boolean).map(decoded);
  if (first === "sessions" && second) return { screen: "session", id: second, item: decoded(hash.slice(1)) || null };
  if (first === "new" && second) return { screen: "new", id: second };
  if (first === "replay" && second) return { screen: "replay", id: second };
  if (first === "settings" || first === "start") return { screen: first };
  if (first === "inbox") return { screen: "inbox" };
  if (first === "search") return { screen: "search", query: new URLSearchParams(search).get("q") ?? "" };
  return { screen: "home" };
}

/** @param {Route} route */
export function address(route) {
  switch (route.screen) {
    case "session":
      return `/sessions/${encodeURIComponent(route.id)}${route.item ? `#${encodeURIComponent(route.item)}` : ""}`;
    case "new":
      return `/new/${encodeURIComponent(route.id)}`;
    case "replay":
      return `/replay/${encodeURIComponent(route.id)}`;
    case "search":
      return route.query ? `/search?q=${encodeURIComponent(route.query)}` : "/search";
    case "inbox":
      return "/inbox";
    case "settings":
      return "/settings";
    case "start":
      return "/start";
    default:
      return "/";
  }
}

const LINK = /^#(?:code|signin|sign-in)=([\w.~-]{8,200})(?:&item=([^&#]*))?$/;

/** The one-time code of a sign-in link, and nothing else. @param {string} hash */
export function codeIn(hash) {
  return LINK.exec(hash)?.[1] ?? null;
}

/** What is left of a sign-in link's hash without its code: the item that it opens, or nothing. @param {string} hash */
export function withoutCode(hash) {
  const item = LINK.exec(hash)?.[2];
  return item ? `#${item}` : "";
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
