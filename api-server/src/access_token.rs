//! Access tokens: signed statements of who a bearer is (RFC 7519, RFC 8725, RFC 9068).
//!
//! One family of algorithms at a time: Ed25519 keys of the auth store, or HS256 with a shared
//! secret. A token's header chooses nothing: it must say what the server would have said.

mod published;

use std::sync::Arc;

use anyhow::Context as _;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloudmeet_api_types::auth::{Jwk, Jwks};
use cloudmeet_core::crypto;
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::session::AccessClaims;
use cloudmeet_core::time::{Span, Timestamp};
use cloudmeet_store::{AuthStore, SealedKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

pub use self::published::PublishedKeys;
use crate::secret::Secret;

/// Who signs and for whom: tokens of other systems are refused even under the same key.
const ISSUER: &str = "cloudmeet";
const TOKEN_TYPE: &str = "at+jwt";

/// How many bytes of nonce stand before a sealed key.
const NONCE_BYTES: usize = 12;

/// Signs access tokens, and tells others how to verify them.
pub struct Signer {
    header: Header,
    key: EncodingKey,
    jwks: Jwks,
}

/// Verifies access tokens. Cheap to clone.
#[derive(Clone)]
pub enum Verifier {
    /// With the one key that the signer in this process has, or with a shared secret.
    Known(Arc<VerifyingKey>),
    /// With the keys that the auth service publishes.
    Published(PublishedKeys),
}

/// Says why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not ours, or not good now.
    #[error("the token is not valid")]
    Invalid,
    /// Whoever signed it is away, and its key is not known yet.
    #[error("the signing keys cannot be read")]
    Away,
}

/// Is a key with what a token under it must say of itself.
pub struct VerifyingKey {
    kid: Option<String>,
    key: DecodingKey,
    validation: Validation,
}

#[derive(Serialize, Deserialize)]
struct WireClaims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
}

/// Signs and verifies by HS256 with a shared secret.
#[must_use]
pub fn shared(secret: &Secret) -> (Signer, Verifier) {
    let header = Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(secret.reveal().as_bytes());
    (Signer { header, key, jwks: Jwks { keys: Vec::new() } }, verifier_of_shared(secret))
}

/// Verifies by HS256 with a shared secret.
#[must_use]
pub fn verifier_of_shared(secret: &Secret) -> Verifier {
    let key = DecodingKey::from_secret(secret.reveal().as_bytes());
    Verifier::Known(Arc::new(VerifyingKey::new(Algorithm::HS256, None, key)))
}

/// Signs and verifies with the Ed25519 key of the store, which is made where there is none.
///
/// # Errors
/// When the store fails, or its key was sealed under another secret.
pub async fn stored(store: &AuthStore, sealing_key: &[u8]) -> anyhow::Result<(Signer, Verifier)> {
    let key = store.signing_key_or(&make_key(sealing_key)?).await?;
    let pkcs8 = unseal(&key, sealing_key).context(
        "the signing key in the database is sealed under another secret: give all servers of one database \
         the same INTERNAL_TOKEN, or restore the key file of the data directory",
    )?;
    let jwk = Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        alg: "EdDSA".to_owned(),
        usage: "sig".to_owned(),
        kid: key.kid.clone(),
        x: key.public_key.clone(),
    };
    let verifying = VerifyingKey::published(&jwk).context("the stored public key is malformed")?;
    let header = Header { typ: Some(TOKEN_TYPE.to_owned()), kid: Some(key.kid), ..Header::new(Algorithm::EdDSA) };
    let signer = Signer { header, key: EncodingKey::from_ed_der(&pkcs8), jwks: Jwks { keys: vec![jwk] } };
    Ok((signer, Verifier::Known(Arc::new(verifying))))
}

impl Signer {
    /// Signs a token for a session.
    ///
    /// # Errors
    /// When the key cannot sign, which would be a fault of this program.
    pub fn sign(&self, claims: &AccessClaims) -> anyhow::Result<String> {
        let wire = WireClaims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: claims.user_id.to_string(),
            sid: claims.session_id.to_string(),
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
        };
        jsonwebtoken::encode(&self.header, &wire, &self.key).context("cannot sign a token")
    }

    /// Gives the public keys; none with a shared secret.
    #[must_use]
    pub const fn jwks(&self) -> &Jwks {
        &self.jwks
    }
}

impl Verifier {
    /// Reads a token that is ours and good at `now`.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, VerifyError> {
        self.verify_loosely(token, now, Span::seconds(0)).await
    }

    /// Reads a token that is ours and good at `now`, by a clock that may be wrong by some tolerance.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify_loosely(
        &self,
        token: &str,
        now: Timestamp,
        tolerance: Span,
    ) -> Result<AccessClaims, VerifyError> {
        let claims = match self {
            Self::Known(key) => key.read(token),
            Self::Published(keys) => {
                let kid = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid);
                keys.find(&kid.ok_or(VerifyError::Invalid)?).await?.read(token)
            }
        };
        claims.filter(|claims| claims.check_loosely(now, tolerance).is_ok()).ok_or(VerifyError::Invalid)
    }
}

impl VerifyingKey {
    fn new(algorithm: Algorithm, kid: Option<String>, key: DecodingKey) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The times are judged by core, with the store's clock.
        validation.validate_exp = false;
        validation.validate_nbf = true;
        Self { kid, key, validation }
    }

    /// Takes a key as it is published. `None` for one that is no Ed25519 signing key.
    fn published(jwk: &Jwk) -> Option<Self> {
        let is_ours = (jwk.kty.as_str(), jwk.crv.as_str(), jwk.alg.as_str()) == ("OKP", "Ed25519", "EdDSA");
        let key = DecodingKey::from_ed_components(&jwk.x).ok().filter(|_| is_ours)?;
        Some(Self::new(Algorithm::EdDSA, Some(jwk.kid.clone()), key))
    }

    /// Reads a token of ours, whenever it was good.
    fn read(&self, token: &str) -> Option<AccessClaims> {
        let data = jsonwebtoken::decode::<WireClaims>(token, &self.key, &self.validation).ok()?;
        let typ = data.header.typ.as_deref().unwrap_or_default();
        if data.header.kid != self.kid || !typ.eq_ignore_ascii_case(TOKEN_TYPE) {
            return None;
        }
        Some(AccessClaims {
            user_id: UserId::parse(&data.claims.sub)?,
            session_id: SessionId::new(data.claims.sid),
            issued_at: Timestamp::from_millis(data.claims.iat.checked_mul(1000)?),
            expires_at: Timestamp::from_millis(data.claims.exp.checked_mul(1000)?),
        })
    }
}

/// Makes the key under which signing keys are sealed from a secret of any length.
#[must_use]
pub fn sealing_key(secret: &[u8]) -> [u8; 32] {
    crypto::authenticate(secret, "cloudmeet: signing keys")
}

fn make_key(sealing_key: &[u8]) -> anyhow::Result<SealedKey> {
    let unspecified = |_| anyhow::anyhow!("cannot make a signing key");
    let pair = Ed25519KeyPair::generate().map_err(unspecified)?;
    let public_key = URL_SAFE_NO_PAD.encode(pair.public_key());
    let kid = crypto::digest(&public_key)[..16].to_owned();
    let mut sealed = pair.to_pkcs8v1().map_err(unspecified)?.as_ref().to_vec();
    let key = RandomizedNonceKey::new(&AES_256_GCM, sealing_key).map_err(unspecified)?;
    let nonce = key.seal_in_place_append_tag(Aad::from(kid.as_bytes()), &mut sealed).map_err(unspecified)?;
    let mut bytes = nonce.as_ref().to_vec();
    bytes.append(&mut sealed);
    Ok(SealedKey { kid, public_key, sealed_private_key: URL_SAFE_NO_PAD.encode(bytes) })
}

fn unseal(key: &SealedKey, sealing_key: &[u8]) -> anyhow::Result<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(&key.sealed_private_key).context("not base64url")?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).context("too short")?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| anyhow::anyhow!("no nonce"))?;
    let opener = RandomizedNonceKey::new(&AES_256_GCM, sealing_key).map_err(|_| anyhow::anyhow!("no key"))?;
    let mut sealed = sealed.to_vec();
    let opened = opener
        .open_in_place(nonce, Aad::from(key.kid.as_bytes()), &mut sealed)
        .map_err(|_| anyhow::anyhow!("the seal does not open"))?;
    Ok(opened.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn keys(secret: &str) -> (Signer, Verifier) {
        shared(&Secret::new(secret.repeat(32)))
    }

    fn claims() -> AccessClaims {
        let user = UserId::new(7).expect("positive");
        AccessClaims::issue(user, SessionId::new("s".into()), NOW, Span::minutes(60))
    }

    #[tokio::test]
    async fn a_token_reads_back_until_it_expires() {
        let (signer, verifier) = keys("a");
        let token = signer.sign(&claims()).expect("signs");
        assert_eq!(verifier.verify(&token, NOW).await, Ok(claims()));
        assert_eq!(verifier.verify(&token, NOW.plus(Span::minutes(60))).await, Err(VerifyError::Invalid));
        assert_eq!(keys("b").1.verify(&token, NOW).await, Err(VerifyError::Invalid));
    }

    #[test]
    fn a_token_of_another_kind_is_refused() {
        let (signer, _) = keys("a");
        let secret = DecodingKey::from_secret("a".repeat(32).as_bytes());
        let verifying = VerifyingKey::new(Algorithm::HS256, None, secret);
        let key = EncodingKey::from_secret("a".repeat(32).as_bytes());
        let good = || {
            serde_json::json!({"iss": "cloudmeet", "aud": "cloudmeet", "sub": "7", "sid": "s",
                "iat": 1_800_000_000, "exp": 1_800_003_600})
        };
        let with = |header: &Header, claims: &serde_json::Value| {
            let token = jsonwebtoken::encode(header, claims, &key).expect("signs");
            verifying.read(&token).is_some()
        };
        assert!(with(&signer.header, &good()));
        assert!(!with(&Header { typ: Some("JWT".into()), ..signer.header.clone() }, &good()));
        assert!(!with(&Header { kid: Some("x".into()), ..signer.header.clone() }, &good()));
        for (name, value) in [("iss", "other"), ("aud", "other"), ("sub", "-7"), ("sub", "x")] {
            let mut claims = good();
            claims[name] = value.into();
            assert!(!with(&signer.header, &claims), "{name}={value}");
        }
        let mut unending = good();
        unending.as_object_mut().expect("object").remove("exp");
        assert!(!with(&signer.header, &unending));
    }

    #[test]
    fn a_sealed_key_opens_under_its_own_secret_only() {
        let key = make_key(&[1; 32]).expect("makes");
        assert!(unseal(&key, &[1; 32]).is_ok());
        assert!(unseal(&key, &[2; 32]).is_err());
    }
}
