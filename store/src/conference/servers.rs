//! Servers: each lives by one lease, and with it all sockets that it holds.

use cloudmeet_core::presence::SERVER_LEASE;

use super::ConferenceStore;
use crate::error::StoreError;
use crate::value::values;

impl ConferenceStore {
    /// Prolongs a server's lease by [`SERVER_LEASE`], and buries the servers that died.
    ///
    /// # Errors
    /// [`StoreError`]; the lease runs on as it was.
    pub async fn renew_server(&self, server_id: &str) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        tx.execute(
            "INSERT INTO servers (id, ends_at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET ends_at = $2",
            values![server_id, now.plus(SERVER_LEASE).as_millis()],
        )
        .await?;
        let buried = tx.execute("DELETE FROM servers WHERE ends_at < $1", values![now.as_millis()]).await?;
        if buried > 0 {
            tx.execute("DELETE FROM holds WHERE server_id NOT IN (SELECT id FROM servers)", vec![]).await?;
        }
        tx.commit().await
    }
}
