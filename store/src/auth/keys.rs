//! The keys that sign access tokens, sealed: the database alone signs nothing.

use super::AuthStore;
use crate::error::StoreError;
use crate::value::values;

/// Is a signing key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Names it in a token's header.
    pub kid: String,
    /// The public half, unpadded base64url.
    pub public_key: String,
    /// The private half, sealed by the caller.
    pub sealed_private_key: String,
}

impl AuthStore {
    /// Gives the key that signs: the stored one, else `new`, which is stored then. Servers that
    /// start together agree on one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signing_key_or(&self, new: &SealedKey) -> Result<SealedKey, StoreError> {
        let mut tx = self.database.begin().await?;
        // Writing the one row of `installation` makes the others wait until this one is done.
        tx.execute("UPDATE installation SET id = id WHERE id = 1", vec![]).await?;
        let row = tx
            .fetch_one(
                "SELECT kid, public_key, sealed_private_key FROM signing_keys WHERE retired_at IS NULL \
                 ORDER BY created_at LIMIT 1",
                vec![],
            )
            .await?;
        if let Some(row) = row {
            return Ok(SealedKey {
                kid: row.get("kid")?,
                public_key: row.get("public_key")?,
                sealed_private_key: row.get("sealed_private_key")?,
            });
        }
        tx.execute(
            "INSERT INTO signing_keys (kid, public_key, sealed_private_key, created_at) VALUES ($1, $2, $3, $4)",
            values![new.kid.as_str(), new.public_key.as_str(), new.sealed_private_key.as_str(), self.now().as_millis()],
        )
        .await?;
        tx.commit().await?;
        Ok(new.clone())
    }
}
