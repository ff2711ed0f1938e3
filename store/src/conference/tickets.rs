//! Tickets: each opens one WebSocket, on any server.

use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;

use super::{ConferenceStore, people};
use crate::error::StoreError;
use crate::value::values;

/// Is whoever a ticket was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketHolder {
    /// The session that the socket lives with.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
}

impl ConferenceStore {
    /// Keeps a ticket for `life`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_ticket(&self, ticket: &OpaqueToken, holder: &TicketHolder, life: Span) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        tx.execute(
            "INSERT INTO tickets (digest, session_id, user_id, expires_at) VALUES ($1, $2, $3, $4)",
            values![
                ticket.digest(),
                holder.session_id.as_str(),
                holder.user_id.get(),
                self.now().plus(life).as_millis()
            ],
        )
        .await?;
        tx.commit().await
    }

    /// Takes a ticket in. `None` when it was never given, is spent or too old.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redeem_ticket(&self, ticket: &OpaqueToken) -> Result<Option<TicketHolder>, StoreError> {
        let mut tx = self.database.begin().await?;
        // The deletion is the redemption: of two servers only one gets the row.
        let row = tx
            .fetch_one(
                "DELETE FROM tickets WHERE digest = $1 RETURNING session_id, user_id, expires_at",
                values![ticket.digest()],
            )
            .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        if row.get::<i64>("expires_at")? <= self.now().as_millis() {
            return Ok(None);
        }
        Ok(Some(TicketHolder {
            session_id: SessionId::new(row.get("session_id")?),
            user_id: people::user_id(&row, "user_id")?,
        }))
    }

    pub(super) async fn prune_tickets(&self) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        tx.execute("DELETE FROM tickets WHERE expires_at < $1", values![self.now().as_millis()]).await?;
        tx.commit().await
    }
}
