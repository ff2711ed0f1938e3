//! From one server's client to another's.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Bench;
use crate::load::Load;
use crate::report::Report;
use crate::socket::{Socket, message};
use crate::system::System;

/// How many messages are sent, one after the other.
const MESSAGES: usize = 500;

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    let system = System::on_postgres(&bench, 2).await?;
    let [here, there] = [0, 1].map(|index| system.entrances[index].address);
    let one = way(&system, here, here).await?;
    let two = way(&system, here, there).await?;
    for percent in [50, 99] {
        let (one, two) = (one.percentile_ms(percent), two.percentile_ms(percent));
        report.add([
            format!("A message to a client of another server, p{percent}"),
            format!("{two:.1} ms"),
            format!("to one of the same server: {one:.1} ms"),
            format!("{:+.1} ms", two - one),
            if percent == 99 { "≤ +10 ms" } else { "–" }.to_owned(),
        ]);
    }
    Ok(())
}

/// Measures how long messages take from one client to another.
async fn way(system: &System, from: SocketAddr, to: SocketAddr) -> anyhow::Result<Load> {
    let people = system.people(2).await?;
    let room = system.room(&people[0]).await?;
    system.join(room, &people[1]).await?;
    let mut sender = Socket::open(from, &people[0]).await?;
    let mut reader = Socket::open(to, &people[1]).await?;
    reader.subscribe(room).await?;
    let mut latencies = Vec::new();
    let began = Instant::now();
    for number in 0..MESSAGES {
        let sent = Instant::now();
        sender.send(&message(room, &format!("{number}"))).await?;
        reader.receive("message").await?;
        latencies.push(sent.elapsed());
        sender.receive("sent").await?;
        // At ease: whoever types is slower.
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    Ok(Load::gather([latencies], began.elapsed()))
}
