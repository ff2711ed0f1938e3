//! What every role has, and what is put around its routes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use cloudmeet_core::time::Timestamp;
use cloudmeet_store::{AccountChange, AuthStore, Bus, ConferenceStore, Hints, Location, OpenError, Redis, RoomChange};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::{Running, Server, installation};
use crate::access_token::{self, Keys, PublishedKeys, Verifier};
use crate::auth_service::AuthService;
use crate::client_address::Proxies;
use crate::config::{Config, Role};
use crate::edge::Edge;
use crate::health::Health;
use crate::hub::Hub;
use crate::metrics::{self, Sources};
use crate::origin::Names;
use crate::rate_limit::Limits;
use crate::tasks::Tasks;
use crate::this_server::ThisServer;
use crate::upstream::Upstream;

/// How long a database may take to come before the server gives up and whoever started it may start it
/// again; and how often it is looked for.
const DATABASE_PATIENCE: Duration = Duration::from_secs(15);
const DATABASE_RETRY: Duration = Duration::from_millis(500);

/// Is what every role has.
pub(super) struct Common {
    pub(super) names: Names,
    pub(super) proxies: Proxies,
    pub(super) limits: Arc<Limits>,
    /// This server's name among others of its kind.
    pub(super) server_id: String,
    pub(super) redis: Option<Redis>,
    pub(super) bus: Option<Bus>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: Tasks,
}

impl Common {
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        metrics::install();
        let stop = CancellationToken::new();
        let tasks = Tasks::new(stop.clone());
        let server_id = Uuid::now_v7().to_string();
        let redis = match &config.redis {
            // The gateway has nothing to say and nothing to hear.
            Some(url) if config.role != Role::Gateway => {
                Some(Redis::new(url.reveal(), &installation::name(config)?).context("REDIS_URL")?)
            }
            _ => None,
        };
        let bus = redis.clone().map(|redis| {
            let (bus, work) = Bus::new(redis, server_id.clone());
            tasks.until_stopped(work);
            bus
        });
        Ok(Self {
            names: Names::new(&config.exposure, &config.allowed_origins),
            proxies: Proxies::new(config.trusted_proxies.clone()),
            limits: Arc::new(Limits::new(config.rate_limits, redis.as_ref())),
            server_id,
            redis,
            bus,
            tasks,
            stop,
        })
    }

    /// Opens the database of accounts.
    pub(super) async fn accounts(&self, location: &Location) -> anyhow::Result<AuthStore> {
        let store = patiently(location, async || AuthStore::open(location).await).await?;
        Ok(match &self.bus {
            Some(bus) => store.with_bus(bus),
            None => store,
        })
    }

    /// Opens the database of rooms.
    pub(super) async fn rooms(&self, location: &Location) -> anyhow::Result<ConferenceStore> {
        let store = patiently(location, async || ConferenceStore::open(location).await).await?;
        Ok(match &self.bus {
            Some(bus) => store.with_bus(bus),
            None => store,
        })
    }

    /// Is what this server says of itself; `started_at` by the clock of a store that it has.
    pub(super) fn this_server(
        &self,
        role: Role,
        started_at: Timestamp,
        (auth, conference): (Option<AuthStore>, Option<ConferenceStore>),
    ) -> ThisServer {
        ThisServer { role, started_at, auth, conference, bus: self.bus.clone() }
    }

    /// Is what comes by the bus about accounts.
    pub(super) fn account_hints(&self) -> Hints<AccountChange> {
        self.bus.as_ref().map_or_else(Hints::none, Bus::accounts)
    }

    /// Is what comes by the bus about rooms.
    pub(super) fn room_hints(&self) -> Hints<RoomChange> {
        self.bus.as_ref().map_or_else(Hints::none, Bus::rooms)
    }

    /// Knows another service, and keeps an eye on it.
    pub(super) fn upstream(&self, name: &'static str, urls: &[Url]) -> Upstream {
        let upstream = Upstream::new(name, urls);
        self.tasks.until_stopped(upstream.clone().watch());
        upstream
    }

    /// Verifies tokens in a service that signs none.
    pub(super) fn verifier(&self, config: &Config, service: &AuthService) -> Verifier {
        if let Some(secret) = &config.jwt_secret {
            return access_token::verifier_of_shared(secret);
        }
        let keys = PublishedKeys::new(service.clone());
        self.tasks.until_stopped(keys.clone().keep_fresh());
        Verifier::new(Keys::Published(keys))
    }

    /// Puts around a role's routes what every role has; `hub` and `upstreams` are looked at for metrics.
    pub(super) fn finish(
        &self,
        config: &Config,
        router: Router,
        health: Health,
        (hub, upstreams): (Option<Hub>, Vec<Upstream>),
    ) -> Server {
        let (bus, redis) = (self.bus.clone(), self.redis.clone());
        let sources = Sources { role: config.role, bus, redis, hub: hub.clone(), upstreams };
        self.tasks.until_stopped(metrics::keep());
        let router = router.merge(metrics::routes(sources));
        // The services behind a gateway leave other origins to it.
        let faces_pages = matches!(config.role, Role::All | Role::Gateway);
        let origins = if faces_pages { config.allowed_origins.as_slice() } else { &[] };
        let router = Edge { names: self.names.clone(), proxies: self.proxies.clone() }.around(router, origins);
        let (stop, tasks) = (self.stop.clone(), self.tasks.clone());
        let running = Running { health, stop, tasks, hub, auth: None, conference: None };
        Server { router, running, setup_code: None }
    }
}

/// Opens a database, and waits for one that may come yet: where everything starts at once, nobody
/// promises which is first.
async fn patiently<T>(location: &Location, open: impl AsyncFn() -> Result<T, OpenError>) -> anyhow::Result<T> {
    let began = Instant::now();
    let mut is_told = false;
    loop {
        match open().await {
            Err(error) if error.is_passing() && began.elapsed() < DATABASE_PATIENCE => {
                if !std::mem::replace(&mut is_told, true) {
                    let patience_s = DATABASE_PATIENCE.as_secs();
                    tracing::warn!("{location}: {error}; trying for {patience_s} s");
                }
                tokio::time::sleep(DATABASE_RETRY).await;
            }
            outcome => return outcome.with_context(|| location.to_string()),
        }
    }
}
