//! What a room is found and entered by in links, and how many it takes.

use std::fmt;

use crate::text::{self, TextError};

/// Is how many people a room takes: 2–1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity(i64);

impl Capacity {
    /// The least.
    pub const MIN: i64 = 2;
    /// The greatest.
    pub const MAX: i64 = 1000;

    /// Takes a number of people. `None` outside the range.
    #[must_use]
    pub const fn new(people: i64) -> Option<Self> {
        if people >= Self::MIN && people <= Self::MAX { Some(Self(people)) } else { None }
    }

    /// Gives the number of people.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// How many people a room takes unless its owner says otherwise.
impl Default for Capacity {
    fn default() -> Self {
        Self(50)
    }
}

/// Is a room's name in links: 3–63 of a–z, 0–9 and `-`, which stands at neither end; not digits alone, for
/// those are ids, and none of the words that paths need.
///
/// Latin letters only: no look-alike of another script can pose as somebody's room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

/// The words that name no room.
const RESERVED: &[&str] = &[
    "about",
    "account",
    "accounts",
    "admin",
    "all",
    "api",
    "api-keys",
    "app",
    "assets",
    "audit",
    "auth",
    "cloudmeet",
    "conference",
    "create",
    "delete",
    "docs",
    "edit",
    "events",
    "export",
    "favicon",
    "gateway",
    "health",
    "help",
    "home",
    "index",
    "internal",
    "join",
    "livez",
    "login",
    "logout",
    "managed",
    "managed-rooms",
    "me",
    "metrics",
    "new",
    "null",
    "openapi",
    "public",
    "readyz",
    "redoc",
    "register",
    "robots",
    "room",
    "rooms",
    "root",
    "search",
    "security",
    "settings",
    "setup",
    "signin",
    "signup",
    "static",
    "status",
    "support",
    "system",
    "undefined",
    "user",
    "users",
    "well-known",
    "www",
];

impl Slug {
    /// Reads a slug.
    ///
    /// # Errors
    /// [`TextError::TooShort`], [`TextError::TooLong`], [`TextError::Malformed`] or [`TextError::Reserved`].
    pub fn parse(text: &str) -> Result<Self, TextError> {
        text::check_length(text, 3, 63)?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain || is_number || text.starts_with('-') || text.ends_with('-') {
            return Err(TextError::Malformed);
        }
        if RESERVED.contains(&text) { Err(TextError::Reserved) } else { Ok(Self(text.to_owned())) }
    }

    /// Takes a slug that the store holds.
    #[must_use]
    pub fn from_stored(slug: String) -> Self {
        Self(slug)
    }

    /// Gives the slug's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Is the secret in a private room's link: whoever holds it may know of the room and come in.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkCode(String);

impl LinkCode {
    /// Takes a code that the store holds, or that somebody showed.
    #[must_use]
    pub fn new(code: String) -> Self {
        Self(code)
    }

    /// Gives the code, for the store and for who may hand it on.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_plain_latin_and_neither_a_number_nor_a_word_of_ours() {
        for good in ["abc", "team-1", "1-2", "a".repeat(63).as_str()] {
            assert!(Slug::parse(good).is_ok(), "{good:?}");
        }
        assert_eq!(Slug::parse("ab"), Err(TextError::TooShort { min: 3 }));
        assert_eq!(Slug::parse(&"a".repeat(64)), Err(TextError::TooLong { max: 63 }));
        // The fourth has a Cyrillic letter that looks like ours.
        for bad in ["123", "-abc", "abc-", "t\u{435}am", "Team", "a b", "a_b", "a.b", "a/b"] {
            assert_eq!(Slug::parse(bad), Err(TextError::Malformed), "{bad:?}");
        }
        for reserved in ["admin", "api", "new"] {
            assert_eq!(Slug::parse(reserved), Err(TextError::Reserved), "{reserved:?}");
        }
    }
}
