/** Asks the server for what a room's rules allow: letting in, moderating, settings, records. */

import { request } from "./api.js";

/** @typedef {import("../../wire.d.ts").Room} Room */
/** @typedef {import("../../wire.d.ts").Participant} Participant */
/** @typedef {import("../../wire.d.ts").Message} Message */
/** @typedef {"admit" | "deny" | "mute" | "kick" | "ban" | "promote" | "demote"} Deed */

/**
 * @param {number} room_id
 * @param {import("../../wire.d.ts").UpdateRoom} changes absent members stay
 * @returns {Promise<Room>}
 */
export const changeRoom = (room_id, changes) => request(`/api/rooms/${room_id}`, { method: "PATCH", body: changes });

/**
 * Asks the server's rules whether one may do something.
 *
 * @param {number} room_id
 * @param {string} action
 * @returns {Promise<import("../../wire.d.ts").Permission>}
 */
export const canI = (room_id, action) => request(`/api/rooms/${room_id}/can-i?action=${action}`);

/**
 * Ends one's membership, or stops waiting.
 *
 * @param {number} room_id
 */
export const leaveRoom = (room_id) => request(`/api/rooms/${room_id}/leave`, { method: "POST", body: {} });

/**
 * Does something to somebody in a room.
 *
 * @param {number} room_id
 * @param {number} user_id
 * @param {Deed} deed
 * @returns {Promise<Participant>} the person as they are now
 */
export const moderate = (room_id, user_id, deed) =>
  request(`/api/rooms/${room_id}/participants/${user_id}/${deed}`, { method: "POST", body: {} });

/**
 * @param {number} room_id
 * @param {number} user_id
 * @returns {Promise<Participant>}
 */
export const liftBan = (room_id, user_id) =>
  request(`/api/rooms/${room_id}/participants/${user_id}/ban`, { method: "DELETE" });

/**
 * @param {number} room_id
 * @returns {Promise<import("../../wire.d.ts").AllAdmitted>}
 */
export const admitAll = (room_id) => request(`/api/rooms/${room_id}/admit-all`, { method: "POST", body: {} });

/**
 * @param {number} room_id
 * @param {"banned" | "members"} which
 * @returns {Promise<Participant[]>}
 */
export const listPeople = (room_id, which) => request(`/api/rooms/${room_id}/participants?${which}=true`);

/**
 * Ends the meeting for everybody; the room stays.
 *
 * @param {number} room_id
 * @returns {Promise<Room>}
 */
export const endMeeting = (room_id) => request(`/api/rooms/${room_id}/end`, { method: "POST", body: {} });

/**
 * @param {number} room_id
 * @param {number} user_id the member who owns it from now on
 * @returns {Promise<Room>}
 */
export const handOn = (room_id, user_id) => request(`/api/rooms/${room_id}/owner`, { method: "POST", body: { user_id } });

/**
 * @param {number} room_id
 * @returns {Promise<import("../../wire.d.ts").LinkCode>}
 */
export const linkCode = (room_id) => request(`/api/rooms/${room_id}/link-code`);

/**
 * Gives a private room a new link code: the old one lets nobody in any more.
 *
 * @param {number} room_id
 * @returns {Promise<import("../../wire.d.ts").LinkCode>}
 */
export const renewLinkCode = (room_id) => request(`/api/rooms/${room_id}/link-code`, { method: "POST", body: {} });

/**
 * @param {number} room_id
 * @param {string} query
 * @param {{ limit: number, before_seq?: number }} page
 * @returns {Promise<{ messages: Message[], total: number }>} the newest that hold it, ascending
 */
export function searchMessages(room_id, query, { limit, before_seq }) {
  const search = new URLSearchParams({ query, limit: String(limit) });
  if (before_seq !== undefined) search.set("before_seq", String(before_seq));
  return request(`/api/rooms/${room_id}/messages?${search}`);
}

/**
 * @param {number} room_id
 * @param {"json" | "txt" | "html"} format
 * @returns {Promise<Blob>}
 */
export const exportHistory = (room_id, format) =>
  request(`/api/rooms/${room_id}/export?format=${format}`, { answer: "file" });

/**
 * @param {number} room_id
 * @param {{ limit: number, before_id?: number }} page
 * @returns {Promise<import("../../wire.d.ts").Deed[]>} newest first
 */
export function listDeeds(room_id, { limit, before_id }) {
  const search = new URLSearchParams({ limit: String(limit) });
  if (before_id !== undefined) search.set("before_id", String(before_id));
  return request(`/api/rooms/${room_id}/audit?${search}`);
}
