//! Connections: bounded in number, and dropped when they say nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, StatusCode, header};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
#[cfg(target_os = "linux")]
use socket2::{SockFilter, SockRef};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinSet, unconstrained};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::unread_body;

/// How long a connection may do nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// How long it may take for the head of a request, and may idle between two.
    pub(crate) head: Duration,
    /// How long a client may take nothing of what is written to it.
    pub(crate) write: Duration,
}

/// How a server that ends says so.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// Cancelled, every answer says that it is the last one on its connection.
    pub(crate) notice: CancellationToken,
    /// Cancelled, nobody is let in any more.
    pub(crate) stop: CancellationToken,
}

/// How long a connection that is silent at the end is kept: a request may be on its way, and would be
/// broken off. hyper would close such a connection at once.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long a handshake that has begun at the end has to be finished by its client.
const HANDSHAKE: Duration = Duration::from_millis(200);

/// How many connections are served at once, sockets not counted; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 16_384;

/// How long to wait after the system refused to give a connection: it is out of file descriptors.
const REFUSED_PAUSE: Duration = Duration::from_millis(200);

/// Serves until it is told to stop, and then until every request under way is answered. Sockets
/// are not waited for: they live apart from their connections' requests. Dropped, it drops the requests.
pub(crate) async fn serve(listener: TcpListener, router: Router, timeouts: Timeouts, ending: Ending) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut letting_in = Box::pin(async {
        ending.stop.cancelled().await;
        match ignore_newcomers(&listener) {
            Ok(()) => tokio::time::sleep(HANDSHAKE).await,
            Err(error) => tracing::debug!(%error, "who connects in the last instant is reset"),
        }
    });
    loop {
        tokio::select! {
            () = &mut letting_in => break,
            Some(_) = connections.join_next() => {}
            (stream, peer, place) = accept(&listener, &places) => {
                let (router, ending) = (router.clone(), ending.clone());
                connections.spawn(async move {
                    attend(stream, peer, router, timeouts, &ending).await;
                    drop(place);
                });
            }
        }
    }
    drop(letting_in);
    // The system has let in some that nobody has fetched: with the listener they would be reset.
    while let Some(Ok((stream, peer))) = unconstrained(listener.accept()).now_or_never() {
        let (router, ending) = (router.clone(), ending.clone());
        connections.spawn(async move { attend(stream, peer, router, timeouts, &ending).await });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers the requests of one connection.
async fn attend(stream: TcpStream, peer: SocketAddr, router: Router, timeouts: Timeouts, ending: &Ending) {
    let notice = ending.notice.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (router, notice) = (router.clone(), notice.clone());
        async move {
            request.extensions_mut().insert(ConnectInfo(peer));
            let mut response = unread_body::answer(router, request).await?;
            if notice.is_cancelled() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(timeouts.write));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.head)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = ending.stop.cancelled() => {
            if let Ok(outcome) = timeout(LAST_WORDS, connection.as_mut()).await {
                outcome
            } else {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, %peer, "a connection broke");
    }
}

/// Has the system drop every first segment of a connection (SYN). Whoever comes now hears nothing, tries
/// again after a second and is refused, or let in by who listens next. Without this the listener's end
/// would reset connections that the system has let in between the last look at its queue and the end.
#[cfg(target_os = "linux")]
fn ignore_newcomers(listener: &TcpListener) -> std::io::Result<()> {
    // Classic BPF over the TCP header (linux/filter.h); byte 13 holds the flags (RFC 9293, 3.1).
    const LOAD_BYTE: u16 = 0x30;
    const AND: u16 = 0x54;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(AND, 0, 0, SYN | ACK),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

#[cfg(not(target_os = "linux"))]
fn ignore_newcomers(_: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Takes the next connection, when there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Frames are small and go out at once.
                let _ = stream.set_nodelay(true);
                return (stream, peer, place);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::time::Instant;

    use axum::routing::get;
    use tokio::sync::Notify;
    use tokio::task::spawn_blocking;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(300);
    const HOUR: Duration = Duration::from_secs(3600);

    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

    fn ending(stop: &CancellationToken) -> Ending {
        Ending { notice: stop.clone(), stop: stop.clone() }
    }

    /// Sends something and reads to the end of the connection; gives what came, and after how long the end did.
    fn say(address: SocketAddr, said: &str) -> (String, Duration) {
        let began = Instant::now();
        let mut connection = TcpStream::connect(address).expect("a connection");
        connection.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        connection.write_all(said.as_bytes()).expect("written");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an end");
        (answer, began.elapsed())
    }

    #[tokio::test]
    async fn a_connection_is_dropped_that_says_nothing_or_half_a_request_or_nothing_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", get(|| async { "answered" }));
        tokio::spawn(serve(
            listener,
            router,
            Timeouts { head: TIMEOUT, write: HOUR },
            ending(&CancellationToken::new()),
        ));
        for said in ["", &REQUEST[..20], REQUEST] {
            let (answer, lasted) = spawn_blocking(move || say(address, said)).await.expect("no panic");
            assert_eq!(answer.contains("answered"), said == REQUEST, "{answer}");
            assert!(lasted >= TIMEOUT, "{said:?} lasted {lasted:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_is_dropped_whose_client_reads_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        // More than the buffers of two ends of a connection hold.
        let router = Router::new().route("/", get(|| async { vec![b'x'; 64 << 20] }));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, router, Timeouts { head: HOUR, write: TIMEOUT }, ending(&stop)));
        let ask = move || {
            let mut deaf = TcpStream::connect(address).expect("a connection");
            deaf.write_all(REQUEST.as_bytes()).expect("written");
            deaf.peek(&mut [0]).expect("the answer has begun");
            deaf
        };
        let deaf = spawn_blocking(ask).await.expect("no panic");
        stop.cancel();
        // Nothing but the timeout ends this connection, and with it the server.
        tokio::time::timeout(Duration::from_secs(20), serving).await.expect("in time").expect("no panic");
        drop(deaf);
    }

    #[tokio::test]
    async fn a_stop_waits_for_the_request_under_way_and_for_no_idle_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (came, may_go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let gate = (came.clone(), may_go.clone());
        let router = Router::new().route(
            "/",
            get(|| async move {
                gate.0.notify_one();
                gate.1.notified().await;
                "answered"
            }),
        );
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, router, Timeouts { head: HOUR, write: HOUR }, ending(&stop)));
        let idle = spawn_blocking(move || say(address, ""));
        let busy = spawn_blocking(move || say(address, REQUEST));
        came.notified().await;
        stop.cancel();
        assert_eq!(idle.await.expect("no panic").0, "");
        assert!(!serving.is_finished());
        may_go.notify_one();
        assert!(busy.await.expect("no panic").0.ends_with("answered"));
        serving.await.expect("no panic");
        TcpStream::connect(address).expect_err("it listens no more");
    }
}
