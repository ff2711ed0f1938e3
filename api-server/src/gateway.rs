//! The one entry of a system in parts: knows which service answers what, looks at tokens at the
//! door, and hands everything on as it came.
//!
//! The services judge every request once more themselves: nobody has to trust the gateway.

mod forward;
mod frames;
mod tunnel;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use cloudmeet_core::time::Span;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access_token::{Verifier, VerifyError};
use crate::auth_service::AuthService;
use crate::client_address::Proxies;
use crate::observe::AnsweredBy;
use crate::problem::{Code, Problem};
use crate::sessions::bearer_token;
use crate::upstream::{Upstream, UpstreamError};

/// How far the gateway's own clock may be wrong: the services judge more strictly, by their stores'.
const CLOCK_TOLERANCE: Span = Span::minutes(1);

/// What needs no access token, so that a stale one does no harm there.
const OPEN_PATHS: [&str; 6] = [
    "/api/auth/register",
    "/api/auth/login",
    "/api/auth/refresh",
    "/api/auth/reset",
    "/.well-known/jwks.json",
    "/api/ws",
];

/// Is what the gateway works with.
pub struct Gateway {
    /// The servers of the role auth.
    pub auth: Upstream,
    /// The servers of the role conference.
    pub conference: Upstream,
    /// Who looks at tokens.
    pub verifier: Verifier,
    /// Whose time it is.
    pub auth_service: AuthService,
    /// Who knows from where requests come.
    pub proxies: Proxies,
    /// Where sockets run.
    pub tasks: TaskTracker,
    /// Cancelled, it ends the sockets.
    pub stop: CancellationToken,
}

/// Everything that the gateway does not answer itself.
pub fn routes(gateway: Gateway) -> Router {
    Router::new().fallback(hand_on).with_state(Arc::new(gateway))
}

async fn hand_on(State(gateway): State<Arc<Gateway>>, request: Request) -> Result<Response, Response> {
    let path = request.uri().path();
    let upstream = gateway.upstream(path).ok_or_else(|| Problem::from(Code::NotFound).into_response())?;
    if !OPEN_PATHS.contains(&path)
        && let Some(token) = bearer_token(request.headers()).filter(|token| is_signed(token))
    {
        let verified = gateway.verifier.verify_loosely(token, gateway.auth_service.now(), CLOCK_TOLERANCE).await;
        // With the keys out of reach the services, which may know them, have the word.
        if verified == Err(VerifyError::Invalid) {
            return Err(Problem::from(Code::InvalidToken).into_response());
        }
    }
    let mut response = forward::forward(&gateway, upstream, request).await.map_err(IntoResponse::into_response);
    let (Ok(answer) | Err(answer)) = &mut response;
    answer.extensions_mut().insert(AnsweredBy(upstream.name()));
    response
}

impl Gateway {
    /// Finds who answers a path. What is between the services is nobody's business outside.
    fn upstream(&self, path: &str) -> Option<&Upstream> {
        let is_under =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if ["/api/auth", "/api/users", "/api/api-keys", "/.well-known/jwks.json"].into_iter().any(is_under) {
            Some(&self.auth)
        } else if is_under("/api") {
            Some(&self.conference)
        } else {
            None
        }
    }
}

/// Says whether a token is a signed statement: API keys are none, and the services know them.
fn is_signed(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl From<UpstreamError> for Problem {
    fn from(error: UpstreamError) -> Self {
        tracing::warn!(error = &error as &dyn std::error::Error, "a request was not answered by its service");
        match error {
            UpstreamError::Unreachable(_) => Code::ServiceUnavailable.into(),
            UpstreamError::Broken(..) => Code::BadGateway.into(),
            UpstreamError::Silent(_) => Code::GatewayTimeout.into(),
        }
    }
}
