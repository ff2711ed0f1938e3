//! Moving an installation into other databases, of the same engine or the other.
//!
//! Each database is read in one snapshot, row after row in the order of keys, and written in one transaction (a
//! SQLite file: beside its name). Before it comes into being it is read once more and compared: so many rows with
//! this digest, table for table. Accounts come first, for the reason that `restore` has. What an interrupted copy
//! has finished is found to be the same, and is passed over.

use super::connection::{Link, applied};
use super::fill::{fill_postgres, fill_sqlite};
use super::postgres_target::PostgresTarget;
use super::progress::{Meter, Unit, Watch, Work};
use super::restore::Ready;
use super::rows::tally;
use super::sequences;
use super::source::Source;
use super::sqlite_file::OwnFile;
use super::sqlite_target::SqliteTarget;
use super::vacancy::occupied_at;
use super::{DataError, Databases, Part};
use crate::db::Location;

/// Says what became of an installation that was to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Of accounts.
    pub auth: PartCopied,
    /// Of rooms.
    pub conference: PartCopied,
}

/// Says what became of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartCopied {
    /// It was copied now.
    Copied {
        /// How many rows it has.
        rows: u64,
    },
    /// An earlier copy has left it there, and it is the same.
    AlreadyThere {
        /// How many rows it has.
        rows: u64,
    },
}

/// Copies both databases to where there is nothing yet. What is written to the source meanwhile is not copied: no
/// server should be running on it. Nobody is present or signed in at the target, and servers make new keys there.
///
/// # Errors
/// [`DataError`]. A database is there as a whole or not at all, also when the future is dropped; started again with
/// an unchanged source, the copy goes on with the one that is missing.
pub async fn copy(from: &Databases, to: &Databases, watch: &mut Watch<'_>) -> Result<Copied, DataError> {
    // Both are held on to before either is read: rooms first, so that every author exists.
    let mut conference = Source::open(Part::Conference, &from.conference).await?;
    conference.snapshot().await?;
    let mut auth = Source::open(Part::Auth, &from.auth).await?;
    auth.snapshot().await?;
    let there = [
        already_there(&mut auth, &to.auth, watch).await?,
        already_there(&mut conference, &to.conference, watch).await?,
    ];
    let mut outcomes = [PartCopied::Copied { rows: 0 }; 2];
    let sources = [(auth, &to.auth), (conference, &to.conference)];
    for ((outcome, there), (mut source, target)) in outcomes.iter_mut().zip(there).zip(sources) {
        *outcome = match there {
            Some(rows) => PartCopied::AlreadyThere { rows },
            None => PartCopied::Copied { rows: copy_part(&mut source, target, watch).await? },
        };
        let part = source.part;
        source.link.close().await.map_err(DataError::database(part))?;
    }
    let [auth, conference] = outcomes;
    Ok(Copied { auth, conference })
}

/// Counts the rows of a target that holds what the source does. `None` when it is empty.
async fn already_there(
    source: &mut Source,
    target: &Location,
    watch: &mut Watch<'_>,
) -> Result<Option<u64>, DataError> {
    let (part, version) = (source.part, source.version);
    let Some(table) = occupied_at(part, target).await? else { return Ok(None) };
    let failed = DataError::database(part);
    let link = Link::open(target).await.map_err(DataError::open(part))?;
    let mut link = link.ok_or(DataError::Absent(part))?;
    let migrations = applied(link.lend(), part.migrations()).await.map_err(&failed)?;
    if !migrations.contains(&version) {
        return Err(DataError::NotEmpty { part, table });
    }
    let total = count(source).await? * 2;
    let mut meter = Meter::start(watch, Work::Compare(part), Some(total), Unit::Rows);
    let mut rows = 0;
    for table in part.kept_tables(version) {
        let here = tally(part, source.link.lend(), table, version, &mut meter).await?;
        if tally(part, link.lend(), table, version, &mut meter).await? != here {
            return Err(DataError::NotEmpty { part, table: table.name });
        }
        rows += here.0;
    }
    link.close().await.map_err(failed)?;
    Ok(Some(rows))
}

/// Copies one database. Gives how many rows it has.
async fn copy_part(source: &mut Source, target: &Location, watch: &mut Watch<'_>) -> Result<u64, DataError> {
    let (part, version) = (source.part, source.version);
    let highest = sequences::highest(part, source.link.lend(), version).await.map_err(DataError::database(part))?;
    let total = count(source).await?;
    let (ready, rows) = match target {
        Location::Sqlite(path) => {
            let (target, file) = SqliteTarget::begin(part, path).await?;
            drop(file);
            let mut own = OwnFile::open(part, target.work_path()).await?;
            own.make_empty_tables(version).await?;
            let mut meter = Meter::start(watch, Work::Copy(part), Some(total), Unit::Rows);
            let read = fill_sqlite(source, &mut own, &mut meter).await?;
            let mut meter = Meter::start(watch, Work::Compare(part), Some(total), Unit::Rows);
            for (table, read) in part.kept_tables(version).zip(&read) {
                if tally(part, own.lend(), table, version, &mut meter).await? != *read {
                    return Err(DataError::Differs { part, table: table.name });
                }
            }
            own.migrate().await?;
            let latest = part.migrations().latest();
            sequences::raise(part, own.lend(), latest, &highest).await.map_err(DataError::database(part))?;
            own.close().await?;
            (Ready::Sqlite(target), read)
        }
        Location::Postgres { url, .. } => {
            let mut target = PostgresTarget::begin(part, url, version).await?;
            let mut meter = Meter::start(watch, Work::Copy(part), Some(total), Unit::Rows);
            let read = fill_postgres(source, &mut target, &mut meter).await?;
            target.index().await?;
            let mut meter = Meter::start(watch, Work::Compare(part), Some(total), Unit::Rows);
            for (table, read) in part.kept_tables(version).zip(&read) {
                if tally(part, target.lend(), table, version, &mut meter).await? != *read {
                    return Err(DataError::Differs { part, table: table.name });
                }
            }
            target.complete(&highest).await?;
            (Ready::Postgres(target), read)
        }
    };
    ready.clear_the_way().await?;
    ready.place().await?;
    Ok(rows.iter().map(|(rows, _)| rows).sum())
}

async fn count(source: &mut Source) -> Result<u64, DataError> {
    let mut rows = 0;
    for table in source.part.kept_tables(source.version) {
        let count = format!("SELECT COUNT(*) FROM {}", table.name);
        let counted = source.link.lend().number(count).await.map_err(DataError::database(source.part))?;
        rows += u64::try_from(counted).unwrap_or(0);
    }
    Ok(rows)
}
