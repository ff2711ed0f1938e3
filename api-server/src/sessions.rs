//! Whose a bearer token is, and whether its session still lives.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use cloudmeet_core::account::Account;
use cloudmeet_core::id::SessionId;
use cloudmeet_store::{AuthStore, Identity, StoreError};
use moka::future::Cache;

use crate::access_token::TokenKeys;
use crate::problem::{Code, Problem};

/// How long a session's state is believed without asking the store again. An end on this server
/// bites at once, one on another as soon as the change is read.
const BELIEVED: Duration = Duration::from_secs(5);

/// How many sessions' states are remembered.
const REMEMBERED: u64 = 100_000;

/// Is a session that lives, and who holds it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The session.
    pub session_id: SessionId,
    /// Its holder's account, at most 5 s old.
    pub account: Account,
}

impl Caller {
    /// Is the caller as rooms know people.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            user_id: self.account.id,
            display_name: self.account.display_name.as_str().to_owned(),
            standing: self.account.standing,
        }
    }
}

/// Knows who calls. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    keys: Arc<TokenKeys>,
    store: AuthStore,
    alive: Cache<SessionId, Option<Account>>,
}

impl Sessions {
    /// Verifies tokens by `keys` and asks `store` for sessions.
    #[must_use]
    pub fn new(keys: Arc<TokenKeys>, store: AuthStore) -> Self {
        let alive = Cache::builder().max_capacity(REMEMBERED).time_to_live(BELIEVED).build();
        Self { keys, store, alive }
    }

    /// Finds the holder of a session that lives. `None` when it is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holder(&self, session_id: &SessionId) -> Result<Option<Account>, Arc<StoreError>> {
        self.alive
            .try_get_with_by_ref(session_id, async {
                Ok(self.store.session(session_id).await?.map(|session| session.account))
            })
            .await
    }

    /// Says whether a session lives, by the store itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lives(&self, session_id: &SessionId) -> Result<bool, StoreError> {
        Ok(self.store.session(session_id).await?.is_some())
    }

    /// Forgets a session's state: it changed.
    pub async fn forget(&self, session_id: &SessionId) {
        self.alive.invalidate(session_id).await;
    }

    /// Forgets all sessions' states: an account changed, and nobody counts whose sessions are whose.
    pub fn forget_all(&self) {
        self.alive.invalidate_all();
    }

    async fn authenticate(&self, token: &str) -> Result<Caller, Problem> {
        let claims = self.keys.verify(token, self.store.now()).ok_or(Code::InvalidToken)?;
        let account = self.holder(&claims.session_id).await.map_err(|error| Problem::from(&*error))?;
        let account = account.filter(|account| account.id == claims.user_id).ok_or(Code::SessionOver)?;
        Ok(Caller { session_id: claims.session_id, account })
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Sessions: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let value = parts.headers.get(header::AUTHORIZATION).ok_or(Code::Unauthenticated)?;
        let token = value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Code::Unauthenticated)?;
        Sessions::from_ref(state).authenticate(token).await
    }
}
