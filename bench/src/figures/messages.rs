//! Messages that are on disk when their senders hear so.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::CLIENTS;
use crate::Bench;
use crate::load::{Load, Window, gather};
use crate::postgres::{fresh_database, pgbench};
use crate::report::Report;
use crate::socket::Socket;
use crate::system::{Person, System};

/// How many people share the clients.
const PEOPLE: usize = 8;

const ROOMS: usize = 200;

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    let whole = System::on_postgres(&bench, 1).await?;
    let whole_one = durable(&whole, 1, bench.span).await?.rate();
    let whole_many = durable(&whole, ROOMS, bench.span).await?.rate();
    drop(whole);

    let parts = System::in_parts(&bench).await?;
    let parts_one = durable(&parts, 1, bench.span).await?.rate();
    let parts_many = durable(&parts, ROOMS, bench.span).await?.rate();
    drop(parts);

    let one = reference(&bench, 1).await?;
    let many = reference(&bench, ROOMS).await?;
    let (unit, pgbench) = ("messages/s", "pgbench");
    report.ratio("Durable messages in one room, 64 clients", (whole_one, one), pgbench, unit, "≥ 5");
    report.ratio("Durable messages in 200 rooms, 64 clients", (whole_many, many), pgbench, unit, "≥ 2");
    let through = "in one process";
    report.ratio("Through gateway and conference, one room", (parts_one, whole_one), through, unit, "≥ 0.8");
    report.ratio("Through gateway and conference, 200 rooms", (parts_many, whole_many), through, unit, "≥ 0.8");
    Ok(())
}

/// Measures pgbench on tables that our own migrations made.
async fn reference(bench: &Bench, count: usize) -> anyhow::Result<f64> {
    use crate::process::Process;
    let database = fresh_database().await?;
    let settings = [("DATABASE_URL", database.clone()), ("RATE_LIMITS", "off".to_owned())];
    let server = Process::announced(&bench.server, &[], &settings).await?;
    let system = System::of(server);
    let people = system.people(1).await?;
    let mut rooms = Vec::new();
    for _ in 0..count {
        rooms.push(system.room(&people[0]).await?);
    }
    drop(system);
    pgbench(&database, &rooms, bench.span).await
}

/// Lets clients send, each the next message when the last one is on disk.
pub(super) async fn durable(system: &System, rooms: usize, span: Duration) -> anyhow::Result<Load> {
    let people = system.people(PEOPLE).await?;
    let rooms_of = rooms_of(system, &people, rooms).await?;
    let mut sockets = Vec::new();
    for number in 0..CLIENTS {
        sockets.push(Socket::open(system.address(), &people[number % PEOPLE]).await?);
    }
    let window = Window::open(span);
    let mut clients = JoinSet::new();
    for (number, mut socket) in sockets.into_iter().enumerate() {
        let rooms = rooms_of[number % PEOPLE].clone();
        clients.spawn(async move {
            let mut latencies = Vec::new();
            for (count, room) in rooms.iter().cycle().skip(number).enumerate() {
                if window.is_over() {
                    break;
                }
                let began = Instant::now();
                socket.deliver(*room, &format!("{number}-{count}")).await?;
                if window.counts() {
                    latencies.push(began.elapsed());
                }
            }
            anyhow::Ok(latencies)
        });
    }
    gather(clients, span).await
}

/// Makes rooms and gives each person those in which they may speak: all one, or each their share.
async fn rooms_of(system: &System, people: &[Person], count: usize) -> anyhow::Result<Vec<Vec<i64>>> {
    if count == 1 {
        let room = system.room(&people[0]).await?;
        for person in &people[1..] {
            system.join(room, person).await?;
        }
        return Ok(vec![vec![room]; people.len()]);
    }
    let mut rooms = Vec::new();
    for person in people {
        let mut own = Vec::new();
        for _ in 0..count / people.len() {
            own.push(system.room(person).await?);
        }
        rooms.push(own);
    }
    Ok(rooms)
}
