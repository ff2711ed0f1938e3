//! The databases as a whole: bringing them up to date, saying how they are, backing up, restoring, copying.
//!
//! A backup and a copy take what an installation *is*, and leave what it is *doing* (`tables.rs` says which is which).
//! Nothing here prints: what goes on is told to a [`Watch`]. Dropping a future leaves nothing half done: an output is
//! named only once it is whole, and what a transaction began it takes back.

mod archive;
mod backup;
mod chunks;
mod connection;
mod copy;
mod error;
mod fill;
mod manifest;
mod partial;
mod postgres_indexes;
mod postgres_target;
mod progress;
mod restore;
mod rows;
mod sequences;
mod source;
mod sqlite_file;
mod sqlite_target;
mod status;
mod tables;
mod vacancy;

pub use backup::{BackedUp, backup};
pub use copy::{Copied, PartCopied, copy};
pub use error::DataError;
pub use manifest::{Manifest, PartManifest};
pub use progress::{Progress, Unit, Watch, Work};
pub use restore::{inspect, restore};
pub use status::{DatabaseStatus, Migrated, PendingMigration, migrate, status};

pub(crate) use connection::{Lent, applied};
pub(crate) use vacancy::is_foreign;

use crate::db::Location;
use crate::migrate::{self, MigrationSet};

/// Says which of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// That of accounts.
    Auth,
    /// That of rooms.
    Conference,
}

impl Part {
    /// Gives the word that names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Conference => "conference",
        }
    }

    const fn migrations(self) -> MigrationSet {
        match self {
            Self::Auth => migrate::AUTH,
            Self::Conference => migrate::CONFERENCE,
        }
    }
}

/// Names it as sentences do.
impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Auth => "the database of accounts",
            Self::Conference => "the database of rooms",
        })
    }
}

/// Says what kind of database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server's.
    Postgres,
}

impl Engine {
    /// Is what a location names.
    #[must_use]
    pub const fn of(location: &Location) -> Self {
        match location {
            Location::Sqlite(_) => Self::Sqlite,
            Location::Postgres { .. } => Self::Postgres,
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        })
    }
}

/// Says where an installation's two databases are. On Postgres both may be one.
#[derive(Debug, Clone)]
pub struct Databases {
    /// That of accounts.
    pub auth: Location,
    /// That of rooms.
    pub conference: Location,
}

impl Databases {
    /// Is where one of them is.
    #[must_use]
    pub const fn location(&self, part: Part) -> &Location {
        match part {
            Part::Auth => &self.auth,
            Part::Conference => &self.conference,
        }
    }
}
