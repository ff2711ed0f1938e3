//! Who may do what in a room: one table, asked by every edge.

use crate::account::Standing;
use crate::id::UserId;
use crate::room::{Phase, Role, Room, Visibility};
use crate::time::Timestamp;

/// Is who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The person.
    pub user_id: UserId,
    /// Administrator or not.
    pub standing: Standing,
}

impl Actor {
    /// Says whether the person administers the installation.
    #[must_use]
    pub const fn is_administrator(self) -> bool {
        matches!(self.standing, Standing::Administrator)
    }
}

/// Says whether a person belongs to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Joined and did not leave; has a role (the owner's follows from the room).
    Member(Role),
    /// Has shown that they may know of the room, by its link code.
    Invited,
    /// Waits in the lobby.
    Waiting,
    /// Left, or never joined.
    Stranger,
    /// May not come in until somebody lifts the ban.
    Banned,
}

impl Membership {
    /// Says whether the person has joined and did not leave.
    #[must_use]
    pub const fn is_member(self) -> bool {
        matches!(self, Self::Member(_))
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $(($payload:ty))? = $word:literal, $who:ident, $when:ident;)*) => {
        /// Is something that a person may want to do in a room.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $name $(($payload))?,)*
        }

        impl Action {
            /// Gives the rule that decides about it.
            #[must_use]
            pub const fn rule(self) -> Rule {
                match self { $(actions!(@pattern $name $(($payload))?) => Rule {
                    action: $word, who: Who::$who, when: When::$when,
                },)* }
            }
        }

        /// The whole table: one rule an action.
        pub const RULES: &[Rule] = &[$(Rule { action: $word, who: Who::$who, when: When::$when }),*];

        /// Finds the action of a word, towards somebody (a message's author, or the object of the deed)
        /// where it needs one. `None` for a word that is no action.
        #[must_use]
        pub fn action(word: &str, towards: UserId) -> Option<Action> {
            Some(match word {
                $($word => actions!(@make towards $name $(($payload))?),)*
                _ => return None,
            })
        }
    };
    (@pattern $name:ident ($payload:ty)) => { Self::$name(_) };
    (@pattern $name:ident) => { Self::$name };
    (@make $towards:ident $name:ident ($payload:ty)) => { Action::$name($towards) };
    (@make $towards:ident $name:ident) => { Action::$name };
}

actions! {
    /// See the room and who is inside.
    SeeRoom = "see_room", Anybody, Ever;
    /// Become a member and be inside; what else it takes to enter says [`crate::entry`].
    Join = "join", Anybody, Open;
    /// End one's membership, or stop waiting.
    Leave = "leave", MemberOrWaiting, Ever;
    /// Read its messages, follow it live, search them, mark them read.
    ReadMessages = "read_messages", Member, Ever;
    /// Write a message, set one's status, show that one types, what one's microphone does, or a reaction.
    Speak = "send_message", Member, Open;
    /// Change the text of a message by this author.
    EditMessage(UserId) = "edit_message", Author, Open;
    /// Delete a message by this author.
    DeleteMessage(UserId) = "delete_message", AuthorOrHost, Open;
    /// Change its settings.
    ChangeRoom = "change_room", HostOrAdministrator, Active;
    /// Close it for good.
    DeleteRoom = "delete_room", OwnerOrAdministrator, Ever;
    /// End the meeting for everybody; the room stays.
    EndMeeting = "end_meeting", HostOrAdministrator, Active;
    /// Give the room another owner.
    HandOn = "hand_on", OwnerOrAdministrator, Active;
    /// Read the link code of a private room.
    ReadLinkCode = "read_link_code", HostOrAdministrator, Active;
    /// Give a private room a new link code: the old one lets nobody in any more.
    RenewLinkCode = "renew_link_code", OwnerOrAdministrator, Active;
    /// See who belongs to the room, present or not.
    SeeMembers = "see_members", Member, Ever;
    /// See who waits in the lobby.
    SeeLobby = "see_lobby", Host, Active;
    /// See who was banned.
    SeeBans = "see_bans", Host, Active;
    /// Let somebody in who waits.
    Admit(UserId) = "admit", HostTowardsOthers, Active;
    /// Turn somebody away who waits.
    Deny(UserId) = "deny", HostTowardsOthers, Active;
    /// Let everybody in who waits.
    AdmitAll = "admit_all", Host, Active;
    /// Switch somebody's microphone off.
    Mute(UserId) = "mute", HostTowardsOthers, Active;
    /// End somebody's membership; they may come again.
    Kick(UserId) = "kick", HostTowardsOthers, Active;
    /// End somebody's membership, and let them not come again.
    Ban(UserId) = "ban", HostTowardsOthers, Active;
    /// Let somebody come again.
    LiftBan(UserId) = "lift_ban", HostTowardsOthers, Active;
    /// Make a member a moderator.
    Promote(UserId) = "promote", HostTowardsOthers, Active;
    /// Make a moderator an ordinary member.
    Demote(UserId) = "demote", HostTowardsOthers, Active;
    /// Take its whole history along.
    Export = "export", OwnerOrAdministrator, Ever;
    /// Read who did what in it.
    ReadAudit = "read_audit", OwnerOrAdministrator, Ever;
}

/// Is a line of the table: who may do something, and in which state of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The action's word.
    pub action: &'static str,
    /// Who may.
    pub who: Who,
    /// In which state of the room.
    pub when: When,
}

/// Says who may. A host is the owner or a moderator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody for whom the room exists.
    Anybody,
    /// Who has joined.
    Member,
    /// Who has joined, or waits to.
    MemberOrWaiting,
    /// The member who wrote it.
    Author,
    /// The member who wrote it, and hosts who are members.
    AuthorOrHost,
    /// Hosts.
    Host,
    /// Hosts, towards everybody but the owner.
    HostTowardsOthers,
    /// Hosts and administrators.
    HostOrAdministrator,
    /// The owner and administrators.
    OwnerOrAdministrator,
}

impl Who {
    /// Gives the word by which programs know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Member => "member",
            Self::MemberOrWaiting => "member_or_waiting",
            Self::Author => "author",
            Self::AuthorOrHost => "author_or_host",
            Self::Host => "host",
            Self::HostTowardsOthers => "host_towards_others",
            Self::HostOrAdministrator => "host_or_administrator",
            Self::OwnerOrAdministrator => "owner_or_administrator",
        }
    }
}

/// Says in which state of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In any.
    Ever,
    /// While it is not deleted.
    Active,
    /// While it is neither deleted nor past its end.
    Open,
}

impl When {
    /// Gives the word by which programs know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ever => "ever",
            Self::Active => "active",
            Self::Open => "open",
        }
    }
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
    /// The room was deleted, or is past its end: it can be read and no more.
    #[error("the room is closed")]
    RoomClosed,
    /// Only people with another role may.
    #[error("this is for people with another role in the room")]
    NotAllowed,
    /// Nobody may do this to the room's owner.
    #[error("nobody may do this to the room's owner")]
    AgainstOwner,
    /// A resource elsewhere decides about this: it is changed there.
    #[error("the room is managed elsewhere")]
    Managed,
}

impl Denied {
    /// Gives the word by which programs know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchRoom => "room_not_found",
            Self::NotMember => "not_member",
            Self::RoomClosed => "room_closed",
            Self::NotAllowed => "forbidden",
            Self::AgainstOwner => "against_owner",
            Self::Managed => "managed_elsewhere",
        }
    }
}

/// Is a person's role in a room: the owner's is the owner's even outside it. `None` for a stranger.
#[must_use]
pub fn role_in(room: &Room, user_id: UserId, membership: Membership) -> Option<Role> {
    match membership {
        _ if room.owner_id == user_id => Some(Role::Owner),
        Membership::Member(role) => Some(role),
        Membership::Invited | Membership::Waiting | Membership::Stranger | Membership::Banned => None,
    }
}

/// Says whether a room exists for a person: a private one does for its people and who shows its link code,
/// a deleted one for its people; for administrators every one.
#[must_use]
pub fn sees(actor: Actor, room: &Room, membership: Membership) -> bool {
    let belongs = role_in(room, actor.user_id, membership).is_some();
    let is_let_know = matches!(membership, Membership::Invited | Membership::Waiting);
    actor.is_administrator() || belongs || (room.is_active && (room.visibility != Visibility::Private || is_let_know))
}

/// Says whether a person may know the names of those inside: in a password room only who belongs to it.
#[must_use]
pub fn sees_people(actor: Actor, room: &Room, membership: Membership) -> bool {
    actor.is_administrator()
        || room.visibility != Visibility::Password
        || role_in(room, actor.user_id, membership).is_some()
}

/// Decides whether a person may do something in a room at `now`.
///
/// # Errors
/// [`Denied`], the reason that would have to change first.
pub fn permit(action: Action, actor: Actor, room: &Room, membership: Membership, now: Timestamp) -> Result<(), Denied> {
    if !sees(actor, room, membership) {
        return Err(Denied::NoSuchRoom);
    }
    let Rule { who, when, .. } = action.rule();
    let is_in_time = match when {
        When::Ever => true,
        When::Active => room.is_active,
        When::Open => !matches!(room.phase(now), Phase::Over | Phase::Deleted),
    };
    let in_time = if is_in_time { Ok(()) } else { Err(Denied::RoomClosed) };
    let is_administrator = actor.is_administrator();
    let role = role_in(room, actor.user_id, membership);
    let is_host = matches!(role, Some(Role::Owner | Role::Moderator));
    let member = if membership.is_member() { Ok(()) } else { Err(Denied::NotMember) };
    let only_if = |allowed: bool| if allowed { Ok(()) } else { Err(Denied::NotAllowed) };
    let is_managed = room.is_active && room.managed_by.is_some();
    let here = if action.is_kept() && is_managed { Err(Denied::Managed) } else { Ok(()) };
    match who {
        Who::Anybody => in_time,
        Who::Member => member.and(in_time),
        Who::MemberOrWaiting if membership == Membership::Waiting => in_time,
        Who::MemberOrWaiting => member.and(in_time),
        Who::Author => member.and(in_time).and(only_if(action.towards() == Some(actor.user_id))),
        Who::AuthorOrHost => member.and(in_time).and(only_if(is_host || action.towards() == Some(actor.user_id))),
        Who::Host => only_if(is_host).and(in_time),
        Who::HostTowardsOthers => {
            let is_owner = action.towards() == Some(room.owner_id);
            only_if(is_host).and(if is_owner { Err(Denied::AgainstOwner) } else { Ok(()) }).and(in_time).and(here)
        }
        Who::HostOrAdministrator => only_if(is_host || is_administrator).and(in_time).and(here),
        Who::OwnerOrAdministrator => only_if(role == Some(Role::Owner) || is_administrator).and(in_time).and(here),
    }
}

/// Says whether a person may read the record of deeds of all rooms.
#[must_use]
pub const fn reads_all_deeds(actor: Actor) -> bool {
    actor.is_administrator()
}

/// Says whether a person may do things to accounts of others, and to keys for programs.
#[must_use]
pub const fn administers(actor: Actor) -> bool {
    actor.is_administrator()
}

/// Gives the words of everything that a person may do in a room at `now`: with their own messages where it
/// is about what somebody wrote, towards others where it is done to somebody.
#[must_use]
pub fn allowed(actor: Actor, room: &Room, membership: Membership, now: Timestamp) -> Vec<&'static str> {
    let words = RULES.iter().map(|rule| rule.action);
    words
        .filter(|word| {
            let action = action(word, usual_object(word, actor.user_id));
            action.is_some_and(|action| permit(action, actor, room, membership, now).is_ok())
        })
        .collect()
}

/// Stands for whoever it may be.
pub const SOMEBODY: UserId = UserId::new(i64::MAX).expect("positive");

/// Is towards whom somebody usually acts: one edits what one wrote oneself, everything else is done to others.
#[must_use]
pub fn usual_object(word: &str, actor: UserId) -> UserId {
    if word == Action::EditMessage(SOMEBODY).rule().action { actor } else { SOMEBODY }
}

impl Action {
    /// Says whether it changes what a resource elsewhere says of a room that it keeps: there nobody does it but by
    /// the resource, whatever else they may.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::ChangeRoom | Self::DeleteRoom | Self::HandOn | Self::Promote(_) | Self::Demote(_))
    }

    /// Is the person whose message it is about, or to whom it is done.
    #[must_use]
    pub const fn towards(self) -> Option<UserId> {
        match self {
            Self::EditMessage(person)
            | Self::DeleteMessage(person)
            | Self::Admit(person)
            | Self::Deny(person)
            | Self::Mute(person)
            | Self::Kick(person)
            | Self::Ban(person)
            | Self::LiftBan(person)
            | Self::Promote(person)
            | Self::Demote(person) => Some(person),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
