//! The auth service as other services see it: asked over HTTP, under `INTERNAL_TOKEN`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use cloudmeet_api_types::auth::Jwk;
use cloudmeet_api_types::internal::{
    Changes, ChangesQuery, FindPeople, FoundPeople, FoundPerson, Letters, Machine, Person, SessionHolder, SessionIds,
    ShownKey, TakenLetters,
};
use cloudmeet_api_types::system::{Reach, ServerState};
use cloudmeet_core::account::{Email, Standing};
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::time::Timestamp;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{AccountChange, ChangeRow, Clock, Identity, Letter, Tail};
use http_body_util::{BodyExt as _, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::accounts::Known;
use crate::config::Role;
use crate::secret::Secret;
use crate::this_server;
use crate::upstream::{Upstream, UpstreamError};

/// How long an answer may take, to its end.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How long an answer may be: a step of changes is the longest.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Is the auth service. Cheap to clone.
#[derive(Clone)]
pub struct AuthService {
    upstream: Upstream,
    /// `None` where only public things are asked for.
    token: Option<Arc<Secret>>,
    /// The service's time, as its answers say.
    clock: Clock,
}

/// Says why the auth service gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It cannot be reached.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// It did not answer in time.
    #[error("the auth service does not answer in time")]
    Timeout,
    /// It refused. 401 and 404 mean that the services do not share `INTERNAL_TOKEN`, or are none.
    #[error("the auth service answers {0}")]
    Refused(StatusCode),
    /// Its answer broke off, or is too long.
    #[error("the auth service broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its answer is not what it should be.
    #[error("the auth service's answer cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

impl AuthService {
    /// Asks the servers behind `upstream`.
    #[must_use]
    pub fn new(upstream: Upstream, token: Option<Secret>) -> Self {
        Self { upstream, token: token.map(Arc::new), clock: Clock::of_this_process() }
    }

    /// Is the service's time, as far as it is known.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads the public signing keys.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn jwks(&self) -> Result<Vec<Jwk>, ServiceError> {
        /// As others may publish them, too: keys of kinds that are not ours are passed over (RFC 7517, 5).
        #[derive(Deserialize)]
        struct Published {
            keys: Vec<serde_json::Value>,
        }
        let published: Option<Published> = self.get("/.well-known/jwks.json").await?;
        let published = published.ok_or(ServiceError::Refused(StatusCode::NOT_FOUND))?;
        Ok(published.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    /// Finds who holds a session that lives. `None` when it is over.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn holder(&self, session_id: &SessionId) -> Result<Option<Identity>, ServiceError> {
        let ids = SessionIds { session_ids: vec![session_id.to_string()] };
        let holder: Option<SessionHolder> = self.post("/internal/session-holder", &ids).await?;
        Ok(holder.and_then(|holder| {
            Some(Identity {
                user_id: UserId::new(holder.user_id)?,
                display_name: holder.display_name,
                standing: Standing::from_flag(holder.is_admin),
            })
        }))
    }

    /// Gives those of some sessions that are over.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn sessions_over(&self, ids: Vec<SessionId>) -> Result<Vec<SessionId>, ServiceError> {
        let ids = SessionIds { session_ids: ids.iter().map(ToString::to_string).collect() };
        let over: Option<SessionIds> = self.post("/internal/sessions-over", &ids).await?;
        let over = over.ok_or(ServiceError::Refused(StatusCode::NOT_FOUND))?;
        Ok(over.session_ids.into_iter().map(SessionId::new).collect())
    }

    /// Reads what rooms know of an account. `None` for one that is not.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn person(&self, id: UserId) -> Result<Option<Person>, ServiceError> {
        self.get(&format!("/internal/people/{id}")).await
    }

    /// Finds those of some accounts that were not deleted, by their ids or addresses.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn among(&self, ids: &[UserId], emails: &[Email]) -> Result<Vec<Known>, ServiceError> {
        let find = FindPeople {
            ids: ids.iter().map(|id| id.get()).collect(),
            emails: emails.iter().map(|email| email.as_str().to_owned()).collect(),
        };
        let found: Option<FoundPeople> = self.post("/internal/people", &find).await?;
        let found = found.ok_or(ServiceError::Refused(StatusCode::NOT_FOUND))?;
        let known = |person: FoundPerson| {
            let identity = Identity {
                user_id: UserId::new(person.id)?,
                display_name: person.display_name,
                standing: Standing::from_flag(person.is_admin),
            };
            Some(Known { email: Email::from_stored(person.email), is_active: person.is_active, identity })
        };
        Ok(found.people.into_iter().filter_map(known).collect())
    }

    /// Finds the program that shows a key, while the key is good.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn machine(&self, key: &OpaqueToken) -> Result<Option<Machine>, ServiceError> {
        self.post("/internal/machine", &ShownKey { key: key.reveal().to_owned() }).await
    }

    /// Reads letters for rooms that nobody has taken in yet. None from an earlier release, which writes none.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn letters(&self) -> Result<Vec<Letter>, ServiceError> {
        let told: Option<Letters> = match self.get("/internal/letters").await {
            Err(ServiceError::Refused(StatusCode::NOT_FOUND)) => None,
            answer => answer?,
        };
        let letters = told.map(|told| told.letters).unwrap_or_default();
        Ok(letters.into_iter().map(|one| Letter { key: one.key, kind: one.kind, payload: one.payload }).collect())
    }

    /// Says which letters rooms have taken in.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn forget_letters(&self, keys: Vec<String>) -> Result<(), ServiceError> {
        let _: Option<Letters> = self.post("/internal/letters-taken", &TakenLetters { keys }).await?;
        Ok(())
    }

    /// Is how one of its servers does. One of an earlier release says nothing of itself.
    pub async fn server(&self) -> ServerState {
        match self.get("/internal/server").await {
            Ok(Some(state)) => state,
            Ok(None) | Err(ServiceError::Refused(_)) => this_server::unknown(Role::Auth, Reach::Up),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the auth service is away");
                this_server::unknown(Role::Auth, Reach::Away)
            }
        }
    }

    /// Reads the changes of accounts since the last call; `tail` begins as `None`.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call begins where this one did.
    pub async fn changes(&self, tail: &mut Option<Tail>) -> Result<Vec<AccountChange>, ServiceError> {
        if tail.is_none() {
            self.change_rows(0, None).await?;
        }
        let tail = tail.get_or_insert_with(|| Tail::from(self.now()));
        let mut changes = Vec::new();
        loop {
            let (after, since) = tail.place();
            match self.change_rows(after, Some(since)).await {
                Ok(rows) if tail.take_accounts(&rows, &mut changes) => {}
                // What was taken is not told again; the next call reads on.
                Err(error) if changes.is_empty() => return Err(error),
                Ok(_) | Err(_) => return Ok(changes),
            }
        }
    }

    async fn change_rows(&self, after: i64, since: Option<Timestamp>) -> Result<Vec<ChangeRow>, ServiceError> {
        let query = ChangesQuery { after, since: since.map(Timestamp::as_millis) };
        let asked = self.clock.local();
        let changes: Option<Changes> = self.post("/internal/changes", &query).await?;
        let changes = changes.ok_or(ServiceError::Refused(StatusCode::NOT_FOUND))?;
        self.clock.set_offset(changes.now, asked, self.clock.local());
        Ok(changes.rows.into_iter().map(|row| ChangeRow { id: row.id, kind: row.kind, subject: row.subject }).collect())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ServiceError> {
        self.ask(Method::GET, path, Body::empty()).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<Option<T>, ServiceError> {
        let body = serde_json::to_vec(body).map_err(ServiceError::Unreadable)?;
        self.ask(Method::POST, path, Body::from(body)).await
    }

    /// Gives the answer's body; `None` for 204, by which the service says that there is nothing.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Option<T>, ServiceError> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| ServiceError::Refused(StatusCode::NOT_FOUND))?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_static("auth-service"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token
            && let Ok(mut value) = HeaderValue::try_from(format!("Bearer {}", token.reveal()))
        {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let asking = async {
            let response = self.upstream.send(request).await?;
            match response.status() {
                StatusCode::NO_CONTENT => return Ok(None),
                StatusCode::OK => {}
                other => return Err(ServiceError::Refused(other)),
            }
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
            let bytes = body.map_err(ServiceError::Broken)?.to_bytes();
            serde_json::from_slice(&bytes).map(Some).map_err(ServiceError::Unreadable)
        };
        timeout(TIMEOUT, asking).await.unwrap_or(Err(ServiceError::Timeout))
    }
}
