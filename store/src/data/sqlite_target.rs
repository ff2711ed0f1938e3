//! A SQLite file that is to come into being: beside its name until it is whole.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::connection::Link;
use super::partial::{Partial, remove_companions};
use super::vacancy::require_vacant;
use super::{DataError, Part};
use crate::db::Location;

/// Is a database that is being made.
#[derive(Debug)]
pub(super) struct SqliteTarget {
    part: Part,
    path: PathBuf,
    partial: Partial,
}

impl SqliteTarget {
    /// Begins with an empty file, if there is nothing yet under its name. Gives the file, to be written before SQLite
    /// opens it.
    pub(super) async fn begin(part: Part, path: &Path) -> Result<(Self, File), DataError> {
        require_vacant(part, &Location::Sqlite(path.to_owned())).await?;
        let (partial, file) = Partial::beside(path, ".partial")?;
        Ok((Self { part, path: path.to_owned(), partial }, file))
    }

    /// Is where the file is until then.
    pub(super) fn work_path(&self) -> &Path {
        self.partial.path()
    }

    /// Puts the file on disk, and makes sure that the place is still empty and nobody has it open.
    pub(super) async fn clear_the_way(&self) -> Result<(), DataError> {
        self.partial.sync().await?;
        let location = Location::Sqlite(self.path.clone());
        require_vacant(self.part, &location).await?;
        let Some(mut link) = Link::open(&location).await.map_err(DataError::open(self.part))? else {
            return Ok(());
        };
        // Leaving the log takes the whole file: who else has it open would write into what is replaced, and what
        // is left of a log would be read as the new file's.
        let left = link.lend().rows("PRAGMA journal_mode = DELETE".to_owned()).await;
        let mode = left.and_then(|rows| rows.first().map(|row| row.try_get::<String>("journal_mode")).transpose());
        link.close().await.map_err(DataError::database(self.part))?;
        match mode {
            Ok(Some(mode)) if mode == "delete" => Ok(()),
            Ok(_) => Err(DataError::InUse(self.part)),
            Err(error) if is_busy(&error) => Err(DataError::InUse(self.part)),
            Err(error) => Err(DataError::Database(self.part, error)),
        }
    }

    /// Gives the file its name. From then on it is there as a whole.
    pub(super) fn place(self) -> Result<(), DataError> {
        remove_companions(&self.path);
        self.partial.rename(&self.path)
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // SQLITE_BUSY and its kin.
    matches!(code.as_deref(), Some("5" | "261" | "517"))
}
