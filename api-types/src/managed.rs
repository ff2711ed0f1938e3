//! Rooms that a resource elsewhere describes: what an operator says and hears.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;
use crate::room::Visibility;

// No `Debug`: it may hold a password.
/// Describes a room, whole: what is absent is as in a new room.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
pub struct KeepRoom {
    /// 1–255 characters after trimming.
    pub name: String,
    /// At most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whose it is: the address of an account.
    pub owner: String,
    /// Who runs it beside the owner: addresses of accounts, at most 100. Whoever is not among them does not.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub moderators: Vec<String>,
    /// Who may see and enter it; public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// 8–128 characters; for a room whose visibility is password, and with `password_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 128))]
    pub password: Option<String>,
    /// Tells passwords apart without being one, 1–128 of letters, digits, `.`, `_`, `-`: while the room has this
    /// version, the password is neither needed nor looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_version: Option<String>,
    /// How many people it takes; 2–1,000 (50).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 1000))]
    pub capacity: Option<i64>,
    /// Whether people wait until they are admitted.
    #[serde(default)]
    pub lobby: bool,
    /// Its name in links; without one it keeps the one that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 63))]
    pub slug: Option<String>,
    /// Before this nobody but its owner enters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<WireTime>,
    /// At this it ends; later than `opens_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<WireTime>,
    /// The room to take over, by its id, where the resource keeps none yet; it must have no manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<String>,
    /// Take it over from another resource, too.
    #[serde(default)]
    pub force: bool,
}

/// Is a room that a resource keeps, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct ManagedRoom {
    /// Who keeps it.
    pub manager: String,
    /// The resource that describes it.
    pub uid: String,
    /// The room's id.
    pub room_id: String,
    /// Where people enter it.
    pub join_url: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The address of its owner; null when their account is no more.
    pub owner: Option<String>,
    /// The addresses of who runs it beside the owner, in the order of the alphabet.
    pub moderators: Vec<String>,
    /// Who may see and enter it.
    pub visibility: Visibility,
    /// Which password it has.
    pub password_version: Option<String>,
    /// How many people it takes.
    pub capacity: i64,
    /// Whether people wait until they are admitted.
    pub lobby: bool,
    /// Its name in links.
    pub slug: Option<String>,
    /// Before this nobody but its owner enters.
    pub opens_at: Option<WireTime>,
    /// At this it ends.
    pub closes_at: Option<WireTime>,
    /// How many people are there.
    pub participants: Observed,
}

/// Is a number, and when it was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct Observed {
    /// How many.
    pub current: i64,
    /// When.
    pub observed_at: WireTime,
}

/// Is a room that was closed, as the stream of events has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneRoom {
    /// The resource that kept it.
    pub uid: String,
    /// The room's id.
    pub room_id: String,
}

/// Says what became of a room that was described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    /// It was made.
    Created,
    /// It was there, and is the resource's from now on.
    Adopted,
    /// It was another, and is as described.
    Updated,
    /// It is as described already.
    Unchanged,
}

/// Is a room after it was described.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct KeptRoom {
    /// The room.
    #[serde(flatten)]
    pub room: ManagedRoom,
    /// What became of it.
    pub kept: Kept,
    /// What of it was another.
    pub changed: Vec<String>,
    /// Those of the moderators who have no account that can sign in.
    pub unknown_moderators: Vec<String>,
}

/// Says which rooms of a manager to list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct ListManaged {
    /// Only resources whose uid comes after this one.
    pub after: Option<String>,
}

/// Says what becomes of a room whose resource is gone.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub struct LetGo {
    /// Keep the room: people may change it again. Without this it is closed for good.
    #[serde(default)]
    pub release: bool,
    /// The resource is gone for good, also where it keeps no room: what was asked for it and is still under way comes
    /// too late, and makes no other room.
    #[serde(default)]
    pub gone: bool,
}

/// Says which changes to hear of.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct FollowManaged {
    /// Whose rooms.
    pub manager: String,
    /// Where to go on: the id of the last event that was heard. A `Last-Event-ID` header says the same.
    pub cursor: Option<String>,
}
