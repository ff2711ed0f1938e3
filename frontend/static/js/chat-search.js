/** The search in a room's chat: asks the server, pages to older finds, and leads to a message. */

import * as api from "./api.js";
import { searchMessages } from "./api-rooms.js";
import { inSession } from "./page.js";

/** @typedef {import("../../wire.d.ts").Message} Message */

/**
 * @typedef {object} Search
 * @property {string} query
 * @property {"short" | "loading" | "ready" | "failed"} phase short: too little was written to search for
 * @property {Message[]} results newest first
 * @property {boolean} more whether there may be older ones
 * @property {{ seq: number, messages: Message[] } | null} around a find too far back to scroll to, in its context
 */

const PAGE = 30;
const LEAST = 2;
const TYPING_MS = 250;
/** A find this many messages above the oldest loaded one is scrolled to; one further back is shown by itself. */
export const NEAR = 1_000;
const STEP = 200;
const AROUND = 8;

/** @type {Search} */
const EMPTY = { query: "", phase: "short", results: [], more: false, around: null };

export class ChatSearch {
  #timer = 0;
  /** Counts the questions, so that a late answer to an older one is not shown. */
  #asked = 0;

  /** @param {import("./room-state.js").RoomStore} store */
  constructor(store) {
    this.store = store;
  }

  open() {
    this.store.set({ search: this.store.get().search ?? EMPTY, panel: "chat" });
  }

  close() {
    this.#asked += 1;
    clearTimeout(this.#timer);
    this.store.set({ search: null, at_bottom: true });
  }

  /** @param {string} typed */
  type(typed) {
    const query = typed.trim();
    clearTimeout(this.#timer);
    this.#asked += 1;
    if ([...query].length < LEAST) {
      this.store.set({ search: { ...EMPTY, query } });
      return;
    }
    this.store.set({ search: { ...EMPTY, query, phase: "loading" } });
    this.#timer = setTimeout(() => void this.#ask(query, []), TYPING_MS);
  }

  /** Asks for finds before the oldest one shown; also asks again after a failure. */
  more() {
    const { search } = this.store.get();
    if (!search || search.phase === "loading" || search.phase === "short") return;
    this.store.set({ search: { ...search, phase: "loading" } });
    void this.#ask(search.query, search.results);
  }

  back() {
    const { search } = this.store.get();
    if (search) this.store.set({ search: { ...search, around: null } });
  }

  /**
   * Leads to a find: in the chat itself, or, when that is far back, in its context.
   *
   * @param {Message} message
   */
  async show(message) {
    const { room, log, search } = this.store.get();
    if (!room || !search) return;
    const asked = ++this.#asked;
    try {
      if ((log.first_seq ?? 0) - message.seq <= NEAR) {
        while (log.first_seq !== null && log.first_seq > Math.max(1, message.seq - AROUND)) {
          const before = log.first_seq;
          log.merge((await inSession(() => api.olderMessages(room.id, before, STEP))).messages);
          if (asked !== this.#asked) return;
          if (log.first_seq === before) break;
        }
        const { revision } = this.store.get();
        this.store.set({ revision: revision + 1, search: null, found_seq: message.seq, at_bottom: false });
      } else {
        const page = await inSession(() => api.olderMessages(room.id, message.seq + AROUND + 1, 2 * AROUND + 1));
        if (asked !== this.#asked) return;
        this.store.set({ search: { ...search, around: { seq: message.seq, messages: page.messages } } });
      }
    } catch {
      if (asked === this.#asked) this.store.set({ search: { ...search, phase: "failed" } });
    }
  }

  /**
   * @param {string} query
   * @param {Message[]} known
   */
  async #ask(query, known) {
    const { room } = this.store.get();
    if (!room) return;
    const asked = ++this.#asked;
    const oldest = known[known.length - 1]?.seq;
    try {
      const page = { limit: PAGE, ...(oldest === undefined ? {} : { before_seq: oldest }) };
      const { messages } = await inSession(() => searchMessages(room.id, query, page));
      if (asked !== this.#asked) return;
      const results = [...known, ...messages.reverse()];
      this.store.set({ search: { query, phase: "ready", results, more: messages.length === PAGE, around: null } });
    } catch {
      const { search } = this.store.get();
      if (asked === this.#asked && search) this.store.set({ search: { ...search, phase: "failed" } });
    }
  }
}
