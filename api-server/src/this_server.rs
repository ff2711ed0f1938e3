//! What a server says of itself, for administrators: its release, its role, and how its stores do.

use std::time::{Duration, Instant};

use cloudmeet_api_types::system::{Reach, RedisState, ServerState, StoreState};
use cloudmeet_core::time::Timestamp;
use cloudmeet_store::{AuthStore, Bus, ConferenceStore, StoreError};

use crate::config::Role;

/// How long a store may take to answer before it counts as away.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// Is this server as it was put together. Cheap to clone.
#[derive(Clone)]
pub struct ThisServer {
    /// What it does.
    pub role: Role,
    /// When it started, by its store's clock.
    pub started_at: Timestamp,
    /// The accounts, where it has them.
    pub auth: Option<AuthStore>,
    /// The rooms, where it has them.
    pub conference: Option<ConferenceStore>,
    /// The bus, where there is one.
    pub bus: Option<Bus>,
}

impl ThisServer {
    /// Looks how its stores and Redis do; nobody counts its sockets yet.
    pub async fn look(&self) -> ServerState {
        let auth = async {
            let store = self.auth.as_ref()?;
            Some(look_at("accounts", store.engine(), store.check()).await)
        };
        let conference = async {
            let store = self.conference.as_ref()?;
            Some(look_at("rooms", store.engine(), store.check()).await)
        };
        let (auth, conference) = tokio::join!(auth, conference);
        ServerState {
            role: self.role.as_str().to_owned(),
            status: Reach::Up,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            started_at: Some(self.started_at.into()),
            stores: [auth, conference].into_iter().flatten().collect(),
            redis: self.bus.as_ref().map(|bus| RedisState {
                status: if bus.is_up() { Reach::Up } else { Reach::Away },
                latency_ms: bus.lag().map(milliseconds),
            }),
            sockets: None,
        }
    }
}

/// Is a server of which nothing is known but its role, and whether it answers.
#[must_use]
pub fn unknown(role: Role, status: Reach) -> ServerState {
    ServerState {
        role: role.as_str().to_owned(),
        status,
        version: None,
        started_at: None,
        stores: Vec::new(),
        redis: None,
        sockets: None,
    }
}

/// Measures how long a store takes to answer.
async fn look_at(
    holds: &'static str,
    engine: &'static str,
    check: impl Future<Output = Result<(), StoreError>>,
) -> StoreState {
    let asked = Instant::now();
    let answered = matches!(tokio::time::timeout(LOOK_TIMEOUT, check).await, Ok(Ok(())));
    StoreState {
        holds: holds.to_owned(),
        engine: engine.to_owned(),
        status: if answered { Reach::Up } else { Reach::Away },
        latency_ms: answered.then(|| milliseconds(asked.elapsed())),
    }
}

/// Is a duration in milliseconds, to two places: more of them would be noise.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}
