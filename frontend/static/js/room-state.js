/** The state of the room page. */

import { MessageLog } from "./message-log.js";
import { Roster } from "./roster.js";
import { createStore } from "./store.js";

/** @typedef {import("../../wire.d.ts").Account} Account */
/** @typedef {import("../../wire.d.ts").Room} Room */
/** @typedef {import("../../wire.d.ts").Participant} Participant */
/** @typedef {import("../../wire.d.ts").Message} Message */

/**
 * What stands on the page.
 *
 * @typedef {{ at: "loading" } | { at: "unreachable", retry_at_ms: number } | { at: "prejoin", joining: boolean,
 *   refusal: import("./door.js").Refusal | null } | { at: "waiting", position: number } | { at: "call" }
 *   | { at: "ended", why: EndReason }} Place
 * @typedef {"left" | "gone" | "elsewhere" | "closed" | "over" | "missing" | "out" | "kicked" | "banned" | "denied"
 *   | "ended"} EndReason
 */

/**
 * @typedef {object} RoomState
 * @property {Place} place
 * @property {Account | null} me
 * @property {Room | null} room
 * @property {Participant[]} visitors who is inside, as the pre-join page shows them
 * @property {ReadonlySet<string>} allowed what this person may do now, in the server's words
 * @property {Participant[]} waiting who waits in the lobby, first come first; only hosts know
 * @property {string | null} closes_soon_at the meeting ends at this time, within minutes
 * @property {import("./chat-search.js").Search | null} search the search in the chat, while it is open
 * @property {number | null} found_seq the message to show and to point at
 * @property {import("./socket.js").LinkState} link
 * @property {boolean} was_open whether the link has ever been open
 * @property {boolean} caught_up whether nothing of the room is missing here
 * @property {"chat" | "people" | null} panel
 * @property {MessageLog} log
 * @property {Roster} roster
 * @property {number} revision rises when log or roster change
 * @property {number} read_seq everything up to here has been seen
 * @property {number | null} unread_after where the unread line stands
 * @property {boolean} at_bottom whether the end of the chat is in view
 * @property {"idle" | "loading" | "failed"} older
 * @property {ReadonlyMap<number, number>} typing who types, and until when that is believed (ms)
 * @property {string} draft
 * @property {Message | null} replying
 * @property {Message | null} editing
 * @property {number | null} deleting the message about to be deleted
 */

/** @typedef {import("./store.js").Store<RoomState>} RoomStore */

/** @returns {RoomStore} */
export function createRoomStore() {
  return createStore(
    /** @type {RoomState} */ ({
      place: { at: "loading" },
      me: null,
      room: null,
      visitors: [],
      allowed: new Set(),
      waiting: [],
      closes_soon_at: null,
      search: null,
      found_seq: null,
      link: { phase: "stopped" },
      was_open: false,
      caught_up: false,
      panel: null,
      log: new MessageLog(),
      roster: new Roster(),
      revision: 0,
      read_seq: 0,
      unread_after: null,
      at_bottom: true,
      older: "idle",
      typing: new Map(),
      draft: "",
      replying: null,
      editing: null,
      deleting: null,
    }),
  );
}

/**
 * Says whether somebody reads a room's settings: who changes them, and who would if it were not managed elsewhere.
 *
 * @param {Readonly<Pick<RoomState, "room" | "allowed">>} state
 */
export function readsSettings({ room, allowed }) {
  // Whoever may end the meeting may change the room, where that is done here.
  return allowed.has("change_room") || (allowed.has("end_meeting") && (room?.managed_by ?? null) !== null);
}

/**
 * How many messages of others have not been seen.
 *
 * @param {Readonly<RoomState>} state
 */
export function unread(state) {
  const { log, read_seq, me } = state;
  let count = 0;
  for (let at = log.messages.length - 1; at >= 0; at -= 1) {
    const message = log.messages[at];
    if (!message || message.seq <= read_seq) return count;
    if (message.user_id !== me?.id && message.deleted_at === null) count += 1;
  }
  // Older unread messages are not loaded yet.
  return count + Math.max(0, (log.first_seq ?? read_seq + 1) - read_seq - 1);
}

/**
 * Whether the connection is lost, rather than not made yet.
 *
 * @param {Readonly<RoomState>} state
 */
export function linkLost({ link, was_open, place }) {
  return link.phase === "waiting" || (link.phase === "connecting" && (was_open || place.at === "call"));
}
