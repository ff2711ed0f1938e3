//! `cloudmeet-bench`: measures the server against references on the same machine.
//!
//! Each figure is a ratio of two measurements taken one after the other; both are printed, and nothing
//! is asserted. `make bench` builds everything with the profile that is shipped and runs it.

mod bare;
mod data;
mod figures;
mod http;
mod load;
mod patches;
mod postgres;
mod process;
mod report;
mod socket;
mod system;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::report::Report;

/// Measures CloudMeet against references on this machine.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The server to measure; the one beside this program if none is named.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Only figures whose group has this in its name.
    #[arg(long, value_name = "GROUP")]
    only: Option<String>,
    /// How long each measurement takes, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
    /// The file whose table between `<!-- bench -->` and `<!-- /bench -->` is written anew.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve what the reads are compared with: an axum route with the same answer and check of tokens.
    BareHttp(bare::HttpArguments),
    /// Serve what the fan-out is compared with: a broadcast to sockets.
    BareSockets,
    /// Back up or restore once, and say how long it took and how much memory.
    Data(data::DataArguments),
    /// Patch Rooms of a Kubernetes as fast as it takes them.
    Patches(patches::PatchArguments),
}

/// Is what every figure is measured with.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    /// The server to measure.
    server: PathBuf,
    /// How long a measurement takes.
    span: Duration,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Thousands of sockets; where the system gives fewer, the figure that needs them says so.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloudmeet-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::BareHttp(arguments)) => return bare::serve_http(arguments).await,
        Some(Command::BareSockets) => return bare::serve_sockets().await,
        Some(Command::Data(arguments)) => return data::run(arguments).await,
        Some(Command::Patches(arguments)) => return patches::run(arguments).await,
        None => {}
    }
    let server = match cli.server {
        Some(server) => server,
        None => std::env::current_exe()?.with_file_name("cloudmeet-api-server"),
    };
    let bench = Bench {
        server: server.canonicalize().with_context(|| format!("there is no {}", server.display()))?,
        span: Duration::from_secs(cli.seconds),
    };
    let mut report = Report::new();
    let is_wanted = |group: &str| cli.only.as_ref().is_none_or(|only| group.contains(only.as_str()));
    for (group, measure) in figures::GROUPS {
        if is_wanted(group) {
            eprintln!("{group} …");
            measure(bench.clone(), &mut report).await.with_context(|| (*group).to_owned())?;
        }
    }
    println!("{}", report.table());
    if let Some(file) = cli.write {
        report.write_into(&file)?;
    }
    Ok(())
}
