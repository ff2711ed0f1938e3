//! Configuration: built-in default < file < environment < flag.
//!
//! `settings` is the one table of names, defaults and explanations; what is here turns it into
//! values that the rest of the server can rely on.

mod settings;
mod sources;

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use cloudmeet_core::account::{FirstAdministrator, Registration};
use cloudmeet_core::crypto;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::Location;
use ipnet::IpNet;
use url::Url;

pub use settings::{Command, LogFormat, Role};
use settings::{RegistrationSetting, Settings, Switch};

use crate::rate_limit::RateLimits;
use crate::secret::Secret;

/// Secrets that stand in public documents: everybody knows them.
const EXAMPLE_SECRETS: [&str; 6] =
    ["super-secret", "your-production-secret", "your-secure-password", "cloudmeet-secret", "change-me", "changeme"];

/// What may stand behind the `?` of a database's URL: what is misspelt would be passed over.
const DATABASE_PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The shortest secret that signs tokens (RFC 7518, 3.2: as long as the hash).
const MIN_SECRET_BYTES: usize = 32;

/// Is everything that the server is told from outside, judged.
#[derive(Debug, Clone)]
pub struct Config {
    /// What it does.
    pub role: Role,
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where it is reached when nobody says otherwise; known once it listens.
    pub own_url: Option<Url>,
    /// Who reaches it, and under which names.
    pub exposure: Exposure,
    /// Further origins whose pages may talk to it.
    pub allowed_origins: Vec<Url>,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Its own directory.
    pub data_dir: PathBuf,
    /// Where accounts are; `None`: a file of the data directory.
    pub auth_database: Option<Location>,
    /// Where rooms are; `None`: a file of the data directory.
    pub conference_database: Option<Location>,
    /// The Redis that servers hear of each other by; `None`: they look in the database alone.
    pub redis: Option<Secret>,
    /// How long a page that was read is kept.
    pub cache_ttl: Duration,
    /// The shared secret that signs tokens; `None`: Ed25519 keys of the store.
    pub jwt_secret: Option<Secret>,
    /// What services know each other by; it also seals the store's keys, so that several servers can
    /// open them. `None`, in `all` alone: a key file.
    pub internal_token: Option<Secret>,
    /// Where the servers of the role auth are.
    pub auth_service: Vec<Url>,
    /// Where the servers of the role conference are.
    pub conference_service: Vec<Url>,
    /// How long an access token lives.
    pub access_token_life: Span,
    /// Who may register.
    pub registration: Registration,
    /// Whether requests are limited.
    pub rate_limits: RateLimits,
    /// What is logged, in the syntax of `tracing`'s filter.
    pub log_filter: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// The collector that traces are sent to.
    pub otlp_endpoint: Option<Url>,
    /// What works but should not stay so.
    pub warnings: Vec<String>,
}

/// Says what a tool needs to know of a server's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Where the databases are, and which address stands in links.
    Databases,
    /// All of it.
    Everything,
}

/// Says where a tool finds an installation's databases.
#[derive(Debug, Clone)]
pub enum Place {
    /// Where a server of this environment finds them.
    Environment,
    /// Both in one database of Postgres.
    Postgres(Secret),
    /// In the files of a data directory.
    DataDir(PathBuf),
}

/// Says who can reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exposure {
    /// Only people of this machine.
    Local,
    /// Whoever knows this address; on loopback behind a proxy it may be unknown.
    Public(Option<Url>),
    /// The gateway, which answers for the names; people know it by this address, as far as this
    /// server was told.
    Inner(Option<Url>),
}

impl Config {
    /// Reads the command line, the environment and the file. Prints help or version and ends the
    /// process where that is asked for.
    ///
    /// # Errors
    /// The first setting that is unknown, malformed or unsafe, and why.
    pub fn from_process() -> anyhow::Result<(Command, Self)> {
        let (command, settings) = sources::read(std::env::args_os(), |name| std::env::var_os(name), |_| true)?;
        Ok((command, Self::judge(settings)?))
    }

    /// Reads what a server of this environment would be told, for a tool that works on its databases; what the
    /// tool itself is told comes first. What it does not need is not judged.
    ///
    /// # Errors
    /// As [`Config::from_process`].
    pub fn for_tool(place: &Place, needs: Needs) -> anyhow::Result<Self> {
        let mut arguments = vec![OsString::from("cloudmeet")];
        let mut flag = |name: &str, value: &OsStr| {
            let mut argument = OsString::from(name);
            argument.push("=");
            argument.push(value);
            arguments.push(argument);
        };
        match place {
            Place::Environment => {}
            Place::Postgres(url) => {
                for name in ["--database-url", "--auth-database-url", "--conference-database-url"] {
                    flag(name, OsStr::new(url.reveal()));
                }
            }
            Place::DataDir(path) => flag("--data-dir", path.as_os_str()),
        }
        let names_place = |name: &str| sources::names_database(name) || name == "DATA_DIR";
        let is_wanted = |name: &str| match (place, needs) {
            (Place::Postgres(_) | Place::DataDir(_), _) if names_place(name) => false,
            (_, Needs::Databases) => names_place(name) || ["PUBLIC_URL", "CONFIG_FILE"].contains(&name),
            (_, Needs::Everything) => true,
        };
        let environment = |name: &str| std::env::var_os(name).filter(|_| is_wanted(name));
        let (_, settings) = sources::read(arguments, environment, is_wanted)?;
        Self::judge(settings)
    }

    /// Is where the two databases are: accounts and rooms.
    #[must_use]
    pub fn databases(&self) -> (Location, Location) {
        let or_file = |location: &Option<Location>, file: &str| {
            location.clone().unwrap_or_else(|| Location::Sqlite(self.data_dir.join(file)))
        };
        (or_file(&self.auth_database, "auth.db"), or_file(&self.conference_database, "conference.db"))
    }

    /// Is how the first administrator comes to be.
    #[must_use]
    pub fn first_administrator(&self) -> FirstAdministrator {
        match self.exposure {
            Exposure::Local => FirstAdministrator::FirstAccount,
            Exposure::Public(_) | Exposure::Inner(_) => FirstAdministrator::SetupCode,
        }
    }

    /// Is the address that people type, where it is known.
    #[must_use]
    pub const fn public_url(&self) -> Option<&Url> {
        match &self.exposure {
            Exposure::Public(url) | Exposure::Inner(url) => url.as_ref(),
            Exposure::Local => None,
        }
    }

    /// Notes where it listens. Only one that does everything is reached there.
    #[must_use]
    pub fn listening_at(mut self, address: SocketAddr) -> Self {
        if self.role == Role::All && address.ip().is_loopback() {
            self.own_url = Url::parse(&format!("http://{address}")).ok();
        }
        self
    }

    /// Is what links begin with: the address that people type, or where it listens; `None` where neither is known.
    #[must_use]
    pub fn link_base(&self) -> Option<&Url> {
        self.public_url().or(self.own_url.as_ref())
    }

    /// Says whether people come by https, so that cookies can be bound to it.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.public_url().is_some_and(|url| url.scheme() == "https")
    }

    fn judge(settings: Settings) -> anyhow::Result<Self> {
        let host = settings.host;
        let mut warnings = Vec::new();
        let public_url = settings.public_url.as_deref().map(parse_public_url).transpose()?;
        let is_inner = matches!(settings.role, Role::Auth | Role::Conference);
        ensure!(
            host.is_loopback() || public_url.is_some() || is_inner,
            "PUBLIC_URL is required when HOST ({host}) is not loopback: set it to the address people type, \
             such as https://meet.example.org"
        );
        if let Some(url) = &public_url
            && url.scheme() == "http"
            && !is_loopback_name(url)
        {
            warnings.push(format!("PUBLIC_URL {url} is not https: passwords cross the network in the clear"));
        }
        ensure!(
            settings.rate_limits == Switch::On || host.is_loopback(),
            "RATE_LIMITS=off is for load runs on a loopback HOST only, and HOST is {host}"
        );
        if settings.role == Role::Auth && public_url.is_none() {
            warnings.push("PUBLIC_URL is not set: refresh cookies are not bound to https".to_owned());
        }
        let exposure = if is_inner {
            Exposure::Inner(public_url)
        } else if host.is_loopback() && public_url.is_none() && settings.trusted_proxies.is_empty() {
            Exposure::Local
        } else {
            Exposure::Public(public_url)
        };
        let registration = match settings.registration {
            Some(RegistrationSetting::Open) => Registration::Open,
            Some(RegistrationSetting::Closed) => Registration::Closed,
            None if host.is_loopback() => Registration::Open,
            None => Registration::Closed,
        };
        let (auth_database, conference_database) = databases(&settings)?;
        let jwt_secret = settings.jwt_secret_key.map(|secret| strong("JWT_SECRET_KEY", secret)).transpose()?;
        let internal_token = match settings.internal_token {
            Some(token) => Some(strong("INTERNAL_TOKEN", token)?),
            None => jwt_secret.as_ref().map(derive_internal_token),
        };
        ensure!(
            internal_token.is_some() || !is_inner,
            "INTERNAL_TOKEN is required in the roles auth and conference, by which they know each other: \
             make one with `openssl rand -hex 32` and give it to both"
        );
        let services = |name: &str, urls: &[String], roles: &[Role]| {
            ensure!(
                !urls.is_empty() || !roles.contains(&settings.role),
                "{name} is required in this role: set it to where those servers are, such as http://host:8000"
            );
            urls.iter().map(|url| parse_service_url(name, url)).collect::<anyhow::Result<Vec<Url>>>()
        };
        let auth_service =
            services("AUTH_SERVICE_URL", &settings.auth_service_url, &[Role::Gateway, Role::Conference])?;
        let conference_service =
            services("CONFERENCE_SERVICE_URL", &settings.conference_service_url, &[Role::Gateway])?;
        Ok(Self {
            role: settings.role,
            listen: SocketAddr::new(host, settings.port.unwrap_or_else(|| default_port(settings.role))),
            own_url: None,
            exposure,
            allowed_origins: settings
                .allowed_origins
                .iter()
                .map(|origin| parse_origin("ALLOWED_ORIGINS", origin))
                .collect::<Result<_, _>>()?,
            trusted_proxies: settings.trusted_proxies,
            data_dir: match settings.data_dir {
                Some(path) => path,
                None => platform_data_dir()?,
            },
            auth_database,
            conference_database,
            redis: redis(settings.redis_url, settings.redis_host.as_deref(), settings.redis_port, settings.redis_db)?,
            cache_ttl: Duration::from_secs(settings.cache_ttl_seconds.into()),
            jwt_secret,
            internal_token,
            auth_service,
            conference_service,
            access_token_life: Span::minutes(settings.jwt_access_token_expire_minutes),
            registration,
            rate_limits: match settings.rate_limits {
                Switch::On => RateLimits::On,
                Switch::Off => RateLimits::Off,
            },
            log_filter: settings.rust_log,
            log_format: settings.log_format,
            otlp_endpoint: settings.otel_exporter_otlp_endpoint.as_deref().map(parse_collector).transpose()?,
            warnings,
        })
    }
}

/// Finds the two databases: each by its own URL, both by one, or by the parts of one.
fn databases(settings: &Settings) -> anyhow::Result<(Option<Location>, Option<Location>)> {
    let location = |name: &'static str, url: &Secret| -> anyhow::Result<Location> {
        let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| url.reveal().starts_with(scheme));
        ensure!(is_postgres, "{name} must begin with postgres:// (without it, SQLite in DATA_DIR is used)");
        let parsed = Url::parse(url.reveal()).ok().with_context(|| format!("{name} is not a URL"))?;
        let is_known = |parameter: &str| {
            DATABASE_PARAMETERS.contains(&parameter) || (parameter.starts_with("options[") && parameter.ends_with(']'))
        };
        if let Some((unknown, _)) = parsed.query_pairs().find(|(parameter, _)| !is_known(parameter)) {
            bail!("{name} has the unknown parameter {unknown}");
        }
        Ok(Location::Postgres { url: url.reveal().to_owned(), setting: name })
    };
    let shared = match (&settings.database_url, &settings.postgres_host) {
        (Some(url), _) => Some((location("DATABASE_URL", url)?, location("DATABASE_URL", url)?)),
        (None, Some(host)) => {
            Some((from_parts(settings, host, "cloudmeet_auth")?, from_parts(settings, host, "cloudmeet_conference")?))
        }
        (None, None) => None,
    };
    let (auth, conference) = shared.unzip();
    let own = |name: &'static str, url: &Option<Secret>| url.as_ref().map(|url| location(name, url)).transpose();
    Ok((
        own("AUTH_DATABASE_URL", &settings.auth_database_url)?.or(auth),
        own("CONFERENCE_DATABASE_URL", &settings.conference_database_url)?.or(conference),
    ))
}

fn from_parts(settings: &Settings, host: &str, database: &str) -> anyhow::Result<Location> {
    let mut url = Url::parse("postgres://localhost").context("a constant")?;
    let database = settings.postgres_db.as_deref().unwrap_or(database);
    let refused = |()| anyhow::anyhow!("POSTGRES_HOST, POSTGRES_USER or POSTGRES_PASSWORD cannot stand in a URL");
    url.set_host(Some(host)).context("POSTGRES_HOST is not a host name")?;
    url.set_port(Some(settings.postgres_port)).map_err(refused)?;
    url.set_username(&settings.postgres_user).map_err(refused)?;
    url.set_password(settings.postgres_password.as_ref().map(Secret::reveal)).map_err(refused)?;
    url.set_path(database);
    Ok(Location::Postgres { url: url.into(), setting: "POSTGRES_HOST, POSTGRES_USER, POSTGRES_PASSWORD" })
}

/// Finds Redis by its URL, or by its parts.
fn redis(url: Option<Secret>, host: Option<&str>, port: u16, database: u32) -> anyhow::Result<Option<Secret>> {
    if let Some(url) = url {
        let parsed = Url::parse(url.reveal()).ok();
        ensure!(
            parsed.is_some_and(|parsed| parsed.scheme() == "redis" && parsed.has_host()),
            "REDIS_URL must be of the form redis://[user[:password]@]host[:port][/database]"
        );
        return Ok(Some(url));
    }
    let Some(host) = host else { return Ok(None) };
    let url = Url::parse(&format!("redis://{host}:{port}/{database}"))
        .ok()
        .filter(|url| url.username().is_empty() && url.path() == format!("/{database}"));
    Ok(Some(Secret::new(url.context("REDIS_HOST is not a host name")?.into())))
}

const fn default_port(role: Role) -> u16 {
    match role {
        Role::All | Role::Gateway => 8000,
        Role::Auth => 8001,
        Role::Conference => 8002,
    }
}

/// Makes the token of servers that share a signing secret and nothing else.
fn derive_internal_token(secret: &Secret) -> Secret {
    let token = OpaqueToken::from_random(crypto::authenticate(secret.reveal().as_bytes(), "cloudmeet: internal token"));
    Secret::new(token.reveal().to_owned())
}

fn parse_service_url(name: &str, text: &str) -> anyhow::Result<Url> {
    let url = parse_origin(name, text.trim())?;
    ensure!(url.scheme() == "http", "{name} {url} must begin with http://: services speak on a network of their own");
    Ok(url)
}

fn parse_collector(text: &str) -> anyhow::Result<Url> {
    let shown = without_login(text);
    let url = Url::parse(text).with_context(|| format!("OTEL_EXPORTER_OTLP_ENDPOINT {shown} is not a URL"))?;
    ensure!(
        url.scheme() == "http" && url.has_host(),
        "OTEL_EXPORTER_OTLP_ENDPOINT {shown} must begin with http://, such as that of a collector beside this server"
    );
    Ok(url)
}

fn parse_public_url(text: &str) -> anyhow::Result<Url> {
    parse_origin("PUBLIC_URL", text)
}

/// Reads scheme, host and port; anything more would be left out silently, so it is refused.
fn parse_origin(name: &str, text: &str) -> anyhow::Result<Url> {
    let shown = without_login(text);
    let url = Url::parse(text).with_context(|| format!("{name} {shown} is not a URL"))?;
    ensure!(matches!(url.scheme(), "http" | "https"), "{name} {shown} must begin with http:// or https://");
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    ensure!(is_bare, "{name} {shown} must be scheme, host and port only, such as https://meet.example.org");
    Ok(url)
}

fn is_loopback_name(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Shows of an address all but who logs in by it.
fn without_login(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, place)| place)
}

/// Refuses a secret that can be guessed.
fn strong(name: &str, secret: Secret) -> anyhow::Result<Secret> {
    // However it is spelt, and whatever was put around it.
    let text = secret.reveal().trim();
    let plain = text.to_lowercase().replace('_', "-");
    if EXAMPLE_SECRETS.iter().any(|example| plain.contains(example)) {
        bail!("{name} is an example from a document that everybody can read: make one with `openssl rand -hex 32`");
    }
    ensure!(
        text.len() >= MIN_SECRET_BYTES,
        "{name} has {} bytes and needs at least {MIN_SECRET_BYTES}: make one with `openssl rand -hex 32`",
        text.len()
    );
    Ok(secret)
}

fn platform_data_dir() -> anyhow::Result<PathBuf> {
    use etcetera::BaseStrategy as _;
    let strategy = etcetera::choose_base_strategy().context("there is no home directory: set DATA_DIR")?;
    Ok(strategy.data_dir().join("cloudmeet"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(environment: &[(&str, &str)]) -> anyhow::Result<Config> {
        let lookup = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| std::ffi::OsString::from(value))
        };
        let arguments = [std::ffi::OsString::from("cloudmeet-api-server")];
        sources::read(arguments, lookup, |_| true).and_then(|(_, settings)| Config::judge(settings))
    }

    fn refusal(environment: &[(&str, &str)]) -> String {
        judged(environment).map(|_| ()).expect_err("refused").to_string()
    }

    #[test]
    fn without_configuration_only_this_machine_reaches_the_server() {
        let config = judged(&[]).expect("sound");
        assert_eq!(config.exposure, Exposure::Local);
        assert_eq!(config.registration, Registration::Open);
        assert_eq!(config.first_administrator(), FirstAdministrator::FirstAccount);
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert!(config.auth_database.is_none() && config.conference_database.is_none());
    }

    #[test]
    fn a_public_server_needs_its_address_and_keeps_registration_closed() {
        assert!(refusal(&[("HOST", "0.0.0.0")]).contains("PUBLIC_URL"));
        let config = judged(&[("HOST", "0.0.0.0"), ("PUBLIC_URL", "https://meet.example.org")]).expect("sound");
        assert_eq!(config.registration, Registration::Closed);
        assert!(config.is_secure() && config.warnings.is_empty());
        let clear = judged(&[("HOST", "0.0.0.0"), ("PUBLIC_URL", "http://meet.example.org")]).expect("sound");
        assert_eq!(clear.warnings.len(), 1);
    }

    #[test]
    fn a_proxy_in_front_ends_local_trust() {
        let config = judged(&[("TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")]).expect("sound");
        assert_eq!(config.first_administrator(), FirstAdministrator::SetupCode);
        assert_eq!(config.trusted_proxies.len(), 2);
    }

    #[test]
    fn secrets_that_can_be_guessed_are_refused() {
        assert!(refusal(&[("JWT_SECRET_KEY", "short")]).contains("JWT_SECRET_KEY"));
        let example = "super-secret-jwt-key-change-in-production";
        assert!(refusal(&[("JWT_SECRET_KEY", example)]).contains("example"));
        assert!(judged(&[("JWT_SECRET_KEY", &"k".repeat(32))]).is_ok());
    }

    #[test]
    fn malformed_values_are_refused_by_name() {
        for (name, value) in [
            ("PORT", "eighty"),
            ("HOST", "nowhere"),
            ("ROLE", "queen"),
            ("PUBLIC_URL", "https://meet.example.org/path"),
            ("DATABASE_URL", "mysql://x"),
            ("TRUSTED_PROXIES", "10.0.0.0/99"),
            ("REGISTRATION", "maybe"),
            ("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ] {
            let flag = name.to_lowercase().replace('_', "-");
            let refusal = refusal(&[(name, value)]);
            assert!(refusal.contains(name) || refusal.contains(&flag), "{name}: {refusal}");
        }
    }

    #[test]
    fn databases_come_from_one_url_two_or_parts() {
        let both = judged(&[("DATABASE_URL", "postgres://u:p@db/x")]).expect("sound");
        assert!(both.auth_database.is_some() && both.conference_database.is_some());
        let parts = judged(&[("POSTGRES_HOST", "db"), ("POSTGRES_PASSWORD", "p@ss:w/rd")]).expect("sound");
        match parts.auth_database {
            Some(Location::Postgres { url, .. }) => {
                assert_eq!(url, "postgres://cloudmeet:p%40ss%3Aw%2Frd@db:5432/cloudmeet_auth");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn redis_comes_from_a_url_or_parts() {
        assert!(judged(&[("REDIS_PORT", "7000")]).expect("sound").redis.is_none());
        let parts = judged(&[("REDIS_HOST", "redis"), ("REDIS_DB", "3")]).expect("sound");
        assert_eq!(parts.redis.expect("by its host").reveal(), "redis://redis:6379/3");
        let url = judged(&[("REDIS_URL", "redis://:word@[::1]:7000/1"), ("REDIS_HOST", "other")]).expect("sound");
        assert_eq!(url.redis.expect("by its URL").reveal(), "redis://:word@[::1]:7000/1");
        for bad in ["localhost:6379", "http://redis", "redis:///1"] {
            assert!(refusal(&[("REDIS_URL", bad)]).contains("REDIS_URL"), "{bad}");
        }
        assert!(!refusal(&[("REDIS_URL", "http://:hush@redis")]).contains("hush"));
        for bad in ["user@host", "host/path", "host name"] {
            assert!(refusal(&[("REDIS_HOST", bad)]).contains("REDIS_HOST"), "{bad}");
        }
    }

    #[test]
    fn a_part_needs_the_others_and_what_they_share() {
        let token = "t".repeat(32);
        assert!(refusal(&[("ROLE", "auth")]).contains("INTERNAL_TOKEN"));
        let conference = [("ROLE", "conference"), ("INTERNAL_TOKEN", token.as_str())];
        assert!(refusal(&conference).contains("AUTH_SERVICE_URL"));
        let gateway = [("ROLE", "gateway"), ("AUTH_SERVICE_URL", "http://auth:8000")];
        assert!(refusal(&gateway).contains("CONFERENCE_SERVICE_URL"));
        assert!(refusal(&[("ROLE", "auth"), ("INTERNAL_TOKEN", "short")]).contains("INTERNAL_TOKEN"));
        let path = [("ROLE", "gateway"), ("AUTH_SERVICE_URL", "http://auth:8000/api")];
        assert!(refusal(&path).contains("AUTH_SERVICE_URL"));
        let auth =
            judged(&[("ROLE", "auth"), ("HOST", "0.0.0.0"), ("JWT_SECRET_KEY", &"k".repeat(32))]).expect("sound");
        assert_eq!((auth.listen.port(), auth.exposure.clone()), (8001, Exposure::Inner(None)));
        assert_eq!(auth.first_administrator(), FirstAdministrator::SetupCode);
        let derived = auth.internal_token.expect("derived");
        assert!(!derived.reveal().contains("kkkk") && derived.reveal().len() >= MIN_SECRET_BYTES);
        let several = [
            ("ROLE", "gateway"),
            ("AUTH_SERVICE_URL", "http://a:1"),
            ("CONFERENCE_SERVICE_URL", "http://b:2, http://[::1]:3"),
        ];
        let gateway = judged(&several).expect("sound");
        assert_eq!((gateway.conference_service.len(), gateway.exposure), (2, Exposure::Local));
    }

    #[test]
    fn limits_can_be_lifted_on_loopback_only() {
        assert!(judged(&[("RATE_LIMITS", "off")]).is_ok());
        let public = [("RATE_LIMITS", "off"), ("HOST", "0.0.0.0"), ("PUBLIC_URL", "https://a.b")];
        assert!(refusal(&public).contains("RATE_LIMITS"));
    }
}
