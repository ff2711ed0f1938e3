//! How a database is, and bringing it up to date.

use tokio::fs;

use super::connection::{Link, applied};
use super::vacancy::is_foreign;
use super::{DataError, Engine, Part};
use crate::auth::AuthStore;
use crate::conference::ConferenceStore;
use crate::db::{Location, OpenError};

/// Says how a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseStatus {
    /// Which of the two.
    pub part: Part,
    /// What kind it is.
    pub engine: Engine,
    /// Where it is, for who set it: without the user and the password.
    pub place: String,
    /// The migrations that it has and this release knows, oldest first. None where it is not there yet.
    pub applied: Vec<i64>,
    /// Those that it lacks, oldest first.
    pub pending: Vec<PendingMigration>,
    /// Those that a newer release made: this one does not open it.
    pub newer: Vec<i64>,
    /// How many rows stand in each table that a backup keeps.
    pub rows: Vec<(&'static str, u64)>,
    /// How much room it takes, in bytes: the file with its log, or the tables with their indexes.
    pub bytes: u64,
}

/// Is a migration that a database lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingMigration {
    /// Its number.
    pub version: i64,
    /// What it brings.
    pub description: &'static str,
}

/// Says what was done to bring a database up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// What was applied now, oldest first.
    pub applied: Vec<PendingMigration>,
    /// The version that the database has now.
    pub version: i64,
}

/// Looks at a database without changing anything; where there is none, none is made.
///
/// # Errors
/// [`DataError::Open`] or [`DataError::Database`].
pub async fn status(part: Part, location: &Location) -> Result<DatabaseStatus, DataError> {
    let failed = DataError::database(part);
    let migrations = part.migrations();
    let mut link = Link::open(location).await.map_err(DataError::open(part))?;
    let all = match &mut link {
        Some(link) => applied(link.lend(), migrations).await.map_err(&failed)?,
        None => Vec::new(),
    };
    if all.is_empty()
        && let Some(link) = &mut link
        && is_foreign(link.lend(), migrations).await.map_err(&failed)?
    {
        return Err(DataError::Foreign(part));
    }
    let is_known = |version: &i64| migrations.versions().any(|(known, _)| known == *version);
    let (applied, newer): (Vec<i64>, Vec<i64>) = all.into_iter().partition(is_known);
    let pending = migrations.versions().filter(|(version, _)| !applied.contains(version));
    let pending = pending.map(|(version, description)| PendingMigration { version, description }).collect();
    let (mut rows, mut bytes) = (Vec::new(), 0);
    if let Some(mut link) = link {
        // A newer release still has the tables of this one, or it would say so to the release before.
        let version = applied.last().copied().unwrap_or(0);
        for table in part.kept_tables(version) {
            let count = format!("SELECT COUNT(*) FROM {}", table.name);
            let count = link.lend().number(count).await.map_err(&failed)?;
            rows.push((table.name, u64::try_from(count).unwrap_or(0)));
        }
        bytes = match location {
            Location::Sqlite(path) => {
                let mut log = path.as_os_str().to_owned();
                log.push("-wal");
                let log = fs::metadata(log).await.map_or(0, |metadata| metadata.len());
                log + fs::metadata(path).await.map_err(DataError::file("read", path))?.len()
            }
            Location::Postgres { .. } => {
                let sizes: Vec<_> = part
                    .tables(version)
                    .map(|table| format!("pg_total_relation_size(to_regclass('{}'))", table.name))
                    .collect();
                let sum = format!(
                    "SELECT CAST({} AS BIGINT)",
                    if sizes.is_empty() { "0".to_owned() } else { sizes.join(" + ") }
                );
                u64::try_from(link.lend().number(sum).await.map_err(&failed)?).unwrap_or(0)
            }
        };
        link.close().await.map_err(failed)?;
    }
    let (engine, place) = (Engine::of(location), location.to_string());
    Ok(DatabaseStatus { part, engine, place, applied, pending, newer, rows, bytes })
}

/// Brings a database up to this release; a SQLite file that is not there is made, its directory must be. Servers of
/// the release before go on working on it.
///
/// # Errors
/// [`DataError::Open`] or [`DataError::Database`]; what was applied before stays applied.
pub async fn migrate(part: Part, location: &Location) -> Result<Migrated, DataError> {
    let before = status_of_migrations(part, location).await?;
    match part {
        Part::Auth => AuthStore::open(location).await.map_err(DataError::open(part))?.close().await,
        Part::Conference => ConferenceStore::open(location).await.map_err(DataError::open(part))?.close().await,
    }
    let migrations = part.migrations();
    let new = migrations.versions().filter(|(version, _)| !before.contains(version));
    let applied = new.map(|(version, description)| PendingMigration { version, description }).collect();
    Ok(Migrated { applied, version: migrations.latest() })
}

async fn status_of_migrations(part: Part, location: &Location) -> Result<Vec<i64>, DataError> {
    let Some(mut link) = Link::open(location).await.map_err(DataError::open(part))? else { return Ok(Vec::new()) };
    let applied = applied(link.lend(), part.migrations()).await.map_err(DataError::database(part))?;
    if let Err(newer @ OpenError::Newer(_)) = part.migrations().judge(&applied) {
        return Err(DataError::Open(part, newer));
    }
    link.close().await.map_err(DataError::database(part))?;
    Ok(applied)
}
