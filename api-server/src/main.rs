//! `cloudmeet-api-server`: reads the configuration and does what it is told.

use std::process::ExitCode;

use anyhow::Context as _;
use cloudmeet_api_server::config::{Command, Config};
use cloudmeet_api_server::{healthcheck, roles, server, telemetry, web_ui};
use url::Url;

/// Small answers are quick, and what many requests have freed goes back to the system.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
        Command::RotateKeys => {
            println!("{}", runtime()?.block_on(roles::rotate_keys(config))?);
            Ok(())
        }
        Command::Serve => {
            let _telemetry = telemetry::start(config)?;
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
