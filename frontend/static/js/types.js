/**
 * What crosses the wire, as `api-types` defines it. Members are always present, null when empty.
 *
 * @typedef {"owner" | "moderator" | "participant"} Role
 * @typedef {"online" | "in_call" | "offline"} Status
 *
 * @typedef {object} Account
 * @property {number} id
 * @property {string} email
 * @property {string} display_name
 * @property {boolean} is_active
 * @property {boolean} is_admin
 * @property {string} created_at
 *
 * @typedef {object} Room
 * @property {number} id
 * @property {string} name
 * @property {number} owner_id
 * @property {boolean} is_active
 * @property {string} created_at
 * @property {number} participants_count
 * @property {string | null} description
 * @property {string | null} slug
 * @property {number} last_seq
 * @property {string} last_activity_at
 * @property {number} unread
 * @property {Role | null} my_role null for a stranger
 *
 * @typedef {Room & { participants: Participant[] }} RoomDetail
 *
 * @typedef {object} Participant
 * @property {number} id
 * @property {number} user_id
 * @property {string} user_display_name
 * @property {Status} status
 * @property {boolean} is_owner
 * @property {Role} role
 * @property {number} version rises with every change; an older one is ignored
 *
 * @typedef {object} Message
 * @property {number} id
 * @property {number} room_id
 * @property {number} user_id
 * @property {string} user_display_name
 * @property {boolean} is_owner
 * @property {string} content empty once deleted
 * @property {string} created_at
 * @property {number} seq its place in the room: 1, 2, 3 … without gaps
 * @property {string | null} client_msg_id
 * @property {number | null} reply_to the id of the message that it answers
 * @property {string | null} edited_at
 * @property {string | null} deleted_at
 *
 * @typedef {object} ChangedMessage
 * @property {Message} message
 * @property {number} rev
 *
 * @typedef {object} FieldProblem
 * @property {string} field
 * @property {string} message
 *
 * Frames that the server sends.
 *
 * @typedef {{ type: "welcome", session_id: string, user_id: number, heartbeat_s: number }} Welcome
 * @typedef {{ type: "subscribed", room_id: number, last_seq: number, rev: number, participants: Participant[],
 *   messages: Message[], changed: ChangedMessage[], truncated: boolean }} Subscribed
 * @typedef {{ type: "unsubscribed", room_id: number }} Unsubscribed
 * @typedef {{ type: "sent", client_msg_id: string | null, message: Message }} Sent
 * @typedef {{ type: "message", message: Message }} MessageFrame
 * @typedef {{ type: "message_updated" | "message_deleted", message: Message, rev: number }} MessageChange
 * @typedef {{ type: "presence", room_id: number, participant: Participant }} Presence
 * @typedef {{ type: "typing", room_id: number, user_id: number }} Typing
 * @typedef {{ type: "room", room: Room }} RoomFrame
 * @typedef {{ type: "room_closed", room_id: number }} RoomClosed
 * @typedef {{ type: "removed", room_id: number, reason: string }} Removed
 * @typedef {{ type: "watching_rooms" } | { type: "status_set" } | { type: "pong" }} Plain
 * @typedef {{ type: "error", code: string, detail: string, client_msg_id?: string, retry_after?: number }} ErrorFrame
 * @typedef {(Welcome | Subscribed | Unsubscribed | Sent | MessageFrame | MessageChange | Presence | Typing | RoomFrame
 *   | RoomClosed | Removed | Plain | ErrorFrame) & { id?: number | null }} ServerFrame
 */

export {};
