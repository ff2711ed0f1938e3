//! Keys by which programs speak for themselves.

use cloudmeet_core::account::AccountDeed;
use cloudmeet_core::api_key::{KeyName, Scope, is_good};
use cloudmeet_core::id::{ApiKeyId, UserId};
use cloudmeet_core::time::{Span, Timestamp};
use cloudmeet_core::token::OpaqueToken;

use super::AuthStore;
use crate::doer::Doer;
use crate::error::{Failure, StoreError};
use crate::letter;
use crate::value::{Row, values};

/// How exactly it is known when a key was last used: not every use is worth a write.
const USE_NOTED_EVERY: Span = Span::minutes(1);

/// Is a key to be made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// The name under which people know it.
    pub name: KeyName,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
}

/// Is a key as the store knows it; the secret itself is with its holder alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The name under which people know it.
    pub name: KeyName,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// Says that there is no such key, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such key")]
pub struct NoSuchKey;

impl AuthStore {
    /// Makes a key of a secret.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_api_key(&self, doer: &Doer, new: NewApiKey, secret: &OpaqueToken) -> Result<ApiKey, StoreError> {
        let now = self.now();
        let NewApiKey { name, scopes, expires_at } = new;
        let mut tx = self.database.begin().await?;
        let row = tx
            .fetch_one(
                "INSERT INTO api_keys (name, digest, scopes, created_by, created_at, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
                values![
                    name.as_str(),
                    secret.digest(),
                    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
                    doer.who.user_id.recorded(),
                    now.as_millis(),
                    expires_at.map(Timestamp::as_millis),
                ],
            )
            .await?
            .ok_or_else(|| StoreError::corrupt("an insert that returns nothing"))?;
        let id = key_id(&row)?;
        let detail = Some(name.as_str().to_owned());
        letter::tell_deed(&mut tx, doer, AccountDeed::CreateApiKey.as_str(), None, detail, now).await?;
        tx.commit().await?;
        let created_by = doer.who.user_id.recorded().and_then(UserId::new);
        Ok(ApiKey { id, name, scopes, created_by, created_at: now, expires_at, last_used_at: None })
    }

    /// Lists the keys that were not revoked, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let sql = "SELECT id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at \
                   FROM api_keys WHERE revoked_at IS NULL ORDER BY id DESC";
        self.database.read(sql, vec![]).await?.iter().map(api_key).collect()
    }

    /// Makes a key good for nothing.
    ///
    /// # Errors
    /// [`NoSuchKey`], or the store's.
    pub async fn revoke_api_key(&self, doer: &Doer, id: ApiKeyId) -> Result<(), Failure<NoSuchKey>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let row = tx
            .fetch_one(
                "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING name",
                values![id.get(), now.as_millis()],
            )
            .await?
            .ok_or(Failure::Refused(NoSuchKey))?;
        let detail = Some(row.get("name")?);
        letter::tell_deed(&mut tx, doer, AccountDeed::RevokeApiKey.as_str(), None, detail, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Finds the key of a secret, while it is good, and notes that it is used.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_api_key(&self, secret: &OpaqueToken) -> Result<Option<ApiKey>, StoreError> {
        let now = self.now();
        let sql = "SELECT id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at \
                   FROM api_keys WHERE digest = $1";
        let Some(row) = self.database.read_one(sql, values![secret.digest()]).await? else { return Ok(None) };
        let revoked_at = row.get::<Option<i64>>("revoked_at")?.map(Timestamp::from_millis);
        let key = api_key(&row)?;
        if !is_good(revoked_at, key.expires_at, now) {
            return Ok(None);
        }
        if key.last_used_at.is_none_or(|at| now.since(at) >= USE_NOTED_EVERY) {
            let mut tx = self.database.begin().await?;
            let values = values![key.id.get(), now.as_millis()];
            tx.execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", values).await?;
            tx.commit().await?;
        }
        Ok(Some(key))
    }
}

fn api_key(row: &Row) -> Result<ApiKey, StoreError> {
    let time = |column| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    let scopes: String = row.get("scopes")?;
    Ok(ApiKey {
        id: key_id(row)?,
        name: KeyName::from_stored(row.get("name")?),
        // A scope that this release does not know lets do nothing.
        scopes: scopes.split(' ').filter_map(Scope::parse).collect(),
        created_by: row.get::<Option<i64>>("created_by")?.and_then(UserId::new),
        created_at: Timestamp::from_millis(row.get("created_at")?),
        expires_at: time("expires_at")?,
        last_used_at: time("last_used_at")?,
    })
}

fn key_id(row: &Row) -> Result<ApiKeyId, StoreError> {
    ApiKeyId::new(row.get("id")?).ok_or_else(|| StoreError::corrupt("a key id that is not positive"))
}
