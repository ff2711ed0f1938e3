//! Which names the server answers to, and whose pages may talk to it.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use url::Url;

use crate::client_address::{FORWARDED_FOR, FORWARDED_PROTO};
use crate::config::Exposure;
use crate::health::is_probe;

/// Headers by which a proxy shows itself.
const FORWARDING_HEADERS: [HeaderName; 6] = [
    header::FORWARDED,
    FORWARDED_FOR,
    HeaderName::from_static("x-forwarded-host"),
    FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
];

/// Says where a request claims to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// No `Origin` header: not a page, or a request within one site.
    Absent,
    /// A page of ours.
    Own,
    /// Another page, or one that hides.
    Foreign,
}

/// Knows the server's own names.
#[derive(Debug, Clone)]
pub struct Names(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    exposure: Exposure,
    /// Serialised origins (RFC 6454, 6.2) of pages that may talk to the server.
    origins: Vec<String>,
    /// Hosts, with port where it is not the scheme's own.
    hosts: Vec<String>,
}

impl Names {
    /// Derives the names from the configuration.
    #[must_use]
    pub fn new(exposure: &Exposure, allowed: &[Url]) -> Self {
        let public = match exposure {
            Exposure::Public(url) | Exposure::Inner(url) => url.as_ref(),
            Exposure::Local => None,
        };
        let known = || public.into_iter().chain(allowed);
        Self(Arc::new(Inner {
            exposure: exposure.clone(),
            origins: known().map(|url| url.origin().ascii_serialization()).collect(),
            hosts: known().filter_map(host_and_port).collect(),
        }))
    }

    /// Judges a request's `Origin`.
    #[must_use]
    pub fn origin(&self, headers: &HeaderMap) -> Origin {
        let Some(value) = headers.get(header::ORIGIN) else { return Origin::Absent };
        let Ok(origin) = value.to_str() else { return Origin::Foreign };
        if self.0.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)) {
            return Origin::Own;
        }
        // Without a public name a page is ours if it came from the very address it talks to; that the
        // address is one of ours has been checked before, by the gateway if not here.
        let schemes: &[&str] = match self.0.exposure {
            Exposure::Public(Some(_)) | Exposure::Inner(Some(_)) => &[],
            Exposure::Local | Exposure::Public(None) => &["http://"],
            Exposure::Inner(None) => &["http://", "https://"],
        };
        let host = schemes.iter().find_map(|scheme| origin.strip_prefix(scheme));
        let same = host.is_some() && host == request_host(headers);
        if same { Origin::Own } else { Origin::Foreign }
    }

    /// Says whether a request may come in: not under foreign names, so that neither a rebinding page nor
    /// a forgotten proxy gets through. Probes and Prometheus ask by address, and learn nothing of anybody.
    #[must_use]
    pub fn admit(&self, request: &Request) -> bool {
        let uri_host = request.uri().authority().map(axum::http::uri::Authority::as_str);
        self.answers(request.headers(), uri_host)
            || (is_probe(request.uri().path()) && self.0.exposure != Exposure::Local)
    }

    /// Says whether the server answers to the name by which a request addresses it.
    fn answers(&self, headers: &HeaderMap, uri_host: Option<&str>) -> bool {
        let Some(host) = uri_host.or_else(|| request_host(headers)) else { return false };
        let host = host.to_ascii_lowercase();
        match &self.0.exposure {
            Exposure::Local => is_loopback(&host) && !FORWARDING_HEADERS.iter().any(|name| headers.contains_key(name)),
            Exposure::Inner(_) => true,
            Exposure::Public(None) => is_loopback(&host) || self.0.hosts.contains(&host),
            Exposure::Public(Some(_)) => {
                let bare = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(&host);
                self.0.hosts.iter().any(|known| known == bare || *known == host)
            }
        }
    }
}

/// Two hosts are none: who is behind us may take the other (RFC 9112, 3.2).
fn request_host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?;
    if hosts.next().is_some() { None } else { host.to_str().ok() }
}

fn host_and_port(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Says whether a host, with or without a port, is this machine by name.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value"))).collect()
    }

    fn public() -> Names {
        let url = Url::parse("https://meet.example.org").expect("url");
        let further = Url::parse("https://other.example.org:8443").expect("url");
        Names::new(&Exposure::Public(Some(url)), &[further])
    }

    #[test]
    fn locally_only_loopback_names_without_forwarding_are_answered() {
        let names = Names::new(&Exposure::Local, &[]);
        for host in ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1"] {
            assert!(names.answers(&headers(&[("host", host)]), None), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "[::2]", ""] {
            assert!(!names.answers(&headers(&[("host", host)]), None), "{host}");
        }
        assert!(!names.answers(&headers(&[]), None));
        assert!(!names.answers(&headers(&[("host", "localhost"), ("x-forwarded-for", "1.2.3.4")]), None));
    }

    #[test]
    fn publicly_only_the_public_and_allowed_names_are_answered() {
        let names = public();
        assert!(names.answers(&headers(&[("host", "meet.example.org")]), None));
        assert!(names.answers(&headers(&[("host", "meet.example.org:443")]), None));
        assert!(names.answers(&headers(&[("host", "other.example.org:8443")]), None));
        assert!(!names.answers(&headers(&[("host", "127.0.0.1:8000")]), None));
    }

    #[test]
    fn a_page_is_ours_by_origin() {
        let names = public();
        assert_eq!(names.origin(&headers(&[])), Origin::Absent);
        assert_eq!(names.origin(&headers(&[("origin", "https://meet.example.org")])), Origin::Own);
        for origin in ["null", "http://meet.example.org", "https://meet.example.org.evil", "https://evil"] {
            assert_eq!(names.origin(&headers(&[("origin", origin)])), Origin::Foreign, "{origin}");
        }
        let local = Names::new(&Exposure::Local, &[]);
        let at = |origin| local.origin(&headers(&[("host", "localhost:8000"), ("origin", origin)]));
        assert_eq!(at("http://localhost:8000"), Origin::Own);
        assert_eq!(at("http://localhost:3000"), Origin::Foreign);
        assert_eq!(at("http://127.0.0.1:8000"), Origin::Foreign);
    }
}
