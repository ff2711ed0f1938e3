//! What is noted of each request: an id, a span of its trace, its duration.

use std::sync::LazyLock;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::Response;
use metrics::{Gauge, Label, SharedString, gauge, histogram};
use opentelemetry::global::get_text_map_propagator;
use opentelemetry::propagation::{Extractor, Injector};
use tracing::{Instrument as _, Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use uuid::Uuid;

use crate::health::is_probe;
use crate::telemetry;

/// The header by which a request's id goes from one service to the next, and back to the client.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long an id may be.
const MAX_ID: usize = 64;

/// The requests that are being answered; looked up with the first of them, when metrics are installed.
static ACTIVE: LazyLock<Gauge> = LazyLock::new(|| gauge!("http_server_active_requests"));

/// Says which service answered, where no route of this one did.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredBy(pub &'static str);

/// Gives a request its id, which is the caller's own if that looks like one, and notes what became of it.
pub async fn observe<F: Future<Output = Response>>(
    mut request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let id = request.headers().get(&REQUEST_ID).filter(|id| is_id(id)).cloned().unwrap_or_else(new_id);
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    // Probes ask all the time, and nobody asks what became of them.
    let span =
        if is_probe(request.uri().path()) { Span::none() } else { describe(&request, method, route.as_ref(), &id) };

    let began = Instant::now();
    let active = Active::begin();
    let mut response = answer(request).instrument(span.clone()).await;
    drop(active);
    response.headers_mut().insert(REQUEST_ID, id);
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let route = match (&route, response.extensions().get::<AnsweredBy>()) {
        (Some(route), _) => SharedString::from_owned(route.as_str().to_owned()),
        (None, Some(AnsweredBy(service))) => SharedString::from_owned(format!("service: {service}")),
        (None, None) => SharedString::const_str("none"),
    };
    let labels = vec![
        Label::from_static_parts("http_request_method", method),
        Label::new("http_route", route),
        Label::new("http_response_status_code", status.as_str().to_owned()),
    ];
    histogram!("http_server_request_duration_seconds", labels).record(began.elapsed().as_secs_f64());
    response
}

/// Is a request's id; empty before it has one.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> &str {
    headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default()
}

/// Makes a request's span, which goes on with the caller's trace. Where no traces are collected it holds only what
/// tells log lines apart: every field is written down with every request.
fn describe(request: &Request, method: &str, route: Option<&MatchedPath>, id: &HeaderValue) -> Span {
    // Without its query: that may hold a setup code.
    let path = request.uri().path();
    if !telemetry::is_tracing() {
        return info_span!(
            "request",
            request_id = id.to_str().unwrap_or_default(),
            http.request.method = method,
            url.path = path,
        );
    }
    let span = info_span!(
        "request",
        otel.kind = "server",
        otel.name = format!("{method} {}", route.map_or("", MatchedPath::as_str)).trim_end(),
        otel.status_code = field::Empty,
        request_id = id.to_str().unwrap_or_default(),
        http.request.method = method,
        url.path = path,
        http.response.status_code = field::Empty,
    );
    let parent = get_text_map_propagator(|propagator| propagator.extract(&Fields(request.headers())));
    // It fails where the span is not to be heard of, and there nothing goes on.
    let _ = span.set_parent(parent);
    span
}

/// Puts the current span's trace into a request to another service. Without a tracer what the caller
/// sent goes on as it came.
pub fn hand_on(headers: &mut HeaderMap) {
    if !telemetry::is_tracing() {
        return;
    }
    let context = Span::current().context();
    get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut FieldsMut(headers)));
}

/// Counts a request for as long as it is being answered, also one whose client goes away.
struct Active;

impl Active {
    fn begin() -> Self {
        ACTIVE.increment(1);
        Self
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.decrement(1);
    }
}

fn is_id(value: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    !value.is_empty() && value.len() <= MAX_ID && value.as_bytes().iter().all(is_plain)
}

pub(crate) fn new_id() -> HeaderValue {
    HeaderValue::try_from(Uuid::now_v7().simple().to_string()).expect("hexadecimal digits stand in a header")
}

/// Names a method; what a client makes up is all one.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

struct Fields<'h>(&'h HeaderMap);

impl Extractor for Fields<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct FieldsMut<'h>(&'h mut HeaderMap);

impl Injector for FieldsMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_plain() {
        let judged = |text: &'static str| is_id(&HeaderValue::from_static(text));
        assert!(judged("0af7651916cd43dd8448eb211c80319c") && judged("a.b_C-1"));
        assert!(!judged("") && !judged("a b") && !judged("a\"b") && !judged("a/b"));
        assert!(!is_id(&HeaderValue::try_from("a".repeat(65)).expect("a value")));
        assert!(is_id(&new_id()));
    }

    #[test]
    fn methods_that_nobody_knows_are_one() {
        assert_eq!(method(&Method::GET), "GET");
        assert_eq!(method(&Method::from_bytes(b"BREW").expect("a method")), "_OTHER");
    }
}
