//! Whether a place is empty: only there is anything restored or copied.

use super::connection::{Lent, Link, applied};
use super::{DataError, Engine, Part};
use crate::db::Location;
use crate::migrate::MigrationSet;

/// Finds what makes a place no empty one. What is not there is empty, and so are tables without rows.
pub(super) async fn occupied_at(part: Part, location: &Location) -> Result<Option<&'static str>, DataError> {
    let failed = DataError::database(part);
    let opened = Link::open(location).await.map_err(DataError::open(part))?;
    let Some(mut link) = opened else { return Ok(None) };
    let migrations = part.migrations();
    let applied = applied(link.lend(), migrations).await.map_err(&failed)?;
    let found = match migrations.judge(&applied).map_err(DataError::open(part))? {
        Some(version) => occupied(part, link.lend(), version).await?,
        // A Postgres may hold other tables beside ours; a file is ours alone.
        None if is_foreign(link.lend(), migrations).await.map_err(&failed)? => return Err(DataError::Foreign(part)),
        None => None,
    };
    link.close().await.map_err(failed)?;
    Ok(found)
}

/// Says whether a database without any of our migrations is another program's. A Postgres may hold other tables
/// beside ours; a file is ours alone.
pub(crate) async fn is_foreign(mut connection: Lent<'_>, migrations: MigrationSet) -> Result<bool, sqlx::Error> {
    if connection.engine() == Engine::Postgres {
        return Ok(false);
    }
    let others = format!(
        "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '{}'",
        migrations.table()
    );
    Ok(connection.number(others).await? > 0)
}

/// Refuses a place that is not empty.
pub(super) async fn require_vacant(part: Part, location: &Location) -> Result<(), DataError> {
    occupied_at(part, location).await?.map_or(Ok(()), |table| Err(DataError::NotEmpty { part, table }))
}

/// Finds a table with rows that only an installation in use has.
pub(super) async fn occupied(
    part: Part,
    mut connection: Lent<'_>,
    version: i64,
) -> Result<Option<&'static str>, DataError> {
    for table in part.kept_tables(version) {
        let but = table.born_with.map(|rows| format!(" WHERE NOT ({rows})")).unwrap_or_default();
        let count = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {}{but} LIMIT 1) AS found", table.name);
        if connection.number(count).await.map_err(DataError::database(part))? > 0 {
            return Ok(Some(table.name));
        }
    }
    Ok(None)
}
