//! Keeps an operator that no longer leads from writing to the cluster, wherever in it the thought arose.

use kube::Client;
use kube::client::{Body, ClientBuilder};
use tower::BoxError;
use tower::filter::FilterLayer;

use crate::lease::Leadership;

/// Is why a write was not sent.
#[derive(Debug, thiserror::Error)]
#[error("another operator may lead by now, so nothing is written")]
struct Fenced;

/// Makes a client that reads always and writes only while the lease is held: it looks right before each request is
/// sent, after all queues.
///
/// # Errors
/// When the client cannot be made of the configuration.
pub fn fenced(config: kube::Config, leadership: Leadership) -> kube::Result<Client> {
    let fence = FilterLayer::new(move |request: http::Request<Body>| {
        if request.method() == http::Method::GET || leadership.is_held() {
            Ok(request)
        } else {
            Err(BoxError::from(Fenced))
        }
    });
    Ok(ClientBuilder::try_from(config)?.with_layer(&fence).build())
}
