/** Keeps one WebSocket to the server alive. The only module that opens sockets. */

import { delay_ms } from "./backoff.js";

/** @typedef {import("../../wire.d.ts").Answer} ServerFrame */
/** @typedef {import("../../wire.d.ts").Subscribed} Subscribed */

/**
 * @typedef {{ phase: "connecting" } | { phase: "open" } | { phase: "waiting", retry_at_ms: number }
 *   | { phase: "stopped" }} LinkState
 */

/**
 * A room to follow. `from` says where to go on, each time it is asked; `caught_up` runs once nothing is missing.
 *
 * @typedef {object} Following
 * @property {number} room_id
 * @property {() => { after_seq?: number, after_rev?: number, status?: string }} from
 * @property {(frame: Subscribed) => void} page
 * @property {() => void} caught_up
 * @property {(error: SocketError) => void} refused
 */

/** A frame that was refused, or that got no answer. */
export class SocketError extends Error {
  /**
   * @param {string} code `disconnected` and `timeout` when there was no answer, else the server's
   * @param {string} detail for a person; empty when there was no answer
   * @param {number | null} [retry_after_s]
   */
  constructor(code, detail, retry_after_s = null) {
    super(detail === "" ? code : detail);
    this.name = "SocketError";
    this.code = code;
    this.detail = detail;
    this.retry_after_s = retry_after_s;
  }

  /** Whether trying the same again later may succeed without anybody changing anything. */
  get passing() {
    return ["rate_limited", "overloaded", "unavailable", "storage_full", "internal"].includes(this.code);
  }
}

const ANSWER_MS = 10_000;
const OPEN_MS = 10_000;
/** After this silence the client asks whether the other end is there; browsers hide the server's own pings. */
const QUIET_MS = 12_000;
const PONG_MS = 5_000;
/** A connection that lived this long was a good one: the next loss starts the backoff anew. */
const STEADY_MS = 5_000;

export class Socket {
  /** @type {LinkState} */
  state = { phase: "stopped" };

  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Map<number, { resolve: (frame: any) => void, reject: (error: SocketError) => void, timer: number }>} */
  #asked = new Map();
  /** @type {Map<number, Following>} */ #following = new Map();
  #watching = false;
  #next_id = 1;
  #attempt = 0;
  /** Counts the connections begun, so that a ticket that comes late opens none. */
  #connection = 0;
  #opened_at_ms = 0;
  #timer = 0;
  #quiet_timer = 0;

  /**
   * @param {object} options
   * @param {() => Promise<string>} options.ticket
   * @param {(frame: ServerFrame) => void} options.on_frame
   * @param {(state: LinkState) => void} options.on_state
   * @param {(error: unknown) => number | "stop"} options.on_no_ticket says after how many ms at least to try again
   */
  constructor({ ticket, on_frame, on_state, on_no_ticket }) {
    this.ticket = ticket;
    this.on_frame = on_frame;
    this.on_state = on_state;
    this.on_no_ticket = on_no_ticket;
    addEventListener("online", () => this.retry_now());
    addEventListener("offline", () => this.#probe());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      if (this.state.phase === "waiting") this.retry_now();
      else this.#probe();
    });
  }

  start() {
    if (this.state.phase === "stopped") void this.#connect();
  }

  stop() {
    this.#connection += 1;
    this.#set({ phase: "stopped" });
    const socket = this.#socket;
    // Closed while it connects, a socket is a complaint in the browser's console.
    if (socket?.readyState === WebSocket.CONNECTING) {
      this.#socket = null;
      socket.addEventListener("open", () => socket.close(1000), { once: true });
    }
    this.#drop();
  }

  retry_now() {
    if (this.state.phase === "waiting") void this.#connect();
  }

  /** Asks for every visible room's changes, now and after each return. */
  watch_rooms() {
    this.#watching = true;
    if (this.state.phase === "open") this.request({ type: "watch_rooms" }).catch(() => {});
  }

  /** @param {Following} following */
  follow(following) {
    this.#following.set(following.room_id, following);
    if (this.state.phase === "open") void this.#catch_up(following);
  }

  /**
   * Subscribes to a followed room once more.
   *
   * @param {number} room_id
   */
  again(room_id) {
    const following = this.#following.get(room_id);
    if (following && this.state.phase === "open") void this.#catch_up(following);
  }

  /**
   * Follows a room no longer, without a word to the server.
   *
   * @param {number} room_id
   */
  forget(room_id) {
    this.#following.delete(room_id);
  }

  /** @param {number} room_id */
  unfollow(room_id) {
    this.#following.delete(room_id);
    if (this.state.phase === "open") this.request({ type: "unsubscribe", room_id }).catch(() => {});
  }

  /**
   * Sends a frame that needs no answer; without a connection it is dropped.
   *
   * @param {object} frame
   */
  send(frame) {
    if (this.state.phase === "open") this.#socket?.send(JSON.stringify(frame));
  }

  /**
   * Sends a frame and waits for its answer.
   *
   * @param {object} frame
   * @returns {Promise<any>}
   */
  request(frame) {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(new SocketError("disconnected", ""));
    const id = this.#next_id++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(id);
        reject(new SocketError("timeout", ""));
      }, ANSWER_MS);
      this.#asked.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ ...frame, id }));
    });
  }

  async #connect() {
    clearTimeout(this.#timer);
    const connection = ++this.#connection;
    this.#set({ phase: "connecting" });
    let ticket;
    try {
      ticket = await this.ticket();
    } catch (error) {
      if (connection !== this.#connection) return;
      const least_ms = this.on_no_ticket(error);
      if (least_ms === "stop") this.stop();
      else this.#wait(least_ms);
      return;
    }
    if (connection !== this.#connection) return;
    const address = new URL("/api/ws", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, ["cloudmeet.v1", `ticket.${ticket}`]);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lost(socket, 0), OPEN_MS);
    socket.addEventListener("message", ({ data }) => this.#received(socket, data));
    socket.addEventListener("close", ({ code }) => this.#lost(socket, code));
  }

  /**
   * @param {WebSocket} socket
   * @param {unknown} data
   */
  #received(socket, data) {
    if (socket !== this.#socket || typeof data !== "string") return;
    this.#listen();
    /** @type {ServerFrame} */
    const frame = JSON.parse(data);
    if (frame.type === "welcome") {
      clearTimeout(this.#timer);
      this.#opened_at_ms = Date.now();
      this.#set({ phase: "open" });
      if (this.#watching) this.watch_rooms();
      for (const following of this.#following.values()) void this.#catch_up(following);
    }
    const asked = typeof frame.id === "number" ? this.#asked.get(frame.id) : undefined;
    if (asked && typeof frame.id === "number") {
      this.#asked.delete(frame.id);
      clearTimeout(asked.timer);
      if (frame.type === "error") asked.reject(new SocketError(frame.code, frame.detail, frame.retry_after ?? null));
      else asked.resolve(frame);
    }
    this.on_frame(frame);
  }

  /**
   * Subscribes until nothing is missing: a truncated answer is one page of several.
   *
   * @param {Following} following
   */
  async #catch_up(following) {
    const socket = this.#socket;
    const current = () => socket === this.#socket && this.#following.get(following.room_id) === following;
    try {
      for (;;) {
        const { room_id } = following;
        const frame = await this.request({ type: "subscribe", room_id, ...following.from() });
        if (!current()) return;
        following.page(frame);
        if (!frame.truncated) break;
      }
      following.caught_up();
    } catch (error) {
      if (!current() || !(error instanceof SocketError)) return;
      // A loss brings the next try by itself; silence is as good as a loss.
      if (error.code === "timeout") this.#lost(/** @type {WebSocket} */ (socket), 0);
      else if (error.code !== "disconnected") following.refused(error);
    }
  }

  /** Starts the wait for the next sign of life anew. */
  #listen() {
    clearTimeout(this.#quiet_timer);
    this.#quiet_timer = setTimeout(() => this.#probe(), QUIET_MS);
  }

  /** Asks whether the other end is there. */
  #probe() {
    const socket = this.#socket;
    if (this.state.phase !== "open" || !socket) return;
    clearTimeout(this.#quiet_timer);
    this.#quiet_timer = setTimeout(() => this.#lost(socket, 0), PONG_MS);
    socket.send(JSON.stringify({ type: "ping" }));
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code 0 when this end gave up
   */
  #lost(socket, code) {
    if (socket !== this.#socket || this.state.phase === "stopped") return;
    if (this.#opened_at_ms > 0 && Date.now() - this.#opened_at_ms > STEADY_MS) this.#attempt = 0;
    this.#opened_at_ms = 0;
    this.#drop();
    // 4429: we were too loud; come back more quietly. All others come back with jitter.
    this.#wait(code === 4429 ? 10_000 : 0);
  }

  #drop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#quiet_timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    for (const { reject, timer } of this.#asked.values()) {
      clearTimeout(timer);
      reject(new SocketError("disconnected", ""));
    }
    this.#asked.clear();
  }

  /** @param {number} least_ms */
  #wait(least_ms) {
    const wait_ms = Math.max(least_ms, delay_ms(this.#attempt++, Math.random));
    this.#set({ phase: "waiting", retry_at_ms: Date.now() + wait_ms });
    this.#timer = setTimeout(() => void this.#connect(), wait_ms);
  }

  /** @param {LinkState} state */
  #set(state) {
    this.state = state;
    this.on_state(state);
  }
}
