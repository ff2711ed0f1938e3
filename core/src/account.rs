//! Accounts: who may sign in, and under which names.

use std::fmt;

use crate::id::UserId;
use crate::text::{self, TextError};
use crate::time::Timestamp;

/// Is an e-mail address in its stored form: lower case, so that one person has one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The greatest length in characters (RFC 5321, 4.5.3.1.3, less the angle brackets).
    pub const MAX_CHARS: usize = 254;

    /// Reads an address: one `@`, a local part, a domain with a dot or a bare host name, and no
    /// character that would let it pose as another or break out of a header line.
    ///
    /// # Errors
    /// [`TextError::Blank`], [`TextError::TooLong`], [`TextError::ControlCharacters`] or
    /// [`TextError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let address = text::parse_name(text, 1, Self::MAX_CHARS)?.to_lowercase();
        // Lower-casing may lengthen a text (İ becomes two code points).
        text::check_length(&address, 1, Self::MAX_CHARS)?;
        let (local, domain) = address.rsplit_once('@').ok_or(TextError::Malformed)?;
        let local_is_sound = !local.is_empty()
            && local.len() <= 64
            && !local.chars().any(|c| c.is_whitespace() || "@<>()[],;:\\\"".contains(c))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let label_is_sound = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let domain_is_sound = domain.contains('.') && domain.split('.').all(label_is_sound);
        if local_is_sound && domain_is_sound { Ok(Self(address)) } else { Err(TextError::Malformed) }
    }

    /// Takes an address that the store holds.
    #[must_use]
    pub fn from_stored(address: String) -> Self {
        Self(address)
    }

    /// Gives the normalised address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Is the name under which others see a person: 2–100 characters, one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a name; white space at the ends is dropped.
    ///
    /// # Errors
    /// Those of [`text::parse_name`].
    pub fn parse(text: &str) -> Result<Self, TextError> {
        text::parse_name(text, 2, 100).map(Self)
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

/// Tells administrators from everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// May do everything on this installation.
    Administrator,
    /// Everybody else.
    Ordinary,
}

/// Is one person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// Its address, unique without regard to case.
    pub email: Email,
    /// The name others see.
    pub display_name: DisplayName,
    /// Whether it may sign in.
    pub is_active: bool,
    /// Administrator or not.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Says who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Everybody who reaches the server.
    Open,
    /// Only who holds a setup code.
    Closed,
}

/// Says how the first administrator comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstAdministrator {
    /// The first account of an empty installation: only people of this machine reach it.
    FirstAccount,
    /// Whoever registers with the setup code that the server printed.
    SetupCode,
}

/// Says what a registration brings along as proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupProof {
    /// No setup code.
    Absent,
    /// A setup code that is valid and unspent.
    Valid,
    /// A setup code that is unknown, spent or too old.
    Invalid,
}

/// Says why a registration is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// Registration is closed and no setup code came.
    #[error("registration is closed")]
    Closed,
    /// The setup code is unknown, spent or too old.
    #[error("the setup code is not valid")]
    InvalidSetupCode,
}

/// Decides what a new account becomes.
///
/// # Errors
/// [`RegistrationError::Closed`] or [`RegistrationError::InvalidSetupCode`].
pub fn admit(
    registration: Registration,
    first: FirstAdministrator,
    proof: SetupProof,
    installation_is_empty: bool,
) -> Result<Standing, RegistrationError> {
    match (proof, registration) {
        (SetupProof::Valid, _) => Ok(Standing::Administrator),
        (SetupProof::Invalid, _) => Err(RegistrationError::InvalidSetupCode),
        (SetupProof::Absent, Registration::Closed) => Err(RegistrationError::Closed),
        (SetupProof::Absent, Registration::Open) => Ok(match first {
            FirstAdministrator::FirstAccount if installation_is_empty => Standing::Administrator,
            _ => Standing::Ordinary,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_stored_without_regard_to_case() {
        assert_eq!(Email::parse(" User@Example.ORG ").map(|e| e.0), Ok("user@example.org".into()));
        assert_eq!(Email::parse("Ваня@Пример.РФ").map(|e| e.0), Ok("ваня@пример.рф".into()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["a", "@b.c", "a@", "a@b", "a b@c.d", "a@b..c", "a@-b.c", "a,b@c.d", "a@b.c>", ".a@b.c"] {
            assert_eq!(Email::parse(text), Err(TextError::Malformed), "{text}");
        }
        let long = format!("{}@{}.org", "a".repeat(60), "b.".repeat(100));
        assert_eq!(Email::parse(&long), Err(TextError::TooLong { max: 254 }));
        assert_eq!(Email::parse("a\r\n@b.c"), Err(TextError::ControlCharacters));
    }

    #[test]
    fn only_a_setup_code_or_the_first_local_account_makes_an_administrator() {
        use FirstAdministrator::{FirstAccount, SetupCode};
        use Registration::{Closed, Open};
        use SetupProof::{Absent, Invalid, Valid};
        assert_eq!(admit(Open, FirstAccount, Absent, true), Ok(Standing::Administrator));
        assert_eq!(admit(Open, FirstAccount, Absent, false), Ok(Standing::Ordinary));
        assert_eq!(admit(Open, SetupCode, Absent, true), Ok(Standing::Ordinary));
        assert_eq!(admit(Closed, SetupCode, Valid, false), Ok(Standing::Administrator));
        assert_eq!(admit(Closed, SetupCode, Absent, true), Err(RegistrationError::Closed));
        assert_eq!(admit(Open, FirstAccount, Invalid, true), Err(RegistrationError::InvalidSetupCode));
    }
}
