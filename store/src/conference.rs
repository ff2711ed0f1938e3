//! Rooms, the people in them and what they say.

mod access;
mod batch;
mod census;
mod deeds;
mod entry;
mod letters;
mod lists;
mod managed;
mod meeting;
mod messages;
mod moderation;
mod people;
mod presence;
mod rooms;
mod search;
mod servers;
mod tickets;

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::time::Timestamp;

pub use access::{Accesses, HistoryVersion, RoomAccess};
pub use batch::{Batches, Draft, Sent};
pub use census::Census;
pub use deeds::{Deed, Doing};
pub use entry::{JoinOutcome, LeaveError, Proof, Secrets};
pub use lists::{ListFilter, RoomAudience, RoomListing};
pub use managed::{KeepError, Kept, KeptRoom, ManagedRoom, Resource, Wanted, WantedPassword};
pub use meeting::{HandOnError, LinkCodeError, OverMeetings};
pub use messages::{MessageChange, MessageError};
pub use moderation::{AllAdmitted, ModerateError, Moderated, People};
pub use presence::{Hold, HoldEnd};
pub use rooms::{NewRoom, RoomError};
pub use search::{BLOCK as SEARCH_BLOCK, SearchFrom};
pub use tickets::TicketHolder;

use crate::bus::{Bus, Topic};
use crate::changes::{self, Change as _, RoomChange, Tail};
use crate::db::{Database, Location, OpenError, Tables};
use crate::error::StoreError;
use crate::migrate;

/// Is the database of rooms. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct ConferenceStore {
    database: Database,
}

impl ConferenceStore {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed in a database of a newer release.
    pub async fn open(location: &Location) -> Result<Self, OpenError> {
        Ok(Self { database: Database::open(location, migrate::CONFERENCE, Tables::Migrated).await? })
    }

    /// Opens the database if its tables are those of this release. A SQLite file that is missing or empty is made; its
    /// directory must be there.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::NotMigrated`] and [`OpenError::Behind`] where `open` would migrate.
    pub async fn open_migrated(location: &Location) -> Result<Self, OpenError> {
        Ok(Self { database: Database::open(location, migrate::CONFERENCE, Tables::AsTheyAre).await? })
    }

    /// Tells other servers on the bus from now on what it changed.
    #[must_use]
    pub fn with_bus(self, bus: &Bus) -> Self {
        Self { database: self.database.announcing(bus.announcer(Topic::Rooms)) }
    }

    /// Is the store's time: leases and tickets end by it on every server.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.database.clock().now()
    }

    /// Is what keeps it: `sqlite` or `postgres`.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        self.database.engine()
    }

    /// Is how many may store messages at once. SQLite has one writer; on Postgres one works while another
    /// waits for the disk.
    pub(crate) fn writers(&self) -> usize {
        if self.database.is_sqlite() { 1 } else { 2 }
    }

    /// Says whether the database answers, and sets the clock by it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.database.read("SELECT id FROM rooms LIMIT 1", vec![]).await?;
        self.database.synchronise_clock().await
    }

    /// Starts to follow the changes that happen from now on.
    #[must_use]
    pub fn follow_changes(&self) -> Tail {
        Tail::from(self.now())
    }

    /// Tells other servers that somebody types, where there is a bus.
    pub fn announce_typing(&self, id: RoomId, user_id: UserId) {
        self.database.announce(RoomChange::Typing(id, user_id).to_row());
    }

    /// Reads the changes since the last call.
    ///
    /// # Errors
    /// [`StoreError`]; the next call begins where this one did.
    pub async fn changes(&self, tail: &mut Tail) -> Result<Vec<RoomChange>, StoreError> {
        tail.poll(&self.database).await
    }

    /// Deletes what nobody can use any more: old changes and expired tickets.
    ///
    /// # Errors
    /// [`StoreError`]; what is left goes with the next call.
    pub async fn prune(&self) -> Result<(), StoreError> {
        changes::prune::<RoomChange>(&self.database).await?;
        self.prune_deeds().await?;
        self.prune_resources().await?;
        self.prune_tickets().await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
