//! Values that go into statements and rows that come out, for both databases alike.
//!
//! The two engines agree on integers, texts and truth values, which is all that this store needs.

use cloudmeet_core::text::fold_case;
use serde_json::{Map, Value as Json};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgRow, PgTypeInfo};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Encode, Postgres, Row as _, Sqlite, Type};

use crate::error::StoreError;

/// Is a value for a `$n` of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Truth(bool),
    /// A JSON text: of an object `json_each` makes rows of `key` and `value` on both engines ([`object`]).
    Json(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Truth(value)
    }
}

/// Makes a JSON object of rows under the keys 0, 1, 2 …: `json_each` takes it on both engines.
pub(crate) fn object(rows: impl Iterator<Item = Json>) -> Value {
    let rows: Map<String, Json> = rows.enumerate().map(|(index, row)| (index.to_string(), row)).collect();
    Value::Json(Json::Object(rows).to_string())
}

/// Makes a JSON array of rows: `json_each` on SQLite, `json_to_recordset` on Postgres.
pub(crate) fn array(rows: impl Iterator<Item = Json>) -> Value {
    Value::Json(Json::Array(rows.collect()).to_string())
}

/// Makes a pattern that finds a text anywhere in a folded one, whatever signs of patterns it holds itself.
pub(crate) fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in fold_case(text).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Collects the values of a statement, in the order of `$1`, `$2` …
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}
pub(crate) use values;

/// Is a text that Postgres takes as `json`.
pub(crate) struct JsonText(pub(crate) String);

impl Type<Postgres> for JsonText {
    fn type_info() -> PgTypeInfo {
        // The fixed id of the built-in type `json`.
        PgTypeInfo::with_oid(Oid(114))
    }
}

impl Encode<'_, Postgres> for JsonText {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// Is a type that both engines give back.
pub(crate) trait Column:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Column for T where T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres> {}

/// Is a row of a result.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// Gives a column by its name, with the engine's own error.
    pub(crate) fn try_get<T: Column>(&self, column: &str) -> Result<T, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    /// Gives a column by its name.
    pub(crate) fn get<T: Column>(&self, column: &str) -> Result<T, StoreError> {
        self.try_get(column).map_err(StoreError::from)
    }
}
