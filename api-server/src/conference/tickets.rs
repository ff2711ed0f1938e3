//! Tickets that open a WebSocket.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use cloudmeet_api_types::auth::Ticket;
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::TicketHolder;

use super::Conference;
use crate::docs::problems;
use crate::problem::Problem;
use crate::random;
use crate::sessions::Caller;

/// How long a ticket is good.
const LIFE: Span = Span::seconds(30);

pub(super) async fn issue(State(conference): State<Arc<Conference>>, caller: Caller) -> Result<Json<Ticket>, Problem> {
    conference.limits.ticket(caller.identity.user_id, conference.store.now()).await.map_err(Problem::rate_limited)?;
    let ticket = OpaqueToken::from_random(random::bytes());
    let holder = TicketHolder { session_id: caller.session_id, user_id: caller.identity.user_id };
    conference.store.add_ticket(&ticket, &holder, LIFE).await?;
    Ok(Json(Ticket { ticket: ticket.reveal().to_owned(), expires_in: LIFE.as_seconds() }))
}

pub(super) fn issue_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("issueTicket").tag("socket").summary("Get a ticket for the WebSocket"), &[401, 429])
        .description("Single use, for `GET /api/ws` with the subprotocols `cloudmeet.v1` and `ticket.TICKET`.")
        .response::<200, Json<Ticket>>()
}
