//! Which side is asked, and why.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context as _, ensure};
use cloudmeet_api_server::config::{Config, Needs, Place};
use cloudmeet_api_server::roles::{Direct as Handlers, prepared};
use cloudmeet_api_types::auth::Account;
use cloudmeet_store::Location;
use url::{Host, Url};

use crate::api::{Api, Direct, Http, Server};
use crate::args::Global;
use crate::commands::users;
use crate::failure::{Failure, tell};
use crate::profile::Profile;

/// The server that `make run` starts.
const LOCAL_SERVER: &str = "http://127.0.0.1:8000";

/// Is the side that is asked.
#[derive(Debug)]
pub(crate) enum Target {
    /// A server.
    Server {
        /// Its address.
        url: Url,
        /// Why it.
        why: &'static str,
    },
    /// The databases.
    Direct {
        /// Why they.
        why: &'static str,
    },
}

/// Decides which side is asked.
///
/// # Errors
/// When an address is none, or the login cannot be read.
pub(crate) fn choose(global: &Global) -> Result<Target, Failure> {
    if global.direct {
        return Ok(Target::Direct { why: "--direct says so" });
    }
    if global.database_url.is_some() || global.data_dir.is_some() {
        return Err(Failure::Usage("--database-url and --data-dir go with --direct".to_owned()));
    }
    if let Some(url) = &global.server {
        return Ok(Target::Server { url: server_url(url)?, why: "--server says so" });
    }
    if let Some(url) = std::env::var("CLOUDMEET_URL").ok().filter(|url| !url.is_empty()) {
        return Ok(Target::Server { url: server_url(&url)?, why: "CLOUDMEET_URL says so" });
    }
    if let Some(login) = Profile::new(&global.profile)?.read()? {
        return Ok(Target::Server { url: login.server, why: "somebody is logged in there" });
    }
    if ["DATABASE_URL", "AUTH_DATABASE_URL", "POSTGRES_HOST"].iter().any(|name| std::env::var_os(name).is_some()) {
        return Ok(Target::Direct { why: "nobody is logged in, and the environment names a database" });
    }
    let has_files = match Config::for_tool(&Place::Environment, Needs::Databases)?.databases().0 {
        Location::Sqlite(path) => path.exists(),
        Location::Postgres { .. } => true,
    };
    if has_files {
        return Ok(Target::Direct { why: "nobody is logged in, and the data directory has an installation" });
    }
    Ok(Target::Server { url: server_url(LOCAL_SERVER)?, why: "nothing else is known" })
}

/// Reads a server's address: scheme, host and port.
pub(crate) fn server_url(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let bare = url.filter(|url| {
        let has_login = !url.username().is_empty() || url.password().is_some();
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !has_login
    });
    // What may hold a password is not shown.
    let shown = if text.contains('@') { "that" } else { text };
    bare.ok_or_else(|| Failure::Usage(format!("{shown} is not a server's address, such as https://meet.example.org")))
}

/// Says whether an address is this machine's own, which nothing on the way can read.
pub(crate) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Is where direct mode was told to find the databases.
fn place(global: &Global) -> Place {
    match (&global.database_url, &global.data_dir) {
        (Some(url), _) => Place::Postgres(url.clone()),
        (None, Some(path)) => Place::DataDir(path.clone()),
        (None, None) => Place::Environment,
    }
}

/// Is what a server of these databases would be told, all of it.
///
/// # Errors
/// When one of its settings is not sound.
pub(crate) fn server_config(global: &Global) -> anyhow::Result<Config> {
    Config::for_tool(&place(global), Needs::Everything)
}

/// Says where the databases of direct mode are.
///
/// # Errors
/// When the environment is not sound, or one of the two databases is on Postgres and the other is not.
pub(crate) fn databases(global: &Global) -> anyhow::Result<(Config, Location, Location)> {
    let config = Config::for_tool(&place(global), Needs::Databases)?;
    let (accounts, rooms) = config.databases();
    let is_file = |location: &Location| matches!(location, Location::Sqlite(_));
    ensure!(
        is_file(&accounts) == is_file(&rooms),
        "accounts are in {accounts} and rooms in {rooms}: set both AUTH_DATABASE_URL and CONFERENCE_DATABASE_URL"
    );
    let role = std::env::var("ROLE").unwrap_or_default();
    let is_one = matches!(&accounts, Location::Postgres { setting: "DATABASE_URL", .. })
        && accounts.to_string() == rooms.to_string();
    ensure!(
        global.database_url.is_some() || !is_one || !["auth", "conference"].contains(&role.as_str()),
        "in the role {role} DATABASE_URL names one of the two databases: set AUTH_DATABASE_URL and \
         CONFERENCE_DATABASE_URL"
    );
    Ok((config, accounts, rooms))
}

/// Opens the side that is asked.
///
/// # Errors
/// [`Failure`]: nobody is logged in, or the databases cannot be used.
pub(crate) async fn open(global: &Global) -> Result<Api, Failure> {
    match choose(global)? {
        Target::Server { url, .. } => Ok(Api::Server(server(global, url)?)),
        Target::Direct { .. } => direct(global).await,
    }
}

fn server(global: &Global, url: Url) -> Result<Server, Failure> {
    if global.as_user.is_some() {
        return Err(Failure::Usage("--as goes with --direct: a server is asked as whoever is logged in".to_owned()));
    }
    let profile = Profile::new(&global.profile)?;
    let login = profile.read()?;
    if login.is_none_or(|login| login.server != url) {
        let shown = url.as_str().trim_end_matches('/');
        let hint = format!("nobody is logged in at {shown}: run `cloudmeet login --server {shown}`, or use --direct");
        return Err(anyhow::anyhow!(hint).into());
    }
    Ok(Server::new(Http::new(url)?, profile))
}

async fn direct(global: &Global) -> Result<Api, Failure> {
    let (config, accounts, rooms) = databases(global)?;
    let is_new = matches!(&accounts, Location::Sqlite(path) if !path.exists());
    let (accounts, rooms) = (prepared(&config, accounts)?, prepared(&config, rooms)?);
    check_owner(&config, &accounts)?;
    let handlers = Handlers::open(&accounts, &rooms, config.public_url().cloned()).await?;
    if is_new {
        tell(&format!("made a new installation in {}", config.data_dir.display()));
    }
    let mut api = Api::Direct(Direct::at_console(handlers));
    if let Some(user) = &global.as_user {
        let account: Account = users::find(&api, user).await.map(|read| read.value)?;
        if let Api::Direct(direct) = &mut api {
            direct.act_as(&account)?;
        }
    }
    Ok(api)
}

/// Refuses to work on another user's files: what is made there by this one, the server could not open.
fn check_owner(config: &Config, accounts: &Location) -> anyhow::Result<()> {
    let Location::Sqlite(_) = accounts else { return Ok(()) };
    let shown = config.data_dir.display();
    let owner = fs::metadata(&config.data_dir).with_context(|| format!("cannot look at {shown}"))?.uid();
    let us = rustix::process::geteuid().as_raw();
    ensure!(owner == us, "{shown} is another user's: run this as they, with `sudo -u \\#{owner}`");
    Ok(())
}

/// Says that a verb is done as a person: whoever is logged in, or whom `--as` names.
///
/// # Errors
/// [`Failure::Usage`] in direct mode without `--as`.
pub(crate) fn need_person(api: &Api) -> Result<(), Failure> {
    match api {
        Api::Direct(direct) if !direct.is_person() => {
            Err(Failure::Usage("with --direct this needs --as USER: who does it?".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Says in a sentence which side is asked, and why.
///
/// # Errors
/// As [`choose`].
pub(crate) fn describe(global: &Global) -> Result<String, Failure> {
    Ok(match choose(global)? {
        Target::Server { url, why } => {
            let login = Profile::new(&global.profile)?.read()?.filter(|login| login.server == url);
            let who = login.map_or("nobody is logged in there yet".to_owned(), |login| format!("as {}", login.email));
            format!("It would ask the server {}, {who}: {why}.", url.as_str().trim_end_matches('/'))
        }
        Target::Direct { why } => {
            let (_, accounts, rooms) = databases(global).context("the databases are not known")?;
            format!("It would work on the databases {accounts} and {rooms}: {why}.")
        }
    })
}
