//! The auth store's own signing keys: one signs, others are already or still believed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use cloudmeet_api_types::auth::{Jwk, Jwks};
use cloudmeet_core::signing_key::Term;
use cloudmeet_core::time::{Span, Timestamp};
use cloudmeet_store::{AuthStore, SealedKey, StoreError};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use tokio::time::{MissedTickBehavior, interval};

use super::{SealingKey, TOKEN_TYPE, VerifyingKey};

/// How often the keys are read again: several times within the notice that a new one is given.
const READ_EVERY: Duration = Duration::from_secs(4);

/// What to do about a key that does not open.
const OTHER_SECRET: &str = "the signing key in the database is sealed under another secret: give all servers of one \
     database the same INTERNAL_TOKEN, or restore the key file of the data directory";

/// Is the keys of the auth store, as they were read last. Cheap to clone.
#[derive(Clone)]
pub struct StoredKeys(Arc<Inner>);

struct Inner {
    store: AuthStore,
    sealing_key: SealingKey,
    token_life: Span,
    keys: RwLock<Arc<[StoredKey]>>,
}

#[derive(Clone)]
struct StoredKey {
    term: Term,
    jwk: Jwk,
    verifying: Arc<VerifyingKey>,
    /// What signs; `None` for a private half that is erased, or sealed under another secret.
    signing: Option<Arc<(Header, EncodingKey)>>,
}

impl StoredKeys {
    /// Reads the keys, and makes a first one where there is none.
    ///
    /// # Errors
    /// When the store fails, or the key that signs was sealed under another secret.
    pub async fn open(store: AuthStore, sealing_key: SealingKey, token_life: Span) -> anyhow::Result<Self> {
        store.add_first_signing_key(&sealing_key.make()?).await?;
        let keys = Self(Arc::new(Inner { store, sealing_key, token_life, keys: RwLock::new(Arc::new([])) }));
        keys.read().await?;
        anyhow::ensure!(keys.signing().is_some(), OTHER_SECRET);
        Ok(keys)
    }

    /// Reads the keys again and again, for others may rotate them. What cannot be read stays as it was.
    pub async fn keep_fresh(self) {
        let mut ticks = interval(READ_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.read().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "signing keys not read");
            }
        }
    }

    /// Makes a key that takes over from the one that signs, on every server of the database. Gives its
    /// name and when it begins.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rotate(&self) -> anyhow::Result<(String, Timestamp)> {
        let key = self.0.sealing_key.make()?;
        let from = self.0.store.add_next_signing_key(&key).await?;
        Ok((key.kid, from))
    }

    /// Gives the public keys that are to be believed.
    pub(super) fn published(&self) -> Jwks {
        let now = self.0.store.now();
        let is_believed = |key: &&StoredKey| key.term.is_believed_at(now, self.0.token_life);
        Jwks { keys: self.keys().iter().filter(is_believed).map(|key| key.jwk.clone()).collect() }
    }

    /// Gives the key that signs now: the oldest whose term is not over, also if this server's clock lies
    /// a little before its term. `None` when its private half cannot be had.
    pub(super) fn signing(&self) -> Option<Arc<(Header, EncodingKey)>> {
        let now = self.0.store.now();
        self.keys().iter().find(|key| !key.term.is_over_at(now))?.signing.clone()
    }

    /// Finds a key that is to be believed.
    pub(super) fn find(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        let now = self.0.store.now();
        let keys = self.keys();
        let key = keys.iter().find(|key| key.jwk.kid == kid)?;
        key.term.is_believed_at(now, self.0.token_life).then(|| key.verifying.clone())
    }

    fn keys(&self) -> Arc<[StoredKey]> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self) -> Result<(), StoreError> {
        let known = self.keys();
        let stored = self.0.store.signing_keys().await?;
        let keys = stored.into_iter().filter_map(|(sealed, term)| {
            let same = known.iter().find(|key| key.jwk.kid == sealed.kid);
            same.map(|key| StoredKey { term, ..key.clone() }).or_else(|| self.take(&sealed, term))
        });
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.collect();
        Ok(())
    }

    /// Takes a key that was not known yet. `None` if it is malformed.
    fn take(&self, sealed: &SealedKey, term: Term) -> Option<StoredKey> {
        let jwk = Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
            kid: sealed.kid.clone(),
            x: sealed.public_key.clone(),
        };
        let Some(verifying) = VerifyingKey::published(&jwk) else {
            tracing::error!(key.id = sealed.kid, "a stored public key is malformed");
            return None;
        };
        let signing = if term.is_over_at(self.0.store.now()) { None } else { self.unseal(sealed) };
        Some(StoredKey { term, jwk, verifying: Arc::new(verifying), signing })
    }

    fn unseal(&self, sealed: &SealedKey) -> Option<Arc<(Header, EncodingKey)>> {
        let header =
            Header { typ: Some(TOKEN_TYPE.to_owned()), kid: Some(sealed.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        match self.0.sealing_key.open(sealed).context(OTHER_SECRET) {
            Ok(pkcs8) => Some(Arc::new((header, EncodingKey::from_ed_der(&pkcs8)))),
            Err(error) => {
                tracing::error!(
                    key.id = sealed.kid,
                    error = error.as_ref() as &dyn std::error::Error,
                    "a key does not open"
                );
                None
            }
        }
    }
}
