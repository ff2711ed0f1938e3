//! Rooms that a resource elsewhere describes: who keeps them, and when one may be taken over.

use crate::room::Room;
use crate::text::TextError;

/// Names who keeps rooms: one cluster, as its operator calls itself. 1–128 of a–z, A–Z, 0–9, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ManagerName(String);

/// Names the resource that describes a room, once in the life of its manager: its uid. Of the same characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceUid(String);

/// Tells versions of a secret apart without being one: whoever sets a room's password names its version, and
/// later sees which one the room has. 1–128 of the same characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PasswordVersion(String);

macro_rules! word {
    ($name:ident) => {
        impl $name {
            /// Reads the word.
            ///
            /// # Errors
            /// [`TextError::Blank`], [`TextError::TooLong`] or [`TextError::Malformed`].
            pub fn parse(text: &str) -> Result<Self, TextError> {
                parse(text).map(Self)
            }

            /// Gives the word's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}
word!(ManagerName);
word!(ResourceUid);
word!(PasswordVersion);

/// How long a word may be.
const MAX_CHARS: usize = 128;

fn parse(text: &str) -> Result<String, TextError> {
    if text.is_empty() {
        return Err(TextError::Blank);
    }
    if text.len() > MAX_CHARS {
        return Err(TextError::TooLong { max: MAX_CHARS });
    }
    let is_sound = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    // Either would be a step to another place in a path.
    if !is_sound || text == "." || text == ".." { Err(TextError::Malformed) } else { Ok(text.to_owned()) }
}

/// Is the resource that keeps a room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Keeper {
    /// Its cluster.
    pub manager: ManagerName,
    /// The resource in it.
    pub uid: ResourceUid,
}

/// Says why a resource may not take a room over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// There is no such room, or it was deleted.
    #[error("there is no such room")]
    NoSuchRoom,
    /// Another resource keeps it.
    #[error("another resource keeps the room")]
    KeptElsewhere,
}

/// Decides whether a resource may take over the room that it names; `forced` takes it from another.
///
/// # Errors
/// [`AdoptError`].
pub fn adopt(room: Option<&Room>, forced: bool) -> Result<(), AdoptError> {
    match room {
        Some(Room { is_active: true, managed_by: None, .. }) => Ok(()),
        Some(Room { is_active: true, .. }) if forced => Ok(()),
        Some(Room { is_active: true, .. }) => Err(AdoptError::KeptElsewhere),
        Some(_) | None => Err(AdoptError::NoSuchRoom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::tests::room;

    #[test]
    fn a_room_is_taken_over_from_nobody_but_by_force() {
        let mut kept = room(1);
        assert_eq!(adopt(Some(&kept), false), Ok(()));
        kept.managed_by = Some("elsewhere".to_owned());
        assert_eq!(adopt(Some(&kept), false), Err(AdoptError::KeptElsewhere));
        assert_eq!(adopt(Some(&kept), true), Ok(()));
        kept.is_active = false;
        assert_eq!(adopt(Some(&kept), true), Err(AdoptError::NoSuchRoom));
        assert_eq!(adopt(None, true), Err(AdoptError::NoSuchRoom));
    }

    #[test]
    fn a_keeper_is_named_by_words_that_fit_into_a_path() {
        for good in ["a", "6c1f9d1e-2e55-4d2c-9d0f-5f6a3a0e7c11", "prod.eu_1", &"x".repeat(128)] {
            assert_eq!(ManagerName::parse(good).as_ref().map(ManagerName::as_str), Ok(good));
        }
        assert_eq!(ResourceUid::parse(""), Err(TextError::Blank));
        assert_eq!(ResourceUid::parse(&"x".repeat(129)), Err(TextError::TooLong { max: 128 }));
        for bad in [".", "..", "a/b", "a b", "é", "a\n", "%2e"] {
            assert_eq!(ResourceUid::parse(bad), Err(TextError::Malformed), "{bad:?}");
        }
    }
}
