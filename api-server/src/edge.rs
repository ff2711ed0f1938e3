//! What every request passes on its way in, and every answer on its way out.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tower::layer::layer_fn;
use tower::{Service, ServiceBuilder};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::cors::CorsLayer;
use url::Url;

use crate::client_address::Proxies;
use crate::observe::observe;
use crate::origin::Names;
use crate::problem::{Code, Language, Problem, localise};

/// How long a browser may remember what other origins are allowed.
const CORS_MAX_AGE: Duration = Duration::from_secs(600);

/// Knows under which names and through which proxies requests may come.
#[derive(Debug)]
pub struct Edge {
    /// The server's own names.
    pub names: Names,
    /// The proxies to believe.
    pub proxies: Proxies,
}

impl Edge {
    /// Wraps routes in what every request passes. Pages of `origins` may use the interface, too.
    ///
    /// One layer of ours does it all: each further one would copy and box what is inside it for every
    /// request.
    pub fn around(self, router: Router, origins: &[Url]) -> Router {
        let compression = CompressionLayer::new()
            .compress_when(SizeAbove::new(512).and(NotForContentType::GRPC).and(NotForContentType::SSE));
        let edge = Arc::new(self);
        router.layer(
            ServiceBuilder::new()
                .layer(compression)
                .layer(layer_fn(move |inner| Pass { edge: edge.clone(), inner }))
                .option_layer(cors(origins))
                .map_response(with_methods),
        )
    }

    async fn answer<S>(&self, mut request: Request, mut inner: S) -> Response
    where
        S: Service<Request, Response = Response, Error = Infallible>,
    {
        let language = Language::negotiate(request.headers());
        self.proxies.mark(&mut request);
        let mut response = if self.names.admit(&request) {
            let answered = AssertUnwindSafe(async { inner.call(request).await }).catch_unwind().await;
            answered.map_or_else(|_| Problem::from(Code::Internal).into_response(), |Ok(response)| response)
        } else {
            Problem::from(Code::WrongHost).into_response()
        };
        localise(&mut response, language);
        response
    }
}

/// Is a route with our layer around it.
#[derive(Debug, Clone)]
struct Pass<S> {
    edge: Arc<Edge>,
    inner: S,
}

impl<S> Service<Request> for Pass<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that is ready answers; the other waits for its turn.
        let other = self.inner.clone();
        let (edge, inner) = (self.edge.clone(), std::mem::replace(&mut self.inner, other));
        Box::pin(async move {
            let mut response = observe(request, |request| edge.answer(request, inner)).await;
            let headers = response.headers_mut();
            // Caches keep nothing of what they are not told to keep.
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
            Ok(response)
        })
    }
}

/// The router knows which methods a path has and puts them into an answer of its own; the problem
/// that takes its place keeps them when it is rendered again.
fn with_methods(mut response: Response) -> Response {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED && response.extensions().get::<Problem>().is_none() {
        let allow = response.headers_mut().remove(header::ALLOW);
        return Problem::method_not_allowed(allow).into_response();
    }
    response
}

/// Lets the pages of `ALLOWED_ORIGINS` use the interface, with the refresh cookie where the browser
/// sends it (CORS). `None` without any: then only pages of the server itself can.
fn cors(allowed: &[Url]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> =
        allowed.iter().filter_map(|url| url.origin().ascii_serialization().try_into().ok()).collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .expose_headers([header::RETRY_AFTER])
            .allow_credentials(true)
            .max_age(CORS_MAX_AGE)
    })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::config::Exposure;

    async fn broken() {
        panic!("on purpose");
    }

    /// Asks in Russian.
    async fn ask(method: Method, path: &str, host: &str) -> (Response<()>, serde_json::Value) {
        let routes = Router::new()
            .route("/broken", get(broken))
            .method_not_allowed_fallback(|| async { Problem::method_not_allowed(None) });
        let edge = Edge { names: Names::new(&Exposure::Local, &[]), proxies: Proxies::new(Vec::new()) };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", host)
            .header("accept-language", "ru")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))))
            .body(Body::empty())
            .expect("a request");
        let (parts, body) = edge.around(routes, &[]).oneshot(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (Response::from_parts(parts, ()), serde_json::from_slice(&body).expect("JSON"))
    }

    #[tokio::test]
    async fn what_goes_wrong_in_a_handler_and_before_it_is_a_problem_like_any_other() {
        for (method, host, status, code) in [
            (Method::GET, "localhost", StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            (Method::GET, "evil.example", StatusCode::MISDIRECTED_REQUEST, "wrong_host"),
            (Method::POST, "localhost", StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        ] {
            let (answer, body) = ask(method, "/broken", host).await;
            assert_eq!((answer.status(), body["code"].as_str()), (status, Some(code)), "{body}");
            let headers = answer.headers();
            assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
            assert_eq!(headers[header::CONTENT_LANGUAGE], "ru");
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(headers.contains_key("x-request-id"));
            assert_eq!(headers.contains_key(header::ALLOW), status == StatusCode::METHOD_NOT_ALLOWED);
        }
    }

    #[tokio::test]
    async fn a_page_elsewhere_may_read_that_a_method_is_not_known() {
        // Whose fallback says nothing of its own, as behind a gateway.
        let routes = Router::new().route("/known", get(|| async { "known" }));
        let edge = Edge { names: Names::new(&Exposure::Local, &[]), proxies: Proxies::new(Vec::new()) };
        let request = Request::builder()
            .method(Method::POST)
            .uri("/known")
            .header("host", "localhost")
            .header("origin", "https://app.example.org")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))))
            .body(Body::empty())
            .expect("a request");
        let origin = Url::parse("https://app.example.org").expect("a URL");
        let answer = edge.around(routes, &[origin]).oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example.org");
    }
}
