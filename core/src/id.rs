//! Identifiers: positive 64-bit integers given by the store, and session ids.

use std::fmt;

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Takes a stored id. `None` when it is not positive: such an id was never given.
            #[must_use]
            pub const fn new(id: i64) -> Option<Self> {
                if id > 0 { Some(Self(id)) } else { None }
            }

            /// Reads an id as it stands in a path. `None` for all that was never given.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                // `i64::from_str` takes a sign; a path segment with one names nothing.
                if !text.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                text.parse().ok().and_then(Self::new)
            }

            /// Gives the integer.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

integer_id!(
    /// Names an account.
    UserId
);
impl UserId {
    /// Stands for whoever works at the machine itself, and for programs: they have no account, and no account ever
    /// has this id.
    pub const CONSOLE: Self = Self(i64::MAX);

    /// Is the id under which the record knows who did something. `None` for who has no account.
    #[must_use]
    pub const fn recorded(self) -> Option<i64> {
        if self.0 == Self::CONSOLE.0 { None } else { Some(self.0) }
    }
}

integer_id!(
    /// Names a key for programs.
    ApiKeyId
);
integer_id!(
    /// Names a room.
    RoomId
);
integer_id!(
    /// Names a person's row in a room: one for each (room, person), for good.
    ParticipantId
);
integer_id!(
    /// Names a message; unique over all rooms.
    MessageId
);

/// Names a session: one sign-in on one device, from login to logout (a UUID in its text form).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(String);

impl SessionId {
    /// Takes a session's id as the store or a verified token holds it.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self(id)
    }

    /// Gives the id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_positive_integer_without_sign_or_blank() {
        assert_eq!(RoomId::parse("7").map(RoomId::get), Some(7));
        assert_eq!(RoomId::parse("9223372036854775807").map(RoomId::get), Some(i64::MAX));
        for text in ["", "0", "-1", "+1", " 1", "1.5", "1e3", "abc", "9223372036854775808"] {
            assert_eq!(RoomId::parse(text), None, "{text:?}");
        }
    }
}
