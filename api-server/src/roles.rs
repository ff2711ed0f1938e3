//! What a process does: the one place that knows roles. Handlers get their state and never ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use axum::Router;
use cloudmeet_core::account::FirstAdministrator;
use cloudmeet_core::crypto;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{
    AccessReader, AccountChange, AuthStore, Bus, ConferenceStore, Hints, Location, MessageWriter, OpenError, Redis,
    RoomChange,
};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::access_token::{self, Keys, PublishedKeys, SealingKey, Signer, StoredKeys, Verifier};
use crate::accounts::Accounts;
use crate::auth::{self, Auth, AuthState, RefreshCookie, Rooms, SessionListener};
use crate::auth_service::AuthService;
use crate::client_address::Proxies;
use crate::conference::{self, Conference, ConferenceState, LISTS_AT_ONCE, PageCache};
use crate::config::{Config, Role};
use crate::data_dir::DataDir;
use crate::docs::Description;
use crate::edge::Edge;
use crate::gateway::{self, Gateway};
use crate::hash_pool::HashPool;
use crate::health::{self, Health};
use crate::hub::{Follower, Hub};
use crate::metrics::{self, Sources};
use crate::origin::Names;
use crate::problem::{Code, Problem};
use crate::rate_limit::Limits;
use crate::sessions::Sessions;
use crate::single_flight::SingleFlight;
use crate::tasks::Tasks;
use crate::upstream::Upstream;
use crate::{docs_ui, random, socket, web_ui};

/// How long the setup link is good.
const SETUP_LIFE: Span = Span::days(1);

/// How long a database may take to come before the server gives up and whoever started it may start it
/// again; and how often it is looked for.
const DATABASE_PATIENCE: Duration = Duration::from_secs(15);
const DATABASE_RETRY: Duration = Duration::from_millis(500);

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
    /// Cancelled, it ends the standing tasks.
    pub stop: CancellationToken,
    tasks: Tasks,
    hub: Option<Hub>,
    auth: Option<AuthStore>,
    conference: Option<ConferenceStore>,
}

impl Running {
    /// Says goodbye to every socket, and waits until they have gone.
    pub async fn close_sockets(&self) {
        if let Some(hub) = &self.hub {
            hub.close_all().await;
        }
    }

    /// Waits for the standing tasks, the writer among them, and closes the databases. The router must
    /// be gone: it hands messages to the writer.
    pub async fn end(self, timeout: Duration) {
        self.stop.cancel();
        let ending = async {
            self.tasks.end().await;
            if let Some(store) = &self.auth {
                store.close().await;
            }
            if let Some(store) = &self.conference {
                store.close().await;
            }
        };
        if tokio::time::timeout(timeout, ending).await.is_err() {
            tracing::warn!("some tasks did not end");
        }
    }
}

impl Server {
    /// Puts together what a role needs.
    ///
    /// # Errors
    /// When the data directory or a database cannot be used. The message says what to do.
    pub async fn new(config: &Config) -> anyhow::Result<Self> {
        let common = Common::new(config)?;
        match config.role {
            Role::All => all(config, &common).await,
            Role::Auth => auth_alone(config, &common).await,
            Role::Conference => conference_alone(config, &common).await,
            Role::Gateway => Ok(gateway_alone(config, &common)),
        }
    }

    /// Gives what answers requests and what goes on beside them.
    pub fn split(self) -> (Running, Router) {
        (self.running, self.router)
    }
}

/// Is what every role has.
struct Common {
    names: Names,
    limits: Arc<Limits>,
    /// This server's name among others of its kind.
    server_id: String,
    redis: Option<Redis>,
    bus: Option<Bus>,
    stop: CancellationToken,
    tasks: Tasks,
}

impl Common {
    fn new(config: &Config) -> anyhow::Result<Self> {
        metrics::install();
        let stop = CancellationToken::new();
        let tasks = Tasks::new(stop.clone());
        let server_id = Uuid::now_v7().to_string();
        let redis = match &config.redis {
            // The gateway has nothing to say and nothing to hear.
            Some(url) if config.role != Role::Gateway => {
                Some(Redis::new(url.reveal(), &installation(config)?).context("REDIS_URL")?)
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
            limits: Arc::new(Limits::new(config.rate_limits, redis.as_ref())),
            server_id,
            redis,
            bus,
            tasks,
            stop,
        })
    }

    /// Opens the database of accounts.
    async fn accounts(&self, location: &Location) -> anyhow::Result<AuthStore> {
        let store = patiently(location, async || AuthStore::open(location).await).await?;
        Ok(match &self.bus {
            Some(bus) => store.with_bus(bus),
            None => store,
        })
    }

    /// Opens the database of rooms.
    async fn rooms(&self, location: &Location) -> anyhow::Result<ConferenceStore> {
        let store = patiently(location, async || ConferenceStore::open(location).await).await?;
        Ok(match &self.bus {
            Some(bus) => store.with_bus(bus),
            None => store,
        })
    }

    /// Is what comes by the bus about accounts.
    fn account_hints(&self) -> Hints<AccountChange> {
        self.bus.as_ref().map_or_else(Hints::none, Bus::accounts)
    }

    /// Is what comes by the bus about rooms.
    fn room_hints(&self) -> Hints<RoomChange> {
        self.bus.as_ref().map_or_else(Hints::none, Bus::rooms)
    }

    /// Knows another service, and keeps an eye on it.
    fn upstream(&self, name: &'static str, urls: &[Url]) -> Upstream {
        let upstream = Upstream::new(name, urls);
        self.tasks.until_stopped(upstream.clone().watch());
        upstream
    }

    /// Verifies tokens in a service that signs none.
    fn verifier(&self, config: &Config, service: &AuthService) -> Verifier {
        if let Some(secret) = &config.jwt_secret {
            return access_token::verifier_of_shared(secret);
        }
        let keys = PublishedKeys::new(service.clone());
        self.tasks.until_stopped(keys.clone().keep_fresh());
        Verifier::new(Keys::Published(keys))
    }

    /// Puts around a role's routes what every role has; `hub` and `upstreams` are looked at for metrics.
    fn finish(
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
        let proxies = Proxies::new(config.trusted_proxies.clone());
        // The services behind a gateway leave other origins to it.
        let faces_pages = matches!(config.role, Role::All | Role::Gateway);
        let origins = if faces_pages { config.allowed_origins.as_slice() } else { &[] };
        let router = Edge { names: self.names.clone(), proxies }.around(router, origins);
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

/// Names the installation among others on the same Redis: by what its servers share and others do not
/// have.
fn installation(config: &Config) -> anyhow::Result<String> {
    let name = with_shared_secret(config, |secret| crypto::authenticate(secret, "cloudmeet: installation"))?;
    let (name, _) = name.split_first_chunk().expect("32 bytes hold 16");
    Ok(Uuid::from_bytes(*name).to_string())
}

/// Everything in one process: no service is asked over the network by another.
async fn all(config: &Config, common: &Common) -> anyhow::Result<Server> {
    let (auth_store, signer, verifier) = open_accounts(config, common).await?;
    let store = open_rooms(config, common).await?;
    let accounts = Accounts::Here(auth_store.clone());
    let sessions = Sessions::new(verifier, accounts.clone());
    let conference = start_rooms(config, common, &store, accounts, &sessions).await?;
    let rooms = Rooms { hub: conference.hub.clone(), store: store.clone() };
    let auth = start_accounts(config, common, &auth_store, signer, &sessions, Some(rooms))?;
    common.tasks.until_stopped(auth::keep(auth_store.clone()));
    let setup_code = setup_code(config, &auth_store).await?;

    let health = Health::new("gateway", Some(auth_store.clone()), Some(store.clone()), common.bus.clone());
    let hub = conference.hub.clone();
    let auth = AuthState { auth, sessions: sessions.clone(), names: common.names.clone() };
    let conference = ConferenceState { conference, sessions, names: common.names.clone() };
    let Documented { auth: auth_routes, conference: room_routes, socket, health: probes, .. } = documented();
    let router = auth_routes
        .with_state(auth)
        .merge(room_routes.with_state(conference.clone()))
        .merge(socket.with_state(conference))
        .merge(probes.with_state(health.clone()))
        .merge(docs_ui::routes(openapi().into()))
        .merge(web_ui::routes());
    let mut server = common.finish(config, or_nothing(router), health, (Some(hub), Vec::new()));
    server.setup_code = setup_code;
    server.running = Running { auth: Some(auth_store), conference: Some(store), ..server.running };
    Ok(server)
}

/// Accounts and sessions.
async fn auth_alone(config: &Config, common: &Common) -> anyhow::Result<Server> {
    let (store, signer, verifier) = open_accounts(config, common).await?;
    let sessions = Sessions::new(verifier, Accounts::Here(store.clone()));
    let auth = start_accounts(config, common, &store, signer, &sessions, None)?;
    common.tasks.until_stopped(auth::keep(store.clone()));
    common.tasks.until_stopped(auth::follow(store.clone(), common.account_hints(), sessions.clone()));
    let setup_code = setup_code(config, &store).await?;
    let token = config.internal_token.clone().context("INTERNAL_TOKEN is not set")?;

    let health = Health::new("auth-service", Some(store.clone()), None, common.bus.clone());
    let auth = AuthState { auth, sessions, names: common.names.clone() };
    let Documented { auth: routes, health: probes, openapi, .. } = documented_for(Role::Auth);
    let router = routes
        .with_state(auth)
        .merge(probes.with_state(health.clone()))
        .merge(docs_ui::routes(openapi.into()))
        .merge(auth::internal::routes(store.clone(), token));
    let mut server = common.finish(config, or_nothing(router), health, (None, Vec::new()));
    server.setup_code = setup_code;
    server.running.auth = Some(store);
    Ok(server)
}

/// Rooms and sockets.
async fn conference_alone(config: &Config, common: &Common) -> anyhow::Result<Server> {
    let store = open_rooms(config, common).await?;
    let auth_service = common.upstream("auth", &config.auth_service);
    let service = AuthService::new(auth_service.clone(), config.internal_token.clone());
    let accounts = Accounts::There(service.clone());
    let sessions = Sessions::new(common.verifier(config, &service), accounts.clone());
    let conference = start_rooms(config, common, &store, accounts, &sessions).await?;

    let health = Health::new("conference-service", None, Some(store.clone()), common.bus.clone());
    let hub = conference.hub.clone();
    let conference = ConferenceState { conference, sessions, names: common.names.clone() };
    let Documented { conference: routes, socket, health: probes, openapi, .. } = documented_for(Role::Conference);
    let router = routes
        .with_state(conference.clone())
        .merge(socket.with_state(conference))
        .merge(probes.with_state(health.clone()))
        .merge(docs_ui::routes(openapi.into()));
    let mut server = common.finish(config, or_nothing(router), health, (Some(hub), vec![auth_service]));
    server.running.conference = Some(store);
    Ok(server)
}

/// The one entry of a system in parts.
fn gateway_alone(config: &Config, common: &Common) -> Server {
    let auth = common.upstream("auth", &config.auth_service);
    let conference = common.upstream("conference", &config.conference_service);
    let auth_service = AuthService::new(auth.clone(), None);
    let verifier = common.verifier(config, &auth_service);
    let upstreams = vec![auth.clone(), conference.clone()];
    let gateway = Gateway {
        auth,
        conference,
        verifier,
        auth_service,
        tasks: common.tasks.tracker().clone(),
        stop: common.stop.clone(),
    };
    let health = Health::new("gateway", None, None, None);
    let probes = documented().health.with_state(health.clone());
    let own = probes.merge(docs_ui::routes(openapi().into())).merge(web_ui::routes());
    common.finish(config, gateway::routes(gateway).merge(own), health, (None, upstreams))
}

/// Opens the database of accounts, and makes or reads the keys that sign tokens.
async fn open_accounts(config: &Config, common: &Common) -> anyhow::Result<(AuthStore, Signer, Verifier)> {
    let location = location(config, config.auth_database.as_ref(), "auth.db")?;
    let store = common.accounts(&location).await?;
    if let Some(secret) = &config.jwt_secret {
        let (signer, verifier) = access_token::shared(secret);
        return Ok((store, signer, verifier));
    }
    let keys = StoredKeys::open(store.clone(), sealing_key(config)?, config.access_token_life).await?;
    common.tasks.until_stopped(keys.clone().keep_fresh());
    Ok((store, Signer::Stored(keys.clone()), Verifier::new(Keys::Stored(keys))))
}

fn sealing_key(config: &Config) -> anyhow::Result<SealingKey> {
    with_shared_secret(config, SealingKey::new)
}

/// Gives what the servers of an installation share: the token of the services, or a file's bytes.
fn with_shared_secret<T>(config: &Config, make: impl FnOnce(&[u8]) -> T) -> anyhow::Result<T> {
    Ok(match &config.internal_token {
        Some(secret) => make(secret.reveal().as_bytes()),
        None => make(&*DataDir::open(&config.data_dir)?.key("sealing.key", random::bytes())?),
    })
}

/// Makes a new key that signs access tokens, for every server of the database: it takes over after a
/// notice in which all of them read of it, and what the old one signed is believed to its end. Says
/// so in a sentence.
///
/// # Errors
/// When this role or configuration has no keys, or the database cannot be used.
pub async fn rotate_keys(config: &Config) -> anyhow::Result<String> {
    ensure!(
        matches!(config.role, Role::All | Role::Auth),
        "the keys are in the database of accounts: run this with the settings of the role auth or all"
    );
    ensure!(
        config.jwt_secret.is_none(),
        "tokens are signed with JWT_SECRET_KEY: to change it, give all services a new one and start them again"
    );
    let location = location(config, config.auth_database.as_ref(), "auth.db")?;
    let store = AuthStore::open(&location).await.with_context(|| location.to_string())?;
    store.check().await.context("accounts")?;
    let keys = StoredKeys::open(store.clone(), sealing_key(config)?, config.access_token_life).await?;
    let (kid, from) = keys.rotate().await?;
    let notice_s = from.since(store.now()).as_seconds();
    store.close().await;
    Ok(format!(
        "Key {kid} signs access tokens in {notice_s} seconds. What older keys signed stays good until it expires."
    ))
}

async fn open_rooms(config: &Config, common: &Common) -> anyhow::Result<ConferenceStore> {
    common.rooms(&location(config, config.conference_database.as_ref(), "conference.db")?).await
}

/// Finds a database where the configuration says, or in a file. Without one the data directory is not
/// used: a container on Postgres has nothing to write.
fn location(config: &Config, configured: Option<&Location>, file: &str) -> anyhow::Result<Location> {
    match configured {
        Some(location) => Ok(location.clone()),
        None => Ok(Location::Sqlite(DataDir::open(&config.data_dir)?.file(file))),
    }
}

fn start_accounts(
    config: &Config,
    common: &Common,
    store: &AuthStore,
    signer: Signer,
    sessions: &Sessions,
    rooms: Option<Rooms>,
) -> anyhow::Result<Arc<Auth>> {
    Ok(Arc::new(Auth {
        store: store.clone(),
        hashes: HashPool::start().context("cannot start the hash threads")?,
        signer,
        limits: common.limits.clone(),
        registration: config.registration,
        first_administrator: config.first_administrator(),
        access_token_life: config.access_token_life,
        cookie: RefreshCookie { is_secure: config.is_secure() },
        listener: SessionListener { sessions: sessions.clone(), rooms },
    }))
}

async fn start_rooms(
    config: &Config,
    common: &Common,
    store: &ConferenceStore,
    accounts: Accounts,
    sessions: &Sessions,
) -> anyhow::Result<Arc<Conference>> {
    let server_id = common.server_id.clone();
    let (hub, errands) = Hub::new();
    let publisher = hub.clone();
    let (writer, mut writing) = MessageWriter::start(store, move |new| publisher.publish_messages(new));
    let (reader, reading) = AccessReader::start(store.clone());
    common.tasks.tracker().spawn(reading);
    common.tasks.tracker().spawn(async move {
        // One that ends by a fault must not take the other along.
        while let Some(ended) = writing.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a writer of messages ended");
            }
        }
    });
    store.renew_server(&server_id).await.context("rooms")?;
    let follower = Follower {
        hub: hub.clone(),
        accounts,
        conference: store.clone(),
        sessions: sessions.clone(),
        server_id: server_id.clone(),
    };
    follower.start(errands, (common.account_hints(), common.room_hints()), &common.tasks);
    let pages = PageCache::new(config.cache_ttl, common.redis.clone());
    let lists = SingleFlight::new(LISTS_AT_ONCE);
    let limits = common.limits.clone();
    Ok(Arc::new(Conference { store: store.clone(), reader, writer, hub, pages, lists, limits, server_id }))
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
    documented_for(Role::All)
}

/// Gives all routes, and the description of those that a role answers.
fn documented_for(role: Role) -> Documented {
    let (mut told, mut untold) = (Description::new(), Description::new());
    let tells = |service: Role| role == Role::All || role == service;
    let accounts = if tells(Role::Auth) { &mut told } else { &mut untold }.add(auth::routes());
    let rooms = if tells(Role::Conference) { &mut told } else { &mut untold };
    Documented {
        auth: accounts,
        conference: rooms.add(conference::routes()),
        socket: rooms.add(socket::routes()),
        health: told.add(health::routes()),
        openapi: told.finish(),
    }
}

/// Is the description of the REST interface (OpenAPI 3.1) as JSON; it needs no server.
#[must_use]
pub fn openapi() -> String {
    documented().openapi
}

/// Answers what no route does.
fn or_nothing(router: Router) -> Router {
    router
        .fallback(|| async { Problem::from(Code::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed(None) })
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
