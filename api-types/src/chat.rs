//! Messages and pages of them.

use cloudmeet_core::chat::Message as CoreMessage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;

/// Asks to store a message.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SendMessage {
    /// 1–2,000 characters, not blank.
    pub content: String,
    /// The sender's own name for it: the same one again stores nothing.
    pub client_msg_id: Option<String>,
    /// The id of the message of this room that it answers.
    pub reply_to: Option<i64>,
}

/// Changes a message's text.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct EditMessage {
    /// 1–2,000 characters, not blank.
    pub content: String,
}

/// Says which messages to read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct ListMessages {
    /// How many at most; 1–200 (50).
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<i64>,
    /// How many of the newest to leave out.
    #[schemars(range(min = 0))]
    pub skip: Option<i64>,
    /// Those right before this number.
    pub before_seq: Option<i64>,
    /// Those right after this number.
    pub after_seq: Option<i64>,
    /// Only those that hold this, without regard to case; 1–255 characters.
    #[schemars(length(max = 255))]
    pub query: Option<String>,
}

/// Says in which form to take a history along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// An object with `room` and `messages`.
    #[default]
    Json,
    /// A line a message.
    Txt,
    /// A page to look at.
    Html,
}

/// Is a whole history.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExportedHistory {
    /// The room, as who asks sees it.
    pub room: crate::room::Room,
    /// Every message, ascending by `seq`.
    pub messages: Vec<Message>,
}

/// Asks for a whole history.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub struct ExportHistory {
    /// In which form.
    #[serde(default)]
    pub format: ExportFormat,
}

/// Is a page of a history.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessagePage {
    /// Ascending by `seq`.
    pub messages: Vec<Message>,
    /// How many there are in all: the newest message's `seq`.
    pub total: i64,
}

/// Marks a history as read.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MarkRead {
    /// The number of the newest message that was read.
    pub seq: i64,
}

/// Is a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct Message {
    /// Its id.
    pub id: i64,
    /// Where it was said.
    pub room_id: i64,
    /// Who said it.
    pub user_id: i64,
    /// The author's name.
    pub user_display_name: String,
    /// Whether its author owns the room.
    pub is_owner: bool,
    /// What was said; empty once deleted.
    pub content: String,
    /// When it was stored.
    pub created_at: WireTime,
    /// Its place in the room: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// The sender's own name for it.
    pub client_msg_id: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// When it was last edited.
    pub edited_at: Option<WireTime>,
    /// When it was deleted.
    pub deleted_at: Option<WireTime>,
}

impl From<CoreMessage> for Message {
    fn from(message: CoreMessage) -> Self {
        Self {
            id: message.id.get(),
            room_id: message.room_id.get(),
            user_id: message.user_id.get(),
            user_display_name: message.user_display_name,
            is_owner: message.is_owner,
            content: message.content,
            created_at: message.created_at.into(),
            seq: message.seq,
            client_msg_id: message.client_msg_id,
            reply_to: message.reply_to.map(cloudmeet_core::id::MessageId::get),
            edited_at: message.edited_at.map(WireTime),
            deleted_at: message.deleted_at.map(WireTime),
        }
    }
}

/// Is an edit or a deletion: the message as it is now, and the room's count of such changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedMessage {
    /// The message as it is now.
    pub message: Message,
    /// The room's `rev` of this change.
    pub rev: i64,
}
