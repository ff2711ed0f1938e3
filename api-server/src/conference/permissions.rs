//! Asking the table of rules whether one may.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use cloudmeet_api_types::room::{AskPermission, Permission};
use cloudmeet_core::entry::{self, Shown, Visitor};
use cloudmeet_core::id::UserId;
use cloudmeet_core::permission::{Action, RULES, action, permit, usual_object};
use cloudmeet_core::presence::Status;
use cloudmeet_store::{Identity, RoomAccess};

use super::Conference;
use crate::docs::problems;
use crate::extract::{QueryParams, RoomPath};
use crate::problem::{Code, Language, Problem, Rule};
use crate::sessions::Caller;

pub(super) async fn can_i(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    language: Language,
    QueryParams(query): QueryParams<AskPermission>,
) -> Result<Json<Permission>, Problem> {
    let who = caller.identity;
    let access = conference.access(id, &who, Action::SeeRoom).await?;
    let towards = match query.user_id {
        Some(id) => UserId::new(id).ok_or(Code::PersonNotInRoom)?,
        None => usual_object(&query.action, who.user_id),
    };
    let Some(action) = action(&query.action, towards) else {
        let known: Vec<&str> = RULES.iter().map(|rule| rule.action).collect();
        let known = format!("one of {}", known.join(", "));
        return Err(Problem::invalid_field("action", Rule::WrongType(known)));
    };
    let judged = if action == Action::Join {
        conference.may_enter(&access, &who).await?
    } else {
        permit(action, who.actor(), &access.room, access.membership(), conference.store.now()).map_err(Problem::from)
    };
    let rule = action.rule();
    let rule = format!("{}.{}.{}", rule.action, rule.who.as_str(), rule.when.as_str());
    let (allowed, detail) = match (judged, language) {
        (Ok(()), Language::English) => (true, "You may do this.".to_owned()),
        (Ok(()), Language::Russian) => (true, "Вам это разрешено.".to_owned()),
        (Err(problem), _) => (false, problem.detail(language)),
    };
    Ok(Json(Permission { allowed, rule, detail }))
}

pub(super) fn can_i_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("canI").tag("rooms").summary("Ask whether one may do something in a room"), &[401, 404, 422])
        .description(
            "`rule` is the line of the table that decides: the action, who may, and in which state of the room. For \
             what is done to somebody `user_id` says to whom; without it somebody who is not the owner is meant, and \
             one's own messages where one edits.",
        )
        .response::<200, Json<Permission>>()
}

impl Conference {
    /// Says whether somebody who shows nothing may come in now.
    async fn may_enter(&self, access: &RoomAccess, who: &Identity) -> Result<Result<(), Problem>, Problem> {
        let status = access.participant.as_ref().map_or(Status::Offline, |person| person.presence.status);
        let present = self.store.count_present(access.room.id).await?;
        let visitor = Visitor {
            actor: who.actor(),
            membership: access.membership(),
            shown: Shown::Nothing,
            is_inside: status == Status::InCall,
            others: present - i64::from(status != Status::Offline),
        };
        Ok(entry::decide(&access.room, visitor, self.store.now()).map(drop).map_err(Problem::from))
    }
}
