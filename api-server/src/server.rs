//! Running a server: listening, saying so, and ending in order.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use cloudmeet_core::token::OpaqueToken;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::Config;
use crate::listen::{self, Ending, Timeouts};
use crate::roles::Server;

/// How long clients may be silent or deaf.
const TIMEOUTS: Timeouts = Timeouts { head: Duration::from_secs(30), write: Duration::from_secs(30) };

/// How long load balancers have to see that no new requests should come.
/// Longer than gateways take to look twice (`upstream.rs`).
const NOTICE: Duration = Duration::from_millis(1500);

/// How long sockets have to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// How long requests under way have to end after that, before the process does.
const DRAIN: Duration = Duration::from_secs(10);

/// How long standing tasks and databases have to end.
const TASKS: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When the server cannot be put together or the address is taken.
pub async fn serve(config: &Config) -> anyhow::Result<()> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}: set HOST or PORT to a free address", config.listen))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let config = &config.clone().listening_at(address);
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    // A database may be waited for, and who stops the server meanwhile must not have to wait as well.
    let server = tokio::select! {
        server = Server::new(config) => server?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    if let Some(code) = &server.setup_code {
        announce_setup(config, address, code);
    }
    let (running, router) = server.split();
    tracing::info!(%address, "listening");
    let notice = CancellationToken::new();
    let ending = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        running.health.drain();
        notice.cancel();
        tokio::time::sleep(NOTICE).await;
        running.stop.cancel();
        let drained = tokio::time::timeout(GOODBYE, running.close_sockets()).await;
        if drained.is_err() {
            tracing::warn!("some sockets did not say goodbye");
        }
        tokio::time::sleep(DRAIN).await;
        tracing::warn!("requests were still under way");
    };
    let mut served = Box::pin(listen::serve(
        listener,
        router,
        TIMEOUTS,
        Ending { notice: notice.clone(), stop: running.stop.clone() },
    ));
    // Sockets say goodbye while requests drain; whichever is last, neither is waited for too long.
    tokio::select! {
        () = &mut served => {
            let _ = tokio::time::timeout(GOODBYE, running.close_sockets()).await;
        }
        () = ending => {}
    }
    // The handlers go, and with them the last who hand messages to the writer.
    drop(served);
    running.end(TASKS).await;
    tracing::info!("stopped");
    Ok(())
}

/// Prints the link by which the first administrator registers: to the terminal, not to the log.
fn announce_setup(config: &Config, address: SocketAddr, code: &OpaqueToken) {
    let own = || Url::parse(&format!("http://{address}")).expect("a socket address stands in a URL");
    let base = config.public_url().cloned().unwrap_or_else(own);
    eprintln!(
        "There is no administrator yet. Open this link within 24 hours to become one:\n  {base}?setup={}",
        code.reveal()
    );
}
