//! `cloudmeet-operator`: looks after rooms that a Kubernetes cluster describes.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use cloudmeet_operator::config::{Cli, Command};
use cloudmeet_operator::{crd, operator, telemetry};

/// What a rush of resources has freed goes back to the system.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloudmeet-operator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Crd => crd::print(),
        Command::Run(config) => {
            telemetry::start(&config)?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .context("cannot start the runtime")?;
            runtime.block_on(operator::run(&config))
        }
    }
}
