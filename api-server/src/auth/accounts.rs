//! Registering, and one's own account.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use cloudmeet_api_types::auth::{Account, Register, UpdateMe, Validation};
use cloudmeet_core::account::{Account as CoreAccount, DisplayName, Email, RegistrationError};
use cloudmeet_core::id::UserId;
use cloudmeet_core::password::Password;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{EmailTaken, NewAccount, RegisterError};

use super::Auth;
use crate::client_address::ClientAddress;
use crate::docs::problems;
use crate::extract::{FieldErrors, JsonBody};
use crate::problem::{Code, Problem, Rule};
use crate::random;
use crate::sessions::Caller;

pub(super) async fn register(
    State(auth): State<Arc<Auth>>,
    Extension(client): Extension<ClientAddress>,
    JsonBody(body): JsonBody<Register>,
) -> Result<(StatusCode, Json<Account>), Problem> {
    auth.limits.registration(client.rate_key(), auth.store.now()).await.map_err(Problem::rate_limited)?;
    let password = Password::typed(body.password);
    let (email, display_name) = judge(&body.email, &body.display_name, Some(&password))?;
    let password_hash = auth.hashes.hash(password, random::bytes()).await?;
    let setup_code = body.setup_code.map(OpaqueToken::presented);
    let new = NewAccount { email, display_name, password_hash, setup_code };
    let account = auth.store.register(&new, auth.registration, auth.first_administrator).await?;
    tracing::info!(user.id = account.id.get(), "account registered");
    Ok((StatusCode::CREATED, Json(account.into())))
}

/// Judges what a new account is to have, all of it at once; one that others make may be without a password.
pub(super) fn judge(
    email: &str,
    display_name: &str,
    password: Option<&Password>,
) -> Result<(Email, DisplayName), Problem> {
    let mut errors = FieldErrors::default();
    let email = errors.take("email", Email::parse(email));
    let display_name = errors.take("display_name", DisplayName::parse(display_name));
    if let Some(password) = password {
        // An address that is none cannot be the password; the other rules hold all the same.
        let compared = email.clone().unwrap_or_else(|| Email::from_stored(String::new()));
        errors.take("password", password.check_new(&compared));
    }
    errors.check()?;
    email.zip(display_name).ok_or_else(|| Code::Invalid.into())
}

pub(super) fn register_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 403, 409, 413, 415, 422, 429, 503];
    problems(operation.id("register").tag("accounts").summary("Create an account"), &codes)
        .response::<201, Json<Account>>()
}

pub(super) async fn me(State(auth): State<Arc<Auth>>, caller: Caller) -> Result<Json<Account>, Problem> {
    Ok(Json(account_of(&auth, &caller).await?.into()))
}

pub(super) fn me_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("me").tag("accounts").summary("Read one's own account"), &[401])
        .response::<200, Json<Account>>()
}

pub(super) async fn update_me(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    JsonBody(body): JsonBody<UpdateMe>,
) -> Result<Json<Account>, Problem> {
    let mut account = account_of(&auth, &caller).await?;
    let mut errors = FieldErrors::default();
    let name = errors.take("display_name", body.display_name.as_deref().map(DisplayName::parse).transpose());
    let password = body.password.map(Password::typed);
    if let Some(password) = &password {
        errors.take("password", password.check_new(&account.email));
        if body.current_password.is_none() {
            errors.take::<(), Rule>("current_password", Err(Rule::Required));
        }
    }
    errors.check()?;
    if let (Some(password), Some(current)) = (password, body.current_password) {
        change_password(&auth, &caller, &account.email, password, Password::typed(current)).await?;
    }
    if let Some(name) = name.flatten() {
        account = auth.store.rename_account(account.id, &name).await?.ok_or(Code::SessionOver)?;
        auth.listener.renamed(&account).await;
    }
    Ok(Json(account.into()))
}

pub(super) fn update_me_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 413, 415, 422, 429, 503];
    problems(operation.id("updateMe").tag("accounts").summary("Change one's own account"), &codes)
        .description("A new password needs the current one and ends all other sessions.")
        .response::<200, Json<Account>>()
}

pub(super) async fn validate(State(auth): State<Arc<Auth>>, caller: Caller) -> Result<Json<Validation>, Problem> {
    let account = account_of(&auth, &caller).await?;
    Ok(Json(Validation {
        valid: true,
        user_id: account.id.get(),
        email: account.email.as_str().to_owned(),
        display_name: account.display_name.as_str().to_owned(),
    }))
}

pub(super) fn validate_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("validate").tag("accounts").summary("Say whose a token is"), &[401])
        .response::<200, Json<Validation>>()
}

async fn account_of(auth: &Auth, caller: &Caller) -> Result<CoreAccount, Problem> {
    let (account, _) = auth.store.account(caller.identity.user_id).await?.ok_or(Code::SessionOver)?;
    Ok(account)
}

async fn change_password(
    auth: &Auth,
    caller: &Caller,
    email: &Email,
    new: Password,
    current: Password,
) -> Result<(), Problem> {
    let (id, email) = (caller.identity.user_id, email.as_str());
    // Whoever holds a session may guess no more often than whoever stands outside.
    auth.limits.password_check(email, auth.store.now()).await.map_err(Problem::rate_limited)?;
    let checked = check_current_password(auth, id, current).await;
    if !checked.as_ref().is_err_and(|problem| problem.code() == Code::WrongPassword) {
        auth.limits.was_no_guess(email).await;
    }
    checked?;
    let hash = auth.hashes.hash(new, random::bytes()).await?;
    for session_id in auth.store.change_password(id, &hash, &caller.session_id).await? {
        auth.listener.ended(&session_id).await;
    }
    tracing::info!(user.id = id.get(), "password changed");
    Ok(())
}

async fn check_current_password(auth: &Auth, id: UserId, current: Password) -> Result<(), Problem> {
    let (_, hash) = auth.store.account(id).await?.ok_or(Code::SessionOver)?;
    if auth.hashes.verify(current, Some(hash)).await? { Ok(()) } else { Err(Code::WrongPassword.into()) }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Rule(RegistrationError::Closed) => Code::RegistrationClosed,
            RegisterError::Rule(RegistrationError::InvalidSetupCode) => Code::InvalidSetupCode,
            RegisterError::EmailTaken(_) => Code::EmailTaken,
        }
        .into()
    }
}

impl From<EmailTaken> for Problem {
    fn from(_: EmailTaken) -> Self {
        Code::EmailTaken.into()
    }
}
