//! What the servers of an installation share: its name, its keys, its databases.

use anyhow::{Context as _, ensure};
use cloudmeet_core::crypto;
use cloudmeet_store::{AuthStore, Location};
use uuid::Uuid;

use crate::access_token::{SealingKey, StoredKeys};
use crate::config::{Config, Role};
use crate::data_dir::DataDir;
use crate::random;

/// Names the installation among others on the same Redis: by what its servers share and others do not
/// have.
pub(super) fn name(config: &Config) -> anyhow::Result<String> {
    let name = with_shared_secret(config, |secret| crypto::authenticate(secret, "cloudmeet: installation"))?;
    let (name, _) = name.split_first_chunk().expect("32 bytes hold 16");
    Ok(Uuid::from_bytes(*name).to_string())
}

pub(super) fn sealing_key(config: &Config) -> anyhow::Result<SealingKey> {
    with_shared_secret(config, SealingKey::new)
}

/// Gives what the servers of an installation share: the token of the services, or a file's bytes.
fn with_shared_secret<T>(config: &Config, make: impl FnOnce(&[u8]) -> T) -> anyhow::Result<T> {
    Ok(match &config.internal_token {
        Some(secret) => make(secret.reveal().as_bytes()),
        None => make(&*DataDir::open(&config.data_dir)?.key("sealing.key", random::bytes())?),
    })
}

/// Makes a new key that signs access tokens, for every server of the database: it takes over after a
/// notice in which all of them read of it, and what the old one signed is believed to its end. Says
/// so in a sentence.
///
/// # Errors
/// When this role or configuration has no keys, or the database cannot be used.
pub async fn rotate_keys(config: &Config) -> anyhow::Result<String> {
    ensure!(
        matches!(config.role, Role::All | Role::Auth),
        "the keys are in the database of accounts: run this with the settings of the role auth or all"
    );
    ensure!(
        config.jwt_secret.is_none(),
        "tokens are signed with JWT_SECRET_KEY: to change it, give all services a new one and start them again"
    );
    let location = prepared(config, config.databases().0)?;
    let store = AuthStore::open(&location).await.with_context(|| location.to_string())?;
    store.check().await.context("accounts")?;
    let keys = StoredKeys::open(store.clone(), sealing_key(config)?, config.access_token_life).await?;
    let (kid, from) = keys.rotate().await?;
    let notice_s = from.since(store.now()).as_seconds();
    store.close().await;
    Ok(format!(
        "Key {kid} signs access tokens in {notice_s} seconds. What older keys signed stays good until it expires."
    ))
}

/// Makes the place of a database ready: a file's directory is made, and judged. Without a file the data directory
/// is not used: a container on Postgres has nothing to write.
///
/// # Errors
/// When the data directory cannot be used.
pub fn prepared(config: &Config, location: Location) -> anyhow::Result<Location> {
    if let Location::Sqlite(_) = location {
        DataDir::open(&config.data_dir)?;
    }
    Ok(location)
}
