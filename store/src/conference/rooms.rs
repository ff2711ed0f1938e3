//! Rooms: making, changing and closing them.

use cloudmeet_core::id::RoomId;
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::permission::{self, Action, Actor, Denied};
use cloudmeet_core::room::{
    Capacity, Description, LinkCode, Phase, Role, Room, RoomName, RoomPassword, RoomPatch, Settings, SettingsError,
    Slug, Visibility,
};
use cloudmeet_core::text::fold_case;
use cloudmeet_core::time::Timestamp;

use super::deeds::{self, Doing};
use super::{ConferenceStore, meeting, people, presence};
use crate::changes::{self, RoomChange};
use crate::db::{Tx, locking};
use crate::doer::{Doer, Identity};
use crate::error::{Failure, StoreError};
use crate::value::{Row, values};

/// The columns that [`room`] reads, of the table `rooms` under the name `r`.
macro_rules! room_columns {
    () => {
        "r.id AS room_id, r.name, r.description, r.owner_id, r.is_active, r.visibility, r.capacity, r.lobby, r.slug, \
         r.opens_at, r.closes_at, r.managed_by, r.last_seq, r.rev, r.created_at, r.last_activity_at, \
         r.ends"
    };
}
pub(super) use room_columns;

/// The word of the one deed that no rule is about.
const CREATE_ROOM: &str = "create_room";

/// Is a room to be made.
#[derive(Debug, Clone)]
pub struct NewRoom {
    /// What it is like.
    pub settings: Settings,
    /// Its password's hash, for a room that asks for one.
    pub password: Option<PasswordHash>,
    /// Its link code, should it be private.
    pub link_code: LinkCode,
}

/// Says why a room was not made or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The settings do not go together.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Another room has the slug.
    #[error("there is a room of this name")]
    SlugTaken,
}

impl ConferenceStore {
    /// Makes a room with an owner, who is its first member.
    ///
    /// # Errors
    /// [`RoomError`], or the store's.
    pub async fn create_room(&self, doer: &Doer, owner: &Identity, new: &NewRoom) -> Result<Room, Failure<RoomError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = create(&mut tx, doer, owner, new, now).await?;
        tx.commit().await?;
        Ok(room)
    }

    /// Finds a room by its name in links. `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn room_of_slug(&self, slug: &Slug) -> Result<Option<RoomId>, StoreError> {
        let row = self.database.read_one("SELECT id FROM rooms WHERE slug = $1", values![slug.as_str()]).await?;
        row.map(|row| room_id(&row, "id")).transpose()
    }

    /// Changes a room, if the actor may. One that becomes private gets the code if it has none; one whose
    /// end is past by the change is ended at once.
    ///
    /// # Errors
    /// [`RoomError`], or the store's.
    pub async fn change_room(
        &self,
        id: RoomId,
        doer: &Doer,
        patch: &RoomPatch,
        code: &LinkCode,
    ) -> Result<Room, Failure<RoomError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = authorise(&mut tx, id, doer.actor(), Action::ChangeRoom, now).await.map_err(Failure::widen)?;
        if patch.names().is_empty() {
            return Ok(room);
        }
        let settings = room.settings().apply(patch, kept_password(&mut tx, id).await?);
        let settings = settings.map_err(|error| Failure::Refused(error.into()))?;
        let change = Change { settings, password: patch.password.as_ref(), names: patch.names() };
        let room = change_to(&mut tx, room, doer, change, code, now).await?;
        tx.commit().await?;
        Ok(room)
    }

    /// Closes a room for good, ends everybody's presence and gives its slug back, if the actor may. Closing a
    /// closed room changes nothing.
    ///
    /// # Errors
    /// [`Denied`], or the store's.
    pub async fn close_room(&self, id: RoomId, doer: &Doer) -> Result<(), Failure<Denied>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = authorise(&mut tx, id, doer.actor(), Action::DeleteRoom, now).await?;
        if !room.is_active {
            return Ok(());
        }
        close(&mut tx, id, Some(doer), now).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Makes a room with an owner, who is its first member.
pub(super) async fn create(
    tx: &mut Tx<'_>,
    doer: &Doer,
    owner: &Identity,
    new: &NewRoom,
    now: Timestamp,
) -> Result<Room, Failure<RoomError>> {
    let NewRoom { settings, password, link_code } = new;
    settings
        .check(if password.is_some() { RoomPassword::New } else { RoomPassword::None })
        .map_err(|error| Failure::Refused(error.into()))?;
    let is_private = settings.visibility == Visibility::Private;
    let row = tx
        .fetch_one(
            "INSERT INTO rooms (name, description, search_text, owner_id, is_active, visibility, capacity, lobby, \
             slug, opens_at, closes_at, password_hash, link_code, last_seq, rev, created_at, last_activity_at) \
             VALUES ($1, $2, $3, $4, TRUE, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, $13, $13) RETURNING id",
            values![
                settings.name.as_str(),
                settings.description.as_ref().map(Description::as_str),
                search_text(&settings.name, settings.description.as_ref()),
                owner.user_id.get(),
                settings.visibility.as_str(),
                settings.capacity.get(),
                settings.lobby,
                settings.slug.as_ref().map(Slug::as_str),
                settings.opens_at.map(Timestamp::as_millis),
                settings.closes_at.map(Timestamp::as_millis),
                password.as_ref().map(PasswordHash::as_str),
                is_private.then(|| link_code.reveal()),
                now.as_millis(),
            ],
        )
        .await
        .map_err(slug_taken)?
        .ok_or_else(|| StoreError::corrupt("an insert that returns nothing"))?;
    let id = room_id(&row, "id")?;
    people::add_person(tx, id, owner, Role::Owner, 0, now).await?;
    changes::note(tx, &RoomChange::Room(id), now).await?;
    let target = (owner.user_id != doer.who.user_id).then_some(owner.user_id);
    deeds::note(tx, id, Some(doer), &Doing { action: CREATE_ROOM, target, detail: None }, now).await?;
    Ok(lock(tx, id).await?.ok_or_else(|| StoreError::corrupt("a room that is gone at once"))?)
}

/// Says whether a locked room has a password.
pub(super) async fn kept_password(tx: &mut Tx<'_>, id: RoomId) -> Result<RoomPassword, StoreError> {
    let kept = "SELECT id FROM rooms WHERE id = $1 AND password_hash IS NOT NULL";
    let has_one = tx.fetch_one(kept, values![id.get()]).await?.is_some();
    Ok(if has_one { RoomPassword::Kept } else { RoomPassword::None })
}

/// Is what a room is to be like from now on.
pub(super) struct Change<'a> {
    /// All of it; they go together.
    pub(super) settings: Settings,
    /// Another password.
    pub(super) password: Option<&'a PasswordHash>,
    /// What of it is new, for the record.
    pub(super) names: Vec<&'static str>,
}

/// Changes a locked room. One that becomes private gets the code if it has none; one whose end is past by the
/// change is ended at once.
pub(super) async fn change_to(
    tx: &mut Tx<'_>,
    room: Room,
    doer: &Doer,
    change: Change<'_>,
    code: &LinkCode,
    now: Timestamp,
) -> Result<Room, Failure<RoomError>> {
    let Change { settings, password, names } = change;
    let id = room.id;
    let keeps_password = settings.visibility == Visibility::Password;
    let is_private = settings.visibility == Visibility::Private;
    tx.execute(
        "UPDATE rooms SET name = $2, description = $3, search_text = $4, visibility = $5, capacity = $6, lobby = $7, \
         slug = $8, opens_at = $9, closes_at = $10, \
         password_hash = CASE WHEN $11 = TRUE THEN COALESCE($12, password_hash) ELSE NULL END, \
         link_code = CASE WHEN $13 = TRUE THEN COALESCE(link_code, $14) ELSE NULL END, last_activity_at = $15, \
         hidden_at = CASE WHEN $16 = TRUE THEN $15 ELSE hidden_at END WHERE id = $1",
        values![
            id.get(),
            settings.name.as_str(),
            settings.description.as_ref().map(Description::as_str),
            search_text(&settings.name, settings.description.as_ref()),
            settings.visibility.as_str(),
            settings.capacity.get(),
            settings.lobby,
            settings.slug.as_ref().map(Slug::as_str),
            settings.opens_at.map(Timestamp::as_millis),
            settings.closes_at.map(Timestamp::as_millis),
            keeps_password,
            password.map(PasswordHash::as_str),
            is_private,
            code.reveal(),
            now.as_millis(),
            is_private && room.visibility != Visibility::Private,
        ],
    )
    .await
    .map_err(slug_taken)?;
    changes::note(tx, &RoomChange::Room(id), now).await?;
    let doing = Doing { action: Action::ChangeRoom.rule().action, detail: Some(names.join(", ")), target: None };
    deeds::note(tx, id, Some(doer), &doing, now).await?;
    let was_over = room.phase(now) == Phase::Over;
    let room = Room { last_activity_at: now, ..room.with(settings) };
    if room.phase(now) == Phase::Over && !was_over {
        return Ok(meeting::end(tx, room, Some(doer), now).await?);
    }
    Ok(room)
}

/// Closes a locked room for good.
pub(super) async fn close(tx: &mut Tx<'_>, id: RoomId, doer: Option<&Doer>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE rooms SET is_active = FALSE, slug = NULL, last_activity_at = $2 WHERE id = $1",
        values![id.get(), now.as_millis()],
    )
    .await?;
    presence::end_everybody(tx, id, now).await?;
    changes::note(tx, &RoomChange::Room(id), now).await?;
    let doing = Doing { action: Action::DeleteRoom.rule().action, ..Doing::default() };
    deeds::note(tx, id, doer, &doing, now).await
}

/// Locks a room and decides whether the actor may do something in it.
pub(super) async fn authorise(
    tx: &mut Tx<'_>,
    id: RoomId,
    actor: Actor,
    action: Action,
    now: Timestamp,
) -> Result<Room, Failure<Denied>> {
    let room = lock(tx, id).await?.ok_or(Failure::Refused(Denied::NoSuchRoom))?;
    let membership = people::membership_of(tx, id, actor.user_id).await?;
    permission::permit(action, actor, &room, membership, now).map_err(Failure::Refused)?;
    Ok(room)
}

/// Tells that a slug is taken from other failures: nothing else of a room may stand but once.
fn slug_taken(error: StoreError) -> Failure<RoomError> {
    if error.is_duplicate() { Failure::Refused(RoomError::SlugTaken) } else { Failure::Store(error) }
}

/// Notes that something happened in a locked room.
pub(super) async fn touch(tx: &mut Tx<'_>, id: RoomId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE rooms SET last_activity_at = $2 WHERE id = $1", values![id.get(), now.as_millis()])
        .await
        .map(drop)
}

/// Locks a room's row: what happens in it from here to the commit happens alone.
pub(super) async fn lock(tx: &mut Tx<'_>, id: RoomId) -> Result<Option<Room>, StoreError> {
    let row = tx
        .fetch_one(
            locking!("r", concat!("SELECT ", room_columns!(), " FROM rooms r WHERE r.id = $1")),
            values![id.get()],
        )
        .await?;
    row.map(|row| room(&row)).transpose()
}

/// Counts that somebody in a locked room has another name: its history reads differently from now on.
pub(super) async fn count_renaming(tx: &mut Tx<'_>, id: RoomId) -> Result<(), StoreError> {
    tx.execute("UPDATE rooms SET renamings = renamings + 1 WHERE id = $1", values![id.get()]).await.map(drop)
}

/// Reads a room from a row of [`room_columns`].
pub(super) fn room(row: &Row) -> Result<Room, StoreError> {
    let time = |column| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    let visibility: String = row.get("visibility")?;
    Ok(Room {
        id: room_id(row, "room_id")?,
        name: RoomName::from_stored(row.get("name")?),
        owner_id: people::user_id(row, "owner_id")?,
        is_active: row.get("is_active")?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        description: row.get::<Option<String>>("description")?.map(Description::from_stored),
        visibility: Visibility::parse(&visibility).ok_or_else(|| StoreError::corrupt(visibility))?,
        capacity: capacity(row.get("capacity")?)?,
        lobby: row.get("lobby")?,
        slug: row.get::<Option<String>>("slug")?.map(Slug::from_stored),
        opens_at: time("opens_at")?,
        closes_at: time("closes_at")?,
        managed_by: row.get("managed_by")?,
        last_seq: row.get("last_seq")?,
        rev: row.get("rev")?,
        last_activity_at: Timestamp::from_millis(row.get("last_activity_at")?),
        ends: row.get("ends")?,
    })
}

fn capacity(people: i64) -> Result<Capacity, StoreError> {
    Capacity::new(people).ok_or_else(|| StoreError::corrupt(format!("a capacity of {people}")))
}

pub(super) fn room_id(row: &Row, column: &str) -> Result<RoomId, StoreError> {
    RoomId::new(row.get(column)?).ok_or_else(|| StoreError::corrupt("a room id that is not positive"))
}

/// Is what a search looks through.
fn search_text(name: &RoomName, description: Option<&Description>) -> String {
    fold_case(&format!("{}\n{}", name.as_str(), description.map_or("", Description::as_str)))
}
