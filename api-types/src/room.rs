//! Rooms and the people in them.

use cloudmeet_core::participant::Participant as CoreParticipant;
use cloudmeet_core::presence::Status as CoreStatus;
use cloudmeet_core::room::{Role as CoreRole, Room as CoreRoom, Visibility as CoreVisibility};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;

/// Asks for a new room.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateRoom {
    /// 1–255 characters after trimming.
    pub name: String,
    /// At most 2,000 characters.
    pub description: Option<String>,
}

/// Changes a room; absent members stay.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateRoom {
    /// 1–255 characters after trimming.
    pub name: Option<String>,
    /// At most 2,000 characters; null or blank removes it.
    #[serde(default, deserialize_with = "present")]
    pub description: Option<Option<String>>,
}

/// Tells a member that is null from one that is absent.
#[expect(clippy::option_option, reason = "absent, null and a text are three things in a merge patch")]
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// Says which rooms to list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct ListRooms {
    /// How many of the newest to leave out; at least 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub skip: i64,
    /// How many to list; 1–100.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: i64,
    /// Leave out closed rooms.
    #[serde(default = "default_only_active")]
    pub only_active: bool,
    /// Only rooms whose name or description holds this, without regard to case; at most 255 characters.
    #[schemars(length(max = 255))]
    pub query: Option<String>,
}

const fn default_limit() -> i64 {
    20
}

const fn default_only_active() -> bool {
    true
}

/// Says who may see and enter a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everyone signed in.
    Public,
    /// Its members, and who holds its link code.
    Private,
    /// Who knows its password.
    Password,
}

impl From<CoreVisibility> for Visibility {
    fn from(visibility: CoreVisibility) -> Self {
        match visibility {
            CoreVisibility::Public => Self::Public,
            CoreVisibility::Private => Self::Private,
            CoreVisibility::Password => Self::Password,
        }
    }
}

/// Is what a person is to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Owns it.
    Owner,
    /// Runs it beside the owner.
    Moderator,
    /// Takes part.
    Participant,
}

impl From<CoreRole> for Role {
    fn from(role: CoreRole) -> Self {
        match role {
            CoreRole::Owner => Self::Owner,
            CoreRole::Moderator => Self::Moderator,
            CoreRole::Participant => Self::Participant,
        }
    }
}

/// Says where a person is, seen from one room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Has the room open, not inside.
    Online,
    /// Inside.
    InCall,
    /// Neither.
    Offline,
}

impl From<CoreStatus> for Status {
    fn from(status: CoreStatus) -> Self {
        match status {
            CoreStatus::Online => Self::Online,
            CoreStatus::InCall => Self::InCall,
            CoreStatus::Offline => Self::Offline,
        }
    }
}

impl From<Status> for CoreStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Online => Self::Online,
            Status::InCall => Self::InCall,
            Status::Offline => Self::Offline,
        }
    }
}

/// Is a room as the asking person sees it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct Room {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner_id: i64,
    /// Whether it is open; a deleted room stays readable for its members.
    pub is_active: bool,
    /// When it was made.
    pub created_at: WireTime,
    /// How many people are not offline.
    pub participants_count: i64,
    /// What it is for.
    pub description: Option<String>,
    /// Who may see and enter it.
    pub visibility: Visibility,
    /// How many people it takes.
    pub capacity: i32,
    /// Whether people wait until they are admitted.
    pub lobby: bool,
    /// Its name in links.
    pub slug: Option<String>,
    /// Before this nobody but its owner enters.
    pub opens_at: Option<WireTime>,
    /// At this it ends.
    pub closes_at: Option<WireTime>,
    /// The controller that keeps it.
    pub managed_by: Option<String>,
    /// The number of its newest message; 0 without any.
    pub last_seq: i64,
    /// When something last happened in it.
    pub last_activity_at: WireTime,
    /// How many messages the asking person has not read; 0 for a stranger.
    pub unread: i64,
    /// What the asking person is to it; null for a stranger.
    pub my_role: Option<Role>,
}

/// Is what only the asking person's view of a room holds, and who is inside.
#[derive(Debug, Clone, Copy)]
pub struct RoomView {
    /// How many people are not offline.
    pub participants_count: i64,
    /// How many messages the person has not read.
    pub unread: i64,
    /// What the person is to it.
    pub my_role: Option<CoreRole>,
}

impl Room {
    /// Puts a room and somebody's view of it together.
    #[must_use]
    pub fn new(room: CoreRoom, view: RoomView) -> Self {
        Self {
            id: room.id.get(),
            name: room.name.as_str().to_owned(),
            owner_id: room.owner_id.get(),
            is_active: room.is_active,
            created_at: room.created_at.into(),
            participants_count: view.participants_count,
            description: room.description.map(|description| description.as_str().to_owned()),
            visibility: room.visibility.into(),
            capacity: room.capacity,
            lobby: room.lobby,
            slug: room.slug,
            opens_at: room.opens_at.map(WireTime),
            closes_at: room.closes_at.map(WireTime),
            managed_by: room.managed_by,
            last_seq: room.last_seq,
            last_activity_at: room.last_activity_at.into(),
            unread: view.unread,
            my_role: view.my_role.map(Role::from),
        }
    }
}

/// Is a room with the people who are there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct RoomDetail {
    /// The room.
    #[serde(flatten)]
    pub room: Room,
    /// Everybody who is not offline.
    pub participants: Vec<Participant>,
}

/// Is a person in a room.
#[expect(clippy::struct_excessive_bools, reason = "the wire has them as single members")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct Participant {
    /// The person's row in this room, the same for good.
    pub id: i64,
    /// The person.
    pub user_id: i64,
    /// The name others see.
    pub user_display_name: String,
    /// Where the person is.
    pub status: Status,
    /// Whether the person owns the room.
    pub is_owner: bool,
    /// What the person is to the room.
    pub role: Role,
    /// When the present (or last) presence began.
    pub join_time: WireTime,
    /// When it ended; null while it lasts.
    pub leave_time: Option<WireTime>,
    /// Whether the microphone is on.
    pub audio: bool,
    /// Whether the camera is on.
    pub video: bool,
    /// Whether a screen is shared.
    pub screen: bool,
    /// Whether a hand is raised.
    pub hand: bool,
    /// Whether a moderator muted the person.
    pub muted_by_host: bool,
    /// Rises with every change of this person in this room; an older one is to be ignored.
    pub version: i64,
}

impl From<CoreParticipant> for Participant {
    fn from(participant: CoreParticipant) -> Self {
        let role = participant.role();
        Self {
            id: participant.id.get(),
            user_id: participant.user_id.get(),
            user_display_name: participant.display_name,
            status: participant.presence.status.into(),
            is_owner: participant.is_owner,
            role: role.into(),
            join_time: participant.presence.began_at.into(),
            leave_time: participant.presence.ended_at.map(WireTime),
            audio: participant.media.audio,
            video: participant.media.video,
            screen: participant.media.screen,
            hand: participant.media.hand,
            muted_by_host: participant.media.muted_by_host,
            version: participant.presence.version,
        }
    }
}

/// Answers a join.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// For a person to read.
    pub message: String,
    /// The person's row in this room.
    pub participant_id: i64,
    /// The room.
    pub room_id: i64,
}

/// Answers a leave.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// For a person to read.
    pub message: String,
}
