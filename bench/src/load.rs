//! Load: many clients at once, and how long each answer took.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::http::Client;

/// How long a load runs before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// Is what a load came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load {
    /// How long each answer took, sorted.
    latencies: Vec<Duration>,
    span: Duration,
}

impl Load {
    /// Gathers what clients measured in the same span.
    pub(crate) fn gather(parts: impl IntoIterator<Item = Vec<Duration>>, span: Duration) -> Self {
        let mut latencies: Vec<Duration> = parts.into_iter().flatten().collect();
        latencies.sort_unstable();
        Self { latencies, span }
    }

    /// Is how many answers came in a second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX)) / self.span.as_secs_f64()
    }

    /// Is the latency that `percent` of the answers did not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let index = self.latencies.len() * percent / 100;
        let latency = self.latencies.get(index.min(self.latencies.len().saturating_sub(1)));
        latency.copied().unwrap_or_default().as_secs_f64() * 1000.0
    }
}

/// Says when a load counts: from after the warm-up to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    began: Instant,
    pub(crate) span: Duration,
}

impl Window {
    pub(crate) fn open(span: Duration) -> Self {
        Self { began: Instant::now() + WARM_UP, span }
    }

    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.began + self.span
    }

    /// Says whether an answer that comes now counts.
    pub(crate) fn counts(self) -> bool {
        Instant::now() >= self.began && !self.is_over()
    }
}

/// Sends each client's request again as soon as it is answered.
pub(crate) async fn closed_loop(address: SocketAddr, requests: Vec<Vec<u8>>, span: Duration) -> anyhow::Result<Load> {
    let window = Window::open(span);
    let mut clients = JoinSet::new();
    for request in requests {
        clients.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut latencies = Vec::new();
            while !window.is_over() {
                let began = Instant::now();
                let answer = client.send(&request).await?;
                ensure!(answer.status < 300, "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                if window.counts() {
                    latencies.push(began.elapsed());
                }
            }
            anyhow::Ok(latencies)
        });
    }
    gather(clients, span).await
}

/// Sends so many requests a second in all, whatever becomes of them; each latency counts from when its
/// request was due.
pub(crate) async fn paced(
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    rate: f64,
    span: Duration,
) -> anyhow::Result<Load> {
    let window = Window::open(span);
    let count = u32::try_from(requests.len())?;
    let period = Duration::from_secs_f64(f64::from(count) / rate);
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for (number, request) in (0_u32..).zip(requests) {
        clients.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut latencies = Vec::new();
            let mut due = start + period * number / count;
            while !window.is_over() {
                sleep_until(due.into()).await;
                let answer = client.send(&request).await?;
                ensure!(answer.status < 300, "{}", answer.status);
                if window.counts() {
                    latencies.push(due.elapsed());
                }
                due += period;
            }
            anyhow::Ok(latencies)
        });
    }
    gather(clients, span).await
}

pub(crate) async fn gather(
    mut clients: JoinSet<anyhow::Result<Vec<Duration>>>,
    span: Duration,
) -> anyhow::Result<Load> {
    let mut parts = Vec::new();
    while let Some(done) = clients.join_next().await {
        parts.push(done??);
    }
    Ok(Load::gather(parts, span))
}
