//! The auth service's public keys, as other services know them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::{VerifyError, VerifyingKey};
use crate::auth_service::AuthService;

/// How often the keys are read without a reason: one that was withdrawn is believed no longer.
const READ_EVERY: Duration = Duration::from_secs(60);

/// How long after a reading nobody reads again: else every forged token would cost one.
const FRESH: Duration = Duration::from_secs(1);

/// How long after a try that failed nobody tries again.
const RETRY: Duration = Duration::from_millis(200);

/// Is the published keys. Cheap to clone.
#[derive(Clone)]
pub struct PublishedKeys(Arc<Inner>);

struct Inner {
    service: AuthService,
    keys: RwLock<HashMap<String, Arc<VerifyingKey>>>,
    /// Whether it was said that the keys cannot be read.
    is_failing: AtomicBool,
    /// The last try to read the keys. Held meanwhile, so that many wait for one.
    last_try: Mutex<Option<Try>>,
}

#[derive(Clone, Copy)]
struct Try {
    at: Instant,
    has_succeeded: bool,
}

impl PublishedKeys {
    /// Knows no key yet; the first token makes it read them.
    #[must_use]
    pub fn new(service: AuthService) -> Self {
        Self(Arc::new(Inner {
            service,
            keys: RwLock::default(),
            is_failing: AtomicBool::new(false),
            last_try: Mutex::new(None),
        }))
    }

    /// Reads the keys again and again. What cannot be read stays as it was.
    pub async fn keep_fresh(self) {
        loop {
            let tried = {
                let mut last_try = self.0.last_try.lock().await;
                *last_try.insert(self.read().await)
            };
            // Before the first keys nobody can be let in.
            let is_waited_for = !tried.has_succeeded && self.keys().is_empty();
            sleep(if is_waited_for { RETRY } else { READ_EVERY }).await;
        }
    }

    pub(super) async fn find(&self, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        if let Some(key) = self.known(kid) {
            return Ok(key);
        }
        let mut last_try = self.0.last_try.lock().await;
        let tried = match *last_try {
            Some(tried) if tried.at.elapsed() < if tried.has_succeeded { FRESH } else { RETRY } => tried,
            _ => self.read().await,
        };
        *last_try = Some(tried);
        let unknown = if tried.has_succeeded { VerifyError::Invalid } else { VerifyError::Away };
        self.known(kid).ok_or(unknown)
    }

    /// Finds a key among those that were read last.
    pub(super) fn known(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.keys().get(kid).cloned()
    }

    fn keys(&self) -> RwLockReadGuard<'_, HashMap<String, Arc<VerifyingKey>>> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self) -> Try {
        let read = self.0.service.jwks().await;
        let at = Instant::now();
        match read {
            Ok(keys) => {
                self.0.is_failing.store(false, Ordering::Relaxed);
                let keys = keys.iter().filter_map(|jwk| Some((jwk.kid.clone(), VerifyingKey::published(jwk)?.into())));
                *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.collect();
                Try { at, has_succeeded: true }
            }
            Err(error) => {
                // Told once, not with every attempt.
                if !self.0.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = &error as &dyn std::error::Error, "signing keys not read");
                }
                Try { at, has_succeeded: false }
            }
        }
    }
}
