//! Accounts: who may sign in, and under which names.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use crate::id::UserId;
use crate::password::PasswordHash;
use crate::text::{self, TextError};
use crate::time::Timestamp;

/// Is an e-mail address in its stored form: lower case and normal form C, so that one person has one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The greatest length in characters (RFC 5321, 4.5.3.1.3, less the angle brackets).
    pub const MAX_CHARS: usize = 254;

    /// Reads an address, lower-cased and in normal form C: one `@`, a local part, a domain with a dot or a bare
    /// host name, and no character that would let it pose as another or break out of a header line.
    ///
    /// # Errors
    /// [`TextError::Blank`], [`TextError::TooLong`], [`TextError::ControlCharacters`] or
    /// [`TextError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, TextError> {
        // One address however its letters are put together (UAX 15): é is one code point or two.
        let address: String = text::parse_name(text, 1, Self::MAX_CHARS)?.to_lowercase().nfc().collect();
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

/// Is the name under which stands what a person said whose account was deleted.
pub const DELETED_NAME: &str = "Deleted user";

/// Tells administrators from everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// May do everything on this installation.
    Administrator,
    /// Everybody else.
    Ordinary,
}

impl Standing {
    /// Reads the flag that says whether somebody administers, as the stores and the wire have it.
    #[must_use]
    pub const fn from_flag(is_admin: bool) -> Self {
        if is_admin { Self::Administrator } else { Self::Ordinary }
    }
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

impl Account {
    /// Says whether it can administer the installation.
    #[must_use]
    pub const fn administers(&self) -> bool {
        self.is_active && matches!(self.standing, Standing::Administrator)
    }

    /// Changes it as an administrator may; what is absent stays. `others` is how many other accounts can
    /// administer.
    ///
    /// # Errors
    /// [`LastAdministrator`].
    pub fn apply(&self, patch: &AccountPatch, others: i64) -> Result<Self, LastAdministrator> {
        let after = Self {
            display_name: patch.display_name.clone().unwrap_or_else(|| self.display_name.clone()),
            is_active: patch.is_active.unwrap_or(self.is_active),
            standing: patch.standing.unwrap_or(self.standing),
            ..self.clone()
        };
        if self.administers() && !after.administers() {
            check_other_administrators(others)?;
        }
        Ok(after)
    }

    /// Says whether it may be deleted. `others` is how many other accounts can administer.
    ///
    /// # Errors
    /// [`LastAdministrator`].
    pub fn check_delete(&self, others: i64) -> Result<(), LastAdministrator> {
        if self.administers() { check_other_administrators(others) } else { Ok(()) }
    }
}

const fn check_other_administrators(others: i64) -> Result<(), LastAdministrator> {
    if others > 0 { Ok(()) } else { Err(LastAdministrator) }
}

/// Is what an administrator changes of an account; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct AccountPatch {
    /// Another name.
    pub display_name: Option<DisplayName>,
    /// Whether it may sign in.
    pub is_active: Option<bool>,
    /// Administrator or not.
    pub standing: Option<Standing>,
    /// Another password's hash; ends its sessions.
    pub password_hash: Option<PasswordHash>,
}

impl AccountPatch {
    /// Gives what it does to an account, as the record of deeds names it. What is so already is no deed.
    #[must_use]
    pub fn deeds(&self, before: &Account) -> Vec<AccountDeed> {
        let renames = self.display_name.as_ref().is_some_and(|name| *name != before.display_name);
        let activates = self.is_active.filter(|is_active| *is_active != before.is_active);
        let grants = self.standing.filter(|standing| *standing != before.standing);
        let deeds = [
            renames.then_some(AccountDeed::Rename),
            activates.map(|active| if active { AccountDeed::Activate } else { AccountDeed::Deactivate }),
            grants.map(|standing| match standing {
                Standing::Administrator => AccountDeed::GrantAdmin,
                Standing::Ordinary => AccountDeed::RevokeAdmin,
            }),
            self.password_hash.as_ref().map(|_| AccountDeed::SetPassword),
        ];
        deeds.into_iter().flatten().collect()
    }
}

/// Says that without this account nobody could administer the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("somebody has to administer the installation")]
pub struct LastAdministrator;

/// Is something that is done to an account or an API key, and stands in the record of deeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountDeed {
    /// An administrator made it.
    Create,
    /// It has another name.
    Rename,
    /// It may sign in again.
    Activate,
    /// It may not sign in any more.
    Deactivate,
    /// It administers.
    GrantAdmin,
    /// It does not administer any more.
    RevokeAdmin,
    /// An administrator gave it another password.
    SetPassword,
    /// It is no more.
    Delete,
    /// A code was made by which its holder sets a password.
    IssueResetCode,
    /// Its holder set a password by a code.
    ResetPassword,
    /// A key for programs was made.
    CreateApiKey,
    /// A key for programs is good for nothing any more.
    RevokeApiKey,
}

impl AccountDeed {
    /// Gives the word by which programs know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create_user",
            Self::Rename => "rename_user",
            Self::Activate => "activate_user",
            Self::Deactivate => "deactivate_user",
            Self::GrantAdmin => "grant_admin",
            Self::RevokeAdmin => "revoke_admin",
            Self::SetPassword => "set_password",
            Self::Delete => "delete_user",
            Self::IssueResetCode => "issue_reset_code",
            Self::ResetPassword => "reset_password",
            Self::CreateApiKey => "create_api_key",
            Self::RevokeApiKey => "revoke_api_key",
        }
    }
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
        assert_eq!(Email::parse("JOSE\u{301}@example.org"), Email::parse("José@example.org"));
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

    fn account(is_active: bool, standing: Standing) -> Account {
        Account {
            id: UserId::new(1).expect("positive"),
            email: Email::from_stored("ann@example.org".into()),
            display_name: DisplayName::from_stored("Ann".into()),
            is_active,
            standing,
            created_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn the_last_who_administers_stays() {
        use Standing::{Administrator, Ordinary};
        let revoked = AccountPatch { standing: Some(Ordinary), ..AccountPatch::default() };
        let deactivated = AccountPatch { is_active: Some(false), ..AccountPatch::default() };
        let last = account(true, Administrator);
        for patch in [&revoked, &deactivated] {
            assert_eq!(last.apply(patch, 0), Err(LastAdministrator));
            assert!(last.apply(patch, 1).is_ok_and(|after| !after.administers()));
            // Whoever does not administer may become anything.
            assert!(account(true, Ordinary).apply(patch, 0).is_ok());
            assert!(account(false, Administrator).apply(patch, 0).is_ok());
        }
        assert_eq!((last.check_delete(0), last.check_delete(1)), (Err(LastAdministrator), Ok(())));
        assert_eq!(account(false, Administrator).check_delete(0), Ok(()));
        assert_eq!(last.apply(&AccountPatch::default(), 0), Ok(last.clone()));
    }

    #[test]
    fn what_is_so_already_is_no_deed() {
        use AccountDeed::{Deactivate, GrantAdmin, Rename, SetPassword};
        let before = account(true, Standing::Ordinary);
        let same = AccountPatch {
            display_name: Some(before.display_name.clone()),
            is_active: Some(true),
            standing: Some(Standing::Ordinary),
            password_hash: None,
        };
        assert_eq!(same.deeds(&before), []);
        let other = AccountPatch {
            display_name: Some(DisplayName::from_stored("Anna".into())),
            is_active: Some(false),
            standing: Some(Standing::Administrator),
            password_hash: Some(PasswordHash::from_stored("x".into())),
        };
        assert_eq!(other.deeds(&before), [Rename, Deactivate, GrantAdmin, SetPassword]);
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
