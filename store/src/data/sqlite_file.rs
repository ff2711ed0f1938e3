//! SQLite files as such: one that is a picture of another, and what is taken out of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::connection::{Lent, Link};
use super::progress::{Meter, Unit, Watch, Work};
use super::tables::Fate;
use super::{DataError, Part, source};
use crate::db::Location;
use crate::migrate;

/// How often SQLite is asked how much it has written.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// After how many steps of its machine SQLite asks whether it is still wanted.
const ASK_EVERY: i32 = 10_000;

/// Stops SQLite's own thread when the future that wants its work is dropped.
#[derive(Debug)]
struct Wanted(Arc<AtomicBool>);

impl Wanted {
    async fn by(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let wanted = Self(Arc::new(AtomicBool::new(true)));
        let asked = wanted.0.clone();
        connection.lock_handle().await?.set_progress_handler(ASK_EVERY, move || asked.load(Ordering::Relaxed));
        Ok(wanted)
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Writes a picture of a database into an empty file. Who writes to the database meanwhile does not wait.
pub(super) async fn picture(
    part: Part,
    location: &Location,
    into: &Path,
    watch: &mut Watch<'_>,
) -> Result<(), DataError> {
    let failed = DataError::database(part);
    let link = Link::open(location).await.map_err(DataError::open(part))?;
    let Some(Link::Sqlite(mut connection)) = link else { return Err(DataError::Absent(part)) };
    let pages = "SELECT (c.page_count - f.freelist_count) * s.page_size \
                 FROM pragma_page_count() c, pragma_freelist_count() f, pragma_page_size() s";
    let size = Lent::Sqlite(&mut connection).number(pages.to_owned()).await.map_err(&failed)?;
    let mut meter = Meter::start(watch, Work::Snapshot(part), u64::try_from(size).ok(), Unit::Bytes);
    let name = existing(into)?;
    let _wanted = Wanted::by(&mut connection).await.map_err(&failed)?;
    {
        let mut writing = std::pin::pin!(sqlx::query("VACUUM INTO $1").bind(name).execute(&mut connection));
        loop {
            tokio::select! {
                outcome = &mut writing => { outcome.map_err(&failed)?; break }
                () = tokio::time::sleep(LOOK_EVERY) => {
                    meter.set(tokio::fs::metadata(into).await.map_or(0, |metadata| metadata.len()));
                }
            }
        }
    }
    connection.close().await.map_err(failed)
}

/// Names a file to SQLite so that it makes none: what is interrupted may find its file gone.
fn existing(path: &Path) -> Result<String, DataError> {
    let name = path.to_str().ok_or_else(|| {
        DataError::file("write", path)(std::io::Error::other("SQLite takes only names that are UTF-8"))
    })?;
    // <https://www.sqlite.org/uri.html>: what would end a path in an address.
    let name = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Ok(format!("file:{name}?mode=rw"))
}

/// Is an open file that is nobody else's, and is thrown away if anything goes wrong.
#[derive(Debug)]
pub(super) struct OwnFile {
    part: Part,
    connection: SqliteConnection,
    _wanted: Wanted,
}

impl OwnFile {
    /// Opens one, without a journal.
    pub(super) async fn open(part: Part, path: &Path) -> Result<Self, DataError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Off)
            .locking_mode(SqliteLockingMode::Exclusive)
            .synchronous(SqliteSynchronous::Off)
            // What refers to what was right where it was read; and what goes, goes together.
            .foreign_keys(false)
            // What is taken out is not to be found in the file either.
            .pragma("secure_delete", "ON");
        let failed = DataError::database(part);
        let mut connection = options.connect().await.map_err(&failed)?;
        let wanted = Wanted::by(&mut connection).await.map_err(&failed)?;
        Ok(Self { part, connection, _wanted: wanted })
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    pub(super) fn lend(&mut self) -> Lent<'_> {
        Lent::Sqlite(&mut self.connection)
    }

    /// Takes out what a backup leaves, and puts the rest to rest. Gives its version.
    pub(super) async fn strip(&mut self) -> Result<i64, DataError> {
        let part = self.part;
        let version = source::version(part, self.lend()).await?;
        let mut text = String::from("BEGIN;");
        for table in part.tables(version) {
            match table.fate {
                Fate::Left => text.extend(["DELETE FROM ", table.name, ";"]),
                Fate::Kept => text.extend(table.put_to_rest(version).map(|update| update + ";")),
            }
        }
        text.push_str("COMMIT");
        self.lend().execute(text).await.map_err(DataError::database(part))?;
        Ok(version)
    }

    /// Says whether it hangs together.
    pub(super) async fn is_sound(&mut self) -> Result<bool, DataError> {
        let query = sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)");
        let word = query.fetch_one(&mut self.connection).await.map_err(DataError::database(self.part))?;
        Ok(word == "ok")
    }

    /// Brings it up to this release.
    pub(super) async fn migrate(&mut self) -> Result<(), DataError> {
        let migrator = self.part.migrations().for_sqlite();
        migrate::run(&mut self.connection, migrator).await.map_err(DataError::open(self.part))
    }

    /// Makes the tables of a version in it, without a row.
    pub(super) async fn make_empty_tables(&mut self, version: i64) -> Result<(), DataError> {
        let part = self.part;
        let migrator = part.migrations().for_sqlite();
        migrate::run_to(&mut self.connection, migrator, version).await.map_err(DataError::open(part))?;
        for table in part.kept_tables(version).filter(|table| table.born_with.is_some()) {
            self.lend().execute(format!("DELETE FROM {}", table.name)).await.map_err(DataError::database(part))?;
        }
        Ok(())
    }

    pub(super) async fn close(self) -> Result<(), DataError> {
        self.connection.close().await.map_err(DataError::database(self.part))
    }
}
