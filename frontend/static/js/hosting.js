/** What hosts do and hear: who waits, letting in, moderating, ending. What one may, the server says. */

import * as api from "./api.js";
import * as rooms from "./api-rooms.js";
import { chime, prepareChime } from "./chime.js";
import { announce, inSession, reason, toast } from "./page.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Participant} Participant */
/** @typedef {import("../../wire.d.ts").Room} Room */

/** How long before its end a meeting says so. */
const CLOSING_MS = 5 * 60_000;
/** What a room's frame must change for the page to ask anew what one may. */
const SETTINGS = /** @type {const} */ (["owner_id", "visibility", "lobby", "managed_by", "my_role", "opens_at", "closes_at"]);

export class Hosting {
  /** @type {"no" | "once" | "again"} whether something is being asked for, and whether it is stale already */
  #refreshing = "no";

  /** @param {import("./room-state.js").RoomStore} store */
  constructor(store) {
    this.store = store;
  }

  /**
   * Takes in what the server says of the lobby and of what one may.
   *
   * @param {Participant[]} waiting
   * @param {string[]} allowed
   */
  reset(waiting, allowed) {
    const { waiting: before, room, place } = this.store.get();
    const known = new Set(before.map((one) => one.user_id));
    this.store.set({ waiting, allowed: new Set(allowed), closes_soon_at: closesSoon(room, Date.now()) });
    if (place.at !== "call") return;
    if (allowed.includes("see_lobby")) prepareChime();
    for (const one of waiting) if (!known.has(one.user_id)) this.#heard(one);
  }

  /**
   * Somebody waits.
   *
   * @param {Participant} person
   */
  waits(person) {
    const { waiting } = this.store.get();
    if (waiting.some((one) => one.user_id === person.user_id)) return;
    this.store.set({ waiting: [...waiting, person] });
    this.#heard(person);
  }

  /**
   * Somebody waits no longer.
   *
   * @param {Participant} person
   */
  waits_no_more(person) {
    this.#forget(person.user_id);
  }

  /**
   * The room's settings changed.
   *
   * @param {Room} before
   * @param {Room} now
   */
  room_changed(before, now) {
    this.store.set({ closes_soon_at: closesSoon(now, Date.now()) });
    if (SETTINGS.some((key) => before[key] !== now[key])) void this.refresh();
  }

  /**
   * The person's own role changed.
   *
   * @param {Participant} me
   */
  role_changed(me) {
    announce(t(`role.changed.${me.role}`));
    const { room } = this.store.get();
    if (room) this.store.set({ room: { ...room, my_role: me.role } });
    void this.refresh();
  }

  /** Asks anew who waits and what one may. */
  async refresh() {
    const { room } = this.store.get();
    if (!room) return;
    if (this.#refreshing !== "no") {
      // What is on its way may have been true before what just happened.
      this.#refreshing = "again";
      return;
    }
    try {
      do {
        this.#refreshing = "once";
        const { participants, waiting, allowed, ...fresh } = await inSession(() => api.getRoom(room.id));
        this.store.set({ room: fresh });
        this.reset(waiting, allowed);
      } while (/** @type {string} */ (this.#refreshing) === "again");
    } catch (error) {
      // The next subscription says it too.
      if (!(error instanceof api.ApiError)) throw error;
    } finally {
      this.#refreshing = "no";
    }
  }

  /**
   * Does something to somebody, and takes in what they are then.
   *
   * @param {number} user_id
   * @param {rooms.Deed} deed
   */
  async moderate(user_id, deed) {
    const person = await inSession(() => rooms.moderate(this.#room_id(), user_id, deed));
    const { roster, revision } = this.store.get();
    roster.apply(person);
    this.store.set({ revision: revision + 1 });
  }

  /**
   * Lets somebody in, or turns them away.
   *
   * @param {Participant} person
   * @param {"admit" | "deny"} deed
   */
  async answer(person, deed) {
    try {
      await this.moderate(person.user_id, deed);
      this.#forget(person.user_id);
    } catch (error) {
      // Another host was faster, or they went away.
      if (error instanceof api.ApiError && error.code === "not_waiting") this.#forget(person.user_id);
      toast(reason(error), "error");
    }
  }

  async admit_all() {
    try {
      const { admitted, waiting } = await inSession(() => rooms.admitAll(this.#room_id()));
      for (const one of admitted) this.#forget(one.user_id);
      if (waiting > 0) toast(t("lobby.full", { n: waiting }), "error");
    } catch (error) {
      toast(reason(error), "error");
    }
  }

  /** @param {number} user_id the member who owns the room from now on */
  async hand_on(user_id) {
    const room = await inSession(() => rooms.handOn(this.#room_id(), user_id));
    this.store.set({ room });
    await this.refresh();
  }

  async end_meeting() {
    await inSession(() => rooms.endMeeting(this.#room_id()));
  }

  #room_id() {
    return this.store.get().room?.id ?? 0;
  }

  /** @param {number} user_id */
  #forget(user_id) {
    this.store.set({ waiting: this.store.get().waiting.filter((one) => one.user_id !== user_id) });
  }

  /** @param {Participant} person */
  #heard(person) {
    chime();
    announce(t("lobby.announce", { name: person.user_display_name }));
  }
}

/**
 * When a meeting ends, if that is within minutes.
 *
 * @param {Pick<Room, "closes_at"> | null} room
 * @param {number} now_ms
 */
export function closesSoon(room, now_ms) {
  const closes_at = room?.closes_at ?? null;
  return closes_at !== null && Date.parse(closes_at) - now_ms <= CLOSING_MS ? closes_at : null;
}
