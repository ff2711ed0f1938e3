//! Reading histories, and editing and deleting single messages.

use cloudmeet_core::chat::{self, Content, EditError, Message};
use cloudmeet_core::id::{MessageId, RoomId};
use cloudmeet_core::page::SeqRange;
use cloudmeet_core::permission::{self, Action, Actor, Denied};
use cloudmeet_core::time::Timestamp;

use super::deeds::{self, Doing};
use super::{ConferenceStore, people, rooms, search};
use crate::changes::{self, RoomChange};
use crate::db::Tx;
use crate::doer::Doer;
use crate::error::{Failure, StoreError};
use crate::value::{Row, values};

/// Selects what [`message`] reads; a condition on `m` follows. `from` is what has messages under that name.
macro_rules! select_messages {
    (from $messages:literal $rest:literal) => {
        concat!(
            "SELECT m.id, m.room_id, m.user_id, p.display_name, r.owner_id, m.content, m.created_at, m.seq, \
             m.client_msg_id, m.reply_to, m.edited_at, m.deleted_at, m.rev FROM ",
            $messages,
            " JOIN rooms r ON r.id = m.room_id \
             JOIN participants p ON p.room_id = m.room_id AND p.user_id = m.user_id ",
            $rest
        )
    };
    ($rest:literal) => {
        select_messages!(from "messages m" $rest)
    };
}
pub(super) use select_messages;

/// Says why a message was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such message in this room.
    #[error("there is no such message")]
    NoSuchMessage,
    /// It cannot be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// Is what happened to a message.
#[derive(Debug, Clone)]
pub struct MessageChange {
    /// The message as it is now.
    pub message: Message,
    /// Whether it is another than before.
    pub changed: bool,
}

impl ConferenceStore {
    /// Reads a page of a history, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn messages(&self, id: RoomId, range: SeqRange) -> Result<Vec<Message>, StoreError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .database
            .read(
                select_messages!("WHERE m.room_id = $1 AND m.seq BETWEEN $2 AND $3 ORDER BY m.seq"),
                values![id.get(), range.first, range.last],
            )
            .await?;
        rows.iter().map(message).collect()
    }

    /// Reads the messages that were edited or deleted after a `rev`, the earliest changes first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn changed_messages(&self, id: RoomId, after_rev: i64, limit: i64) -> Result<Vec<Message>, StoreError> {
        let rows = self
            .database
            .read(
                select_messages!("WHERE m.room_id = $1 AND m.rev > $2 AND m.rev > 0 ORDER BY m.rev LIMIT $3"),
                values![id.get(), after_rev, limit],
            )
            .await?;
        rows.iter().map(message).collect()
    }

    /// Changes a message's text, if the actor may.
    ///
    /// # Errors
    /// [`MessageError`], or the store's.
    pub async fn edit_message(
        &self,
        room_id: RoomId,
        id: MessageId,
        actor: Actor,
        content: &Content,
    ) -> Result<MessageChange, Failure<MessageError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let (old, rev) = lock_message(&mut tx, room_id, id, (actor, Action::EditMessage), now).await?;
        let edited = chat::edit(old.clone(), content, rev, now).map_err(|error| Failure::Refused(error.into()))?;
        finish(tx, old, edited, now).await
    }

    /// Makes a message a tombstone, if the actor may.
    ///
    /// # Errors
    /// [`MessageError`], or the store's.
    pub async fn delete_message(
        &self,
        room_id: RoomId,
        id: MessageId,
        doer: &Doer,
    ) -> Result<MessageChange, Failure<MessageError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let wanted: (_, fn(_) -> _) = (doer.actor(), Action::DeleteMessage);
        let (old, rev) = lock_message(&mut tx, room_id, id, wanted, now).await?;
        let deleted = chat::delete(old.clone(), rev, now);
        if deleted.is_some() && old.user_id != doer.who.user_id {
            let (action, target) = (Action::DeleteMessage(old.user_id).rule().action, Some(old.user_id));
            let doing = Doing { action, target, detail: Some(format!("message {}", old.seq)) };
            deeds::note(&mut tx, room_id, Some(doer), &doing, now).await?;
        }
        finish(tx, old, deleted, now).await
    }
}

/// Locks the room, finds the message and judges the actor. Gives the message and the room's next `rev`.
async fn lock_message(
    tx: &mut Tx<'_>,
    room_id: RoomId,
    id: MessageId,
    (actor, action): (Actor, fn(cloudmeet_core::id::UserId) -> Action),
    now: Timestamp,
) -> Result<(Message, i64), Failure<MessageError>> {
    let denied = |error: Denied| Failure::Refused(MessageError::Denied(error));
    let room = rooms::lock(tx, room_id).await?.ok_or_else(|| denied(Denied::NoSuchRoom))?;
    let membership = people::membership_of(tx, room_id, actor.user_id).await?;
    // Who may not even read must not learn which messages exist.
    permission::permit(Action::ReadMessages, actor, &room, membership, now).map_err(denied)?;
    let row = tx
        .fetch_one(select_messages!("WHERE m.room_id = $1 AND m.id = $2"), values![room_id.get(), id.get()])
        .await?
        .ok_or(Failure::Refused(MessageError::NoSuchMessage))?;
    let message = message(&row)?;
    permission::permit(action(message.user_id), actor, &room, membership, now).map_err(denied)?;
    Ok((message, room.rev + 1))
}

/// Stores the changed message, if it changed.
async fn finish(
    mut tx: Tx<'_>,
    old: Message,
    new: Option<Message>,
    now: Timestamp,
) -> Result<MessageChange, Failure<MessageError>> {
    let Some(message) = new else {
        return Ok(MessageChange { message: old, changed: false });
    };
    tx.execute(
        "UPDATE messages SET content = $2, edited_at = $3, deleted_at = $4, rev = $5 WHERE id = $1",
        values![
            message.id.get(),
            message.content.as_str(),
            message.edited_at.map(Timestamp::as_millis),
            message.deleted_at.map(Timestamp::as_millis),
            message.rev,
        ],
    )
    .await?;
    search::forget(&mut tx, message.room_id, message.seq).await?;
    tx.execute(
        "UPDATE rooms SET rev = $2, last_activity_at = $3 WHERE id = $1",
        values![message.room_id.get(), message.rev, now.as_millis()],
    )
    .await?;
    changes::note(&mut tx, &RoomChange::Revisions(message.room_id), now).await?;
    tx.commit().await?;
    Ok(MessageChange { message, changed: true })
}

/// Reads a message from a row of [`select_messages`].
pub(super) fn message(row: &Row) -> Result<Message, StoreError> {
    let time = |column| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    let user_id = people::user_id(row, "user_id")?;
    Ok(Message {
        id: message_id(row, "id")?,
        room_id: rooms::room_id(row, "room_id")?,
        user_id,
        user_display_name: row.get("display_name")?,
        is_owner: row.get::<i64>("owner_id")? == user_id.get(),
        content: row.get("content")?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        seq: row.get("seq")?,
        client_msg_id: row.get("client_msg_id")?,
        reply_to: row.get::<Option<i64>>("reply_to")?.and_then(MessageId::new),
        edited_at: time("edited_at")?,
        deleted_at: time("deleted_at")?,
        rev: row.get("rev")?,
    })
}

pub(super) fn message_id(row: &Row, column: &str) -> Result<MessageId, StoreError> {
    MessageId::new(row.get(column)?).ok_or_else(|| StoreError::corrupt("a message id that is not positive"))
}
