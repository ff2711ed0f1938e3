//! Files that are not finished: under another name until they are, gone if they never are.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::DataError;

/// Is the file under whose name the finished one will stand, with more after it.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Is an unfinished file, which only its owner reads. Dropped, it is removed with whatever SQLite put beside it.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    /// Holds the lock by which nobody else takes the same name.
    _lock: File,
}

impl Partial {
    /// Makes an empty one beside a file. One that a killed program left is taken over.
    pub(super) fn beside(path: &Path, suffix: &str) -> Result<(Self, File), DataError> {
        // SQLite takes a name that begins with `file:` for an address.
        let path = std::path::absolute(path).map_err(DataError::file("name", path))?;
        let path = with_suffix(&path, suffix);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(DataError::file("write", &path))?;
        file.try_lock().map_err(|_| DataError::Contended(path.clone()))?;
        // What a link leads to is somebody else's; and who had the file may have finished it between the two.
        if !is_alone(&file, &path) {
            return Err(DataError::Contended(path));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let private = fs::Permissions::from_mode(0o600);
            file.set_permissions(private).map_err(DataError::file("write", &path))?;
        }
        file.set_len(0).map_err(DataError::file("write", &path))?;
        let lock = file.try_clone().map_err(DataError::file("write", &path))?;
        remove_companions(&path);
        Ok((Self { path, _lock: lock }, file))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts all of it on disk. Takes long, where much was written; the two that follow do not.
    pub(super) async fn sync(&self) -> Result<(), DataError> {
        let sync = async || tokio::fs::File::open(&self.path).await?.sync_all().await;
        sync().await.map_err(DataError::file("write", &self.path))
    }

    /// Gives it its name for good. What stood there is replaced.
    pub(super) fn rename(self, name: &Path) -> Result<(), DataError> {
        fs::rename(&self.path, name).map_err(DataError::file("name", name))?;
        sync_directory(name)
    }

    /// Gives it its name for good, unless something stands there.
    pub(super) fn publish(self, name: &Path) -> Result<(), DataError> {
        // A rename replaces; a link does not. Where a file system has no links, the look must do.
        match fs::hard_link(&self.path, name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(DataError::OutputExists(name.to_owned()));
            }
            Err(_) if name.exists() => return Err(DataError::OutputExists(name.to_owned())),
            Err(_) => fs::rename(&self.path, name).map_err(DataError::file("name", name))?,
        }
        sync_directory(name)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a rename it is not there; nobody can be told of anything else.
        let _ = fs::remove_file(&self.path);
        remove_companions(&self.path);
    }
}

/// Removes what SQLite keeps beside a database: left without it, it would be taken for another's.
pub(super) fn remove_companions(path: &Path) {
    for suffix in ["-journal", "-wal", "-shm"] {
        let _ = fs::remove_file(with_suffix(path, suffix));
    }
}

/// Puts on disk under which name a file stands.
fn sync_directory(path: &Path) -> Result<(), DataError> {
    #[cfg(unix)]
    {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).and_then(|file| file.sync_all()).map_err(DataError::file("write", directory))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Says whether a file is what stands under a name, and under no other.
fn is_alone(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let id = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
        let alone = |ours: fs::Metadata| {
            Ok(ours.is_file() && ours.nlink() == 1 && id(&ours) == id(&fs::symlink_metadata(path)?))
        };
        file.metadata().and_then(alone).unwrap_or(false)
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_file_has_one_writer_and_goes_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("out");
        let (partial, _file) = Partial::beside(&name, ".partial").unwrap();
        assert!(matches!(Partial::beside(&name, ".partial"), Err(DataError::Contended(_))));
        let path = partial.path().to_owned();
        fs::write(with_suffix(&path, "-journal"), "x").unwrap();
        drop(partial);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn an_unfinished_file_follows_no_link_and_is_its_owners_alone() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (name, other) = (directory.path().join("out"), directory.path().join("other"));
        fs::write(&other, "somebody else's").unwrap();
        let partial = with_suffix(&name, ".partial");
        symlink(&other, &partial).unwrap();
        assert!(matches!(Partial::beside(&name, ".partial"), Err(DataError::Contended(_))));
        fs::remove_file(&partial).unwrap();
        fs::hard_link(&other, &partial).unwrap();
        assert!(matches!(Partial::beside(&name, ".partial"), Err(DataError::Contended(_))));
        assert_eq!(fs::read_to_string(&other).unwrap(), "somebody else's");
        fs::remove_file(&partial).unwrap();
        fs::write(&partial, "what a killed program left").unwrap();
        fs::set_permissions(&partial, fs::Permissions::from_mode(0o644)).unwrap();
        let (taken, file) = Partial::beside(&name, ".partial").unwrap();
        let metadata = file.metadata().unwrap();
        assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (0, 0o600));
        drop(taken);
    }

    #[test]
    fn a_finished_file_replaces_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("out");
        Partial::beside(&name, ".partial").unwrap().0.publish(&name).unwrap();
        let again = Partial::beside(&name, ".partial").unwrap().0.publish(&name);
        assert!(matches!(again, Err(DataError::OutputExists(_))), "{again:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
