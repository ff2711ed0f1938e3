//! A server, as it is reached from here: through whatever stands in front of it.

use std::time::Duration;

use axum::http::{StatusCode, header};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use url::Url;

use super::Findings;
use crate::api::{Api, Call, Http, Read, Server, parse};
use crate::profile::Profile;
use crate::target;

/// How far clocks may be apart: tokens and leases live by minutes.
pub(super) const SKEW_NOTICED: i64 = 5;
pub(super) const SKEW_HARMFUL: i64 = 60;

/// How long the server's first frame may take.
const WELCOME: Duration = Duration::from_secs(5);

/// Is by which way a server is looked at.
pub(super) enum Way {
    /// As people come, with a login if there is one.
    Peoples(Option<Profile>),
    /// From beside it, where it may not go by its name: what people come by is not looked at.
    Beside,
}

/// Looks at a server.
pub(super) async fn look(findings: &mut Findings, url: Url, way: Way) {
    let shown = url.as_str().trim_end_matches('/').to_owned();
    let is_open = url.scheme() == "http" && !target::is_here(&url);
    let http = match Http::new(url) {
        Ok(http) => http,
        Err(error) => return findings.fail("server", format!("{error:#}"), "look at the system's certificates"),
    };
    if !is_reached(findings, &http, &shown).await {
        return;
    }
    if is_open {
        let remedy = "put a proxy with TLS in front, and set PUBLIC_URL to its https address";
        findings.warn("tls", "the address is not https: passwords cross the network in the clear", remedy);
    } else if http.base().scheme() == "https" {
        findings.ok("tls", "the certificate is trusted here");
    }
    ready(findings, &http).await;
    clock(findings, &http).await;
    let Way::Peoples(login) = way else { return };
    let api = match login.map(|profile| Api::Server(Server::new(http.clone(), profile))) {
        Some(api) => match api.ask::<Value>(&Call::get("/api/auth/me")).await {
            Ok(_) => {
                findings.ok("login", "the login holds");
                Some(api)
            }
            Err(failure) => {
                let why = failure.message().unwrap_or_default();
                findings.fail("login", why, "run `cloudmeet login`");
                None
            }
        },
        None => None,
    };
    socket(findings, &http, api.as_ref()).await;
}

async fn is_reached(findings: &mut Findings, http: &Http, shown: &str) -> bool {
    let remedy = "see whether the server runs, and whether the address is the one that people type";
    let answer = match http.send(&Call::get("/health"), None).await {
        Ok(answer) => answer,
        Err(failure) => {
            findings.fail("server", failure.message().unwrap_or_default(), remedy);
            return false;
        }
    };
    let status = answer.status;
    let body: Option<Value> = parse(answer).await.ok().map(|read| read.value);
    let is_ours = body.as_ref().and_then(|body| body.get("status")).and_then(Value::as_str) == Some("healthy");
    if status == StatusCode::OK && is_ours {
        let service = body.as_ref().and_then(|body| body.get("service")).and_then(Value::as_str).unwrap_or("?");
        findings.ok("server", format!("{shown} answers, as {service}"));
        return true;
    }
    if status == StatusCode::MISDIRECTED_REQUEST {
        let remedy = "set PUBLIC_URL to the address that people type";
        findings.fail("server", format!("{shown} is not a name that the server goes by"), remedy);
    } else {
        findings.fail("server", format!("{shown} answers {status}, and not as CloudMeet does"), remedy);
    }
    false
}

async fn ready(findings: &mut Findings, http: &Http) {
    let answer = match http.send(&Call::get("/readyz"), None).await {
        Ok(answer) => answer,
        Err(failure) => return findings.fail("stores", failure.message().unwrap_or_default(), "see the server's log"),
    };
    let status = answer.status;
    let body: Value = parse(answer).await.map(|read| read.value).unwrap_or_default();
    match (status, body.get("redis").and_then(Value::as_str)) {
        (StatusCode::OK, Some("away")) => {
            findings.ok("stores", "the stores answer");
            let remedy = "see whether Redis runs, and REDIS_URL; meanwhile servers hear of each other a second later";
            findings.warn("redis", "Redis does not answer", remedy);
        }
        (StatusCode::OK, redis) => {
            findings.ok("stores", "the stores answer");
            if redis == Some("up") {
                findings.ok("redis", "Redis answers");
            }
        }
        // Some proxies keep the probes to themselves.
        (StatusCode::NOT_FOUND, _) => {}
        (status, _) => {
            let detail = body.get("detail").and_then(Value::as_str).unwrap_or_default();
            findings.fail("stores", format!("the server is not ready: {status} {detail}"), "see the server's log");
        }
    }
}

async fn clock(findings: &mut Findings, http: &Http) {
    let Ok(Some(date)) = http.header(&Call::get("/livez"), &header::DATE).await else { return };
    let Ok(theirs) = rfc2822::parse(&date).map(|time| time.timestamp()) else { return };
    let apart = (Timestamp::now().as_second() - theirs.as_second()).abs();
    let remedy = "let both machines keep time by NTP";
    let message = format!("this machine's clock and the server's are {apart} s apart");
    if apart >= SKEW_HARMFUL {
        findings.fail("clock", message, remedy);
    } else if apart >= SKEW_NOTICED {
        findings.warn("clock", message, remedy);
    } else {
        findings.ok("clock", "the clocks agree");
    }
}

/// Opens a WebSocket by the way that browsers take. Without a login it must be refused for its ticket, which shows
/// that the request came through as one for a WebSocket.
async fn socket(findings: &mut Findings, http: &Http, api: Option<&Api>) {
    let remedy = "let the proxy pass Upgrade and Connection on, and hold connections open (docker/frontend/nginx.conf \
                  shows how)";
    let ticket = match api {
        Some(api) => {
            let read: Result<Read<Value>, _> = api.ask(&Call::post("/api/ws-ticket")).await;
            match read.map(|read| read.value.get("ticket").and_then(Value::as_str).map(str::to_owned)) {
                Ok(ticket) => ticket,
                Err(failure) => {
                    return findings.fail("websocket", failure.message().unwrap_or_default(), "see the server's log");
                }
            }
        }
        None => None,
    };
    let response = match http.upgrade("/api/ws", ticket.as_deref().unwrap_or("none")).await {
        Ok(response) => response,
        Err(failure) => return findings.fail("websocket", failure.message().unwrap_or_default(), remedy),
    };
    match (response.status(), ticket) {
        (StatusCode::UNAUTHORIZED, None) => {
            findings.ok("websocket", "its request comes through (log in to have one opened)");
        }
        (StatusCode::SWITCHING_PROTOCOLS, Some(_)) => {
            let first = async {
                let stream = response.upgrade().await.ok()?;
                let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
                socket.next().await?.ok()
            };
            match timeout(WELCOME, first).await {
                Ok(Some(frame)) if frame.to_text().is_ok_and(|text| text.contains("\"welcome\"")) => {
                    findings.ok("websocket", "it opens, and frames come through");
                }
                _ => findings.fail("websocket", "it opens, and no frame comes through", remedy),
            }
        }
        (status, _) => findings.fail("websocket", format!("it is not opened: {status}"), remedy),
    }
}
