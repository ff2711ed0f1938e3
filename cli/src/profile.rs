//! Logins, kept between calls: one file a profile, for its owner's eyes only.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use cloudmeet_api_server::data_dir::check_private;
use cloudmeet_api_server::secret::Secret;
use cloudmeet_api_types::auth::Tokens;
use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};
use url::Url;

/// How long before its end an access token is not used any more.
const MARGIN: Duration = Duration::from_secs(30);

/// How long a process waits for another that renews the same login, longer than a renewal may take; and how often
/// it looks.
const PATIENCE: Duration = Duration::from_secs(45);
const RETRY: Duration = Duration::from_millis(50);

/// The profile that is meant when none is named.
pub(crate) const DEFAULT: &str = "default";

/// Is a place for one login.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    name: String,
    directory: PathBuf,
}

/// Is a login that holds.
#[derive(Clone)]
pub(crate) struct Login {
    /// Where.
    pub(crate) server: Url,
    /// Who.
    pub(crate) email: String,
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Secret,
    /// When the access token ends.
    ends_at: SystemTime,
}

/// Is a login as it stands in its file.
#[derive(Serialize, Deserialize)]
struct Stored {
    server: Url,
    email: String,
    access_token: String,
    refresh_token: String,
    /// Seconds since the Unix epoch.
    access_token_ends_at: u64,
}

impl Login {
    /// Is a login as a server has just granted it.
    pub(crate) fn granted(server: Url, email: String, tokens: Tokens) -> anyhow::Result<Self> {
        let refresh_token = tokens.refresh_token.context("the server gives no refresh token")?;
        let life = Duration::from_secs(tokens.expires_in.try_into().unwrap_or_default());
        Ok(Self {
            server,
            email,
            access_token: Secret::new(tokens.access_token),
            refresh_token: Secret::new(refresh_token),
            ends_at: SystemTime::now() + life,
        })
    }

    /// Is the same login with the next tokens.
    pub(crate) fn renewed(self, tokens: Tokens) -> anyhow::Result<Self> {
        Self::granted(self.server, self.email, tokens)
    }

    /// Says whether the access token is good for a while.
    pub(crate) fn is_fresh(&self) -> bool {
        self.ends_at > SystemTime::now() + MARGIN
    }
}

impl Profile {
    /// Names a profile, in the configuration directory of the platform.
    ///
    /// # Errors
    /// When the name could not be a file's, or there is no such directory.
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let is_plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.');
        ensure!(
            !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain),
            "a profile's name is of a-z, A-Z, 0-9, -, _ and ."
        );
        let base = etcetera::choose_base_strategy().context("there is no home directory: set HOME")?;
        Ok(Self { name: name.to_owned(), directory: base.config_dir().join("cloudmeet") })
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.directory.join(format!("{}.{ending}", self.name))
    }

    /// Reads the login. `None` when nobody is logged in.
    ///
    /// # Errors
    /// When it cannot be read, or others could.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Login>> {
        if self.file("json").exists() {
            check_private(&self.file("json")).context("the login is not kept safe")?;
        }
        self.load()
    }

    /// Reads the login, whoever else can: to end it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn load(&self) -> anyhow::Result<Option<Login>> {
        let path = self.file("json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let stored: Stored = serde_json::from_slice(&text)
            .map_err(|_| anyhow::anyhow!("{} is damaged: run `cloudmeet login` again", path.display()))?;
        Ok(Some(Login {
            server: stored.server,
            email: stored.email,
            access_token: Secret::new(stored.access_token),
            refresh_token: Secret::new(stored.refresh_token),
            ends_at: UNIX_EPOCH + Duration::from_secs(stored.access_token_ends_at),
        }))
    }

    /// Keeps a login: whole under another name first, so that a crash leaves the one before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, login: &Login) -> anyhow::Result<()> {
        self.make_directory()?;
        let ends_at = login.ends_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let stored = Stored {
            server: login.server.clone(),
            email: login.email.clone(),
            access_token: login.access_token.reveal().to_owned(),
            refresh_token: login.refresh_token.reveal().to_owned(),
            access_token_ends_at: ends_at,
        };
        let text = serde_json::to_vec_pretty(&stored).context("a login is made of texts")?;
        let (whole, path) = (self.file(&format!("json.{}", std::process::id())), self.file("json"));
        write_private(&whole, &text)
            .and_then(|()| fs::rename(&whole, &path))
            .inspect_err(|_| drop(fs::remove_file(&whole)))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Forgets the login.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub(crate) fn forget(&self) -> anyhow::Result<()> {
        let path = self.file("json");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Waits for its turn among the processes that want to change the login; the turn ends with what is given.
    ///
    /// # Errors
    /// When the lock's file cannot be made.
    pub(crate) async fn lock(&self) -> anyhow::Result<File> {
        self.make_directory()?;
        let path = self.file("lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = open.with_context(|| format!("cannot make {}", path.display()))?;
        let began = Instant::now();
        while let Err(error) = file.try_lock() {
            let is_taken = matches!(error, TryLockError::WouldBlock);
            ensure!(is_taken, "cannot lock {}: {error}", path.display());
            ensure!(began.elapsed() < PATIENCE, "another `cloudmeet` has been renewing the login for too long");
            tokio::time::sleep(RETRY).await;
        }
        Ok(file)
    }

    fn make_directory(&self) -> anyhow::Result<()> {
        let shown = self.directory.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .with_context(|| format!("cannot make {shown}"))
    }
}

fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn profile(directory: &Path) -> Profile {
        Profile { name: "test".to_owned(), directory: directory.to_owned() }
    }

    fn login() -> Login {
        let tokens = Tokens {
            access_token: "access".to_owned(),
            token_type: "bearer".to_owned(),
            expires_in: 3600,
            refresh_token: Some("refresh".to_owned()),
        };
        Login::granted(Url::parse("http://127.0.0.1:8000").unwrap(), "ann@example.org".to_owned(), tokens).unwrap()
    }

    #[test]
    fn a_login_is_kept_for_its_owner_alone_and_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let profile = profile(&directory.path().join("new"));
        assert!(profile.read().unwrap().is_none());
        profile.write(&login()).unwrap();
        let mode = fs::metadata(profile.file("json")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let read = profile.read().unwrap().unwrap();
        assert!(read.is_fresh() && read.refresh_token.reveal() == "refresh");
        profile.forget().unwrap();
        profile.forget().unwrap();
        assert!(profile.read().unwrap().is_none());
    }

    #[test]
    fn a_damaged_login_or_one_open_to_others_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let profile = profile(directory.path());
        profile.write(&login()).unwrap();
        fs::set_permissions(profile.file("json"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(format!("{:#}", profile.read().err().unwrap()).contains("chmod 600"));
        write_private(&profile.file("json"), b"{\"server\":").unwrap();
        fs::set_permissions(profile.file("json"), fs::Permissions::from_mode(0o600)).unwrap();
        assert!(profile.read().err().unwrap().to_string().contains("damaged"));
    }

    #[test]
    fn a_profile_is_no_path() {
        for name in ["", "../x", "a/b", ".hidden"] {
            assert!(Profile::new(name).is_err(), "{name}");
        }
    }
}
