//! Keys by which programs speak for themselves: what they may, and until when.

use crate::text::{self, TextError};
use crate::time::Timestamp;

/// What every key begins with, so that a person, and a scanner of secrets, knows it for one.
pub const PREFIX: &str = "cmk_";

/// Is what a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// To keep rooms as a resource elsewhere says.
    ManageRooms,
}

impl Scope {
    /// Every scope.
    pub const ALL: &'static [Self] = &[Self::ManageRooms];

    /// Gives the word by which programs know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManageRooms => "rooms:manage",
        }
    }

    /// Reads a scope's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == word)
    }
}

/// Says why a key may not be used for what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopesError {
    /// For nothing at all.
    #[error("must hold at least one scope")]
    None,
    /// For something that there is not.
    #[error("must hold nothing but known scopes")]
    Unknown,
}

/// Reads what a key may be used for: at least one thing, each once.
///
/// # Errors
/// [`ScopesError`].
pub fn scopes(words: &[String]) -> Result<Vec<Scope>, ScopesError> {
    let mut scopes = Vec::new();
    for word in words {
        let scope = Scope::parse(word).ok_or(ScopesError::Unknown)?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() { Err(ScopesError::None) } else { Ok(scopes) }
}

/// Is the name under which people know a key: 1–100 characters, one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// Reads a name; white space at the ends is dropped.
    ///
    /// # Errors
    /// Those of [`text::parse_name`].
    pub fn parse(text: &str) -> Result<Self, TextError> {
        text::parse_name(text, 1, 100).map(Self)
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

/// Says whether a key is good at `now`.
#[must_use]
pub fn is_good(revoked_at: Option<Timestamp>, expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    revoked_at.is_none() && expires_at.is_none_or(|expires_at| expires_at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_until_it_is_revoked_or_ends() {
        let [before, now, after] = [1, 2, 3].map(Timestamp::from_millis);
        assert!(is_good(None, None, now) && is_good(None, Some(after), now));
        assert!(!is_good(None, Some(now), now) && !is_good(None, Some(before), now));
        assert!(!is_good(Some(before), Some(after), now));
    }

    #[test]
    fn a_scope_is_its_word() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
        }
        assert_eq!(Scope::parse("rooms"), None);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(scopes(&words(&["rooms:manage", "rooms:manage"])), Ok(vec![Scope::ManageRooms]));
        assert_eq!(scopes(&words(&["rooms:manage", "rooms"])), Err(ScopesError::Unknown));
        assert_eq!(scopes(&[]), Err(ScopesError::None));
    }
}
