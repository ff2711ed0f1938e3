//! Rooms and the people in them.

use cloudmeet_core::participant::Participant as CoreParticipant;
use cloudmeet_core::presence::Status as CoreStatus;
use cloudmeet_core::room::{Role as CoreRole, Room as CoreRoom, Visibility as CoreVisibility};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;

/// Asks for a new room.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
pub struct CreateRoom {
    /// 1–255 characters after trimming.
    pub name: String,
    /// At most 2,000 characters.
    pub description: Option<String>,
    /// Who may see and enter it; public, or password when one is given.
    pub visibility: Option<Visibility>,
    /// 8–128 characters; for a room whose visibility is password.
    #[schemars(length(min = 8, max = 128))]
    pub password: Option<String>,
    /// How many people it takes; 2–1,000 (50).
    #[schemars(range(min = 2, max = 1000))]
    pub capacity: Option<i64>,
    /// Whether people wait until they are admitted.
    pub lobby: Option<bool>,
    /// Its name in links: 3–63 of a–z, 0–9 and `-`, not at an end, not digits alone.
    #[schemars(length(min = 3, max = 63))]
    pub slug: Option<String>,
    /// Before this nobody but its owner enters.
    pub opens_at: Option<WireTime>,
    /// At this it ends; later than `opens_at`.
    pub closes_at: Option<WireTime>,
    /// Whose room it is to be, for administrators; without it, the caller's.
    pub owner_id: Option<i64>,
}

/// Changes a room; absent members stay.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct UpdateRoom {
    /// 1–255 characters after trimming.
    pub name: Option<String>,
    /// At most 2,000 characters; null or blank removes it.
    #[serde(default, deserialize_with = "present")]
    pub description: Option<Option<String>>,
    /// Who may see and enter it from now on.
    pub visibility: Option<Visibility>,
    /// 8–128 characters; for a room whose visibility is password. Who is a member stays one.
    #[schemars(length(min = 8, max = 128))]
    pub password: Option<String>,
    /// How many people it takes; 2–1,000. Who is inside stays.
    #[schemars(range(min = 2, max = 1000))]
    pub capacity: Option<i64>,
    /// Whether people wait until they are admitted.
    pub lobby: Option<bool>,
    /// Its name in links; null removes it.
    #[serde(default, deserialize_with = "present")]
    #[schemars(length(min = 3, max = 63))]
    pub slug: Option<Option<String>>,
    /// Before this nobody but its owner enters; null opens it at once.
    #[serde(default, deserialize_with = "present")]
    pub opens_at: Option<Option<WireTime>>,
    /// At this it ends; null lets it go on.
    #[serde(default, deserialize_with = "present")]
    pub closes_at: Option<Option<WireTime>>,
}

/// Tells a member that is null from one that is absent.
#[expect(clippy::option_option, reason = "absent, null and a value are three things in a merge patch")]
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
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

impl From<Visibility> for CoreVisibility {
    fn from(visibility: Visibility) -> Self {
        match visibility {
            Visibility::Public => Self::Public,
            Visibility::Private => Self::Private,
            Visibility::Password => Self::Password,
        }
    }
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
    pub capacity: i64,
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
            capacity: room.capacity.get(),
            lobby: room.lobby,
            slug: room.slug.map(|slug| slug.as_str().to_owned()),
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
    /// Everybody who is not offline; of a password room only for its people.
    pub participants: Vec<Participant>,
    /// Who waits in the lobby, first come first; only for hosts.
    pub waiting: Vec<Participant>,
    /// What the asking person may do in the room, towards others where it is done to somebody.
    pub allowed: Vec<String>,
}

/// Shows a room's link code to learn of a private room.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct ShowCode {
    /// The link code of a private room.
    pub code: Option<String>,
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

/// Asks to come in.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
pub struct JoinRoom {
    /// The password of a room that has one.
    pub password: Option<String>,
    /// The link code of a private room.
    pub code: Option<String>,
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

/// Answers a join that ends in the lobby. Asking again within 60 s, or an open socket, keeps the place.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// True.
    pub waiting: bool,
    /// For a person to read.
    pub message: String,
    /// The person's row in this room.
    pub participant_id: i64,
    /// The room.
    pub room_id: i64,
    /// Where the person stands among those who wait, from 1.
    pub position: i64,
}

/// Answers the admission of everybody who waited.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct AllAdmitted {
    /// Who came in.
    pub admitted: Vec<Participant>,
    /// How many wait on, for the room is full.
    pub waiting: i64,
}

/// Hands a room on.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
pub struct HandOn {
    /// The member who owns it from now on.
    pub user_id: i64,
}

/// Is what lets people into a private room.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct LinkCode {
    /// The code, for `join`.
    pub code: String,
    /// The link that holds it.
    pub url: String,
}

/// Asks whether one may do something.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct AskPermission {
    /// The action, by its word in the table of rules.
    pub action: String,
    /// To whom, or about whose message.
    pub user_id: Option<i64>,
    /// The link code, for who is no member of a private room.
    pub code: Option<String>,
    /// Who would do it, for administrators; without it, the caller.
    pub as_user_id: Option<i64>,
}

/// Says which people of a room to list; without either, who is not offline.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub struct ListPeople {
    /// Its members, present or not.
    #[serde(default)]
    pub members: bool,
    /// Who was banned.
    #[serde(default)]
    pub banned: bool,
}

/// Says whether one may do something, and which rule decided.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Permission {
    /// Whether one may.
    pub allowed: bool,
    /// The rule: the action, who may, and in which state of the room.
    pub rule: String,
    /// For a person to read.
    pub detail: String,
}

/// Answers a leave.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// For a person to read.
    pub message: String,
}
