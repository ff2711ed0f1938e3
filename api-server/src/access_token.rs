//! Access tokens: signed statements of who a bearer is (RFC 7519, RFC 8725, RFC 9068).
//!
//! One family of algorithms at a time: Ed25519 keys of the auth store, or HS256 with a shared
//! secret. A token's header chooses nothing: it must say what the server would have said.

mod published;
mod sealing;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cloudmeet_api_types::auth::{Jwk, Jwks};
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::session::AccessClaims;
use cloudmeet_core::time::{Span, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::published::PublishedKeys;
pub use self::sealing::SealingKey;
pub use self::stored::StoredKeys;
use crate::secret::Secret;

/// Who signs and for whom: tokens of other systems are refused even under the same key.
const ISSUER: &str = "cloudmeet";
const TOKEN_TYPE: &str = "at+jwt";

/// Signs access tokens, and tells others how to verify them.
pub enum Signer {
    /// With a shared secret.
    Shared(Box<(Header, EncodingKey)>),
    /// With the auth store's keys.
    Stored(StoredKeys),
}

/// How long a token's signature is believed without looking again.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// How many tokens are remembered.
const REMEMBERED: u64 = 100_000;

/// Verifies access tokens. Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    keys: Keys,
    /// What tokens say whose signatures were good, by their digests: verifying one again costs more
    /// than all else that is done for many a request.
    read: Cache<[u8; 32], Arc<Read>>,
}

/// Is what a token says, and which key it was read with.
struct Read {
    kid: Option<String>,
    claims: AccessClaims,
}

/// Is what signatures are verified with.
#[derive(Clone)]
pub enum Keys {
    /// A shared secret.
    Shared(Arc<VerifyingKey>),
    /// The auth store's keys.
    Stored(StoredKeys),
    /// The keys that the auth service publishes.
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
    (Signer::Shared(Box::new((header, key))), verifier_of_shared(secret))
}

/// Verifies by HS256 with a shared secret.
#[must_use]
pub fn verifier_of_shared(secret: &Secret) -> Verifier {
    let key = DecodingKey::from_secret(secret.reveal().as_bytes());
    Verifier::new(Keys::Shared(Arc::new(VerifyingKey::new(Algorithm::HS256, None, key))))
}

impl Signer {
    /// Signs a token for a session.
    ///
    /// # Errors
    /// When no key can sign: the one whose turn it is was sealed under another secret.
    pub fn sign(&self, claims: &AccessClaims) -> anyhow::Result<String> {
        let wire = WireClaims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: claims.user_id.to_string(),
            sid: claims.session_id.to_string(),
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
        };
        let sign = |(header, key): &(Header, EncodingKey)| jsonwebtoken::encode(header, &wire, key);
        match self {
            Self::Shared(key) => sign(key),
            Self::Stored(keys) => sign(&*keys.signing().context("no key can sign")?),
        }
        .context("cannot sign a token")
    }

    /// Gives the public keys; none with a shared secret.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        match self {
            Self::Shared(_) => Jwks { keys: Vec::new() },
            Self::Stored(keys) => keys.published(),
        }
    }
}

impl Verifier {
    /// Verifies with these keys.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self { keys, read: Cache::builder().max_capacity(REMEMBERED).time_to_live(REMEMBERED_FOR).build() }
    }

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
        let digest = Sha256::digest(token).into();
        let known = self.read.get(&digest).filter(|read| self.keys.believe(read.kid.as_deref()));
        let read = if let Some(read) = known {
            read
        } else {
            let read = Arc::new(self.keys.read(token).await?);
            self.read.insert(digest, read.clone());
            read
        };
        let is_good = read.claims.check_loosely(now, tolerance).is_ok();
        is_good.then(|| read.claims.clone()).ok_or(VerifyError::Invalid)
    }
}

impl Keys {
    /// Reads a token of ours, whenever it was good.
    async fn read(&self, token: &str) -> Result<Read, VerifyError> {
        let read = |key: &VerifyingKey| {
            key.read(token).map(|claims| Read { kid: key.kid.clone(), claims }).ok_or(VerifyError::Invalid)
        };
        match self {
            Self::Shared(key) => read(key),
            Self::Stored(keys) => read(&*keys.find(&key_id(token)?).ok_or(VerifyError::Invalid)?),
            Self::Published(keys) => read(&*keys.find(&key_id(token)?).await?),
        }
    }

    /// Says whether a key that was believed still is.
    fn believe(&self, kid: Option<&str>) -> bool {
        match (self, kid) {
            (Self::Shared(_), _) => true,
            (Self::Stored(keys), Some(kid)) => keys.find(kid).is_some(),
            (Self::Published(keys), Some(kid)) => keys.known(kid).is_some(),
            (_, None) => false,
        }
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
        // Ours says this and no more. What else a header can ask for (crit, zip, jku, …) nobody does here, and
        // what is critical must be refused (RFC 7515, 4.1.11).
        let ours = Header { typ: Some(TOKEN_TYPE.to_owned()), kid: self.kid.clone(), ..Header::new(data.header.alg) };
        if data.header != ours || !is_session_id(&data.claims.sid) {
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

/// Says whether a text can be a session's id: stores look for it, and Postgres takes no NUL.
fn is_session_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads which key a token says it is signed with.
fn key_id(token: &str) -> Result<String, VerifyError> {
    jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid).ok_or(VerifyError::Invalid)
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
        let header = Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
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
        assert!(with(&header, &good()));
        assert!(!with(&Header { typ: Some("JWT".into()), ..header.clone() }, &good()));
        assert!(!with(&Header { kid: Some("x".into()), ..header.clone() }, &good()));
        for (name, value) in [("iss", "other"), ("aud", "other"), ("sub", "-7"), ("sub", "x")] {
            let mut claims = good();
            claims[name] = value.into();
            assert!(!with(&header, &claims), "{name}={value}");
        }
        let mut unending = good();
        unending.as_object_mut().expect("object").remove("exp");
        assert!(!with(&header, &unending));
    }
}
