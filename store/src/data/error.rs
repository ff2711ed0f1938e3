//! What can be wrong with a backup, a place for one, or a copy.

use std::io;
use std::path::{Path, PathBuf};

use super::{Engine, Part};
use crate::db::{OpenError, reason};

/// Says why the databases were not backed up, restored, copied or looked at. Nothing was changed, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A database cannot be opened, is of another release, or has no tables.
    #[error("{0}: {1}")]
    Open(Part, OpenError),
    /// A database refused something on the way.
    #[error("{0}: {reason}", reason = reason(.1))]
    Database(Part, sqlx::Error),
    /// A stored value that this program never writes.
    #[error("{part}: the table {table} holds an impossible value")]
    Impossible {
        /// Which database.
        part: Part,
        /// Where.
        table: &'static str,
    },
    /// A file cannot be read, written or renamed.
    #[error("cannot {action} {path}: {reason}", path = .path.display())]
    File {
        /// What was to be done with it.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// Something stands already where the backup should.
    #[error("{} is there already: name another file", .0.display())]
    OutputExists(PathBuf),
    /// Another program is writing the same file.
    #[error("another program is writing {}, or it is a link: remove it if none does", .0.display())]
    Contended(PathBuf),
    /// What should be restored is something else.
    #[error("{} is no backup of cloudmeet, or only the beginning of one", .0.display())]
    NotABackup(PathBuf),
    /// A newer release made the backup, in a way that this one does not know.
    #[error("a newer release made this backup (format {0}): restore it with that release")]
    NewerFormat(u32),
    /// The end of the backup is missing.
    #[error("the backup is incomplete: its end is missing")]
    Truncated,
    /// The backup is not what was written.
    #[error("the backup is damaged: {0} is not what was written")]
    Damaged(String),
    /// The backup is of another kind of database.
    #[error(
        "the backup of {part} is of {backup}, and the target is {target}: restore it into {backup}, then run \
         `cloudmeet db copy`"
    )]
    OtherEngine {
        /// Which database.
        part: Part,
        /// What was backed up.
        backup: Engine,
        /// What should take it.
        target: Engine,
    },
    /// The backup's tables are those of a newer release.
    #[error("the backup of {part} was made by a newer release (version {version}): restore it with that release")]
    NewerSchema {
        /// Which database.
        part: Part,
        /// Its version there.
        version: i64,
    },
    /// The target holds something already.
    #[error(
        "{part} is not empty, its table {table} has rows: only an empty installation takes a backup or a copy. \
         What an interrupted attempt left must be removed first"
    )]
    NotEmpty {
        /// Which database.
        part: Part,
        /// Where something is.
        table: &'static str,
    },
    /// The target is a database of something else.
    #[error("{0} is another program's")]
    Foreign(Part),
    /// A server or another program has the target open.
    #[error("{0} is in use: stop the servers first")]
    InUse(Part),
    /// It was brought up to date while it was read.
    #[error("{0} was migrated meanwhile: start again")]
    Migrated(Part),
    /// There is nothing at the source.
    #[error("{0} is not there: nothing to take")]
    Absent(Part),
    /// A text that Postgres cannot hold.
    #[error("{part}: a text in {table} holds a NUL character, which Postgres cannot hold")]
    Unstorable {
        /// Which database.
        part: Part,
        /// Where.
        table: &'static str,
    },
    /// What was written reads otherwise than what was read.
    #[error("{part}: the copy of {table} differs from what was copied, so nothing of it was kept")]
    Differs {
        /// Which database.
        part: Part,
        /// Where.
        table: &'static str,
    },
}

impl DataError {
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |reason| Self::File { action, path, reason }
    }

    pub(super) fn open(part: Part) -> impl Fn(OpenError) -> Self {
        move |error| Self::Open(part, error)
    }

    pub(super) fn database(part: Part) -> impl Fn(sqlx::Error) -> Self {
        move |error| Self::Database(part, error)
    }
}
