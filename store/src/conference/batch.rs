//! Group commit: all messages that wait go to disk in one transaction.
//!
//! Under the rooms' locks, taken in ascending order, the batch learns which messages are stored
//! already and who may still speak; the rest gets its numbers from the rooms' own counters. Nothing
//! is checked outside this transaction, so a leave or a closing happens wholly before or after.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cloudmeet_core::account::Standing;
use cloudmeet_core::chat::{self, ClientMsgId, Content, Message, SendError, Verdict, Waiting};
use cloudmeet_core::id::{MessageId, RoomId, UserId};
use cloudmeet_core::permission::{self, Action, Actor, Membership};
use cloudmeet_core::room::Room;
use cloudmeet_core::time::Timestamp;
use serde_json::json;

use super::ConferenceStore;
use super::messages::{message, message_id, select_messages};
use super::people::{membership, membership_columns};
use super::rooms::{self, room, room_columns};
use crate::changes::{Change as _, RoomChange};
use crate::db::{Sql, Tx, locking};
use crate::error::StoreError;
use crate::kept::Kept;
use crate::value::{array, object, values};

/// Is a message that waits to be stored.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where it is said.
    pub room_id: RoomId,
    /// Who says it.
    pub user_id: UserId,
    /// What is said.
    pub content: Content,
    /// The sender's own name for it.
    pub client_msg_id: Option<ClientMsgId>,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
}

/// Is a message that is on disk.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The message.
    pub message: Message,
    /// Whether this sending stored it; otherwise an earlier one did.
    pub is_new: bool,
}

/// Is what the store knows of a draft, found out under its room's lock.
struct Facts {
    membership: Membership,
    display_name: String,
    stored: Option<MessageId>,
    reply_exists: bool,
}

/// Stores messages, on Postgres by a connection of its own.
pub struct Batches {
    store: ConferenceStore,
    connection: Kept,
}

impl ConferenceStore {
    /// Begins to store messages.
    #[must_use]
    pub fn batches(&self) -> Batches {
        Batches { store: self.clone(), connection: self.database.kept() }
    }
}

impl Batches {
    pub(crate) fn connection(&mut self) -> &mut Kept {
        &mut self.connection
    }

    /// Stores what may be stored, in the order given, and answers for each draft. When this returns
    /// `Ok`, the messages are on disk.
    ///
    /// It must be waited for: dropped half-way, it leaves the rooms locked until the next one.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was stored, unless the connection broke during the commit.
    pub async fn store(&mut self, drafts: &[Draft]) -> Result<Vec<Result<Sent, SendError>>, StoreError> {
        let outcomes = self.try_store(drafts).await;
        if outcomes.is_err() {
            self.connection.give_back();
        }
        outcomes
    }

    async fn try_store(&mut self, drafts: &[Draft]) -> Result<Vec<Result<Sent, SendError>>, StoreError> {
        let now = self.store.now();
        let mut tx = self.connection.begin().await?;
        let rooms = lock_rooms(&mut tx, drafts).await?;
        let facts = gather(&mut tx, drafts).await?;
        let verdicts = judge(drafts, &rooms, &facts, now);

        let mut stored = insert(&mut tx, drafts, &verdicts, now).await?;
        let known = fetch_known(&mut tx, &verdicts).await?;
        tx.commit().await?;

        let mut outcomes: Vec<Result<Sent, SendError>> = Vec::with_capacity(drafts.len());
        for ((draft, verdict), facts) in drafts.iter().zip(verdicts).zip(facts) {
            outcomes.push(match verdict {
                Verdict::Store(seq) => {
                    let id = stored
                        .remove(&(draft.room_id, seq))
                        .ok_or_else(|| StoreError::corrupt("an insert that returns too little"))?;
                    let is_owner = rooms.get(&draft.room_id).is_some_and(|room| room.owner_id == draft.user_id);
                    Ok(Sent { message: new_message(draft, facts.display_name, is_owner, id, seq, now), is_new: true })
                }
                Verdict::Known(id) => {
                    let message =
                        known.get(&id).cloned().ok_or_else(|| StoreError::corrupt("a message that vanished"))?;
                    Ok(Sent { message, is_new: false })
                }
                Verdict::SameAs(first) => match &outcomes[first] {
                    Ok(sent) => Ok(Sent { is_new: false, ..sent.clone() }),
                    Err(error) => Err(*error),
                },
                Verdict::Refuse(error) => Err(error),
            });
        }
        Ok(outcomes)
    }
}

/// Locks the rooms of a batch, in ascending order so that two batches never wait for each other in a ring.
async fn lock_rooms(tx: &mut Tx<'_>, drafts: &[Draft]) -> Result<HashMap<RoomId, Room>, StoreError> {
    let ids = object(drafts.iter().map(|draft| json!({ "room_id": draft.room_id.get() })));
    let rows = tx
        .fetch(
            locking!(
                "r",
                concat!(
                    "SELECT ",
                    room_columns!(),
                    " FROM rooms r WHERE r.id IN \
                     (SELECT CAST(i.value ->> 'room_id' AS BIGINT) FROM json_each($1) AS i) ORDER BY r.id"
                )
            ),
            vec![ids],
        )
        .await?;
    rows.iter().map(|row| room(row).map(|room| (room.id, room))).collect()
}

/// Finds out about each draft what the decision needs, in one statement.
async fn gather(tx: &mut Tx<'_>, drafts: &[Draft]) -> Result<Vec<Facts>, StoreError> {
    let batch = object(drafts.iter().map(|draft| {
        json!({
            "room_id": draft.room_id.get(),
            "user_id": draft.user_id.get(),
            "client_msg_id": draft.client_msg_id.as_ref().map(ClientMsgId::as_str),
            "reply_to": draft.reply_to.map(MessageId::get),
        })
    }));
    let rows = tx
        .fetch(
            // Messages are looked up one by one: joined, a plan made while there were few reads them all.
            concat!(
                "SELECT ",
                membership_columns!(),
                ", m.display_name, \
             (SELECT k.id FROM messages k WHERE k.room_id = m.room_id AND k.user_id = m.user_id \
             AND k.client_msg_id = i.value ->> 'client_msg_id') AS stored_id, \
             (SELECT t.id FROM messages t WHERE t.id = CAST(i.value ->> 'reply_to' AS BIGINT) \
             AND t.room_id = m.room_id) AS reply_id \
             FROM json_each($1) AS i \
             LEFT JOIN participants m ON m.room_id = CAST(i.value ->> 'room_id' AS BIGINT) \
             AND m.user_id = CAST(i.value ->> 'user_id' AS BIGINT) \
             ORDER BY CAST(i.key AS BIGINT)"
            ),
            vec![batch],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Facts {
                membership: membership(row)?,
                display_name: row.get::<Option<String>>("display_name")?.unwrap_or_default(),
                stored: row.get::<Option<i64>>("stored_id")?.and_then(MessageId::new),
                reply_exists: row.get::<Option<i64>>("reply_id")?.is_some(),
            })
        })
        .collect()
}

/// Lets core decide, room by room, in the order of the batch.
fn judge(drafts: &[Draft], rooms: &HashMap<RoomId, Room>, facts: &[Facts], now: Timestamp) -> Vec<Verdict> {
    let mut by_room: BTreeMap<RoomId, Vec<usize>> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        by_room.entry(draft.room_id).or_default().push(index);
    }
    let mut verdicts = vec![Verdict::Refuse(SendError::NoSuchRoom); drafts.len()];
    for (room_id, indexes) in by_room {
        let Some(room) = rooms.get(&room_id) else { continue };
        let waiting: Vec<Waiting<'_>> = indexes
            .iter()
            .map(|&index| Waiting {
                user_id: drafts[index].user_id,
                client_msg_id: drafts[index].client_msg_id.as_ref(),
                stored: facts[index].stored,
                admitted: admit(&drafts[index], room, &facts[index], now),
            })
            .collect();
        for (&index, verdict) in indexes.iter().zip(chat::assign(room.last_seq, &waiting)) {
            verdicts[index] = match verdict {
                Verdict::SameAs(first) => Verdict::SameAs(indexes[first]),
                other => other,
            };
        }
    }
    verdicts
}

fn admit(draft: &Draft, room: &Room, facts: &Facts, now: Timestamp) -> Result<(), SendError> {
    // Only members speak; that somebody administers the installation adds nothing here.
    let actor = Actor { user_id: draft.user_id, standing: Standing::Ordinary };
    permission::permit(Action::Speak, actor, room, facts.membership, now)?;
    if draft.reply_to.is_some() && !facts.reply_exists { Err(SendError::UnknownReply) } else { Ok(()) }
}

/// Inserts the messages that got a number, sets the counters of their rooms, and notes the change of
/// each. Who speaks has read what stands before: their own messages never count as unread.
///
/// All of it at once: each further statement would be a round trip more under the rooms' locks.
const INSERT: Sql = Sql::per_engine(
    "INSERT INTO messages (room_id, seq, user_id, content, client_msg_id, reply_to, created_at, rev) \
     SELECT i.value ->> 'room_id', i.value ->> 'seq', i.value ->> 'user_id', i.value ->> 'content', \
     i.value ->> 'client_msg_id', i.value ->> 'reply_to', $2, 0 FROM json_each($1) AS i RETURNING id, room_id, seq; \
     UPDATE rooms SET last_seq = newest.seq, last_activity_at = $2 \
     FROM (SELECT i.value ->> 'room_id' AS room_id, MAX(i.value ->> 'seq') AS seq \
     FROM json_each($1) AS i GROUP BY 1) AS newest WHERE rooms.id = newest.room_id; \
     UPDATE participants SET read_seq = own.seq \
     FROM (SELECT i.value ->> 'room_id' AS room_id, i.value ->> 'user_id' AS user_id, MAX(i.value ->> 'seq') AS seq \
     FROM json_each($1) AS i GROUP BY 1, 2) AS own \
     WHERE participants.room_id = own.room_id AND participants.user_id = own.user_id; \
     INSERT INTO conference_changes (kind, subject, at) \
     SELECT DISTINCT $3, CAST(i.value ->> 'room_id' AS TEXT), $2 FROM json_each($1) AS i",
    "WITH new AS (SELECT room_id, seq, user_id, content, client_msg_id, reply_to \
     FROM json_to_recordset($1) AS new (room_id BIGINT, seq BIGINT, user_id BIGINT, content TEXT, \
     client_msg_id TEXT, reply_to BIGINT)), \
     counted AS (UPDATE rooms SET last_seq = newest.seq, last_activity_at = $2 \
     FROM (SELECT room_id, MAX(seq) AS seq FROM new GROUP BY room_id) AS newest WHERE rooms.id = newest.room_id), \
     read AS (UPDATE participants SET read_seq = own.seq \
     FROM (SELECT room_id, user_id, MAX(seq) AS seq FROM new GROUP BY room_id, user_id) AS own \
     WHERE participants.room_id = own.room_id AND participants.user_id = own.user_id), \
     noted AS (INSERT INTO conference_changes (kind, subject, at) \
     SELECT DISTINCT $3, CAST(room_id AS TEXT), $2 FROM new) \
     INSERT INTO messages (room_id, seq, user_id, content, client_msg_id, reply_to, created_at, rev) \
     SELECT room_id, seq, user_id, content, client_msg_id, reply_to, $2, 0 FROM new RETURNING id, room_id, seq",
);

/// Does [`INSERT`]. Gives the messages' ids.
async fn insert(
    tx: &mut Tx<'_>,
    drafts: &[Draft],
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<HashMap<(RoomId, i64), MessageId>, StoreError> {
    let new: Vec<(&Draft, i64)> = drafts
        .iter()
        .zip(verdicts)
        .filter_map(|(draft, verdict)| match verdict {
            Verdict::Store(seq) => Some((draft, *seq)),
            _ => None,
        })
        .collect();
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let batch = array(new.iter().map(|(draft, seq)| {
        json!({
            "room_id": draft.room_id.get(),
            "seq": seq,
            "user_id": draft.user_id.get(),
            "content": draft.content.as_str(),
            "client_msg_id": draft.client_msg_id.as_ref().map(ClientMsgId::as_str),
            "reply_to": draft.reply_to.map(MessageId::get),
        })
    }));
    let rooms: BTreeSet<RoomId> = new.iter().map(|(draft, _)| draft.room_id).collect();
    let changes: Vec<_> = rooms.into_iter().map(|id| RoomChange::Messages(id).to_row()).collect();
    // A change's subject is its room's number, as the statement writes it.
    let kind = changes.first().map_or("", |(kind, _)| kind);
    let rows = tx.fetch(INSERT, values![batch, now.as_millis(), kind]).await?;
    for (kind, subject) in changes {
        tx.announce(kind, subject);
    }
    rows.iter().map(|row| Ok(((rooms::room_id(row, "room_id")?, row.get("seq")?), message_id(row, "id")?))).collect()
}

/// Reads the messages that were stored before this batch.
async fn fetch_known(tx: &mut Tx<'_>, verdicts: &[Verdict]) -> Result<HashMap<MessageId, Message>, StoreError> {
    let mut known = HashMap::new();
    for verdict in verdicts {
        if let Verdict::Known(id) = verdict {
            let row = tx.fetch_one(select_messages!("WHERE m.id = $1"), values![id.get()]).await?;
            if let Some(row) = row {
                known.insert(*id, message(&row)?);
            }
        }
    }
    Ok(known)
}

fn new_message(
    draft: &Draft,
    user_display_name: String,
    is_owner: bool,
    id: MessageId,
    seq: i64,
    now: Timestamp,
) -> Message {
    Message {
        id,
        room_id: draft.room_id,
        user_id: draft.user_id,
        user_display_name,
        is_owner,
        content: draft.content.as_str().to_owned(),
        created_at: now,
        seq,
        client_msg_id: draft.client_msg_id.as_ref().map(|id| id.as_str().to_owned()),
        reply_to: draft.reply_to,
        edited_at: None,
        deleted_at: None,
        rev: 0,
    }
}
