//! The REST interface inside one process, straight on the databases: for tools of whoever owns them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use cloudmeet_core::account::{FirstAdministrator, Registration};
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{AuthStore, ConferenceStore, Location};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use url::Url;
use uuid::Uuid;

use super::{RoomParts, or_nothing, start_hashes};
use crate::access_token;
use crate::accounts::Accounts;
use crate::auth::{self, AccountListener, Auth, AuthState, RefreshCookie, Rooms};
use crate::client_address::ClientAddress;
use crate::conference::{self, ConferenceState, PageCache};
use crate::config::{Exposure, Role};
use crate::hub::Hub;
use crate::observe::{REQUEST_ID, new_id};
use crate::origin::Names;
use crate::random;
use crate::rate_limit::{Limits, RateLimits};
use crate::secret::Secret;
use crate::sessions::{Sessions, Vouched};
use crate::tasks::Tasks;
use crate::this_server::ThisServer;

/// Answers as a server does, by the same handlers, with neither a network nor a token between: whoever can open
/// the databases need not prove who they are. Servers that run meanwhile read in the tables of changes what it did.
pub struct Direct {
    router: Router,
    accounts: AuthStore,
    rooms: ConferenceStore,
    tasks: Tasks,
}

impl Direct {
    /// Opens the databases of accounts and of rooms; `public_url` stands in links. SQLite files that are not there
    /// yet are made; tables of an earlier release are left as they are.
    ///
    /// # Errors
    /// When a database cannot be used. The message says which, and what to do.
    pub async fn open(accounts: &Location, rooms: &Location, public_url: Option<Url>) -> anyhow::Result<Self> {
        let auth_store = AuthStore::open_migrated(accounts).await.with_context(|| accounts.to_string())?;
        let store = ConferenceStore::open_migrated(rooms).await.with_context(|| rooms.to_string())?;
        let tasks = Tasks::new(CancellationToken::new());
        let known = Accounts::Here(auth_store.clone());
        // Nobody shows a token here: none is good.
        let nobodys = Secret::new(OpaqueToken::from_random(random::bytes()).reveal().to_owned());
        let (signer, verifier) = access_token::shared(&nobodys);
        let sessions = Sessions::new(verifier, known.clone());
        let limits = Arc::new(Limits::new(RateLimits::Off, None));
        let hashes = start_hashes()?;
        // It has no sockets, and nobody runs its errands: they are for sockets alone.
        let (hub, _) = Hub::new();
        let conference = RoomParts {
            store: store.clone(),
            accounts: known.clone(),
            hub: hub.clone(),
            pages: PageCache::new(Duration::ZERO, None),
            limits: limits.clone(),
            hashes: hashes.clone(),
            public_url: public_url.clone(),
            server_id: Uuid::now_v7().to_string(),
            this_server: ThisServer {
                role: Role::All,
                started_at: store.now(),
                auth: Some(auth_store.clone()),
                conference: Some(store.clone()),
                bus: None,
            },
        }
        .start(&tasks);
        let listener = AccountListener {
            sessions: sessions.clone(),
            rooms: Some(Rooms { hub, store: store.clone(), accounts: known }),
        };
        let auth = Arc::new(Auth {
            store: auth_store.clone(),
            hashes,
            signer,
            limits,
            registration: Registration::Closed,
            first_administrator: FirstAdministrator::SetupCode,
            access_token_life: Span::minutes(1),
            cookie: RefreshCookie { is_secure: true },
            listener,
            public_url,
        });
        let names = Names::new(&Exposure::Local, &[]);
        let auth_state = AuthState { auth, sessions: sessions.clone(), names: names.clone() };
        let conference_state = ConferenceState { conference, sessions, names };
        let router = Router::from(auth::routes().with_state(auth_state))
            .merge(Router::from(conference::routes().with_state(conference_state)));
        Ok(Self { router: or_nothing(router), accounts: auth_store, rooms: store, tasks })
    }

    /// Answers a request of somebody for whom the caller vouches.
    pub async fn answer(&self, who: Vouched, mut request: Request) -> Response {
        request.headers_mut().insert(REQUEST_ID, new_id());
        request.extensions_mut().insert(ClientAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        request.extensions_mut().insert(who);
        let answer: Result<Response<Body>, std::convert::Infallible> = self.router.clone().oneshot(request).await;
        answer.unwrap_or_else(|never| match never {})
    }

    /// Lets what was begun come to its end, and closes the databases.
    pub async fn close(self) {
        self.tasks.stop().cancel();
        drop(self.router);
        self.tasks.end().await;
        self.accounts.close().await;
        self.rooms.close().await;
    }
}
