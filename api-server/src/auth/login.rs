//! Sessions: login, refresh, logout, and the keys by which others verify tokens.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use cloudmeet_api_types::auth::{Jwks, Login, LoginQuery, Refresh, RefreshIn, Tokens};
use cloudmeet_core::account::{Account, Email};
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::password::{Password, PasswordHash};
use cloudmeet_core::session::AccessClaims;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{NewSession, RenewError};
use uuid::Uuid;

use super::Auth;
use crate::client_address::ClientAddress;
use crate::docs::problems;
use crate::extract::{JsonBody, OptionalJsonBody, QueryParams};
use crate::origin::{Names, Origin};
use crate::problem::{Code, Problem};
use crate::random;
use crate::sessions::Caller;

pub(super) async fn login(
    State(auth): State<Arc<Auth>>,
    Extension(client): Extension<ClientAddress>,
    QueryParams(query): QueryParams<LoginQuery>,
    JsonBody(body): JsonBody<Login>,
) -> Result<(HeaderMap, Json<Tokens>), Problem> {
    auth.limits.login(client.rate_key(), &body.email, auth.store.now()).await.map_err(Problem::rate_limited)?;
    let checked = check_credentials(&auth, &body.email, Password::typed(body.password)).await;
    // What failed for another reason was no guess, and costs none.
    if !checked.as_ref().is_err_and(|problem| problem.code() == Code::WrongCredentials) {
        auth.limits.was_no_guess(&body.email).await;
    }
    let (account, hash) = checked?;
    if !account.is_active {
        return Err(Code::AccountInactive.into());
    }
    let session = NewSession {
        id: SessionId::new(Uuid::now_v7().to_string()),
        user_id: account.id,
        rotation_key: OpaqueToken::from_random(random::bytes()),
        refresh_token: OpaqueToken::from_random(random::bytes()),
    };
    auth.store.open_session(&session, &hash).await?;
    let in_body = query.refresh == Some(RefreshIn::Body);
    let tokens = auth.tokens(account.id, session.id, in_body.then_some(&session.refresh_token))?;
    Ok((auth.cookie.set(&session.refresh_token), Json(tokens)))
}

async fn check_credentials(auth: &Auth, email: &str, password: Password) -> Result<(Account, PasswordHash), Problem> {
    // What is no address belongs to nobody, and takes as long as any wrong password.
    let known = match Email::parse(email) {
        Ok(email) => auth.store.account_by_email(&email).await?,
        Err(_) => None,
    };
    let hash = known.as_ref().map(|(_, hash)| hash.clone());
    let is_right = auth.hashes.verify(password, hash).await?;
    Ok(known.filter(|_| is_right).ok_or(Code::WrongCredentials)?)
}

pub(super) fn login_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 413, 415, 422, 429, 503];
    problems(operation.id("login").tag("sessions").summary("Sign in"), &codes)
        .description("Sets the refresh cookie; with `?refresh=body` the refresh token also stands in the answer.")
        .response::<200, Json<Tokens>>()
}

pub(super) async fn refresh(
    State(auth): State<Arc<Auth>>,
    State(names): State<Names>,
    headers: HeaderMap,
    OptionalJsonBody(body): OptionalJsonBody<Refresh>,
) -> Result<(HeaderMap, Json<Tokens>), Problem> {
    let in_body = body.refresh_token.is_some();
    let presented = if let Some(token) = body.refresh_token {
        OpaqueToken::presented(token)
    } else if names.origin(&headers) == Origin::Foreign {
        // A cookie comes along by itself, so the page that sends it must be ours.
        return Err(Code::ForeignOrigin.into());
    } else {
        auth.cookie.read(&headers).ok_or(Code::InvalidRefreshToken)?
    };
    let renewed = match auth.store.renew(&presented).await {
        Ok(renewed) => renewed,
        Err(failure) => {
            if let cloudmeet_store::Failure::Refused(RenewError::Rule(reason)) = &failure {
                tracing::warn!(%reason, "refresh refused");
            }
            return Err(failure.into());
        }
    };
    let tokens = auth.tokens(renewed.user_id, renewed.session_id, in_body.then_some(&renewed.refresh_token))?;
    let headers = if in_body { HeaderMap::new() } else { auth.cookie.set(&renewed.refresh_token) };
    Ok((headers, Json(tokens)))
}

pub(super) fn refresh_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 413, 415, 422, 503];
    problems(operation.id("refresh").tag("sessions").summary("Renew the access token"), &codes)
        .description(
            "By cookie or body. The refresh token rotates; a spent one yields the same successor for 30 s and \
             ends the session when it is shown later.",
        )
        .response::<200, Json<Tokens>>()
}

pub(super) async fn logout(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    OptionalJsonBody(Refresh { .. }): OptionalJsonBody<Refresh>,
) -> Result<(StatusCode, HeaderMap), Problem> {
    auth.store.end_session(&caller.session_id).await?;
    auth.listener.ended(&caller.session_id).await;
    Ok((StatusCode::NO_CONTENT, auth.cookie.clear()))
}

pub(super) fn logout_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("logout").tag("sessions").summary("Sign out"), &[401])
        .description("Ends the session on this device, with its tokens and sockets.")
        .response::<204, ()>()
}

pub(super) async fn jwks(State(auth): State<Arc<Auth>>) -> Json<Jwks> {
    Json(auth.signer.jwks())
}

pub(super) fn jwks_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .id("jwks")
        .tag("sessions")
        .summary("Read the public signing keys")
        .description("An empty set when tokens are signed with a shared secret.")
        .response::<200, Json<Jwks>>()
}

impl Auth {
    /// Signs an access token for a session.
    fn tokens(
        &self,
        user_id: UserId,
        session_id: SessionId,
        refresh_token: Option<&OpaqueToken>,
    ) -> Result<Tokens, Problem> {
        let claims = AccessClaims::issue(user_id, session_id, self.store.now(), self.access_token_life);
        let access_token = self.signer.sign(&claims).map_err(|error| Problem::internal(error.as_ref()))?;
        Ok(Tokens {
            access_token,
            token_type: "bearer".to_owned(),
            expires_in: self.access_token_life.as_seconds(),
            refresh_token: refresh_token.map(|token| token.reveal().to_owned()),
        })
    }
}

impl From<RenewError> for Problem {
    fn from(_: RenewError) -> Self {
        Code::InvalidRefreshToken.into()
    }
}
