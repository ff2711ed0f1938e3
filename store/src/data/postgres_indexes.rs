//! Indexes and constraints that wait for the rows, as `pg_restore` has it: made of all rows at once they cost a
//! fraction of what they do row by row.

use super::Part;
use super::connection::Lent;

/// Is how what was taken off is put back, in this order.
#[derive(Debug, Default)]
pub(super) struct TakenOff(Vec<String>);

/// Takes them off a database's tables, inside the transaction that will put them back.
pub(super) async fn take_off(part: Part, mut connection: Lent<'_>, version: i64) -> Result<TakenOff, sqlx::Error> {
    let tables: Vec<String> = part.tables(version).map(|table| format!("to_regclass('{}')", table.name)).collect();
    let tables = tables.join(", ");
    // What refers to another table goes first and comes last; keys the other way about.
    let constraints = format!(
        "SELECT CASE contype WHEN 'f' THEN 1 WHEN 'u' THEN 3 ELSE 4 END AS place, \
         format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS off, \
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS again \
         FROM pg_constraint WHERE contype IN ('f', 'u', 'p') AND conrelid IN ({tables})"
    );
    let indexes = format!(
        "SELECT 2 AS place, format('DROP INDEX %s', indexrelid::regclass) AS off, pg_get_indexdef(indexrelid) AS again \
         FROM pg_index WHERE indrelid IN ({tables}) \
         AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('u', 'p'))"
    );
    let both = format!("SELECT off, again FROM ({constraints} UNION ALL {indexes}) AS x ORDER BY place, again");
    let mut again = Vec::new();
    for row in connection.rows(both).await? {
        connection.execute(row.try_get("off")?).await?;
        again.push(row.try_get("again")?);
    }
    again.reverse();
    Ok(TakenOff(again))
}

impl TakenOff {
    /// Puts them back; rows that break one are an error.
    pub(super) async fn put_back(self, mut connection: Lent<'_>) -> Result<(), sqlx::Error> {
        for text in self.0 {
            connection.execute(text).await?;
        }
        Ok(())
    }
}
