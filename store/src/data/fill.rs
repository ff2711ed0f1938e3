//! Rows that are read from one database and written to another, however many there are.

use sqlx::AssertSqlSafe;

use super::postgres_target::{PostgresTarget, copy_in};
use super::progress::Meter;
use super::rows::{Field, Reading};
use super::source::Source;
use super::sqlite_file::OwnFile;
use super::tables::Table;
use super::{DataError, Part};

/// How much text is held between reading and writing, in bytes.
const BATCH_BYTES: usize = 1 << 20;

/// How many rows one statement of SQLite takes, and how many values it may have.
const BATCH_ROWS: usize = 256;
const SQLITE_VALUES: usize = 32_000;

/// Is how many rows each table has, and their digests, in the order of tables.
pub(super) type Tallies = Vec<(u64, Vec<u8>)>;

/// Fills a SQLite file that has empty tables, in one transaction.
pub(super) async fn fill_sqlite(
    source: &mut Source,
    target: &mut OwnFile,
    meter: &mut Meter<'_, '_>,
) -> Result<Tallies, DataError> {
    let (part, version) = (source.part, source.version);
    let failed = DataError::database(part);
    target.lend().execute("BEGIN".to_owned()).await.map_err(&failed)?;
    let mut tallies = Tallies::new();
    for table in part.kept_tables(version) {
        let width = table.columns(version).count();
        let capacity = BATCH_ROWS.min(SQLITE_VALUES / width);
        let mut reading = Reading::begin(part, source.link.lend(), table, version);
        let (mut batch, mut bytes) = (Vec::with_capacity(capacity), 0);
        while let Some(row) = reading.next(meter).await? {
            bytes += row.iter().map(text_length).sum::<usize>();
            batch.push(row);
            if batch.len() == capacity || bytes >= BATCH_BYTES {
                insert(target, table, version, &mut batch).await.map_err(&failed)?;
                bytes = 0;
            }
        }
        insert(target, table, version, &mut batch).await.map_err(&failed)?;
        tallies.push(reading.finish());
    }
    target.lend().execute("COMMIT".to_owned()).await.map_err(&failed)?;
    Ok(tallies)
}

/// Inserts rows with one statement, and forgets them.
async fn insert(
    target: &mut OwnFile,
    table: &Table,
    version: i64,
    batch: &mut Vec<Vec<Field>>,
) -> Result<(), sqlx::Error> {
    let Some(first) = batch.first() else { return Ok(()) };
    let row = format!("({})", vec!["?"; first.len()].join(", "));
    let rows = vec![row; batch.len()].join(", ");
    let text = format!("INSERT INTO {} ({}) VALUES {rows}", table.name, table.names(version));
    let mut query = sqlx::query(AssertSqlSafe(text));
    for field in batch.drain(..).flatten() {
        query = match field {
            Field::Null => query.bind(None::<i64>),
            Field::Integer(integer) => query.bind(integer),
            Field::Text(text) => query.bind(text),
            Field::Truth(truth) => query.bind(truth),
        };
    }
    query.execute(target.connection()).await.map(drop)
}

fn text_length(field: &Field) -> usize {
    if let Field::Text(text) = field { text.len() } else { 0 }
}

/// Fills the empty tables of a Postgres, in its transaction.
pub(super) async fn fill_postgres(
    source: &mut Source,
    target: &mut PostgresTarget,
    meter: &mut Meter<'_, '_>,
) -> Result<Tallies, DataError> {
    let (part, version) = (source.part, source.version);
    let failed = DataError::database(part);
    let mut tallies = Tallies::new();
    for table in part.kept_tables(version) {
        let mut reading = Reading::begin(part, source.link.lend(), table, version);
        let mut rows = target.connection().copy_in_raw(&copy_in(table, version)).await.map_err(&failed)?;
        let mut batch = Vec::with_capacity(BATCH_BYTES);
        while let Some(row) = reading.next(meter).await? {
            encode(part, table, &row, &mut batch)?;
            if batch.len() >= BATCH_BYTES {
                rows.send(&batch[..]).await.map_err(&failed)?;
                batch.clear();
            }
        }
        rows.send(&batch[..]).await.map_err(&failed)?;
        rows.finish().await.map_err(&failed)?;
        tallies.push(reading.finish());
    }
    Ok(tallies)
}

/// Writes a row as `COPY` takes it: <https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format".
fn encode(part: Part, table: &Table, row: &[Field], into: &mut Vec<u8>) -> Result<(), DataError> {
    for (index, field) in row.iter().enumerate() {
        if index > 0 {
            into.push(b'\t');
        }
        match field {
            Field::Null => into.extend(b"\\N"),
            Field::Integer(integer) => into.extend(integer.to_string().into_bytes()),
            Field::Truth(truth) => into.push(if *truth { b't' } else { b'f' }),
            Field::Text(text) => {
                for byte in text.bytes() {
                    match byte {
                        0 => return Err(DataError::Unstorable { part, table: table.name }),
                        b'\\' => into.extend(b"\\\\"),
                        b'\n' => into.extend(b"\\n"),
                        b'\r' => into.extend(b"\\r"),
                        b'\t' => into.extend(b"\\t"),
                        other => into.push(other),
                    }
                }
            }
        }
    }
    into.push(b'\n');
    Ok(())
}
