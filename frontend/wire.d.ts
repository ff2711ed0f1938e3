// Made from api-server/openapi.json by `make generate`: not to be changed by hand.

/**
 * Names the places of a refresh token beside the cookie.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RefreshIn".
 */
export type RefreshIn = "body";
/**
 * Is what a person is to a room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Role".
 */
export type Role = "owner" | "moderator" | "participant";
/**
 * Says where a person is, seen from one room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Status".
 */
export type Status = "online" | "in_call" | "offline";
/**
 * Says who may see and enter a room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Visibility".
 */
export type Visibility = "public" | "private" | "password";
/**
 * Is a frame as it comes: with the `id` of the request that it answers, if it answers one.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Answer".
 */
export type Answer = {
  /**
   * The request's `id`, as it came; null in an error whose request has none.
   */
  id?: null | boolean | number | string | unknown[] | {};
} & (
  | {
      /**
       * The server pings this often, in seconds.
       */
      heartbeat_s: number;
      /**
       * The session that the socket lives with.
       */
      session_id: string;
      type: "welcome";
      /**
       * Whose it is.
       */
      user_id: number;
    }
  | (Subscribed & {
      type: "subscribed";
    })
  | {
      /**
       * The room.
       */
      room_id: number;
      type: "unsubscribed";
    }
  | {
      type: "watching_rooms";
    }
  | {
      /**
       * The sender's own name for it.
       */
      client_msg_id: string | null;
      /**
       * The message as it is stored.
       */
      message: Message;
      type: "sent";
    }
  | {
      /**
       * The room.
       */
      room_id: number;
      /**
       * Where the person is now.
       */
      status: Status;
      type: "status_set";
    }
  | {
      /**
       * The message.
       */
      message: Message;
      type: "message";
    }
  | (ChangedMessage & {
      type: "message_updated";
    })
  | (ChangedMessage & {
      type: "message_deleted";
    })
  | {
      /**
       * The person.
       */
      participant: Participant;
      /**
       * The room.
       */
      room_id: number;
      type: "presence";
    }
  | {
      /**
       * The room.
       */
      room_id: number;
      type: "typing";
      /**
       * Who.
       */
      user_id: number;
    }
  | {
      /**
       * The room as the receiving person sees it.
       */
      room: Room;
      type: "room";
    }
  | {
      /**
       * The room.
       */
      room_id: number;
      type: "room_closed";
    }
  | {
      /**
       * Why.
       */
      reason: RemovedReason;
      /**
       * The room.
       */
      room_id: number;
      type: "removed";
    }
  | {
      type: "pong";
    }
  | (ErrorFrame & {
      type: "error";
    })
);
/**
 * Says why a socket no longer follows a room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RemovedReason".
 */
export type RemovedReason = "elsewhere";
/**
 * Is what a client sends.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ClientFrame".
 */
export type ClientFrame =
  | (Subscribe & {
      type: "subscribe";
    })
  | {
      /**
       * The room.
       */
      room_id: number;
      type: "unsubscribe";
    }
  | {
      type: "watch_rooms";
    }
  | (SendFrame & {
      type: "send";
    })
  | {
      /**
       * The room.
       */
      room_id: number;
      /**
       * Where the person is now.
       */
      status: Status;
      type: "status";
    }
  | {
      /**
       * The room.
       */
      room_id: number;
      type: "typing";
    }
  | {
      type: "ping";
    };

export interface Wire {}
/**
 * Is an account as its holder sees it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Account".
 */
export interface Account {
  /**
   * When it was made.
   */
  created_at: string;
  /**
   * The name others see.
   */
  display_name: string;
  /**
   * Its normalised address.
   */
  email: string;
  /**
   * Its id.
   */
  id: number;
  /**
   * Whether it may sign in.
   */
  is_active: boolean;
  /**
   * Whether it administers this installation.
   */
  is_admin: boolean;
}
/**
 * Says what is wrong with one field.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "FieldProblem".
 */
export interface FieldProblem {
  /**
   * The field's name, dotted when it lies deeper.
   */
  field: string;
  /**
   * What is wrong, for a person.
   */
  message: string;
}
/**
 * Is a public Ed25519 key (RFC 8037).
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Jwk".
 */
export interface Jwk {
  /**
   * Always `EdDSA`.
   */
  alg: string;
  /**
   * Always `Ed25519`.
   */
  crv: string;
  /**
   * Names the key in a token's header.
   */
  kid: string;
  /**
   * Always `OKP`.
   */
  kty: string;
  /**
   * Always `sig`.
   */
  use: string;
  /**
   * The public key, unpadded base64url.
   */
  x: string;
}
/**
 * Is a set of public keys (RFC 7517).
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Jwks".
 */
export interface Jwks {
  /**
   * The keys; none with a shared secret.
   */
  keys: Jwk[];
}
/**
 * Asks for a session.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Login".
 */
export interface Login {
  /**
   * The account's address.
   */
  email: string;
  /**
   * The account's password.
   */
  password: string;
}
/**
 * Says where the refresh token goes.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LoginQuery".
 */
export interface LoginQuery {
  /**
   * `body`: into the answer too, for clients without a cookie jar.
   */
  refresh?: RefreshIn | null;
}
/**
 * Is the body of every error: `application/problem+json`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ProblemBody".
 */
export interface ProblemBody {
  /**
   * What is wrong, for a program; never changes.
   */
  code: string;
  /**
   * What is wrong, for a person, in the language that the request asked for.
   */
  detail: string;
  /**
   * What is wrong with single fields; only with status 422.
   */
  errors?: FieldProblem[];
  /**
   * The HTTP status.
   */
  status: number;
  /**
   * The HTTP status in words.
   */
  title: string;
  /**
   * A URI reference that names the kind of problem.
   */
  type: string;
}
/**
 * Asks for the next access token, when the refresh token does not come as a cookie.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Refresh".
 */
export interface Refresh {
  /**
   * The newest refresh token of the session.
   */
  refresh_token?: string | null;
}
/**
 * Asks for an account.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Register".
 */
export interface Register {
  /**
   * 2–100 characters.
   */
  display_name: string;
  /**
   * At most 254 characters, unique without regard to case.
   */
  email: string;
  /**
   * 8–128 characters, none of the most common, not the e-mail.
   */
  password: string;
  /**
   * The code of the setup link, which makes an administrator.
   */
  setup_code?: string | null;
}
/**
 * Is what a login or a refresh yields.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Tokens".
 */
export interface Tokens {
  /**
   * The bearer token of the next requests.
   */
  access_token: string;
  /**
   * The access token's life in seconds.
   */
  expires_in: number;
  /**
   * The refresh token, only when asked for in the body.
   */
  refresh_token?: string | null;
  /**
   * Always `bearer`.
   */
  token_type: string;
}
/**
 * Changes one's own account; absent members stay.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "UpdateMe".
 */
export interface UpdateMe {
  /**
   * The present password.
   */
  current_password?: string | null;
  /**
   * 2–100 characters.
   */
  display_name?: string | null;
  /**
   * The new password; needs `current_password` and ends all other sessions.
   */
  password?: string | null;
}
/**
 * Says whose a valid token is.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Validation".
 */
export interface Validation {
  /**
   * Its name.
   */
  display_name: string;
  /**
   * Its address.
   */
  email: string;
  /**
   * The account.
   */
  user_id: number;
  /**
   * Always true: an invalid token is a 401.
   */
  valid: boolean;
}
/**
 * Asks for a new room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CreateRoom".
 */
export interface CreateRoom {
  /**
   * At most 2,000 characters.
   */
  description?: string | null;
  /**
   * 1–255 characters after trimming.
   */
  name: string;
}
/**
 * Changes a message's text.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "EditMessage".
 */
export interface EditMessage {
  /**
   * 1–2,000 characters, not blank.
   */
  content: string;
}
/**
 * Answers a join.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Joined".
 */
export interface Joined {
  /**
   * For a person to read.
   */
  message: string;
  /**
   * The person's row in this room.
   */
  participant_id: number;
  /**
   * The room.
   */
  room_id: number;
}
/**
 * Answers a leave.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Left".
 */
export interface Left {
  /**
   * For a person to read.
   */
  message: string;
}
/**
 * Says which messages to read.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ListMessages".
 */
export interface ListMessages {
  /**
   * Those right after this number.
   */
  after_seq?: number | null;
  /**
   * Those right before this number.
   */
  before_seq?: number | null;
  /**
   * How many at most; 1–200 (50).
   */
  limit?: number | null;
  /**
   * How many of the newest to leave out.
   */
  skip?: number | null;
}
/**
 * Says which rooms to list.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ListRooms".
 */
export interface ListRooms {
  /**
   * How many to list; 1–100.
   */
  limit?: number;
  /**
   * Leave out closed rooms.
   */
  only_active?: boolean;
  /**
   * Only rooms whose name or description holds this, without regard to case; at most 255 characters.
   */
  query?: string | null;
  /**
   * How many of the newest to leave out; at least 0.
   */
  skip?: number;
}
/**
 * Marks a history as read.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "MarkRead".
 */
export interface MarkRead {
  /**
   * The number of the newest message that was read.
   */
  seq: number;
}
/**
 * Is a message.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Message".
 */
export interface Message {
  /**
   * The sender's own name for it.
   */
  client_msg_id: string | null;
  /**
   * What was said; empty once deleted.
   */
  content: string;
  /**
   * When it was stored.
   */
  created_at: string;
  /**
   * When it was deleted.
   */
  deleted_at: string | null;
  /**
   * When it was last edited.
   */
  edited_at: string | null;
  /**
   * Its id.
   */
  id: number;
  /**
   * Whether its author owns the room.
   */
  is_owner: boolean;
  /**
   * The message that it answers.
   */
  reply_to: number | null;
  /**
   * Where it was said.
   */
  room_id: number;
  /**
   * Its place in the room: 1, 2, 3 … without gaps.
   */
  seq: number;
  /**
   * The author's name.
   */
  user_display_name: string;
  /**
   * Who said it.
   */
  user_id: number;
}
/**
 * Is a page of a history.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "MessagePage".
 */
export interface MessagePage {
  /**
   * Ascending by `seq`.
   */
  messages: Message[];
  /**
   * How many there are in all: the newest message's `seq`.
   */
  total: number;
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "MessageSegments".
 */
export interface MessageSegments {
  /**
   * The room's id.
   */
  id: string;
  /**
   * The message's id.
   */
  message_id: string;
}
/**
 * Is a body whose members this release does not know.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Nothing".
 */
export interface Nothing {}
/**
 * Is a person in a room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Participant".
 */
export interface Participant {
  /**
   * Whether the microphone is on.
   */
  audio: boolean;
  /**
   * Whether a hand is raised.
   */
  hand: boolean;
  /**
   * The person's row in this room, the same for good.
   */
  id: number;
  /**
   * Whether the person owns the room.
   */
  is_owner: boolean;
  /**
   * When the present (or last) presence began.
   */
  join_time: string;
  /**
   * When it ended; null while it lasts.
   */
  leave_time: string | null;
  /**
   * Whether a moderator muted the person.
   */
  muted_by_host: boolean;
  /**
   * What the person is to the room.
   */
  role: Role;
  /**
   * Whether a screen is shared.
   */
  screen: boolean;
  /**
   * Where the person is.
   */
  status: Status;
  /**
   * The name others see.
   */
  user_display_name: string;
  /**
   * The person.
   */
  user_id: number;
  /**
   * Rises with every change of this person in this room; an older one is to be ignored.
   */
  version: number;
  /**
   * Whether the camera is on.
   */
  video: boolean;
}
/**
 * Is a room as the asking person sees it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Room".
 */
export interface Room {
  /**
   * How many people it takes.
   */
  capacity: number;
  /**
   * At this it ends.
   */
  closes_at: string | null;
  /**
   * When it was made.
   */
  created_at: string;
  /**
   * What it is for.
   */
  description: string | null;
  /**
   * Its id.
   */
  id: number;
  /**
   * Whether it is open; a deleted room stays readable for its members.
   */
  is_active: boolean;
  /**
   * When something last happened in it.
   */
  last_activity_at: string;
  /**
   * The number of its newest message; 0 without any.
   */
  last_seq: number;
  /**
   * Whether people wait until they are admitted.
   */
  lobby: boolean;
  /**
   * The controller that keeps it.
   */
  managed_by: string | null;
  /**
   * What the asking person is to it; null for a stranger.
   */
  my_role: Role | null;
  /**
   * Its name.
   */
  name: string;
  /**
   * Before this nobody but its owner enters.
   */
  opens_at: string | null;
  /**
   * Whose it is.
   */
  owner_id: number;
  /**
   * How many people are not offline.
   */
  participants_count: number;
  /**
   * Its name in links.
   */
  slug: string | null;
  /**
   * How many messages the asking person has not read; 0 for a stranger.
   */
  unread: number;
  /**
   * Who may see and enter it.
   */
  visibility: Visibility;
}
/**
 * Is a room with the people who are there.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RoomDetail".
 */
export interface RoomDetail {
  /**
   * How many people it takes.
   */
  capacity: number;
  /**
   * At this it ends.
   */
  closes_at: string | null;
  /**
   * When it was made.
   */
  created_at: string;
  /**
   * What it is for.
   */
  description: string | null;
  /**
   * Its id.
   */
  id: number;
  /**
   * Whether it is open; a deleted room stays readable for its members.
   */
  is_active: boolean;
  /**
   * When something last happened in it.
   */
  last_activity_at: string;
  /**
   * The number of its newest message; 0 without any.
   */
  last_seq: number;
  /**
   * Whether people wait until they are admitted.
   */
  lobby: boolean;
  /**
   * The controller that keeps it.
   */
  managed_by: string | null;
  /**
   * What the asking person is to it; null for a stranger.
   */
  my_role: Role | null;
  /**
   * Its name.
   */
  name: string;
  /**
   * Before this nobody but its owner enters.
   */
  opens_at: string | null;
  /**
   * Whose it is.
   */
  owner_id: number;
  /**
   * Everybody who is not offline.
   */
  participants: Participant[];
  /**
   * How many people are not offline.
   */
  participants_count: number;
  /**
   * Its name in links.
   */
  slug: string | null;
  /**
   * How many messages the asking person has not read; 0 for a stranger.
   */
  unread: number;
  /**
   * Who may see and enter it.
   */
  visibility: Visibility;
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RoomSegments".
 */
export interface RoomSegments {
  /**
   * The room's id.
   */
  id: string;
}
/**
 * Asks to store a message.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SendMessage".
 */
export interface SendMessage {
  /**
   * The sender's own name for it: the same one again stores nothing.
   */
  client_msg_id?: string | null;
  /**
   * 1–2,000 characters, not blank.
   */
  content: string;
  /**
   * The id of the message of this room that it answers.
   */
  reply_to?: number | null;
}
/**
 * Is a ticket that opens one WebSocket.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Ticket".
 */
export interface Ticket {
  /**
   * Its life in seconds.
   */
  expires_in: number;
  /**
   * Single use, on any server; unpadded base64url.
   */
  ticket: string;
}
/**
 * Changes a room; absent members stay.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "UpdateRoom".
 */
export interface UpdateRoom {
  /**
   * At most 2,000 characters; null or blank removes it.
   */
  description?: string | null;
  /**
   * 1–255 characters after trimming.
   */
  name?: string | null;
}
/**
 * Is a room from a place in its history on.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Subscribed".
 */
export interface Subscribed {
  /**
   * Edits and deletions after `after_rev`, ascending by `rev`.
   */
  changed: ChangedMessage[];
  /**
   * The number of the room's newest message.
   */
  last_seq: number;
  /**
   * Ascending by `seq`.
   */
  messages: Message[];
  /**
   * Everybody who is not offline.
   */
  participants: Participant[];
  /**
   * Where to go on with edits and deletions.
   */
  rev: number;
  /**
   * The room.
   */
  room_id: number;
  /**
   * More waits: subscribe again from the last number received.
   */
  truncated: boolean;
}
/**
 * Is an edit or a deletion: the message as it is now, and the room's count of such changes.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ChangedMessage".
 */
export interface ChangedMessage {
  /**
   * The message as it is now.
   */
  message: Message;
  /**
   * The room's `rev` of this change.
   */
  rev: number;
}
/**
 * Says why a frame was not obeyed.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ErrorFrame".
 */
export interface ErrorFrame {
  /**
   * The message that was not stored.
   */
  client_msg_id?: string | null;
  /**
   * For a program; never changes.
   */
  code: string;
  /**
   * For a person.
   */
  detail: string;
  /**
   * What is wrong with single fields.
   */
  errors: FieldProblem[];
  /**
   * Seconds after which to try again.
   */
  retry_after?: number | null;
}
/**
 * Follows a room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Subscribe".
 */
export interface Subscribe {
  /**
   * The newest edit or deletion that the client has seen.
   */
  after_rev?: number | null;
  /**
   * The newest message that the client has; without it the newest 50 come.
   */
  after_seq?: number | null;
  /**
   * The room.
   */
  room_id: number;
  /**
   * Where the person is now; without it nothing changes, or `online` if they were away.
   */
  status?: Status | null;
}
/**
 * Stores a message.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SendFrame".
 */
export interface SendFrame {
  /**
   * The sender's own name for it: the same one again stores nothing.
   */
  client_msg_id?: string | null;
  /**
   * 1–2,000 characters, not blank.
   */
  content: string;
  /**
   * The id of the message of this room that it answers.
   */
  reply_to?: number | null;
  /**
   * The room.
   */
  room_id: number;
}
/**
 * Says that the server lives.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Healthy".
 */
export interface Healthy {
  /**
   * Which of the services it is.
   */
  service: string;
  /**
   * Always `healthy`.
   */
  status: string;
}
/**
 * Says that the server lives.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Live".
 */
export interface Live {
  /**
   * Always `live`.
   */
  status: string;
}
/**
 * Says that the server can serve.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Ready".
 */
export interface Ready {
  /**
   * Whether Redis carries hints between servers: `up`, or `away`, while which everything works, with
   * other servers' changes a second or two later. Null where none is configured.
   */
  redis?: string | null;
  /**
   * Always `ready`.
   */
  status: string;
}
