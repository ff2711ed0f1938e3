//! References: what the same libraries do when they have nothing to decide and nothing to keep.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use clap::Args;
use futures_util::{SinkExt as _, StreamExt as _};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// How many messages may wait for a socket.
const QUEUE: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct HttpArguments {
    /// The file whose bytes are every answer.
    #[arg(long)]
    body: PathBuf,
    /// What the tokens are signed with, by HS256.
    #[arg(long)]
    secret: String,
}

struct Bare {
    body: Bytes,
    key: DecodingKey,
    /// The tokens that were good.
    known: RwLock<HashMap<String, i64>>,
}

/// Answers whoever shows a good token with the same bytes.
pub(crate) async fn serve_http(arguments: HttpArguments) -> anyhow::Result<()> {
    let bare = Bare {
        body: std::fs::read(&arguments.body)?.into(),
        key: DecodingKey::from_secret(arguments.secret.as_bytes()),
        known: RwLock::default(),
    };
    let router = Router::new().fallback(answer).with_state(Arc::new(bare));
    axum::serve(listen().await?, router).await.context("serving ended")
}

async fn answer(State(bare): State<Arc<Bare>>, headers: HeaderMap) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if token.is_none_or(|token| !bare.is_good(token)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    ([(header::CONTENT_TYPE, "application/json")], bare.body.clone()).into_response()
}

impl Bare {
    fn is_good(&self, token: &str) -> bool {
        let now = jsonwebtoken::get_current_timestamp().cast_signed();
        if let Some(ends_at) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(token) {
            return *ends_at > now;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["cloudmeet"]);
        let Ok(data) = jsonwebtoken::decode::<Value>(token, &self.key, &validation) else { return false };
        let ends_at = data.claims["exp"].as_i64().unwrap_or_default();
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), ends_at);
        true
    }
}

/// Sends what any socket says to all of them.
pub(crate) async fn serve_sockets() -> anyhow::Result<()> {
    let listener = listen().await?;
    let room = broadcast::Sender::new(QUEUE);
    loop {
        let (stream, _) = listener.accept().await?;
        let room = room.clone();
        tokio::spawn(async move {
            // A socket that ends or falls behind is let go.
            let _ = attend(stream, room).await;
        });
    }
}

async fn attend(stream: TcpStream, room: broadcast::Sender<Utf8Bytes>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut heard = room.subscribe();
    let mut socket = accept_async(stream).await?;
    loop {
        tokio::select! {
            text = heard.recv() => socket.send(Message::Text(text?)).await?,
            frame = socket.next() => match frame.context("it ended")?? {
                Message::Text(text) => drop(room.send(text)),
                Message::Close(_) => return Ok(()),
                _ => {}
            },
        }
    }
}

async fn listen() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening address={}", listener.local_addr()?);
    Ok(listener)
}
