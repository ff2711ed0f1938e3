//! Who may do what in a room: one table, asked by every edge.

use crate::account::Standing;
use crate::id::UserId;
use crate::room::{Role, Room};

/// Is who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The person.
    pub user_id: UserId,
    /// Administrator or not.
    pub standing: Standing,
}

/// Says whether a person belongs to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Joined and did not leave; has a role (the owner's follows from the room).
    Member(Role),
    /// Left, or never joined.
    Stranger,
}

/// Is something that a person may want to do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See the room and who is inside.
    SeeRoom,
    /// Become a member and be inside.
    Join,
    /// Read its messages, follow it live, mark it read.
    ReadMessages,
    /// Write a message, set one's status, show that one types.
    Speak,
    /// Change the text of a message by this author.
    EditMessage(UserId),
    /// Delete a message by this author.
    DeleteMessage(UserId),
    /// Change its name and description.
    ChangeRoom,
    /// Close it for good.
    DeleteRoom,
}

/// Says why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// For this person the room does not exist.
    #[error("there is no such room")]
    NoSuchRoom,
    /// Only members may.
    #[error("only members of the room may do this")]
    NotMember,
    /// The room was deleted: it can be read and no more.
    #[error("the room is closed")]
    RoomClosed,
    /// Only people with another role may.
    #[error("this is for the room's owner")]
    NotAllowed,
}

/// Is a person's role in a room: the owner's is the owner's even outside it. `None` for a stranger.
#[must_use]
pub fn role_in(room: &Room, user_id: UserId, membership: Membership) -> Option<Role> {
    match membership {
        _ if room.owner_id == user_id => Some(Role::Owner),
        Membership::Member(role) => Some(role),
        Membership::Stranger => None,
    }
}

/// Decides whether a person may do something in a room.
///
/// # Errors
/// [`Denied`], the reason that would have to change first.
pub fn permit(action: Action, actor: Actor, room: &Room, membership: Membership) -> Result<(), Denied> {
    let role = role_in(room, actor.user_id, membership);
    let is_administrator = actor.standing == Standing::Administrator;
    let is_member = matches!(membership, Membership::Member(_));
    if !room.is_active && role.is_none() && !is_administrator {
        return Err(Denied::NoSuchRoom);
    }
    let open = if room.is_active { Ok(()) } else { Err(Denied::RoomClosed) };
    let member = if is_member { Ok(()) } else { Err(Denied::NotMember) };
    let only_if = |allowed: bool| if allowed { Ok(()) } else { Err(Denied::NotAllowed) };
    match action {
        Action::SeeRoom => Ok(()),
        Action::Join => open,
        Action::ReadMessages => member,
        Action::Speak => member.and(open),
        Action::EditMessage(author) => member.and(open).and(only_if(author == actor.user_id)),
        Action::DeleteMessage(author) => member
            .and(open)
            .and(only_if(author == actor.user_id || matches!(role, Some(Role::Owner | Role::Moderator)))),
        Action::ChangeRoom => {
            only_if(is_administrator || matches!(role, Some(Role::Owner | Role::Moderator))).and(open)
        }
        Action::DeleteRoom => only_if(is_administrator || role == Some(Role::Owner)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::RoomId;
    use crate::room::{DEFAULT_CAPACITY, RoomName, Visibility};
    use crate::time::Timestamp;

    fn user(id: i64) -> UserId {
        UserId::new(id).expect("positive")
    }

    fn room(owner: i64, is_active: bool) -> Room {
        Room {
            id: RoomId::new(1).expect("positive"),
            name: RoomName::from_stored("r".into()),
            owner_id: user(owner),
            is_active,
            created_at: Timestamp::from_millis(0),
            description: None,
            visibility: Visibility::Public,
            capacity: DEFAULT_CAPACITY,
            lobby: false,
            slug: None,
            opens_at: None,
            closes_at: None,
            managed_by: None,
            last_seq: 0,
            rev: 0,
            last_activity_at: Timestamp::from_millis(0),
        }
    }

    fn standings() -> impl Strategy<Value = Standing> {
        prop_oneof![Just(Standing::Ordinary), Just(Standing::Administrator)]
    }

    fn memberships() -> impl Strategy<Value = Membership> {
        prop_oneof![
            Just(Membership::Stranger),
            Just(Membership::Member(Role::Participant)),
            Just(Membership::Member(Role::Moderator)),
        ]
    }

    proptest! {
        #[test]
        fn nobody_but_owner_moderator_and_administrator_changes_a_room(
            owner in 1..4i64, actor in 1..4i64, standing in standings(), membership in memberships(), is_active: bool,
        ) {
            let room = room(owner, is_active);
            let who = Actor { user_id: user(actor), standing };
            let entitled = owner == actor
                || standing == Standing::Administrator
                || membership == Membership::Member(Role::Moderator);
            let changes = permit(Action::ChangeRoom, who, &room, membership);
            prop_assert_eq!(changes.is_ok(), entitled && is_active);
            let deletes = permit(Action::DeleteRoom, who, &room, membership);
            prop_assert_eq!(deletes.is_ok(), owner == actor || standing == Standing::Administrator);
        }

        #[test]
        fn only_members_read_and_only_in_an_open_room_they_speak(
            owner in 1..4i64, actor in 1..4i64, standing in standings(), membership in memberships(), is_active: bool,
        ) {
            let room = room(owner, is_active);
            let who = Actor { user_id: user(actor), standing };
            let is_member = membership != Membership::Stranger;
            prop_assert_eq!(permit(Action::ReadMessages, who, &room, membership).is_ok(), is_member);
            prop_assert_eq!(permit(Action::Speak, who, &room, membership).is_ok(), is_member && is_active);
        }
    }

    #[test]
    fn a_closed_room_does_not_exist_for_strangers_and_stays_for_its_people() {
        let closed = room(1, false);
        let stranger = Actor { user_id: user(2), standing: Standing::Ordinary };
        assert_eq!(permit(Action::SeeRoom, stranger, &closed, Membership::Stranger), Err(Denied::NoSuchRoom));
        let member = Membership::Member(Role::Participant);
        assert_eq!(permit(Action::SeeRoom, stranger, &closed, member), Ok(()));
        assert_eq!(permit(Action::Join, stranger, &closed, member), Err(Denied::RoomClosed));
        assert_eq!(permit(Action::Speak, stranger, &closed, member), Err(Denied::RoomClosed));
    }

    #[test]
    fn an_author_edits_and_deletes_and_the_owner_deletes() {
        let open = room(1, true);
        let member = Membership::Member(Role::Participant);
        let author = Actor { user_id: user(2), standing: Standing::Ordinary };
        let owner = Actor { user_id: user(1), standing: Standing::Ordinary };
        let other = Actor { user_id: user(3), standing: Standing::Ordinary };
        assert_eq!(permit(Action::EditMessage(user(2)), author, &open, member), Ok(()));
        assert_eq!(permit(Action::EditMessage(user(2)), owner, &open, member), Err(Denied::NotAllowed));
        assert_eq!(permit(Action::DeleteMessage(user(2)), owner, &open, member), Ok(()));
        assert_eq!(permit(Action::DeleteMessage(user(2)), other, &open, member), Err(Denied::NotAllowed));
    }
}
