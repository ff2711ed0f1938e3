//! The WebSocket: one socket a client, any number of rooms.

mod connection;
mod requests;
mod subscription;

use std::net::IpAddr;
use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use aide::transform::TransformOperation;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use cloudmeet_api_types::socket::{Answer, ClientFrame, MAX_FRAME_BYTES, SUBPROTOCOL, TICKET_PREFIX};
use cloudmeet_core::id::SessionId;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::Identity;

use crate::client_address::ClientAddress;
use crate::conference::{Conference, ConferenceState};
use crate::docs::problems;
use crate::origin::{Names, Origin};
use crate::problem::{Code, Language, Problem};
use crate::sessions::Sessions;

/// How much a socket reads at once; the default of 128 KiB each would be most of a socket's memory.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// How much more than a frame may come before the connection is cut without a word.
const OVERSIZE_BYTES: usize = MAX_FRAME_BYTES * 4;

/// Is whoever opened a socket.
struct Client {
    identity: Identity,
    session_id: SessionId,
    address: IpAddr,
    language: Language,
}

/// The route of the WebSocket.
pub fn routes() -> ApiRouter<ConferenceState> {
    ApiRouter::new().api_route("/api/ws", get_with(upgrade, upgrade_docs))
}

/// Judges the request before it becomes a socket: a refusal is an ordinary answer.
async fn upgrade(
    State(conference): State<Arc<Conference>>,
    State(sessions): State<Sessions>,
    State(names): State<Names>,
    Extension(client): Extension<ClientAddress>,
    headers: HeaderMap,
    language: Language,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    if names.origin(&headers) == Origin::Foreign {
        return Err(Code::ForeignOrigin.into());
    }
    let ticket = ticket(&headers).ok_or(Code::Unauthenticated)?;
    // A request that cannot become a socket must not cost the ticket.
    let upgrade = upgrade.map_err(|_| Code::UnreadableBody)?;
    let holder = conference.store.redeem_ticket(&ticket).await?.ok_or(Code::InvalidTicket)?;
    let identity = sessions.holder_now(&holder.session_id).await.map_err(|error| Problem::from(&error))?;
    let client = Client {
        identity: identity.ok_or(Code::SessionOver)?,
        session_id: holder.session_id,
        address: client.rate_key(),
        language,
    };
    let admitted = connection::Admitted::new(conference, sessions, client).map_err(|_| Code::TooManySockets)?;
    Ok(upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_frame_size(OVERSIZE_BYTES)
        .max_message_size(OVERSIZE_BYTES)
        .on_upgrade(move |socket| admitted.run(socket)))
}

fn upgrade_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    // No response has the frames as its body, so they are named here to stand among the schemas.
    aide::generate::in_context(|context| {
        context.schema.subschema_for::<ClientFrame>();
        context.schema.subschema_for::<Answer>();
    });
    let operation = operation.id("openSocket").tag("socket").summary("Open the WebSocket").description(
        "Offer the subprotocols `cloudmeet.v1` and `ticket.TICKET`; the ticket comes from `POST /api/ws-ticket` and \
         stands for the session, so no other header is needed. Each text frame is one JSON object named by its \
         `type`: the schema `ClientFrame` has those that a client sends, the schema `Answer` those that come back. \
         A request may carry an `id`; its answer repeats it.",
    );
    problems(operation, &[400, 401, 403, 429, 503])
        .response_with::<101, (), _>(|response| response.description("The socket is open; `welcome` comes first."))
}

/// Finds the ticket among the offered subprotocols: browsers can set no other header.
fn ticket(headers: &HeaderMap) -> Option<OpaqueToken> {
    headers
        .get_all("sec-websocket-protocol")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(TICKET_PREFIX))
        .map(|ticket| OpaqueToken::presented(ticket.to_owned()))
}
