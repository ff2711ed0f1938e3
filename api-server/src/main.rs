//! `cloudmeet-api-server`: reads the configuration and does what it is told.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Context as _;
use cloudmeet_api_server::config::{Command, Config, LogFormat};
use cloudmeet_api_server::{healthcheck, roles, server, web_ui};
use tracing_subscriber::EnvFilter;
use url::Url;

fn main() -> ExitCode {
    let outcome = Config::from_process().and_then(|(command, config)| run(command, &config));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line: the causes follow the message that names the setting or the place.
            eprintln!("cloudmeet-api-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    match command {
        Command::Openapi => {
            println!("{}", roles::openapi());
            Ok(())
        }
        Command::WebUi { directory } => web_ui::export(&directory),
        Command::Healthcheck { url } => {
            let url = url.unwrap_or_else(|| format!("http://{}/health", config.listen));
            let url = Url::parse(&url).with_context(|| format!("{url} is not a URL"))?;
            runtime()?.block_on(healthcheck::check(&url))
        }
        Command::Serve => {
            start_log(config)?;
            raise_descriptor_limit();
            runtime()?.block_on(server::serve(config))
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")
}

/// Takes as many file descriptors as the system allows: each connection needs one, and shells give few.
fn raise_descriptor_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log_filter)
        .with_context(|| format!("RUST_LOG {} is not a log filter", config.log_filter))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
