//! What the server takes when nothing happens.

use std::fs;
use std::time::Duration;

use tokio::time::sleep;

use crate::Bench;
use crate::process::Process;
use crate::report::Report;
use crate::socket::Socket;
use crate::system::System;

/// How many sign in before it is idle.
const LOGINS: usize = 100;

/// How long nothing has happened when memory is looked at.
const IDLE: Duration = Duration::from_secs(30);

const SOCKETS: usize = 10_000;

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    let system = System::on_sqlite(&bench).await?;
    let started_ms = system.entrances[0].started_in.as_millis();
    report.figure("From its start on an empty directory to ready", format!("{started_ms} ms"), "≤ 150 ms");
    let size_mib = mib(fs::metadata(&bench.server)?.len());
    report.figure("Size of the program with documentation and web UI", format!("{size_mib:.1} MiB"), "≤ 25 MiB");

    let parts = System::in_parts(&bench).await?;
    for system in [&system, &parts] {
        let people = system.people(LOGINS).await?;
        system.room(&people[0]).await?;
    }
    sleep(IDLE).await;
    let [gateway, conference, auth] = [&parts.entrances[0], &parts.inner[0], &parts.inner[1]];
    for (role, process) in
        [("all", &system.entrances[0]), ("gateway", gateway), ("auth", auth), ("conference", conference)]
    {
        let what = format!("Memory of role `{role}`, 30 s after 100 sign-ins");
        report.figure(&what, format!("{:.1} MiB", mib(process.resident_bytes()?)), "≤ 20 MiB");
    }
    drop(parts);
    let bytes = idle_sockets(&system).await?;
    report.figure("Memory of an idle socket, of 10,000", format!("{:.1} KiB", bytes / 1024.0), "≤ 12 KiB");
    Ok(())
}

/// Opens sockets and gives what the server takes for each, in bytes.
async fn idle_sockets(system: &System) -> anyhow::Result<f64> {
    let server: &Process = &system.entrances[0];
    let people = system.people(1).await?;
    let before = server.resident_bytes()?;
    let mut sockets = Vec::with_capacity(SOCKETS);
    for _ in 0..SOCKETS {
        sockets.push(Socket::open(server.address, &people[0]).await?);
    }
    let bytes = server.resident_bytes()?.saturating_sub(before);
    Ok(f64::from(u32::try_from(bytes)?) / f64::from(u32::try_from(SOCKETS)?))
}

fn mib(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0
}
