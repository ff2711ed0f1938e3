//! What is left of a request's body when its answer is ready.
//!
//! hyper closes a connection whose body was not read to its end, and does not say so in the answer: a
//! client that sends head and body apart would lose its next request. So the rest is read before the
//! answer goes out, if it is short and comes soon; otherwise the answer says that it is the last one on
//! its connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tower::ServiceExt as _;

/// How much is read that nobody asked for, in bytes; more than most requests have.
const MAX_REST: usize = 256 << 10;

/// How long the rest may take to come.
const REST_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers a request and leaves its connection fit for the next one, or says that it is not.
pub(crate) async fn answer(router: Router, request: Request<Incoming>) -> Result<Response, Infallible> {
    if request.body().is_end_stream() {
        return router.oneshot(request.map(Body::new)).await;
    }
    // Who asks first whether to send a body would be told to.
    let is_asked_for = request.headers().contains_key(header::EXPECT);
    let (give_back, mut left) = oneshot::channel();
    let lent = |body| Body::new(Lent { body: Some(body), give_back: Some(give_back) });
    let mut response = router.oneshot(request.map(lent)).await?;
    // Read to its end there is nothing left; and who answers while he reads, as a gateway may, reads on.
    if let Ok(rest) = left.try_recv()
        && (is_asked_for || !is_soon_read(rest).await)
    {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Throws the rest away as it comes.
async fn is_soon_read(rest: Incoming) -> bool {
    if rest.size_hint().lower() > MAX_REST as u64 {
        return false;
    }
    let mut rest = Limited::new(rest, MAX_REST);
    let reading = async {
        while let Some(frame) = rest.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    };
    timeout(REST_TIMEOUT, reading).await == Ok(true)
}

/// Is a body that is given back by who drops it before its end.
struct Lent {
    body: Option<Incoming>,
    give_back: Option<oneshot::Sender<Incoming>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(give_back)) = (self.body.take(), self.give_back.take())
            && !body.is_end_stream()
        {
            // Nobody waits for it where the answer is on its way already.
            let _ = give_back.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::{get, post};
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::sync::Notify;

    use super::*;

    const NEXT: &str = "GET /next HTTP/1.1\r\nHost: here\r\n\r\n";

    /// Connects to a server that reads bodies at `/read` alone, and notes when it would answer early.
    fn connect(is_ready: &Arc<Notify>) -> DuplexStream {
        let is_ready = is_ready.clone();
        let early = move || async move {
            is_ready.notify_one();
            "early"
        };
        let router = Router::new()
            .route("/early", post(early))
            .route("/read", post(|body: Bytes| async { body }))
            .route("/next", get(|| async { "next" }));
        let (client, server) = tokio::io::duplex(64 << 10);
        let service = service_fn(move |request| answer(router.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
        client
    }

    fn head(path: &str, more: &str) -> String {
        format!("POST {path} HTTP/1.1\r\nHost: here\r\n{more}\r\n\r\n")
    }

    async fn send(connection: &mut DuplexStream, said: &str) {
        connection.write_all(said.as_bytes()).await.expect("written");
    }

    async fn read_to_end(mut connection: DuplexStream) -> String {
        let mut answers = String::new();
        connection.read_to_string(&mut answers).await.expect("answers");
        answers
    }

    async fn read_until(connection: &mut DuplexStream, end: &str) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(end.as_bytes()) {
            assert_ne!(connection.read_buf(&mut answer).await.expect("an answer"), 0, "the connection ended");
        }
        String::from_utf8(answer).expect("text")
    }

    #[tokio::test]
    async fn a_body_that_comes_after_its_answer_was_ready_costs_no_connection() {
        for (more, body) in [("Content-Length: 2", "{}"), ("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n")] {
            let is_ready = Arc::default();
            let mut connection = connect(&is_ready);
            send(&mut connection, &head("/early", more)).await;
            is_ready.notified().await;
            send(&mut connection, body).await;
            let answer = read_until(&mut connection, "early").await;
            assert!(!answer.contains("connection: close"), "{answer}");
            send(&mut connection, NEXT).await;
            read_until(&mut connection, "next").await;
        }
    }

    #[tokio::test]
    async fn a_body_that_is_read_costs_no_connection() {
        let mut connection = connect(&Arc::default());
        send(&mut connection, &head("/read", "Transfer-Encoding: chunked")).await;
        send(&mut connection, "4\r\nread\r\n0\r\n\r\n").await;
        read_until(&mut connection, "read").await;
        send(&mut connection, NEXT).await;
        read_until(&mut connection, "next").await;
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_or_is_too_long_ends_the_connection_and_the_answer_says_so() {
        let too_long = (MAX_REST + 1).to_string();
        let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", MAX_REST + 1, "x".repeat(MAX_REST + 1));
        for (more, body) in [
            ("Content-Length: 2", ""),
            (&*format!("Content-Length: {too_long}"), ""),
            ("Transfer-Encoding: chunked", &*chunk),
            // Nobody tells it to come.
            ("Expect: 100-continue\r\nContent-Length: 2", ""),
        ] {
            let mut connection = connect(&Arc::default());
            send(&mut connection, &head("/early", more)).await;
            // The server may have ended the connection before it took all.
            let _ = connection.write_all(body.as_bytes()).await;
            let answer = read_to_end(connection).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{more}: {answer}");
            assert!(answer.contains("connection: close"), "{more}: {answer}");
        }
    }
}
