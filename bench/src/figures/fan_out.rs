//! One speaks and a thousand hear.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::Bench;
use crate::load::Load;
use crate::process::Process;
use crate::report::Report;
use crate::socket::{Socket, message};
use crate::system::{Person, System};

const SOCKETS: usize = 1000;
const PEOPLE: usize = 50;

/// How many messages may be on their way to somebody.
const WINDOW: usize = 4;

/// How long until all must have heard.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Is what a fan-out came to.
struct Outcome {
    deliveries_per_s: f64,
    /// For each second that the servers computed.
    deliveries_per_core_s: f64,
    latencies: Load,
}

pub(super) async fn measure(bench: Bench, report: &mut Report) -> anyhow::Result<()> {
    let system = System::on_postgres(&bench, 2).await?;
    let people = system.people(PEOPLE).await?;
    let one = ours(&bench, &system, &people, 1).await?;
    let two = ours(&bench, &system, &people, 2).await?;
    drop(system);
    let reference = bare(&bench).await?;
    let (unit, against) = ("deliveries/s", "bare tokio-tungstenite broadcast");
    let rates = (one.deliveries_per_s, reference.deliveries_per_s);
    report.ratio("Fan-out from one to 1,000 sockets", rates, against, unit, "≥ 0.7");
    let p99 = (one.latencies.percentile_ms(99), reference.latencies.percentile_ms(99));
    report.ratio("Fan-out, p99 from sending to the last one's hearing", p99, "the same", "ms", "≤ 2");
    let rates = (two.deliveries_per_core_s, one.deliveries_per_core_s);
    report.ratio("Fan-out over two servers, by what a core does", rates, "one server", "deliveries/s", "≥ 0.7");
    Ok(())
}

/// Measures sockets that are spread over so many servers, with the speaker on the first.
async fn ours(bench: &Bench, system: &System, people: &[Person], servers: usize) -> anyhow::Result<Outcome> {
    let room = system.room(&people[0]).await?;
    for person in &people[1..] {
        system.join(room, person).await?;
    }
    let servers = &system.entrances[..servers];
    let mut sockets = Vec::new();
    for number in 0..SOCKETS {
        let address = servers[number % servers.len()].address;
        let mut socket = Socket::open(address, &people[number % PEOPLE]).await?;
        // Only the first joins the call: others of the same person would take it over from it.
        socket.send(&serde_json::json!({ "type": "subscribe", "room_id": room })).await?;
        socket.receive("subscribed").await?;
        sockets.push(socket);
    }
    let speaker = Socket::open(servers[0].address, &people[0]).await?;
    let processes: Vec<&Process> = servers.iter().collect();
    fan_out(bench, speaker, sockets, &processes, |number| message(room, &format!("{number}")).to_string()).await
}

async fn bare(bench: &Bench) -> anyhow::Result<Outcome> {
    let program = std::env::current_exe()?;
    let server = Process::announced(&program, &["bare-sockets"], &[]).await.context("the bare broadcast")?;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(Socket::bare(server.address, "/", None).await?);
    }
    let speaker = Socket::bare(server.address, "/", None).await?;
    // As long as a message of ours is on the wire.
    let padding = "x".repeat(400);
    let frame = |number| format!(r#"{{"type":"message","client_msg_id":"{number}","padding":"{padding}"}}"#);
    fan_out(bench, speaker, sockets, &[&server], frame).await
}

/// Lets one speak as fast as all hear.
async fn fan_out(
    bench: &Bench,
    mut speaker: Socket,
    sockets: Vec<Socket>,
    servers: &[&Process],
    frame: impl Fn(usize) -> String,
) -> anyhow::Result<Outcome> {
    let count = sockets.len();
    let heard = Arc::new((AtomicUsize::new(0), Notify::new()));
    let mut readers = JoinSet::new();
    for mut socket in sockets {
        let heard = heard.clone();
        readers.spawn(async move {
            loop {
                socket.receive("message").await?;
                let (messages, all_heard) = &*heard;
                if (messages.fetch_add(1, Ordering::Relaxed) + 1) % count == 0 {
                    all_heard.notify_one();
                }
            }
            #[expect(unreachable_code, reason = "it says what the task fails with")]
            anyhow::Ok(())
        });
    }
    let computed = || servers.iter().map(|server| server.computed()).sum::<anyhow::Result<Duration>>();
    let (began, computed_before) = (Instant::now(), computed()?);
    let mut sent = Vec::new();
    let mut latencies = Vec::new();
    while began.elapsed() < bench.span || latencies.len() < sent.len() {
        let is_over = began.elapsed() >= bench.span;
        while !is_over && sent.len() < latencies.len() + WINDOW {
            speaker.send_text(frame(sent.len())).await?;
            sent.push(Instant::now());
        }
        let waiting = async {
            while heard.0.load(Ordering::Relaxed) / count <= latencies.len() {
                heard.1.notified().await;
            }
        };
        tokio::select! {
            outcome = tokio::time::timeout(TIMEOUT, waiting) => outcome.context("not all have heard")?,
            Some(ended) = readers.join_next() => return Err(ended?.err().context("a reader ended")?),
        }
        while latencies.len() < heard.0.load(Ordering::Relaxed) / count {
            latencies.push(sent[latencies.len()].elapsed());
        }
    }
    let (span, computed) = (began.elapsed(), computed()?.saturating_sub(computed_before));
    ensure!(!latencies.is_empty(), "nothing was heard");
    let deliveries = f64::from(u32::try_from(heard.0.load(Ordering::Relaxed))?);
    Ok(Outcome {
        deliveries_per_s: deliveries / span.as_secs_f64(),
        deliveries_per_core_s: deliveries / computed.as_secs_f64(),
        latencies: Load::gather([latencies], span),
    })
}
