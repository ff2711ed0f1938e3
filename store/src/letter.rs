//! Letters: what the store of rooms must hear of accounts, from whatever process it was done.
//!
//! A letter is written in the transaction that does what it tells, and kept until the store of rooms says that it
//! has taken it in. It may be read twice; its key, given once in the world, tells.

use cloudmeet_core::id::UserId;
use cloudmeet_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::db::Tx;
use crate::doer::Doer;
use crate::error::StoreError;
use crate::value::{Row, values};

/// How many letters are read at once.
pub(crate) const LETTERS: i64 = 200;

/// Is a letter as it is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its name, given once in the world.
    pub key: String,
    /// What kind of letter it is.
    pub kind: String,
    /// What it says: JSON, as its kind has it.
    pub payload: String,
}

/// Is what a letter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Somebody did something to an account, for the record.
    Deed(AccountDeedTold),
    /// An account is no more: what rooms know of the person goes.
    Erase(UserId),
}

/// Is a deed as a letter tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountDeedTold {
    pub(crate) at: i64,
    pub(crate) action: String,
    pub(crate) actor_id: Option<i64>,
    pub(crate) actor_name: Option<String>,
    pub(crate) target_id: Option<i64>,
    pub(crate) detail: Option<String>,
    pub(crate) result: String,
    pub(crate) address: Option<String>,
    pub(crate) request_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Erasure {
    user_id: i64,
}

impl Letter {
    /// Reads what the letter says. `None` for a kind that a newer release writes.
    pub(crate) fn content(&self) -> Result<Option<Content>, StoreError> {
        let corrupt = |error: serde_json::Error| StoreError::corrupt(format!("a letter: {error}"));
        Ok(match self.kind.as_str() {
            "deed" => Some(Content::Deed(serde_json::from_str(&self.payload).map_err(corrupt)?)),
            "erase" => {
                let Erasure { user_id } = serde_json::from_str(&self.payload).map_err(corrupt)?;
                UserId::new(user_id).map(Content::Erase)
            }
            _ => None,
        })
    }

    pub(crate) fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { key: row.get("key")?, kind: row.get("kind")?, payload: row.get("payload")? })
    }
}

/// Writes that somebody did something to an account.
pub(crate) async fn tell_deed(
    tx: &mut Tx<'_>,
    doer: &Doer,
    action: &str,
    target: Option<UserId>,
    detail: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let deed = AccountDeedTold {
        at: now.as_millis(),
        action: action.to_owned(),
        actor_id: doer.who.user_id.recorded(),
        actor_name: Some(doer.who.display_name.clone()),
        target_id: target.map(UserId::get),
        detail,
        result: "done".to_owned(),
        address: Some(doer.address.clone()),
        request_id: Some(doer.request_id.clone()),
    };
    write(tx, "deed", json!(deed), now).await
}

/// Writes that an account is no more.
pub(crate) async fn tell_erasure(tx: &mut Tx<'_>, user_id: UserId, now: Timestamp) -> Result<(), StoreError> {
    write(tx, "erase", json!(Erasure { user_id: user_id.get() }), now).await
}

async fn write(tx: &mut Tx<'_>, kind: &str, payload: serde_json::Value, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO outbox (key, kind, payload, at) VALUES ($1, $2, $3, $4)",
        values![Uuid::now_v7().to_string(), kind, payload.to_string(), now.as_millis()],
    )
    .await
    .map(drop)
}
