//! Frames of the WebSocket: one JSON object each, named by `type`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;
use crate::all_required;
use crate::chat::{ChangedMessage, Message};
use crate::problem::FieldProblem;
use crate::room::{Participant, Room, Status};

/// The subprotocol that both ends speak.
pub const SUBPROTOCOL: &str = "cloudmeet.v1";

/// What stands before a ticket among the offered subprotocols.
pub const TICKET_PREFIX: &str = "ticket.";

/// The greatest frame in bytes, either way from a client.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Is what a client sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Follows a room from a place in its history.
    Subscribe(Subscribe),
    /// Stops following a room.
    Unsubscribe {
        /// The room.
        room_id: i64,
    },
    /// Asks for `room` frames of every visible room that changes.
    WatchRooms,
    /// Stores a message.
    Send(SendFrame),
    /// Sets where the person is.
    Status {
        /// The room.
        room_id: i64,
        /// Where the person is now.
        status: Status,
    },
    /// Shows others that the person types.
    Typing {
        /// The room.
        room_id: i64,
    },
    /// Asks for a `pong`.
    Ping,
}

/// The names of the frames that a client may send.
pub const CLIENT_FRAME_TYPES: [&str; 7] =
    ["subscribe", "unsubscribe", "watch_rooms", "send", "status", "typing", "ping"];

/// Follows a room.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Subscribe {
    /// The room.
    pub room_id: i64,
    /// The newest message that the client has; without it the newest 50 come.
    pub after_seq: Option<i64>,
    /// The newest edit or deletion that the client has seen.
    pub after_rev: Option<i64>,
    /// Where the person is now; without it nothing changes, or `online` if they were away.
    pub status: Option<Status>,
}

/// Stores a message.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SendFrame {
    /// The room.
    pub room_id: i64,
    /// The sender's own name for it: the same one again stores nothing.
    pub client_msg_id: Option<String>,
    /// 1–2,000 characters, not blank.
    pub content: String,
    /// The id of the message of this room that it answers.
    pub reply_to: Option<i64>,
}

/// Is what the server sends.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(transform = all_required)]
pub enum ServerFrame {
    /// The first frame of every socket.
    Welcome {
        /// The session that the socket lives with.
        session_id: String,
        /// Whose it is.
        user_id: i64,
        /// The server pings this often, in seconds.
        heartbeat_s: u64,
    },
    /// Answers `subscribe`.
    Subscribed(Box<Subscribed>),
    /// Answers `unsubscribe`; also comes when the person left the room elsewhere.
    Unsubscribed {
        /// The room.
        room_id: i64,
    },
    /// Answers `watch_rooms`.
    WatchingRooms,
    /// Answers `send`: the message is on disk.
    Sent {
        /// The sender's own name for it.
        client_msg_id: Option<String>,
        /// The message as it is stored.
        message: Message,
    },
    /// Answers `status`.
    StatusSet {
        /// The room.
        room_id: i64,
        /// Where the person is now.
        status: Status,
    },
    /// A message, in the order of `seq`.
    Message {
        /// The message.
        message: Message,
    },
    /// An edit.
    MessageUpdated(ChangedMessage),
    /// A deletion.
    MessageDeleted(ChangedMessage),
    /// A person came, went or changed.
    Presence {
        /// The room.
        room_id: i64,
        /// The person.
        participant: Participant,
    },
    /// Somebody types.
    Typing {
        /// The room.
        room_id: i64,
        /// Who.
        user_id: i64,
    },
    /// A room changed.
    Room {
        /// The room as the receiving person sees it.
        room: Room,
    },
    /// A room exists for this person no more: it became private, or they do not belong to it any more.
    RoomHidden {
        /// The room.
        room_id: i64,
    },
    /// A room was closed for good.
    RoomClosed {
        /// The room.
        room_id: i64,
    },
    /// Somebody waits in the lobby, or no longer does; to hosts.
    Lobby {
        /// The room.
        room_id: i64,
        /// Who.
        participant: Participant,
        /// Whether they wait.
        waiting: bool,
    },
    /// A host let the person in.
    Admitted {
        /// The room.
        room_id: i64,
    },
    /// A room ends soon.
    Closing {
        /// The room.
        room_id: i64,
        /// When.
        closes_at: WireTime,
    },
    /// The person is out of a room, or the socket no longer follows it.
    Removed {
        /// The room.
        room_id: i64,
        /// Why.
        reason: RemovedReason,
    },
    /// Answers `ping`.
    Pong,
    /// A frame could not be obeyed; the socket lives on.
    Error(ErrorFrame),
}

/// Says why a socket no longer follows a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemovedReason {
    /// A host ended their membership.
    Kicked,
    /// A host ended it for good.
    Banned,
    /// A host did not let them in.
    Denied,
    /// The meeting is over, for everybody.
    Ended,
    /// The person is inside on a newer socket.
    Elsewhere,
}

/// Is a room from a place in its history on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Subscribed {
    /// The room.
    pub room_id: i64,
    /// The number of the room's newest message.
    pub last_seq: i64,
    /// Where to go on with edits and deletions.
    pub rev: i64,
    /// Everybody who is not offline.
    pub participants: Vec<Participant>,
    /// Who waits in the lobby, first come first; only for hosts.
    pub waiting: Vec<Participant>,
    /// What the person may do in the room, towards others where it is done to somebody.
    pub allowed: Vec<String>,
    /// Ascending by `seq`.
    pub messages: Vec<Message>,
    /// Edits and deletions after `after_rev`, ascending by `rev`.
    pub changed: Vec<ChangedMessage>,
    /// More waits: subscribe again from the last number received.
    pub truncated: bool,
}

/// Says why a frame was not obeyed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ErrorFrame {
    /// For a program; never changes.
    pub code: String,
    /// For a person.
    pub detail: String,
    /// The message that was not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_msg_id: Option<String>,
    /// Seconds after which to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// What is wrong with single fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// Is a frame as it comes: with the `id` of the request that it answers, if it answers one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// The request's `id`, as it came; null in an error whose request has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = ["null", "boolean", "number", "string", "array", "object"]))]
    pub id: Option<serde_json::Value>,
    /// The frame.
    #[serde(flatten)]
    pub frame: ServerFrame,
}
