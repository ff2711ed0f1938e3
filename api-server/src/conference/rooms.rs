//! Making, listing, reading, changing and closing rooms.

use std::sync::Arc;
use std::time::Duration;

use aide::transform::TransformOperation;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use bytes::Bytes;
use cloudmeet_api_types::room::{CreateRoom, ListRooms, Participant, Room, RoomDetail, ShowCode, UpdateRoom};
use cloudmeet_core::id::UserId;
use cloudmeet_core::permission::{Action, Actor, Membership, allowed, sees_people};
use cloudmeet_core::room::{Phase, Role};
use cloudmeet_store::{ConferenceStore, Doing, ListFilter, RoomListing, StoreError};
use tokio::time::timeout;

use super::settings::new_link_code;
use super::{Conference, json_bytes, wire_access, wire_room};
use crate::client_address::ClientAddress;
use crate::docs::problems;
use crate::extract::{FieldErrors, JsonBody, QueryParams, RoomPath, searched};
use crate::problem::{Problem, Rule};
use crate::sessions::{Acting, Caller};

/// The longest list.
const MAX_LIMIT: i64 = 100;

/// How long somebody waits for a list, its turn included.
const LIST_PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn create(
    State(conference): State<Arc<Conference>>,
    Acting(doer): Acting,
    JsonBody(body): JsonBody<CreateRoom>,
) -> Result<(StatusCode, Json<Room>), Problem> {
    let owner = match body.owner_id {
        Some(id) => conference.somebody(&doer.who, id).await?,
        None => doer.who.clone(),
    };
    if owner.user_id == UserId::CONSOLE {
        return Err(Problem::invalid_field("owner_id", Rule::Required));
    }
    let new = conference.new_room(&doer.who, body).await?;
    let room = conference.store.create_room(&doer, &owner, &new).await?;
    conference.hub.listing_changed(room.id);
    let membership =
        if owner.user_id == doer.who.user_id { Membership::Member(Role::Owner) } else { Membership::Stranger };
    let listing = RoomListing { room, present: 0, membership, unread: 0 };
    Ok((StatusCode::CREATED, Json(wire_room(listing, doer.who.user_id))))
}

pub(super) fn create_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422, 429, 503];
    problems(operation.id("createRoom").tag("rooms").summary("Make a room"), &codes)
        .description("The caller becomes its owner and first member, or whom an administrator names.")
        .response::<201, Json<Room>>()
}

pub(super) async fn list(
    State(conference): State<Arc<Conference>>,
    caller: Caller,
    QueryParams(query): QueryParams<ListRooms>,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    errors.take("skip", Rule::in_range(query.skip, 0, None));
    errors.take("limit", Rule::in_range(query.limit, 1, Some(MAX_LIMIT)));
    let text = errors.take("query", searched(query.query)).flatten();
    errors.check()?;
    let filter = ListFilter { skip: query.skip, limit: query.limit, only_active: query.only_active, query: text };
    let actor = caller.identity.actor();
    let read = read_list(conference.store.clone(), actor, filter.clone());
    // What takes long, a search or a late page, waits for nobody and keeps nobody waiting.
    let list = if filter.query.is_some() || filter.skip > 0 {
        read.await
    } else {
        let list = timeout(LIST_PATIENCE, conference.lists.ask((actor, filter), read)).await;
        list.unwrap_or_else(|_| Err(Arc::new(StoreError::no_answer())))
    };
    Ok(json_bytes(list.map_err(|error| Problem::from(&*error))?))
}

async fn read_list(store: ConferenceStore, actor: Actor, filter: ListFilter) -> Result<Bytes, Arc<StoreError>> {
    let listings = store.list_rooms(actor, &filter).await?;
    let rooms: Vec<Room> = listings.into_iter().map(|listing| wire_room(listing, actor.user_id)).collect();
    Ok(serde_json::to_vec(&rooms).expect("rooms are made of strings and numbers").into())
}

pub(super) fn list_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("listRooms").tag("rooms").summary("List rooms"), &[401, 422])
        .description(
            "Newest first. Private rooms are listed to their people and to administrators, and so are closed ones, \
             when `only_active` is false.",
        )
        .response::<200, Json<Vec<Room>>>()
}

pub(super) async fn detail(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    Extension(client): Extension<ClientAddress>,
    QueryParams(query): QueryParams<ShowCode>,
) -> Result<Json<RoomDetail>, Problem> {
    let (who, now) = (caller.identity, conference.store.now());
    let access = match query.code {
        Some(code) => conference.access_by_code(id, (&who, client), code).await?,
        None => conference.access(id, &who, Action::SeeRoom).await?,
    };
    let membership = access.membership();
    let present = conference.store.present(id).await?;
    let count = i64::try_from(present.len()).unwrap_or(i64::MAX);
    let shows_people = sees_people(who.actor(), &access.room, membership);
    let allowed = allowed(who.actor(), &access.room, membership, now);
    let waiting = conference.waiting_for(&access, &who).await?;
    Ok(Json(RoomDetail {
        room: wire_access(access, who.user_id, count),
        participants: present.into_iter().filter(|_| shows_people).map(Participant::from).collect(),
        waiting,
        allowed: allowed.into_iter().map(str::to_owned).collect(),
    }))
}

pub(super) fn detail_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("getRoom").tag("rooms").summary("Read a room and who is there"), &[401, 404, 429])
        .description("By its id or its slug. A private room shows itself to who holds its link code, too.")
        .response::<200, Json<RoomDetail>>()
}

pub(super) async fn update(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    JsonBody(body): JsonBody<UpdateRoom>,
) -> Result<Json<Room>, Problem> {
    let doing = Doing { action: Action::ChangeRoom.rule().action, ..Doing::default() };
    // Before a password costs a hash.
    conference.access_of(id, &doer, Action::ChangeRoom).await?;
    let patch = conference.patch(&doer.who, body).await?;
    let outcome = conference.store.change_room(id, &doer, &patch, &new_link_code()).await.map_err(Problem::from);
    let room = conference.or_recorded(id, &doer, doing, outcome).await?;
    conference.hub.settings_changed(id);
    if room.phase(conference.store.now()) == Phase::Over {
        conference.hub.publish_ended(&room);
    }
    conference.room_for(id, &doer.who).await.map(Json)
}

pub(super) fn update_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422, 429, 503];
    problems(operation.id("updateRoom").tag("rooms").summary("Change a room"), &codes)
        .description("For its owner, its moderators and administrators. What is absent stays.")
        .response::<200, Json<Room>>()
}

pub(super) async fn delete(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
) -> Result<StatusCode, Problem> {
    let outcome = conference.store.close_room(id, &doer).await.map_err(Problem::from);
    let doing = Doing { action: Action::DeleteRoom.rule().action, ..Doing::default() };
    conference.or_recorded(id, &doer, doing, outcome).await?;
    conference.hub.publish_closed(id);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn delete_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("deleteRoom").tag("rooms").summary("Close a room for good"), &[401, 403, 404])
        .description("For its owner and administrators. Ends everybody's presence; members keep the history.")
        .response::<204, ()>()
}
