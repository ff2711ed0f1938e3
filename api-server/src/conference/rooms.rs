//! Making, listing, reading, changing and closing rooms.

use std::sync::Arc;
use std::time::Duration;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use cloudmeet_api_types::room::{CreateRoom, ListRooms, Participant, Room, RoomDetail, UpdateRoom};
use cloudmeet_core::permission::{Action, Actor, Membership};
use cloudmeet_core::room::{Description, Role, RoomName, RoomPatch};
use cloudmeet_core::text::check_length;
use cloudmeet_store::{ConferenceStore, ListFilter, NewRoom, RoomListing, StoreError};
use tokio::time::timeout;

use super::{Conference, json_bytes, wire_access, wire_room};
use crate::docs::problems;
use crate::extract::{FieldErrors, JsonBody, QueryParams, RoomPath};
use crate::problem::{Code, Problem, Rule};
use crate::sessions::Caller;

/// The longest list.
const MAX_LIMIT: i64 = 100;

/// How long somebody waits for a list, its turn included.
const LIST_PATIENCE: Duration = Duration::from_secs(15);

/// The longest text that is looked for, in characters: no name is longer.
const MAX_QUERY: usize = 255;

pub(super) async fn create(
    State(conference): State<Arc<Conference>>,
    caller: Caller,
    JsonBody(body): JsonBody<CreateRoom>,
) -> Result<(StatusCode, Json<Room>), Problem> {
    let mut errors = FieldErrors::default();
    let name = errors.take("name", RoomName::parse(&body.name));
    let description = errors.take("description", body.description.as_deref().map_or(Ok(None), Description::parse));
    errors.check()?;
    let (Some(name), Some(description)) = (name, description) else { return Err(Code::Invalid.into()) };
    let room = conference.store.create_room(&caller.identity, &NewRoom { name, description }).await?;
    conference.hub.listing_changed(room.id);
    let listing = RoomListing { room, present: 0, membership: Membership::Member(Role::Owner), unread: 0 };
    Ok((StatusCode::CREATED, Json(wire_room(listing, caller.identity.user_id))))
}

pub(super) fn create_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("createRoom").tag("rooms").summary("Make a room"), &[400, 401, 413, 415, 422])
        .description("The caller becomes its owner and first member.")
        .response::<201, Json<Room>>()
}

pub(super) async fn list(
    State(conference): State<Arc<Conference>>,
    caller: Caller,
    QueryParams(query): QueryParams<ListRooms>,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    let in_range = |value: i64, min: i64, max: Option<i64>| {
        if value >= min && max.is_none_or(|max| value <= max) { Ok(value) } else { Err(Rule::OutOfRange { min, max }) }
    };
    errors.take("skip", in_range(query.skip, 0, None));
    errors.take("limit", in_range(query.limit, 1, Some(MAX_LIMIT)));
    errors.take("query", check_length(query.query.as_deref().unwrap_or_default(), 0, MAX_QUERY));
    errors.check()?;
    let filter = ListFilter {
        skip: query.skip,
        limit: query.limit,
        only_active: query.only_active,
        // NUL cannot be stored, so nothing holds it; Postgres would refuse to look.
        query: query.query.map(|text| text.replace('\0', "\u{FFFD}")).filter(|text| !text.trim().is_empty()),
    };
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
        .description("Newest first. Closed rooms are listed to their people, when `only_active` is false.")
        .response::<200, Json<Vec<Room>>>()
}

pub(super) async fn detail(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
) -> Result<Json<RoomDetail>, Problem> {
    let access = conference.access(id, &caller.identity, Action::SeeRoom).await?;
    let participants: Vec<_> = conference.store.present(id).await?.into_iter().map(Participant::from).collect();
    let present = i64::try_from(participants.len()).unwrap_or(i64::MAX);
    let room = wire_access(access, caller.identity.user_id, present);
    Ok(Json(RoomDetail { room, participants }))
}

pub(super) fn detail_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("getRoom").tag("rooms").summary("Read a room and who is there"), &[401, 404])
        .response::<200, Json<RoomDetail>>()
}

pub(super) async fn update(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    JsonBody(body): JsonBody<UpdateRoom>,
) -> Result<Json<Room>, Problem> {
    let mut errors = FieldErrors::default();
    let name = errors.take("name", body.name.as_deref().map(RoomName::parse).transpose());
    let description = body.description.map(|text| text.as_deref().map_or(Ok(None), Description::parse)).transpose();
    let description = errors.take("description", description);
    errors.check()?;
    let (Some(name), Some(description)) = (name, description) else { return Err(Code::Invalid.into()) };
    let who = caller.identity;
    conference.store.change_room(id, who.actor(), RoomPatch { name, description }).await?;
    conference.hub.settings_changed(id);
    let access = conference.access(id, &who, Action::SeeRoom).await?;
    let present = conference.store.count_present(id).await?;
    Ok(Json(wire_access(access, who.user_id, present)))
}

pub(super) fn update_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422];
    problems(operation.id("updateRoom").tag("rooms").summary("Change a room"), &codes)
        .description("For its owner, its moderators and administrators.")
        .response::<200, Json<Room>>()
}

pub(super) async fn delete(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    conference.store.close_room(id, caller.identity.actor()).await?;
    conference.hub.publish_closed(id);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn delete_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("deleteRoom").tag("rooms").summary("Close a room for good"), &[401, 403, 404])
        .description("For its owner and administrators. Ends everybody's presence; members keep the history.")
        .response::<204, ()>()
}
