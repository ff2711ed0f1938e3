//! Joining, leaving and reading along.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cloudmeet_api_types::chat::MarkRead;
use cloudmeet_api_types::room::{Joined, Left};
use cloudmeet_core::permission::Action;
use cloudmeet_store::LeaveError;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Conference;
use crate::docs::problems;
use crate::extract::{JsonBody, OptionalJsonBody, RoomPath};
use crate::problem::{Code, Language, Problem, Rule};
use crate::sessions::Caller;

/// Is a body whose members this release does not know.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct Nothing {}

pub(super) async fn join(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    language: Language,
    OptionalJsonBody(Nothing {}): OptionalJsonBody<Nothing>,
) -> Result<Json<Joined>, Problem> {
    let outcome = conference.store.join(id, &caller.identity).await?;
    let participant_id = outcome.participant.id.get();
    if outcome.changed {
        conference.hub.publish_participant(outcome.participant);
    }
    let message = match language {
        Language::English => "You are in the room.",
        Language::Russian => "Вы в комнате.",
    };
    Ok(Json(Joined { message: message.to_owned(), participant_id, room_id: id.get() }))
}

pub(super) fn join_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 404, 409, 413, 415, 422];
    problems(operation.id("joinRoom").tag("participants").summary("Join a room"), &codes)
        .description("Makes the caller a member who is inside. Joining again changes nothing.")
        .response::<200, Json<Joined>>()
}

pub(super) async fn leave(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    language: Language,
    OptionalJsonBody(Nothing {}): OptionalJsonBody<Nothing>,
) -> Result<Json<Left>, Problem> {
    let participant = conference.store.leave(id, &caller.identity).await?;
    conference.hub.publish_participant(participant);
    let message = match language {
        Language::English => "You left the room.",
        Language::Russian => "Вы вышли из комнаты.",
    };
    Ok(Json(Left { message: message.to_owned() }))
}

pub(super) fn leave_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 404, 413, 415, 422];
    problems(operation.id("leaveRoom").tag("participants").summary("Leave a room"), &codes)
        .description("Ends the caller's membership and presence. Leaving twice is a 404.")
        .response::<200, Json<Left>>()
}

pub(super) async fn mark_read(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    JsonBody(body): JsonBody<MarkRead>,
) -> Result<StatusCode, Problem> {
    if body.seq < 0 {
        return Err(Problem::invalid_field("seq", Rule::OutOfRange { min: 0, max: None }));
    }
    let who = caller.identity;
    conference.access(id, &who, Action::ReadMessages).await?;
    conference.store.mark_read(id, who.user_id, body.seq).await?;
    conference.hub.listing_changed(id);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn mark_read_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 413, 415, 422];
    problems(operation.id("markRead").tag("messages").summary("Mark messages as read"), &codes)
        .description("Up to and with this number; it never goes back.")
        .response::<204, ()>()
}

impl From<LeaveError> for Problem {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::NoSuchRoom => Code::RoomNotFound,
            LeaveError::NotInRoom => Code::NotInRoom,
        }
        .into()
    }
}
