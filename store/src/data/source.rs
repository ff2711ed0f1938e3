//! A database that is read as it was at one moment.

use super::connection::{Lent, Link, applied};
use super::{DataError, Part};
use crate::db::{Location, OpenError};

/// Is a database that is read.
pub(super) struct Source {
    pub(super) part: Part,
    pub(super) link: Link,
    /// The last migration that it has.
    pub(super) version: i64,
}

impl Source {
    /// Connects to a database that has something to read.
    pub(super) async fn open(part: Part, location: &Location) -> Result<Self, DataError> {
        let link = Link::open(location).await.map_err(DataError::open(part))?;
        let mut link = link.ok_or(DataError::Absent(part))?;
        let version = version(part, link.lend()).await?;
        Ok(Self { part, link, version })
    }

    /// Holds on to what is there now: whatever is written later is not read.
    pub(super) async fn snapshot(&mut self) -> Result<(), DataError> {
        let begin = match &self.link {
            Link::Sqlite(_) => "BEGIN",
            Link::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.link.lend().execute(begin.to_owned()).await.map_err(DataError::database(self.part))?;
        // The first reading is what it holds on to. It may have been migrated before.
        self.version = version(self.part, self.link.lend()).await?;
        Ok(())
    }
}

/// Reads the last migration of a database that this release can read.
pub(super) async fn version(part: Part, connection: Lent<'_>) -> Result<i64, DataError> {
    let migrations = part.migrations();
    let applied = applied(connection, migrations).await.map_err(DataError::database(part))?;
    let version = migrations.judge(&applied).map_err(DataError::open(part))?;
    version.ok_or(DataError::Open(part, OpenError::NotMigrated))
}
