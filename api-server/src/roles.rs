//! What a process does: the one place that knows roles. Handlers get their state and never ask.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use cloudmeet_core::account::FirstAdministrator;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{AuthStore, ConferenceStore, Location, MessageWriter};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::cors::CorsLayer;
use tower_http::trace::TraceLayer;
use url::Url;
use uuid::Uuid;

use crate::access_token::{self, TokenKeys};
use crate::auth::{self, Auth, AuthState, RefreshCookie, SessionListener};
use crate::client_address::{self, Proxies};
use crate::conference::{self, Conference, ConferenceState};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::docs::Description;
use crate::hash_pool::HashPool;
use crate::health::{self, Health};
use crate::hub::{Follower, Hub};
use crate::origin::{self, Names};
use crate::problem::{self, Code, Problem};
use crate::rate_limit::Limits;
use crate::secret::Secret;
use crate::sessions::Sessions;
use crate::{docs_ui, random, socket, web_ui};

/// How long the setup link is good.
const SETUP_LIFE: Span = Span::days(1);

/// How long a browser may remember what other origins are allowed.
const CORS_MAX_AGE: Duration = Duration::from_secs(600);

/// Is a server put together: what it answers with, and what must end with it.
pub struct Server {
    router: Router,
    running: Running,
    /// The code that makes the first administrator, where one is needed.
    pub setup_code: Option<OpaqueToken>,
}

/// Is what goes on beside the requests.
#[derive(Clone)]
pub struct Running {
    /// Who tells load balancers that it goes down.
    pub health: Health,
    /// Who closes the sockets.
    pub hub: Hub,
    /// Cancelled, it ends the standing tasks.
    pub stop: CancellationToken,
    tasks: TaskTracker,
    auth: AuthStore,
    conference: ConferenceStore,
}

impl Running {
    /// Waits for the standing tasks, the writer among them, and closes the databases. The router must
    /// be gone: it hands messages to the writer.
    pub async fn end(self, timeout: Duration) {
        self.stop.cancel();
        self.tasks.close();
        let ending = async {
            self.tasks.wait().await;
            self.auth.close().await;
            self.conference.close().await;
        };
        if tokio::time::timeout(timeout, ending).await.is_err() {
            tracing::warn!("some tasks did not end");
        }
    }
}

impl Server {
    /// Puts everything together in one process.
    ///
    /// # Errors
    /// When the data directory or a database cannot be used. The message says what to do.
    pub async fn all(config: &Config) -> anyhow::Result<Self> {
        let data_dir = DataDir::open(&config.data_dir)?;
        let location = |given: &Option<Location>, file: &str| {
            given.clone().unwrap_or_else(|| Location::Sqlite(data_dir.file(file)))
        };
        let auth_store = AuthStore::open(&location(&config.auth_database, "auth.db")).await.context("accounts")?;
        let store =
            ConferenceStore::open(&location(&config.conference_database, "conference.db")).await.context("rooms")?;
        let keys = Arc::new(token_keys(config, &data_dir, &auth_store).await?);
        let limits = Arc::new(Limits::new(config.rate_limits));
        let names = Names::new(&config.exposure, &config.allowed_origins);
        let sessions = Sessions::new(keys.clone(), auth_store.clone());
        let server_id = Uuid::now_v7().to_string();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());

        let (hub, errands) = Hub::new();
        let publisher = hub.clone();
        let (writer, writing) = MessageWriter::start(store.clone(), move |new| publisher.publish_messages(new));
        tasks.spawn(writing);
        store.renew_server(&server_id).await.context("rooms")?;
        let follower = Follower {
            hub: hub.clone(),
            auth: auth_store.clone(),
            conference: store.clone(),
            sessions: sessions.clone(),
            server_id: server_id.clone(),
        };
        follower.start(errands, &tasks, &stop);

        let auth = Auth {
            store: auth_store.clone(),
            hashes: HashPool::start().context("cannot start the hash threads")?,
            keys,
            limits: limits.clone(),
            registration: config.registration,
            first_administrator: config.first_administrator(),
            access_token_life: config.access_token_life,
            cookie: RefreshCookie { is_secure: config.is_secure() },
            listener: SessionListener { sessions: sessions.clone(), hub: hub.clone(), conference: store.clone() },
        };
        let conference = Conference { store: store.clone(), writer, hub: hub.clone(), limits, server_id };
        let health = Health::new(auth_store.clone(), store.clone());
        let setup_code = setup_code(config, &auth_store).await?;
        let auth = AuthState { auth: Arc::new(auth), sessions: sessions.clone(), names: names.clone() };
        let conference = ConferenceState { conference: Arc::new(conference), sessions, names: names.clone() };
        let router = router(auth, conference, health.clone());
        let router = edge(router, names, Proxies::new(config.trusted_proxies.clone()), cors(&config.allowed_origins));
        let running = Running { health, hub, stop, tasks, auth: auth_store, conference: store };
        Ok(Self { router, running, setup_code })
    }

    /// Gives what answers requests and what goes on beside them.
    pub fn split(self) -> (Running, Router) {
        (self.running, self.router)
    }
}

/// Is every documented route, still without what it works with, and their description.
struct Documented {
    auth: Router<AuthState>,
    conference: Router<ConferenceState>,
    socket: Router<ConferenceState>,
    health: Router<Health>,
    openapi: String,
}

fn documented() -> Documented {
    let mut description = Description::new();
    Documented {
        auth: description.add(auth::routes()),
        conference: description.add(conference::routes()),
        socket: description.add(socket::routes()),
        health: description.add(health::routes()),
        openapi: description.finish(),
    }
}

/// Is the description of the REST interface (OpenAPI 3.1) as JSON; it needs no server.
#[must_use]
pub fn openapi() -> String {
    documented().openapi
}

/// Merges the services' routes: no service is asked over the network by another of this process.
fn router(auth: AuthState, conference: ConferenceState, health: Health) -> Router {
    let documented = documented();
    documented
        .auth
        .with_state(auth)
        .merge(documented.conference.with_state(conference.clone()))
        .merge(documented.socket.with_state(conference))
        .merge(documented.health.with_state(health))
        .merge(docs_ui::routes(documented.openapi.into()))
        .merge(web_ui::routes())
}

/// Wraps the routes in what every request passes, the outermost last.
fn edge(router: Router, names: Names, proxies: Proxies, cors: Option<CorsLayer>) -> Router {
    let compression = CompressionLayer::new()
        .compress_when(SizeAbove::new(512).and(NotForContentType::GRPC).and(NotForContentType::SSE));
    let router = router
        .fallback(|| async { Problem::from(Code::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed(None) })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(allow_header));
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router
        .layer(from_fn_with_state(names, origin::guard))
        .layer(from_fn_with_state(proxies, client_address::find))
        .layer(CatchPanicLayer::custom(|_| Problem::from(Code::Internal).into_response()))
        .layer(from_fn(problem::localise))
        .layer(compression)
        .layer(map_response(no_store))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
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

/// Describes a request to the log, without its query: that may hold a setup code.
fn span(request: &axum::extract::Request) -> tracing::Span {
    tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
}

/// Tells caches to keep nothing of what they are not told to keep.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response.headers_mut().entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}

/// The router knows which methods a path has and puts them into an answer of its own; the problem
/// that takes its place keeps them when it is rendered again.
async fn allow_header(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED && response.extensions().get::<Problem>().is_none() {
        let allow = response.headers_mut().remove(header::ALLOW);
        return Problem::method_not_allowed(allow).into_response();
    }
    response
}

async fn token_keys(config: &Config, data_dir: &DataDir, store: &AuthStore) -> anyhow::Result<TokenKeys> {
    if let Some(secret) = &config.jwt_secret {
        return Ok(TokenKeys::shared(secret));
    }
    let secret = match &config.sealing_secret {
        Some(secret) => access_token::sealing_key(Secret::reveal(secret).as_bytes()),
        None => access_token::sealing_key(&*data_dir.key("sealing.key", random::bytes())?),
    };
    TokenKeys::stored(store, &secret).await
}

/// Makes a setup code where there is no administrator and none comes by being first.
async fn setup_code(config: &Config, store: &AuthStore) -> anyhow::Result<Option<OpaqueToken>> {
    if config.first_administrator() != FirstAdministrator::SetupCode || store.has_administrator().await? {
        return Ok(None);
    }
    let code = OpaqueToken::from_random(random::bytes());
    store.add_setup_code(&code, SETUP_LIFE).await?;
    Ok(Some(code))
}
