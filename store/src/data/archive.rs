//! The file of a backup: a tar archive whose first member says what it is, and whose last what it should be.
//!
//! Any tar reads it. Its members are written and read piece by piece, so that a future that is dropped ends the work.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use super::DataError;

/// The first member.
pub(super) const MANIFEST: &str = "manifest.json";

/// The last member: without it the end is missing.
pub(super) const CHECKSUMS: &str = "checksums.json";

/// How much is read or written at once, in bytes.
pub(super) const CHUNK: usize = 4 << 20;

/// How long a member may be that is read as a whole, in bytes: checksums of a backup of a hundred terabytes.
const WHOLE: u64 = 1 << 30;

/// What tar's members begin at multiples of.
const BLOCK: usize = 512;

/// Is what the last member says of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Checksum {
    name: String,
    size: u64,
    sha256: String,
}

/// Is a member as its header has it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) size: u64,
}

/// Writes a backup. Its methods block.
pub(super) struct Writer {
    file: File,
    path: PathBuf,
    taken_at_s: u64,
    checksums: Vec<Checksum>,
    digest: Sha256,
    written: u64,
}

impl Writer {
    pub(super) fn new(file: File, path: PathBuf, taken_at_s: u64) -> Self {
        Self { file, path, taken_at_s, checksums: Vec::new(), digest: Sha256::new(), written: 0 }
    }

    /// Writes a whole member.
    pub(super) fn member(&mut self, name: &str, bytes: &[u8]) -> Result<(), DataError> {
        self.begin(name, u64::try_from(bytes.len()).expect("memory is less than 2^64 bytes"))?;
        self.write(bytes)?;
        self.end()
    }

    /// Begins a member that will be so long.
    pub(super) fn begin(&mut self, name: &str, size: u64) -> Result<(), DataError> {
        let mut header = Header::new_gnu();
        header.set_path(name).map_err(DataError::file("write", &self.path))?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(self.taken_at_s);
        header.set_cksum();
        self.checksums.push(Checksum { name: name.to_owned(), size, sha256: String::new() });
        self.digest = Sha256::new();
        self.written = 0;
        self.raw(header.as_bytes())
    }

    /// Goes on with it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.digest.update(bytes);
        self.written += u64::try_from(bytes.len()).expect("memory is less than 2^64 bytes");
        self.raw(bytes)
    }

    /// Ends it.
    pub(super) fn end(&mut self) -> Result<(), DataError> {
        let checksum = self.checksums.last_mut().expect("a member was begun");
        if checksum.size != self.written {
            let changed = io::Error::other("what was read changed its length meanwhile");
            return Err(DataError::file("write", &self.path)(changed));
        }
        checksum.sha256 = hex(self.digest.finalize_reset().as_slice());
        self.raw(&[0; BLOCK][..padding(self.written)])
    }

    /// Writes the checksums, and puts everything on disk. Gives how long it is.
    pub(super) fn finish(&mut self) -> Result<u64, DataError> {
        let checksums = serde_json::to_vec(&self.checksums).expect("texts and numbers are JSON");
        self.member(CHECKSUMS, &checksums)?;
        self.raw(&[0; 2 * BLOCK])?;
        self.file.sync_all().map_err(DataError::file("write", &self.path))?;
        Ok(self.file.metadata().map_err(DataError::file("read", &self.path))?.len())
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.file.write_all(bytes).map_err(DataError::file("write", &self.path))
    }
}

/// Reads a backup. Its methods block.
pub(super) struct Reader {
    file: File,
    path: PathBuf,
    /// How much of the present member is unread.
    left: u64,
    padding: usize,
    found: Vec<Checksum>,
    digest: Sha256,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        // Opening a pipe waits for its other end: it is looked at first.
        let is_pipe = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        if is_pipe {
            return Err(DataError::NotABackup(path.to_owned()));
        }
        let file = File::open(path).map_err(DataError::file("read", path))?;
        if !file.metadata().map_err(DataError::file("read", path))?.is_file() {
            return Err(DataError::NotABackup(path.to_owned()));
        }
        let path = path.to_owned();
        Ok(Self { file, path, left: 0, padding: 0, found: Vec::new(), digest: Sha256::new() })
    }

    /// Is how long the file is.
    pub(super) fn length(&self) -> Result<u64, DataError> {
        Ok(self.file.metadata().map_err(DataError::file("read", &self.path))?.len())
    }

    /// Goes on to the next member, the present one having been read. `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Member>, DataError> {
        self.end_member()?;
        let mut block = [0; BLOCK];
        self.exactly(&mut block)?;
        if block == [0; BLOCK] {
            self.exactly(&mut block)?;
            return if block == [0; BLOCK] && self.read_some(&mut block)? == 0 {
                Ok(None)
            } else {
                Err(DataError::Damaged("its end".to_owned()))
            };
        }
        let header = Header::from_byte_slice(&block);
        let sum = |range: std::ops::Range<usize>| block[range].iter().map(|byte| u32::from(*byte)).sum::<u32>();
        // The sum of all bytes, its own eight being taken for blanks.
        let is_header = header.cksum().is_ok_and(|told| told == sum(0..148) + 8 * 32 + sum(156..BLOCK));
        let damaged = || DataError::Damaged("the header of a member".to_owned());
        if !is_header {
            return Err(damaged());
        }
        let name = String::from_utf8(header.path_bytes().into_owned()).map_err(|_| damaged())?;
        let size = header.entry_size().map_err(|_| damaged())?;
        self.found.push(Checksum { name: name.clone(), size, sha256: String::new() });
        (self.left, self.padding) = (size, padding(size));
        Ok(Some(Member { name, size }))
    }

    /// Reads on in the present member, at most [`CHUNK`]. Nothing once it is read.
    pub(super) fn read(&mut self) -> Result<Vec<u8>, DataError> {
        let length = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        let mut bytes = vec![0; length];
        self.exactly(&mut bytes)?;
        self.digest.update(&bytes);
        self.left -= u64::try_from(length).expect("a chunk is short");
        Ok(bytes)
    }

    /// Reads all of a short member.
    pub(super) fn read_whole(&mut self, member: &Member) -> Result<Vec<u8>, DataError> {
        if member.size > WHOLE.min(self.length()?) {
            return Err(DataError::Truncated);
        }
        let mut whole = Vec::new();
        while self.left > 0 {
            whole.extend(self.read()?);
        }
        Ok(whole)
    }

    /// Compares what was read so far with what the last member, which was just read, says.
    pub(super) fn check(&mut self, checksums: &[u8]) -> Result<(), DataError> {
        let damaged = |what: &str| DataError::Damaged(what.to_owned());
        let told: Vec<Checksum> = serde_json::from_slice(checksums).map_err(|_| damaged(CHECKSUMS))?;
        self.end_member()?;
        self.found.pop();
        for (told, found) in told.iter().zip(&self.found) {
            if told != found {
                return Err(damaged(&found.name));
            }
        }
        if told.len() == self.found.len() { Ok(()) } else { Err(damaged(CHECKSUMS)) }
    }

    fn end_member(&mut self) -> Result<(), DataError> {
        let Some(member) = self.found.last_mut().filter(|member| member.sha256.is_empty()) else { return Ok(()) };
        debug_assert_eq!(self.left, 0, "a member is read to its end");
        member.sha256 = hex(self.digest.finalize_reset().as_slice());
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..std::mem::take(&mut self.padding)];
        let name = member.name.clone();
        self.exactly(rest)?;
        if rest.iter().any(|byte| *byte != 0) { Err(DataError::Damaged(name)) } else { Ok(()) }
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> Result<(), DataError> {
        self.file.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => DataError::Truncated,
            _ => DataError::file("read", &self.path)(error),
        })
    }

    fn read_some(&mut self, bytes: &mut [u8]) -> Result<usize, DataError> {
        self.file.read(bytes).map_err(DataError::file("read", &self.path))
    }
}

/// Is how many bytes follow a member until the next may begin.
fn padding(size: u64) -> usize {
    let over = usize::try_from(size % 512).expect("it is less than 512");
    (BLOCK - over) % BLOCK
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
