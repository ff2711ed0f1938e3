//! What hosts do to people in a room.

use crate::id::UserId;
use crate::participant::{Participant, Turn};
use crate::permission::{Action, Membership};
use crate::room::Role;
use crate::time::Timestamp;

/// Is something that a host does to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moderation {
    /// Lets in who waits.
    Admit,
    /// Turns away who waits.
    Deny,
    /// Switches a microphone off.
    Mute,
    /// Ends a membership.
    Kick,
    /// Ends a membership for good.
    Ban,
    /// Lets a banned person come again.
    LiftBan,
    /// Makes a member a moderator.
    Promote,
    /// Makes a moderator an ordinary member.
    Demote,
}

/// Says why nothing was done to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModerationError {
    /// The person does not wait in the lobby.
    #[error("the person does not wait")]
    NotWaiting,
    /// The person does not belong to the room.
    #[error("the person is not in this room")]
    NotInRoom,
}

impl Moderation {
    /// Is the action that it takes, towards somebody.
    #[must_use]
    pub const fn action(self, towards: UserId) -> Action {
        match self {
            Self::Admit => Action::Admit(towards),
            Self::Deny => Action::Deny(towards),
            Self::Mute => Action::Mute(towards),
            Self::Kick => Action::Kick(towards),
            Self::Ban => Action::Ban(towards),
            Self::LiftBan => Action::LiftBan(towards),
            Self::Promote => Action::Promote(towards),
            Self::Demote => Action::Demote(towards),
        }
    }

    /// Says whether it takes from somebody what a resource elsewhere gave them: in a room that it keeps, who runs it
    /// beside the owner is named there and removed there.
    #[must_use]
    pub const fn unseats(self, person: &Participant) -> bool {
        matches!(self, Self::Kick | Self::Ban) && matches!(person.membership, Membership::Member(Role::Moderator))
    }

    /// Does it at `now`. What is so already stays as it is, its version too.
    ///
    /// # Errors
    /// [`ModerationError`].
    pub fn apply(self, person: &Participant, now: Timestamp) -> Result<Participant, ModerationError> {
        let mut after = person.clone();
        match (self, person.membership) {
            (Self::Admit, Membership::Waiting) => {
                after.come_in(now);
                after.last_turn = Some(Turn::Admitted);
            }
            // Another host was faster.
            (Self::Admit, Membership::Member(_)) => {}
            (Self::Deny, Membership::Waiting) => after.part(Turn::Denied, now),
            (Self::Deny, Membership::Stranger) if person.last_turn == Some(Turn::Denied) => {}
            (Self::Admit | Self::Deny, _) => return Err(ModerationError::NotWaiting),
            (Self::Mute, Membership::Member(_)) => {
                after.arrive();
                after.media.muted_by_host = true;
                after.media.audio = false;
            }
            (Self::Kick, Membership::Member(_)) => after.part(Turn::Kicked, now),
            (Self::Kick, Membership::Stranger) if person.last_turn == Some(Turn::Kicked) => {}
            (Self::Promote, Membership::Member(Role::Participant)) => {
                after.membership = Membership::Member(Role::Moderator);
                after.arrive();
            }
            (Self::Demote, Membership::Member(Role::Moderator)) => {
                after.membership = Membership::Member(Role::Participant);
            }
            (Self::Promote | Self::Demote, Membership::Member(_)) => {}
            (Self::Mute | Self::Kick | Self::Promote | Self::Demote, _) => return Err(ModerationError::NotInRoom),
            (Self::Ban, Membership::Banned) => {}
            (Self::Ban, _) => {
                after.part(Turn::Banned, now);
                after.membership = Membership::Banned;
            }
            (Self::LiftBan, Membership::Banned) => (after.membership, after.last_turn) = (Membership::Stranger, None),
            (Self::LiftBan, _) => {}
        }
        if after != *person && after.presence.version == person.presence.version {
            after.presence.version += 1;
        }
        Ok(after)
    }
}

/// Makes a member the owner of a room; who owned it before becomes a moderator, if they still belong to it.
pub fn hand_on(heir: &mut Participant, owner: Option<&mut Participant>) {
    heir.membership = Membership::Member(Role::Owner);
    (heir.is_owner, heir.presence.version) = (true, heir.presence.version + 1);
    if let Some(owner) = owner {
        if owner.membership.is_member() {
            owner.membership = Membership::Member(Role::Moderator);
        }
        (owner.is_owner, owner.presence.version) = (false, owner.presence.version + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ParticipantId, RoomId};
    use crate::participant::MediaState;
    use crate::presence::{Presence, Status};
    use crate::room::tests::user;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn person(membership: Membership) -> Participant {
        Participant {
            id: ParticipantId::new(1).expect("positive"),
            room_id: RoomId::new(1).expect("positive"),
            user_id: user(2),
            display_name: "Ann".into(),
            is_owner: false,
            membership,
            presence: Presence::absent(NOW),
            media: MediaState::default(),
            read_seq: 0,
            call_socket: None,
            waiting_since: (membership == Membership::Waiting).then_some(NOW),
            last_turn: None,
        }
    }

    #[test]
    fn who_is_admitted_is_inside_and_a_second_host_changes_nothing() {
        let inside = Moderation::Admit.apply(&person(Membership::Waiting), NOW).expect("waits");
        assert_eq!(
            (inside.membership, inside.presence.status),
            (Membership::Member(Role::Participant), Status::InCall)
        );
        assert_eq!(Moderation::Admit.apply(&inside, NOW), Ok(inside.clone()));
        assert_eq!(Moderation::Deny.apply(&inside, NOW), Err(ModerationError::NotWaiting));
    }

    #[test]
    fn each_deed_raises_the_version_once_and_repeated_it_changes_nothing() {
        let member = Membership::Member(Role::Participant);
        for (deed, before, after) in [
            (Moderation::Deny, Membership::Waiting, Membership::Stranger),
            (Moderation::Mute, member, member),
            (Moderation::Kick, member, Membership::Stranger),
            (Moderation::Ban, member, Membership::Banned),
            (Moderation::Ban, Membership::Stranger, Membership::Banned),
            (Moderation::Ban, Membership::Waiting, Membership::Banned),
            (Moderation::LiftBan, Membership::Banned, Membership::Stranger),
            (Moderation::Promote, member, Membership::Member(Role::Moderator)),
            (Moderation::Demote, Membership::Member(Role::Moderator), member),
        ] {
            let before = person(before);
            let once = deed.apply(&before, NOW).expect("may be done");
            assert_eq!((once.membership, once.presence.version), (after, before.presence.version + 1), "{deed:?}");
            assert_eq!(deed.apply(&once, NOW), Ok(once.clone()), "{deed:?}");
        }
    }

    #[test]
    fn nothing_is_done_to_who_is_not_there() {
        for deed in [Moderation::Mute, Moderation::Kick, Moderation::Promote, Moderation::Demote] {
            for membership in [Membership::Stranger, Membership::Waiting, Membership::Banned] {
                assert_eq!(deed.apply(&person(membership), NOW), Err(ModerationError::NotInRoom), "{deed:?}");
            }
        }
    }
}
