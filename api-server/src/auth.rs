//! Accounts and sessions over REST.

mod accounts;
mod api_keys;
mod cookie;
pub(crate) mod internal;
mod listener;
mod login;
mod reset;
mod upkeep;
mod users;

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, post_with};
use axum::extract::FromRef;
use cloudmeet_core::account::{FirstAdministrator, Registration};
use cloudmeet_core::time::Span;
use cloudmeet_store::AuthStore;
use url::Url;

pub use self::cookie::RefreshCookie;
pub use self::listener::{AccountListener, Rooms};
pub use self::upkeep::{follow, keep};
use crate::access_token::Signer;
use crate::hash_pool::{HashError, HashPool};
use crate::origin::Names;
use crate::problem::{Code, Problem};
use crate::rate_limit::Limits;
use crate::sessions::Sessions;

/// Is what the handlers of accounts work with. Cheap to clone.
#[derive(Clone, FromRef)]
pub struct AuthState {
    /// The accounts themselves.
    pub auth: Arc<Auth>,
    /// Who knows callers.
    pub sessions: Sessions,
    /// Who knows our own pages.
    pub names: Names,
}

/// Is everything about accounts: their store, their rules, who hashes and who signs.
pub struct Auth {
    /// Where accounts are.
    pub store: AuthStore,
    /// Who hashes passwords.
    pub hashes: HashPool,
    /// Who signs tokens.
    pub signer: Signer,
    /// What is limited.
    pub limits: Arc<Limits>,
    /// Who may register.
    pub registration: Registration,
    /// How the first administrator comes to be.
    pub first_administrator: FirstAdministrator,
    /// How long an access token lives.
    pub access_token_life: Span,
    /// How browsers keep refresh tokens.
    pub cookie: RefreshCookie,
    /// Whom to tell what became of accounts and sessions.
    pub listener: AccountListener,
    /// The address that people type, where it is known.
    pub public_url: Option<Url>,
}

/// The REST interface of accounts.
pub fn routes() -> ApiRouter<AuthState> {
    ApiRouter::new()
        .api_route("/api/auth/register", post_with(accounts::register, accounts::register_docs))
        .api_route("/api/auth/login", post_with(login::login, login::login_docs))
        .api_route("/api/auth/refresh", post_with(login::refresh, login::refresh_docs))
        .api_route("/api/auth/logout", post_with(login::logout, login::logout_docs))
        .api_route(
            "/api/auth/me",
            get_with(accounts::me, accounts::me_docs).patch_with(accounts::update_me, accounts::update_me_docs),
        )
        .api_route("/api/auth/validate", get_with(accounts::validate, accounts::validate_docs))
        .api_route("/api/auth/reset", post_with(reset::reset, reset::reset_docs))
        .api_route("/api/users", get_with(users::list, users::list_docs).post_with(users::create, users::create_docs))
        .api_route(
            "/api/users/{id}",
            get_with(users::read, users::read_docs)
                .patch_with(users::update, users::update_docs)
                .delete_with(users::delete, users::delete_docs),
        )
        .api_route("/api/users/{id}/reset-link", post_with(users::reset_link, users::reset_link_docs))
        .api_route(
            "/api/api-keys",
            get_with(api_keys::list, api_keys::list_docs).post_with(api_keys::create, api_keys::create_docs),
        )
        .api_route("/api/api-keys/{id}", delete_with(api_keys::revoke, api_keys::revoke_docs))
        .api_route("/.well-known/jwks.json", get_with(login::jwks, login::jwks_docs))
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded => Code::Overloaded.into(),
            HashError::Gone => Self::internal(&error),
        }
    }
}
