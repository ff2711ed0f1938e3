//! Taking a picture of an installation that goes on working.
//!
//! Rooms first and accounts second: whoever says something in the one stands in the other. What was acknowledged
//! before the backup began is committed, and each picture is one of what is committed when it is taken.

use std::path::Path;

use futures_util::TryStreamExt as _;
use serde::Serialize;
use tokio::fs;

use super::archive::{CHUNK, MANIFEST, Writer};
use super::chunks::{append_file, step};
use super::connection::{Lent, Link};
use super::manifest::{Manifest, PartManifest};
use super::partial::Partial;
use super::progress::{Meter, Unit, Watch, Work};
use super::source::Source;
use super::sqlite_file::{OwnFile, picture};
use super::tables::Table;
use super::{DataError, Databases, Engine, Part, sequences};
use crate::clock::Clock;
use crate::db::Location;

/// Says what was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// How long the file is, in bytes.
    pub bytes: u64,
}

/// Backs up both databases into one file, while servers go on working. Until it is whole the file is called
/// `OUTPUT.partial`; only its owner may read it. Leases, tickets, sessions, codes and signing keys are not in it.
///
/// # Errors
/// [`DataError`]; nothing is left behind then, as when the future is dropped.
pub async fn backup(databases: &Databases, output: &Path, watch: &mut Watch<'_>) -> Result<BackedUp, DataError> {
    if fs::try_exists(output).await.map_err(DataError::file("read", output))? {
        return Err(DataError::OutputExists(output.to_owned()));
    }
    let conference = describe(Part::Conference, databases).await?;
    let auth = describe(Part::Auth, databases).await?;
    let now = Clock::of_the_system();
    let manifest = Manifest::new(now, auth, conference);
    let (partial, file) = Partial::beside(output, ".partial")?;
    let mut writer = Writer::new(file, partial.path().to_owned(), u64::try_from(now / 1000).unwrap_or(0));
    writer = write(writer, MANIFEST.to_owned(), to_json(&manifest)).await?;
    for part in [Part::Conference, Part::Auth] {
        let location = databases.location(part);
        let told = manifest.part(part).schema;
        let (written, version) = match Engine::of(location) {
            Engine::Sqlite => append_sqlite(part, location, output, writer, watch).await?,
            Engine::Postgres => append_postgres(part, location, writer, watch).await?,
        };
        if version != told {
            return Err(DataError::Migrated(part));
        }
        writer = written;
    }
    let (_, bytes) = step(writer, Writer::finish).await?;
    // Here and now: handed to another thread, it would happen also when nobody wants it any more.
    partial.publish(output)?;
    Ok(BackedUp { manifest, bytes })
}

async fn describe(part: Part, databases: &Databases) -> Result<PartManifest, DataError> {
    let location = databases.location(part);
    let source = Source::open(part, location).await?;
    let described = PartManifest { engine: Engine::of(location), schema: source.version };
    source.link.close().await.map_err(DataError::database(part))?;
    Ok(described)
}

/// Is the member that holds a SQLite database.
pub(super) const fn sqlite_member(part: Part) -> &'static str {
    match part {
        Part::Auth => "auth.sqlite",
        Part::Conference => "conference.sqlite",
    }
}

/// Is the member that says which ids a Postgres database gave.
pub(super) fn sequences_member(part: Part) -> String {
    format!("{}/sequences.json", part.as_str())
}

/// Is what the members begin with that hold a table's rows.
pub(super) fn rows_member(part: Part, table: &Table) -> String {
    format!("{}/{}/", part.as_str(), table.name)
}

/// Appends a SQLite database: a picture of its file, without what stays behind. Gives its version.
async fn append_sqlite(
    part: Part,
    location: &Location,
    output: &Path,
    writer: Writer,
    watch: &mut Watch<'_>,
) -> Result<(Writer, i64), DataError> {
    let (partial, _file) = Partial::beside(output, &format!(".{}.partial", part.as_str()))?;
    picture(part, location, partial.path(), watch).await?;
    let mut own = OwnFile::open(part, partial.path()).await?;
    let version = own.strip().await?;
    own.close().await?;
    let size = fs::metadata(partial.path()).await.map_err(DataError::file("read", partial.path()))?.len();
    let mut meter = Meter::start(watch, Work::Write(part), Some(size), Unit::Bytes);
    let writer = append_file(writer, sqlite_member(part), partial.path(), &mut meter).await?;
    Ok((writer, version))
}

/// Appends a Postgres database: the rows of its tables, in pieces, and which ids it gave. Gives its version.
async fn append_postgres(
    part: Part,
    location: &Location,
    mut writer: Writer,
    watch: &mut Watch<'_>,
) -> Result<(Writer, i64), DataError> {
    let mut source = Source::open(part, location).await?;
    source.snapshot().await?;
    let version = source.version;
    let rows = estimate(part, source.link.lend(), version).await.map_err(DataError::database(part))?;
    let mut meter = Meter::start(watch, Work::Write(part), rows, Unit::Rows);
    for table in part.kept_tables(version) {
        writer = append_rows(&mut source, table, writer, &mut meter).await?;
    }
    let highest = sequences::highest(part, source.link.lend(), version).await.map_err(DataError::database(part))?;
    writer = write(writer, sequences_member(part), to_json(&highest)).await?;
    source.link.close().await.map_err(DataError::database(part))?;
    Ok((writer, version))
}

async fn append_rows(
    source: &mut Source,
    table: &'static Table,
    mut writer: Writer,
    meter: &mut Meter<'_, '_>,
) -> Result<Writer, DataError> {
    let part = source.part;
    let failed = DataError::database(part);
    let Link::Postgres(connection) = &mut source.link else { return Ok(writer) };
    let text = format!("COPY ({}) TO STDOUT", table.select(source.version));
    let mut rows = connection.copy_out_raw(&text).await.map_err(&failed)?;
    let (mut piece, mut count, mut number) = (Vec::with_capacity(CHUNK), 0, 0u64);
    loop {
        // A row each.
        let row = rows.try_next().await.map_err(&failed)?;
        let is_last = row.is_none();
        if let Some(row) = row {
            piece.extend_from_slice(&row);
            count += 1;
        }
        if piece.len() >= CHUNK || (is_last && !piece.is_empty()) {
            let name = format!("{}{number:08}.copy", rows_member(part, table));
            (writer, piece) = write_piece(writer, name, piece).await?;
            meter.add(std::mem::take(&mut count));
            number += 1;
        }
        if is_last {
            return Ok(writer);
        }
    }
}

/// Writes a piece, and gives its memory back for the next.
async fn write_piece(writer: Writer, name: String, piece: Vec<u8>) -> Result<(Writer, Vec<u8>), DataError> {
    let ((writer, mut piece), ()) = step((writer, piece), move |(writer, piece)| writer.member(&name, piece)).await?;
    piece.clear();
    Ok((writer, piece))
}

async fn write(writer: Writer, name: String, bytes: Vec<u8>) -> Result<Writer, DataError> {
    Ok(write_piece(writer, name, bytes).await?.0)
}

/// Is about how many rows there are, by what Postgres last counted. `None` where it never did.
async fn estimate(part: Part, mut connection: Lent<'_>, version: i64) -> Result<Option<u64>, sqlx::Error> {
    let names: Vec<_> = part.kept_tables(version).map(|table| format!("to_regclass('{}')", table.name)).collect();
    let text = format!(
        "SELECT COALESCE(CAST(SUM(reltuples) AS BIGINT), 0) FROM pg_class WHERE reltuples > 0 AND oid IN ({})",
        names.join(", ")
    );
    Ok(u64::try_from(connection.number(text).await?).ok().filter(|rows| *rows > 0))
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers are JSON")
}
