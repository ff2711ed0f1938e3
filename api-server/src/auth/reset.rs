//! Setting a new password by a code from an administrator.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use cloudmeet_api_types::users::ResetPassword;
use cloudmeet_core::password::Password;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::InvalidResetCode;

use super::Auth;
use crate::client_address::ClientAddress;
use crate::docs::problems;
use crate::extract::{FieldErrors, JsonBody};
use crate::observe::request_id;
use crate::problem::{Code, Problem};
use crate::random;

pub(super) async fn reset(
    State(auth): State<Arc<Auth>>,
    Extension(client): Extension<ClientAddress>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ResetPassword>,
) -> Result<StatusCode, Problem> {
    auth.limits.registration(client.rate_key(), auth.store.now()).await.map_err(Problem::rate_limited)?;
    let (code, password) = (OpaqueToken::presented(body.code), Password::typed(body.password));
    // Before a password costs a hash; the code is looked at once more when it is used up.
    let account = auth.store.holder_of_reset_code(&code).await?.ok_or(Code::InvalidResetCode)?;
    let mut errors = FieldErrors::default();
    errors.take("password", password.check_new(&account.email));
    errors.check()?;
    let hash = auth.hashes.hash(password, random::bytes()).await?;
    let from = (client.0.to_canonical().to_string(), request_id(&headers).to_owned());
    let changed = auth.store.reset_password(&code, &hash, from).await?;
    auth.listener.changed(&changed).await;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn reset_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 403, 413, 415, 422, 429, 503];
    problems(operation.id("resetPassword").tag("accounts").summary("Set a new password by a code"), &codes)
        .description("The code comes from an administrator and is good once. Ends all sessions of the account.")
        .response::<204, ()>()
}

impl From<InvalidResetCode> for Problem {
    fn from(_: InvalidResetCode) -> Self {
        Code::InvalidResetCode.into()
    }
}
