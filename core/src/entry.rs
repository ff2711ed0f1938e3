//! Coming in: what it takes to enter a room, and who waits until a host lets them.

use crate::id::UserId;
use crate::permission::{Action, Actor, Denied, Membership, permit};
use crate::room::{Phase, Room, Visibility};
use crate::time::Timestamp;

/// Is what somebody showed at the door: a password, or a link code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nothing.
    Nothing,
    /// Something that does not fit.
    Wrong,
    /// What the room asks for.
    Right,
}

/// Is somebody at the door.
#[derive(Debug, Clone, Copy)]
pub struct Visitor {
    /// Who.
    pub actor: Actor,
    /// What they are to the room.
    pub membership: Membership,
    /// What they showed.
    pub shown: Shown,
    /// Whether they are inside already.
    pub is_inside: bool,
    /// How many others are present.
    pub others: i64,
}

/// Is what becomes of a visitor who may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// They are a member, and inside.
    Inside,
    /// They wait in the lobby.
    Lobby,
}

/// Says why somebody may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The room is closed, or does not exist for this person.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// They were banned.
    #[error("you were banned from this room")]
    Banned,
    /// The room opens later.
    #[error("the room is not open yet")]
    NotOpen {
        /// When.
        opens_at: Timestamp,
    },
    /// The room asks for a password.
    #[error("the room needs a password")]
    PasswordRequired,
    /// The password is another.
    #[error("the password is not right")]
    WrongPassword,
    /// As many are inside as the room takes.
    #[error("the room is full")]
    RoomFull,
}

impl EntryError {
    /// Gives the word by which programs know what decided, where it was no rule of who may come at all.
    #[must_use]
    pub const fn decided_by(self) -> Option<&'static str> {
        match self {
            Self::Denied(_) => None,
            Self::Banned => Some("ban"),
            Self::NotOpen { .. } => Some("opens_at"),
            Self::PasswordRequired | Self::WrongPassword => Some("password"),
            Self::RoomFull => Some("capacity"),
        }
    }
}

/// Decides about a visitor at `now`. The owner is never kept out of an open room; who is a member needs
/// neither password nor lobby.
///
/// # Errors
/// [`EntryError`], the reason that would have to change first.
pub fn decide(room: &Room, visitor: Visitor, now: Timestamp) -> Result<Entry, EntryError> {
    let Visitor { actor, membership, shown, is_inside, others } = visitor;
    if membership == Membership::Banned && room.owner_id != actor.user_id {
        return Err(EntryError::Banned);
    }
    let known_as = match membership {
        Membership::Stranger if shown == Shown::Right => Membership::Invited,
        other => other,
    };
    permit(Action::Join, actor, room, known_as, now)?;
    if room.owner_id == actor.user_id {
        return Ok(Entry::Inside);
    }
    if let Phase::NotOpen { opens_at } = room.phase(now) {
        return Err(EntryError::NotOpen { opens_at });
    }
    if !membership.is_member() {
        // Who waits goes on waiting for a host, whatever the room has come to ask for since.
        if membership == Membership::Waiting && room.lobby {
            return Ok(Entry::Lobby);
        }
        match (room.visibility, shown) {
            (Visibility::Public, _) | (_, Shown::Right) => {}
            (Visibility::Password, Shown::Nothing) => return Err(EntryError::PasswordRequired),
            (Visibility::Password, Shown::Wrong) => return Err(EntryError::WrongPassword),
            (Visibility::Private, _) if actor.is_administrator() => {}
            (Visibility::Private, _) => return Err(Denied::NoSuchRoom.into()),
        }
        if room.lobby {
            return Ok(Entry::Lobby);
        }
    }
    // Who is inside keeps their place.
    if !is_inside {
        seat(room, actor.user_id, others)?;
    }
    Ok(Entry::Inside)
}

/// Decides whether the room has a place for somebody beside so many others; the owner's is beyond its capacity.
///
/// # Errors
/// [`EntryError::RoomFull`].
pub fn seat(room: &Room, user_id: UserId, others: i64) -> Result<(), EntryError> {
    if room.owner_id == user_id || others < room.capacity.get() { Ok(()) } else { Err(EntryError::RoomFull) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::Standing;
    use crate::room::tests::{room, user};
    use crate::room::{Capacity, Role};

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn visitor(id: i64, membership: Membership) -> Visitor {
        Visitor {
            actor: Actor { user_id: user(id), standing: Standing::Ordinary },
            membership,
            shown: Shown::Nothing,
            is_inside: false,
            others: 0,
        }
    }

    #[test]
    fn a_ban_holds_whatever_is_shown_and_the_owner_is_never_kept_out() {
        let banned = Visitor { shown: Shown::Right, ..visitor(2, Membership::Banned) };
        assert_eq!(decide(&room(1), banned, NOW), Err(EntryError::Banned));
        let mut strict = room(1);
        (strict.lobby, strict.visibility) = (true, Visibility::Password);
        strict.opens_at = Some(Timestamp::from_millis(5_000));
        let owner = Visitor { others: 1000, ..visitor(1, Membership::Member(Role::Owner)) };
        assert_eq!(decide(&strict, owner, NOW), Ok(Entry::Inside));
        let outside = Visitor { others: 1000, ..visitor(1, Membership::Stranger) };
        assert_eq!(decide(&strict, outside, NOW), Ok(Entry::Inside));
    }

    #[test]
    fn before_its_time_a_room_says_when_and_after_it_that_it_is_closed() {
        let opens_at = Timestamp::from_millis(5_000);
        let mut room = room(1);
        (room.opens_at, room.closes_at) = (Some(opens_at), Some(Timestamp::from_millis(9_000)));
        let member = visitor(2, Membership::Member(Role::Moderator));
        assert_eq!(decide(&room, member, NOW), Err(EntryError::NotOpen { opens_at }));
        assert_eq!(decide(&room, member, opens_at), Ok(Entry::Inside));
        let late = decide(&room, member, Timestamp::from_millis(9_000));
        assert_eq!(late, Err(EntryError::Denied(Denied::RoomClosed)));
    }

    #[test]
    fn a_password_is_asked_of_who_is_no_member_and_a_private_room_is_not_there_without_its_code() {
        let mut guarded = room(1);
        guarded.visibility = Visibility::Password;
        let stranger = visitor(2, Membership::Stranger);
        assert_eq!(decide(&guarded, stranger, NOW), Err(EntryError::PasswordRequired));
        let wrong = Visitor { shown: Shown::Wrong, ..stranger };
        assert_eq!(decide(&guarded, wrong, NOW), Err(EntryError::WrongPassword));
        let right = Visitor { shown: Shown::Right, ..stranger };
        assert_eq!(decide(&guarded, right, NOW), Ok(Entry::Inside));
        assert_eq!(decide(&guarded, visitor(2, Membership::Member(Role::Participant)), NOW), Ok(Entry::Inside));
        let mut hidden = room(1);
        hidden.visibility = Visibility::Private;
        for shown in [Shown::Nothing, Shown::Wrong] {
            let refused = decide(&hidden, Visitor { shown, ..stranger }, NOW);
            assert_eq!(refused, Err(EntryError::Denied(Denied::NoSuchRoom)));
        }
        assert_eq!(decide(&hidden, right, NOW), Ok(Entry::Inside));
    }

    #[test]
    fn the_lobby_is_for_who_is_no_member() {
        let mut room = room(1);
        room.lobby = true;
        for membership in [Membership::Stranger, Membership::Waiting] {
            assert_eq!(decide(&room, visitor(2, membership), NOW), Ok(Entry::Lobby));
        }
        assert_eq!(decide(&room, visitor(2, Membership::Member(Role::Participant)), NOW), Ok(Entry::Inside));
    }

    #[test]
    fn who_waits_shows_what_the_room_asks_for_by_now_once_nobody_has_to_wait() {
        let waiting = visitor(2, Membership::Waiting);
        let mut guarded = room(1);
        (guarded.visibility, guarded.lobby) = (Visibility::Password, true);
        assert_eq!(decide(&guarded, waiting, NOW), Ok(Entry::Lobby));
        guarded.lobby = false;
        assert_eq!(decide(&guarded, waiting, NOW), Err(EntryError::PasswordRequired));
        guarded.visibility = Visibility::Private;
        assert_eq!(decide(&guarded, waiting, NOW), Err(EntryError::Denied(Denied::NoSuchRoom)));
        assert_eq!(decide(&guarded, Visitor { shown: Shown::Right, ..waiting }, NOW), Ok(Entry::Inside));
    }

    proptest! {
        #[test]
        fn nobody_but_the_owner_enters_a_full_room(others in 0..1200i64, capacity in 2..=1000i64, is_inside: bool) {
            let mut room = room(1);
            room.capacity = Capacity::new(capacity).expect("in range");
            let member = Visitor { is_inside, others, ..visitor(2, Membership::Member(Role::Participant)) };
            prop_assert_eq!(decide(&room, member, NOW).is_ok(), is_inside || others < capacity);
        }
    }
}
