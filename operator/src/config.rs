//! What the operator is told by its environment and its arguments.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::styling::Styles;
use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::controller::Scope;

/// Keeps the rooms of CloudMeet as `Room` resources of a Kubernetes cluster describe them.
#[derive(Debug, Parser)]
#[command(name = "cloudmeet-operator", version, styles = Styles::plain(), max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Is what the operator can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look after the rooms of a cluster until SIGTERM
    Run(Box<Config>),
    /// Print the custom resource definition
    Crd,
}

/// Is how the operator runs.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The CloudMeet server
    #[arg(long, env = "CLOUDMEET_URL", value_name = "URL", value_parser = parse_server)]
    pub cloudmeet_url: Url,
    /// A file with an API key of the scope rooms:manage; read anew at each use
    #[arg(long, env = "CLOUDMEET_API_KEY_FILE", value_name = "FILE")]
    pub cloudmeet_api_key_file: PathBuf,
    /// Certificates (PEM) to trust for an https server, instead of the system's
    #[arg(long, env = "CLOUDMEET_CA_FILE", value_name = "FILE")]
    cloudmeet_ca_file: Option<PathBuf>,
    /// What this cluster is called on the server: 1-128 of a-z, A-Z, 0-9, ., _ and - [default: the UID of kube-system]
    #[arg(long, env = "MANAGER", default_value = "", hide_default_value = true, value_parser = parse_manager)]
    manager: String,
    /// The namespaces to watch, separated by commas [default: all]
    #[arg(long, env = "WATCH_NAMESPACES", value_name = "NAMES", default_value = "", hide_default_value = true)]
    pub watch_namespaces: String,
    /// Where the lease lies by which one of several operators leads [default: the operator's own namespace]
    #[arg(long, env = "LEASE_NAMESPACE", value_name = "NAME", default_value = "", hide_default_value = true)]
    lease_namespace: String,
    /// What the lease is called
    #[arg(long, env = "LEASE_NAME", value_name = "NAME", default_value = "cloudmeet-operator")]
    pub lease_name: String,
    /// How long the lease is good without being renewed; 3-300
    #[arg(long, env = "LEASE_DURATION_SECONDS", value_name = "SECONDS", default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(3..=300))]
    pub lease_duration_seconds: u64,
    /// What this operator is called among several [default: the host's name and something random]
    #[arg(long, env = "POD_NAME", value_name = "NAME", default_value = "", hide_default_value = true)]
    pod_name: String,
    /// Where /metrics, /livez and /readyz are
    #[arg(long, env = "METRICS_ADDR", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub metrics_addr: SocketAddr,
    /// How often all rooms are compared with what describes them; 10-86400
    #[arg(long, env = "RESYNC_SECONDS", value_name = "SECONDS", default_value_t = 600,
        value_parser = clap::value_parser!(u64).range(10..=86_400))]
    pub resync_seconds: u64,
    /// What is logged
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    pub log_filter: String,
    /// How it is logged
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// Says what a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

// An empty variable counts as one that is not set.
impl Config {
    /// Gives what this cluster is called on the server; `None` when it is called by the UID of kube-system.
    #[must_use]
    pub fn manager(&self) -> Option<&str> {
        Some(self.manager.as_str()).filter(|name| !name.is_empty())
    }

    /// Gives where the lease lies; `None` for the operator's own namespace.
    #[must_use]
    pub fn lease_namespace(&self) -> Option<&str> {
        Some(self.lease_namespace.as_str()).filter(|name| !name.is_empty())
    }

    /// Gives what this operator is called; `None` when nobody says.
    #[must_use]
    pub fn pod_name(&self) -> Option<&str> {
        Some(self.pod_name.as_str()).filter(|name| !name.is_empty())
    }

    /// Gives the certificates to trust; `None` for the system's.
    #[must_use]
    pub fn authorities(&self) -> Option<&Path> {
        self.cloudmeet_ca_file.as_deref().filter(|path| !path.as_os_str().is_empty())
    }

    /// Says which namespaces are watched.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let mut names: Vec<String> = self
            .watch_namespaces
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { Scope::Cluster } else { Scope::Namespaces(names) }
    }

    /// Gives how often rooms are compared.
    #[must_use]
    pub const fn resync(&self) -> Duration {
        Duration::from_secs(self.resync_seconds)
    }
}

fn parse_server(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    match url.scheme() {
        "http" | "https" if url.has_host() && is_plain => Ok(url),
        _ => Err("an http:// or https:// address without credentials is needed".to_owned()),
    }
}

fn parse_manager(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    cloudmeet_core::managed::ManagerName::parse(text)
        .map(|name| name.as_str().to_owned())
        .map_err(|error| error.to_string())
}
