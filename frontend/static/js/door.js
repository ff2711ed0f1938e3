/** Decides what stands between a person and a room, as the page before joining shows it. */

/** @typedef {import("../../wire.d.ts").Room} Room */

/**
 * Why the server did not let somebody in.
 *
 * @typedef {object} Refusal
 * @property {string} code the server's word; empty when there was no answer
 * @property {string} detail for a person
 * @property {string | null} opens_at RFC 3339
 * @property {number | null} retry_at_ms asking again before this is useless
 */

/**
 * @typedef {object} Door
 * @property {boolean} shut whether asking is useless for now
 * @property {boolean} asks_password
 * @property {boolean} asks_host whether a host lets people in
 * @property {"not_open" | "rate_limited" | "room_full" | "wrong_password" | "other" | null} why what to say about it
 * @property {string | null} opens_at
 * @property {number | null} opens_by_itself_at_ms when to look again
 */

/**
 * @param {Pick<Room, "visibility" | "lobby" | "opens_at" | "my_role">} room
 * @param {Refusal | null} refusal the last one, if any
 * @param {number} now_ms
 * @returns {Door}
 */
export function door(room, refusal, now_ms) {
  const stranger = room.my_role === null;
  const code = refusal?.code ?? "";
  const asks_password =
    (room.visibility === "password" && stranger) || code === "password_required" || code === "wrong_password";
  const open = {
    shut: false,
    asks_password,
    asks_host: room.lobby && stranger,
    why: null,
    opens_at: null,
    opens_by_itself_at_ms: null,
  };
  const retry_at_ms = refusal?.retry_at_ms ?? null;
  const held = retry_at_ms !== null && retry_at_ms > now_ms;
  const opens_at = code === "not_open" ? (refusal?.opens_at ?? room.opens_at) : room.opens_at;
  const opens_at_ms = opens_at === null || room.my_role === "owner" ? 0 : Date.parse(opens_at);
  // This clock may be ahead of the server's, which has the last word.
  const later_ms = code === "not_open" && held ? Math.max(opens_at_ms, retry_at_ms) : opens_at_ms;
  if (later_ms > now_ms) return { ...open, shut: true, why: "not_open", opens_at, opens_by_itself_at_ms: later_ms };
  if (refusal === null || code === "not_open" || code === "password_required") return open;
  if (held) return { ...open, shut: true, why: "rate_limited", opens_by_itself_at_ms: retry_at_ms };
  if (code === "rate_limited") return open;
  return { ...open, why: code === "room_full" || code === "wrong_password" ? code : "other" };
}
