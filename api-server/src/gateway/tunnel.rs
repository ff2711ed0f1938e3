//! A socket between a client and a service: bytes both ways, as they come.

use std::io;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::frames::Frames;

/// How much is read at once.
const CHUNK: usize = 8 * 1024;

/// How long the two ends may take to become a socket.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one end may go on after the other has ended.
const PARTING: Duration = Duration::from_secs(5);

/// A Close frame with 1012, service restart.
const RESTARTING: [u8; 4] = [0x88, 0x02, 0x03, 0xF4];

/// Carries bytes until both ends have ended. When the gateway stops, the client is told with a Close
/// frame of its own, between two of the service's.
pub(super) async fn run(client: OnUpgrade, service: OnUpgrade, stop: CancellationToken) {
    let both = async { tokio::try_join!(client, service) };
    let Ok(Ok((client, service))) = timeout(UPGRADE_TIMEOUT, both).await else {
        tracing::debug!("a socket was not opened");
        return;
    };
    let (from_client, to_client) = split(TokioIo::new(client));
    let (from_service, to_service) = split(TokioIo::new(service));
    let mut upwards = Box::pin(carry_up(from_client, to_service));
    let mut downwards = Box::pin(carry_down(from_service, to_client, stop));
    // An end without a Close frame is passed on as one: whoever is behind judges it.
    let outcome = tokio::select! {
        outcome = &mut upwards => match outcome {
            Ok(()) => timeout(PARTING, downwards).await,
            broken => Ok(broken),
        },
        outcome = &mut downwards => match outcome {
            Ok(()) => timeout(PARTING, upwards).await,
            broken => Ok(broken),
        },
    };
    if let Ok(Err(error)) = outcome {
        tracing::debug!(%error, "a socket broke");
    }
}

/// Carries what the client says. When the service takes no more, the client is heard out all the
/// same: it would else not hear why (RFC 6455, 7.1.1).
async fn carry_up(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut is_taken = true;
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            // Without effect on a service that has gone.
            let _ = to.shutdown().await;
            return Ok(());
        }
        is_taken = is_taken && to.write_all(&chunk[..length]).await.is_ok();
    }
}

/// Carries what the service says. However it ends, the client hears all that came before.
async fn carry_down(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut frames = Frames::default();
    loop {
        let length = tokio::select! {
            () = stop.cancelled(), if frames.is_between() => break,
            length = from.read(&mut chunk) => length.unwrap_or(0),
        };
        if length == 0 {
            return to.shutdown().await;
        }
        let mut at = 0;
        while at < length {
            at += frames.take(&chunk[at..length]);
            if frames.is_between() && stop.is_cancelled() {
                to.write_all(&chunk[..at]).await?;
                to.write_all(&RESTARTING).await?;
                return to.shutdown().await;
            }
        }
        to.write_all(&chunk[..length]).await?;
    }
    to.write_all(&RESTARTING).await?;
    to.shutdown().await
}
