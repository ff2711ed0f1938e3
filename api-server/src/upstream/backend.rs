//! One server of a service, and the connections to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a server may take for the head of its answer: longer than it takes itself before it
/// gives up on a store.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may bring or take nothing. Sockets are pinged more often.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a server may take to say whether it is ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// How many idle connections are kept, and for how long: servers close them after 30 s, and a request
/// that meets the end of its connection may or may not have been seen.
const MAX_IDLE: usize = 256;
const MAX_IDLE_AGE: Duration = Duration::from_secs(15);

/// Is one server.
#[derive(Debug)]
pub(super) struct Backend {
    address: SocketAddr,
    is_ready: AtomicBool,
    /// Whether the server is being asked whether it is ready.
    is_asked: AtomicBool,
    idle: Mutex<Vec<Idle>>,
}

/// Is a connection that waits for its next request.
#[derive(Debug)]
struct Idle {
    sender: SendRequest<Body>,
    since: Instant,
}

/// Says why a request has no answer.
pub(super) enum SendError {
    /// The server did not see it; here it is again.
    NotSent(Box<Request<Body>>),
    /// The server may have seen it.
    Broken(hyper::Error),
    /// The server may be at it still.
    Silent,
}

impl Backend {
    /// Knows a server that is taken for ready until it says otherwise.
    pub(super) fn new(address: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            address,
            is_ready: AtomicBool::new(true),
            is_asked: AtomicBool::new(false),
            idle: Mutex::default(),
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    /// Asks the server whether it is ready, unless it is being asked.
    pub(super) fn look(self: &Arc<Self>) {
        if !self.is_asked.swap(true, Ordering::Relaxed) {
            let backend = self.clone();
            // It ends by its timeout.
            tokio::spawn(async move {
                backend.probe().await;
                backend.is_asked.store(false, Ordering::Relaxed);
            });
        }
    }

    async fn probe(self: &Arc<Self>) {
        let request = Request::get("/readyz").header(header::HOST, self.address.to_string()).body(Body::empty());
        let Ok(request) = request else { return };
        let answer = timeout(PROBE_TIMEOUT, self.send(request)).await;
        let is_ready = matches!(answer, Ok(Ok(response)) if response.status() == StatusCode::OK);
        self.set_ready(is_ready);
    }

    /// Sends a request, on a connection that is idle or on a new one.
    pub(super) async fn send(self: &Arc<Self>, mut request: Request<Body>) -> Result<Response<Incoming>, SendError> {
        // An idle connection may turn out closed; a new one does not.
        while let Some(sender) = self.take_idle() {
            match self.send_on(sender, request).await {
                Err(SendError::NotSent(returned)) => request = *returned,
                outcome => return outcome,
            }
        }
        match self.connect().await {
            Ok(sender) => self.send_on(sender, request).await,
            Err(error) => {
                tracing::debug!(%error, address = %self.address, "a server cannot be reached");
                self.set_ready(false);
                Err(SendError::NotSent(Box::new(request)))
            }
        }
    }

    async fn send_on(
        self: &Arc<Self>,
        mut sender: SendRequest<Body>,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, SendError> {
        let response = match timeout(ANSWER_TIMEOUT, sender.try_send_request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(mut error)) => {
                return Err(match error.take_message() {
                    Some(request) => SendError::NotSent(Box::new(request)),
                    None => SendError::Broken(error.into_error()),
                });
            }
            Err(_) => return Err(SendError::Silent),
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let backend = self.clone();
            // It is idle again once the answer's body has been read. It ends by the connection's timeouts.
            tokio::spawn(async move {
                if sender.ready().await.is_ok() {
                    backend.keep_idle(sender);
                }
            });
        }
        Ok(response)
    }

    async fn connect(&self) -> Result<SendRequest<Body>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(self.address)).await??;
        stream.set_nodelay(true)?;
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(SILENCE_TIMEOUT));
        stream.set_write_timeout(Some(SILENCE_TIMEOUT));
        let (sender, connection) = http1::handshake(TokioIo::new(Box::pin(stream))).await?;
        let address = self.address;
        // It ends when its sender is dropped, the server closes it, or by its timeouts.
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, %address, "a connection to a server broke");
            }
        });
        Ok(sender)
    }

    fn set_ready(&self, is_ready: bool) {
        if self.is_ready.swap(is_ready, Ordering::Relaxed) != is_ready {
            tracing::info!(address = %self.address, is_ready, "a server's readiness changed");
        }
        if !is_ready {
            self.idle().clear();
        }
    }

    fn take_idle(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle();
        let is_good = |idle: &Idle| idle.sender.is_ready() && idle.since.elapsed() < MAX_IDLE_AGE;
        std::iter::from_fn(|| idle.pop()).find(is_good).map(|idle| idle.sender)
    }

    fn keep_idle(&self, sender: SendRequest<Body>) {
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE {
            idle.push(Idle { sender, since: Instant::now() });
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
