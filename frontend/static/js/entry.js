/** The way into a room: loading it, asking to come in, waiting in the lobby, following it once inside. */

import * as api from "./api.js";
import { leaveRoom } from "./api-rooms.js";
import { delay_ms } from "./backoff.js";
import { announce, inSession, nameForReturn, ready, reason, toast } from "./page.js";
import { t } from "./strings.js";

/** @typedef {import("./room-state.js").EndReason} EndReason */
/** @typedef {import("../../wire.d.ts").Subscribed} Subscribed */

const PHONE = matchMedia("(max-width: 40rem)");
const VISITORS_MS = 300;
/** Asking again this often keeps the place in the lobby, and tells it anew. */
const WAITING_MS = 10_000;
/** After a refusal for now, asking again sooner than this is useless. */
const HELD_MS = 2_000;

/** The ends that an error's code means; all others leave the person at the door. */
const ENDS = /** @type {Partial<Record<string, EndReason>>} */ ({
  room_not_found: "missing",
  room_closed: "closed",
  banned: "banned",
});

/** How far this clock and the server's may be apart where the server has said the rest. */
const CLOCKS_MS = 60_000;

/**
 * Whether the time that a room is open for has passed; `unsure` where only the server's clock can tell.
 *
 * @param {Pick<import("../../wire.d.ts").Room, "is_active" | "closes_at">} room
 * @param {number} now_ms
 * @returns {"no" | "unsure" | "yes"}
 */
export function isOver({ is_active, closes_at }, now_ms) {
  if (!is_active || closes_at === null) return "no";
  const left_ms = Date.parse(closes_at) - now_ms;
  return left_ms > CLOCKS_MS ? "no" : left_ms > -CLOCKS_MS ? "unsure" : "yes";
}

export class Entry {
  #failures = 0;
  #retry_timer = 0;
  #visitors_timer = 0;
  #waiting_timer = 0;
  /** Counts what was asked at the door, so that a late answer moves nobody. */
  #asking = 0;

  /**
   * @param {object} parts
   * @param {import("./room-state.js").RoomStore} parts.store
   * @param {import("./socket.js").Socket} parts.socket
   * @param {import("./conversation.js").Conversation} parts.conversation
   * @param {import("./hosting.js").Hosting} parts.hosting
   * @param {string | null} parts.address the room's id or slug
   * @param {string | null} parts.code the link code that this person came with
   * @param {(why: EndReason) => void} parts.end
   */
  constructor({ store, socket, conversation, hosting, address, code, end }) {
    this.store = store;
    this.socket = socket;
    this.conversation = conversation;
    this.hosting = hosting;
    this.address = address;
    this.code = code;
    this.end = end;
  }

  async load() {
    clearTimeout(this.#retry_timer);
    const { address, code, store } = this;
    if (address === null) {
      this.end("missing");
      ready();
      return;
    }
    try {
      const [me, detail] = await inSession(() => Promise.all([api.me(), api.getRoom(address, code)]));
      const { participants, waiting, allowed, ...room } = detail;
      nameForReturn(room.name);
      this.#failures = 0;
      store.set({ me, room, visitors: participants, place: { at: "prejoin", joining: false, refusal: null } });
      this.hosting.reset(waiting, allowed);
      if (room.is_active) {
        this.conversation.restore();
        this.socket.start();
        this.socket.watch_rooms();
      }
      if (!room.is_active) this.end("closed");
      else if (!allowed.includes("join") && isOver(room, Date.now()) !== "no") this.end("over");
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      const why = this.#end_of(error.code);
      if (error.passing) {
        const wait_ms = Math.max((error.retry_after_s ?? 0) * 1_000, delay_ms(++this.#failures, Math.random), 2_000);
        store.set({ place: { at: "unreachable", retry_at_ms: Date.now() + wait_ms } });
        this.#retry_timer = setTimeout(() => void this.load(), wait_ms);
      } else {
        this.end(why ?? "missing");
      }
    }
    ready();
  }

  /**
   * Shows who is inside now, at most a few times a second, and once more when that did not work.
   *
   * @param {number} [after_ms]
   */
  refresh_visitors(after_ms = VISITORS_MS) {
    clearTimeout(this.#visitors_timer);
    this.#visitors_timer = setTimeout(async () => {
      const { room } = this.store.get();
      if (!room) return;
      try {
        const detail = await inSession(() => api.getRoom(room.id, this.code));
        const { participants, waiting, allowed, ...fresh } = detail;
        this.#failures = 0;
        this.store.set({ room: fresh, visitors: participants });
        this.hosting.reset(waiting, allowed);
      } catch (error) {
        if (!(error instanceof api.ApiError)) throw error;
        if (error.status === 404) this.end("missing");
        else if (error.passing && this.store.get().place.at === "prejoin") {
          const wait_ms = Math.max((error.retry_after_s ?? 0) * 1_000, delay_ms(++this.#failures, Math.random));
          this.refresh_visitors(Math.max(wait_ms, 2_000));
        }
      }
    }, after_ms);
  }

  /**
   * Asks to come in.
   *
   * @param {string} [password]
   */
  async join(password = "") {
    const { room, place } = this.store.get();
    if (!room || (place.at === "prejoin" && place.joining)) return;
    this.store.set({ place: { at: "prejoin", joining: true, refusal: null } });
    await this.#ask(room.id, password);
  }

  /** Asks once more whether one may come in by now, which keeps the place in the lobby. */
  ask_again() {
    const { room, place } = this.store.get();
    if (room && place.at === "waiting") void this.#ask(room.id, "");
  }

  /** Goes in without asking: a host let the person in. */
  admitted() {
    if (this.store.get().place.at !== "waiting") return;
    announce(t("waiting.admitted"));
    this.#enter();
  }

  async stop_waiting() {
    const { room, place } = this.store.get();
    if (!room || place.at !== "waiting") return;
    this.forget_waiting();
    this.store.set({ place: { at: "prejoin", joining: false, refusal: null } });
    try {
      await inSession(() => leaveRoom(room.id));
    } catch (error) {
      // Who does not wait any more has stopped already.
      if (error instanceof api.ApiError && error.status === 404) return;
      toast(reason(error), "error");
    }
  }

  /** Asks no more: the person stopped waiting, or was turned away. */
  forget_waiting() {
    this.#asking += 1;
    clearTimeout(this.#waiting_timer);
  }

  /**
   * @param {number} room_id
   * @param {string} password
   */
  async #ask(room_id, password) {
    clearTimeout(this.#waiting_timer);
    const asking = ++this.#asking;
    const shown = { ...(password === "" ? {} : { password }), ...(this.code === null ? {} : { code: this.code }) };
    let answer;
    try {
      answer = await inSession(() => api.joinRoom(room_id, shown));
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (asking === this.#asking) this.#refused(error);
      return;
    }
    if (asking !== this.#asking) return;
    if (answer.waiting) {
      this.store.set({ place: { at: "waiting", position: answer.position ?? 1 } });
      this.#waiting_timer = setTimeout(() => this.ask_again(), WAITING_MS);
    } else {
      if (this.store.get().place.at === "waiting") announce(t("waiting.admitted"));
      this.#enter();
    }
  }

  /** @param {api.ApiError} error */
  #refused(error) {
    const { place } = this.store.get();
    const why = this.#end_of(error.code);
    if (why !== undefined) {
      this.end(why);
    } else if (place.at === "waiting" && error.passing) {
      const wait_ms = Math.max(WAITING_MS, (error.retry_after_s ?? 0) * 1_000);
      this.#waiting_timer = setTimeout(() => this.ask_again(), wait_ms);
    } else {
      const held_ms = error.code === "not_open" ? HELD_MS : (error.retry_after_s ?? 0) * 1_000;
      const refusal = {
        code: error.code,
        detail: reason(error),
        opens_at: error.opens_at,
        retry_at_ms: held_ms > 0 ? Date.now() + held_ms : null,
      };
      this.store.set({ place: { at: "prejoin", joining: false, refusal } });
    }
  }

  /**
   * The end that an error's code means: a room that is past its time is closed like a deleted one.
   *
   * @param {string} code
   */
  #end_of(code) {
    const { room } = this.store.get();
    const why = ENDS[code];
    return why === "closed" && room !== null && isOver(room, Date.now()) !== "no" ? "over" : why;
  }

  #enter() {
    const { store, socket, conversation } = this;
    const { room } = store.get();
    if (!room) return;
    this.forget_waiting();
    store.set({ place: { at: "call" }, panel: PHONE.matches ? null : "chat", at_bottom: true, search: null });
    socket.follow({
      room_id: room.id,
      from() {
        const { log } = store.get();
        if (log.contiguous_to === null || log.rev === null) return { status: "in_call" };
        return { after_seq: log.contiguous_to, after_rev: log.rev, status: "in_call" };
      },
      page: (/** @type {Subscribed} */ frame) => {
        store.get().roster.reset(frame.participants);
        this.hosting.reset(frame.waiting, frame.allowed);
        conversation.page(frame);
      },
      caught_up: () => {
        this.#failures = 0;
        conversation.caught_up();
      },
      refused: (error) => {
        const why = this.#end_of(error.code);
        if (why !== undefined) this.end(why);
        else if (!error.passing) this.end("out");
        else {
          const wait_ms = Math.max((error.retry_after_s ?? 0) * 1_000, delay_ms(++this.#failures, Math.random));
          setTimeout(() => socket.again(room.id), wait_ms);
        }
      },
    });
  }
}
