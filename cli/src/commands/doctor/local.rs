//! The installation of this machine: its configuration, its databases and what else it needs.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use cloudmeet_api_server::config::{Config, Exposure, Role};
use cloudmeet_api_server::secret::Secret;
use cloudmeet_store::data::{self, Part};
use cloudmeet_store::{AuthStore, Clock, Location, Redis};
use tokio::net::TcpListener;
use url::Url;

use super::Findings;
use super::remote::{self, Way};
use crate::args::Global;
use crate::target;

/// How much space the disk should have, in bytes.
const SPACE_WANTED: u64 = 1 << 30;
const SPACE_NEEDED: u64 = 100 << 20;

/// Looks at what a server of this environment would work with, and at the server, should it run.
pub(super) async fn look(findings: &mut Findings, global: &Global) {
    let known = target::databases(global).and_then(|known| Ok((target::server_config(global)?, known)));
    let (config, (_, accounts, rooms)) = match known {
        Ok(known) => known,
        Err(error) => {
            let remedy = "change this setting; `cloudmeet-api-server --help` lists them all";
            return findings.fail("configuration", format!("{error:#}"), remedy);
        }
    };
    findings.ok("configuration", format!("the settings of role {} are sound", config.role.as_str()));
    for warning in &config.warnings {
        findings.warn("configuration", warning.clone(), "change the setting it names");
    }
    if matches!(accounts, Location::Sqlite(_)) {
        data_dir(findings, &config.data_dir);
    }
    if config.role != Role::Gateway {
        for (part, location) in [(Part::Auth, &accounts), (Part::Conference, &rooms)] {
            database(findings, part, location).await;
        }
        database_clock(findings, &accounts).await;
    }
    if let Some(url) = &config.redis {
        redis(findings, url).await;
    }
    port(findings, &config).await;
}

/// Looks at the directory of the databases: whose it is, and how much more it can hold.
fn data_dir(findings: &mut Findings, path: &Path) {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return findings.ok("data directory", format!("{shown} is not there yet; the first start makes it"));
        }
        Err(error) => {
            let remedy = "run this as the user that the server runs as, or set DATA_DIR";
            return findings.fail("data directory", format!("{shown} cannot be looked at: {error}"), remedy);
        }
    };
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        let remedy = format!("run `chmod 700 {shown}`");
        return findings.fail("data directory", format!("{shown} is open to others (mode {mode:03o})"), &remedy);
    }
    if metadata.uid() == rustix::process::geteuid().as_raw() {
        findings.ok("data directory", format!("{shown} is this user's alone"));
    } else {
        let remedy = format!("run this, and the server, as the user {}", metadata.uid());
        findings.warn("data directory", format!("{shown} is another user's"), &remedy);
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let open = entry.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o077 != 0);
        if open && entry.path().extension().is_some_and(|ending| ending == "key") {
            let shown = entry.path().display().to_string();
            findings.fail("keys", format!("{shown} is open to others"), &format!("run `chmod 600 {shown}`"));
        }
    }
    let Ok(space) = rustix::fs::statvfs(path) else { return };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let message = format!("the disk has {} MiB left", free >> 20);
    if free < SPACE_NEEDED {
        findings.fail("disk", message, "make room: nothing can be stored on a full disk");
    } else if free < SPACE_WANTED {
        findings.warn("disk", message, "make room before it is full");
    } else {
        findings.ok("disk", message);
    }
}

/// Looks whether a database answers, and is what this release needs.
async fn database(findings: &mut Findings, part: Part, location: &Location) {
    let check = match part {
        Part::Auth => "accounts",
        Part::Conference => "rooms",
    };
    let status = match data::status(part, location).await {
        Ok(status) => status,
        Err(error) => {
            let remedy = "see whether the database runs and may be opened by this user, and the setting that names it";
            return findings.fail(check, format!("{location}: {:#}", anyhow::Error::from(error)), remedy);
        }
    };
    let is_file = matches!(location, Location::Sqlite(_));
    if !status.newer.is_empty() {
        let remedy = "run the newer release, or restore a backup";
        findings.fail(check, format!("{location} was migrated by a newer release"), remedy);
    } else if status.applied.is_empty() && is_file {
        findings.ok(check, format!("{location} is not there yet; the first start makes it"));
    } else if !status.pending.is_empty() {
        let remedy = "run `cloudmeet --direct db migrate`, or start a server, which does so";
        findings.warn(check, format!("{location} lacks {} migrations", status.pending.len()), remedy);
    } else {
        findings.ok(check, format!("{location} is up to date"));
        if part == Part::Auth {
            administrators(findings, location).await;
        }
    }
}

/// Looks whether anybody administers.
async fn administrators(findings: &mut Findings, location: &Location) {
    let Ok(store) = AuthStore::open_migrated(location).await else { return };
    match store.has_administrator().await {
        Ok(true) => findings.ok("administrators", "somebody administers"),
        Ok(false) => {
            let remedy = "run `cloudmeet --direct users create --admin`, or open the link that the server prints";
            findings.warn("administrators", "nobody administers", remedy);
        }
        Err(error) => findings.fail("administrators", error.to_string(), "see the database's log"),
    }
    store.close().await;
}

/// Compares the clock of this machine with that of a database on another.
async fn database_clock(findings: &mut Findings, location: &Location) {
    if matches!(location, Location::Sqlite(_)) {
        return;
    }
    let Ok(store) = AuthStore::open_migrated(location).await else { return };
    let apart_s = (store.now().as_millis() - Clock::of_the_system()).abs() / 1000;
    store.close().await;
    let message = format!("this machine's clock and the database's are {apart_s} s apart");
    let remedy = "let both machines keep time by NTP";
    if apart_s >= remote::SKEW_HARMFUL {
        findings.fail("clock", message, remedy);
    } else if apart_s >= remote::SKEW_NOTICED {
        findings.warn("clock", message, remedy);
    } else {
        findings.ok("clock", "this machine's clock and the database's agree");
    }
}

async fn redis(findings: &mut Findings, url: &Secret) {
    let remedy = "see whether Redis runs, and REDIS_URL; meanwhile servers hear of each other a second later";
    match Redis::new(url.reveal(), "doctor") {
        Ok(redis) if redis.answers().await => findings.ok("redis", "Redis answers"),
        Ok(_) => findings.warn("redis", "Redis does not answer", remedy),
        Err(error) => findings.fail("redis", error.to_string(), "set REDIS_URL to redis://host:port"),
    }
}

/// Looks whether the server can listen, or already does; then at the way by which people come.
async fn port(findings: &mut Findings, config: &Config) {
    let listen = config.listen;
    match TcpListener::bind(listen).await {
        Ok(listener) => {
            drop(listener);
            findings.ok("port", format!("{listen} is free: no server runs there now"));
        }
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let near = SocketAddr::new(reachable(listen.ip()), listen.port());
            let url = Url::parse(&format!("http://{near}")).expect("a socket address stands in a URL");
            let way = if config.exposure == Exposure::Local { Way::Peoples(None) } else { Way::Beside };
            remote::look(findings, url, way).await;
        }
        Err(error) => {
            let remedy = "set HOST and PORT to an address of this machine that this user may listen on";
            findings.fail("port", format!("nobody can listen on {listen}: {error}"), remedy);
        }
    }
    if let Some(url) = config.public_url()
        && matches!(config.role, Role::All | Role::Gateway)
    {
        remote::look(findings, url.clone(), Way::Peoples(None)).await;
    }
}

/// Is where a server that listens on an address is reached from here.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}
