//! Running a server: listening, saying so, and ending in order.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use cloudmeet_core::token::OpaqueToken;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use crate::config::{Config, Exposure};
use crate::roles::Server;

/// How long load balancers have to see that no new requests should come.
const NOTICE: Duration = Duration::from_millis(500);

/// How long requests under way have to end, before the process does.
const DRAIN: Duration = Duration::from_secs(15);

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
    let server = Server::all(config).await?;
    if let Some(code) = &server.setup_code {
        announce_setup(config, address, code);
    }
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let (health, hub) = (server.health.clone(), server.hub.clone());
    let stopping = server.stop.clone();
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        health.drain();
        tokio::time::sleep(NOTICE).await;
        hub.close_all();
        stopping.cancel();
    };
    let router = server.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    tracing::info!(%address, "listening");
    let stop = server.stop.clone();
    let serving = axum::serve(listener, router).with_graceful_shutdown(shutdown);
    tokio::select! {
        served = serving.into_future() => served.context("the listener failed")?,
        () = async { stop.cancelled().await; tokio::time::sleep(DRAIN).await } => {
            tracing::warn!("requests were still under way");
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// Prints the link by which the first administrator registers: to the terminal, not to the log.
fn announce_setup(config: &Config, address: SocketAddr, code: &OpaqueToken) {
    let base = match &config.exposure {
        Exposure::Public(Some(url)) => url.clone(),
        Exposure::Public(None) | Exposure::Local => {
            Url::parse(&format!("http://{address}")).expect("a socket address stands in a URL")
        }
    };
    eprintln!(
        "There is no administrator yet. Open this link within 24 hours to become one:\n  {base}?setup={}",
        code.reveal()
    );
}
