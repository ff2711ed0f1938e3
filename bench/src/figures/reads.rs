//! Reading: the newest page of a room, and the list of rooms.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{MissedTickBehavior, interval};

use super::CLIENTS;
use crate::Bench;
use crate::http::{Client, request};
use crate::load::closed_loop;
use crate::process::Process;
use crate::report::Report;
use crate::system::{Person, SECRET, System};

/// How many people ask.
const PEOPLE: usize = 8;

/// How often something changes that the list shows, while it is asked for.
const CHANGE_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    for (system, store) in
        [(System::on_sqlite(&bench).await?, "SQLite"), (System::on_postgres(&bench, 1).await?, "Postgres")]
    {
        let people = system.people(PEOPLE).await?;
        let rooms = fill(&system, &people).await?;
        let page = format!("/api/rooms/{}/messages", rooms[0]);
        let list = "/api/rooms?limit=20".to_owned();
        for (what, path, target) in
            [("Newest page of 50 messages", &page, "≥ 0.6"), ("List of 20 rooms", &list, "≥ 0.25")]
        {
            let ours = rate(&bench, &system, &people, path).await?;
            let reference = bare(&bench, &system, &people, path).await?;
            report.ratio(&format!("{what}, {store}"), (ours, reference), "bare axum route", "requests/s", target);
        }
        let calm = rate(&bench, &system, &people, &list).await?;
        let changing = async {
            let mut ticks = interval(CHANGE_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for room in rooms.iter().cycle() {
                ticks.tick().await;
                system.say(*room, &people[0], "A change").await?;
            }
            anyhow::Ok(())
        };
        let busy = tokio::select! {
            rate = rate(&bench, &system, &people, &list) => rate?,
            outcome = changing => return outcome.context("the changes ended"),
        };
        let what = format!("List of 20 rooms with 10 changes a second, {store}");
        report.ratio(&what, (busy, calm), "without changes", "requests/s", "≥ 0.9");
    }
    Ok(())
}

/// Makes 20 rooms of everybody, and 60 messages in the first.
async fn fill(system: &System, people: &[Person]) -> anyhow::Result<Vec<i64>> {
    let mut rooms = Vec::new();
    for _ in 0..20 {
        let room = system.room(&people[0]).await?;
        for person in &people[1..] {
            system.join(room, person).await?;
        }
        rooms.push(room);
    }
    for number in 0..60 {
        system
            .say(rooms[0], &people[number % people.len()], &format!("Line {number} of a chat as people write it"))
            .await?;
    }
    Ok(rooms)
}

async fn rate(bench: &Bench, system: &System, people: &[Person], path: &str) -> anyhow::Result<f64> {
    let address = system.address();
    let requests =
        (0..CLIENTS).map(|number| request("GET", path, address, Some(&people[number % people.len()].token), None));
    Ok(closed_loop(address, requests.collect(), bench.span).await?.rate())
}

/// Measures a route that gives the same bytes to the same people.
async fn bare(bench: &Bench, system: &System, people: &[Person], path: &str) -> anyhow::Result<f64> {
    let directory = tempfile::tempdir()?;
    let body = directory.path().join("body");
    let asked = request("GET", path, system.address(), Some(&people[0].token), None);
    fs::write(&body, Client::connect(system.address()).await?.send(&asked).await?.body)?;
    let server = start_bare(&body).await?;
    let requests = (0..CLIENTS)
        .map(|number| request("GET", path, server.address, Some(&people[number % people.len()].token), None));
    Ok(closed_loop(server.address, requests.collect(), bench.span).await?.rate())
}

async fn start_bare(body: &Path) -> anyhow::Result<Process> {
    let body = body.to_string_lossy();
    let program = std::env::current_exe()?;
    Process::announced(&program, &["bare-http", "--body", &body, "--secret", SECRET], &[])
        .await
        .context("the bare route")
}
