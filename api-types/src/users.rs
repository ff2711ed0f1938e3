//! What administrators do: accounts of others, and keys for programs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;

/// Says which accounts to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct ListUsers {
    /// How many to leave out (0).
    #[schemars(range(min = 0))]
    pub skip: Option<i64>,
    /// How many at most; 1–100 (20).
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<i64>,
    /// What address or name must hold, without regard to case.
    pub query: Option<String>,
    /// The whole address of the one account that is wanted, without regard to case; nothing else is looked at.
    pub email: Option<String>,
}

/// Asks for an account for somebody else.
#[derive(Deserialize, JsonSchema)]
pub struct CreateUser {
    /// At most 254 characters, unique without regard to case.
    pub email: String,
    /// 2–100 characters.
    pub display_name: String,
    /// 8–128 characters, none of the most common, not the e-mail. Without one nobody can sign in until a password
    /// was set by a reset link.
    pub password: Option<String>,
    /// Whether it administers this installation (false).
    #[serde(default)]
    pub is_admin: bool,
}

/// Changes somebody's account; absent members stay.
#[derive(Deserialize, JsonSchema)]
pub struct UpdateUser {
    /// 2–100 characters.
    pub display_name: Option<String>,
    /// A new password; ends all sessions of the account.
    pub password: Option<String>,
    /// Whether it may sign in; `false` ends all sessions of the account.
    pub is_active: Option<bool>,
    /// Whether it administers this installation.
    pub is_admin: Option<bool>,
}

/// Is a link by which somebody sets a new password, once.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct ResetLink {
    /// The code, for `POST /api/auth/reset`.
    pub code: String,
    /// The link that holds it; without the server's name where that is not known.
    pub url: String,
    /// Until when it is good.
    pub expires_at: WireTime,
}

/// Sets a new password by a code.
#[derive(Deserialize, JsonSchema)]
pub struct ResetPassword {
    /// The code, as the link has it.
    pub code: String,
    /// The new password.
    pub password: String,
}

/// Asks for a key for a program.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct CreateApiKey {
    /// 1–100 characters.
    pub name: String,
    /// What it may be used for; at least one: `rooms:manage`.
    pub scopes: Vec<String>,
    /// Until when it is good; without it, until it is revoked.
    pub expires_at: Option<WireTime>,
}

/// Is a key for a program, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct ApiKey {
    /// Its id.
    pub id: i64,
    /// The name under which people know it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: Option<i64>,
    /// When it was made.
    pub created_at: WireTime,
    /// Until when it is good; null: until it is revoked.
    pub expires_at: Option<WireTime>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<WireTime>,
}

/// Is a key that was just made: its secret is shown once.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct NewApiKey {
    /// The key as it is listed from now on.
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// The secret, for `Authorization: Bearer`.
    pub key: String,
}
