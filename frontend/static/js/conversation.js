/** The chat of one room: what comes in, what goes out, what has been read. */

import * as api from "./api.js";
import { delay_ms } from "./backoff.js";
import { newId } from "./ids.js";
import { announce, inSession, reason, toast } from "./page.js";
import { SocketError } from "./socket.js";
import { t } from "./strings.js";

/** @typedef {import("./room-state.js").RoomStore} RoomStore */
/** @typedef {import("../../wire.d.ts").Message} Message */
/** @typedef {import("../../wire.d.ts").Answer} ServerFrame */
/** @typedef {import("./message-log.js").Unsent} Unsent */

const OLDER = 50;
const READ_MS = 400;
const TYPING_SHOWN_MS = 5_000;
const TYPING_SENT_MS = 3_000;

export class Conversation {
  #pumping = false;
  #read_timer = 0;
  #typing_timer = 0;
  #marked_seq = 0;
  #typing_sent_at_ms = 0;

  /**
   * @param {RoomStore} store
   * @param {import("./socket.js").Socket} socket
   */
  constructor(store, socket) {
    this.store = store;
    this.socket = socket;
  }

  /** Takes up what this tab kept of the room: the draft and what is unsent. Runs once the room is known. */
  restore() {
    const { room, log } = this.store.get();
    if (!room) return;
    this.#marked_seq = room.last_seq - room.unread;
    /** @type {Unsent[]} */
    const kept = readJson(this.#key("unsent")) ?? [];
    for (const one of kept) if (!log.unsent.some((held) => held.client_msg_id === one.client_msg_id)) log.add(one);
    this.store.set({
      draft: readJson(this.#key("draft")) ?? "",
      read_seq: this.#marked_seq,
      unread_after: room.unread > 0 ? this.#marked_seq : null,
    });
  }

  /** @param {import("../../wire.d.ts").Subscribed} frame */
  page(frame) {
    this.store.get().log.catch_up(frame);
    this.#changed();
  }

  caught_up() {
    this.store.set({ caught_up: true });
    void this.#pump();
  }

  /** @param {ServerFrame} frame */
  receive(frame) {
    const { log, me } = this.store.get();
    if (frame.type === "message") {
      const { message } = frame;
      const known = message.seq <= log.last_seq;
      log.merge([message]);
      this.#stopped_typing(message.user_id);
      this.#changed();
      if (!known && message.user_id !== me?.id) {
        announce(t("chat.announce", { name: message.user_display_name, text: message.content }));
      }
    } else if (frame.type === "message_updated" || frame.type === "message_deleted") {
      log.change(frame);
      this.#changed();
    } else if (frame.type === "typing" && frame.user_id !== me?.id) {
      const typing = new Map(this.store.get().typing).set(frame.user_id, Date.now() + TYPING_SHOWN_MS);
      this.store.set({ typing });
      this.#prune_typing();
    }
  }

  /**
   * Sends a message, now or as soon as there is a connection.
   *
   * @param {string} content
   */
  send(content) {
    const { log, replying } = this.store.get();
    log.add({
      client_msg_id: newId(),
      content,
      reply_to: replying?.id ?? null,
      written_at: new Date().toISOString(),
      state: "pending",
      reason: null,
    });
    this.draft("");
    this.#typing_sent_at_ms = 0;
    this.store.set({ replying: null, unread_after: null });
    this.#changed();
    void this.#pump();
  }

  /** @param {string} client_msg_id */
  retry(client_msg_id) {
    this.store.get().log.mark(client_msg_id, { state: "pending", reason: null });
    this.#changed();
    void this.#pump();
  }

  /** @param {string} client_msg_id */
  discard(client_msg_id) {
    this.store.get().log.discard(client_msg_id);
    this.#changed();
  }

  /**
   * @param {Message} message
   * @param {string} content
   */
  async edit(message, content) {
    try {
      const stored = await inSession(() => api.editMessage(message.room_id, message.id, content));
      this.store.get().log.replace(stored);
      this.store.set({ editing: null });
      this.draft("");
      this.#changed();
    } catch (error) {
      toast(reason(error), "error");
    }
  }

  /** @param {Message} message */
  async delete(message) {
    this.store.set({ deleting: null });
    try {
      await inSession(() => api.deleteMessage(message.room_id, message.id));
      this.store.get().log.replace({ ...message, content: "", deleted_at: new Date().toISOString() });
      this.#changed();
    } catch (error) {
      toast(reason(error), "error");
    }
  }

  async load_older() {
    const { room, log, older } = this.store.get();
    const { first_seq } = log;
    if (!room || older === "loading" || first_seq === null || !log.has_older) return;
    this.store.set({ older: "loading" });
    try {
      const page = await inSession(() => api.olderMessages(room.id, first_seq, OLDER));
      log.merge(page.messages);
      this.store.set({ older: "idle" });
      this.#changed();
    } catch {
      this.store.set({ older: "failed" });
    }
  }

  /** @param {string} draft */
  draft(draft) {
    this.store.set({ draft });
    // What an edit holds is no draft of a new message.
    if (this.store.get().editing === null) writeJson(this.#key("draft"), draft === "" ? null : draft);
    const { room } = this.store.get();
    if (draft !== "" && room && Date.now() - this.#typing_sent_at_ms > TYPING_SENT_MS) {
      this.#typing_sent_at_ms = Date.now();
      this.socket.send({ type: "typing", room_id: room.id });
    }
  }

  /** Notes what the person sees: call it when the chat's view, the panel or the page's visibility change. */
  look() {
    const { place, panel, search, at_bottom, log, read_seq, unread_after, me } = this.store.get();
    const seen_to = log.contiguous_to ?? 0;
    if (place.at !== "call" || seen_to <= read_seq) return;
    if (panel === "chat" && search === null && at_bottom && document.visibilityState === "visible") {
      this.store.set({ read_seq: seen_to });
      this.#mark_read();
    } else if (unread_after !== read_seq && log.messages.some((one) => one.seq > read_seq && one.user_id !== me?.id)) {
      this.store.set({ unread_after: read_seq });
    }
  }

  #changed() {
    const { log, revision } = this.store.get();
    this.store.set({ revision: revision + 1 });
    writeJson(this.#key("unsent"), log.unsent.length > 0 ? log.unsent : null);
    this.look();
  }

  /** Sends what is unsent, one after the other, so that the order stays. */
  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    let failures = 0;
    try {
      for (;;) {
        const { log, room, caught_up } = this.store.get();
        const one = log.unsent.find((unsent) => unsent.state === "pending");
        if (!one || !room || !caught_up) return;
        const { client_msg_id, content, reply_to } = one;
        try {
          const sent = await this.socket.request({ type: "send", room_id: room.id, client_msg_id, content, reply_to });
          log.merge([sent.message]);
          failures = 0;
        } catch (error) {
          if (!(error instanceof SocketError)) throw error;
          // The next connection sends it again, under the same name.
          if (error.code === "disconnected") return;
          if (error.passing || error.code === "timeout") {
            const wait_ms = Math.max((error.retry_after_s ?? 0) * 1_000, delay_ms(failures++, Math.random));
            await new Promise((resolve) => setTimeout(resolve, wait_ms));
            continue;
          }
          log.mark(client_msg_id, { state: "failed", reason: error.detail || null });
        }
        this.#changed();
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Tells the server what has been read, at most every 400 ms, however fast messages come. */
  #mark_read() {
    if (this.#read_timer !== 0) return;
    this.#read_timer = setTimeout(async () => {
      this.#read_timer = 0;
      const { room, read_seq } = this.store.get();
      if (!room || read_seq <= this.#marked_seq) return;
      try {
        await inSession(() => api.markRead(room.id, read_seq));
        this.#marked_seq = Math.max(this.#marked_seq, read_seq);
      } catch {
        // The next message seen marks these too.
      }
    }, READ_MS);
  }

  /** @param {number} user_id */
  #stopped_typing(user_id) {
    const typing = new Map(this.store.get().typing);
    if (typing.delete(user_id)) this.store.set({ typing });
  }

  #prune_typing() {
    clearTimeout(this.#typing_timer);
    const now_ms = Date.now();
    const typing = new Map([...this.store.get().typing].filter(([, until_ms]) => until_ms > now_ms));
    if (typing.size !== this.store.get().typing.size) this.store.set({ typing });
    if (typing.size > 0) {
      this.#typing_timer = setTimeout(() => this.#prune_typing(), Math.min(...typing.values()) - now_ms + 10);
    }
  }

  /** @param {"draft" | "unsent"} what */
  #key(what) {
    const { me, room } = this.store.get();
    return `cloudmeet.${what}.${me?.id}.${room?.id}`;
  }
}

/**
 * @param {string} key
 * @returns {any} null when there is nothing
 */
function readJson(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {unknown} value null forgets
 */
function writeJson(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage may be refused or full; the page itself still holds it.
  }
}
