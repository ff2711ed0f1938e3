//! Accounts and sessions.

use cloudmeet_core::account::{Account as CoreAccount, Standing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;

/// Asks for an account.
#[derive(Deserialize, JsonSchema)]
pub struct Register {
    /// At most 254 characters, unique without regard to case.
    pub email: String,
    /// 2–100 characters.
    pub display_name: String,
    /// 8–128 characters, none of the most common, not the e-mail.
    pub password: String,
    /// The code of the setup link, which makes an administrator.
    pub setup_code: Option<String>,
}

/// Asks for a session.
#[derive(Deserialize, JsonSchema)]
pub struct Login {
    /// The account's address.
    pub email: String,
    /// The account's password.
    pub password: String,
}

/// Says where the refresh token goes.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub struct LoginQuery {
    /// `body`: into the answer too, for clients without a cookie jar.
    pub refresh: Option<RefreshIn>,
}

/// Names the places of a refresh token beside the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RefreshIn {
    /// The answer's body.
    Body,
}

/// Asks for the next access token, when the refresh token does not come as a cookie.
#[derive(Default, Deserialize, JsonSchema)]
pub struct Refresh {
    /// The newest refresh token of the session.
    pub refresh_token: Option<String>,
}

/// Changes one's own account; absent members stay.
#[derive(Deserialize, JsonSchema)]
pub struct UpdateMe {
    /// 2–100 characters.
    pub display_name: Option<String>,
    /// The new password; needs `current_password` and ends all other sessions.
    pub password: Option<String>,
    /// The present password.
    pub current_password: Option<String>,
}

/// Is an account as its holder sees it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Its id.
    pub id: i64,
    /// Its normalised address.
    pub email: String,
    /// The name others see.
    pub display_name: String,
    /// Whether it may sign in.
    pub is_active: bool,
    /// Whether it administers this installation.
    pub is_admin: bool,
    /// When it was made.
    pub created_at: WireTime,
}

impl From<CoreAccount> for Account {
    fn from(account: CoreAccount) -> Self {
        Self {
            id: account.id.get(),
            email: account.email.as_str().to_owned(),
            display_name: account.display_name.as_str().to_owned(),
            is_active: account.is_active,
            is_admin: account.standing == Standing::Administrator,
            created_at: account.created_at.into(),
        }
    }
}

/// Is what a login or a refresh yields.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Tokens {
    /// The bearer token of the next requests.
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: String,
    /// The access token's life in seconds.
    pub expires_in: i64,
    /// The refresh token, only when asked for in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Says whose a valid token is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    /// Always true: an invalid token is a 401.
    pub valid: bool,
    /// The account.
    pub user_id: i64,
    /// Its address.
    pub email: String,
    /// Its name.
    pub display_name: String,
}

/// Is a ticket that opens one WebSocket.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    /// Single use, on any server; unpadded base64url.
    pub ticket: String,
    /// Its life in seconds.
    pub expires_in: i64,
}

/// Is a set of public keys (RFC 7517).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Jwks {
    /// The keys; none with a shared secret.
    pub keys: Vec<Jwk>,
}

/// Is a public Ed25519 key (RFC 8037).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// Always `EdDSA`.
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Names the key in a token's header.
    pub kid: String,
    /// The public key, unpadded base64url.
    pub x: String,
}
