//! Signing keys as the database holds them: the private half sealed (AES-256-GCM) under a secret that
//! the database does not know.

use anyhow::Context as _;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloudmeet_core::crypto;
use cloudmeet_store::SealedKey;

/// How many bytes of nonce stand before a sealed key.
const NONCE_BYTES: usize = 12;

/// Is what seals the private halves of signing keys. Never prints.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// Makes it from a secret of any length.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(crypto::authenticate(secret, "cloudmeet: signing keys"))
    }

    /// Makes a fresh Ed25519 key, sealed.
    pub(super) fn make(&self) -> anyhow::Result<SealedKey> {
        let unspecified = |_| anyhow::anyhow!("cannot make a signing key");
        let pair = Ed25519KeyPair::generate().map_err(unspecified)?;
        let public_key = URL_SAFE_NO_PAD.encode(pair.public_key());
        let kid = crypto::digest(&public_key)[..16].to_owned();
        let mut sealed = pair.to_pkcs8v1().map_err(unspecified)?.as_ref().to_vec();
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(unspecified)?;
        let nonce = key.seal_in_place_append_tag(Aad::from(kid.as_bytes()), &mut sealed).map_err(unspecified)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Ok(SealedKey { kid, public_key, sealed_private_key: URL_SAFE_NO_PAD.encode(bytes) })
    }

    /// Gives the private half, in PKCS #8.
    pub(super) fn open(&self, key: &SealedKey) -> anyhow::Result<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(&key.sealed_private_key).context("not base64url")?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).context("too short")?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| anyhow::anyhow!("no nonce"))?;
        let opener = RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(|_| anyhow::anyhow!("no key"))?;
        let mut sealed = sealed.to_vec();
        let opened = opener
            .open_in_place(nonce, Aad::from(key.kid.as_bytes()), &mut sealed)
            .map_err(|_| anyhow::anyhow!("the seal does not open"))?;
        Ok(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_key_opens_under_its_own_secret_only() {
        let key = SealingKey::new(b"one").make().expect("makes");
        assert!(SealingKey::new(b"one").open(&key).is_ok());
        assert!(SealingKey::new(b"two").open(&key).is_err());
        let other = SealedKey { kid: "other".to_owned(), ..key };
        assert!(SealingKey::new(b"one").open(&other).is_err());
    }
}
