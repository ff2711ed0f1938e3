//! Sockets of people.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{Utf8Bytes, http::HeaderValue};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::http::{Client, request};
use crate::system::Person;

/// How long anything on a socket may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Is an open socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    /// Opens a person's socket.
    pub(crate) async fn open(address: SocketAddr, person: &Person) -> anyhow::Result<Self> {
        let ticket = request("POST", "/api/ws-ticket", address, Some(&person.token), None);
        let answer = Client::connect(address).await?.call(&ticket).await.context("ticket")?;
        let ticket = answer["ticket"].as_str().context("no ticket")?;
        let mut socket = Self::bare(address, "/api/ws", Some(&format!("cloudmeet.v1, ticket.{ticket}"))).await?;
        socket.receive("welcome").await?;
        Ok(socket)
    }

    /// Opens any socket.
    pub(crate) async fn bare(address: SocketAddr, path: &str, protocols: Option<&str>) -> anyhow::Result<Self> {
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        if let Some(protocols) = protocols {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::try_from(protocols)?);
        }
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            anyhow::Ok(client_async(request, stream).await?.0)
        };
        Ok(Self { stream: timeout(TIMEOUT, connecting).await?? })
    }

    /// Follows a room from its newest message on.
    pub(crate) async fn subscribe(&mut self, room: i64) -> anyhow::Result<()> {
        self.send(&json!({ "type": "subscribe", "room_id": room, "status": "in_call" })).await?;
        self.receive("subscribed").await.map(drop)
    }

    /// Sends a message under a name and waits until it is on disk.
    pub(crate) async fn deliver(&mut self, room: i64, name: &str) -> anyhow::Result<()> {
        self.send(&message(room, name)).await?;
        loop {
            let frame = self.receive("sent").await?;
            if frame.contains(name) {
                return Ok(());
            }
        }
    }

    pub(crate) async fn send(&mut self, frame: &Value) -> anyhow::Result<()> {
        self.send_text(frame.to_string()).await
    }

    pub(crate) async fn send_text(&mut self, text: String) -> anyhow::Result<()> {
        Ok(timeout(TIMEOUT, self.stream.send(Message::text(text))).await??)
    }

    /// Waits for a frame of a type; others are passed over, but an error.
    pub(crate) async fn receive(&mut self, kind: &str) -> anyhow::Result<Utf8Bytes> {
        let wanted = format!("\"type\":\"{kind}\"");
        loop {
            let frame = self.next().await?;
            if frame.contains(&wanted) {
                return Ok(frame);
            }
            if frame.contains("\"type\":\"error\"") {
                bail!("{frame}");
            }
        }
    }

    /// Waits for the next frame of text, and answers pings meanwhile.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Utf8Bytes> {
        loop {
            match timeout(TIMEOUT, self.stream.next()).await?.context("the socket ended")?? {
                Message::Text(text) => return Ok(text),
                Message::Close(close) => bail!("the socket was closed: {close:?}"),
                _ => {}
            }
        }
    }
}

/// Is the frame that sends a message.
pub(crate) fn message(room: i64, name: &str) -> Value {
    json!({ "type": "send", "room_id": room, "client_msg_id": name, "content": "Durable as a promise" })
}
