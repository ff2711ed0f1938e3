//! A client of HTTP/1.1 that costs as little as possible: what it takes of the machine, the server lacks.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long any answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Is an answer's status and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Is one connection, kept open between requests.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Writes a request out.
pub(crate) fn request(
    method: &str,
    path: &str,
    host: SocketAddr,
    token: Option<&str>,
    body: Option<&Value>,
) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = body.map(|body| {
        let body = body.to_string();
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    });
    let body = body.as_deref().unwrap_or("\r\n");
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}{body}").into_bytes()
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = timeout(ANSWER_TIMEOUT, TcpStream::connect(address)).await?.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        timeout(ANSWER_TIMEOUT, self.exchange(request)).await.context("no answer")?
    }

    /// Sends a request and reads its answer's JSON; anything but a success is an error.
    pub(crate) async fn call(&mut self, request: &[u8]) -> anyhow::Result<Value> {
        let answer = self.send(request).await?;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!((200..300).contains(&answer.status), "{}: {text}", answer.status);
        if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).context("not JSON") }
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read().await?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let status = text.get(9..12).context("no status")?.parse()?;
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let (field, value) = line.split_once(':')?;
                field.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        if let Some(length) = value("content-length") {
            let end = head + length.parse::<usize>()?;
            while self.buffer.len() < end {
                self.read().await?;
            }
            return Ok(Answer { status, body: self.buffer[head..end].to_vec() });
        }
        if status == 204 {
            return Ok(Answer { status, body: Vec::new() });
        }
        ensure!(value("transfer-encoding").is_some_and(|coding| coding == "chunked"), "an answer of unknown length");
        self.chunks(head).await.map(|body| Answer { status, body })
    }

    async fn chunks(&mut self, mut at: usize) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let Some(line) = find(&self.buffer[at..], b"\r\n") else {
                self.read().await?;
                continue;
            };
            let length = usize::from_str_radix(std::str::from_utf8(&self.buffer[at..at + line])?, 16)?;
            let begin = at + line + 2;
            while self.buffer.len() < begin + length + 2 {
                self.read().await?;
            }
            body.extend_from_slice(&self.buffer[begin..begin + length]);
            at = begin + length + 2;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the connection was closed");
        }
        Ok(())
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
