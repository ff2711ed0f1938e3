//! The record of deeds: who did what to whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;

/// Says which deeds to list.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub struct ListDeeds {
    /// How many at most; 1–200 (50).
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<i64>,
    /// Only those before this one.
    #[schemars(range(min = 1))]
    pub before_id: Option<i64>,
}

/// Is a deed: something that somebody did, or was not allowed to. Never holds what was said, nor a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct Deed {
    /// Its place in the record; rises.
    pub id: i64,
    /// When.
    pub at: WireTime,
    /// In which room.
    pub room_id: Option<i64>,
    /// What, by its word in the table of rules, or `create_room`.
    pub action: String,
    /// Who did it; null for the server itself.
    pub actor_id: Option<i64>,
    /// The name they had.
    pub actor_name: Option<String>,
    /// To whom it was done.
    pub target_id: Option<i64>,
    /// What of it can be told: the settings that changed, the message that went.
    pub detail: Option<String>,
    /// `done`, or the word of what forbade it.
    pub result: String,
    /// The address from which it came; null for the server itself.
    pub address: Option<String>,
    /// The request's id; null for the server itself.
    pub request_id: Option<String>,
}
