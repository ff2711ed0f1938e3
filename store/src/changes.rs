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
use crate::value::{Row, values};

/// How long after a row those with lesser ids are looked for: longer than any transaction takes from
/// the row to its commit.
const RESCAN: Duration = Duration::from_secs(15);

/// How far servers may disagree about the store's clock.
const CLOCKS_APART: Span = Span::seconds(5);

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
    /// The meeting in the room was ended for everybody.
    Ended(RoomId),
    /// Messages were added.
    Messages(RoomId),
    /// Messages were edited or deleted.
    Revisions(RoomId),
    /// A person came, went or changed.
    Person(RoomId, UserId),
    /// A person is typing. No table keeps it: it comes by the bus or not at all.
    Typing(RoomId, UserId),
}

/// Is a kind of change with its table.
pub(crate) trait Change: Sized {
    const INSERT: &'static str;
    const AFTER: &'static str;
    const PRUNE: &'static str;

    fn to_row(&self) -> (&'static str, String);
    fn from_row(row: &ChangeRow) -> Option<Self>;
}

/// Is a row of a table of changes, as a server hands it on to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its place: rising, but given before its commit.
    pub id: i64,
    /// What kind of change it is.
    pub kind: String,
    /// Whom or what it is about.
    pub subject: String,
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

    fn from_row(row: &ChangeRow) -> Option<Self> {
        match row.kind.as_str() {
            "session_ended" => Some(Self::SessionEnded(SessionId::new(row.subject.clone()))),
            "account" => UserId::parse(&row.subject).map(Self::Account),
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
            Self::Ended(room) => ("ended", room.to_string()),
            Self::Messages(room) => ("messages", room.to_string()),
            Self::Revisions(room) => ("revisions", room.to_string()),
            Self::Person(room, user) => ("person", format!("{room}/{user}")),
            Self::Typing(room, user) => ("typing", format!("{room}/{user}")),
        }
    }

    fn from_row(row: &ChangeRow) -> Option<Self> {
        let subject = row.subject.as_str();
        match row.kind.as_str() {
            "room" => RoomId::parse(subject).map(Self::Room),
            "ended" => RoomId::parse(subject).map(Self::Ended),
            "messages" => RoomId::parse(subject).map(Self::Messages),
            "revisions" => RoomId::parse(subject).map(Self::Revisions),
            "person" => room_and_user(subject).map(|(room, user)| Self::Person(room, user)),
            "typing" => room_and_user(subject).map(|(room, user)| Self::Typing(room, user)),
            // A newer release knows more kinds; this one has no use for them.
            _ => None,
        }
    }
}

fn room_and_user(subject: &str) -> Option<(RoomId, UserId)> {
    let (room, user) = subject.split_once('/')?;
    Some((RoomId::parse(room)?, UserId::parse(user)?))
}

/// Notes a change in the transaction that makes it.
pub(crate) async fn note<C: Change>(tx: &mut Tx<'_>, change: &C, now: Timestamp) -> Result<(), StoreError> {
    let (kind, subject) = change.to_row();
    tx.execute(C::INSERT, values![kind, subject.clone(), now.as_millis()]).await?;
    tx.announce(kind, subject);
    Ok(())
}

/// Deletes rows that every server has read long ago.
pub(crate) async fn prune<C: Change>(database: &Database) -> Result<(), StoreError> {
    let mut tx = database.begin().await?;
    tx.execute(C::PRUNE, values![database.clock().now().minus(KEPT).as_millis()]).await?;
    tx.commit().await
}

/// Reads the rows after an id that are not older than `since`, in the order of ids, at most [`STEP`].
pub(crate) async fn rows<C: Change>(
    database: &Database,
    after: i64,
    since: Timestamp,
) -> Result<Vec<ChangeRow>, StoreError> {
    let rows = database.read(C::AFTER, values![after, since.as_millis(), STEP]).await?;
    let row = |row: &Row| Ok(ChangeRow { id: row.get("id")?, kind: row.get("kind")?, subject: row.get("subject")? });
    rows.iter().map(row).collect()
}

/// Follows a table of changes from the time at which it was made: says where to read on, and tells
/// what of the rows is new.
#[derive(Debug)]
pub struct Tail {
    /// Rows up to this id were read and are too old to be joined by late ones.
    floor: i64,
    /// The rows after `floor` that were read, and when each was first.
    seen: BTreeMap<i64, Instant>,
    /// Where the present reading has come to.
    after: i64,
    since: Timestamp,
}

impl Tail {
    /// Follows from `now`, by the clock of the store whose table it is, and from a little before: other
    /// servers know that clock less exactly.
    #[must_use]
    pub fn from(now: Timestamp) -> Self {
        Self { floor: 0, seen: BTreeMap::new(), after: 0, since: now.minus(CLOCKS_APART) }
    }

    /// Is after which id, and from which time on, the next rows are to be read.
    #[must_use]
    pub const fn place(&self) -> (i64, Timestamp) {
        (self.after, self.since)
    }

    /// Takes the rows at [`place`](Self::place) and adds what is new of accounts. Says whether more
    /// are to be read now.
    pub fn take_accounts(&mut self, rows: &[ChangeRow], changes: &mut Vec<AccountChange>) -> bool {
        self.take(rows, changes)
    }

    pub(crate) fn take<C: Change>(&mut self, rows: &[ChangeRow], changes: &mut Vec<C>) -> bool {
        let now = Instant::now();
        for row in rows {
            self.after = row.id;
            if let Entry::Vacant(unseen) = self.seen.entry(row.id) {
                unseen.insert(now);
                changes.extend(C::from_row(row));
            }
        }
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) >= STEP {
            return true;
        }
        while let Some(first) = self.seen.first_entry() {
            if now.duration_since(*first.get()) < RESCAN {
                break;
            }
            self.floor = *first.key();
            first.remove();
        }
        self.after = self.floor;
        false
    }

    /// Reads what is new, in the order of ids.
    pub(crate) async fn poll<C: Change>(&mut self, database: &Database) -> Result<Vec<C>, StoreError> {
        let mut changes = Vec::new();
        loop {
            let (after, since) = self.place();
            match rows::<C>(database, after, since).await {
                Ok(rows) if self.take(&rows, &mut changes) => {}
                // What was taken is not told again; the next call reads on.
                Err(error) if changes.is_empty() => return Err(error),
                Ok(_) | Err(_) => return Ok(changes),
            }
        }
    }
}
