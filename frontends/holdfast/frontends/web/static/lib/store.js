/** The one place that says what is on the screen. Views read it; only `app.js` and what the stream brings write it. */
import { useEffect, useRef, useState } from "./html.js";

/** @template T @param {T} state */
export function createStore(state) {
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    get: () => state,
    /** @param {Partial<T>} change */
    set(change) {
      state = { ...state, ...change };
      for (const listener of [...listeners]) listener();
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/**
 * A part of the store; the component renders again when that part is another one.
 * @template T, U @param {{get: () => T, subscribe: (listener: () => void) => () => void}} store
 * @param {(state: T) => U} select @returns {U}
 */
export function useStore(store, select) {
  const chosen = useRef(select);
  chosen.current = select;
  const value = select(store.get());
  const shown = useRef(value);
  shown.current = value;
  const [, again] = useState(0);
  useEffect(() => {
    const look = () => {
      if (!Object.is(chosen.current(store.get()), shown.current)) again((n) => n + 1);
    };
    look(); // what changed between the rendering and now
    return store.subscribe(look);
  }, [store]);
  return value;
}
