//! A person in a room: one row for each (room, person), for good.

use crate::id::{ParticipantId, RoomId, UserId};
use crate::permission::Membership;
use crate::presence::Presence;
use crate::room::Role;

/// Is everything that a room knows of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The row's id.
    pub id: ParticipantId,
    /// The room.
    pub room_id: RoomId,
    /// The person.
    pub user_id: UserId,
    /// The name others see.
    pub display_name: String,
    /// Whether the person owns the room.
    pub is_owner: bool,
    /// Whether the person belongs to the room, and as what.
    pub membership: Membership,
    /// Where the person is.
    pub presence: Presence,
    /// What the person shows and is allowed to show.
    pub media: MediaState,
    /// The newest message that the person has read.
    pub read_seq: i64,
    /// The socket that is inside for the person, if one said so.
    pub call_socket: Option<String>,
}

impl Participant {
    /// Is the person's role as others see it.
    #[must_use]
    pub fn role(&self) -> Role {
        match self.membership {
            _ if self.is_owner => Role::Owner,
            Membership::Member(role) => role,
            Membership::Stranger => Role::Participant,
        }
    }
}

/// Is what a person shows in a meeting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five independent switches, each a member on the wire")]
pub struct MediaState {
    /// The microphone is on.
    pub audio: bool,
    /// The camera is on.
    pub video: bool,
    /// A screen is shared.
    pub screen: bool,
    /// A hand is raised.
    pub hand: bool,
    /// A moderator muted the person.
    pub muted_by_host: bool,
}
