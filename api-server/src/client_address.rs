//! The address that a request comes from, also through proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

/// The header by which proxies say whose request they hand on.
pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header by which proxies say by which scheme it came to them.
pub(crate) const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Is the client's address, as far as it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Is what limits are counted by: an IPv6 host has a whole /64 to itself.
    #[must_use]
    pub fn rate_key(self) -> IpAddr {
        match self.0 {
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(mapped) => mapped.into(),
                None => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
            },
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

/// Is what a proxy says of where a request came from.
#[derive(Debug)]
pub(crate) struct Hop {
    /// The addresses on the way, the client's first, as far as they are believed.
    pub forwarded_for: HeaderValue,
    /// By which scheme the client came.
    pub forwarded_proto: HeaderValue,
}

/// Knows which proxies to believe.
#[derive(Debug, Clone)]
pub struct Proxies {
    trusted: Arc<[IpNet]>,
    warned: Arc<AtomicBool>,
}

impl Proxies {
    /// Takes the networks of the proxies to believe.
    #[must_use]
    pub fn new(trusted: Vec<IpNet>) -> Self {
        Self { trusted: trusted.into(), warned: Arc::default() }
    }

    /// Finds the client: the peer, or behind trusted proxies the last address that is not one of them.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let forwarded = headers.get_all(FORWARDED_FOR);
        if !self.is_trusted(peer) {
            if forwarded.iter().next().is_some() && !self.warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(peer.address = %peer, "ignoring X-Forwarded-For from an address that is not in TRUSTED_PROXIES");
            }
            return ClientAddress(peer);
        }
        // From our side outwards: what stands before a hop that is no proxy of ours, or no address at
        // all, is whatever the client liked to write.
        let hops: Vec<&str> =
            forwarded.iter().flat_map(|value| value.to_str().unwrap_or_default().split(',')).map(str::trim).collect();
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            let Ok(address) = hop.parse() else { break };
            client = address;
            if !self.is_trusted(address) {
                break;
            }
        }
        ClientAddress(client)
    }

    /// Says what a request is to carry to the next server.
    ///
    /// # Panics
    /// When the request does not say whose connection it came by ([`ConnectInfo`]).
    pub(crate) fn hop(&self, request: &Request) -> Hop {
        let (peer, headers) = (peer(request), request.headers());
        let is_trusted = self.is_trusted(peer);
        let mut addresses: Vec<String> = Vec::new();
        if is_trusted {
            let before = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
            addresses.extend(before.map(str::to_owned));
        }
        addresses.push(peer.to_canonical().to_string());
        let proto = headers.get(FORWARDED_PROTO).filter(|_| is_trusted).cloned();
        Hop {
            // Made of what was a header before, and of an address.
            forwarded_for: HeaderValue::try_from(addresses.join(", ")).unwrap_or(HeaderValue::from_static("unknown")),
            forwarded_proto: proto.unwrap_or(HeaderValue::from_static("http")),
        }
    }

    /// Gives a request its [`ClientAddress`].
    ///
    /// # Panics
    /// When the request does not say whose connection it came by ([`ConnectInfo`]).
    pub fn mark(&self, request: &mut Request) {
        let client = self.client(peer(request), request.headers());
        request.extensions_mut().insert(client);
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// Is whose connection a request came by.
fn peer(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    peer.expect("whoever accepts connections says whose they are")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: Option<&str>) -> String {
        let networks = trusted.split(',').filter(|text| !text.is_empty()).map(|text| text.parse().expect("network"));
        let mut headers = HeaderMap::new();
        if let Some(value) = forwarded {
            headers.insert("x-forwarded-for", value.parse().expect("header"));
        }
        Proxies::new(networks.collect()).client(peer.parse().expect("address"), &headers).0.to_string()
    }

    #[test]
    fn a_forwarding_header_counts_only_from_a_trusted_proxy() {
        assert_eq!(client("", "10.0.0.1", Some("1.2.3.4")), "10.0.0.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", Some("1.2.3.4")), "1.2.3.4");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", None), "10.0.0.1");
    }

    #[test]
    fn what_a_client_forges_before_the_proxy_is_not_believed() {
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", Some("9.9.9.9, 1.2.3.4, 10.0.0.2")), "1.2.3.4");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", Some("nonsense")), "10.0.0.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", Some("6.6.6.6, nonsense, 1.2.3.4")), "1.2.3.4");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", Some("6.6.6.6, nonsense, 10.0.0.2")), "10.0.0.2");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", Some("6.6.6.6, nonsense")), "10.0.0.1");
    }

    #[test]
    fn an_ipv6_host_is_counted_by_its_network() {
        let key = |text: &str| ClientAddress(text.parse().expect("address")).rate_key().to_string();
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("::ffff:1.2.3.4"), "1.2.3.4");
    }
}
