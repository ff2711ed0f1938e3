//! Handing a request on and its answer back (RFC 9110, 7.6).

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::response::Response;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;

use super::{Gateway, tunnel};
use crate::client_address::{FORWARDED_FOR, FORWARDED_PROTO};
use crate::problem::{Code, Problem};
use crate::upstream::Upstream;

/// Headers that concern one connection only.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
];

/// Headers that say how long a body is: each connection says so anew.
const FRAMING: [HeaderName; 2] = [header::TRANSFER_ENCODING, header::CONTENT_LENGTH];

/// Headers by which a client could claim what only the gateway knows.
const FORGEABLE: [HeaderName; 5] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
];

/// What goes on until somebody ends it: the client, the service, or this gateway when it stops.
const EVENT_STREAM: &[u8] = b"text/event-stream";

/// Asks a service for the answer to a request.
pub(super) async fn forward(gateway: &Gateway, upstream: &Upstream, mut request: Request) -> Result<Response, Problem> {
    let is_socket = asks_for_socket(&request);
    let hop = gateway.proxies.hop(&request);
    let own_side = is_socket.then(|| hyper::upgrade::on(&mut request));
    let (mut parts, body) = request.into_parts();
    if let Some(authority) = parts.uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Code::WrongHost)?;
        parts.headers.insert(header::HOST, host);
    }
    // Each connection speaks its own version (RFC 9110, 2.5).
    parts.version = Version::HTTP_11;
    parts.uri = Uri::from(parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    strip(&mut parts.headers);
    for name in FRAMING.iter().chain(&FORGEABLE) {
        parts.headers.remove(name);
    }
    parts.headers.insert(FORWARDED_FOR, hop.forwarded_for);
    parts.headers.insert(FORWARDED_PROTO, hop.forwarded_proto);
    if is_socket {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        parts.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    parts.extensions.clear();

    let mut response = upstream.send(Request::from_parts(parts, body)).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let own_side = own_side.ok_or(Code::BadGateway)?;
        let other_side = hyper::upgrade::on(&mut response);
        gateway.tasks.spawn(tunnel::run(own_side, other_side, gateway.stop.clone()));
        return Ok(response.map(|_| Body::empty()));
    }
    *response.version_mut() = Version::HTTP_11;
    let headers = response.headers_mut();
    strip(headers);
    // Of two lengths the chunks' own counts (RFC 9112, 6.3).
    if headers.remove(header::TRANSFER_ENCODING).is_some() {
        headers.remove(header::CONTENT_LENGTH);
    }
    let stop = gateway.stop.clone();
    let has_no_end = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(EVENT_STREAM));
    Ok(response.map(|body| {
        if has_no_end {
            Body::from_stream(body.into_data_stream().take_until(stop.cancelled_owned()))
        } else {
            Body::new(body)
        }
    }))
}

fn asks_for_socket(request: &Request) -> bool {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    request.method() == Method::GET && upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// Removes what concerned the connection that a message came by.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}
