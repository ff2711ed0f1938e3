//! How the installation runs, for administrators.

use std::sync::Arc;
use std::time::Duration;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use cloudmeet_api_types::system::{Census as WireCensus, System};
use cloudmeet_store::Census;
use tokio::time::timeout;

use super::Conference;
use crate::docs::problems;
use crate::sessions::Administrator;

/// How long counting may take before it is left out.
const COUNT_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) async fn read(
    State(conference): State<Arc<Conference>>,
    Administrator { .. }: Administrator,
) -> Json<System> {
    let counting = async {
        let counted = timeout(COUNT_TIMEOUT, conference.store.census()).await;
        // This page is asked for when something is wrong: it says what it can.
        counted.ok().and_then(Result::ok).map(wire)
    };
    let looking = conference.this_server.look();
    let (census, mut here, there) = tokio::join!(counting, looking, conference.accounts.server());
    here.sockets = i64::try_from(conference.hub.census().0).ok();
    Json(System { census, servers: [Some(here), there].into_iter().flatten().collect() })
}

pub(super) fn read_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("readSystem").tag("system").summary("Say how the installation runs"), &[401, 403])
        .description(
            "For administrators: releases, roles, stores, Redis, sockets, and who is there. Answers too while a part \
             is away, and says which.",
        )
        .response::<200, Json<System>>()
}

fn wire(census: Census) -> WireCensus {
    WireCensus {
        rooms: census.rooms,
        live_rooms: census.live_rooms,
        people_online: census.people_online,
        people_in_call: census.people_in_call,
    }
}
