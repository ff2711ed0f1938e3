//! Keys by which programs speak for themselves, for administrators.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cloudmeet_api_types::users::{ApiKey, CreateApiKey, NewApiKey};
use cloudmeet_core::api_key::{KeyName, PREFIX, Scope, ScopesError, is_good, scopes};
use cloudmeet_core::id::{ApiKeyId, UserId};
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{ApiKey as StoredKey, NewApiKey as NewStoredKey, NoSuchKey};

use super::Auth;
use crate::docs::problems;
use crate::extract::{ApiKeyPath, FieldErrors, JsonBody};
use crate::problem::{Code, Problem, Rule};
use crate::random;
use crate::sessions::Administrator;

pub(super) async fn create(
    State(auth): State<Arc<Auth>>,
    Administrator { doer, .. }: Administrator,
    JsonBody(body): JsonBody<CreateApiKey>,
) -> Result<(StatusCode, Json<NewApiKey>), Problem> {
    let mut errors = FieldErrors::default();
    let name = errors.take("name", KeyName::parse(&body.name));
    let scopes = errors.take("scopes", scopes(&body.scopes));
    let expires_at = body.expires_at.map(|time| time.0);
    if !is_good(None, expires_at, auth.store.now()) {
        errors.take::<(), Rule>("expires_at", Err(Rule::Past));
    }
    errors.check()?;
    let (Some(name), Some(scopes)) = (name, scopes) else { return Err(Code::Invalid.into()) };
    let random = OpaqueToken::from_random(random::bytes());
    let secret = OpaqueToken::presented(format!("{PREFIX}{}", random.reveal()));
    let stored = auth.store.add_api_key(&doer, NewStoredKey { name, scopes, expires_at }, &secret).await?;
    auth.listener.told().await;
    Ok((StatusCode::CREATED, Json(NewApiKey { api_key: wire(stored), key: secret.reveal().to_owned() })))
}

pub(super) fn create_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 413, 415, 422];
    problems(operation.id("createApiKey").tag("api keys").summary("Make a key for a program"), &codes)
        .description("For administrators. The key is in this answer and nowhere else.")
        .response::<201, Json<NewApiKey>>()
}

pub(super) async fn list(
    State(auth): State<Arc<Auth>>,
    Administrator { .. }: Administrator,
) -> Result<Json<Vec<ApiKey>>, Problem> {
    Ok(Json(auth.store.api_keys().await?.into_iter().map(wire).collect()))
}

pub(super) fn list_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("listApiKeys").tag("api keys").summary("List the keys for programs"), &[401, 403])
        .description("For administrators. The newest first, without those that were revoked.")
        .response::<200, Json<Vec<ApiKey>>>()
}

pub(super) async fn revoke(
    State(auth): State<Arc<Auth>>,
    Administrator { doer, .. }: Administrator,
    ApiKeyPath(id): ApiKeyPath,
) -> Result<StatusCode, Problem> {
    auth.store.revoke_api_key(&doer, id).await?;
    auth.listener.told().await;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn revoke_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("revokeApiKey").tag("api keys").summary("Revoke a key"), &[401, 403, 404])
        .description("For administrators. It is good for nothing from now on.")
        .response::<204, ()>()
}

fn wire(key: StoredKey) -> ApiKey {
    ApiKey {
        id: ApiKeyId::get(key.id),
        name: key.name.as_str().to_owned(),
        scopes: key.scopes.into_iter().map(|scope| scope.as_str().to_owned()).collect(),
        created_by: key.created_by.map(UserId::get),
        created_at: key.created_at.into(),
        expires_at: key.expires_at.map(Into::into),
        last_used_at: key.last_used_at.map(Into::into),
    }
}

impl From<NoSuchKey> for Problem {
    fn from(_: NoSuchKey) -> Self {
        Code::ApiKeyNotFound.into()
    }
}

impl From<ScopesError> for Rule {
    fn from(error: ScopesError) -> Self {
        match error {
            ScopesError::None => Self::Required,
            ScopesError::Unknown => {
                let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
                Self::WrongType(format!("one of {}", known.join(", ")))
            }
        }
    }
}
