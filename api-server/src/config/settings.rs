//! The one table of settings: names, defaults, explanations.
//!
//! A flag's value name is the name of the environment variable, and in lower case of the entry in
//! the configuration file.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "these comments are the text of --help, which is not Markdown"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::secret::Secret;

/// CloudMeet's server: REST, WebSocket and web UI, in one process or in its parts.
///
/// Without any setting it serves this machine alone, on http://127.0.0.1:8000, and keeps everything
/// in its data directory. Every setting below can be given as a flag, as the environment variable
/// named in angle brackets, or in a TOML file under that name in lower case; a flag wins over the
/// environment, which wins over the file. Secrets can also be read from the file that NAME_FILE names.
#[derive(Debug, Parser)]
#[command(name = "cloudmeet-api-server", version)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) settings: Settings,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// Is what the program is to do.
#[derive(Debug, Clone, Default, Subcommand)]
pub enum Command {
    /// Serve until told to stop (the default).
    #[default]
    Serve,
    /// Ask a running server whether it is healthy; exits 0 if so.
    Healthcheck {
        /// The address to ask.
        #[arg(value_name = "URL")]
        url: Option<String>,
    },
    /// Make a new key that signs access tokens, for every server of the database, and exit.
    RotateKeys,
    /// Print the description of the REST interface (OpenAPI 3.1) and exit.
    Openapi,
    /// Write the pages of the web UI and what they need into a directory, for another web server, and exit.
    WebUi {
        /// The directory; made where there is none.
        #[arg(value_name = "DIRECTORY")]
        directory: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct Settings {
    /// A TOML file of settings.
    #[arg(long, value_name = "CONFIG_FILE")]
    pub(super) config: Option<PathBuf>,

    /// What this process does: `all` is everything; `gateway`, `auth` and `conference` are the parts.
    #[arg(long, value_name = "ROLE", default_value = "all")]
    pub(super) role: Role,

    /// The address to listen on.
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1", value_parser = parse_host)]
    pub(super) host: IpAddr,

    /// The port to listen on; 0 takes any free one, which is logged [default: 8000, auth 8001,
    /// conference 8002]
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<u16>,

    /// The address people type: `all` and `gateway` need it as soon as HOST is not loopback. Links,
    /// cookies and the names and pages that the server answers to follow from it.
    #[arg(long, value_name = "PUBLIC_URL")]
    pub(super) public_url: Option<String>,

    /// The directory for databases and keys; made with mode 0700 [default: the platform's data
    /// directory for `cloudmeet`]
    #[arg(long, value_name = "DATA_DIR")]
    pub(super) data_dir: Option<PathBuf>,

    /// Postgres for accounts and rooms, postgres://… [default: SQLite in DATA_DIR]
    #[arg(long, value_name = "DATABASE_URL", hide_default_value = true)]
    pub(super) database_url: Option<Secret>,

    /// Postgres for accounts alone.
    #[arg(long, value_name = "AUTH_DATABASE_URL", hide_default_value = true)]
    pub(super) auth_database_url: Option<Secret>,

    /// Postgres for rooms alone.
    #[arg(long, value_name = "CONFERENCE_DATABASE_URL", hide_default_value = true)]
    pub(super) conference_database_url: Option<Secret>,

    /// Postgres by its parts instead of a URL: its host.
    #[arg(long, value_name = "POSTGRES_HOST")]
    pub(super) postgres_host: Option<String>,

    /// Its port.
    #[arg(long, value_name = "POSTGRES_PORT", default_value_t = 5432)]
    pub(super) postgres_port: u16,

    /// The user to log in as.
    #[arg(long, value_name = "POSTGRES_USER", default_value = "cloudmeet")]
    pub(super) postgres_user: String,

    /// The user's password.
    #[arg(long, value_name = "POSTGRES_PASSWORD", hide_default_value = true)]
    pub(super) postgres_password: Option<Secret>,

    /// One database for accounts and rooms [default: cloudmeet_auth and cloudmeet_conference]
    #[arg(long, value_name = "POSTGRES_DB")]
    pub(super) postgres_db: Option<String>,

    /// Redis, redis://[user[:password]@]host[:port][/database], by which several servers hear of each
    /// other at once, count limits together and share a cache [default: none]
    #[arg(long, value_name = "REDIS_URL", hide_default_value = true)]
    pub(super) redis_url: Option<Secret>,

    /// Redis by its parts instead of a URL: its host.
    #[arg(long, value_name = "REDIS_HOST")]
    pub(super) redis_host: Option<String>,

    /// Its port.
    #[arg(long, value_name = "REDIS_PORT", default_value_t = 6379)]
    pub(super) redis_port: u16,

    /// The number of the database there.
    #[arg(long, value_name = "REDIS_DB", default_value_t = 0)]
    pub(super) redis_db: u32,

    /// How many seconds a page that was read is kept for others who ask for it; 0 keeps none.
    #[arg(long, value_name = "CACHE_TTL_SECONDS", default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub(super) cache_ttl_seconds: u32,

    /// Signs access tokens by HS256 with this secret of at least 32 bytes [default: Ed25519 keys,
    /// made once and kept in the database]
    #[arg(long, value_name = "JWT_SECRET_KEY", hide_default_value = true)]
    pub(super) jwt_secret_key: Option<Secret>,

    /// A secret of at least 32 bytes that all servers share: by it `auth` and `conference` know each
    /// other, and it seals the signing keys in the database [default: derived from JWT_SECRET_KEY;
    /// `all` keeps a key file in DATA_DIR]
    #[arg(long, value_name = "INTERNAL_TOKEN", hide_default_value = true)]
    pub(super) internal_token: Option<Secret>,

    /// Where the servers of the role auth are, for `gateway` and `conference`; several are separated by
    /// commas, and a name may stand for several.
    #[arg(long, value_name = "AUTH_SERVICE_URL", value_delimiter = ',')]
    pub(super) auth_service_url: Vec<String>,

    /// Where the servers of the role conference are, for `gateway`, likewise.
    #[arg(long, value_name = "CONFERENCE_SERVICE_URL", value_delimiter = ',')]
    pub(super) conference_service_url: Vec<String>,

    /// How long an access token lives, in minutes.
    #[arg(long, value_name = "JWT_ACCESS_TOKEN_EXPIRE_MINUTES", default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub(super) jwt_access_token_expire_minutes: u32,

    /// Who may register [default: open on a loopback HOST, else closed]
    #[arg(long, value_name = "REGISTRATION")]
    pub(super) registration: Option<RegistrationSetting>,

    /// Further origins whose pages may talk to the server, separated by commas.
    #[arg(long, value_name = "ALLOWED_ORIGINS", value_delimiter = ',')]
    pub(super) allowed_origins: Vec<String>,

    /// Addresses or networks of proxies whose forwarding headers are believed, separated by commas.
    #[arg(long, value_name = "TRUSTED_PROXIES", value_delimiter = ',', value_parser = parse_network)]
    pub(super) trusted_proxies: Vec<IpNet>,

    /// `off` lifts all rate limits and socket caps, for load runs on a loopback HOST.
    #[arg(long, value_name = "RATE_LIMITS", default_value = "on")]
    pub(super) rate_limits: Switch,

    /// What is logged: a level, or levels by module.
    #[arg(long, value_name = "RUST_LOG", default_value = "info")]
    pub(super) rust_log: String,

    /// How it is logged.
    #[arg(long, value_name = "LOG_FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,

    /// Where traces go: a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318 [default: nowhere]
    #[arg(long, value_name = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub(super) otel_exporter_otlp_endpoint: Option<String>,
}

/// Is what a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything, in one process.
    All,
    /// The one entry: hands requests on to the two others.
    Gateway,
    /// Accounts and sessions.
    Auth,
    /// Rooms and sockets.
    Conference,
}

impl Role {
    /// Is its name, as it is configured.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Gateway => "gateway",
            Self::Auth => "auth",
            Self::Conference => "conference",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RegistrationSetting {
    Open,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Switch {
    On,
    Off,
}

/// Is how log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn parse_host(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse().map_err(|_| "must be an IP address or localhost".to_owned())
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpAddr>()
        .map(IpNet::from)
        .or_else(|_| text.parse::<IpNet>())
        .map_err(|_| "must be an IP address or a network such as 10.0.0.0/8".to_owned())
}
