//! Accounts, sessions and signing keys.

mod accounts;
mod administration;
mod api_keys;
mod keys;
mod sessions;

use cloudmeet_core::time::Timestamp;

pub use accounts::{EmailTaken, NewAccount, RegisterError};
pub use administration::{AccountError, AccountFilter, ChangedAccount, InvalidResetCode};
pub use api_keys::{ApiKey, NewApiKey, NoSuchKey};
pub use keys::SealedKey;
pub use sessions::{LiveSession, NewSession, PasswordReplaced, RenewError, Renewed};

use crate::bus::{Bus, Topic};
use crate::changes::{self, AccountChange, ChangeRow, Tail};
use crate::db::{Database, Location, OpenError, Tables};
use crate::error::StoreError;
use crate::migrate;

/// Is the database of accounts. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct AuthStore {
    database: Database,
}

impl AuthStore {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed in a database of a newer release.
    pub async fn open(location: &Location) -> Result<Self, OpenError> {
        let database = Database::open(location, migrate::AUTH, Tables::Migrated).await?;
        accounts::fill_search_texts(&database).await.map_err(OpenError::Fill)?;
        Ok(Self { database })
    }

    /// Opens the database if its tables are those of this release. A SQLite file that is missing or empty is made; its
    /// directory must be there.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::NotMigrated`] and [`OpenError::Behind`] where `open` would migrate.
    pub async fn open_migrated(location: &Location) -> Result<Self, OpenError> {
        let database = Database::open(location, migrate::AUTH, Tables::AsTheyAre).await?;
        accounts::fill_search_texts(&database).await.map_err(OpenError::Fill)?;
        Ok(Self { database })
    }

    /// Tells other servers on the bus from now on what it changed.
    #[must_use]
    pub fn with_bus(self, bus: &Bus) -> Self {
        Self { database: self.database.announcing(bus.announcer(Topic::Accounts)) }
    }

    /// Is the store's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.database.clock().now()
    }

    /// Is what keeps it: `sqlite` or `postgres`.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        self.database.engine()
    }

    /// Says whether the database answers, and sets the clock by it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.database.read("SELECT id FROM installation", vec![]).await?;
        self.database.synchronise_clock().await
    }

    /// Starts to follow the changes that happen from now on.
    #[must_use]
    pub fn follow(&self) -> Tail {
        Tail::from(self.now())
    }

    /// Reads the changes since the last call.
    ///
    /// # Errors
    /// [`StoreError`]; the next call begins where this one did.
    pub async fn changes(&self, tail: &mut Tail) -> Result<Vec<AccountChange>, StoreError> {
        tail.poll(&self.database).await
    }

    /// Reads one step of the table of changes, for a server without this store: the rows after an id
    /// that are not older than `since`, in the order of ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_rows(&self, after: i64, since: Timestamp) -> Result<Vec<ChangeRow>, StoreError> {
        changes::rows::<AccountChange>(&self.database, after, since).await
    }

    /// Deletes what nobody can use any more: old changes and expired refresh tokens.
    ///
    /// # Errors
    /// [`StoreError`]; what is left goes with the next call.
    pub async fn prune(&self) -> Result<(), StoreError> {
        changes::prune::<AccountChange>(&self.database).await?;
        self.prune_sessions().await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
