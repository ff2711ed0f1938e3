//! Digests of secrets, so that what is stored never opens anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Is the SHA-256 of a text, in unpadded base64url.
#[must_use]
pub fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

/// Is the HMAC-SHA-256 (RFC 2104) of a text under a key, 32 bytes.
///
/// # Panics
/// Never: HMAC takes a key of any length.
#[must_use]
pub fn authenticate(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}
