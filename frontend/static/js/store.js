/** Holds a page's state in one place. Views draw from it; nothing else remembers. */

/**
 * @template {object} S
 * @typedef {object} Store
 * @property {() => Readonly<S>} get
 * @property {(patch: Partial<S>) => void} set
 * @property {(listener: () => void) => () => void} listen runs once after all changes of a turn; returns how to stop
 */

/**
 * @template {object} S
 * @param {S} initial
 * @returns {Store<S>}
 */
export function createStore(initial) {
  let state = initial;
  let due = false;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    get: () => state,
    set(patch) {
      state = { ...state, ...patch };
      if (due) return;
      due = true;
      queueMicrotask(() => {
        due = false;
        for (const listener of listeners) listener();
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
