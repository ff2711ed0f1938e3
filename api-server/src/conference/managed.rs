//! Rooms that a resource elsewhere describes: what an operator asks for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, put_with};
use aide::openapi::{MediaType, ReferenceOr, Response as DocResponse, StatusCode as DocStatus};
use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::managed::{
    FollowManaged, GoneRoom, KeepRoom, Kept as WireKept, KeptRoom, LetGo, ListManaged, ManagedRoom, Observed,
};
use cloudmeet_api_types::room::{CreateRoom, Visibility};
use cloudmeet_core::account::Email;
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::managed::{Keeper, ManagerName, PasswordVersion, ResourceUid};
use cloudmeet_core::password::Password;
use cloudmeet_core::room::{RoomPassword, SettingsError};
use cloudmeet_core::time::{Span, Timestamp};
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{
    ConferenceStore, Failure, Identity, KeepError, Kept, KeptRoom as StoredKept, ManagedRoom as StoredRoom, Resource,
    RoomChange, RoomError, StoreError, Tail, Wanted, WantedPassword,
};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::sleep;

use super::settings::{judge, new_link_code};
use super::{Conference, ConferenceState};
use crate::accounts::Known;
use crate::docs::problems;
use crate::extract::{FieldErrors, JsonBody, KeeperPath, ManagerPath, QueryParams};
use crate::problem::{Code, Problem, Rule};
use crate::random;
use crate::sessions::{RoomKeeper, Sessions, bearer_token};

/// How many moderators a resource may name.
const MAX_MODERATORS: usize = 100;

/// How often the table of changes is read for who follows it.
const EVERY: Duration = Duration::from_secs(1);

/// How many rooms one look tells of; the next goes on.
const TOLD_AT_ONCE: usize = 500;

/// How many may follow at once: an operator does so once.
pub const FOLLOWERS: usize = 32;

/// After how many seconds to try again while as many follow as may.
const FULL_RETRY_S: u64 = 10;

/// How often it is asked whether a follower's key is still good.
const KEY_ASKED_EVERY: Duration = Duration::from_secs(3);

/// How often a stream without events shows that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// How old the last event may be that somebody heard: changes are kept a little longer.
const RESUMED_WITHIN: Span = Span::minutes(8);

/// How long after the time that stands in it a change may show up.
const COMMITTED_WITHIN: Span = Span::seconds(15);

pub(super) fn routes() -> ApiRouter<ConferenceState> {
    ApiRouter::new()
        .api_route("/api/managed-rooms/events", get_with(follow, follow_docs))
        .api_route("/api/managed-rooms/{manager}", get_with(list, list_docs))
        .api_route(
            "/api/managed-rooms/{manager}/{uid}",
            put_with(keep, keep_docs).get_with(read, read_docs).delete_with(let_go, let_go_docs),
        )
}

async fn keep(
    State(conference): State<Arc<Conference>>,
    KeeperPath(keeper): KeeperPath,
    RoomKeeper(doer): RoomKeeper,
    JsonBody(body): JsonBody<KeepRoom>,
) -> Result<(StatusCode, Json<KeptRoom>), Problem> {
    let (mut wanted, unknown_moderators, password) = conference.wanted(keeper, body).await?;
    let mut outcome = conference.store.keep_room(&wanted, &doer).await;
    if let (
        Err(Failure::Refused(KeepError::Room(RoomError::Settings(SettingsError::PasswordMissing)))),
        Some(password),
    ) = (&outcome, password)
    {
        // The room that had this version is another meanwhile.
        let hash = conference.hashes.hash(password, random::bytes()).await?;
        wanted.password = wanted.password.map(|wanted| WantedPassword { hash: Some(hash), ..wanted });
        outcome = conference.store.keep_room(&wanted, &doer).await;
    }
    let outcome = outcome?;
    conference.show(&outcome);
    let status = if outcome.kept == Kept::Created { StatusCode::CREATED } else { StatusCode::OK };
    let (kept, changed) = (wire_kept(outcome.kept), outcome.changed.iter().map(|name| (*name).to_owned()).collect());
    let room = conference.managed(&wanted.keeper).await?;
    Ok((status, Json(KeptRoom { room, kept, changed, unknown_moderators })))
}

fn keep_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503];
    problems(operation.id("keepRoom").tag("managed rooms").summary("Make a room as its resource describes it"), &codes)
        .description(
            "For keys with the scope `rooms:manage`. As often as one likes: what is so already is left alone. People read \
             such a room's settings and change them no more. 404 `room_not_found` and 409 `adoption_conflict` are about \
             the room to take over.",
        )
        .response::<200, Json<KeptRoom>>()
        .response::<201, Json<KeptRoom>>()
}

async fn read(
    State(conference): State<Arc<Conference>>,
    KeeperPath(keeper): KeeperPath,
    RoomKeeper(_): RoomKeeper,
) -> Result<Json<ManagedRoom>, Problem> {
    conference.managed(&keeper).await.map(Json)
}

fn read_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(
        operation.id("readManagedRoom").tag("managed rooms").summary("Read a resource's room"),
        &[401, 403, 404, 422],
    )
    .description("For keys with the scope `rooms:manage`.")
    .response::<200, Json<ManagedRoom>>()
}

async fn list(
    State(conference): State<Arc<Conference>>,
    ManagerPath(manager): ManagerPath,
    RoomKeeper(_): RoomKeeper,
    QueryParams(query): QueryParams<ListManaged>,
) -> Result<Json<Vec<ManagedRoom>>, Problem> {
    let after = query.after.as_deref().map(ResourceUid::parse).transpose();
    let after = after.map_err(|error| Problem::invalid_field("after", error))?;
    let rooms = conference.store.managed_rooms(&manager, after.as_ref()).await?;
    conference.wire_managed(rooms).await.map(Json)
}

fn list_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation =
        operation.id("listManagedRooms").tag("managed rooms").summary("List the rooms of a manager's resources");
    problems(operation, &[401, 403, 422])
        .description("For keys with the scope `rooms:manage`. In the order of their uids; an empty list is the end.")
        .response::<200, Json<Vec<ManagedRoom>>>()
}

async fn let_go(
    State(conference): State<Arc<Conference>>,
    KeeperPath(keeper): KeeperPath,
    RoomKeeper(doer): RoomKeeper,
    QueryParams(query): QueryParams<LetGo>,
) -> Result<StatusCode, Problem> {
    let resource = if query.gone { Resource::Gone } else { Resource::Stays };
    if query.release {
        let id = conference.store.release_room(&keeper, resource, &doer).await?.ok_or(Code::RoomNotFound)?;
        conference.hub.settings_changed(id);
    } else {
        let id = conference.store.close_managed_room(&keeper, resource, &doer).await?.ok_or(Code::RoomNotFound)?;
        conference.hub.publish_closed(id);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn let_go_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = operation.id("letRoomGo").tag("managed rooms").summary("Close a resource's room, or release it");
    problems(operation, &[401, 403, 404, 422])
        .description("For keys with the scope `rooms:manage`. 404 says that the resource keeps no room.")
        .response::<204, ()>()
}

async fn follow(
    State(conference): State<Arc<Conference>>,
    State(sessions): State<Sessions>,
    RoomKeeper(_): RoomKeeper,
    headers: HeaderMap,
    QueryParams(query): QueryParams<FollowManaged>,
) -> Result<Response, Problem> {
    let manager = ManagerName::parse(&query.manager).map_err(|error| Problem::invalid_field("manager", error))?;
    let heard = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned).or(query.cursor);
    let heard = heard.and_then(|cursor| cursor.parse().ok()).map(Timestamp::from_millis);
    let key = bearer_token(&headers).unwrap_or_default();
    let key = OpaqueToken::presented(key.to_owned());
    let place = conference.followers.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::rate_limited(FULL_RETRY_S))?;
    let stop = conference.stop.clone().cancelled_owned();
    let guard = Guard { sessions, key, asked: Instant::now() };
    let following = Following::new(conference, manager, heard, guard).await?;
    // The place is held as long as the stream.
    let events = following.events().map(move |event| {
        let _held = &place;
        Ok::<_, Infallible>(event)
    });
    let events = events.take_until(stop);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response();
    // nginx would keep events until it has a buffer full of them.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn follow_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let mut operation =
        operation.id("followManagedRooms").tag("managed rooms").summary("Hear what happens in a manager's rooms");
    let events = DocResponse {
        description: "Server-sent events.".to_owned(),
        content: [("text/event-stream".to_owned(), MediaType::default())].into_iter().collect(),
        ..DocResponse::default()
    };
    let responses = operation.inner_mut().responses.get_or_insert_with(Default::default);
    responses.responses.insert(DocStatus::Code(200), ReferenceOr::Item(events));
    problems(operation, &[401, 403, 422, 429]).description(
        "For keys with the scope `rooms:manage`. Server-sent events: `room` with a room as it stands whenever it or who is \
         there changed, `gone` with `{uid, room_id}` of one that was closed or is another's, and `reset` where changes may \
         have been missed: list the rooms then. The first event is a `reset` unless the cursor is good. Each event's id is \
         the cursor from which to go on, which `Last-Event-ID` may name, too; what was heard before may be heard again. The \
         stream ends with its key.",
    )
}

/// Sees that a key is still good while its stream goes on.
struct Guard {
    sessions: Sessions,
    key: OpaqueToken,
    asked: Instant,
}

impl Guard {
    /// Asks now and then. While nobody can be asked, the stream goes on as it is.
    async fn is_good(&mut self) -> bool {
        if self.asked.elapsed() < KEY_ASKED_EVERY {
            return true;
        }
        self.asked = Instant::now();
        let refusal = self.sessions.room_keeper(&self.key).await.err().map(|problem| problem.code());
        !matches!(refusal, Some(Code::InvalidToken | Code::Forbidden))
    }
}

/// Is somebody who follows the rooms of a manager.
struct Following {
    conference: Arc<Conference>,
    manager: ManagerName,
    guard: Guard,
    tail: Tail,
    /// Up to when everything was told.
    told: Timestamp,
    /// The manager's rooms, with their resources, as far as was told.
    shown: HashMap<RoomId, String>,
    /// In which rooms something happened of which was not told yet, and whether it was to the room itself.
    changed: BTreeMap<RoomId, bool>,
    /// What is to be said first.
    first: Option<Event>,
    is_blind: bool,
}

impl Following {
    /// Goes on from where somebody left off, if that is known.
    async fn new(
        conference: Arc<Conference>,
        manager: ManagerName,
        heard: Option<Timestamp>,
        guard: Guard,
    ) -> Result<Self, Problem> {
        // One that becomes another's is missed by them.
        let shown = conference.kept_by(&manager).await?;
        let now = conference.store.now();
        let heard = heard.filter(|heard| *heard <= now && now.minus(RESUMED_WITHIN) < *heard);
        let told = heard.unwrap_or(now);
        Ok(Self {
            conference,
            manager,
            guard,
            tail: Tail::from(told.minus(COMMITTED_WITHIN)),
            told,
            shown,
            changed: BTreeMap::new(),
            first: heard.is_none().then(|| reset(now)),
            is_blind: false,
        })
    }

    /// Says what happens, until the key is good no more.
    fn events(mut self) -> impl Stream<Item = Event> {
        let first = self.first.take();
        let later = stream::unfold(self, |mut state| async move {
            let events = state.next().await?;
            Some((stream::iter(events), state))
        });
        stream::iter(first).chain(later.flatten())
    }

    /// Waits for the next events; `None` when there are none for this key any more.
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            sleep(EVERY).await;
            if !self.guard.is_good().await {
                return None;
            }
            match self.look().await {
                Ok(events) => {
                    self.is_blind = false;
                    if !events.is_empty() {
                        return Some(events);
                    }
                }
                // What happens meanwhile is read once the store is back.
                Err(problem) if !self.is_blind => {
                    self.is_blind = true;
                    tracing::warn!(code = problem.code().as_str(), "changes of managed rooms not read");
                }
                Err(_) => {}
            }
        }
    }

    async fn look(&mut self) -> Result<Vec<Event>, Problem> {
        let conference = self.conference.clone();
        let Conference { store, .. } = &*conference;
        let at = store.now();
        if self.told < at.minus(RESUMED_WITHIN) {
            // Nothing was to be had for so long that changes may be forgotten.
            self.tail = Tail::from(at.minus(COMMITTED_WITHIN));
            (self.told, self.changed) = (at, BTreeMap::new());
            return Ok(vec![reset(at)]);
        }
        for (id, is_itself) in changed_rooms(store, &mut self.tail).await? {
            *self.changed.entry(id).or_default() |= is_itself;
        }
        let some: BTreeSet<RoomId> = self.changed.keys().copied().take(TOLD_AT_ONCE).collect();
        let rooms = store.managed_among(&self.manager, &some).await?;
        let (rooms, closed): (Vec<_>, Vec<_>) = rooms.into_iter().partition(|managed| managed.room.is_active);
        let kept: HashMap<RoomId, String> =
            rooms.iter().map(|managed| (managed.room.id, managed.uid.clone())).collect();
        let rooms = conference.wire_managed(rooms).await?;
        // Closed, and those that are another's now. Who was in a closed room may still change.
        let mut gone: BTreeMap<RoomId, String> = closed
            .into_iter()
            .map(|managed| (managed.room.id, managed.uid))
            .filter(|(id, _)| self.changed[id])
            .collect();
        let left = some.iter().filter(|id| kept.get(*id) != self.shown.get(*id));
        gone.extend(left.filter_map(|id| Some((*id, self.shown.get(id)?.clone()))));
        self.shown.retain(|id, _| !gone.contains_key(id));
        // Whose next room is there already has lost none.
        gone.retain(|_, uid| !kept.values().any(|other| other == uid));
        self.shown.extend(kept);
        self.changed.retain(|id, _| !some.contains(id));

        let gone = gone
            .into_iter()
            .map(|(id, uid)| Event::default().event("gone").json_data(GoneRoom { uid, room_id: id.to_string() }));
        let shown = rooms.iter().map(|room| Event::default().event("room").json_data(room));
        let mut events: Vec<Event> = gone.chain(shown).filter_map(Result::ok).collect();
        // Whoever hears but a part of them hears them all again.
        let last = events.pop();
        let before = cursor(self.told);
        if self.changed.is_empty() {
            self.told = at;
        }
        let mut told: Vec<Event> = events.into_iter().map(|event| event.id(&before)).collect();
        told.extend(last.map(|event| event.id(cursor(self.told))));
        Ok(told)
    }
}

fn reset(at: Timestamp) -> Event {
    Event::default().event("reset").id(cursor(at)).data("{}")
}

/// Reads in which rooms something happened that shows in [`ManagedRoom`], and whether it was to the room itself.
async fn changed_rooms(store: &ConferenceStore, tail: &mut Tail) -> Result<Vec<(RoomId, bool)>, StoreError> {
    let changes = store.changes(tail).await?;
    Ok(changes
        .into_iter()
        .filter_map(|change| match change {
            RoomChange::Room(id) => Some((id, true)),
            RoomChange::Ended(id) | RoomChange::Person(id, _) => Some((id, false)),
            RoomChange::Messages(_) | RoomChange::Revisions(_) | RoomChange::Typing(..) => None,
        })
        .collect())
}

fn cursor(at: Timestamp) -> String {
    at.as_millis().to_string()
}

impl Conference {
    /// Judges how a resource describes its room. Gives the moderators whom nobody knows, too, and a password that
    /// need not be hashed.
    async fn wanted(&self, keeper: Keeper, body: KeepRoom) -> Result<(Wanted, Vec<String>, Option<Password>), Problem> {
        let mut errors = FieldErrors::default();
        let owner = errors.take("owner", Email::parse(&body.owner));
        let moderators: Vec<Email> = body
            .moderators
            .iter()
            .enumerate()
            .filter_map(|(place, address)| errors.take(&format!("moderators.{place}"), Email::parse(address)))
            .collect();
        if body.moderators.len() > MAX_MODERATORS {
            let max = Some(i64::try_from(MAX_MODERATORS).unwrap_or(i64::MAX));
            errors.take::<(), Rule>("moderators", Err(Rule::OutOfRange { min: 0, max }));
        }
        let version =
            errors.take("password_version", body.password_version.as_deref().map(PasswordVersion::parse).transpose());
        let adopt = body.adopt.as_deref().map(|id| RoomId::parse(id).ok_or(Rule::UnknownReference)).transpose();
        let adopt = errors.take("adopt", adopt).flatten();
        let visibility = body.visibility.unwrap_or(Visibility::Public);
        if body.password.is_some() && body.password_version.is_none() {
            errors.take::<(), Rule>("password_version", Err(Rule::Required));
        }
        let room = CreateRoom {
            name: body.name,
            description: body.description,
            visibility: Some(visibility),
            password: body.password,
            capacity: body.capacity,
            lobby: Some(body.lobby),
            slug: body.slug,
            opens_at: body.opens_at,
            closes_at: body.closes_at,
            owner_id: None,
        };
        let (settings, password) = judge(room, errors)?;
        let (Some(owner), Some(version)) = (owner, version) else { return Err(Code::Invalid.into()) };
        let is_guarded = visibility == Visibility::Password;
        if is_guarded && version.is_none() {
            return Err(Problem::invalid_field("password_version", Rule::Required));
        }
        settings
            .check(match (is_guarded, &password) {
                (true, _) => RoomPassword::Kept,
                (false, Some(_)) => RoomPassword::New,
                (false, None) => RoomPassword::None,
            })
            .map_err(|error| Problem::from(RoomError::from(error)))?;

        let emails: Vec<Email> = [owner.clone()].into_iter().chain(moderators.iter().cloned()).collect();
        let known = self.accounts.among(&[], &emails).await.map_err(|error| Problem::from(&error))?;
        let people: HashMap<Email, Identity> = known
            .into_iter()
            .filter(|known| known.is_active)
            .map(|Known { email, identity, .. }| (email, identity))
            .collect();
        let owner = people.get(&owner).cloned().ok_or(Code::OwnerNotFound)?;
        let (known, unknown): (Vec<&Email>, Vec<&Email>) =
            moderators.iter().partition(|email| people.contains_key(email));
        let unknown = unknown.into_iter().map(|email| email.as_str().to_owned()).collect();
        let moderators = known.into_iter().filter_map(|email| people.get(email).cloned()).collect();

        let mut unused = None;
        let password = match version.filter(|_| is_guarded) {
            None => None,
            // Hashing takes long, and each operator asks again and again.
            Some(version) if self.has_version(&keeper, &version).await? => {
                unused = password;
                Some(WantedPassword { version, hash: None })
            }
            Some(version) => {
                let password =
                    password.ok_or_else(|| Problem::from(RoomError::from(SettingsError::PasswordMissing)))?;
                Some(WantedPassword { version, hash: Some(self.hashes.hash(password, random::bytes()).await?) })
            }
        };
        let wanted = Wanted {
            keeper,
            settings,
            password,
            owner,
            moderators,
            adopt,
            forced: body.force,
            link_code: new_link_code(),
        };
        Ok((wanted, unknown, unused))
    }

    /// Says whether the room that a resource keeps has this password already.
    async fn has_version(&self, keeper: &Keeper, version: &PasswordVersion) -> Result<bool, Problem> {
        let room = self.store.managed_room(keeper).await?;
        Ok(room.is_some_and(|managed| managed.password_version.as_deref() == Some(version.as_str())))
    }

    /// Reads which rooms a manager has, and of which resources.
    async fn kept_by(&self, manager: &ManagerName) -> Result<HashMap<RoomId, String>, Problem> {
        let mut rooms = HashMap::new();
        let mut last: Option<ResourceUid> = None;
        loop {
            let page = self.store.managed_rooms(manager, last.as_ref()).await?;
            let Some(end) = page.last() else { return Ok(rooms) };
            last = Some(ResourceUid::parse(&end.uid).map_err(|_| Code::Internal)?);
            rooms.extend(page.into_iter().map(|managed| (managed.room.id, managed.uid)));
        }
    }

    /// Finds the room that a resource keeps.
    async fn managed(&self, keeper: &Keeper) -> Result<ManagedRoom, Problem> {
        let room = self.store.managed_room(keeper).await?.ok_or(Code::RoomNotFound)?;
        self.wire_managed(vec![room]).await?.pop().ok_or_else(|| Code::RoomNotFound.into())
    }

    /// Puts addresses to people, and to rooms theirs.
    async fn wire_managed(&self, rooms: Vec<StoredRoom>) -> Result<Vec<ManagedRoom>, Problem> {
        let ids: BTreeSet<UserId> = rooms
            .iter()
            .flat_map(|managed| managed.moderators.iter().copied().chain([managed.room.owner_id]))
            .collect();
        let ids: Vec<UserId> = ids.into_iter().collect();
        let known = self.accounts.among(&ids, &[]).await.map_err(|error| Problem::from(&error))?;
        let emails: HashMap<UserId, Email> =
            known.into_iter().map(|Known { email, identity, .. }| (identity.user_id, email)).collect();
        let observed_at = WireTime(self.store.now());
        Ok(rooms.into_iter().map(|managed| self.wire_one(managed, &emails, observed_at)).collect())
    }

    fn wire_one(&self, managed: StoredRoom, emails: &HashMap<UserId, Email>, observed_at: WireTime) -> ManagedRoom {
        let StoredRoom { uid, room, password_version, moderators, present } = managed;
        let address = |id: &UserId| emails.get(id).map(|email| email.as_str().to_owned());
        let mut moderators: Vec<String> = moderators.iter().filter_map(address).collect();
        moderators.sort_unstable();
        let slug = room.slug.as_ref().map(|slug| slug.as_str().to_owned());
        let path = format!("/r/{}", slug.clone().unwrap_or_else(|| room.id.to_string()));
        let join_url = self.public_url.as_ref().and_then(|url| url.join(&path).ok());
        ManagedRoom {
            manager: room.managed_by.unwrap_or_default(),
            uid,
            room_id: room.id.to_string(),
            join_url: join_url.map_or(path, String::from),
            name: room.name.as_str().to_owned(),
            description: room.description.map(|description| description.as_str().to_owned()),
            owner: address(&room.owner_id),
            moderators,
            visibility: room.visibility.into(),
            password_version,
            capacity: room.capacity.get(),
            lobby: room.lobby,
            slug,
            opens_at: room.opens_at.map(WireTime),
            closes_at: room.closes_at.map(WireTime),
            participants: Observed { current: present, observed_at },
        }
    }

    /// Tells sockets what was done to a room.
    fn show(&self, outcome: &StoredKept) {
        if outcome.kept == Kept::Unchanged {
            return;
        }
        let id = outcome.room.id;
        if outcome.kept == Kept::Created {
            self.hub.listing_changed(id);
        } else {
            self.hub.settings_changed(id);
        }
        for person in outcome.people.clone() {
            self.hub.publish_participant(person);
        }
        if outcome.ended {
            self.hub.publish_ended(&outcome.room);
        }
    }
}

const fn wire_kept(kept: Kept) -> WireKept {
    match kept {
        Kept::Created => WireKept::Created,
        Kept::Adopted => WireKept::Adopted,
        Kept::Updated => WireKept::Updated,
        Kept::Unchanged => WireKept::Unchanged,
    }
}
