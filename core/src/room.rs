//! Rooms: places that stay, with an owner, a history and rules.

mod names;
mod settings;

pub use names::{Capacity, LinkCode, Slug};
pub use settings::{RoomPassword, RoomPatch, Settings, SettingsError};

use crate::id::{RoomId, UserId};
use crate::text::{self, TextError};
use crate::time::{Span, Timestamp};

/// Is a room's name: 1–255 characters after trimming, one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoomName(String);

impl RoomName {
    /// Reads a name; white space at the ends is dropped.
    ///
    /// # Errors
    /// Those of [`text::parse_name`].
    pub fn parse(text: &str) -> Result<Self, TextError> {
        text::parse_name(text, 1, 255).map(Self)
    }

    /// Takes a name that the store holds.
    #[must_use]
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// Gives the name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Is what a room is for, in its owner's words: at most 2,000 characters, line breaks allowed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Description(String);

impl Description {
    /// Reads a description. `None` when it is blank: the room has none.
    ///
    /// # Errors
    /// [`TextError::TooLong`] or [`TextError::ControlCharacters`].
    pub fn parse(text: &str) -> Result<Option<Self>, TextError> {
        text::check_length(text, 0, 2000)?;
        if text.chars().any(|c| text::is_forbidden_in_names(c) && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(TextError::ControlCharacters);
        }
        let description = text.trim();
        Ok((!text::is_blank(description)).then(|| Self(description.to_owned())))
    }

    /// Takes a description that the store holds.
    #[must_use]
    pub fn from_stored(description: String) -> Self {
        Self(description)
    }

    /// Gives the description's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says who may see and enter a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everyone signed in sees it and who is inside.
    Public,
    /// Its members, and who holds its link code.
    Private,
    /// Everyone sees it; entering needs its password.
    Password,
}

impl Visibility {
    /// Gives the word that stands on the wire and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Password => "password",
        }
    }

    /// Reads that word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Public, Self::Private, Self::Password].into_iter().find(|v| v.as_str() == word)
    }
}

/// Is what a member is to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Owns it.
    Owner,
    /// Runs it beside the owner.
    Moderator,
    /// Takes part.
    Participant,
}

impl Role {
    /// Gives the word that stands on the wire and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Moderator => "moderator",
            Self::Participant => "participant",
        }
    }

    /// Reads that word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Owner, Self::Moderator, Self::Participant].into_iter().find(|r| r.as_str() == word)
    }
}

/// How long before its end the people in a room are told of it.
pub const CLOSING_NOTICE: Span = Span::minutes(5);

/// Says where a room is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nobody but its owner enters yet.
    NotOpen {
        /// When it opens.
        opens_at: Timestamp,
    },
    /// People may come.
    Open,
    /// It has ended by its schedule: it can be read and no more.
    Over,
    /// It was deleted: it can be read and no more.
    Deleted,
}

/// Is a room as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: RoomName,
    /// Whose it is.
    pub owner_id: UserId,
    /// Whether it is open; a deleted room stays readable for its members.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it is for.
    pub description: Option<Description>,
    /// Who may see and enter it.
    pub visibility: Visibility,
    /// How many people it takes.
    pub capacity: Capacity,
    /// Whether people wait until they are admitted.
    pub lobby: bool,
    /// Its name in links.
    pub slug: Option<Slug>,
    /// Before this nobody but its owner enters.
    pub opens_at: Option<Timestamp>,
    /// At this it ends.
    pub closes_at: Option<Timestamp>,
    /// The controller that keeps it, if one does.
    pub managed_by: Option<String>,
    /// The sequence number of its newest message; 0 without any.
    pub last_seq: i64,
    /// How many edits and deletions its history has seen.
    pub rev: i64,
    /// When something last happened in it.
    pub last_activity_at: Timestamp,
    /// How often it was ended for everybody.
    pub ends: i64,
}

impl Room {
    /// Is what the room is like.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            name: self.name.clone(),
            description: self.description.clone(),
            visibility: self.visibility,
            capacity: self.capacity,
            lobby: self.lobby,
            slug: self.slug.clone(),
            opens_at: self.opens_at,
            closes_at: self.closes_at,
        }
    }

    /// Is the room with other settings.
    #[must_use]
    pub fn with(self, settings: Settings) -> Self {
        let Settings { name, description, visibility, capacity, lobby, slug, opens_at, closes_at } = settings;
        Self { name, description, visibility, capacity, lobby, slug, opens_at, closes_at, ..self }
    }

    /// Says where the room is in its life at `now`.
    #[must_use]
    pub fn phase(&self, now: Timestamp) -> Phase {
        match (self.is_active, self.opens_at, self.closes_at) {
            (false, ..) => Phase::Deleted,
            (true, _, Some(closes_at)) if closes_at <= now => Phase::Over,
            (true, Some(opens_at), _) if opens_at > now => Phase::NotOpen { opens_at },
            _ => Phase::Open,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn user(id: i64) -> UserId {
        UserId::new(id).expect("positive")
    }

    /// An open public room of an owner.
    pub(crate) fn room(owner: i64) -> Room {
        Room {
            id: RoomId::new(1).expect("positive"),
            name: RoomName::from_stored("r".into()),
            owner_id: user(owner),
            is_active: true,
            created_at: Timestamp::from_millis(0),
            description: None,
            visibility: Visibility::Public,
            capacity: Capacity::default(),
            lobby: false,
            slug: None,
            opens_at: None,
            closes_at: None,
            managed_by: None,
            last_seq: 0,
            rev: 0,
            last_activity_at: Timestamp::from_millis(0),
            ends: 0,
        }
    }

    #[test]
    fn a_room_opens_and_ends_to_the_moment_and_deleted_it_is_nothing_else() {
        let at = Timestamp::from_millis;
        let mut scheduled = room(1);
        (scheduled.opens_at, scheduled.closes_at) = (Some(at(10)), Some(at(20)));
        assert_eq!(scheduled.phase(at(9)), Phase::NotOpen { opens_at: at(10) });
        assert_eq!(scheduled.phase(at(10)), Phase::Open);
        assert_eq!(scheduled.phase(at(19)), Phase::Open);
        assert_eq!(scheduled.phase(at(20)), Phase::Over);
        scheduled.is_active = false;
        assert_eq!(scheduled.phase(at(15)), Phase::Deleted);
    }

    #[test]
    fn a_description_may_have_lines_and_a_blank_one_is_none() {
        assert_eq!(Description::parse("two\nlines").map(|d| d.map(|d| d.0)), Ok(Some("two\nlines".into())));
        assert_eq!(Description::parse(" \n "), Ok(None));
        assert_eq!(Description::parse("a\0"), Err(TextError::ControlCharacters));
        assert_eq!(Description::parse(&"x".repeat(2001)), Err(TextError::TooLong { max: 2000 }));
    }

    #[test]
    fn words_of_roles_and_visibilities_read_back() {
        for role in [Role::Owner, Role::Moderator, Role::Participant] {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Visibility::parse("public"), Some(Visibility::Public));
        assert_eq!(Visibility::parse("Public"), None);
    }
}
