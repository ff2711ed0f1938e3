//! What somebody at a terminal waits for.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::Bench;
use crate::report::Report;
use crate::system::{PASSWORD, System};

/// How often each is called; the median counts.
const CALLS: usize = 41;

/// How many rooms there are to list.
const ROOMS: usize = 20;

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    let program = bench.server.with_file_name("cloudmeet");
    let size = fs::metadata(&program).with_context(|| format!("there is no {}", program.display()))?.len();
    let size_mib = f64::from(u32::try_from(size / 1024)?) / 1024.0;
    let system = System::on_sqlite(&bench).await?;
    let people = system.people(1).await?;
    for _ in 0..ROOMS {
        system.room(&people[0]).await?;
    }
    let home = tempfile::tempdir()?;
    let server = format!("http://{}", system.address());
    let login = ["login", "--server", &server, "--email", "user0@example.org", "--password-stdin"];
    call(&program, home.path(), &login, PASSWORD).await?;
    for (arguments, target) in [(&["rooms", "list"][..], "≤ 30 ms"), (&["--help"], "≤ 10 ms")] {
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            times.push(call(&program, home.path(), arguments, "").await?);
        }
        times.sort_unstable();
        let median_ms = times[CALLS / 2].as_secs_f64() * 1000.0;
        report.figure(&format!("`cloudmeet {}`", arguments.join(" ")), format!("{median_ms:.1} ms"), target);
    }
    report.figure("Size of `cloudmeet`", format!("{size_mib:.1} MiB"), "≤ 20 MiB");
    Ok(())
}

/// Calls the program and gives how long it took.
async fn call(program: &Path, home: &Path, arguments: &[&str], stdin: &str) -> anyhow::Result<Duration> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("HOME", home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut child = command.spawn()?;
    let mut input = child.stdin.take().context("it has a standard input")?;
    input.write_all(stdin.as_bytes()).await?;
    drop(input);
    let output = child.wait_with_output().await?;
    let took = began.elapsed();
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(took)
}
