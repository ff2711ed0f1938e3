//! Whether the server lives, and whether it can serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use cloudmeet_store::{AuthStore, Bus, ConferenceStore};
use schemars::JsonSchema;
use serde::Serialize;

use crate::problem::{Code, Problem};

/// How long a store may take to answer before it counts as away.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Says whether a path is asked by machines again and again, and tells nothing of anybody.
#[must_use]
pub fn is_probe(path: &str) -> bool {
    matches!(path, "/health" | "/livez" | "/readyz" | "/metrics")
}

/// Is what readiness depends on. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    service: &'static str,
    auth: Option<AuthStore>,
    conference: Option<ConferenceStore>,
    bus: Option<Bus>,
    draining: Arc<AtomicBool>,
}

/// Says that the server lives.
#[derive(Debug, Serialize, JsonSchema)]
struct Healthy {
    /// Always `healthy`.
    status: &'static str,
    /// Which of the services it is.
    service: &'static str,
}

/// Says that the server lives.
#[derive(Debug, Serialize, JsonSchema)]
struct Live {
    /// Always `live`.
    status: &'static str,
}

/// Says that the server can serve.
#[derive(Debug, Serialize, JsonSchema)]
struct Ready {
    /// Always `ready`.
    status: &'static str,
    /// Whether Redis carries hints between servers: `up`, or `away`, while which everything works, with
    /// other servers' changes a second or two later. Null where none is configured.
    redis: Option<&'static str>,
}

impl Health {
    /// Watches over the stores that a service has.
    #[must_use]
    pub fn new(
        service: &'static str,
        auth: Option<AuthStore>,
        conference: Option<ConferenceStore>,
        bus: Option<Bus>,
    ) -> Self {
        Self { service, auth, conference, bus, draining: Arc::default() }
    }

    /// Lets load balancers know that no new work should come.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// The probes' interface.
pub fn routes() -> ApiRouter<Health> {
    ApiRouter::new()
        .api_route("/health", get_with(healthy, |docs| described(docs, "health", "Say which service this is")))
        .api_route("/livez", get_with(live, |docs| described(docs, "livez", "Say whether the process lives")))
        .api_route(
            "/readyz",
            get_with(ready, |docs| {
                crate::docs::problems(described(docs, "readyz", "Say whether the stores answer"), &[503])
            }),
        )
}

fn described<'t>(operation: TransformOperation<'t>, id: &str, summary: &str) -> TransformOperation<'t> {
    operation.id(id).tag("health").summary(summary)
}

async fn healthy(State(health): State<Health>) -> Json<Healthy> {
    Json(Healthy { status: "healthy", service: health.service })
}

async fn live() -> Json<Live> {
    Json(Live { status: "live" })
}

async fn ready(State(health): State<Health>) -> Result<Json<Ready>, Problem> {
    if health.draining.load(Ordering::Relaxed) {
        return Err(Code::ShuttingDown.into());
    }
    let auth = async { if let Some(store) = &health.auth { store.check().await } else { Ok(()) } };
    let conference = async { if let Some(store) = &health.conference { store.check().await } else { Ok(()) } };
    let checks = async { tokio::try_join!(auth, conference) };
    match tokio::time::timeout(CHECK_TIMEOUT, checks).await {
        Ok(Ok(_)) => {
            let redis = health.bus.map(|bus| if bus.is_up() { "up" } else { "away" });
            Ok(Json(Ready { status: "ready", redis }))
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Code::Unavailable.into()),
    }
}
