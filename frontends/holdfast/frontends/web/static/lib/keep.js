/** What this browser keeps for itself: drafts, choices, and a copy to read when the daemon cannot be reached. */

/** @param {string} key @param {any} fallback */
export function recall(key, fallback) {
  try {
    const kept = localStorage.getItem(`holdfast.${key}`);
    return kept === null ? fallback : JSON.parse(kept);
  } catch {
    return fallback;
  }
}

/** @param {string} key @param {any} value null forgets it */
export function keep(key, value) {
  try {
    if (value === null || value === "") localStorage.removeItem(`holdfast.${key}`);
    else localStorage.setItem(`holdfast.${key}`, JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs the draft of a closed tab, nothing else.
  }
}

/** @returns {Promise<IDBDatabase>} */
function database() {
  return new Promise((done, failed) => {
    const request = indexedDB.open("holdfast", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("copies");
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

/** @template T @param {"readonly" | "readwrite"} mode @param {(copies: IDBObjectStore) => IDBRequest<T>} work @returns {Promise<T | undefined>} */
async function copies(mode, work) {
  try {
    const opened = await database();
    return await new Promise((done) => {
      const request = work(opened.transaction("copies", mode).objectStore("copies"));
      request.onsuccess = () => done(request.result);
      request.onerror = () => done(undefined);
    });
  } catch {
    return undefined; // private windows have no database; then there is no copy
  }
}

/** @param {string} name @param {any} value */
export const saveCopy = (name, value) => copies("readwrite", (store) => store.put({ at: Date.now(), value }, name));

/** @param {string} name @returns {Promise<{at: number, value: any} | undefined>} */
export const readCopy = (name) => copies("readonly", (store) => store.get(name));

export const namesOfCopies = () => copies("readonly", (store) => store.getAllKeys());

/** @param {string} name */
export const forgetCopy = (name) => copies("readwrite", (store) => store.delete(name));

export const forgetCopies = () => copies("readwrite", (store) => store.clear());
