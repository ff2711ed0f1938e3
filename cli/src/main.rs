//! `cloudmeet`: the administrator's tool, in the manner of gh and kubectl.
//!
//! Each verb speaks the REST interface, and hears it from one of two sides: a server, over the network and as
//! whoever is logged in, or this very process, straight on the databases (`--direct`).

mod api;
mod args;
mod commands;
mod failure;
mod output;
mod profile;
mod prompt;
mod table;
mod target;
mod text;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Noun};
use crate::failure::{Failure, tell};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version go as they are; a mistake is told without what was typed steering the terminal.
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(mistake) => {
            let shown = text::plain(&mistake.render().to_string());
            let _ = std::io::Write::write_all(&mut std::io::stderr(), shown.as_bytes());
            return ExitCode::from(2);
        }
    };
    // The doctor says by itself what it finds.
    explain_faults(if matches!(cli.noun, Some(Noun::Doctor)) { "off" } else { "warn" });
    let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let outcome = runtime.block_on(until_interrupted(cli));
            // Somebody may still be asked something on a thread of its own.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                tell(&message);
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Runs what is asked for; on Ctrl-C what is under way is dropped, and with it what it has begun and not finished.
async fn until_interrupted(cli: Cli) -> Result<(), Failure> {
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        outcome = commands::run(cli) => outcome,
    }
}

/// Says on standard error what stands behind a fault of the databases: in direct mode there is no server's log.
fn explain_faults(usually: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usually));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    lines.without_time().with_target(false).compact().init();
}
