//! The record of deeds: who did what to whom, when, from where, and with what result.
//!
//! A deed that is done is written in its own transaction, so the record neither lacks one nor has one that
//! did not happen. What was said, and secrets, never stand in it.

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::time::{Span, Timestamp};

use super::{ConferenceStore, rooms};
use crate::db::Tx;
use crate::doer::Doer;
use crate::error::StoreError;
use crate::value::{Row, values};

/// How long deeds are kept.
const KEPT: Span = Span::days(365);

/// The result of what was done.
const DONE: &str = "done";

/// Is something that is done in a room.
#[derive(Debug, Clone, Default)]
pub struct Doing {
    /// What, by its word in the table of rules.
    pub action: &'static str,
    /// To whom.
    pub target: Option<UserId>,
    /// What else of it can be told.
    pub detail: Option<String>,
}

/// Is a deed as it stands in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Its place; rises.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// In which room.
    pub room_id: Option<RoomId>,
    /// What.
    pub action: String,
    /// Who did it; `None` for the server itself.
    pub actor_id: Option<UserId>,
    /// The name they had.
    pub actor_name: Option<String>,
    /// To whom.
    pub target_id: Option<UserId>,
    /// What else of it can be told.
    pub detail: Option<String>,
    /// `done`, or the word of what forbade it.
    pub result: String,
    /// The address from which it came.
    pub address: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
}

impl ConferenceStore {
    /// Records that something was forbidden, by the word of what forbade it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_refusal(&self, id: RoomId, doer: &Doer, doing: &Doing, word: &str) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        insert(&mut tx, id, Some(doer), doing, word, self.now()).await?;
        tx.commit().await
    }

    /// Records what is done that changes nothing in the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_done(&self, id: RoomId, doer: &Doer, doing: &Doing) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        note(&mut tx, id, Some(doer), doing, self.now()).await?;
        tx.commit().await
    }

    /// Lists deeds, the newest first: of one room, or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deeds(
        &self,
        room: Option<RoomId>,
        before_id: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Deed>, StoreError> {
        let before = before_id.unwrap_or(i64::MAX);
        let rows = if let Some(id) = room {
            let of_room = "SELECT id, at, room_id, action, actor_id, actor_name, target_id, detail, result, address, \
                           request_id FROM deeds WHERE room_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
            self.database.read(of_room, values![id.get(), before, limit]).await?
        } else {
            let all = "SELECT id, at, room_id, action, actor_id, actor_name, target_id, detail, result, address, \
                       request_id FROM deeds WHERE id < $1 ORDER BY id DESC LIMIT $2";
            self.database.read(all, values![before, limit]).await?
        };
        rows.iter().map(deed).collect()
    }

    /// Deletes deeds that are older than [`KEPT`].
    pub(super) async fn prune_deeds(&self) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        tx.execute("DELETE FROM deeds WHERE at < $1", values![self.now().minus(KEPT).as_millis()]).await?;
        tx.commit().await
    }
}

/// Records what is done in this transaction, by somebody or by the server itself.
pub(super) async fn note(
    tx: &mut Tx<'_>,
    id: RoomId,
    doer: Option<&Doer>,
    doing: &Doing,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert(tx, id, doer, doing, DONE, now).await
}

async fn insert(
    tx: &mut Tx<'_>,
    id: RoomId,
    doer: Option<&Doer>,
    doing: &Doing,
    result: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO deeds (at, room_id, action, actor_id, actor_name, target_id, detail, result, address, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values![
            now.as_millis(),
            id.get(),
            doing.action,
            doer.and_then(|doer| doer.who.user_id.recorded()),
            doer.map(|doer| doer.who.display_name.as_str()),
            doing.target.map(UserId::get),
            doing.detail.as_deref(),
            result,
            doer.map(|doer| doer.address.as_str()),
            doer.map(|doer| doer.request_id.as_str()),
        ],
    )
    .await
    .map(drop)
}

fn deed(row: &Row) -> Result<Deed, StoreError> {
    Ok(Deed {
        id: row.get("id")?,
        at: Timestamp::from_millis(row.get("at")?),
        room_id: row.get::<Option<i64>>("room_id")?.map(|_| rooms::room_id(row, "room_id")).transpose()?,
        action: row.get("action")?,
        actor_id: row.get::<Option<i64>>("actor_id")?.and_then(UserId::new),
        actor_name: row.get("actor_name")?,
        target_id: row.get::<Option<i64>>("target_id")?.and_then(UserId::new),
        detail: row.get("detail")?,
        result: row.get("result")?,
        address: row.get("address")?,
        request_id: row.get("request_id")?,
    })
}
