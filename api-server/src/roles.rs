//! What a process does: the one place that knows roles. Handlers get their state and never ask.

mod common;
mod direct;
mod documented;
mod installation;
mod running;

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use cloudmeet_core::account::FirstAdministrator;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{AccessReader, AuthStore, ConferenceStore, MessageWriter};
use tokio::sync::Semaphore;
use url::Url;

use self::common::Common;
pub use self::direct::Direct;
pub use self::documented::openapi;
use self::documented::{Documented, documented, documented_for, or_nothing};
use self::installation::sealing_key;
pub use self::installation::{prepared, rotate_keys};
pub use self::running::Running;
use crate::access_token::{self, Keys, Signer, StoredKeys, Verifier};
use crate::accounts::Accounts;
use crate::auth::{self, AccountListener, Auth, AuthState, RefreshCookie, Rooms};
use crate::auth_service::AuthService;
use crate::conference::{
    Conference, ConferenceState, FOLLOWERS, LISTS_AT_ONCE, PageCache, SEARCHES_AT_ONCE, SearchBlocks,
};
use crate::config::{Config, Role};
use crate::gateway::{self, Gateway};
use crate::hash_pool::HashPool;
use crate::health::Health;
use crate::hub::{Follower, Hub};
use crate::rate_limit::Limits;
use crate::sessions::Sessions;
use crate::single_flight::SingleFlight;
use crate::tasks::Tasks;
use crate::this_server::ThisServer;
use crate::{docs_ui, random, web_ui};

/// How long the setup link is good.
const SETUP_LIFE: Span = Span::days(1);

/// Is a server put together: what it answers with, and what must end with it.
pub struct Server {
    router: Router,
    running: Running,
    /// The code that makes the first administrator, where one is needed.
    pub setup_code: Option<OpaqueToken>,
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

/// Everything in one process: no service is asked over the network by another.
async fn all(config: &Config, common: &Common) -> anyhow::Result<Server> {
    let (auth_store, signer, verifier) = open_accounts(config, common).await?;
    let store = open_rooms(config, common).await?;
    let accounts = Accounts::Here(auth_store.clone());
    let sessions = Sessions::new(verifier, accounts.clone());
    let hashes = start_hashes()?;
    let this_server = common.this_server(config.role, store.now(), (Some(auth_store.clone()), Some(store.clone())));
    let conference = start_rooms(config, common, &store, (accounts, &sessions), (hashes.clone(), this_server)).await?;
    let rooms =
        Rooms { hub: conference.hub.clone(), store: store.clone(), accounts: Accounts::Here(auth_store.clone()) };
    let auth = start_accounts(config, common, (&auth_store, hashes), signer, &sessions, Some(rooms));
    common.tasks.until_stopped(auth::keep(auth_store.clone()));
    let setup_code = setup_code(config, &auth_store).await?;

    let health = Health::new("gateway", Some(auth_store.clone()), Some(store.clone()), common.bus.clone());
    let hub = conference.hub.clone();
    let auth = AuthState { auth, sessions: sessions.clone(), names: common.names.clone() };
    let conference = ConferenceState { conference, sessions, names: common.names.clone() };
    let Documented { auth: auth_routes, conference: room_routes, socket, health: probes, openapi } = documented();
    let router = auth_routes
        .with_state(auth)
        .merge(room_routes.with_state(conference.clone()))
        .merge(socket.with_state(conference))
        .merge(probes.with_state(health.clone()))
        .merge(docs_ui::routes(openapi.into()))
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
    let auth = start_accounts(config, common, (&store, start_hashes()?), signer, &sessions, None);
    common.tasks.until_stopped(auth::keep(store.clone()));
    common.tasks.until_stopped(auth::follow(store.clone(), common.account_hints(), sessions.clone()));
    let setup_code = setup_code(config, &store).await?;
    let token = config.internal_token.clone().context("INTERNAL_TOKEN is not set")?;
    let this_server = common.this_server(config.role, store.now(), (Some(store.clone()), None));

    let health = Health::new("auth-service", Some(store.clone()), None, common.bus.clone());
    let auth = AuthState { auth, sessions, names: common.names.clone() };
    let Documented { auth: routes, health: probes, openapi, .. } = documented_for(Role::Auth);
    let router = routes
        .with_state(auth)
        .merge(probes.with_state(health.clone()))
        .merge(docs_ui::routes(openapi.into()))
        .merge(auth::internal::routes(store.clone(), this_server, token));
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
    let this_server = common.this_server(config.role, store.now(), (None, Some(store.clone())));
    let conference = start_rooms(config, common, &store, (accounts, &sessions), (start_hashes()?, this_server)).await?;

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
        proxies: common.proxies.clone(),
        tasks: common.tasks.tracker().clone(),
        stop: common.stop.clone(),
    };
    let health = Health::new("gateway", None, None, None);
    let Documented { health: probes, openapi, .. } = documented();
    let own = probes.with_state(health.clone()).merge(docs_ui::routes(openapi.into())).merge(web_ui::routes());
    common.finish(config, gateway::routes(gateway).merge(own), health, (None, upstreams))
}

/// Opens the database of accounts, and makes or reads the keys that sign tokens.
async fn open_accounts(config: &Config, common: &Common) -> anyhow::Result<(AuthStore, Signer, Verifier)> {
    let location = prepared(config, config.databases().0)?;
    let store = common.accounts(&location).await?;
    if let Some(secret) = &config.jwt_secret {
        let (signer, verifier) = access_token::shared(secret);
        return Ok((store, signer, verifier));
    }
    let keys = StoredKeys::open(store.clone(), sealing_key(config)?, config.access_token_life).await?;
    common.tasks.until_stopped(keys.clone().keep_fresh());
    Ok((store, Signer::Stored(keys.clone()), Verifier::new(Keys::Stored(keys))))
}

async fn open_rooms(config: &Config, common: &Common) -> anyhow::Result<ConferenceStore> {
    common.rooms(&prepared(config, config.databases().1)?).await
}

fn start_accounts(
    config: &Config,
    common: &Common,
    (store, hashes): (&AuthStore, HashPool),
    signer: Signer,
    sessions: &Sessions,
    rooms: Option<Rooms>,
) -> Arc<Auth> {
    Arc::new(Auth {
        store: store.clone(),
        hashes,
        signer,
        limits: common.limits.clone(),
        registration: config.registration,
        first_administrator: config.first_administrator(),
        access_token_life: config.access_token_life,
        cookie: RefreshCookie { is_secure: config.is_secure() },
        listener: AccountListener { sessions: sessions.clone(), rooms },
        public_url: config.link_base().cloned(),
    })
}

fn start_hashes() -> anyhow::Result<HashPool> {
    HashPool::start().context("cannot start the hash threads")
}

async fn start_rooms(
    config: &Config,
    common: &Common,
    store: &ConferenceStore,
    (accounts, sessions): (Accounts, &Sessions),
    (hashes, this_server): (HashPool, ThisServer),
) -> anyhow::Result<Arc<Conference>> {
    let server_id = common.server_id.clone();
    let (hub, errands) = Hub::new();
    store.renew_server(&server_id).await.context("rooms")?;
    let follower = Follower {
        hub: hub.clone(),
        accounts: accounts.clone(),
        conference: store.clone(),
        sessions: sessions.clone(),
        server_id: server_id.clone(),
    };
    follower.start(errands, (common.account_hints(), common.room_hints()), &common.tasks);
    let pages = PageCache::new(config.cache_ttl, common.redis.clone());
    let parts = RoomParts {
        store: store.clone(),
        accounts,
        hub,
        pages,
        limits: common.limits.clone(),
        hashes,
        public_url: config.link_base().cloned(),
        server_id,
        this_server,
    };
    Ok(parts.start(&common.tasks))
}

/// Is what the conference is made of.
struct RoomParts {
    store: ConferenceStore,
    accounts: Accounts,
    hub: Hub,
    pages: PageCache,
    limits: Arc<Limits>,
    hashes: HashPool,
    public_url: Option<Url>,
    server_id: String,
    this_server: ThisServer,
}

impl RoomParts {
    /// Starts who reads and who writes, and puts the conference together.
    fn start(self, tasks: &Tasks) -> Arc<Conference> {
        let Self { store, accounts, hub, pages, limits, hashes, public_url, server_id, this_server } = self;
        let publisher = hub.clone();
        let (blocks, making) = SearchBlocks::start(store.clone());
        tasks.until_stopped(making);
        let (writer, mut writing) = MessageWriter::start(&store, move |new| {
            blocks.note(&new);
            publisher.publish_messages(new);
        });
        let (reader, reading) = AccessReader::start(store.clone());
        tasks.tracker().spawn(reading);
        tasks.tracker().spawn(async move {
            // One that ends by a fault must not take the other along.
            while let Some(ended) = writing.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(%error, "a writer of messages ended");
                }
            }
        });
        let lists = SingleFlight::new(LISTS_AT_ONCE);
        let searches = Semaphore::new(SEARCHES_AT_ONCE);
        Arc::new(Conference {
            store,
            accounts,
            reader,
            writer,
            hub,
            pages,
            lists,
            searches,
            limits,
            hashes,
            public_url,
            server_id,
            this_server,
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            stop: tasks.stop().clone(),
        })
    }
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
