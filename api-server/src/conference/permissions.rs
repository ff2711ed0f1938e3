//! Asking the table of rules whether one may.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::extract::State;
use axum::{Extension, Json};
use cloudmeet_api_types::room::{AskPermission, Permission};
use cloudmeet_core::entry::{self, EntryError, Shown, Visitor};
use cloudmeet_core::id::UserId;
use cloudmeet_core::permission::{Action, Membership, RULES, Rule, action, permit, usual_object};
use cloudmeet_core::presence::Status;
use cloudmeet_store::{Identity, RoomAccess};

use super::Conference;
use crate::client_address::ClientAddress;
use crate::docs::problems;
use crate::extract::{QueryParams, RoomPath};
use crate::problem::{Code, Language, Problem, Rule as FieldRule};
use crate::sessions::Caller;

pub(super) async fn can_i(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    Extension(client): Extension<ClientAddress>,
    language: Language,
    QueryParams(query): QueryParams<AskPermission>,
) -> Result<Json<Permission>, Problem> {
    let who = match query.as_user_id {
        Some(id) => conference.somebody(&caller.identity, id).await?,
        None => caller.identity,
    };
    let access = match query.code {
        Some(code) => conference.access_by_code(id, (&who, client), code).await?,
        None => conference.access(id, &who, Action::SeeRoom).await?,
    };
    let towards = match query.user_id {
        Some(id) => UserId::new(id).ok_or(Code::PersonNotInRoom)?,
        None => usual_object(&query.action, who.user_id),
    };
    let Some(action) = action(&query.action, towards) else {
        let known: Vec<&str> = RULES.iter().map(|rule| rule.action).collect();
        let known = format!("one of {}", known.join(", "));
        return Err(Problem::invalid_field("action", FieldRule::WrongType(known)));
    };
    let Rule { action: word, who: by, when } = action.rule();
    let mut rule = format!("{word}.{}.{}", by.as_str(), when.as_str());
    let judged = if action == Action::Join {
        // The door looks at more than who asks, and when.
        conference.may_enter(&access, &who).await?.map_err(|error| {
            if let Some(decided_by) = error.decided_by() {
                rule = format!("{word}.{decided_by}");
            }
            Problem::from(error)
        })
    } else {
        permit(action, who.actor(), &access.room, access.membership(), conference.store.now())
            .map_err(|denied| Problem::from(denied).naming(access.room.managed_by.as_deref()))
    };
    let (allowed, detail) = match (judged, language) {
        (Ok(()), Language::English) => (true, "You may do this.".to_owned()),
        (Ok(()), Language::Russian) => (true, "Вам это разрешено.".to_owned()),
        (Err(problem), _) => (false, problem.detail(language)),
    };
    Ok(Json(Permission { allowed, rule, detail }))
}

pub(super) fn can_i_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("canI").tag("rooms").summary("Ask whether one may do something in a room"), &[401, 403, 404, 422, 429])
        .description(
            "`rule` is the line of the table that decides: the action, who may, and in which state of the room. At the \
             door it may be `join.ban`, `join.opens_at`, `join.password` or `join.capacity`. For what is done to somebody `user_id` says to whom; without it somebody who is not the owner is meant, and \
             one's own messages where one edits. Administrators ask for others by `as_user_id`.",
        )
        .response::<200, Json<Permission>>()
}

impl Conference {
    /// Says whether somebody who shows nothing but the link code may come in now.
    async fn may_enter(&self, access: &RoomAccess, who: &Identity) -> Result<Result<(), EntryError>, Problem> {
        let status = access.participant.as_ref().map_or(Status::Offline, |person| person.presence.status);
        let present = self.store.count_present(access.room.id).await?;
        let visitor = Visitor {
            actor: who.actor(),
            membership: access.membership(),
            shown: if access.membership() == Membership::Invited { Shown::Right } else { Shown::Nothing },
            is_inside: status == Status::InCall,
            others: present - i64::from(status != Status::Offline),
        };
        Ok(entry::decide(&access.room, visitor, self.store.now()).map(drop))
    }
}
