//! Sessions and the refresh tokens that keep them.

use std::collections::HashSet;

use cloudmeet_core::account::Account;
use cloudmeet_core::crypto;
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::session::{self, REFRESH_LIFE, RefreshError, RefreshTokenState, Rotation};
use cloudmeet_core::time::{Span, Timestamp};
use cloudmeet_core::token::OpaqueToken;

use serde_json::{Map, Value as Json};

use super::AuthStore;
use super::accounts::{account, user_id};
use crate::changes::{self, AccountChange};
use crate::db::{Tx, locking};
use crate::error::{Failure, StoreError};
use crate::value::{Value, values};

/// Is a session to be opened.
#[derive(Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The key from which its refresh tokens follow; a token's text of 256 random bits.
    pub rotation_key: OpaqueToken,
    /// Its first refresh token.
    pub refresh_token: OpaqueToken,
}

/// Is a session that lives, with its holder.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// Whose it is.
    pub account: Account,
}

/// Is a session whose refresh token was used.
#[derive(Debug)]
pub struct Renewed {
    /// The session.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The refresh token to use next.
    pub refresh_token: OpaqueToken,
}

/// Says that a password was replaced, or its account deactivated, after it was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password is not the account's any more")]
pub struct PasswordReplaced;

/// Says why a refresh token is good for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// It was never given, or is long gone.
    #[error("the refresh token is unknown")]
    Unknown,
    /// A rule says no.
    #[error(transparent)]
    Rule(#[from] RefreshError),
}

/// How long an ended session is kept: longer than any access token of it.
const KEPT_AFTER_END: Span = REFRESH_LIFE;

impl AuthStore {
    /// Opens a session for whoever knew the password behind `verified`: under the account's lock, for
    /// a change of the password ends only the sessions that it finds.
    ///
    /// # Errors
    /// [`PasswordReplaced`], or the store's.
    pub async fn open_session(
        &self,
        session: &NewSession,
        verified: &PasswordHash,
    ) -> Result<(), Failure<PasswordReplaced>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        tx.fetch_one(
            locking!(
                "a",
                "SELECT a.id FROM accounts a WHERE a.id = $1 AND a.password_hash = $2 AND a.is_active = TRUE"
            ),
            values![session.user_id.get(), verified.as_str()],
        )
        .await?
        .ok_or(Failure::Refused(PasswordReplaced))?;
        tx.execute(
            "INSERT INTO sessions (id, user_id, rotation_key, created_at) VALUES ($1, $2, $3, $4)",
            values![session.id.as_str(), session.user_id.get(), session.rotation_key.reveal(), now.as_millis()],
        )
        .await?;
        add_refresh_token(&mut tx, &session.refresh_token, &session.id, now).await?;
        Ok(tx.commit().await?)
    }

    /// Gives those of some sessions that are over, or whose account is not active.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_over(&self, ids: Vec<SessionId>) -> Result<Vec<SessionId>, StoreError> {
        let asked: Map<String, Json> = ids.iter().map(|id| (id.to_string(), Json::Null)).collect();
        let rows = self
            .database
            .read(
                "SELECT s.id FROM sessions s JOIN accounts a ON a.id = s.user_id AND a.is_active = TRUE \
                 WHERE s.ended_at IS NULL AND s.id IN (SELECT i.key FROM json_each($1) AS i)",
                vec![Value::Json(Json::Object(asked).to_string())],
            )
            .await?;
        let alive = rows.iter().map(|row| row.get::<String>("id")).collect::<Result<HashSet<_>, _>>()?;
        Ok(ids.into_iter().filter(|id| !alive.contains(id.as_str())).collect())
    }

    /// Finds a session that lives and whose account is active. `None` for any other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&self, id: &SessionId) -> Result<Option<LiveSession>, StoreError> {
        let row = self
            .database
            .read_one(
                "SELECT a.id, a.email, a.display_name, a.is_active, a.is_admin, a.created_at \
                 FROM sessions s JOIN accounts a ON a.id = s.user_id \
                 WHERE s.id = $1 AND s.ended_at IS NULL AND a.is_active = TRUE",
                values![id.as_str()],
            )
            .await?;
        row.map(|row| Ok(LiveSession { account: account(&row)? })).transpose()
    }

    /// Uses a refresh token. One that is shown too late a second time ends its session.
    ///
    /// # Errors
    /// [`RenewError`], or the store's.
    pub async fn renew(&self, presented: &OpaqueToken) -> Result<Renewed, Failure<RenewError>> {
        let now = self.now();
        let digest = presented.digest();
        let mut tx = self.database.begin().await?;
        // The session's row is the lock: two tabs with one token take turns.
        let session = tx
            .fetch_one(
                locking!(
                    "s",
                    "SELECT s.id, s.user_id, s.rotation_key, s.ended_at FROM sessions s \
                     JOIN accounts a ON a.id = s.user_id AND a.is_active = TRUE \
                     WHERE s.id = (SELECT session_id FROM refresh_tokens WHERE digest = $1)"
                ),
                values![digest.as_str()],
            )
            .await?
            .ok_or(Failure::Refused(RenewError::Unknown))?;
        let token = tx
            .fetch_one("SELECT expires_at, spent_at FROM refresh_tokens WHERE digest = $1", values![digest.as_str()])
            .await?
            .ok_or(Failure::Refused(RenewError::Unknown))?;
        let session_id = SessionId::new(session.get("id")?);
        let state = RefreshTokenState {
            expires_at: Timestamp::from_millis(token.get("expires_at")?),
            spent_at: token.get::<Option<i64>>("spent_at")?.map(Timestamp::from_millis),
            session_ended_at: session.get::<Option<i64>>("ended_at")?.map(Timestamp::from_millis),
        };
        let key: String = session.get("rotation_key")?;
        let successor = session::successor(key.as_bytes(), presented);
        match session::rotate(state, now) {
            Ok(Rotation::Replay) => {}
            Ok(Rotation::Rotate) => {
                tx.execute(
                    "UPDATE refresh_tokens SET spent_at = $2 WHERE digest = $1",
                    values![digest.as_str(), now.as_millis()],
                )
                .await?;
                add_refresh_token(&mut tx, &successor, &session_id, now).await?;
            }
            Err(error) => {
                if error == RefreshError::Reused {
                    end(&mut tx, &session_id, now).await?;
                    tx.commit().await?;
                }
                return Err(Failure::Refused(error.into()));
            }
        }
        let renewed = Renewed { session_id, user_id: user_id(&session, "user_id")?, refresh_token: successor };
        tx.commit().await?;
        Ok(renewed)
    }

    /// Ends a session, for good. Without effect on one that ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(&self, id: &SessionId) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        end(&mut tx, id, self.now()).await?;
        tx.commit().await
    }

    /// Gives an account another password and ends all its sessions but one. Gives the ended ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_password(
        &self,
        user_id: UserId,
        hash: &PasswordHash,
        keep: &SessionId,
    ) -> Result<Vec<SessionId>, StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        tx.execute("UPDATE accounts SET password_hash = $2 WHERE id = $1", values![user_id.get(), hash.as_str()])
            .await?;
        let ended = end_all(&mut tx, user_id, Some(keep), now).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Deletes refresh tokens that are over, ends the sessions that have none left, for nobody can
    /// prolong those, and forgets sessions that ended.
    pub(super) async fn prune_sessions(&self) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        tx.execute("DELETE FROM refresh_tokens WHERE expires_at < $1", values![now.as_millis()]).await?;
        let over = tx
            .fetch(
                "SELECT s.id FROM sessions s WHERE s.ended_at IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = s.id)",
                vec![],
            )
            .await?;
        for row in over {
            end(&mut tx, &SessionId::new(row.get("id")?), now).await?;
        }
        tx.execute(
            "DELETE FROM sessions WHERE ended_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = sessions.id)",
            values![now.minus(KEPT_AFTER_END).as_millis()],
        )
        .await?;
        tx.commit().await
    }
}

async fn add_refresh_token(
    tx: &mut Tx<'_>,
    token: &OpaqueToken,
    session_id: &SessionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO refresh_tokens (digest, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        values![
            crypto::digest(token.reveal()),
            session_id.as_str(),
            now.as_millis(),
            now.plus(REFRESH_LIFE).as_millis()
        ],
    )
    .await?;
    Ok(())
}

/// Ends all sessions of an account but one. Gives those that ended.
pub(super) async fn end_all(
    tx: &mut Tx<'_>,
    user_id: UserId,
    keep: Option<&SessionId>,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let rows = tx
        .fetch(
            "UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL RETURNING id",
            values![user_id.get(), keep.map_or("", SessionId::as_str), now.as_millis()],
        )
        .await?;
    let mut ended = Vec::with_capacity(rows.len());
    for row in rows {
        let id = SessionId::new(row.get("id")?);
        changes::note(tx, &AccountChange::SessionEnded(id.clone()), now).await?;
        ended.push(id);
    }
    Ok(ended)
}

async fn end(tx: &mut Tx<'_>, id: &SessionId, now: Timestamp) -> Result<(), StoreError> {
    let ended = tx
        .execute(
            "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL",
            values![id.as_str(), now.as_millis()],
        )
        .await?;
    if ended == 1 {
        changes::note(tx, &AccountChange::SessionEnded(id.clone()), now).await?;
    }
    Ok(())
}
