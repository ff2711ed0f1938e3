//! Backups and restores of a long history, against what the databases themselves offer for it.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use cloudmeet_store::data::{Part, migrate};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::process::Command;

use crate::Bench;
use crate::data::databases;
use crate::postgres::{fresh_database, run};
use crate::report::Report;

const MESSAGES: f64 = 1_000_000.0;

const ROOMS: &str = "INSERT INTO rooms (id, name, search_text, owner_id, is_active, visibility, capacity, lobby, last_seq, rev, \
                     created_at, last_activity_at) SELECT n, 'Room', 'room', 1, TRUE, 'public', 50, FALSE, 100000, 0, 1, 1 FROM ";

pub(super) async fn measure(_: Bench, report: &mut Report) -> anyhow::Result<()> {
    sqlite(report).await?;
    postgres(report).await
}

async fn sqlite(report: &mut Report) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let place = |name: &str| directory.path().join(name);
    let (full, restored) = (place("full"), place("restored"));
    for made in [&full, &restored] {
        std::fs::create_dir(made)?;
    }
    let name = full.to_str().context("a directory in UTF-8")?;
    make_tables(name).await?;
    let mut connection = SqliteConnectOptions::new().filename(full.join("conference.db")).connect().await?;
    let rooms = "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 10) SELECT n FROM s) AS s";
    let messages = "INSERT INTO messages (room_id, seq, user_id, content, client_msg_id, created_at, rev) \
        WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 999999) \
        SELECT n % 10 + 1, n / 10 + 1, n % 7 + 1, 'Line ' || n || ' of what was planned by everybody who was there', \
        lower(hex(randomblob(16))), n, 0 FROM s";
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{ROOMS}{rooms}; {messages}"))).execute(&mut connection).await?;
    connection.close().await?;

    let mut reference = f64::MAX;
    let mut ours = [Measured::WORST; 2];
    // The better of two, taken in turns: what one writes may still be on its way to the disk while the next begins.
    for round in 0..2 {
        let picture = place(&format!("picture-{round}"));
        let mut connection = SqliteConnectOptions::new().filename(full.join("conference.db")).connect().await?;
        let began = Instant::now();
        let into = picture.to_str().context("a directory in UTF-8")?;
        sqlx::query("VACUUM INTO $1").bind(into).execute(&mut connection).await?;
        std::fs::File::open(&picture)?.sync_all()?;
        reference = reference.min(began.elapsed().as_secs_f64());
        connection.close().await?;
        std::fs::remove_file(&picture)?;
        let file = place(&format!("backup-{round}"));
        let target = place(&format!("restored-{round}"));
        std::fs::create_dir(&target)?;
        ours[0].better(measured("backup", &file, name).await?);
        ours[1].better(measured("restore", &file, target.to_str().context("a directory in UTF-8")?).await?);
        std::fs::remove_file(&file)?;
        std::fs::remove_dir_all(&target)?;
    }
    tell(report, ours, [reference; 2], ["VACUUM INTO", "VACUUM INTO"], "SQLite");
    Ok(())
}

async fn postgres(report: &mut Report) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let full = fresh_database().await?;
    make_tables(&full).await?;
    let messages = "INSERT INTO messages (room_id, seq, user_id, content, client_msg_id, created_at, rev) \
        SELECT n % 10 + 1, n / 10 + 1, n % 7 + 1, 'Line ' || n || ' of what was planned by everybody who was there', \
        gen_random_uuid()::text, n, 0 FROM generate_series(0, 999999) AS n";
    let fill = format!("{ROOMS} generate_series(1, 10) AS n; {messages}; CHECKPOINT; ANALYZE");
    let fill: Vec<&str> = fill.split("; ").flat_map(|statement| ["--command", statement]).collect();
    run("psql", &[&["--quiet", "--dbname", &full][..], &fill].concat()).await?;

    let mut references = [f64::MAX; 2];
    let mut ours = [Measured::WORST; 2];
    for round in 0..2 {
        let dump = directory.path().join(format!("dump-{round}"));
        let dump = dump.to_str().context("a directory in UTF-8")?;
        let began = Instant::now();
        run("pg_dump", &["--format=custom", "--compress=0", "--file", dump, &full]).await?;
        references[0] = references[0].min(began.elapsed().as_secs_f64());
        let target = fresh_database().await?;
        let began = Instant::now();
        run("pg_restore", &["--no-owner", "--single-transaction", "--dbname", &target, dump]).await?;
        references[1] = references[1].min(began.elapsed().as_secs_f64());
        let file = directory.path().join(format!("backup-{round}"));
        ours[0].better(measured("backup", &file, &full).await?);
        ours[1].better(measured("restore", &file, &fresh_database().await?).await?);
    }
    tell(report, ours, references, ["pg_dump", "pg_restore"], "Postgres");
    Ok(())
}

async fn make_tables(place: &str) -> anyhow::Result<()> {
    let databases = databases(place);
    for part in [Part::Auth, Part::Conference] {
        migrate(part, databases.location(part)).await?;
    }
    Ok(())
}

/// Is what one process took.
#[derive(Debug, Clone, Copy)]
struct Measured {
    seconds: f64,
    grown_mib: f64,
}

impl Measured {
    const WORST: Self = Self { seconds: f64::MAX, grown_mib: 0.0 };

    /// Keeps the shorter time, and the most memory.
    fn better(&mut self, other: Self) {
        self.seconds = self.seconds.min(other.seconds);
        self.grown_mib = self.grown_mib.max(other.grown_mib);
    }
}

async fn measured(work: &str, file: &Path, place: &str) -> anyhow::Result<Measured> {
    let output = Command::new(std::env::current_exe()?).args(["data", work]).arg(file).arg(place).output().await?;
    ensure!(output.status.success(), "{work}: {}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout)?;
    let number = |name: &str| told[name].as_f64().with_context(|| format!("no {name}"));
    Ok(Measured { seconds: number("seconds")?, grown_mib: number("grown_kib")? / 1024.0 })
}

fn tell(report: &mut Report, ours: [Measured; 2], references: [f64; 2], against: [&str; 2], store: &str) {
    for (index, what) in ["Backup", "Restore"].into_iter().enumerate() {
        let rates = (MESSAGES / ours[index].seconds, MESSAGES / references[index]);
        let title = format!("{what} of 1,000,000 messages, {store}");
        report.ratio(&title, rates, against[index], "messages/s", "≥ 0.5");
        let title = format!("Memory that the {} takes, {store}", what.to_lowercase());
        report.figure(&title, format!("{:.1} MiB", ours[index].grown_mib), "flat");
    }
}
