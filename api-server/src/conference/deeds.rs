//! The record of deeds, and who may read it.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cloudmeet_api_types::audit::{Deed, ListDeeds};
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::permission::{Action, reads_all_deeds};
use cloudmeet_store::{Deed as StoredDeed, Doer, Doing};

use super::Conference;
use crate::docs::problems;
use crate::extract::{FieldErrors, QueryParams, RoomPath};
use crate::problem::{Code, Problem, Rule};
use crate::sessions::{Acting, Caller};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

pub(super) async fn of_room(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    QueryParams(query): QueryParams<ListDeeds>,
) -> Result<Json<Vec<Deed>>, Problem> {
    let (before_id, limit) = page(query)?;
    conference.access_of(id, &doer, Action::ReadAudit).await?;
    let deeds = conference.store.deeds(Some(id), before_id, limit).await?;
    Ok(Json(deeds.into_iter().map(wire).collect()))
}

pub(super) fn of_room_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("listRoomDeeds").tag("audit").summary("Read who did what in a room"), &[401, 403, 404, 422])
        .description("For the owner and administrators. Newest first; kept for a year.")
        .response::<200, Json<Vec<Deed>>>()
}

pub(super) async fn of_all(
    State(conference): State<Arc<Conference>>,
    caller: Caller,
    QueryParams(query): QueryParams<ListDeeds>,
) -> Result<Json<Vec<Deed>>, Problem> {
    let (before_id, limit) = page(query)?;
    if !reads_all_deeds(caller.identity.actor()) {
        return Err(Code::Forbidden.into());
    }
    let deeds = conference.store.deeds(None, before_id, limit).await?;
    Ok(Json(deeds.into_iter().map(wire).collect()))
}

pub(super) fn of_all_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("listDeeds").tag("audit").summary("Read who did what in all rooms"), &[401, 403, 422])
        .description("For administrators. Newest first; kept for a year.")
        .response::<200, Json<Vec<Deed>>>()
}

impl Conference {
    /// Records what was forbidden, as far as one person does not fill the record with it.
    pub(super) async fn or_recorded<T>(
        &self,
        id: RoomId,
        doer: &Doer,
        doing: Doing,
        outcome: Result<T, Problem>,
    ) -> Result<T, Problem> {
        let problem = match outcome {
            Err(problem) if problem.code().status() == StatusCode::FORBIDDEN => problem,
            Err(problem) if problem.code() == Code::ManagedElsewhere => {
                let access = self.find(id, doer.who.user_id).await;
                return Err(problem.naming(access.ok().and_then(|access| access.room.managed_by).as_deref()));
            }
            other => return other,
        };
        // That something is missing is no wrong deed.
        let lacks = [Code::PasswordRequired, Code::NotOpen, Code::RoomFull];
        let is_deed = !lacks.contains(&problem.code());
        if is_deed && self.limits.recorded_refusal(doer.who.user_id, self.store.now()).await.is_ok() {
            let recorded = self.store.record_refusal(id, doer, &doing, problem.code().as_str()).await;
            if let Err(error) = recorded {
                tracing::warn!(error = &error as &dyn std::error::Error, room.id = id.get(), "a refusal not recorded");
            }
        }
        Err(problem)
    }
}

/// Reads which page is wanted.
fn page(query: ListDeeds) -> Result<(Option<i64>, i64), Problem> {
    let mut errors = FieldErrors::default();
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    errors.take("limit", Rule::in_range(limit, 1, Some(MAX_LIMIT)));
    errors.take("before_id", query.before_id.map(|id| Rule::in_range(id, 1, None)).transpose());
    errors.check()?;
    Ok((query.before_id, limit))
}

fn wire(deed: StoredDeed) -> Deed {
    Deed {
        id: deed.id,
        at: deed.at.into(),
        room_id: deed.room_id.map(RoomId::get),
        action: deed.action,
        actor_id: deed.actor_id.map(UserId::get),
        actor_name: deed.actor_name,
        target_id: deed.target_id.map(UserId::get),
        detail: deed.detail,
        result: deed.result,
        address: deed.address,
        request_id: deed.request_id,
    }
}
