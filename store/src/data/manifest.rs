//! What a backup says of itself.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{DataError, Engine, Part};

/// What every backup calls itself.
const FORMAT: &str = "cloudmeet-backup";

/// How this release writes backups. Another number, and older releases refuse them.
const VERSION: u32 = 1;

/// Is what a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: String,
    version: u32,
    /// The release that made it.
    pub release: String,
    /// When it was begun, in milliseconds since the Unix epoch, by the clock of the machine that made it.
    pub taken_at_ms: i64,
    /// What it holds of accounts.
    pub auth: PartManifest,
    /// What it holds of rooms.
    pub conference: PartManifest,
}

/// Is what a backup says of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartManifest {
    /// What kind it was; only one of the same kind takes it.
    pub engine: Engine,
    /// The last migration that it had.
    pub schema: i64,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl Manifest {
    pub(super) fn new(taken_at_ms: i64, auth: PartManifest, conference: PartManifest) -> Self {
        let release = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT.to_owned(), version: VERSION, release, taken_at_ms, auth, conference }
    }

    /// Is what it says of one database.
    #[must_use]
    pub const fn part(&self, part: Part) -> PartManifest {
        match part {
            Part::Auth => self.auth,
            Part::Conference => self.conference,
        }
    }

    /// Reads what stands at the beginning of a backup.
    pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Self, DataError> {
        let foreign = |_| DataError::NotABackup(path.to_owned());
        let head: Head = serde_json::from_slice(bytes).map_err(foreign)?;
        if head.format != FORMAT {
            return Err(DataError::NotABackup(path.to_owned()));
        }
        if head.version != VERSION {
            return Err(DataError::NewerFormat(head.version));
        }
        serde_json::from_slice(bytes).map_err(|_| DataError::Damaged(super::archive::MANIFEST.to_owned()))
    }
}
