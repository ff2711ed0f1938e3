//! One handle for both engines: statements in, rows out, transactions between.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Postgres, Sqlite, Transaction};
use tokio::time::timeout;

use crate::bus::Announcer;
use crate::clock::Clock;
use crate::data::{self, Lent, is_foreign};
use crate::error::StoreError;
use crate::kept::{Kept, KeptConnection, Slot};
use crate::migrate::{self, MigrationSet};
use crate::value::{JsonText, Row, Value};

/// How long a caller waits for a free connection, and SQLite for its write lock.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long Postgres works on one statement, waits for a lock, or keeps the locks of a transaction
/// whose server says nothing more.
const POSTGRES_TIMEOUTS_MS: [(&str, &str); 3] =
    [("statement_timeout", "10000"), ("lock_timeout", "5000"), ("idle_in_transaction_session_timeout", "15000")];

/// How long a caller waits for any answer: longer than what the database itself allows, so that it
/// speaks first if it can.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection to Postgres may have been idle and still be believed to lead somewhere: asking
/// first costs as much as many a statement. Who gets one that was cut meanwhile hears that the store is away.
const STALE_AFTER: Duration = Duration::from_secs(2);

/// Takes the write lock at once: taking it later can fail with BUSY after work was done.
const BEGIN_IMMEDIATE: &str = "BEGIN IMMEDIATE";

const POSTGRES_CONNECTIONS: u32 = 16;
const SQLITE_READERS: u32 = 4;

/// How long a reader of SQLite keeps its thread and its pages when nobody reads.
const READER_IDLE: Duration = Duration::from_secs(15);

/// Says where a database is.
#[derive(Clone)]
pub enum Location {
    /// A file of its own.
    Sqlite(PathBuf),
    /// A `postgres://` URL, and the setting that it comes from.
    Postgres {
        /// The URL; it may hold a password.
        url: String,
        /// What is to be changed when it is wrong.
        setting: &'static str,
    },
}

impl std::fmt::Debug for Location {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => formatter.debug_tuple("Sqlite").field(path).finish(),
            // The URL may hold a password.
            Self::Postgres { setting, .. } => write!(formatter, "Postgres({setting})"),
        }
    }
}

/// Names it for who set it: without the user and the password.
impl std::fmt::Display for Location {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(formatter, "DATA_DIR ({})", path.display()),
            Self::Postgres { url, setting } => match PgConnectOptions::from_str(url) {
                Ok(options) => {
                    let database = options.get_database().unwrap_or_default();
                    write!(formatter, "{setting} ({}:{}/{database})", options.get_host(), options.get_port())
                }
                Err(_) => formatter.write_str(setting),
            },
        }
    }
}

/// Says why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached or read.
    #[error("cannot open the database: {}", reason(.0))]
    Connect(sqlx::Error),
    /// Its tables were made by a newer release.
    #[error("the database was migrated by a newer release (version {0}): run that release, or restore a backup")]
    Newer(i64),
    /// It is another program's.
    #[error("the file is another program's database: name another")]
    Foreign,
    /// It has no tables, and they are not made on the way.
    #[error("the database has no tables yet: run `cloudmeet db migrate`")]
    NotMigrated,
    /// Its tables are those of an earlier release, and they are not changed on the way.
    #[error("the database is of an earlier release (version {has}, needed is {wants}): run `cloudmeet db migrate`")]
    Behind {
        /// The version that it has.
        has: i64,
        /// The version of this release.
        wants: i64,
    },
    /// What the tables of an earlier release lack could not be filled in.
    #[error("cannot fill in what this release needs")]
    Fill(#[source] StoreError),
    /// Its tables could not be brought up to date.
    #[error("cannot migrate the database: {}", migration_reason(.0))]
    Migrate(sqlx::migrate::MigrateError),
}

impl OpenError {
    /// Says whether the database may come yet: nobody listens there, or it is starting.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        let Self::Connect(error) = self else { return false };
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        // 57P03: Postgres is starting up or shutting down.
        matches!(error, sqlx::Error::Io(_)) || code.as_deref() == Some("57P03")
    }
}

/// Says in one sentence what a database refused, and what to do where that is known: the library's own
/// messages repeat their causes.
pub(crate) fn reason(error: &sqlx::Error) -> String {
    let Some(refusal) = error.as_database_error() else {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        return cause.to_string();
    };
    let remedy = match refusal.code().as_deref() {
        Some("3D000") => "; make it with CREATE DATABASE",
        Some("28P01" | "28000") => "; set the user and the password that the database knows",
        Some("42501") => "; let the user make tables: GRANT CREATE ON SCHEMA public",
        Some("25006") => "; name a database that can be written",
        // SQLite: BUSY and its kin, READONLY and its kin, CANTOPEN and its kin, NOTADB, CORRUPT.
        Some("5" | "261" | "517") => "; another program holds it: stop that, or wait",
        Some("8" | "264" | "520" | "776" | "1032" | "1544") => "; let this user write the file and its directory",
        Some("14" | "270" | "526" | "782") => "; let this user read and write the file and its directory",
        Some("26") => "; name another file",
        Some("11") => "; restore a backup",
        _ => "",
    };
    format!("{}{remedy}", refusal.message())
}

fn migration_reason(error: &sqlx::migrate::MigrateError) -> String {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    match error {
        Execute(error) | ExecuteMigration(error, _) => reason(error),
        other => other.to_string(),
    }
}

/// Says what is done about tables that are missing or of an earlier release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// They are made what this release needs.
    Migrated,
    /// They are left alone; but where there is no SQLite file yet, one is made.
    AsTheyAre,
}

/// Is a statement. Where the engines' texts differ, it is nearly always in that Postgres locks rows by
/// `FOR UPDATE` while SQLite has one writer, who locks everything from `BEGIN IMMEDIATE` on.
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }
}

impl Sql {
    pub(crate) const fn per_engine(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }
}

/// Makes a SELECT that locks the rows of its first table until the transaction ends.
macro_rules! locking {
    ($table:literal, $text:expr) => {
        $crate::db::Sql::per_engine($text, concat!($text, " FOR UPDATE OF ", $table))
    };
}
pub(crate) use locking;

/// Is an open database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    engine: Engine,
    clock: Clock,
    announcer: Option<Announcer>,
}

#[derive(Debug, Clone)]
enum Engine {
    /// One connection writes, a few read: readers never wait for the writer (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Database {
    /// Opens a database.
    pub(crate) async fn open(location: &Location, migrations: MigrationSet, tables: Tables) -> Result<Self, OpenError> {
        let engine = match location {
            Location::Sqlite(path) => Self::open_sqlite(path.clone(), migrations, tables).await?,
            Location::Postgres { url, .. } => Self::open_postgres(url, migrations, tables).await?,
        };
        let database = Self { engine, clock: Clock::of_this_process(), announcer: None };
        database.synchronise_clock().await.map_err(|error| match error {
            StoreError::Unavailable(e) | StoreError::Full(e) | StoreError::Refused(e) => OpenError::Connect(e),
            StoreError::Corrupt(_) => OpenError::Connect(sqlx::Error::RowNotFound),
        })?;
        Ok(database)
    }

    async fn open_sqlite(path: PathBuf, migrations: MigrationSet, tables: Tables) -> Result<Engine, OpenError> {
        make_private(&path).await.map_err(|error| OpenError::Connect(sqlx::Error::Io(error)))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged message is on disk, also when the power goes.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(ACQUIRE_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A file does not go away.
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await
            .map_err(OpenError::Connect)?;
        let mut connection = writer.acquire().await.map_err(OpenError::Connect)?;
        prepare_sqlite(&mut connection, migrations, tables).await?;
        drop(connection);
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .idle_timeout(READER_IDLE)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(OpenError::Connect)?;
        Ok(Engine::Sqlite { writer, readers })
    }

    async fn open_postgres(url: &str, migrations: MigrationSet, tables: Tables) -> Result<Engine, OpenError> {
        let options = PgConnectOptions::from_str(url).map_err(OpenError::Connect)?.application_name("cloudmeet");
        // A migration takes the time it takes, and so does waiting for another server's.
        let connecting = timeout(ANSWER_TIMEOUT, options.connect()).await;
        let mut connection = connecting.unwrap_or_else(|_| Err(no_answer())).map_err(OpenError::Connect)?;
        match tables {
            Tables::Migrated => migrate::run(&mut connection, migrations.for_postgres()).await?,
            Tables::AsTheyAre => migrate::require(Lent::Postgres(&mut connection), migrations).await?,
        }
        connection.close().await.map_err(OpenError::Connect)?;
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move { Ok(known.idle_for < STALE_AFTER || connection.ping().await.is_ok()) })
            })
            .connect_with(options.options(POSTGRES_TIMEOUTS_MS))
            .await
            .map_err(OpenError::Connect)?;
        Ok(Engine::Postgres(pool))
    }

    /// Tells other servers what no table keeps.
    pub(crate) fn announce(&self, change: (&'static str, String)) {
        if let Some(announcer) = &self.announcer {
            announcer.announce([change]);
        }
    }

    /// Says on the bus from now on what it commits.
    pub(crate) fn announcing(self, announcer: Announcer) -> Self {
        Self { announcer: Some(announcer), ..self }
    }

    /// Is the store's time, the same on every server that shares it.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Measures how far this process's clock is from the store's. SQLite has no clock of its own:
    /// there it is the system's, which goes on while the machine sleeps.
    pub(crate) async fn synchronise_clock(&self) -> Result<(), StoreError> {
        let asked = self.clock.local();
        let store_ms = match self.engine {
            Engine::Sqlite { .. } => Some(Clock::of_the_system()),
            Engine::Postgres(_) => {
                let now = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now";
                self.read_one(now, vec![]).await?.map(|row| row.get("now")).transpose()?
            }
        };
        if let Some(store_ms) = store_ms {
            self.clock.set_offset(store_ms, asked, self.clock.local());
        }
        Ok(())
    }

    /// Reads, outside any transaction.
    pub(crate) async fn read(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        match &self.engine {
            Engine::Sqlite { readers, .. } => {
                let rows = in_time(for_sqlite(sql, values).fetch_all(readers)).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Engine::Postgres(pool) => {
                let rows = in_time(for_postgres(sql, values).fetch_all(pool)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// Reads the one row that there may be.
    pub(crate) async fn read_one(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        Ok(self.read(sql, values).await?.into_iter().next())
    }

    /// Begins a transaction that writes. Dropped without a commit, it changes nothing.
    pub(crate) async fn begin(&self) -> Result<Tx<'static>, StoreError> {
        let transaction = match &self.engine {
            Engine::Sqlite { writer, .. } => EngineTx::Sqlite(in_time(begin_immediate(writer)).await?),
            Engine::Postgres(pool) => EngineTx::Postgres(in_time(pool.begin()).await?),
        };
        Ok(self.tx(transaction))
    }

    pub(crate) const fn is_sqlite(&self) -> bool {
        matches!(self.engine, Engine::Sqlite { .. })
    }

    /// Is which engine it is, by the word for it.
    pub(crate) const fn engine(&self) -> &'static str {
        if self.is_sqlite() { "sqlite" } else { "postgres" }
    }

    /// Gives somebody who asks all the time a connection to keep.
    pub(crate) fn kept(&self) -> Kept {
        let connection = match &self.engine {
            Engine::Sqlite { readers, .. } => KeptConnection::Sqlite(Slot::new(readers)),
            Engine::Postgres(pool) => KeptConnection::Postgres(Slot::new(pool)),
        };
        Kept::new(self.clone(), connection)
    }

    /// Makes a transaction of this database of one of its engine.
    pub(crate) fn tx<'c>(&self, transaction: EngineTx<'c>) -> Tx<'c> {
        Tx { transaction, announcer: self.announcer.clone(), noted: Vec::new() }
    }

    /// Closes every connection; on SQLite the log goes into the file.
    pub(crate) async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

/// Makes a file that is not there yet, for its owner's eyes only; what SQLite puts beside it is like it.
async fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Sees that a file has the tables of this release. Of several who open it at once one makes them, and the others
/// wait for it.
async fn prepare_sqlite(
    connection: &mut SqliteConnection,
    migrations: MigrationSet,
    tables: Tables,
) -> Result<(), OpenError> {
    if migrate::require(Lent::Sqlite(connection), migrations).await.is_ok() {
        return Ok(());
    }
    let mut tx = connection.begin_with(BEGIN_IMMEDIATE).await.map_err(OpenError::Connect)?;
    let applied = data::applied(Lent::Sqlite(&mut tx), migrations).await.map_err(OpenError::Connect)?;
    if applied.is_empty() && is_foreign(Lent::Sqlite(&mut tx), migrations).await.map_err(OpenError::Connect)? {
        return Err(OpenError::Foreign);
    }
    // A file without tables was made just now.
    if tables == Tables::AsTheyAre && !applied.is_empty() {
        return migrate::require(Lent::Sqlite(&mut tx), migrations).await;
    }
    migrate::run(&mut *tx, migrations.for_sqlite()).await?;
    tx.commit().await.map_err(OpenError::Connect)
}

/// Is a transaction that writes.
pub(crate) struct Tx<'c> {
    transaction: EngineTx<'c>,
    announcer: Option<Announcer>,
    noted: Vec<(&'static str, String)>,
}

pub(crate) enum EngineTx<'c> {
    Sqlite(Transaction<'c, Sqlite>),
    Postgres(Transaction<'c, Postgres>),
}

impl Tx<'_> {
    /// Runs a statement and gives its rows.
    pub(crate) async fn fetch(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        match &mut self.transaction {
            EngineTx::Sqlite(tx) => {
                let rows = in_time(for_sqlite(sql, values).fetch_all(&mut **tx)).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            EngineTx::Postgres(tx) => {
                let rows = in_time(for_postgres(sql, values).fetch_all(&mut **tx)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// Runs a statement and gives the one row that there may be.
    pub(crate) async fn fetch_one(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(sql, values).await?.into_iter().next())
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64, StoreError> {
        let sql = sql.into();
        Ok(match &mut self.transaction {
            EngineTx::Sqlite(tx) => in_time(for_sqlite(sql, values).execute(&mut **tx)).await?.rows_affected(),
            EngineTx::Postgres(tx) => in_time(for_postgres(sql, values).execute(&mut **tx)).await?.rows_affected(),
        })
    }

    /// Remembers a change, to say it on the bus once it lasts.
    pub(crate) fn announce(&mut self, kind: &'static str, subject: String) {
        if self.announcer.is_some() {
            self.noted.push((kind, subject));
        }
    }

    /// Makes it last: when this returns, it is on disk, and whoever listens on the bus is told to look.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self.transaction {
            EngineTx::Sqlite(tx) => in_time(tx.commit()).await?,
            EngineTx::Postgres(tx) => in_time(tx.commit()).await?,
        }
        if let Some(announcer) = &self.announcer {
            announcer.announce(self.noted);
        }
        Ok(())
    }
}

/// Begins a transaction on the connection that writes. A full disk, for one, makes SQLite take a transaction back by
/// itself, and the driver goes on believing in it: such a connection is replaced, or nothing would ever be written
/// again.
async fn begin_immediate(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    match writer.begin_with(BEGIN_IMMEDIATE).await {
        Err(sqlx::Error::InvalidSavePointStatement) => {
            writer.acquire().await?.close().await?;
            writer.begin_with(BEGIN_IMMEDIATE).await
        }
        other => other,
    }
}

/// Waits for an answer, but not for ever: a connection that leads nowhere says nothing.
///
/// The work lies in a box: it takes kilobytes, and whatever waits for it would be as large and be copied with it.
pub(crate) fn in_time<'w, T: 'w>(
    work: impl Future<Output = Result<T, sqlx::Error>> + Send + 'w,
) -> impl Future<Output = Result<T, StoreError>> + Send + 'w {
    let work = timeout(ANSWER_TIMEOUT, Box::pin(work));
    async move { Ok(work.await.unwrap_or_else(|_| Err(no_answer()))?) }
}

pub(crate) fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

pub(crate) fn for_sqlite(sql: Sql, values: Vec<Value>) -> Query<'static, Sqlite, SqliteArguments> {
    values.into_iter().fold(sqlx::query(sql.sqlite), |query, value| match value {
        Value::Integer(integer) => query.bind(integer),
        Value::Text(text) => query.bind(text),
        Value::Truth(truth) => query.bind(truth),
        Value::Json(json) => query.bind(json),
    })
}

pub(crate) fn for_postgres(sql: Sql, values: Vec<Value>) -> Query<'static, Postgres, PgArguments> {
    values.into_iter().fold(sqlx::query(sql.postgres), |query, value| match value {
        Value::Integer(integer) => query.bind(integer),
        Value::Text(text) => query.bind(text),
        Value::Truth(truth) => query.bind(truth),
        Value::Json(json) => query.bind(JsonText(json)),
    })
}
