//! One backup or restore in a process of its own, so that its memory is nobody else's.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use cloudmeet_store::Location;
use cloudmeet_store::data::{Databases, Progress, backup, restore};
use serde_json::json;

/// Says what to do, with which databases.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataArguments {
    work: DataWork,
    /// The backup.
    file: PathBuf,
    /// A directory with SQLite files, or the URL of a Postgres.
    place: String,
}

/// Says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataWork {
    Backup,
    Restore,
}

/// Is where the databases of a place are.
pub(crate) fn databases(place: &str) -> Databases {
    let location = |name: &str| {
        if place.starts_with("postgres:") {
            Location::Postgres { url: place.to_owned(), setting: "the place" }
        } else {
            Location::Sqlite(PathBuf::from(place).join(name))
        }
    };
    Databases { auth: location("auth.db"), conference: location("conference.db") }
}

/// Does it, and prints how long it took and how much memory more than at its beginning.
pub(crate) async fn run(arguments: DataArguments) -> anyhow::Result<()> {
    let DataArguments { work, file, place } = arguments;
    let databases = databases(&place);
    let (before, began) = (memory("VmRSS:")?, Instant::now());
    let mut watch = |_: Progress| {};
    match work {
        DataWork::Backup => drop(backup(&databases, &file, &mut watch).await?),
        DataWork::Restore => drop(restore(&file, &databases, &mut watch).await?),
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", json!({ "seconds": seconds, "grown_kib": memory("VmHWM:")?.saturating_sub(before) }));
    Ok(())
}

/// Reads how much memory this process holds, or has held at most, in KiB.
fn memory(field: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)).context("no such field")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
