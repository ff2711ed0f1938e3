//! The databases themselves.

mod progress;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use clap::{Args, Subcommand};
use cloudmeet_api_server::config::{Config, Needs, Place};
use cloudmeet_api_server::roles::{self, prepared};
use cloudmeet_api_server::secret::Secret;
use cloudmeet_store::Location;
use cloudmeet_store::data::{self, Copied, DatabaseStatus, Databases, Part, PartCopied};
use serde_json::{Map, Value, json};

use self::progress::Bar;
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Shown;
use crate::table::Table;
use crate::target;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Bring the databases up to this release; servers of the release before go on working
    Migrate,
    /// Say where the databases are, how they are and what they lack
    Status,
    /// Write all accounts, rooms and messages into one file, while servers run
    Backup {
        /// The file; one that is there is left alone
        file: PathBuf,
    },
    /// Fill an empty installation from a backup of the same kind of database; everybody signs in anew
    Restore { file: PathBuf },
    /// Copy everything into other databases, which are empty: from SQLite to Postgres, or back. Stop the servers first:
    /// what they store meanwhile does not come along
    Copy(Destination),
    /// Make a new key that signs access tokens, for every server of the databases
    RotateKeys,
}

/// Says where a copy goes.
#[expect(clippy::struct_field_names, reason = "the flags have these names")]
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Destination {
    /// Postgres, for accounts and rooms
    #[arg(long, value_name = "URL", env = "TO_DATABASE_URL", hide_env_values = true,
        conflicts_with_all = ["to_data_dir", "to_auth_database_url", "to_conference_database_url"])]
    to_database_url: Option<Secret>,
    /// Postgres, for accounts alone
    #[arg(long, value_name = "URL", requires = "to_conference_database_url", conflicts_with = "to_data_dir")]
    to_auth_database_url: Option<Secret>,
    /// Postgres, for rooms alone
    #[arg(long, value_name = "URL", requires = "to_auth_database_url", conflicts_with = "to_data_dir")]
    to_conference_database_url: Option<Secret>,
    /// SQLite, in this directory
    #[arg(long, value_name = "DIR")]
    to_data_dir: Option<PathBuf>,
}

impl Verb {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        if global.server.is_some() || global.as_user.is_some() {
            let why = "the databases are worked on directly, by whoever can open them: without --server and --as";
            return Err(Failure::Usage(why.to_owned()));
        }
        let (config, auth, conference) = target::databases(global)?;
        let databases = Databases { auth, conference };
        match self {
            Self::Migrate => migrate(&ready(&config, databases)?, global).await,
            Self::Status => status(&databases, global).await,
            Self::Backup { file } => backup(&databases, file_of(&file)?, global).await,
            Self::Restore { file } => {
                // Before a directory is made for it.
                data::inspect(file_of(&file)?).await.map_err(anyhow::Error::from)?;
                restore(&ready(&config, databases)?, &file, global).await
            }
            Self::Copy(destination) => copy(&databases, destination, global).await,
            Self::RotateKeys => {
                let detail = roles::rotate_keys(&target::server_config(global)?).await?;
                global.output.show(&Shown {
                    body: &Bytes::from(json!({ "detail": detail }).to_string()),
                    table: &|| format!("{detail}\n"),
                    names: &Vec::new,
                })
            }
        }
    }
}

/// Refuses a name that stands for standard input or output: a backup is whole or not at all.
fn file_of(file: &Path) -> Result<&Path, Failure> {
    if file == Path::new("-") {
        return Err(Failure::Usage("a backup is a file: name one".to_owned()));
    }
    Ok(file)
}

/// Makes the places of databases ready.
fn ready(config: &Config, databases: Databases) -> anyhow::Result<Databases> {
    Ok(Databases { auth: prepared(config, databases.auth)?, conference: prepared(config, databases.conference)? })
}

async fn migrate(databases: &Databases, global: &Global) -> Result<(), Failure> {
    let (mut body, mut sentences) = (Vec::new(), String::new());
    for part in [Part::Auth, Part::Conference] {
        let done = data::migrate(part, databases.location(part)).await.map_err(anyhow::Error::from)?;
        for migration in &done.applied {
            sentences.push_str(&format_migration(part, migration.version, migration.description));
        }
        if done.applied.is_empty() {
            sentences.push_str(&format_migration(part, done.version, "is what this release needs"));
        }
        let applied: Vec<i64> = done.applied.iter().map(|migration| migration.version).collect();
        body.push(json!({ "part": part, "applied": applied, "version": done.version }));
    }
    global.output.show(&Shown {
        body: &Bytes::from(Value::Array(body).to_string()),
        table: &|| sentences.clone(),
        names: &|| vec![Part::Auth.as_str().to_owned(), Part::Conference.as_str().to_owned()],
    })
}

fn format_migration(part: Part, version: i64, description: &str) -> String {
    format!("{} {version}: {description}\n", part.as_str())
}

async fn status(databases: &Databases, global: &Global) -> Result<(), Failure> {
    let mut all = Vec::new();
    for part in [Part::Auth, Part::Conference] {
        all.push(data::status(part, databases.location(part)).await.map_err(anyhow::Error::from)?);
    }
    let body: Vec<Value> = all.iter().map(wire).collect();
    global.output.show(&Shown {
        body: &Bytes::from(Value::Array(body).to_string()),
        table: &|| table(&all).render(),
        names: &|| all.iter().map(|one| one.part.as_str().to_owned()).collect(),
    })
}

fn wire(status: &DatabaseStatus) -> Value {
    let pending: Vec<Value> = status
        .pending
        .iter()
        .map(|migration| json!({ "version": migration.version, "description": migration.description }))
        .collect();
    let rows: Map<String, Value> = status.rows.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect();
    json!({
        "part": status.part,
        "engine": status.engine,
        "place": status.place,
        "applied": status.applied,
        "pending": pending,
        "newer": status.newer,
        "rows": rows,
        "bytes": status.bytes,
    })
}

fn table(all: &[DatabaseStatus]) -> Table {
    let mut table = Table::new(["PART", "ENGINE", "PLACE", "VERSION", "STATE", "ROWS", "SIZE"]);
    for status in all {
        let state = match (status.newer.is_empty(), status.pending.as_slice()) {
            (false, _) => "of a newer release".to_owned(),
            (true, []) => "up to date".to_owned(),
            (true, pending) => {
                let lacks: Vec<String> = pending.iter().map(|migration| migration.version.to_string()).collect();
                format!("lacks {}", lacks.join(", "))
            }
        };
        let known = |table: &str| ["accounts", "rooms", "messages"].contains(&table);
        let rows: Vec<String> = status
            .rows
            .iter()
            .filter(|(table, _)| known(table))
            .map(|(table, rows)| format!("{rows} {table}"))
            .collect();
        table.row([
            status.part.as_str().to_owned(),
            status.engine.to_string(),
            status.place.clone(),
            status.applied.last().map_or_else(|| "-".to_owned(), ToString::to_string),
            state,
            rows.join(", "),
            format!("{} KiB", status.bytes.div_ceil(1024)),
        ]);
    }
    table
}

async fn backup(databases: &Databases, file: &Path, global: &Global) -> Result<(), Failure> {
    let mut bar = Bar::new();
    let done = data::backup(databases, file, &mut |progress| bar.show(progress)).await;
    bar.clear();
    let done = done.map_err(anyhow::Error::from)?;
    let (shown, bytes) = (file.display().to_string(), done.bytes);
    let body = json!({ "file": shown, "bytes": bytes, "manifest": done.manifest });
    global.output.show(&Shown {
        body: &Bytes::from(body.to_string()),
        table: &|| format!("Wrote {shown}, {} KiB.\n", bytes.div_ceil(1024)),
        names: &|| vec![shown.clone()],
    })
}

async fn restore(databases: &Databases, file: &Path, global: &Global) -> Result<(), Failure> {
    let mut bar = Bar::new();
    let done = data::restore(file, databases, &mut |progress| bar.show(progress)).await;
    bar.clear();
    let manifest = done.map_err(anyhow::Error::from)?;
    let release = manifest.release.clone();
    global.output.show(&Shown {
        body: &Bytes::from(serde_json::to_vec(&manifest).context("a manifest is made of texts and numbers")?),
        table: &|| format!("Restored what release {release} had backed up. Everybody signs in anew.\n"),
        names: &|| vec![file.display().to_string()],
    })
}

async fn copy(from: &Databases, destination: Destination, global: &Global) -> Result<(), Failure> {
    let to = destination.databases()?;
    for part in [Part::Auth, Part::Conference] {
        let (here, there) = (from.location(part), to.location(part));
        if same(here, there) {
            return Err(Failure::Usage(format!("{here} cannot be copied onto itself")));
        }
    }
    let mut bar = Bar::new();
    let done = data::copy(from, &to, &mut |progress| bar.show(progress)).await;
    bar.clear();
    let Copied { auth, conference } = done.map_err(anyhow::Error::from)?;
    let parts = [(Part::Auth, auth), (Part::Conference, conference)];
    let body: Vec<Value> = parts.iter().map(|(part, copied)| copied_wire(*part, *copied)).collect();
    global.output.show(&Shown {
        body: &Bytes::from(Value::Array(body).to_string()),
        table: &|| parts.iter().map(|(part, copied)| copied_sentence(*part, *copied)).collect(),
        names: &|| parts.iter().map(|(part, _)| part.as_str().to_owned()).collect(),
    })
}

/// Says whether two places are one, by whatever way they are named.
fn same(one: &Location, other: &Location) -> bool {
    match (one, other) {
        (Location::Sqlite(one), Location::Sqlite(other)) => {
            one == other || one.canonicalize().ok().is_some_and(|one| other.canonicalize().ok() == Some(one))
        }
        (one, other) => one.to_string() == other.to_string(),
    }
}

fn copied_wire(part: Part, copied: PartCopied) -> Value {
    let (rows, was_there) = match copied {
        PartCopied::Copied { rows } => (rows, false),
        PartCopied::AlreadyThere { rows } => (rows, true),
    };
    json!({ "part": part, "rows": rows, "was_there": was_there })
}

fn copied_sentence(part: Part, copied: PartCopied) -> String {
    match copied {
        PartCopied::Copied { rows } => format!("{}: copied {rows} rows, and compared them.\n", part.as_str()),
        PartCopied::AlreadyThere { rows } => format!("{}: {rows} rows were there already, the same.\n", part.as_str()),
    }
}

impl Destination {
    fn databases(self) -> anyhow::Result<Databases> {
        let place = match (self.to_database_url, self.to_data_dir) {
            (Some(url), _) => Place::Postgres(url),
            (None, Some(path)) => Place::DataDir(path),
            (None, None) => {
                let (auth, conference) =
                    self.to_auth_database_url.zip(self.to_conference_database_url).expect("clap asks for both");
                let (auth, _) = Config::for_tool(&Place::Postgres(auth), Needs::Databases)?.databases();
                let (_, conference) = Config::for_tool(&Place::Postgres(conference), Needs::Databases)?.databases();
                return Ok(Databases { auth, conference });
            }
        };
        let config = Config::for_tool(&place, Needs::Databases)?;
        let (auth, conference) = config.databases();
        ready(&config, Databases { auth, conference })
    }
}
