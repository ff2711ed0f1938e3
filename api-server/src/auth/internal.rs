//! What the auth service tells other services, and nobody else.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cloudmeet_api_types::internal::{
    Change, Changes, ChangesQuery, FindPeople, FoundPeople, FoundPerson, Letter, Letters, Machine, Person,
    SessionHolder, SessionIds, ShownKey, TakenLetters,
};
use cloudmeet_api_types::system::ServerState;
use cloudmeet_core::account::{Account, Email, Standing};
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::time::Timestamp;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{AuthStore, Letter as StoredLetter};
use serde::Serialize;

use crate::problem::{Code, Problem};
use crate::secret::Secret;
use crate::this_server::ThisServer;

/// The longest question: a server asks about the sessions of all its sockets at once, 39 bytes each.
const MAX_QUESTION_BYTES: usize = 8 * 1024 * 1024;

/// Is what the handlers work with. Cheap to clone.
#[derive(Clone)]
struct Internal {
    store: AuthStore,
    this_server: ThisServer,
    token: Arc<Secret>,
}

/// The interface for other services, which must show `token`.
pub(crate) fn routes(store: AuthStore, this_server: ThisServer, token: Secret) -> Router {
    let state = Internal { store, this_server, token: Arc::new(token) };
    Router::new()
        .route("/internal/session-holder", post(session_holder))
        .route("/internal/sessions-over", post(sessions_over))
        .route("/internal/people/{id}", get(person))
        .route("/internal/people", post(people))
        .route("/internal/changes", post(changes))
        .route("/internal/machine", post(machine))
        .route("/internal/letters", get(letters))
        .route("/internal/letters-taken", post(letters_taken))
        .route("/internal/server", get(server))
        .layer(DefaultBodyLimit::max(MAX_QUESTION_BYTES))
        .layer(from_fn_with_state(state.clone(), authenticate))
        .with_state(state)
}

/// Lets nobody in without the token. Whoever guesses does not even learn that there is something.
async fn authenticate(State(internal): State<Internal>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|value| value.strip_prefix("Bearer "));
    if token.is_some_and(|token| verify_slices_are_equal(token.as_bytes(), internal.token.reveal().as_bytes()).is_ok())
    {
        next.run(request).await
    } else {
        Problem::from(Code::NotFound).into_response()
    }
}

async fn session_holder(State(internal): State<Internal>, Json(ids): Json<SessionIds>) -> Result<Response, Problem> {
    let id = ids.session_ids.into_iter().next().map(SessionId::new).ok_or(Code::NotFound)?;
    let session = internal.store.session(&id).await?;
    Ok(or_nothing(session.map(|session| SessionHolder {
        user_id: session.account.id.get(),
        display_name: session.account.display_name.as_str().to_owned(),
        is_admin: session.account.standing == Standing::Administrator,
    })))
}

async fn sessions_over(
    State(internal): State<Internal>,
    Json(ids): Json<SessionIds>,
) -> Result<Json<SessionIds>, Problem> {
    let over = internal.store.sessions_over(ids.session_ids.into_iter().map(SessionId::new).collect()).await?;
    Ok(Json(SessionIds { session_ids: over.iter().map(ToString::to_string).collect() }))
}

async fn person(State(internal): State<Internal>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = UserId::parse(&id).ok_or(Code::NotFound)?;
    let account = internal.store.account(id).await?;
    Ok(or_nothing(account.map(|(account, _)| Person {
        display_name: account.display_name.as_str().to_owned(),
        is_active: account.is_active,
        is_admin: Some(account.standing == Standing::Administrator),
    })))
}

async fn people(State(internal): State<Internal>, Json(find): Json<FindPeople>) -> Result<Json<FoundPeople>, Problem> {
    let ids: Vec<UserId> = find.ids.into_iter().filter_map(UserId::new).collect();
    let emails: Vec<Email> = find.emails.into_iter().map(Email::from_stored).collect();
    let accounts = internal.store.accounts_among(&ids, &emails).await?;
    let found = |account: Account| FoundPerson {
        id: account.id.get(),
        email: account.email.as_str().to_owned(),
        display_name: account.display_name.as_str().to_owned(),
        is_active: account.is_active,
        is_admin: account.standing == Standing::Administrator,
    };
    Ok(Json(FoundPeople { people: accounts.into_iter().map(found).collect() }))
}

async fn changes(State(internal): State<Internal>, Json(query): Json<ChangesQuery>) -> Result<Json<Changes>, Problem> {
    let rows = match query.since {
        Some(since) => internal.store.change_rows(query.after, Timestamp::from_millis(since)).await?,
        None => Vec::new(),
    };
    let rows = rows.into_iter().map(|row| Change { id: row.id, kind: row.kind, subject: row.subject }).collect();
    Ok(Json(Changes { now: internal.store.now().as_millis(), rows }))
}

async fn machine(State(internal): State<Internal>, Json(shown): Json<ShownKey>) -> Result<Response, Problem> {
    let key = internal.store.use_api_key(&OpaqueToken::presented(shown.key)).await?;
    Ok(or_nothing(key.map(|key| Machine {
        id: key.id.get(),
        name: key.name.as_str().to_owned(),
        scopes: key.scopes.into_iter().map(|scope| scope.as_str().to_owned()).collect(),
    })))
}

async fn letters(State(internal): State<Internal>) -> Result<Json<Letters>, Problem> {
    let letters = internal.store.letters().await?;
    let wire = |one: StoredLetter| Letter { key: one.key, kind: one.kind, payload: one.payload };
    Ok(Json(Letters { letters: letters.into_iter().map(wire).collect() }))
}

async fn letters_taken(
    State(internal): State<Internal>,
    Json(taken): Json<TakenLetters>,
) -> Result<StatusCode, Problem> {
    internal.store.forget_letters(&taken.keys).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn server(State(internal): State<Internal>) -> Json<ServerState> {
    Json(internal.this_server.look().await)
}

fn or_nothing(body: Option<impl Serialize>) -> Response {
    match body {
        Some(body) => Json(body).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}
