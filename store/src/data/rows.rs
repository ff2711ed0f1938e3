//! Rows as values, and what is the same of them on both engines: their number and a digest.

use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use super::connection::Lent;
use super::progress::Meter;
use super::tables::{Kind, Table};
use super::{DataError, Part};
use crate::value::Row;

/// After how many rows is told how far it has come.
const TELL_EVERY: u64 = 4096;

/// Is a value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Null,
    Integer(i64),
    Text(String),
    Truth(bool),
}

/// Counts rows and digests them: the same rows in the same order give the same on both engines.
#[derive(Debug, Clone, Default)]
struct Tally {
    rows: u64,
    digest: Sha256,
    encoded: Vec<u8>,
}

impl Tally {
    fn add(&mut self, row: &[Field]) {
        self.encoded.clear();
        for field in row {
            match field {
                Field::Null => self.encoded.push(b'n'),
                Field::Integer(integer) => {
                    self.encoded.push(b'i');
                    self.encoded.extend(integer.to_be_bytes());
                }
                Field::Text(text) => {
                    self.encoded.push(b't');
                    // With its length before it, no text can look like the end of one.
                    self.encoded.extend((text.len() as u64).to_be_bytes());
                    self.encoded.extend(text.as_bytes());
                }
                Field::Truth(truth) => self.encoded.extend([b'b', u8::from(*truth)]),
            }
        }
        self.digest.update(&self.encoded);
        self.rows += 1;
    }

    /// Is the number of rows and their digest.
    fn finish(self) -> (u64, Vec<u8>) {
        (self.rows, self.digest.finalize().to_vec())
    }
}

/// Reads a row's values.
fn fields(row: &Row, kinds: &[Kind]) -> Result<Vec<Field>, sqlx::Error> {
    let field = |(index, kind): (usize, &Kind)| {
        Ok(match kind {
            Kind::Integer => get(row, index)?.map_or(Field::Null, Field::Integer),
            Kind::Text => get(row, index)?.map_or(Field::Null, Field::Text),
            Kind::Truth => get(row, index)?.map_or(Field::Null, Field::Truth),
        })
    };
    kinds.iter().enumerate().map(field).collect()
}

fn get<T: crate::value::Column>(row: &Row, index: usize) -> Result<Option<T>, sqlx::Error> {
    match row {
        // An expression has no declared type there; the value says what it is.
        Row::Sqlite(row) => row.try_get_unchecked(index),
        Row::Postgres(row) => row.try_get(index),
    }
}

/// Reads the rows of a table at rest, in the order of its key, and tallies them on the way.
pub(super) struct Reading<'c> {
    part: Part,
    table: &'static Table,
    kinds: Vec<Kind>,
    rows: BoxStream<'c, Result<Row, sqlx::Error>>,
    tally: Tally,
}

impl<'c> Reading<'c> {
    pub(super) fn begin(part: Part, connection: Lent<'c>, table: &'static Table, version: i64) -> Self {
        let kinds = table.columns(version).map(|column| column.kind).collect();
        let text = table.select_in_order(version, connection.engine());
        Self { part, table, kinds, rows: connection.stream(text), tally: Tally::default() }
    }

    /// Gives the next row.
    pub(super) async fn next(&mut self, meter: &mut Meter<'_, '_>) -> Result<Option<Vec<Field>>, DataError> {
        let (part, table) = (self.part, self.table.name);
        let Some(row) = self.rows.try_next().await.map_err(DataError::database(part))? else {
            meter.add(self.tally.rows % TELL_EVERY);
            return Ok(None);
        };
        let row = fields(&row, &self.kinds).map_err(|_| DataError::Impossible { part, table })?;
        self.tally.add(&row);
        if self.tally.rows.is_multiple_of(TELL_EVERY) {
            meter.add(TELL_EVERY);
        }
        Ok(Some(row))
    }

    /// Is how many rows there were, and their digest.
    pub(super) fn finish(self) -> (u64, Vec<u8>) {
        self.tally.finish()
    }
}

/// Reads all rows of a table, and tallies them.
pub(super) async fn tally(
    part: Part,
    connection: Lent<'_>,
    table: &'static Table,
    version: i64,
    meter: &mut Meter<'_, '_>,
) -> Result<(u64, Vec<u8>), DataError> {
    let mut reading = Reading::begin(part, connection, table, version);
    while reading.next(meter).await?.is_some() {}
    Ok(reading.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[&[Field]]) -> Vec<u8> {
        let mut tally = Tally::default();
        for row in rows {
            tally.add(row);
        }
        tally.finish().1
    }

    #[test]
    fn different_rows_have_different_digests() {
        let text = |text: &str| Field::Text(text.to_owned());
        let all = [
            digest(&[&[text("ab"), text("c")]]),
            digest(&[&[text("a"), text("bc")]]),
            digest(&[&[text("ab")], &[text("c")], &[Field::Null]]),
            digest(&[&[Field::Null, text("abc")]]),
            digest(&[&[text(""), text("abc")]]),
            digest(&[&[Field::Truth(false)]]),
            digest(&[&[Field::Integer(0)]]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[index + 1..].iter().all(|other| other != one), "{index}");
        }
    }
}
