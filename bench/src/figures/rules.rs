//! Rooms with rules: what the rules cost a message, and what many rooms and long histories cost.

use std::time::{Duration, Instant};

use serde_json::json;

use super::CLIENTS;
use crate::Bench;
use crate::http::{Client, request};
use crate::load::closed_loop;
use crate::report::Report;
use crate::system::{Person, System};

/// How long the history is in which is searched, and which is taken along.
const MESSAGES: usize = 100_000;

/// How often the room with rules and the one without take turns: they are nearly as fast, and the machine is not as
/// fast all the time.
const TURNS: u32 = 5;

/// How many rooms there are before a list is asked for again.
const FEW_ROOMS: usize = 1_000;
const MANY_ROOMS: usize = 100_000;

/// How many of them are one's own.
const OWN_ROOMS: usize = 20;

/// What is looked for: what stands everywhere, here and there, once, and nowhere.
const SOUGHT: [&str; 4] = ["planned", "WEEK 7", "line 54321 ", "nowhere to be found"];

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    for (system, store) in
        [(System::on_sqlite(&bench).await?, "SQLite"), (System::on_postgres(&bench, 1).await?, "Postgres")]
    {
        // The first account administers, and sees everything: it is nobody here.
        let people = system.people(3).await?;
        let (owner, other) = (&people[1], &people[2]);
        guarded(&bench, &system, owner, report, store).await?;
        history(&bench, &system, owner, report, store).await?;
        lists(&bench, &system, (owner, other), report, store).await?;
    }
    Ok(())
}

/// Compares messages in a room that has every rule with those in a room that has none.
async fn guarded(
    bench: &Bench,
    system: &System,
    owner: &Person,
    report: &mut Report,
    store: &str,
) -> anyhow::Result<()> {
    let mut rates = [0.0; 2];
    for turn in 0..TURNS {
        let guarded = json!({
            "name": "Guarded", "visibility": "password", "password": "open sesame now", "lobby": true, "capacity": 9,
            "slug": format!("guarded-{turn}"), "opens_at": "2020-01-01T00:00:00Z", "closes_at": "2100-01-01T00:00:00Z",
        });
        for (rate, body) in rates.iter_mut().zip([guarded, json!({ "name": "Open" })]) {
            // Always the newest room: messages of an older one go into the midst of an index, which costs more.
            let room = system.make_room(owner, &body).await?;
            let say = system.post(&format!("/api/rooms/{room}/messages"), Some(owner), &json!({ "content": "hello" }));
            let load = closed_loop(system.address(), vec![say; CLIENTS], bench.span / TURNS).await?;
            *rate += load.rate() / f64::from(TURNS);
        }
    }
    let what = format!("Durable messages in a room with every rule, {store}");
    report.ratio(&what, (rates[0], rates[1]), "a room without rules", "messages/s", "≥ 0.95");
    Ok(())
}

/// Searches in a long history, and takes it along.
async fn history(
    bench: &Bench,
    system: &System,
    owner: &Person,
    report: &mut Report,
    store: &str,
) -> anyhow::Result<()> {
    let room = system.room(owner).await?;
    let path = format!("/api/rooms/{room}/messages");
    let say = |number: usize| {
        let content = format!("Line {number} of what was planned for week {} by everybody who was there", number % 53);
        system.post(&path, Some(owner), &json!({ "content": content }))
    };
    system.all((0..MESSAGES).map(say).collect(), CLIENTS).await?;

    let mut latencies = Vec::new();
    let mut client = Client::connect(system.address()).await?;
    // So much came at once that not all of it is ready to be searched: whoever is first makes the rest so.
    let began = Instant::now();
    let nowhere = request("GET", &format!("{path}?query=absent"), system.address(), Some(&owner.token), None);
    client.call(&nowhere).await?;
    let first_ms = began.elapsed().as_millis();
    report.figure(&format!("First search right after 100,000 messages, {store}"), format!("{first_ms} ms"), "–");
    let until = Instant::now() + bench.span;
    while Instant::now() < until {
        for sought in SOUGHT {
            let path = format!("{path}?query={}", sought.replace(' ', "%20"));
            let began = Instant::now();
            client.call(&request("GET", &path, system.address(), Some(&owner.token), None)).await?;
            latencies.push(began.elapsed());
        }
    }
    latencies.sort_unstable();
    let p99 = latencies[latencies.len() * 99 / 100].as_secs_f64() * 1000.0;
    let what = format!("Search in a room of 100,000 messages, p99, {store}");
    report.figure(&what, format!("{p99:.1} ms"), "≤ 50 ms");

    let export = request("GET", &format!("/api/rooms/{room}/export"), system.address(), Some(&owner.token), None);
    let before = system.entrances[0].resident_bytes()?;
    let began = Instant::now();
    let mut exporting = tokio::spawn({
        let address = system.address();
        async move { Client::connect(address).await?.send(&export).await }
    });
    let mut highest = before;
    let answer = loop {
        tokio::select! {
            answer = &mut exporting => break answer??,
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                highest = highest.max(system.entrances[0].resident_bytes()?);
            }
        }
    };
    anyhow::ensure!(answer.status == 200, "export: {}", answer.status);
    let rate = f64::from(u32::try_from(MESSAGES)?) / began.elapsed().as_secs_f64();
    let what = format!("Export of 100,000 messages, {store}");
    report.figure(&what, format!("{} messages/s", crate::report::number(rate)), "≥ 50,000");
    let grown = f64::from(u32::try_from(highest.saturating_sub(before) / 1024)?) / 1024.0;
    report.figure(&format!("Memory that the export takes, {store}"), format!("{grown:.1} MiB"), "flat");
    Ok(())
}

/// Compares a list among many rooms with one among few: private ones of somebody else, but for a few that are
/// one's own and older.
async fn lists(
    bench: &Bench,
    system: &System,
    (owner, other): (&Person, &Person),
    report: &mut Report,
    store: &str,
) -> anyhow::Result<()> {
    for _ in 0..OWN_ROOMS {
        system.room(owner).await?;
    }
    let private = system.post("/api/rooms", Some(other), &json!({ "name": "Private", "visibility": "private" }));
    let list = request("GET", "/api/rooms?limit=20", system.address(), Some(&owner.token), None);
    let mut rates = [0.0; 2];
    for (rate, rooms) in rates.iter_mut().zip([FEW_ROOMS, MANY_ROOMS - FEW_ROOMS]) {
        system.all(vec![private.clone(); rooms], CLIENTS).await?;
        *rate = closed_loop(system.address(), vec![list.clone(); CLIENTS], bench.span).await?.rate();
    }
    let what = format!("A person's list among 100,000 rooms, {store}");
    report.ratio(&what, (rates[1], rates[0]), "among 1,000", "requests/s", "≥ 0.5");
    Ok(())
}
