//! The routes of all roles, and their description.

use axum::Router;

use crate::auth::{self, AuthState};
use crate::conference::{self, ConferenceState};
use crate::config::Role;
use crate::docs::Description;
use crate::health::{self, Health};
use crate::problem::{Code, Problem};
use crate::socket;

/// Is every documented route, still without what it works with, and their description.
pub(super) struct Documented {
    pub(super) auth: Router<AuthState>,
    pub(super) conference: Router<ConferenceState>,
    pub(super) socket: Router<ConferenceState>,
    pub(super) health: Router<Health>,
    pub(super) openapi: String,
}

pub(super) fn documented() -> Documented {
    documented_for(Role::All)
}

/// Gives all routes, and the description of those that a role answers.
pub(super) fn documented_for(role: Role) -> Documented {
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
pub(super) fn or_nothing(router: Router) -> Router {
    router
        .fallback(|| async { Problem::from(Code::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed(None) })
}
