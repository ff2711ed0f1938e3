//! A person in a room: one row for each (room, person), for good.

use crate::account::DELETED_NAME;
use crate::id::{ParticipantId, RoomId, UserId};
use crate::permission::Membership;
use crate::presence::{LEASE, Presence, Sign, Status};
use crate::room::Role;
use crate::time::Timestamp;

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
    /// Since when the person waits in the lobby.
    pub waiting_since: Option<Timestamp>,
    /// What last became of the person at the door; `None` once they have come since.
    pub last_turn: Option<Turn>,
}

/// Says what became of somebody at a room's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A host let them in, and they have not come yet.
    Admitted,
    /// They left.
    Left,
    /// A host removed them.
    Kicked,
    /// A host removed them for good.
    Banned,
    /// A host did not let them in, or the meeting ended before one could.
    Denied,
    /// They no longer waited to be let in.
    Withdrew,
}

impl Turn {
    /// Gives the word that stands in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Left => "left",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Denied => "denied",
            Self::Withdrew => "withdrew",
        }
    }

    /// Reads that word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Admitted, Self::Left, Self::Kicked, Self::Banned, Self::Denied, Self::Withdrew];
        all.into_iter().find(|turn| turn.as_str() == word)
    }
}

impl Participant {
    /// Is the person's role as others see it.
    #[must_use]
    pub fn role(&self) -> Role {
        match self.membership {
            _ if self.is_owner => Role::Owner,
            Membership::Member(role) => role,
            Membership::Invited | Membership::Waiting | Membership::Stranger | Membership::Banned => Role::Participant,
        }
    }

    /// Makes the person a member who is inside.
    pub fn come_in(&mut self, now: Timestamp) {
        if !self.membership.is_member() {
            self.membership = Membership::Member(self.role());
        }
        (self.waiting_since, self.last_turn) = (None, None);
        self.presence = self.presence.set(Status::InCall, Sign::Call, now);
    }

    /// Gives the person a place in the lobby, or keeps theirs, for [`LEASE`].
    pub fn wait(&mut self, place: Timestamp, now: Timestamp) {
        self.membership = Membership::Waiting;
        self.last_turn = None;
        self.waiting_since.get_or_insert(place);
        self.presence.until = Some(now.plus(LEASE));
    }

    /// Notes that whoever was let in has come, or will not.
    pub fn arrive(&mut self) {
        self.last_turn = self.last_turn.filter(|turn| *turn != Turn::Admitted);
    }

    /// Forgets everything of a person whose account is no more: what they said stays under a neutral name.
    pub fn forget(&mut self, now: Timestamp) {
        self.part(Turn::Left, now);
        (self.last_turn, self.media, self.read_seq) = (None, MediaState::default(), 0);
        DELETED_NAME.clone_into(&mut self.display_name);
    }

    /// Ends the person's membership, waiting and presence. What a host did to their microphone holds until the
    /// meeting ends, or a host removes them.
    pub fn part(&mut self, turn: Turn, now: Timestamp) {
        self.membership = Membership::Stranger;
        self.last_turn = Some(turn);
        self.waiting_since = None;
        self.call_socket = None;
        // Whoever goes by themselves comes back as muted as they went.
        let muted_by_host = self.media.muted_by_host && matches!(turn, Turn::Left | Turn::Withdrew);
        self.media = MediaState { muted_by_host, ..MediaState::default() };
        self.presence = self.presence.end(now);
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
