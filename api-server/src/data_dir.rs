//! The directory of everything that this server keeps by itself: for its owner's eyes only.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use zeroize::Zeroizing;

/// Is a directory that nobody but its owner can enter.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Takes a directory into use, making it where there is none.
    ///
    /// # Errors
    /// When it cannot be made or written, is no directory, or is open to others. The message says
    /// what to do.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(|| {
            format!("cannot make the data directory {shown}: set DATA_DIR to a place you may write")
        })?;
        let metadata = fs::metadata(path).with_context(|| format!("cannot look at the data directory {shown}"))?;
        ensure!(metadata.is_dir(), "DATA_DIR {shown} is not a directory");
        let mode = metadata.permissions().mode() & 0o777;
        ensure!(
            mode & 0o077 == 0,
            "the data directory {shown} is open to others (mode {mode:03o}): run `chmod 700 {shown}`"
        );
        let directory = Self(path.to_owned());
        directory.check_writable()?;
        Ok(directory)
    }

    /// Is the path of a file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Reads the 32 bytes of a key file, making it of `random` bytes where there is none.
    ///
    /// # Errors
    /// When the file cannot be made or read, is open to others, or has another length.
    pub fn key(&self, name: &str, random: [u8; 32]) -> anyhow::Result<Zeroizing<[u8; 32]>> {
        let path = self.file(name);
        let shown = path.display();
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.file(&format!("{name}.new"))) {
            // Written whole under another name first: a crash leaves no half of a key.
            Ok(mut file) if !path.exists() => {
                file.write_all(&random)
                    .and_then(|()| file.sync_all())
                    .with_context(|| format!("cannot write {shown}"))?;
                fs::rename(self.file(&format!("{name}.new")), &path).with_context(|| format!("cannot make {shown}"))?;
            }
            Ok(_) => {
                fs::remove_file(self.file(&format!("{name}.new"))).with_context(|| format!("cannot tidy {shown}"))?;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(self.file(&format!("{name}.new"))).with_context(|| format!("cannot tidy {shown}"))?;
                return self.key(name, random);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot make {shown}")),
        }
        check_private(&path)?;
        let bytes = Zeroizing::new(fs::read(&path).with_context(|| format!("cannot read {shown}"))?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| {
            anyhow::anyhow!("the key file {shown} has {} bytes instead of 32: restore it from a backup", bytes.len())
        })?;
        Ok(Zeroizing::new(key))
    }

    /// Root may write where the mode forbids it and may not where the file system is read-only, so
    /// only trying tells.
    fn check_writable(&self) -> anyhow::Result<()> {
        let probe = self.file(&format!(".probe-{}", std::process::id()));
        let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&probe);
        if let Err(error) = made {
            bail!("cannot write in the data directory {}: {error}", self.0.display());
        }
        fs::remove_file(&probe).with_context(|| format!("cannot tidy {}", probe.display()))
    }
}

/// Refuses a file of secrets that others can read.
///
/// # Errors
/// When it cannot be looked at or is open to others.
pub fn check_private(path: &Path) -> anyhow::Result<()> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    // Orchestrators mount secrets readable for all inside the container; there is nobody else in it.
    let mounted = path.starts_with("/run/secrets") || path.starts_with("/var/run/secrets");
    ensure!(
        mounted || metadata.mode() & 0o077 == 0,
        "{shown} is open to others: run `chmod 600 {shown}`",
        shown = path.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    }

    #[test]
    fn a_new_directory_is_its_owners_alone() {
        let parent = tempfile::tempdir().expect("tempdir");
        let path = parent.path().join("a/b");
        DataDir::open(&path).expect("opens");
        assert_eq!(fs::metadata(&path).expect("exists").mode() & 0o777, 0o700);
    }

    #[test]
    fn a_directory_open_to_others_is_refused_with_the_remedy() {
        let parent = tempfile::tempdir().expect("tempdir");
        chmod(parent.path(), 0o755);
        let error = DataDir::open(parent.path()).expect_err("open to others").to_string();
        assert!(error.contains("chmod 700"), "{error}");
    }

    #[test]
    fn a_file_is_no_directory() {
        let parent = tempfile::tempdir().expect("tempdir");
        let path = parent.path().join("file");
        fs::write(&path, "x").expect("writes");
        assert!(DataDir::open(&path).is_err());
        assert!(DataDir::open(&path.join("below")).is_err());
    }

    #[test]
    fn a_key_is_made_once_and_must_stay_private() {
        let parent = tempfile::tempdir().expect("tempdir");
        let directory = DataDir::open(&parent.path().join("data")).expect("opens");
        assert_eq!(*directory.key("k", [1; 32]).expect("makes"), [1; 32]);
        assert_eq!(*directory.key("k", [2; 32]).expect("reads"), [1; 32]);
        fs::write(directory.file("k.new"), "half").expect("writes");
        assert_eq!(*directory.key("k", [3; 32]).expect("tidies"), [1; 32]);
        chmod(&directory.file("k"), 0o644);
        assert!(directory.key("k", [4; 32]).is_err());
    }
}
