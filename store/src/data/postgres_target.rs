//! A Postgres database that is filled: in one transaction, its tables included.

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

use super::connection::{Lent, applied, postgres_options};
use super::postgres_indexes::{TakenOff, take_off};
use super::sequences::{self, HighestIds};
use super::tables::Table;
use super::vacancy::occupied;
use super::{DataError, Part};
use crate::migrate;

/// Is a database in the transaction that fills it. Dropped, nothing of it was.
pub(super) struct PostgresTarget {
    part: Part,
    pool: PgPool,
    transaction: Transaction<'static, Postgres>,
    taken_off: TakenOff,
}

impl PostgresTarget {
    /// Begins to fill a database, if it is empty, as one of a version is. Tables of a newer version, empty as they
    /// are, are made anew: what a later migration does to rows, it is to do to those that come.
    pub(super) async fn begin(part: Part, url: &str, version: i64) -> Result<Self, DataError> {
        let options = postgres_options(url).map_err(DataError::open(part))?;
        // One, so that the transaction need not borrow it.
        let connecting = PgPoolOptions::new().max_connections(1).connect_with(options);
        let pool = connecting.await.map_err(|error| DataError::Open(part, crate::db::OpenError::Connect(error)))?;
        let transaction = pool.begin().await.map_err(DataError::database(part))?;
        let mut target = Self { part, pool, transaction, taken_off: TakenOff::default() };
        target.make_empty_tables(version).await.map_err(|error| match error {
            DataError::Database(part, error) if is_locked(&error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a table stays locked");
                DataError::InUse(part)
            }
            other => other,
        })?;
        Ok(target)
    }

    async fn make_empty_tables(&mut self, version: i64) -> Result<(), DataError> {
        let (part, migrations) = (self.part, self.part.migrations());
        let failed = DataError::database(part);
        let applied = applied(self.lend(), migrations).await.map_err(&failed)?;
        if let Some(present) = migrations.judge(&applied).map_err(DataError::open(part))? {
            let names: Vec<&str> = part.tables(present).map(|table| table.name).collect();
            let names = names.join(", ");
            // Nobody fills them while they are.
            self.lend().execute(format!("LOCK TABLE {names} IN EXCLUSIVE MODE")).await.map_err(&failed)?;
            if let Some(table) = occupied(part, self.lend(), present).await? {
                return Err(DataError::NotEmpty { part, table });
            }
            if present > version {
                let drop = format!("DROP TABLE {names}, {}", migrations.table());
                self.lend().execute(drop).await.map_err(&failed)?;
            }
        }
        let migrator = migrations.for_postgres();
        migrate::run_to(&mut *self.transaction, migrator, version).await.map_err(DataError::open(part))?;
        for table in part.kept_tables(version).filter(|table| table.born_with.is_some()) {
            self.lend().execute(format!("DELETE FROM {}", table.name)).await.map_err(&failed)?;
        }
        self.taken_off = take_off(part, self.lend(), version).await.map_err(failed)?;
        Ok(())
    }

    pub(super) fn lend(&mut self) -> Lent<'_> {
        Lent::Postgres(&mut self.transaction)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Makes of the rows, which are all there now, what keeps them in order.
    pub(super) async fn index(&mut self) -> Result<(), DataError> {
        let taken_off = std::mem::take(&mut self.taken_off);
        taken_off.put_back(self.lend()).await.map_err(DataError::database(self.part))
    }

    /// Makes the tables those of this release, and the ids go on above those that were given.
    pub(super) async fn complete(&mut self, highest: &HighestIds) -> Result<(), DataError> {
        let (part, migrations) = (self.part, self.part.migrations());
        let migrator = migrations.for_postgres();
        migrate::run(&mut *self.transaction, migrator).await.map_err(DataError::open(part))?;
        sequences::raise(part, self.lend(), migrations.latest(), highest).await.map_err(DataError::database(part))
    }

    /// Makes it last.
    pub(super) async fn commit(self) -> Result<(), DataError> {
        self.transaction.commit().await.map_err(DataError::database(self.part))?;
        self.pool.close().await;
        Ok(())
    }
}

/// Is how a table takes rows of a version.
pub(super) fn copy_in(table: &Table, version: i64) -> String {
    format!("COPY {} ({}) FROM STDIN", table.name, table.names(version))
}

/// Lock not available within its time.
fn is_locked(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("55P03")
}
