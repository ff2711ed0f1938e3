//! Coming in and leaving.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use cloudmeet_api_types::chat::MarkRead;
use cloudmeet_api_types::room::{JoinRoom, Joined, Left, Waiting};
use cloudmeet_core::id::RoomId;
use cloudmeet_core::password::Password;
use cloudmeet_core::permission::Action;
use cloudmeet_core::room::{LinkCode, Visibility};
use cloudmeet_store::{Doing, Identity, Proof};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Conference;
use crate::client_address::ClientAddress;
use crate::docs::problems;
use crate::extract::{JsonBody, OptionalJsonBody, RoomPath};
use crate::problem::{Language, Problem, Rule};
use crate::rate_limit::DoorTry;
use crate::sessions::{Acting, Caller};

/// Is a body whose members this release does not know.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct Nothing {}

pub(super) async fn join(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    Extension(client): Extension<ClientAddress>,
    language: Language,
    OptionalJsonBody(body): OptionalJsonBody<JoinRoom>,
) -> Result<Response, Problem> {
    let proof = conference.prove(id, (&doer.who, client), body).await?;
    let outcome = conference.store.join(id, &doer.who, &proof).await.map_err(Problem::from);
    let outcome = conference.or_recorded(id, &doer, Doing { action: JOIN, ..Doing::default() }, outcome).await?;
    let (participant_id, room_id) = (outcome.participant.id.get(), id.get());
    if outcome.changed {
        conference.hub.publish_participant(outcome.participant);
    }
    let Some(position) = outcome.position else {
        let message = match language {
            Language::English => "You are in the room.",
            Language::Russian => "Вы в комнате.",
        };
        return Ok(Json(Joined { message: message.to_owned(), participant_id, room_id }).into_response());
    };
    let message = match language {
        Language::English => "Wait until somebody lets you in.",
        Language::Russian => "Подождите, пока вас впустят.",
    };
    let waiting = Waiting { waiting: true, message: message.to_owned(), participant_id, room_id, position };
    Ok((StatusCode::ACCEPTED, Json(waiting)).into_response())
}

const JOIN: &str = Action::Join.rule().action;

pub(super) fn join_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422, 429, 503];
    problems(operation.id("joinRoom").tag("participants").summary("Join a room"), &codes)
        .description(
            "Makes the caller a member who is inside; joining again changes nothing. Where there is a lobby, whoever \
             is no member waits; asking again keeps the place. 403 says why not: `password_required`, \
             `wrong_password`, `banned`, `not_open` (with `opens_at`), `room_full`.",
        )
        .response_with::<200, Json<Joined>, _>(|answer| answer.description("The caller is inside."))
        .response_with::<202, Json<Waiting>, _>(|answer| answer.description("The caller waits in the lobby."))
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
        .description("Ends the caller's membership and presence, or their waiting. Leaving twice is a 404.")
        .response::<200, Json<Left>>()
}

pub(super) async fn mark_read(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    JsonBody(body): JsonBody<MarkRead>,
) -> Result<StatusCode, Problem> {
    Rule::in_range(body.seq, 0, None).map_err(|rule| Problem::invalid_field("seq", rule))?;
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

impl Conference {
    /// Looks at what somebody shows at the door. Each look at a password or a code is counted, for it may be
    /// a guess; one that was right is given back.
    async fn prove(
        &self,
        id: RoomId,
        (who, client): (&Identity, ClientAddress),
        shown: JoinRoom,
    ) -> Result<Proof, Problem> {
        let nothing = Proof::default();
        if shown.password.is_none() && shown.code.is_none() {
            return Ok(nothing);
        }
        // Counted first, for any number: that one is limited must not say which rooms there are.
        let at = DoorTry { user_id: who.user_id, room_id: id, address: client.rate_key() };
        self.count_key(at).await?;
        let access = self.find(id, who.user_id).await?;
        let visibility = access.room.visibility;
        if access.membership().is_member() || visibility == Visibility::Public {
            self.limits.was_right_key(at).await;
            return Ok(nothing);
        }
        let secrets = self.store.secrets(id).await?;
        let code = shown.code.map(LinkCode::new);
        let (proof, is_right) = match (visibility, shown.password) {
            (Visibility::Private, _) => {
                let is_right = code.is_some() && code == secrets.code;
                (Proof { password: None, code }, is_right)
            }
            (_, Some(password)) => {
                let is_right = self.hashes.verify(Password::typed(password), secrets.password.clone()).await?;
                (Proof { password: Some(secrets.password.filter(|_| is_right)), code: None }, is_right)
            }
            (_, None) => (nothing, true),
        };
        if is_right {
            self.limits.was_right_key(at).await;
        }
        Ok(proof)
    }

    /// Counts what somebody shows at a room's door, before it is looked at.
    pub(super) async fn count_key(&self, at: DoorTry) -> Result<(), Problem> {
        self.limits.room_key(at, self.store.now()).await.map_err(Problem::rate_limited)
    }

    /// Says whether a link code is a private room's.
    pub(super) async fn is_code(&self, id: RoomId, code: String) -> Result<bool, Problem> {
        Ok(self.store.secrets(id).await?.code == Some(LinkCode::new(code)))
    }
}
