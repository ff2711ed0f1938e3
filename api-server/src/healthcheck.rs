//! Asking a running server whether it is healthy, for containers that hold nothing else.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

/// How long the server may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How much of the answer is read: its first line decides.
const MAX_ANSWER: u64 = 1024;

/// Asks `url` and succeeds if the answer is 200.
///
/// # Errors
/// When the server cannot be reached, takes too long, or says anything else.
pub async fn check(url: &Url) -> anyhow::Result<()> {
    ensure!(url.scheme() == "http", "{url} must begin with http://");
    let host = url.host_str().with_context(|| format!("{url} names no host"))?;
    let port = url.port_or_known_default().unwrap_or(80);
    let asking = async {
        let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        let request = format!("GET {} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n", url.path());
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(TIMEOUT, asking)
        .await
        .with_context(|| format!("{url} does not answer"))?
        .with_context(|| format!("cannot reach {url}"))?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split_whitespace().nth(1).unwrap_or_default();
    ensure!(status == "200", "{url} answers {}", answer.lines().next().unwrap_or_default());
    Ok(())
}
