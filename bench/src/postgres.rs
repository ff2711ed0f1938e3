//! The Postgres that `with-postgres.sh --fsync` started, and pgbench on it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, ensure};
use tokio::process::Command;

/// How many clients pgbench has: as many as ours, and as many as serve it best.
const CLIENTS: [u32; 2] = [64, 16];

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Makes a fresh database and gives its URL.
pub(crate) async fn fresh_database() -> anyhow::Result<String> {
    let name = format!("bench_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let url = url()?;
    run("psql", &["--quiet", "--dbname", &url, "--command", &format!("CREATE DATABASE {name}")]).await?;
    let (base, _) = url.rsplit_once('/').context("TEST_DATABASE_URL is not a URL")?;
    Ok(format!("{base}/{name}"))
}

/// Measures how many transactions a second pgbench commits that do what storing one message takes:
/// give the next number of a room out of `rooms`, and insert. The better of its two counts of clients.
pub(crate) async fn pgbench(database: &str, rooms: &[i64], span: Duration) -> anyhow::Result<f64> {
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("message.sql");
    let mut text = String::new();
    // Any of the rooms, as they may have any ids.
    let first = rooms.first().context("no room")?;
    ensure!(rooms.windows(2).all(|pair| pair[1] == pair[0] + 1), "the rooms' ids are not in a row");
    let last = first + i64::try_from(rooms.len())? - 1;
    write!(
        text,
        "\\set room random({first}, {last})\nBEGIN;\n\
         UPDATE rooms SET last_seq = last_seq + 1 WHERE id = :room RETURNING last_seq AS seq \\gset\n\
         INSERT INTO messages (room_id, seq, user_id, content, client_msg_id, created_at, rev) \
         SELECT :room, :seq, owner_id, 'Durable as a promise', gen_random_uuid()::text, 0, 0 FROM rooms WHERE id = :room;\n\
         COMMIT;\n"
    )?;
    fs::write(&script, text)?;
    let mut best: f64 = 0.0;
    for clients in CLIENTS {
        let (clients, seconds) = (clients.to_string(), span.as_secs().to_string());
        let file = script.to_string_lossy();
        let printed =
            run("pgbench", &["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-f", &file, database])
                .await?;
        let tps = printed.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        best = best.max(tps.context("pgbench printed no tps")?);
    }
    Ok(best)
}

fn url() -> anyhow::Result<String> {
    env::var("TEST_DATABASE_URL").context("run this under tests/harness/with-postgres.sh --fsync, as make bench does")
}

/// Runs one of Postgres's programs, and gives what it printed.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let path = env::var("POSTGRES_BIN").map(PathBuf::from).unwrap_or_default().join(program);
    let output = Command::new(path).args(arguments).output().await.with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
