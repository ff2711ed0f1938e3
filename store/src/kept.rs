//! Connections that are kept between statements.
//!
//! The pool asks every connection that comes back whether it lives, which costs as much as a small
//! statement. Who asks all the time keeps theirs, and gives it back after an error, when nothing more is
//! to be asked, and from time to time: the pool sees what is left of it and how old it is.

use std::pin::pin;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Pool, Postgres, Sqlite};
use tokio::time::timeout;

use crate::db::{Database, EngineTx, Sql, Tx, for_postgres, for_sqlite, in_time};
use crate::error::StoreError;
use crate::value::{Row, Value};

/// How long a connection is kept without a question: less than what the pool believes without looking.
const IDLE: Duration = Duration::from_secs(1);

/// How long a connection is kept at most. The pool ends what has lived too long.
const KEPT: Duration = Duration::from_secs(600);

/// Is a connection that somebody keeps. What is asked must be waited for to its end.
pub(crate) struct Kept {
    database: Database,
    connection: KeptConnection,
}

pub(crate) enum KeptConnection {
    Sqlite(Slot<Sqlite>),
    Postgres(Slot<Postgres>),
}

impl Kept {
    pub(crate) fn new(database: Database, connection: KeptConnection) -> Self {
        Self { database, connection }
    }

    /// Waits for what is to be asked next. When it does not come soon, the connection goes back meanwhile.
    pub(crate) async fn idle_until<T>(&mut self, next: impl Future<Output = T>) -> T {
        let mut next = pin!(next);
        if let Ok(next) = timeout(IDLE, next.as_mut()).await {
            return next;
        }
        self.give_back();
        next.await
    }

    /// Reads, outside any transaction.
    pub(crate) async fn read(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let rows = self.try_read(sql.into(), values).await;
        if rows.is_err() {
            self.give_back();
        }
        rows
    }

    async fn try_read(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        match &mut self.connection {
            KeptConnection::Sqlite(slot) => {
                let connection = slot.connection().await?;
                let rows = in_time(for_sqlite(sql, values).fetch_all(&mut **connection)).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            KeptConnection::Postgres(slot) => {
                let connection = slot.connection().await?;
                let rows = in_time(for_postgres(sql, values).fetch_all(&mut **connection)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// Begins a transaction that writes. One that is not committed holds its locks until the connection
    /// is [given back](Self::give_back).
    pub(crate) async fn begin(&mut self) -> Result<Tx<'_>, StoreError> {
        match &mut self.connection {
            // There is one that writes, and everybody needs it.
            KeptConnection::Sqlite(_) => self.database.begin().await,
            KeptConnection::Postgres(slot) => {
                let transaction = in_time(slot.connection().await?.begin()).await?;
                Ok(self.database.tx(EngineTx::Postgres(transaction)))
            }
        }
    }

    /// Gives the connection back to the pool, which ends what was under way on it.
    pub(crate) fn give_back(&mut self) {
        match &mut self.connection {
            KeptConnection::Sqlite(slot) => slot.kept = None,
            KeptConnection::Postgres(slot) => slot.kept = None,
        }
    }
}

/// Is the place of a connection of one engine, and since when it is there.
pub(crate) struct Slot<DB: sqlx::Database> {
    pool: Pool<DB>,
    kept: Option<(PoolConnection<DB>, Instant)>,
}

impl<DB: sqlx::Database> Slot<DB> {
    pub(crate) fn new(pool: &Pool<DB>) -> Self {
        Self { pool: pool.clone(), kept: None }
    }

    async fn connection(&mut self) -> Result<&mut PoolConnection<DB>, StoreError> {
        let kept = self.kept.take().filter(|(_, since)| since.elapsed() < KEPT);
        let kept = match kept {
            Some(kept) => kept,
            None => (in_time(self.pool.acquire()).await?, Instant::now()),
        };
        Ok(&mut self.kept.insert(kept).0)
    }
}
