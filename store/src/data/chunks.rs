//! Work on files, away from the threads that wait for sockets, in steps that are short: so that it ends with the
//! future that wants it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use super::archive::{CHECKSUMS, CHUNK, MANIFEST, Member, Reader, Writer};
use super::manifest::Manifest;
use super::progress::{Meter, Unit, Watch, Work};
use super::{DataError, Part};

/// Does one step of work on something, and gives it back.
pub(super) async fn step<S, T>(
    mut on: S,
    work: impl FnOnce(&mut S) -> Result<T, DataError> + Send + 'static,
) -> Result<(S, T), DataError>
where
    S: Send + 'static,
    T: Send + 'static,
{
    let stepping = tokio::task::spawn_blocking(move || work(&mut on).map(|outcome| (on, outcome)));
    stepping.await.expect("the step does not panic, and nobody cancels it")
}

/// Writes a file as a member.
pub(super) async fn append_file(
    writer: Writer,
    name: &'static str,
    path: &Path,
    meter: &mut Meter<'_, '_>,
) -> Result<Writer, DataError> {
    let path = path.to_owned();
    let opened = step(writer, move |writer| {
        let mut file = File::open(&path).map_err(DataError::file("read", &path))?;
        let size = file.seek(std::io::SeekFrom::End(0)).map_err(DataError::file("read", &path))?;
        file.rewind().map_err(DataError::file("read", &path))?;
        writer.begin(name, size)?;
        Ok((file, path))
    });
    let (mut writer, (file, path)) = opened.await?;
    let mut source = (file, path, vec![0; CHUNK]);
    loop {
        let ((back, again), read) = step((writer, source), |(writer, (file, path, buffer))| {
            let read = file.read(buffer).map_err(DataError::file("read", path))?;
            if read == 0 {
                writer.end()?;
            } else {
                writer.write(&buffer[..read])?;
            }
            Ok(read)
        })
        .await?;
        (writer, source) = (back, again);
        if read == 0 {
            return Ok(writer);
        }
        meter.add(u64::try_from(read).expect("a chunk is short"));
    }
}

/// Reads the first member.
pub(super) async fn open(path: &Path) -> Result<(Reader, Manifest), DataError> {
    let path = path.to_owned();
    let opening = step(path, |path| {
        let mut reader = Reader::open(path)?;
        let foreign = |error| match error {
            DataError::Truncated | DataError::Damaged(_) => DataError::NotABackup(path.clone()),
            other => other,
        };
        let first = reader.next().map_err(foreign)?.filter(|member| member.name == MANIFEST);
        let member = first.ok_or_else(|| DataError::NotABackup(path.clone()))?;
        let manifest = reader.read_whole(&member)?;
        let manifest = Manifest::read(&manifest, path)?;
        Ok((reader, manifest))
    });
    Ok(opening.await?.1)
}

/// Reads a backup through, and says whether it is what was written. Gives how much of it is of each database, in
/// bytes.
pub(super) async fn verify(path: &Path, watch: &mut Watch<'_>) -> Result<HashMap<Part, u64>, DataError> {
    let (mut reader, _) = open(path).await?;
    let mut lengths = HashMap::new();
    let mut meter = Meter::start(watch, Work::Verify, Some(reader.length()?), Unit::Bytes);
    loop {
        let (back, member) = next(reader).await?;
        // Two empty blocks where the checksums should stand.
        let member = member.ok_or(DataError::Truncated)?;
        reader = back;
        if member.name == CHECKSUMS {
            step(reader, move |reader| {
                let checksums = reader.read_whole(&member)?;
                reader.check(&checksums)?;
                reader.next()?.map_or(Ok(()), |more| Err(DataError::Damaged(more.name)))
            })
            .await?;
            return Ok(lengths);
        }
        let of = [Part::Auth, Part::Conference].into_iter().find(|part| member.name.starts_with(part.as_str()));
        if let Some(part) = of {
            *lengths.entry(part).or_default() += member.size;
        }
        loop {
            let (back, bytes) = read(reader).await?;
            reader = back;
            if bytes.is_empty() {
                break;
            }
            meter.add(u64::try_from(bytes.len()).expect("a chunk is short"));
        }
    }
}

/// Goes on to the next member.
pub(super) async fn next(reader: Reader) -> Result<(Reader, Option<Member>), DataError> {
    step(reader, Reader::next).await
}

/// Reads on in a member; nothing at its end.
pub(super) async fn read(reader: Reader) -> Result<(Reader, Vec<u8>), DataError> {
    step(reader, Reader::read).await
}
