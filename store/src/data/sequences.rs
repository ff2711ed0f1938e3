//! The highest ids that were given: they are never given again, also when their rows are gone.

use std::collections::BTreeMap;

use super::connection::Lent;
use super::tables::Table;
use super::{Engine, Part};

/// Is the highest id that each table gave.
pub(super) type HighestIds = BTreeMap<String, i64>;

fn tables(part: Part, version: i64) -> impl Iterator<Item = &'static Table> {
    part.tables(version).filter(|table| table.gives_ids)
}

/// Reads them. On Postgres they are those of this moment, whatever snapshot is read: at least as high as its.
pub(super) async fn highest(part: Part, mut connection: Lent<'_>, version: i64) -> Result<HighestIds, sqlx::Error> {
    let mut highest = HighestIds::new();
    for Table { name, .. } in tables(part, version) {
        let text = match connection.engine() {
            Engine::Sqlite => format!("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = '{name}'"),
            Engine::Postgres => {
                format!("SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence('{name}', 'id')::regclass), 0)")
            }
        };
        highest.insert((*name).to_owned(), connection.number(text).await?);
    }
    Ok(highest)
}

/// Goes on above them.
pub(super) async fn raise(
    part: Part,
    mut connection: Lent<'_>,
    version: i64,
    highest: &HighestIds,
) -> Result<(), sqlx::Error> {
    for Table { name, .. } in tables(part, version) {
        let Some(id) = highest.get(*name) else { continue };
        match connection.engine() {
            Engine::Sqlite => {
                let text = format!(
                    "UPDATE sqlite_sequence SET seq = MAX(seq, {id}) WHERE name = '{name}'; \
                     INSERT INTO sqlite_sequence (name, seq) SELECT '{name}', {id} \
                     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '{name}')"
                );
                connection.execute(text).await?;
            }
            Engine::Postgres => {
                let sequence = format!("pg_get_serial_sequence('{name}', 'id')::regclass");
                let text = format!(
                    "SELECT setval({sequence}, GREATEST(h.id, 1), h.id > 0) FROM (SELECT GREATEST({id}, \
                     (SELECT MAX(id) FROM {name}), pg_sequence_last_value({sequence}), 0) AS id) AS h"
                );
                connection.number(text).await?;
            }
        }
    }
    Ok(())
}
