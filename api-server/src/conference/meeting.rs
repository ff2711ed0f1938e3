//! The end of a meeting, a room's owner, and its link.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use cloudmeet_api_types::room::{HandOn, LinkCode as WireLinkCode, Room};
use cloudmeet_core::id::UserId;
use cloudmeet_core::permission::Action;
use cloudmeet_core::room::{LinkCode, Room as CoreRoom, Slug};
use cloudmeet_store::Doing;

use super::Conference;
use super::entry::Nothing;
use super::settings::new_link_code;
use crate::docs::problems;
use crate::extract::{JsonBody, OptionalJsonBody, RoomPath};
use crate::problem::{Code, Problem};
use crate::sessions::Acting;

pub(super) async fn end(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    OptionalJsonBody(Nothing {}): OptionalJsonBody<Nothing>,
) -> Result<Json<Room>, Problem> {
    let outcome = conference.store.end_meeting(id, &doer).await.map_err(Problem::from);
    let doing = Doing { action: Action::EndMeeting.rule().action, ..Doing::default() };
    let room = conference.or_recorded(id, &doer, doing, outcome).await?;
    conference.hub.publish_ended(&room);
    conference.room_for(id, &doer.who).await.map(Json)
}

pub(super) fn end_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422];
    problems(operation.id("endMeeting").tag("rooms").summary("End the meeting for everybody"), &codes)
        .description("For the owner, moderators and administrators. The room stays, and its members stay members.")
        .response::<200, Json<Room>>()
}

pub(super) async fn hand_on(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    JsonBody(body): JsonBody<HandOn>,
) -> Result<Json<Room>, Problem> {
    let to = UserId::new(body.user_id).ok_or(Code::PersonNotInRoom)?;
    let outcome = conference.store.hand_on(id, &doer, to).await.map_err(Problem::from);
    let doing = Doing { action: Action::HandOn.rule().action, target: Some(to), detail: None };
    let (_, people) = conference.or_recorded(id, &doer, doing, outcome).await?;
    for participant in people {
        conference.hub.publish_participant(participant);
    }
    conference.hub.settings_changed(id);
    conference.room_for(id, &doer.who).await.map(Json)
}

pub(super) fn hand_on_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422];
    problems(operation.id("handOn").tag("rooms").summary("Give a room another owner"), &codes)
        .description("For the owner and administrators, to a member. The owner before becomes a moderator.")
        .response::<200, Json<Room>>()
}

pub(super) async fn link_code(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
) -> Result<Json<WireLinkCode>, Problem> {
    let access = conference.access_of(id, &doer, Action::ReadLinkCode).await?;
    let code = conference.store.secrets(id).await?.code.ok_or(Code::NotPrivate)?;
    Ok(Json(conference.link(&access.room, &code)))
}

pub(super) fn link_code_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = operation.id("readLinkCode").tag("rooms").summary("Read a private room's link code");
    problems(operation, &[401, 403, 404, 409])
        .description("For the owner, moderators and administrators.")
        .response::<200, Json<WireLinkCode>>()
}

pub(super) async fn renew_link_code(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    OptionalJsonBody(Nothing {}): OptionalJsonBody<Nothing>,
) -> Result<Json<WireLinkCode>, Problem> {
    let code = new_link_code();
    let outcome = conference.store.renew_link_code(id, &doer, &code).await.map_err(Problem::from);
    let doing = Doing { action: Action::RenewLinkCode.rule().action, ..Doing::default() };
    let room = conference.or_recorded(id, &doer, doing, outcome).await?;
    Ok(Json(conference.link(&room, &code)))
}

pub(super) fn renew_link_code_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422];
    problems(operation.id("renewLinkCode").tag("rooms").summary("Give a private room a new link code"), &codes)
        .description("For the owner and administrators. The code before lets nobody in any more; members stay.")
        .response::<200, Json<WireLinkCode>>()
}

impl Conference {
    /// Makes the link that lets people into a private room. The code stands in its fragment, which browsers
    /// keep to themselves.
    fn link(&self, room: &CoreRoom, code: &LinkCode) -> WireLinkCode {
        let name = room.slug.as_ref().map_or_else(|| room.id.to_string(), |slug: &Slug| slug.as_str().to_owned());
        let path = format!("/r/{name}#code={}", code.reveal());
        let url = self.public_url.as_ref().and_then(|base| base.join(&path).ok());
        WireLinkCode { code: code.reveal().to_owned(), url: url.map_or(path, String::from) }
    }
}
