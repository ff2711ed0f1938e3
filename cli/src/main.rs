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

use crate::args::Cli;
use crate::failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(until_interrupted(cli)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                anstream::eprintln!("cloudmeet: {message}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Runs what is asked for; on Ctrl-C what is under way is dropped, and with it what it has begun and not finished.
async fn until_interrupted(cli: Cli) -> Result<(), Failure> {
    tokio::select! {
        outcome = commands::run(cli) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    }
}
