//! Accounts of others, for administrators.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cloudmeet_api_types::auth::Account;
use cloudmeet_api_types::users::{CreateUser, ListUsers, ResetLink, UpdateUser};
use cloudmeet_core::account::{AccountPatch, DisplayName, Email, Standing};
use cloudmeet_core::password::Password;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{AccountError, AccountFilter, NewAccount};

use super::Auth;
use super::accounts::judge;
use crate::docs::problems;
use crate::extract::{FieldErrors, JsonBody, QueryParams, UserPath, searched};
use crate::problem::{Code, Problem, Rule};
use crate::random;
use crate::sessions::Administrator;

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// How long a link for a new password is good.
const RESET_LIFE: Span = Span::days(1);

pub(super) async fn list(
    State(auth): State<Arc<Auth>>,
    Administrator { .. }: Administrator,
    QueryParams(query): QueryParams<ListUsers>,
) -> Result<Json<Vec<Account>>, Problem> {
    let mut errors = FieldErrors::default();
    if let Some(email) = query.email {
        let email = errors.take("email", Email::parse(&email));
        errors.check()?;
        let email = email.ok_or(Code::Invalid)?;
        let found = auth.store.account_by_email(&email).await?;
        return Ok(Json(found.into_iter().map(|(account, _)| account.into()).collect()));
    }
    let (skip, limit) = (query.skip.unwrap_or(0), query.limit.unwrap_or(DEFAULT_LIMIT));
    errors.take("skip", Rule::in_range(skip, 0, None));
    errors.take("limit", Rule::in_range(limit, 1, Some(MAX_LIMIT)));
    let query = errors.take("query", searched(query.query)).flatten();
    errors.check()?;
    let filter = AccountFilter { skip, limit, query };
    Ok(Json(auth.store.list_accounts(&filter).await?.into_iter().map(Account::from).collect()))
}

pub(super) fn list_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("listUsers").tag("users").summary("List accounts"), &[401, 403, 422])
        .description("For administrators. The oldest first.")
        .response::<200, Json<Vec<Account>>>()
}

pub(super) async fn create(
    State(auth): State<Arc<Auth>>,
    Administrator { doer, .. }: Administrator,
    JsonBody(body): JsonBody<CreateUser>,
) -> Result<(StatusCode, Json<Account>), Problem> {
    let typed = body.password.map(Password::typed);
    let (email, display_name) = judge(&body.email, &body.display_name, typed.as_ref())?;
    // Whom nobody gave a password has one that nobody knows.
    let password =
        typed.unwrap_or_else(|| Password::typed(OpaqueToken::from_random(random::bytes()).reveal().to_owned()));
    let password_hash = auth.hashes.hash(password, random::bytes()).await?;
    let standing = Standing::from_flag(body.is_admin);
    let new = NewAccount { email, display_name, password_hash, setup_code: None };
    let account = auth.store.create_account(&doer, &new, standing).await?;
    auth.listener.told().await;
    Ok((StatusCode::CREATED, Json(account.into())))
}

pub(super) fn create_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 409, 413, 415, 422, 503];
    problems(operation.id("createUser").tag("users").summary("Make an account for somebody"), &codes)
        .description("For administrators, whatever REGISTRATION says.")
        .response::<201, Json<Account>>()
}

pub(super) async fn read(
    State(auth): State<Arc<Auth>>,
    Administrator { .. }: Administrator,
    UserPath(id): UserPath,
) -> Result<Json<Account>, Problem> {
    let account = auth.store.administered_account(id).await?.ok_or(Code::UserNotFound)?;
    Ok(Json(account.into()))
}

pub(super) fn read_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("readUser").tag("users").summary("Read an account"), &[401, 403, 404])
        .description("For administrators.")
        .response::<200, Json<Account>>()
}

pub(super) async fn update(
    State(auth): State<Arc<Auth>>,
    administrator: Administrator,
    UserPath(id): UserPath,
    JsonBody(body): JsonBody<UpdateUser>,
) -> Result<Json<Account>, Problem> {
    let Administrator { doer, session_id } = administrator;
    let account = auth.store.administered_account(id).await?.ok_or(Code::UserNotFound)?;
    let mut errors = FieldErrors::default();
    let display_name = errors.take("display_name", body.display_name.as_deref().map(DisplayName::parse).transpose());
    let password = body.password.map(Password::typed);
    if let Some(password) = &password {
        errors.take("password", password.check_new(&account.email));
    }
    errors.check()?;
    let password_hash = match password {
        Some(password) => Some(auth.hashes.hash(password, random::bytes()).await?),
        None => None,
    };
    let patch = AccountPatch {
        display_name: display_name.flatten(),
        is_active: body.is_active,
        standing: body.is_admin.map(Standing::from_flag),
        password_hash,
    };
    // Whoever sets their own password stays where they are.
    let keep = (doer.who.user_id == id).then_some(&session_id);
    let changed = auth.store.change_account(id, &doer, &patch, keep).await?;
    auth.listener.changed(&changed).await;
    Ok(Json(changed.account.into()))
}

pub(super) fn update_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422, 503];
    problems(operation.id("updateUser").tag("users").summary("Change an account"), &codes)
        .description(
            "For administrators: name, password, whether it is active, whether it administers. The last who \
             administers stays (409 `last_administrator`).",
        )
        .response::<200, Json<Account>>()
}

pub(super) async fn delete(
    State(auth): State<Arc<Auth>>,
    Administrator { doer, .. }: Administrator,
    UserPath(id): UserPath,
) -> Result<StatusCode, Problem> {
    for session_id in auth.store.delete_account(id, &doer).await? {
        auth.listener.ended(&session_id).await;
    }
    auth.listener.told().await;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn delete_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("deleteUser").tag("users").summary("Delete an account"), &[401, 403, 404, 409])
        .description(
            "For administrators. What the person said stays under a neutral name; their rooms go to their oldest \
             moderator, or are closed; everything else of them goes.",
        )
        .response::<204, ()>()
}

pub(super) async fn reset_link(
    State(auth): State<Arc<Auth>>,
    Administrator { doer, .. }: Administrator,
    UserPath(id): UserPath,
) -> Result<(StatusCode, Json<ResetLink>), Problem> {
    let code = OpaqueToken::from_random(random::bytes());
    let expires_at = auth.store.add_reset_code(id, &doer, &code, RESET_LIFE).await?;
    auth.listener.told().await;
    // Browsers keep a fragment to themselves.
    let path = format!("/#reset={}", code.reveal());
    let url = auth.public_url.as_ref().and_then(|base| base.join(&path).ok()).map_or(path, String::from);
    let link = ResetLink { code: code.reveal().to_owned(), url, expires_at: expires_at.into() };
    Ok((StatusCode::CREATED, Json(link)))
}

pub(super) fn reset_link_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = operation.id("createResetLink").tag("users").summary("Make a link for a new password");
    problems(operation, &[401, 403, 404])
        .description("For administrators. Good for a day, and once; links before it are good for nothing any more.")
        .response::<201, Json<ResetLink>>()
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NoSuchAccount => Code::UserNotFound,
            AccountError::LastAdministrator(_) => Code::LastAdministrator,
        }
        .into()
    }
}
