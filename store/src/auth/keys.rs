//! The keys that sign access tokens, sealed: the database alone signs nothing.

use cloudmeet_core::signing_key::{NOTICE, Term};
use cloudmeet_core::time::Timestamp;

use super::AuthStore;
use crate::db::Tx;
use crate::error::StoreError;
use crate::value::{Row, values};

/// Is a signing key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Names it in a token's header.
    pub kid: String,
    /// The public half, unpadded base64url.
    pub public_key: String,
    /// The private half, sealed by the caller. Empty once it has signed its last token.
    pub sealed_private_key: String,
}

impl AuthStore {
    /// Stores a first signing key where there is none, which signs at once. Servers that start
    /// together agree on one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_first_signing_key(&self, key: &SealedKey) -> Result<(), StoreError> {
        let mut tx = self.lock_keys().await?;
        if tx.fetch_one("SELECT kid FROM signing_keys LIMIT 1", vec![]).await?.is_none() {
            insert(&mut tx, key, self.now()).await?;
        }
        tx.commit().await
    }

    /// Stores the key that takes over from the present one, [`NOTICE`] from now: until then every
    /// server has read of it. Private halves that sign no more are erased. Gives when it begins.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub async fn add_next_signing_key(&self, key: &SealedKey) -> Result<Timestamp, StoreError> {
        let now = self.now();
        let from = now.plus(NOTICE);
        let mut tx = self.lock_keys().await?;
        tx.execute("UPDATE signing_keys SET sealed_private_key = '' WHERE retired_at <= $1", values![now.as_millis()])
            .await?;
        tx.execute("UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL", values![from.as_millis()])
            .await?;
        insert(&mut tx, key, from).await?;
        tx.commit().await?;
        Ok(from)
    }

    /// Reads every signing key and its term, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signing_keys(&self) -> Result<Vec<(SealedKey, Term)>, StoreError> {
        let rows = self
            .database
            .read(
                "SELECT kid, public_key, sealed_private_key, created_at, retired_at FROM signing_keys \
                 ORDER BY created_at, kid",
                vec![],
            )
            .await?;
        rows.iter().map(key).collect()
    }

    /// Begins a transaction that alone changes keys: writing the one row of `installation` makes
    /// others wait.
    async fn lock_keys(&self) -> Result<Tx<'static>, StoreError> {
        let mut tx = self.database.begin().await?;
        tx.execute("UPDATE installation SET id = id WHERE id = 1", vec![]).await?;
        Ok(tx)
    }
}

async fn insert(tx: &mut Tx<'_>, key: &SealedKey, from: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO signing_keys (kid, public_key, sealed_private_key, created_at) VALUES ($1, $2, $3, $4)",
        values![key.kid.as_str(), key.public_key.as_str(), key.sealed_private_key.as_str(), from.as_millis()],
    )
    .await?;
    Ok(())
}

fn key(row: &Row) -> Result<(SealedKey, Term), StoreError> {
    let key = SealedKey {
        kid: row.get("kid")?,
        public_key: row.get("public_key")?,
        sealed_private_key: row.get("sealed_private_key")?,
    };
    let term = Term {
        from: Timestamp::from_millis(row.get("created_at")?),
        until: row.get::<Option<i64>>("retired_at")?.map(Timestamp::from_millis),
    };
    Ok((key, term))
}
