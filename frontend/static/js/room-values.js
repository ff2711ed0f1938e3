/** Turns a room's settings into what a form holds, and back into what the server is asked for. */

/** @typedef {import("../../wire.d.ts").Room} Room */
/** @typedef {import("../../wire.d.ts").CreateRoom} CreateRoom */
/** @typedef {import("../../wire.d.ts").UpdateRoom} UpdateRoom */
/** @typedef {import("../../wire.d.ts").Visibility} Visibility */

/**
 * Settings as a form holds them: texts as they are typed, times as `datetime-local` has them.
 *
 * @typedef {object} RoomValues
 * @property {string} name
 * @property {string} description
 * @property {Visibility} visibility
 * @property {string} password
 * @property {string} capacity
 * @property {boolean} lobby
 * @property {string} slug
 * @property {string} opens
 * @property {string} closes
 */

/** @type {Readonly<RoomValues>} */
export const NEW_ROOM = {
  name: "",
  description: "",
  visibility: "public",
  password: "",
  capacity: "50",
  lobby: false,
  slug: "",
  opens: "",
  closes: "",
};

/**
 * @param {Room} room
 * @returns {RoomValues}
 */
export function valuesOf(room) {
  return {
    name: room.name,
    description: room.description ?? "",
    visibility: room.visibility,
    password: "",
    capacity: String(room.capacity),
    lobby: room.lobby,
    slug: room.slug ?? "",
    opens: toLocal(room.opens_at),
    closes: toLocal(room.closes_at),
  };
}

/**
 * @param {RoomValues} values
 * @returns {CreateRoom} without what is as it would be anyway
 */
export function createBody(values) {
  return /** @type {CreateRoom} */ ({ name: values.name.trim(), ...differences(NEW_ROOM, values) });
}

/**
 * @param {Room} room
 * @param {RoomValues} values
 * @returns {UpdateRoom} what changed, and nothing else
 */
export function patchBody(room, values) {
  return differences(valuesOf(room), values);
}

/**
 * @param {Readonly<RoomValues>} before
 * @param {RoomValues} after
 * @returns {UpdateRoom}
 */
function differences(before, after) {
  /** @type {UpdateRoom} */
  const changes = {};
  const name = after.name.trim();
  if (name !== before.name) changes.name = name;
  if (after.description.trim() !== before.description) changes.description = after.description.trim() || null;
  if (after.visibility !== before.visibility) changes.visibility = after.visibility;
  if (after.visibility === "password" && after.password !== "") changes.password = after.password;
  if (after.capacity.trim() !== before.capacity && after.capacity.trim() !== "") changes.capacity = Number(after.capacity);
  if (after.lobby !== before.lobby) changes.lobby = after.lobby;
  if (after.slug.trim() !== before.slug) changes.slug = after.slug.trim() || null;
  if (after.opens !== before.opens) changes.opens_at = fromLocal(after.opens);
  if (after.closes !== before.closes) changes.closes_at = fromLocal(after.closes);
  return changes;
}

/**
 * Whether a room with these settings would need a password that the form does not hold.
 *
 * @param {Pick<Room, "visibility"> | null} room null for a new one
 * @param {RoomValues} values
 */
export function lacksPassword(room, values) {
  return values.visibility === "password" && values.password === "" && room?.visibility !== "password";
}

/**
 * @param {string | null} at RFC 3339
 * @returns {string} as `datetime-local` has it, in this computer's time zone; empty for null
 */
export function toLocal(at) {
  if (at === null) return "";
  const date = new Date(at);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * @param {string} value as `datetime-local` has it
 * @returns {string | null} RFC 3339; null for nothing
 */
export function fromLocal(value) {
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
