//! Another service of the system: several servers behind one or more addresses, of which the
//! living and ready ones are asked in turn.

mod backend;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request, Response};
use futures_util::future::join_all;
use hyper::body::{Body as _, Incoming};
use metrics::counter;
use tokio::net::lookup_host;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{Instrument as _, Span, info_span};
use url::Url;

use self::backend::{Backend, SendError};
use crate::{observe, telemetry};

/// How often the servers' names are resolved and each is asked whether it is ready.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a name may take to resolve.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a name that does not resolve keeps the addresses that it had.
const KEPT_UNRESOLVED: Duration = Duration::from_secs(5 * 60);

/// How many servers a request is offered to before it is given up.
const MAX_TRIES: usize = 3;

/// Is a service, reached over HTTP. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Upstream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What the service is called in logs.
    name: &'static str,
    hosts: Vec<Host>,
    backends: RwLock<Vec<Arc<Backend>>>,
    next: AtomicUsize,
}

/// Is a host and port as they were configured.
#[derive(Debug)]
struct Host {
    name: String,
    port: u16,
    /// What the name resolved to last, and when.
    last: Mutex<Option<(Vec<SocketAddr>, Instant)>>,
}

impl Host {
    /// Resolves the name. One that does not resolve keeps its addresses for a while: the name service may
    /// be away, but others may have its addresses by and by.
    async fn addresses(&self) -> Vec<SocketAddr> {
        let found = timeout(RESOLVE_TIMEOUT, lookup_host((self.name.as_str(), self.port))).await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Ok(found)) = found {
            return last.insert((found.collect(), Instant::now())).0.clone();
        }
        tracing::debug!(host = self.name, "name not resolved");
        last.as_ref()
            .filter(|(_, at)| at.elapsed() < KEPT_UNRESOLVED)
            .map(|(found, _)| found.clone())
            .unwrap_or_default()
    }
}

/// Says why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No server of the service can be reached. The request was not seen by any.
    #[error("no {0} server can be reached")]
    Unreachable(&'static str),
    /// The connection broke or the answer was none, so whether the request was obeyed is unknown.
    #[error("a {0} server broke off")]
    Broken(&'static str, #[source] hyper::Error),
    /// A server took too long. Whether the request was obeyed is unknown.
    #[error("a {0} server does not answer in time")]
    Silent(&'static str),
}

impl Upstream {
    /// Knows a service by the addresses of its servers, whose paths do not matter.
    #[must_use]
    pub fn new(name: &'static str, urls: &[Url]) -> Self {
        let hosts = urls.iter().filter_map(|url| {
            let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
            Some(Host { name: host, port: url.port_or_known_default()?, last: Mutex::new(None) })
        });
        Self(Arc::new(Inner { name, hosts: hosts.collect(), backends: RwLock::default(), next: AtomicUsize::new(0) }))
    }

    /// Keeps an eye on the servers: which there are, and which are ready.
    pub async fn watch(self) {
        let ticks = || {
            let mut ticks = interval(LOOK_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let resolving = async {
            let mut ticks = ticks();
            loop {
                ticks.tick().await;
                self.resolve().await;
            }
        };
        let looking = async {
            let mut ticks = ticks();
            loop {
                ticks.tick().await;
                // None is waited for: one that hangs must not hide that another drains.
                self.backends().iter().for_each(Backend::look);
            }
        };
        tokio::join!(resolving, looking);
    }

    /// Sends a request to a server that is ready, and gives its answer's head; the body follows.
    /// Another server is tried when one did not see the request, and when asking twice does no harm.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, UpstreamError> {
        let span = if telemetry::is_tracing() {
            info_span!("upstream", otel.kind = "client", upstream = self.0.name)
        } else {
            // Log lines name the server's address, and what comes of it the service.
            Span::none()
        };
        // In a box: it takes kilobytes, and whatever waits for it would be as large.
        let asking = Box::pin(async {
            observe::hand_on(request.headers_mut());
            self.ask(request).await
        });
        let answer = asking.instrument(span).await;
        let outcome = match &answer {
            Ok(_) => "answered",
            Err(UpstreamError::Unreachable(_)) => "unreachable",
            Err(UpstreamError::Broken(..)) => "broken",
            Err(UpstreamError::Silent(_)) => "silent",
        };
        counter!("cloudmeet_upstream_requests_total", "upstream" => self.0.name, "outcome" => outcome).increment(1);
        answer
    }

    /// Is which service it is.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Counts the servers that are ready.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.backends().iter().filter(|backend| backend.is_ready()).count()
    }

    async fn ask(&self, mut request: Request<Body>) -> Result<Response<Incoming>, UpstreamError> {
        let name = self.0.name;
        let mut failure = UpstreamError::Unreachable(name);
        for backend in self.candidates().await {
            let spare = repeatable(&request);
            match backend.send(request).await {
                Ok(response) => return Ok(response),
                Err(SendError::NotSent(returned)) => request = *returned,
                Err(SendError::Broken(error)) => {
                    failure = UpstreamError::Broken(name, error);
                    let Some(spare) = spare else { break };
                    request = spare;
                }
                Err(SendError::Silent) => {
                    failure = UpstreamError::Silent(name);
                    break;
                }
            }
        }
        Err(failure)
    }

    /// Gives the servers to try, in turn: first those that are ready, then the others, for they may
    /// at least say what is wrong.
    async fn candidates(&self) -> Vec<Arc<Backend>> {
        if self.backends().is_empty() {
            self.resolve().await;
        }
        let mut backends = self.backends();
        if !backends.is_empty() {
            let turn = self.0.next.fetch_add(1, Ordering::Relaxed) % backends.len();
            backends.rotate_left(turn);
        }
        backends.sort_by_key(|backend| !backend.is_ready());
        backends.truncate(MAX_TRIES);
        backends
    }

    fn backends(&self) -> Vec<Arc<Backend>> {
        self.0.backends.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks the names up anew.
    async fn resolve(&self) {
        let addresses: HashSet<SocketAddr> =
            join_all(self.0.hosts.iter().map(Host::addresses)).await.into_iter().flatten().collect();
        let known = self.backends();
        if addresses.len() == known.len() && known.iter().all(|backend| addresses.contains(&backend.address())) {
            return;
        }
        let host_of = |address: &SocketAddr| known.iter().find(|backend| backend.address() == *address).cloned();
        let backends = addresses.iter().map(|address| host_of(address).unwrap_or_else(|| Backend::new(*address)));
        *self.0.backends.write().unwrap_or_else(PoisonError::into_inner) = backends.collect();
    }
}

/// Copies a request that may be sent twice: one that only reads, and has no body.
fn repeatable(request: &Request<Body>) -> Option<Request<Body>> {
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD) && request.body().is_end_stream();
    only_reads.then(|| {
        let mut copy = Request::new(Body::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.headers_mut() = request.headers().clone();
        copy
    })
}
