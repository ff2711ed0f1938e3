//! What hosts do to people, and who is to be found in a room.

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, post_with};
use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use cloudmeet_api_types::room::{AllAdmitted, ListPeople, Participant};
use cloudmeet_core::moderation::Moderation;
use cloudmeet_core::permission::{Action, sees_people};
use cloudmeet_store::{Doer, Doing, People};

use super::entry::Nothing;
use super::{Conference, ConferenceState};
use crate::docs::problems;
use crate::extract::{OptionalJsonBody, PersonPath, QueryParams, RoomPath};
use crate::problem::Problem;
use crate::sessions::Acting;

/// A route for each thing that is done to somebody.
pub(super) fn routes() -> ApiRouter<ConferenceState> {
    ApiRouter::new()
        .api_route("/api/rooms/{id}/participants", get_with(list, list_docs))
        .api_route("/api/rooms/{id}/admit-all", post_with(admit_all, admit_all_docs))
        .merge(deed("admit", Moderation::Admit, "admitParticipant", "Let somebody in who waits"))
        .merge(deed("deny", Moderation::Deny, "denyParticipant", "Turn somebody away who waits"))
        .merge(deed("mute", Moderation::Mute, "muteParticipant", "Switch somebody's microphone off"))
        .merge(deed("kick", Moderation::Kick, "kickParticipant", "Remove somebody, who may come again"))
        .merge(deed("ban", Moderation::Ban, "banParticipant", "Remove somebody, who may not come again"))
        .merge(deed("promote", Moderation::Promote, "promoteParticipant", "Make a member a moderator"))
        .merge(deed("demote", Moderation::Demote, "demoteParticipant", "Make a moderator an ordinary member"))
        .api_route("/api/rooms/{id}/participants/{user_id}/ban", delete_with(lift_ban, lift_ban_docs))
}

/// The route of one thing that is done to somebody.
fn deed(
    word: &'static str,
    moderation: Moderation,
    operation_id: &'static str,
    summary: &'static str,
) -> ApiRouter<ConferenceState> {
    let handler = move |State(conference): State<Arc<Conference>>,
                        path: PersonPath,
                        Acting(doer): Acting,
                        OptionalJsonBody(Nothing {}): OptionalJsonBody<Nothing>| async move {
        conference.moderate(path, doer, moderation).await
    };
    let path = format!("/api/rooms/{{id}}/participants/{{user_id}}/{word}");
    ApiRouter::new()
        .api_route(&path, post_with(handler, move |operation| deed_docs(operation.id(operation_id).summary(summary))))
}

fn deed_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.tag("participants"), &[400, 401, 403, 404, 409, 413, 415, 422])
        .description("For the owner and moderators; never towards the owner. Done again, it changes nothing.")
        .response::<200, Json<Participant>>()
}

async fn lift_ban(
    State(conference): State<Arc<Conference>>,
    path: PersonPath,
    Acting(doer): Acting,
) -> Result<Json<Participant>, Problem> {
    conference.moderate(path, doer, Moderation::LiftBan).await
}

fn lift_ban_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(
        operation.id("liftBan").tag("participants").summary("Let a banned person come again"),
        &[401, 403, 404, 409],
    )
    .description("For the owner and moderators. Done again, it changes nothing.")
    .response::<200, Json<Participant>>()
}

async fn admit_all(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    OptionalJsonBody(Nothing {}): OptionalJsonBody<Nothing>,
) -> Result<Json<AllAdmitted>, Problem> {
    let outcome = conference.store.admit_all(id, &doer).await.map_err(Problem::from);
    let doing = Doing { action: Action::AdmitAll.rule().action, ..Doing::default() };
    let all = conference.or_recorded(id, &doer, doing, outcome).await?;
    for participant in all.admitted.clone() {
        conference.hub.publish_participant(participant);
    }
    let admitted = all.admitted.into_iter().map(Participant::from).collect();
    Ok(Json(AllAdmitted { admitted, waiting: all.waiting }))
}

fn admit_all_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422];
    problems(operation.id("admitAll").tag("participants").summary("Let everybody in who waits"), &codes)
        .description("For the owner and moderators; first come, first in, as far as there is room.")
        .response::<200, Json<AllAdmitted>>()
}

async fn list(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    QueryParams(query): QueryParams<ListPeople>,
) -> Result<Json<Vec<Participant>>, Problem> {
    let who = &doer.who;
    let people = if query.banned {
        conference.access_of(id, &doer, Action::SeeBans).await?;
        conference.store.people(id, People::Banned).await?
    } else if query.members {
        conference.access(id, who, Action::SeeMembers).await?;
        conference.store.people(id, People::Members).await?
    } else {
        let access = conference.access(id, who, Action::SeeRoom).await?;
        if sees_people(who.actor(), &access.room, access.membership()) {
            conference.store.present(id).await?
        } else {
            Vec::new()
        }
    };
    Ok(Json(people.into_iter().map(Participant::from).collect()))
}

fn list_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = operation.id("listParticipants").tag("participants").summary("List people of a room");
    problems(operation, &[401, 403, 404, 409, 422])
        .description("Who is not offline; or its members, for members; or who was banned, for hosts.")
        .response::<200, Json<Vec<Participant>>>()
}

impl Conference {
    async fn moderate(
        &self,
        path: PersonPath,
        doer: Doer,
        moderation: Moderation,
    ) -> Result<Json<Participant>, Problem> {
        let PersonPath { room_id, user_id } = path;
        let outcome = self.store.moderate(room_id, &doer, user_id, moderation).await.map_err(Problem::from);
        let action = moderation.action(user_id).rule().action;
        let doing = Doing { action, target: Some(user_id), detail: None };
        let moderated = self.or_recorded(room_id, &doer, doing, outcome).await?;
        if moderated.changed {
            self.hub.publish_participant(moderated.participant.clone());
        }
        Ok(Json(moderated.participant.into()))
    }
}
