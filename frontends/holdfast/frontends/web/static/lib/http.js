/** Questions and commands over HTTP. A command carries an id of its own, so that it may safely be sent again. */

/** What a server refused, in its own words. */
export class Problem extends Error {
  /** @param {number} status @param {string} code @param {string} detail */
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** How this browser is named to others: where an approval was answered, for one. */
export const DEVICE = `web (${browser(navigator.userAgent)})`;

/** @param {string} agent */
export function browser(agent) {
  const name = /Edg\//.test(agent) ? "Edge" : /Firefox\//.test(agent) ? "Firefox" : /Chrom/.test(agent) ? "Chrome" : "Safari";
  const system = [["Android", "Android"], ["iPhone|iPad", "iOS"], ["Mac OS", "macOS"], ["Windows", "Windows"]].find(
    ([word]) => new RegExp(word).test(agent),
  );
  return `${name}, ${system ? system[1] : "Linux"}`;
}

export const newId = () =>
  crypto.randomUUID?.() ??
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {string} path below `/api/v1` @param {Record<string, string | number | null | undefined>} [query] */
export function get(path, query = {}) {
  return call("GET", path, undefined, query);
}

/** @param {string} path @param {Record<string, unknown>} [body] */
export function post(path, body = {}) {
  return call("POST", path, { client_id: newId(), ...body });
}

/**
 * @param {string} method @param {string} path @param {unknown} [body]
 * @param {Record<string, string | number | null | undefined>} [query] @returns {Promise<any>}
 */
export async function call(method, path, body, query = {}) {
  const answer = await raw(method, path, body, query);
  return answer.status === 204 ? null : answer.json();
}

/**
 * The answer itself, for what is not JSON. @param {string} method @param {string} path @param {unknown} [body]
 * @param {Record<string, string | number | null | undefined>} [query]
 */
export async function raw(method, path, body, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  /** @type {Record<string, string>} */
  const headers = { "Holdfast-Client": DEVICE };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/api/v1${path}${search ? `?${search}` : ""}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw new Problem(0, "unreachable", `The daemon does not answer.${method === "GET" ? "" : " Whether it heard this is not known."}`);
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, problem.code ?? "error", problem.detail ?? `The daemon answered ${answer.status}.`);
}
