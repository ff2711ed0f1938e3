//! Passwords: which are accepted, and how they are kept.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::account::Email;
use crate::text::{self, TextError};

/// The 1,000 most common passwords of eight and more characters, one a line, in lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// Argon2id's memory in KiB (OWASP Password Storage: 19 MiB, t = 2, p = 1).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const DIGEST_BYTES: usize = 32;

/// Is a password as a person typed it. Never prints; wiped when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes what was typed, unjudged: a login never says what shape a password must have.
    #[must_use]
    pub fn typed(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Judges a new password by ASVS 5.0, 6.2: 8–128 characters, not among the most common, not
    /// the account's own address; no rules about kinds of characters.
    ///
    /// # Errors
    /// [`PasswordError`], the first that applies.
    pub fn check_new(&self, email: &Email) -> Result<(), PasswordError> {
        self.check_new_of_room()?;
        if text::fold_case(&self.0) == email.as_str() { Err(PasswordError::SameAsEmail) } else { Ok(()) }
    }

    /// Judges the new password of a room: as long as an account's, and as uncommon.
    ///
    /// # Errors
    /// [`PasswordError`], the first that applies.
    pub fn check_new_of_room(&self) -> Result<(), PasswordError> {
        text::check_length(&self.0, 8, 128)?;
        let folded = text::fold_case(&self.0);
        if COMMON.lines().any(|common| common == folded) {
            return Err(PasswordError::Common);
        }
        Ok(())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

/// Says why a new password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error(transparent)]
    Length(#[from] TextError),
    /// Among the 1,000 most common.
    #[error("is among the most common passwords")]
    Common,
    /// The same as the account's address.
    #[error("must not be the e-mail address")]
    SameAsEmail,
}

/// Is a password's Argon2id digest as a PHC string, with its salt and costs.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string that the store holds.
    #[must_use]
    pub fn from_stored(phc: String) -> Self {
        Self(phc)
    }

    /// Gives the PHC string, for the store alone.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

/// Hashes passwords in a memory of 19 MiB that is kept between calls.
///
/// One hash at a time; a pool holds one of these a thread.
pub struct Hasher {
    memory: Vec<Block>,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hasher").field("blocks", &self.memory.len()).finish()
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher {
    /// Makes a hasher that holds no memory yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { memory: Vec::new() }
    }

    /// Gives the memory back; the next call takes it again.
    pub fn release_memory(&mut self) {
        self.memory = Vec::new();
    }

    /// Hashes a password under a salt of 16 random bytes.
    pub fn hash(&mut self, password: &Password, salt: [u8; 16]) -> PasswordHash {
        let costs = Costs { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES };
        let digest = self.digest(password, &salt, costs);
        PasswordHash(format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(digest)
        ))
    }

    /// Says whether a password is the hashed one. With `None`, as for an unknown account, it works
    /// as long and says no, so that the time tells nobody which addresses exist.
    pub fn verify(&mut self, password: &Password, hash: Option<&PasswordHash>) -> bool {
        let parsed = hash.and_then(|hash| parse_phc(&hash.0));
        let Some((costs, salt, expected)) = parsed else {
            let costs = Costs { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES };
            self.digest(password, &[0; 16], costs);
            return false;
        };
        let digest = self.digest(password, &salt, costs);
        // The length is public; the bytes are compared without an early end.
        expected.len() == DIGEST_BYTES && digest.iter().zip(&expected).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
    }

    fn digest(&mut self, password: &Password, salt: &[u8], costs: Costs) -> [u8; DIGEST_BYTES] {
        let params = Params::new(costs.memory_kib, costs.passes, costs.lanes, Some(DIGEST_BYTES))
            .expect("costs are this module's own or were checked when parsed");
        self.memory.resize(params.block_count().max(self.memory.len()), Block::new());
        let mut digest = [0; DIGEST_BYTES];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password.0.as_bytes(), salt, &mut digest, &mut self.memory)
            .expect("the salt has 8 to 64 bytes and the memory fits the costs");
        digest
    }
}

#[derive(Clone, Copy)]
struct Costs {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Reads `$argon2id$v=19$m=…,t=…,p=…$salt$digest`. `None` for anything else, and for costs beyond
/// what this program would ever have written (a row must not decide how much memory is taken).
fn parse_phc(phc: &str) -> Option<(Costs, Vec<u8>, Vec<u8>)> {
    let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
    let (costs, salt, digest) = (parts.next()?, parts.next()?, parts.next()?);
    let mut costs = costs.split(',');
    let memory_kib = costs.next()?.strip_prefix("m=")?.parse().ok()?;
    let passes = costs.next()?.strip_prefix("t=")?.parse().ok()?;
    let lanes = costs.next()?.strip_prefix("p=")?.parse().ok()?;
    let salt = STANDARD_NO_PAD.decode(salt).ok()?;
    let digest = STANDARD_NO_PAD.decode(digest).ok()?;
    let sound = (8..=MEMORY_KIB * 8).contains(&memory_kib)
        && (1..=16).contains(&passes)
        && lanes == 1
        && (8..=64).contains(&salt.len());
    (sound && parts.next().is_none()).then_some((Costs { memory_kib, passes, lanes }, salt, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email() -> Email {
        Email::from_stored("user@example.org".to_owned())
    }

    fn judge(text: &str) -> Result<(), PasswordError> {
        Password::typed(text.to_owned()).check_new(&email())
    }

    #[test]
    fn a_new_password_is_judged_by_length_commonness_and_the_address_alone() {
        assert_eq!(judge("testpass"), Ok(()));
        assert_eq!(judge("securepassword"), Ok(()));
        assert_eq!(judge("пароль-из-слов"), Ok(()));
        assert_eq!(judge(&"x".repeat(128)), Ok(()));
        assert_eq!(judge("1234567"), Err(TextError::TooShort { min: 8 }.into()));
        assert_eq!(judge(&"x".repeat(129)), Err(TextError::TooLong { max: 128 }.into()));
        assert_eq!(judge("password"), Err(PasswordError::Common));
        assert_eq!(judge("PassWord"), Err(PasswordError::Common));
        assert_eq!(judge("User@example.org"), Err(PasswordError::SameAsEmail));
    }

    #[test]
    fn the_list_of_common_passwords_holds_a_thousand_that_could_be_chosen() {
        assert!(COMMON.lines().count() >= 1000);
        assert!(COMMON.lines().all(|line| line.chars().count() >= 8 && line == line.to_lowercase()));
    }

    #[test]
    fn a_hash_verifies_its_own_password_and_no_other() {
        let mut hasher = Hasher::new();
        let hash = hasher.hash(&Password::typed("correct horse".into()), [7; 16]);
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hasher.verify(&Password::typed("correct horse".into()), Some(&hash)));
        assert!(!hasher.verify(&Password::typed("correct horse ".into()), Some(&hash)));
        assert!(!hasher.verify(&Password::typed("correct horse".into()), None));
        hasher.release_memory();
        assert!(hasher.verify(&Password::typed("correct horse".into()), Some(&hash)));
    }

    #[test]
    fn a_stored_text_that_is_no_hash_of_ours_opens_nothing() {
        let mut hasher = Hasher::new();
        for phc in [
            "",
            "plain",
            "$argon2id$v=19$m=9999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$argon2i$v=19$m=8,t=1,p=1$AA$AA",
        ] {
            let hash = PasswordHash::from_stored(phc.to_owned());
            assert!(!hasher.verify(&Password::typed("plain".into()), Some(&hash)), "{phc}");
        }
    }

    #[test]
    fn passwords_and_hashes_never_print() {
        let hash = PasswordHash::from_stored("$argon2id$secret".into());
        assert!(!format!("{:?} {hash:?}", Password::typed("secret".into())).contains("secret"));
    }
}
