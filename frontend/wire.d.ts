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
 * Says in which form to take a history along.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ExportFormat".
 */
export type ExportFormat = "json" | "txt" | "html";
/**
 * Says what became of a room that was described.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Kept".
 */
export type Kept = "created" | "adopted" | "updated" | "unchanged";
/**
 * Says whether something answers.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Reach".
 */
export type Reach = "up" | "away";
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
      type: "room_hidden";
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
       * Who.
       */
      participant: Participant;
      /**
       * The room.
       */
      room_id: number;
      type: "lobby";
      /**
       * Whether they wait.
       */
      waiting: boolean;
    }
  | {
      /**
       * The room.
       */
      room_id: number;
      type: "admitted";
    }
  | {
      /**
       * When.
       */
      closes_at: string;
      /**
       * The room.
       */
      room_id: number;
      type: "closing";
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
export type RemovedReason = "kicked" | "banned" | "denied" | "ended" | "elsewhere";
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
 * Is a key for a program, without its secret.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ApiKey".
 */
export interface ApiKey {
  /**
   * When it was made.
   */
  created_at: string;
  /**
   * Who made it.
   */
  created_by: number | null;
  /**
   * Until when it is good; null: until it is revoked.
   */
  expires_at: string | null;
  /**
   * Its id.
   */
  id: number;
  /**
   * When it was last used, to the minute.
   */
  last_used_at: string | null;
  /**
   * The name under which people know it.
   */
  name: string;
  /**
   * What it may be used for.
   */
  scopes: string[];
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ApiKeySegments".
 */
export interface ApiKeySegments {
  /**
   * The key's id.
   */
  id: string;
}
/**
 * Asks for a key for a program.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CreateApiKey".
 */
export interface CreateApiKey {
  /**
   * Until when it is good; without it, until it is revoked.
   */
  expires_at?: string | null;
  /**
   * 1–100 characters.
   */
  name: string;
  /**
   * What it may be used for; at least one: `rooms:manage`.
   */
  scopes: string[];
}
/**
 * Asks for an account for somebody else.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CreateUser".
 */
export interface CreateUser {
  /**
   * 2–100 characters.
   */
  display_name: string;
  /**
   * At most 254 characters, unique without regard to case.
   */
  email: string;
  /**
   * Whether it administers this installation (false).
   */
  is_admin?: boolean;
  /**
   * 8–128 characters, none of the most common, not the e-mail. Without one nobody can sign in until a password
   * was set by a reset link.
   */
  password?: string | null;
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
 * Says which accounts to list.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ListUsers".
 */
export interface ListUsers {
  /**
   * The whole address of the one account that is wanted, without regard to case; nothing else is looked at.
   */
  email?: string | null;
  /**
   * How many at most; 1–100 (20).
   */
  limit?: number | null;
  /**
   * What address or name must hold, without regard to case.
   */
  query?: string | null;
  /**
   * How many to leave out (0).
   */
  skip?: number | null;
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
 * Is a key that was just made: its secret is shown once.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "NewApiKey".
 */
export interface NewApiKey {
  /**
   * When it was made.
   */
  created_at: string;
  /**
   * Who made it.
   */
  created_by: number | null;
  /**
   * Until when it is good; null: until it is revoked.
   */
  expires_at: string | null;
  /**
   * Its id.
   */
  id: number;
  /**
   * The secret, for `Authorization: Bearer`.
   */
  key: string;
  /**
   * When it was last used, to the minute.
   */
  last_used_at: string | null;
  /**
   * The name under which people know it.
   */
  name: string;
  /**
   * What it may be used for.
   */
  scopes: string[];
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
   * Who manages the room; only with the codes `managed_elsewhere` and `adoption_conflict`.
   */
  managed_by?: string | null;
  /**
   * When the room opens; only with the code `not_open`.
   */
  opens_at?: string | null;
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
 * Is a link by which somebody sets a new password, once.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ResetLink".
 */
export interface ResetLink {
  /**
   * The code, for `POST /api/auth/reset`.
   */
  code: string;
  /**
   * Until when it is good.
   */
  expires_at: string;
  /**
   * The link that holds it; without the server's name where that is not known.
   */
  url: string;
}
/**
 * Sets a new password by a code.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ResetPassword".
 */
export interface ResetPassword {
  /**
   * The code, as the link has it.
   */
  code: string;
  /**
   * The new password.
   */
  password: string;
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
 * Changes somebody's account; absent members stay.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "UpdateUser".
 */
export interface UpdateUser {
  /**
   * 2–100 characters.
   */
  display_name?: string | null;
  /**
   * Whether it may sign in; `false` ends all sessions of the account.
   */
  is_active?: boolean | null;
  /**
   * Whether it administers this installation.
   */
  is_admin?: boolean | null;
  /**
   * A new password; ends all sessions of the account.
   */
  password?: string | null;
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "UserSegments".
 */
export interface UserSegments {
  /**
   * The account's id.
   */
  id: string;
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
 * Answers the admission of everybody who waited.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AllAdmitted".
 */
export interface AllAdmitted {
  /**
   * Who came in.
   */
  admitted: Participant[];
  /**
   * How many wait on, for the room is full.
   */
  waiting: number;
}
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
 * Asks whether one may do something.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AskPermission".
 */
export interface AskPermission {
  /**
   * The action, by its word in the table of rules.
   */
  action: string;
  /**
   * Who would do it, for administrators; without it, the caller.
   */
  as_user_id?: number | null;
  /**
   * The link code, for who is no member of a private room.
   */
  code?: string | null;
  /**
   * To whom, or about whose message.
   */
  user_id?: number | null;
}
/**
 * Counts rooms and people, over all servers.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Census".
 */
export interface Census {
  /**
   * Those of them in which somebody is.
   */
  live_rooms: number;
  /**
   * Those of them who are in a call.
   */
  people_in_call: number;
  /**
   * People who have a room open or are in a call, each counted once.
   */
  people_online: number;
  /**
   * Rooms that were not deleted.
   */
  rooms: number;
}
/**
 * Asks for a new room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CreateRoom".
 */
export interface CreateRoom {
  /**
   * How many people it takes; 2–1,000 (50).
   */
  capacity?: number | null;
  /**
   * At this it ends; later than `opens_at`.
   */
  closes_at?: string | null;
  /**
   * At most 2,000 characters.
   */
  description?: string | null;
  /**
   * Whether people wait until they are admitted.
   */
  lobby?: boolean | null;
  /**
   * 1–255 characters after trimming.
   */
  name: string;
  /**
   * Before this nobody but its owner enters.
   */
  opens_at?: string | null;
  /**
   * Whose room it is to be, for administrators; without it, the caller's.
   */
  owner_id?: number | null;
  /**
   * 8–128 characters; for a room whose visibility is password.
   */
  password?: string | null;
  /**
   * Its name in links: 3–63 of a–z, 0–9 and `-`, not at an end, not digits alone.
   */
  slug?: string | null;
  /**
   * Who may see and enter it; public, or password when one is given.
   */
  visibility?: Visibility | null;
}
/**
 * Is a deed: something that somebody did, or was not allowed to. Never holds what was said, nor a secret.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Deed".
 */
export interface Deed {
  /**
   * What, by its word in the table of rules, or `create_room`.
   */
  action: string;
  /**
   * Who did it; null for the server itself.
   */
  actor_id: number | null;
  /**
   * The name they had.
   */
  actor_name: string | null;
  /**
   * The address from which it came; null for the server itself.
   */
  address: string | null;
  /**
   * When.
   */
  at: string;
  /**
   * What of it can be told: the settings that changed, the message that went.
   */
  detail: string | null;
  /**
   * Its place in the record; rises.
   */
  id: number;
  /**
   * The request's id; null for the server itself.
   */
  request_id: string | null;
  /**
   * `done`, or the word of what forbade it.
   */
  result: string;
  /**
   * In which room.
   */
  room_id: number | null;
  /**
   * To whom it was done.
   */
  target_id: number | null;
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
 * Asks for a whole history.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ExportHistory".
 */
export interface ExportHistory {
  /**
   * In which form.
   */
  format?: ExportFormat;
}
/**
 * Is a whole history.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ExportedHistory".
 */
export interface ExportedHistory {
  /**
   * Every message, ascending by `seq`.
   */
  messages: Message[];
  /**
   * The room, as who asks sees it.
   */
  room: Room;
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
 * Says which changes to hear of.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "FollowManaged".
 */
export interface FollowManaged {
  /**
   * Where to go on: the id of the last event that was heard. A `Last-Event-ID` header says the same.
   */
  cursor?: string | null;
  /**
   * Whose rooms.
   */
  manager: string;
}
/**
 * Hands a room on.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "HandOn".
 */
export interface HandOn {
  /**
   * The member who owns it from now on.
   */
  user_id: number;
}
/**
 * Asks to come in.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "JoinRoom".
 */
export interface JoinRoom {
  /**
   * The link code of a private room.
   */
  code?: string | null;
  /**
   * The password of a room that has one.
   */
  password?: string | null;
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
 * Describes a room, whole: what is absent is as in a new room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "KeepRoom".
 */
export interface KeepRoom {
  /**
   * The room to take over, by its id, where the resource keeps none yet; it must have no manager.
   */
  adopt?: string | null;
  /**
   * How many people it takes; 2–1,000 (50).
   */
  capacity?: number | null;
  /**
   * At this it ends; later than `opens_at`.
   */
  closes_at?: string | null;
  /**
   * At most 2,000 characters.
   */
  description?: string | null;
  /**
   * Take it over from another resource, too.
   */
  force?: boolean;
  /**
   * Whether people wait until they are admitted.
   */
  lobby?: boolean;
  /**
   * Who runs it beside the owner: addresses of accounts, at most 100. Whoever is not among them does not.
   *
   * @maxItems 100
   */
  moderators?: string[];
  /**
   * 1–255 characters after trimming.
   */
  name: string;
  /**
   * Before this nobody but its owner enters.
   */
  opens_at?: string | null;
  /**
   * Whose it is: the address of an account.
   */
  owner: string;
  /**
   * 8–128 characters; for a room whose visibility is password, and with `password_version`.
   */
  password?: string | null;
  /**
   * Tells passwords apart without being one, 1–128 of letters, digits, `.`, `_`, `-`: while the room has this
   * version, the password is neither needed nor looked at.
   */
  password_version?: string | null;
  /**
   * Its name in links; without one it keeps the one that it has.
   */
  slug?: string | null;
  /**
   * Who may see and enter it; public.
   */
  visibility?: Visibility | null;
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "KeeperSegments".
 */
export interface KeeperSegments {
  /**
   * The manager: 1–128 of letters, digits, `.`, `_` and `-`.
   */
  manager: string;
  /**
   * The resource's uid in it, of the same characters.
   */
  uid: string;
}
/**
 * Is a room after it was described.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "KeptRoom".
 */
export interface KeptRoom {
  /**
   * How many people it takes.
   */
  capacity: number;
  /**
   * What of it was another.
   */
  changed: string[];
  /**
   * At this it ends.
   */
  closes_at: string | null;
  /**
   * What it is for.
   */
  description: string | null;
  /**
   * Where people enter it.
   */
  join_url: string;
  /**
   * What became of it.
   */
  kept: Kept;
  /**
   * Whether people wait until they are admitted.
   */
  lobby: boolean;
  /**
   * Who keeps it.
   */
  manager: string;
  /**
   * The addresses of who runs it beside the owner, in the order of the alphabet.
   */
  moderators: string[];
  /**
   * Its name.
   */
  name: string;
  /**
   * Before this nobody but its owner enters.
   */
  opens_at: string | null;
  /**
   * The address of its owner; null when their account is no more.
   */
  owner: string | null;
  /**
   * How many people are there.
   */
  participants: Observed;
  /**
   * Which password it has.
   */
  password_version: string | null;
  /**
   * The room's id.
   */
  room_id: string;
  /**
   * Its name in links.
   */
  slug: string | null;
  /**
   * The resource that describes it.
   */
  uid: string;
  /**
   * Those of the moderators who have no account that can sign in.
   */
  unknown_moderators: string[];
  /**
   * Who may see and enter it.
   */
  visibility: Visibility;
}
/**
 * Is a number, and when it was so.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Observed".
 */
export interface Observed {
  /**
   * How many.
   */
  current: number;
  /**
   * When.
   */
  observed_at: string;
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
 * Says what becomes of a room whose resource is gone.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LetGo".
 */
export interface LetGo {
  /**
   * The resource is gone for good, also where it keeps no room: what was asked for it and is still under way comes
   * too late, and makes no other room.
   */
  gone?: boolean;
  /**
   * Keep the room: people may change it again. Without this it is closed for good.
   */
  release?: boolean;
}
/**
 * Is what lets people into a private room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LinkCode".
 */
export interface LinkCode {
  /**
   * The code, for `join`.
   */
  code: string;
  /**
   * The link that holds it.
   */
  url: string;
}
/**
 * Says which deeds to list.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ListDeeds".
 */
export interface ListDeeds {
  /**
   * Only those before this one.
   */
  before_id?: number | null;
  /**
   * How many at most; 1–200 (50).
   */
  limit?: number | null;
}
/**
 * Says which rooms of a manager to list.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ListManaged".
 */
export interface ListManaged {
  /**
   * Only resources whose uid comes after this one.
   */
  after?: string | null;
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
   * Only those that hold this, without regard to case; 1–255 characters.
   */
  query?: string | null;
  /**
   * How many of the newest to leave out.
   */
  skip?: number | null;
}
/**
 * Says which people of a room to list; without either, who is not offline.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ListPeople".
 */
export interface ListPeople {
  /**
   * Who was banned.
   */
  banned?: boolean;
  /**
   * Its members, present or not.
   */
  members?: boolean;
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
 * Is a room that a resource keeps, as it stands.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ManagedRoom".
 */
export interface ManagedRoom {
  /**
   * How many people it takes.
   */
  capacity: number;
  /**
   * At this it ends.
   */
  closes_at: string | null;
  /**
   * What it is for.
   */
  description: string | null;
  /**
   * Where people enter it.
   */
  join_url: string;
  /**
   * Whether people wait until they are admitted.
   */
  lobby: boolean;
  /**
   * Who keeps it.
   */
  manager: string;
  /**
   * The addresses of who runs it beside the owner, in the order of the alphabet.
   */
  moderators: string[];
  /**
   * Its name.
   */
  name: string;
  /**
   * Before this nobody but its owner enters.
   */
  opens_at: string | null;
  /**
   * The address of its owner; null when their account is no more.
   */
  owner: string | null;
  /**
   * How many people are there.
   */
  participants: Observed;
  /**
   * Which password it has.
   */
  password_version: string | null;
  /**
   * The room's id.
   */
  room_id: string;
  /**
   * Its name in links.
   */
  slug: string | null;
  /**
   * The resource that describes it.
   */
  uid: string;
  /**
   * Who may see and enter it.
   */
  visibility: Visibility;
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ManagerSegments".
 */
export interface ManagerSegments {
  /**
   * The manager: 1–128 of letters, digits, `.`, `_` and `-`.
   */
  manager: string;
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
   * The room's id, or its slug.
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
 * Says whether one may do something, and which rule decided.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Permission".
 */
export interface Permission {
  /**
   * Whether one may.
   */
  allowed: boolean;
  /**
   * For a person to read.
   */
  detail: string;
  /**
   * The rule: the action, who may, and in which state of the room.
   */
  rule: string;
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PersonSegments".
 */
export interface PersonSegments {
  /**
   * The room's id, or its slug.
   */
  id: string;
  /**
   * The person's id.
   */
  user_id: string;
}
/**
 * Is Redis as a server sees it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RedisState".
 */
export interface RedisState {
  /**
   * How long the server's last hint to itself took, in milliseconds; null before the first.
   */
  latency_ms: number | null;
  /**
   * Whether it carries hints between servers; while it does not, everything works, with other servers' changes a
   * second or two later.
   */
  status: Reach;
}
/**
 * Is a room with the people who are there.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RoomDetail".
 */
export interface RoomDetail {
  /**
   * What the asking person may do in the room, towards others where it is done to somebody.
   */
  allowed: string[];
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
   * Everybody who is not offline; of a password room only for its people.
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
  /**
   * Who waits in the lobby, first come first; only for hosts.
   */
  waiting: Participant[];
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RoomSegments".
 */
export interface RoomSegments {
  /**
   * The room's id, or its slug.
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
 * Is a server as it says itself.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ServerState".
 */
export interface ServerState {
  /**
   * Redis, as this server sees it; null where none is configured.
   */
  redis: RedisState | null;
  /**
   * What it does: `all`, `auth` or `conference`.
   */
  role: string;
  /**
   * How many sockets it holds; null where it holds none by its role.
   */
  sockets: number | null;
  /**
   * When it started, by its store's clock; null where it does not say.
   */
  started_at: string | null;
  /**
   * Whether it answers; of one that does not, nothing else is known.
   */
  status: Reach;
  /**
   * The databases that it works on.
   */
  stores: StoreState[];
  /**
   * Its release; null where it does not say.
   */
  version: string | null;
}
/**
 * Is a database as a server sees it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StoreState".
 */
export interface StoreState {
  /**
   * What it is: `sqlite` or `postgres`.
   */
  engine: string;
  /**
   * What is in it: `accounts` or `rooms`.
   */
  holds: string;
  /**
   * How long it took to answer, in milliseconds; null when it did not.
   */
  latency_ms: number | null;
  /**
   * Whether it answers.
   */
  status: Reach;
}
/**
 * Shows a room's link code to learn of a private room.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ShowCode".
 */
export interface ShowCode {
  /**
   * The link code of a private room.
   */
  code?: string | null;
}
/**
 * Is how the installation runs at this moment.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "System".
 */
export interface System {
  /**
   * Who is there; null while the store of rooms does not answer.
   */
  census: Census | null;
  /**
   * The server that answers, and where the services are apart one of the auth service.
   */
  servers: ServerState[];
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
   * How many people it takes; 2–1,000. Who is inside stays.
   */
  capacity?: number | null;
  /**
   * At this it ends; null lets it go on.
   */
  closes_at?: string | null;
  /**
   * At most 2,000 characters; null or blank removes it.
   */
  description?: string | null;
  /**
   * Whether people wait until they are admitted.
   */
  lobby?: boolean | null;
  /**
   * 1–255 characters after trimming.
   */
  name?: string | null;
  /**
   * Before this nobody but its owner enters; null opens it at once.
   */
  opens_at?: string | null;
  /**
   * 8–128 characters; for a room whose visibility is password. Who is a member stays one.
   */
  password?: string | null;
  /**
   * Its name in links; null removes it.
   */
  slug?: string | null;
  /**
   * Who may see and enter it from now on.
   */
  visibility?: Visibility | null;
}
/**
 * Answers a join that ends in the lobby. Asking again within 60 s, or an open socket, keeps the place.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Waiting".
 */
export interface Waiting {
  /**
   * For a person to read.
   */
  message: string;
  /**
   * The person's row in this room.
   */
  participant_id: number;
  /**
   * Where the person stands among those who wait, from 1.
   */
  position: number;
  /**
   * The room.
   */
  room_id: number;
  /**
   * True.
   */
  waiting: boolean;
}
/**
 * Is a room from a place in its history on.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Subscribed".
 */
export interface Subscribed {
  /**
   * What the person may do in the room, towards others where it is done to somebody.
   */
  allowed: string[];
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
  /**
   * Who waits in the lobby, first come first; only for hosts.
   */
  waiting: Participant[];
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
