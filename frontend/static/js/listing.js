/** A list that is leafed through: loaded page by page, searched, and kept true to what is done to it here. */

import { createStore } from "./store.js";

const SEARCH_MS = 250;

/**
 * @template T
 * @typedef {object} ListingState
 * @property {readonly T[]} items
 * @property {string} query
 * @property {boolean} more whether the server has more than are shown
 * @property {"loading" | "ready" | "failed"} phase
 * @property {boolean} loading_more
 * @property {unknown} error why the list, or its next page, is not there
 */

/**
 * @template T
 * @typedef {object} Listing
 * @property {import("./store.js").Store<ListingState<T>>} store
 * @property {() => Promise<void>} load begins anew
 * @property {() => Promise<void>} load_more
 * @property {(query: string) => void} search after a moment without typing
 * @property {(item: T) => void} put in the place of what it was, or at the top
 * @property {(item: T) => void} drop
 */

/**
 * @template T
 * @param {object} source
 * @param {(from: { skip: number, query: string, last: T | null }) => Promise<T[]>} source.page
 * @param {number} source.size how many a full page has
 * @param {(item: T) => string | number} source.key
 * @returns {Listing<T>}
 */
export function createListing({ page, size, key }) {
  const store = createStore(
    /** @type {ListingState<T>} */ ({ items: [], query: "", more: false, phase: "loading", loading_more: false, error: null }),
  );
  /** Counts the loads, so that a late answer to an older question is not shown. */
  let number = 0;
  let timer = 0;
  /** How many of the server's list its pages have brought; what was put here does not count. */
  let paged = 0;

  const load = async () => {
    clearTimeout(timer);
    const mine = ++number;
    if (store.get().phase === "failed") store.set({ phase: "loading" });
    try {
      const items = await page({ skip: 0, query: store.get().query, last: null });
      if (mine !== number) return;
      paged = items.length;
      store.set({ items, more: items.length >= size, phase: "ready", loading_more: false, error: null });
    } catch (error) {
      if (mine !== number) return;
      store.set({ items: [], more: false, phase: "failed", loading_more: false, error });
    }
  };

  const load_more = async () => {
    const { items, query, loading_more } = store.get();
    if (loading_more) return;
    const mine = number;
    store.set({ loading_more: true, error: null });
    try {
      const next = await page({ skip: paged, query, last: items[items.length - 1] ?? null });
      if (mine !== number) return;
      paged += next.length;
      const known = new Set(store.get().items.map(key));
      const fresh = next.filter((item) => !known.has(key(item)));
      store.set({ items: [...store.get().items, ...fresh], more: next.length >= size, loading_more: false });
    } catch (error) {
      if (mine === number) store.set({ loading_more: false, error });
    }
  };

  return {
    store,
    load,
    load_more,
    search(query) {
      if (query === store.get().query) return;
      store.set({ query });
      clearTimeout(timer);
      timer = setTimeout(() => void load(), SEARCH_MS);
    },
    put(item) {
      const { items } = store.get();
      const at = items.findIndex((one) => key(one) === key(item));
      store.set({ items: at < 0 ? [item, ...items] : items.map((one, place) => (place === at ? item : one)) });
    },
    drop(item) {
      const { items } = store.get();
      const rest = items.filter((one) => key(one) !== key(item));
      // The pages that follow move up by one.
      paged -= items.length - rest.length;
      store.set({ items: rest });
    },
  };
}
