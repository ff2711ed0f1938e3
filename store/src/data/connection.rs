//! A connection of its own: for what takes as long as it takes, where a pool's deadlines would be in the way.

use std::str::FromStr as _;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt as _};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::time::timeout;

use super::Engine;
use crate::db::{ANSWER_TIMEOUT, Location, OpenError, no_answer};
use crate::migrate::MigrationSet;
use crate::value::Row;

/// How long SQLite waits for whoever writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long Postgres waits for a lock, and that nothing else has a deadline.
const POSTGRES_SETTINGS: [(&str, &str); 3] =
    [("statement_timeout", "0"), ("lock_timeout", "5000"), ("idle_in_transaction_session_timeout", "0")];

/// Is a connection.
pub(crate) enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Is a connection that somebody else has, perhaps in a transaction.
pub(crate) enum Lent<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Link {
    /// Connects. `None` where there is no file, or an empty one: none is made.
    pub(super) async fn open(location: &Location) -> Result<Option<Self>, OpenError> {
        match location {
            Location::Sqlite(path) => {
                let length = match tokio::fs::metadata(path).await {
                    Ok(metadata) => metadata.len(),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
                    Err(error) => return Err(OpenError::Connect(sqlx::Error::Io(error))),
                };
                if length == 0 {
                    return Ok(None);
                }
                let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT);
                Ok(Some(Self::Sqlite(options.connect().await.map_err(OpenError::Connect)?)))
            }
            Location::Postgres { url, .. } => {
                let connecting = timeout(ANSWER_TIMEOUT, postgres_options(url)?.connect()).await;
                let connection = connecting.unwrap_or_else(|_| Err(no_answer())).map_err(OpenError::Connect)?;
                Ok(Some(Self::Postgres(connection)))
            }
        }
    }

    pub(crate) fn lend(&mut self) -> Lent<'_> {
        match self {
            Self::Sqlite(connection) => Lent::Sqlite(connection),
            Self::Postgres(connection) => Lent::Postgres(connection),
        }
    }

    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
    }
}

/// Is how to connect to a Postgres for long work.
pub(super) fn postgres_options(url: &str) -> Result<PgConnectOptions, OpenError> {
    let options = PgConnectOptions::from_str(url).map_err(OpenError::Connect)?;
    Ok(options.application_name("cloudmeet").options(POSTGRES_SETTINGS))
}

impl Lent<'_> {
    pub(crate) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs statements that were put together from this program's own texts.
    pub(crate) async fn execute(&mut self, text: String) -> Result<(), sqlx::Error> {
        let statements = sqlx::raw_sql(AssertSqlSafe(text));
        match self {
            Self::Sqlite(connection) => statements.execute(&mut **connection).await.map(drop),
            Self::Postgres(connection) => statements.execute(&mut **connection).await.map(drop),
        }
    }

    /// Reads what such a statement gives, which is little.
    pub(crate) async fn rows(&mut self, text: String) -> Result<Vec<Row>, sqlx::Error> {
        let query = AssertSqlSafe(text);
        Ok(match self {
            Self::Sqlite(connection) => {
                sqlx::query(query).fetch_all(&mut **connection).await?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(connection) => {
                sqlx::query(query).fetch_all(&mut **connection).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Reads one whole number.
    pub(crate) async fn number(&mut self, text: String) -> Result<i64, sqlx::Error> {
        let query = AssertSqlSafe(text);
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(query).fetch_one(&mut **connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(query).fetch_one(&mut **connection).await,
        }
    }
}

impl<'c> Lent<'c> {
    /// Reads what such a statement gives, row after row, however many there are.
    pub(crate) fn stream(self, text: String) -> BoxStream<'c, Result<Row, sqlx::Error>> {
        let query = AssertSqlSafe(text);
        match self {
            Self::Sqlite(connection) => sqlx::query(query).fetch(connection).map(|row| row.map(Row::Sqlite)).boxed(),
            Self::Postgres(connection) => {
                sqlx::query(query).fetch(connection).map(|row| row.map(Row::Postgres)).boxed()
            }
        }
    }
}

/// Reads which migrations a database has. None where it has no table of them.
pub(crate) async fn applied(mut connection: Lent<'_>, migrations: MigrationSet) -> Result<Vec<i64>, sqlx::Error> {
    let table = migrations.table();
    let known = match connection.engine() {
        Engine::Sqlite => format!("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = '{table}'"),
        Engine::Postgres => format!("SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('{table}')"),
    };
    if connection.number(known).await? == 0 {
        return Ok(Vec::new());
    }
    let rows = connection.rows(format!("SELECT version FROM {table} WHERE success = TRUE ORDER BY version")).await?;
    rows.iter().map(|row| row.try_get("version")).collect()
}
