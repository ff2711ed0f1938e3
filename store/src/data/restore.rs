//! Making an installation of a backup.
//!
//! The whole file is compared with its checksums before anything else is done. Then both databases are made ready,
//! SQLite's beside their names, Postgres's in transactions, and only then do they come into being, one right after
//! the other: accounts first. Should the machine stop between the two, there are accounts without rooms, which
//! harms nobody, while rooms without accounts would fall to whoever registered first; a second try says which
//! database is not empty, and that what is there must be removed.

use std::path::Path;

use super::archive::{CHECKSUMS, MANIFEST, Member, Reader};
use super::backup::{rows_member, sequences_member, sqlite_member};
use super::chunks::{self, step};
use super::manifest::Manifest;
use super::postgres_target::{PostgresTarget, copy_in};
use super::progress::{Meter, Unit, Watch, Work};
use super::sequences::HighestIds;
use super::sqlite_file::OwnFile;
use super::sqlite_target::SqliteTarget;
use super::tables::Table;
use super::vacancy::require_vacant;
use super::{DataError, Databases, Engine, Part};
use crate::db::Location;

/// Reads what a backup says of itself; whether the rest of it is right is not looked at.
///
/// # Errors
/// [`DataError::NotABackup`], [`DataError::NewerFormat`], or that the file cannot be read.
pub async fn inspect(input: &Path) -> Result<Manifest, DataError> {
    Ok(chunks::open(input).await?.1)
}

/// Makes an installation of a backup, in two databases that are empty or not there yet; a SQLite file's directory
/// must be. A backup of an earlier release is migrated. Nobody is present or signed in, and servers make new keys.
///
/// # Errors
/// [`DataError`]; nothing is restored then, as when the future is dropped, but for what [`DataError::NotEmpty`] says
/// at the next try: that the accounts are there already.
pub async fn restore(input: &Path, databases: &Databases, watch: &mut Watch<'_>) -> Result<Manifest, DataError> {
    let manifest = inspect(input).await?;
    for part in [Part::Auth, Part::Conference] {
        require_fitting(part, &manifest, databases.location(part))?;
        require_vacant(part, databases.location(part)).await?;
    }
    let lengths = chunks::verify(input, watch).await?;
    let (mut reader, again) = chunks::open(input).await?;
    if again != manifest {
        return Err(DataError::Damaged(MANIFEST.to_owned()));
    }
    let mut ready = Vec::new();
    // In the order of the file.
    for part in [Part::Conference, Part::Auth] {
        let meter = Meter::start(watch, Work::Restore(part), lengths.get(&part).copied(), Unit::Bytes);
        let schema = manifest.part(part).schema;
        let (back, target) = fill(part, reader, schema, databases.location(part), meter).await?;
        reader = back;
        ready.push(target);
    }
    for target in &ready {
        target.clear_the_way().await?;
    }
    // Accounts first.
    while let Some(target) = ready.pop() {
        target.place().await?;
    }
    Ok(manifest)
}

fn require_fitting(part: Part, manifest: &Manifest, location: &Location) -> Result<(), DataError> {
    let (told, target) = (manifest.part(part), Engine::of(location));
    if told.engine != target {
        return Err(DataError::OtherEngine { part, backup: told.engine, target });
    }
    if !part.migrations().versions().any(|(known, _)| known == told.schema) {
        return Err(DataError::NewerSchema { part, version: told.schema });
    }
    Ok(())
}

/// Is a database that only has to come into being.
pub(super) enum Ready {
    Sqlite(SqliteTarget),
    Postgres(PostgresTarget),
}

impl Ready {
    pub(super) async fn clear_the_way(&self) -> Result<(), DataError> {
        match self {
            Self::Sqlite(target) => target.clear_the_way().await,
            // Its tables are locked.
            Self::Postgres(_) => Ok(()),
        }
    }

    pub(super) async fn place(self) -> Result<(), DataError> {
        match self {
            Self::Sqlite(target) => target.place(),
            Self::Postgres(target) => target.commit().await,
        }
    }
}

async fn fill(
    part: Part,
    reader: Reader,
    schema: i64,
    location: &Location,
    meter: Meter<'_, '_>,
) -> Result<(Reader, Ready), DataError> {
    match location {
        Location::Sqlite(path) => {
            let (reader, target) = fill_sqlite(part, reader, schema, path, meter).await?;
            Ok((reader, Ready::Sqlite(target)))
        }
        Location::Postgres { url, .. } => {
            let (reader, target) = fill_postgres(part, reader, schema, url, meter).await?;
            Ok((reader, Ready::Postgres(target)))
        }
    }
}

async fn fill_sqlite(
    part: Part,
    reader: Reader,
    schema: i64,
    path: &Path,
    mut meter: Meter<'_, '_>,
) -> Result<(Reader, SqliteTarget), DataError> {
    use std::io::Write as _;
    let (mut reader, member) = next(reader).await?;
    if member.name != sqlite_member(part) {
        return Err(DataError::Damaged(member.name));
    }
    let (target, file) = SqliteTarget::begin(part, path).await?;
    let mut writing = (file, target.work_path().to_owned());
    loop {
        let ((back, again), written) = step((reader, writing), |(reader, (file, path))| {
            let bytes = reader.read()?;
            file.write_all(&bytes).map_err(DataError::file("write", path))?;
            Ok(u64::try_from(bytes.len()).expect("a chunk is short"))
        })
        .await?;
        (reader, writing) = (back, again);
        if written == 0 {
            break;
        }
        meter.add(written);
    }
    drop(writing);
    let mut own = OwnFile::open(part, target.work_path()).await?;
    // Its bytes are those that were written; that they were a sound database is another matter.
    if !own.is_sound().await? || own.strip().await? != schema {
        return Err(DataError::Damaged(member.name));
    }
    own.migrate().await?;
    own.close().await?;
    Ok((reader, target))
}

async fn fill_postgres(
    part: Part,
    mut reader: Reader,
    schema: i64,
    url: &str,
    mut meter: Meter<'_, '_>,
) -> Result<(Reader, PostgresTarget), DataError> {
    let mut target = PostgresTarget::begin(part, url, schema).await?;
    let (back, first) = next(reader).await?;
    reader = back;
    let mut member = first;
    for table in part.kept_tables(schema) {
        (reader, member) = fill_table(part, table, schema, &mut target, (reader, member), &mut meter).await?;
    }
    target.index().await?;
    if member.name != sequences_member(part) {
        return Err(DataError::Damaged(member.name));
    }
    let (reader, highest) = step(reader, move |reader| {
        let text = reader.read_whole(&member)?;
        serde_json::from_slice::<HighestIds>(&text).map_err(|_| DataError::Damaged(member.name))
    })
    .await?;
    target.complete(&highest).await?;
    Ok((reader, target))
}

/// Fills a table from the members that hold its rows. Gives the first one after them.
async fn fill_table(
    part: Part,
    table: &'static Table,
    schema: i64,
    target: &mut PostgresTarget,
    (mut reader, mut member): (Reader, Member),
    meter: &mut Meter<'_, '_>,
) -> Result<(Reader, Member), DataError> {
    let (prefix, failed) = (rows_member(part, table), DataError::database(part));
    if !member.name.starts_with(&prefix) {
        return Ok((reader, member));
    }
    let mut rows = target.connection().copy_in_raw(&copy_in(table, schema)).await.map_err(&failed)?;
    while member.name.starts_with(&prefix) {
        loop {
            let (back, bytes) = chunks::read(reader).await?;
            reader = back;
            if bytes.is_empty() {
                break;
            }
            rows.send(&bytes[..]).await.map_err(&failed)?;
            meter.add(u64::try_from(bytes.len()).expect("a chunk is short"));
        }
        (reader, member) = next(reader).await?;
    }
    rows.finish().await.map_err(failed)?;
    Ok((reader, member))
}

/// Goes on to the next member that a database has: there is one, or the backup is of another make.
async fn next(reader: Reader) -> Result<(Reader, Member), DataError> {
    let (reader, member) = chunks::next(reader).await?;
    let member = member.ok_or_else(|| DataError::Damaged(CHECKSUMS.to_owned()))?;
    Ok((reader, member))
}
