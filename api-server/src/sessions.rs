//! Whose a bearer token is, and whether its session still lives.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use cloudmeet_core::api_key::{self, Scope};
use cloudmeet_core::id::SessionId;
use cloudmeet_core::permission::administers;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{Doer, Identity};
use moka::future::Cache;

use crate::access_token::{Verifier, VerifyError};
use crate::accounts::{Accounts, AccountsError};
use crate::client_address::ClientAddress;
use crate::observe::request_id;
use crate::problem::{Code, Problem};

/// How long a session's state is believed without asking again. An end on this server bites at once,
/// one on another as soon as the change is read.
const BELIEVED: Duration = Duration::from_secs(5);

/// How long a session goes on while nobody can be asked.
const TRUSTED: Duration = Duration::from_secs(5 * 60);

/// How many sessions' states are remembered.
const REMEMBERED: u64 = 100_000;

/// Is a session that lives, and who holds it, at most 5 s old (5 minutes while nobody can be asked).
#[derive(Debug, Clone)]
pub struct Caller {
    /// The session.
    pub session_id: SessionId,
    /// Its holder.
    pub identity: Identity,
}

/// How long after nobody could be asked only one caller tries again, while the others go on at once.
const AWAY: Duration = Duration::from_secs(2);

/// Knows who calls. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    verifier: Verifier,
    accounts: Accounts,
    believed: Cache<SessionId, Option<Identity>>,
    /// The last word on each session that lived.
    trusted: Cache<SessionId, Identity>,
    /// Counts what ended or changed: an answer that was asked for before is not remembered after.
    changes: AtomicU64,
    /// When somebody last asked in vain, or began to see whether it still is so. `None` after an answer.
    away_since: Mutex<Option<Instant>>,
}

impl Sessions {
    /// Verifies tokens and asks for sessions.
    #[must_use]
    pub fn new(verifier: Verifier, accounts: Accounts) -> Self {
        let believed = Cache::builder().max_capacity(REMEMBERED).time_to_live(BELIEVED).build();
        let trusted = Cache::builder().max_capacity(REMEMBERED).time_to_live(TRUSTED).build();
        Self(Arc::new(Inner {
            verifier,
            accounts,
            believed,
            trusted,
            changes: AtomicU64::new(0),
            away_since: Mutex::new(None),
        }))
    }

    /// Finds the holder of a session that lives. `None` when it is over.
    ///
    /// # Errors
    /// [`AccountsError`], when nobody can be asked and nothing was known for 5 minutes.
    pub async fn holder(&self, session_id: &SessionId) -> Result<Option<Identity>, Arc<AccountsError>> {
        if !self.may_ask()
            && let Some(identity) = self.0.trusted.get(session_id).await
        {
            return Ok(self.0.believed.get(session_id).await.unwrap_or(Some(identity)));
        }
        if let Some(known) = self.0.believed.get(session_id).await {
            return Ok(known);
        }
        let before = self.0.changes.load(Ordering::Acquire);
        // In a box, for it is seldom needed and takes kilobytes in every request.
        let asked = Box::pin(self.0.believed.try_get_with_by_ref(session_id, self.ask(session_id))).await;
        if self.0.changes.load(Ordering::Acquire) != before {
            self.0.believed.invalidate(session_id).await;
        }
        self.or_trusted(session_id, asked).await
    }

    /// Finds the holder of a session that lives, by whoever has the last word. `None` when it is over.
    ///
    /// # Errors
    /// [`AccountsError`], when nobody can be asked and nothing was known for 5 minutes.
    pub async fn holder_now(&self, session_id: &SessionId) -> Result<Option<Identity>, AccountsError> {
        let asked = self.ask(session_id).await;
        self.or_trusted(session_id, asked).await
    }

    async fn ask(&self, session_id: &SessionId) -> Result<Option<Identity>, AccountsError> {
        let before = self.0.changes.load(Ordering::Acquire);
        let holder = self.0.accounts.holder(session_id).await;
        *self.away_since() = holder.is_err().then(Instant::now);
        match &holder {
            Ok(Some(identity)) => self.0.trusted.insert(session_id.clone(), identity.clone()).await,
            Ok(None) => self.0.trusted.invalidate(session_id).await,
            Err(_) => {}
        }
        if self.0.changes.load(Ordering::Acquire) != before {
            self.0.trusted.invalidate(session_id).await;
        }
        holder
    }

    /// Says whether somebody is to be asked: not while it was in vain a moment ago.
    fn may_ask(&self) -> bool {
        let mut away_since = self.away_since();
        let Some(since) = *away_since else { return true };
        let is_over = since.elapsed() >= AWAY;
        if is_over {
            *away_since = Some(Instant::now());
        }
        is_over
    }

    fn away_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.away_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn or_trusted<E>(
        &self,
        session_id: &SessionId,
        asked: Result<Option<Identity>, E>,
    ) -> Result<Option<Identity>, E> {
        match asked {
            Ok(holder) => Ok(holder),
            Err(error) => self.0.trusted.get(session_id).await.map(Some).ok_or(error),
        }
    }

    /// Forgets a session's state: it ended.
    pub async fn forget(&self, session_id: &SessionId) {
        self.0.changes.fetch_add(1, Ordering::AcqRel);
        self.0.believed.invalidate(session_id).await;
        self.0.trusted.invalidate(session_id).await;
    }

    /// Asks about every session anew: an account changed, and nobody counts whose sessions are whose.
    pub fn doubt_all(&self) {
        self.0.changes.fetch_add(1, Ordering::AcqRel);
        self.0.believed.invalidate_all();
    }

    /// Finds the program that keeps rooms by a key.
    ///
    /// # Errors
    /// [`Problem`]: the key is good for other things or for nothing, or nobody can be asked.
    pub async fn room_keeper(&self, key: &OpaqueToken) -> Result<Identity, Problem> {
        let known = self.0.accounts.machine(key).await.map_err(|error| Problem::from(&error))?;
        let machine = known.ok_or(Code::InvalidToken)?;
        if machine.scopes.contains(&Scope::ManageRooms) {
            Ok(Identity::program(&machine.name))
        } else {
            Err(Code::Forbidden.into())
        }
    }

    /// Says why a program does not do what people do: its key is good for other things, or for nothing.
    async fn refuse_machine(&self, key: &str) -> Problem {
        match self.0.accounts.machine(&OpaqueToken::presented(key.to_owned())).await {
            Ok(Some(_)) => Code::Forbidden.into(),
            Ok(None) => Code::InvalidToken.into(),
            Err(error) => Problem::from(&error),
        }
    }

    async fn authenticate(&self, token: &str) -> Result<Caller, Problem> {
        if token.starts_with(api_key::PREFIX) {
            return Err(self.refuse_machine(token).await);
        }
        let claims = self.0.verifier.verify(token, self.0.accounts.now()).await?;
        let holder = self.holder(&claims.session_id).await.map_err(|error| Problem::from(&*error))?;
        let identity = holder.filter(|holder| holder.user_id == claims.user_id).ok_or(Code::SessionOver)?;
        Ok(Caller { session_id: claims.session_id, identity })
    }
}

/// Finds the bearer token of a request, whatever it is worth.
#[must_use]
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Invalid => Code::InvalidToken.into(),
            VerifyError::Away => Code::ServiceUnavailable.into(),
        }
    }
}

/// Is a caller for whom this process vouches, because the request began in it: it stands among the request's
/// extensions, where nothing that comes over a network can put it.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// Who asks.
    pub identity: Identity,
    /// From where, for the record.
    pub place: String,
}

/// Is somebody who does what is to be recorded: who, and from where.
#[derive(Debug, Clone)]
pub struct Acting(pub Doer);

impl<S> FromRequestParts<S> for Acting
where
    S: Send + Sync,
    Sessions: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self(doer(parts, caller.identity)))
    }
}

/// Is an administrator who does something to others.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// Who, and from where.
    pub doer: Doer,
    /// By which session.
    pub session_id: SessionId,
}

impl<S> FromRequestParts<S> for Administrator
where
    S: Send + Sync,
    Sessions: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if !administers(caller.identity.actor()) {
            return Err(Code::Forbidden.into());
        }
        Ok(Self { doer: doer(parts, caller.identity), session_id: caller.session_id })
    }
}

/// Is a program that keeps rooms: it shows a key that is good for that.
#[derive(Debug, Clone)]
pub struct RoomKeeper(pub Doer);

impl<S> FromRequestParts<S> for RoomKeeper
where
    S: Send + Sync,
    Sessions: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let sessions = Sessions::from_ref(state);
        let key = bearer_token(&parts.headers).filter(|token| token.starts_with(api_key::PREFIX));
        let Some(key) = key else {
            // Whatever people may elsewhere, here a key has the word: nobody takes a room from its manager by chance.
            Caller::from_request_parts(parts, state).await?;
            return Err(Code::Forbidden.into());
        };
        let who = sessions.room_keeper(&OpaqueToken::presented(key.to_owned())).await?;
        Ok(Self(doer(parts, who)))
    }
}

/// Is who does something by a request, and from where.
fn doer(parts: &Parts, who: Identity) -> Doer {
    let address = match parts.extensions.get::<Vouched>() {
        Some(vouched) => Some(vouched.place.clone()),
        None => parts.extensions.get::<ClientAddress>().map(|client| client.0.to_canonical().to_string()),
    };
    Doer { who, address: address.unwrap_or_default(), request_id: request_id(&parts.headers).to_owned() }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Sessions: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if let Some(Vouched { identity, .. }) = parts.extensions.get() {
            return Ok(Self { session_id: SessionId::new("console".to_owned()), identity: identity.clone() });
        }
        let token = bearer_token(&parts.headers).ok_or(Code::Unauthenticated)?;
        Sessions::from_ref(state).authenticate(token).await
    }
}
