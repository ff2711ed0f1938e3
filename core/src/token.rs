//! Opaque tokens: refresh tokens, WebSocket tickets and setup codes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::crypto;

/// Is a secret that its holder shows once or again: 256 bits in unpadded base64url. Never prints.
#[derive(Clone)]
pub struct OpaqueToken(Zeroizing<String>);

impl OpaqueToken {
    /// Makes a token of 32 random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(random)))
    }

    /// Takes a token as somebody presents it, whatever it is: only its digest is looked up.
    #[must_use]
    pub fn presented(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Gives the token itself, for its holder alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Gives what is stored in its place.
    #[must_use]
    pub fn digest(&self) -> String {
        crypto::digest(&self.0)
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OpaqueToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_unpadded_base64url_and_its_debug_shows_nothing() {
        let token = OpaqueToken::from_random([251; 32]);
        assert_eq!(token.reveal().len(), 43);
        assert!(token.reveal().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        assert!(!format!("{token:?}").contains(token.reveal()));
        assert_ne!(token.digest(), token.reveal());
    }
}
