//! The table of changes: how a server learns what others did, with or without a bus.
//!
//! Each mutation leaves a row in its own transaction. Ids are given before commits, so a row may
//! show up after one with a greater id; therefore the last seconds are read again and again, and
//! every change is an invitation to look, which does no harm twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use cloudmeet_core::id::{RoomId, SessionId, UserId};
use cloudmeet_core::time::{Span, Timestamp};

use crate::db::{Database, Tx};
use crate::error::StoreError;
use crate::value::values;

/// How long after a row those with lesser ids are looked for: longer than any transaction takes from
/// the row to its commit.
const RESCAN: Duration = Duration::from_secs(15);

/// How long rows are kept.
const KEPT: Span = Span::minutes(10);

/// How many rows are read in one step; the next step goes on.
const STEP: i64 = 5000;

/// Is a change of accounts or sessions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AccountChange {
    /// This session ended.
    SessionEnded(SessionId),
    /// This account's name, standing or state is another.
    Account(UserId),
}

/// Is a change in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomChange {
    /// The room is new, or its settings or state are others.
    Room(RoomId),
    /// Messages were added.
    Messages(RoomId),
    /// Messages were edited or deleted.
    Revisions(RoomId),
    /// A person came, went or changed.
    Person(RoomId, UserId),
}

/// Is a kind of change with its table.
pub(crate) trait Change: Sized {
    const INSERT: &'static str;
    const AFTER: &'static str;
    const PRUNE: &'static str;

    fn to_row(&self) -> (&'static str, String);
    fn from_row(kind: &str, subject: &str) -> Option<Self>;
}

impl Change for AccountChange {
    const INSERT: &'static str = "INSERT INTO auth_changes (kind, subject, at) VALUES ($1, $2, $3)";
    const AFTER: &'static str =
        "SELECT id, kind, subject, at FROM auth_changes WHERE id > $1 AND at >= $2 ORDER BY id LIMIT $3";
    const PRUNE: &'static str = "DELETE FROM auth_changes WHERE at < $1";

    fn to_row(&self) -> (&'static str, String) {
        match self {
            Self::SessionEnded(id) => ("session_ended", id.to_string()),
            Self::Account(id) => ("account", id.to_string()),
        }
    }

    fn from_row(kind: &str, subject: &str) -> Option<Self> {
        match kind {
            "session_ended" => Some(Self::SessionEnded(SessionId::new(subject.to_owned()))),
            "account" => UserId::parse(subject).map(Self::Account),
            _ => None,
        }
    }
}

impl Change for RoomChange {
    const INSERT: &'static str = "INSERT INTO conference_changes (kind, subject, at) VALUES ($1, $2, $3)";
    const AFTER: &'static str =
        "SELECT id, kind, subject, at FROM conference_changes WHERE id > $1 AND at >= $2 ORDER BY id LIMIT $3";
    const PRUNE: &'static str = "DELETE FROM conference_changes WHERE at < $1";

    fn to_row(&self) -> (&'static str, String) {
        match self {
            Self::Room(room) => ("room", room.to_string()),
            Self::Messages(room) => ("messages", room.to_string()),
            Self::Revisions(room) => ("revisions", room.to_string()),
            Self::Person(room, user) => ("person", format!("{room}/{user}")),
        }
    }

    fn from_row(kind: &str, subject: &str) -> Option<Self> {
        match kind {
            "room" => RoomId::parse(subject).map(Self::Room),
            "messages" => RoomId::parse(subject).map(Self::Messages),
            "revisions" => RoomId::parse(subject).map(Self::Revisions),
            "person" => {
                let (room, user) = subject.split_once('/')?;
                Some(Self::Person(RoomId::parse(room)?, UserId::parse(user)?))
            }
            // A newer release knows more kinds; this one has no use for them.
            _ => None,
        }
    }
}

/// Notes a change in the transaction that makes it.
pub(crate) async fn note<C: Change>(tx: &mut Tx, change: &C, now: Timestamp) -> Result<(), StoreError> {
    let (kind, subject) = change.to_row();
    tx.execute(C::INSERT, values![kind, subject, now.as_millis()]).await?;
    Ok(())
}

/// Deletes rows that every server has read long ago.
pub(crate) async fn prune<C: Change>(database: &Database) -> Result<(), StoreError> {
    let mut tx = database.begin().await?;
    tx.execute(C::PRUNE, values![database.clock().now().minus(KEPT).as_millis()]).await?;
    tx.commit().await
}

/// Follows a table of changes from the time at which it was made.
#[derive(Debug)]
pub struct Tail {
    /// Rows up to this id were read and are too old to be joined by late ones.
    floor: i64,
    /// The rows after `floor` that were read, and when each was first.
    seen: BTreeMap<i64, Instant>,
    since: Timestamp,
}

impl Tail {
    pub(crate) fn from(now: Timestamp) -> Self {
        Self { floor: 0, seen: BTreeMap::new(), since: now }
    }

    /// Reads what is new, in the order of ids.
    pub(crate) async fn poll<C: Change>(&mut self, database: &Database) -> Result<Vec<C>, StoreError> {
        let now = Instant::now();
        let mut changes = Vec::new();
        let mut after = self.floor;
        loop {
            let rows = database.read(C::AFTER, values![after, self.since.as_millis(), STEP]).await?;
            let count = rows.len();
            for row in rows {
                let id: i64 = row.get("id")?;
                after = id;
                if let Entry::Vacant(unseen) = self.seen.entry(id) {
                    unseen.insert(now);
                    let (kind, subject): (String, String) = (row.get("kind")?, row.get("subject")?);
                    changes.extend(C::from_row(&kind, &subject));
                }
            }
            if i64::try_from(count).unwrap_or(i64::MAX) < STEP {
                break;
            }
        }
        while let Some(first) = self.seen.first_entry() {
            if now.duration_since(*first.get()) < RESCAN {
                break;
            }
            self.floor = *first.key();
            first.remove();
        }
        Ok(changes)
    }
}
