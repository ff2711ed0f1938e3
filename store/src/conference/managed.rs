//! Rooms that a resource elsewhere describes: made, changed, taken over, let go and closed as it says.

use std::collections::BTreeSet;

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::managed::{AdoptError, Keeper, ManagerName, PasswordVersion, ResourceUid, adopt};
use cloudmeet_core::participant::{Participant, Turn};
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::permission::{Action, Membership};
use cloudmeet_core::room::{LinkCode, Phase, Role, Room, RoomPassword, Settings, Slug, Visibility};
use cloudmeet_core::time::{Span, Timestamp};

use super::deeds::{self, Doing};
use super::people::{add_person, lock_participant, save};
use super::rooms::{self, Change, NewRoom, RoomError, lock, room, room_columns, room_id};
use super::{ConferenceStore, meeting};
use crate::changes::{self, RoomChange};
use crate::db::{Tx, locking};
use crate::doer::{Doer, Identity};
use crate::error::{Failure, StoreError};
use crate::value::{Row, object, values};

/// The words of deeds that no rule is about.
const ADOPT: &str = "adopt_room";
const RELEASE: &str = "release_room";

/// How many rooms are read at once.
const STEP: i64 = 500;

/// How long it is known that a resource is gone for good: longer than anything asked for it is under way.
const GONE_KNOWN_FOR: Span = Span::days(1);

/// Is a room as its resource describes it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The resource.
    pub keeper: Keeper,
    /// What the room is to be like. Without a slug it keeps the one it has.
    pub settings: Settings,
    /// Its password, for a room that asks for one.
    pub password: Option<WantedPassword>,
    /// Whose it is to be.
    pub owner: Identity,
    /// Who is to run it beside the owner, and nobody else.
    pub moderators: Vec<Identity>,
    /// The room to take over, where the resource keeps none yet.
    pub adopt: Option<RoomId>,
    /// Take it also from another resource.
    pub forced: bool,
    /// Its link code, should it become private.
    pub link_code: LinkCode,
}

impl Wanted {
    /// Is the version of the password that the room is to have; `None` for a room without one.
    fn password_version(&self) -> Option<&str> {
        match self.settings.visibility {
            Visibility::Password => self.password.as_ref().map(|password| password.version.as_str()),
            Visibility::Public | Visibility::Private => None,
        }
    }
}

/// Is the password that a room is to have.
#[derive(Debug, Clone)]
pub struct WantedPassword {
    /// Which version of it.
    pub version: PasswordVersion,
    /// Its hash; `None` where the room is known to have this version.
    pub hash: Option<PasswordHash>,
}

/// Says what became of a room that was described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It was made.
    Created,
    /// It was there, and is the resource's from now on.
    Adopted,
    /// It was another, and is as described.
    Updated,
    /// It is as described already.
    Unchanged,
}

/// Is a room after it was described.
#[derive(Debug, Clone)]
pub struct KeptRoom {
    /// The room.
    pub room: Room,
    /// What became of it.
    pub kept: Kept,
    /// What of it is another than before.
    pub changed: Vec<&'static str>,
    /// Whose rows are others than before.
    pub people: Vec<Participant>,
    /// Whether its meeting was ended by it.
    pub ended: bool,
}

/// Is a room that a resource keeps, as it stands.
#[derive(Debug, Clone)]
pub struct ManagedRoom {
    /// The resource.
    pub uid: String,
    /// The room.
    pub room: Room,
    /// Which version of its password it was given.
    pub password_version: Option<String>,
    /// Who runs it beside its owner.
    pub moderators: Vec<UserId>,
    /// How many people are there.
    pub present: i64,
}

/// Says what becomes of a resource whose room is let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// It may keep another room.
    Stays,
    /// It is gone for good: what is still asked for it came too late.
    Gone,
}

/// Says why a room is not as described.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// What was described does not go together, or cannot be.
    #[error(transparent)]
    Room(#[from] RoomError),
    /// There is no room to take over.
    #[error("there is no such room")]
    NoSuchRoom,
    /// Another resource keeps it, of this manager.
    #[error("{0} keeps the room")]
    KeptElsewhere(String),
    /// The resource was said to be gone for good.
    #[error("the resource is gone")]
    ResourceGone,
}

/// Selects what [`managed_room`] reads; a condition on `r` follows.
macro_rules! managed_rooms {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            room_columns!(),
            ", r.managed_uid, r.password_version, (SELECT COUNT(*) FROM participants p WHERE p.room_id = r.id \
             AND p.status <> 'offline') AS present FROM rooms r WHERE ",
            $rest
        )
    };
}
impl ConferenceStore {
    /// Makes a room as its resource describes it, however often and on how many servers at once this is asked.
    ///
    /// # Errors
    /// [`KeepError`], or the store's; nothing was changed.
    pub async fn keep_room(&self, wanted: &Wanted, doer: &Doer) -> Result<KeptRoom, Failure<KeepError>> {
        match self.try_keep(wanted, doer).await {
            // Whoever did the same meanwhile was first; or somebody else's room has the slug, and will next time.
            Err(Failure::Refused(KeepError::Room(RoomError::SlugTaken))) => self.try_keep(wanted, doer).await,
            outcome => outcome,
        }
    }

    async fn try_keep(&self, wanted: &Wanted, doer: &Doer) -> Result<KeptRoom, Failure<KeepError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        if take_turn(&mut tx, &wanted.keeper, None).await? == Resource::Gone {
            return Err(Failure::Refused(KeepError::ResourceGone));
        }
        let own = lock_own(&mut tx, &wanted.keeper).await?;
        let (before, kept) = match own {
            Some(room) => (room, Kept::Unchanged),
            None => match wanted.adopt {
                Some(id) => (take_over(&mut tx, id, wanted, doer, now).await?, Kept::Adopted),
                None => (make(&mut tx, wanted, doer, now).await?, Kept::Created),
            },
        };
        let was_over = before.phase(now) == Phase::Over;
        let (room, mut changed) = conform(&mut tx, before, wanted, doer, now).await?;
        let (room, people) = conform_people(&mut tx, room, wanted, doer, now, &mut changed).await?;
        let kept = match kept {
            Kept::Unchanged if !changed.is_empty() => Kept::Updated,
            Kept::Created => {
                changed.clear();
                kept
            }
            _ => kept,
        };
        // What is as it should be is not written: its readers would look for what is new.
        if kept != Kept::Unchanged {
            tx.commit().await?;
        }
        let ended = !was_over && room.phase(now) == Phase::Over;
        Ok(KeptRoom { room, kept, changed, people, ended })
    }

    /// Lets go of a room: it stays as it is, and people may change it again. `None` where the resource keeps none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release_room(
        &self,
        keeper: &Keeper,
        resource: Resource,
        doer: &Doer,
    ) -> Result<Option<RoomId>, StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let Some(room) = let_go(&mut tx, keeper, resource, now).await? else {
            tx.commit().await?;
            return Ok(None);
        };
        tx.execute(
            "UPDATE rooms SET managed_by = NULL, managed_uid = NULL, password_version = NULL, last_activity_at = $2 \
             WHERE id = $1",
            values![room.id.get(), now.as_millis()],
        )
        .await?;
        changes::note(&mut tx, &RoomChange::Room(room.id), now).await?;
        deeds::note(&mut tx, room.id, Some(doer), &Doing { action: RELEASE, ..Doing::default() }, now).await?;
        tx.commit().await?;
        Ok(Some(room.id))
    }

    /// Closes a room for good, as people would. `None` where the resource keeps none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close_managed_room(
        &self,
        keeper: &Keeper,
        resource: Resource,
        doer: &Doer,
    ) -> Result<Option<RoomId>, StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let Some(room) = let_go(&mut tx, keeper, resource, now).await? else {
            tx.commit().await?;
            return Ok(None);
        };
        rooms::close(&mut tx, room.id, Some(doer), now).await?;
        tx.commit().await?;
        Ok(Some(room.id))
    }

    /// Forgets resources that are gone for longer than [`GONE_KNOWN_FOR`].
    pub(super) async fn prune_resources(&self) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        let before = self.now().minus(GONE_KNOWN_FOR).as_millis();
        tx.execute("DELETE FROM managed_resources WHERE gone_at < $1", values![before]).await?;
        tx.commit().await
    }

    /// Finds the room that a resource keeps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn managed_room(&self, keeper: &Keeper) -> Result<Option<ManagedRoom>, StoreError> {
        let rows = self
            .database
            .read(
                managed_rooms!("r.managed_by = $1 AND r.managed_uid = $2 AND r.is_active = TRUE"),
                values![keeper.manager.as_str(), keeper.uid.as_str()],
            )
            .await?;
        Ok(self.with_moderators(rows).await?.pop())
    }

    /// Lists the rooms that a manager's resources keep, by their uids, after one: some hundreds at most.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn managed_rooms(
        &self,
        manager: &ManagerName,
        after: Option<&ResourceUid>,
    ) -> Result<Vec<ManagedRoom>, StoreError> {
        let after = after.map_or("", ResourceUid::as_str);
        let rows = self
            .database
            .read(
                managed_rooms!(
                    "r.managed_by = $1 AND r.managed_uid > $2 AND r.is_active = TRUE ORDER BY r.managed_uid LIMIT $3"
                ),
                values![manager.as_str(), after, STEP],
            )
            .await?;
        self.with_moderators(rows).await
    }

    /// Finds those of some rooms that a manager's resources keep, or kept until they were closed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn managed_among(
        &self,
        manager: &ManagerName,
        ids: &BTreeSet<RoomId>,
    ) -> Result<Vec<ManagedRoom>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = object(ids.iter().map(|id| serde_json::json!({ "room_id": id.get() })));
        let rows = self
            .database
            .read(
                managed_rooms!(
                    "r.managed_by = $1 AND r.managed_uid IS NOT NULL AND r.id IN \
                     (SELECT CAST(i.value ->> 'room_id' AS BIGINT) FROM json_each($2) AS i) ORDER BY r.id"
                ),
                vec![manager.as_str().into(), ids],
            )
            .await?;
        self.with_moderators(rows).await
    }

    async fn with_moderators(&self, rows: Vec<Row>) -> Result<Vec<ManagedRoom>, StoreError> {
        let mut rooms = rows.iter().map(managed_room).collect::<Result<Vec<_>, _>>()?;
        if rooms.is_empty() {
            return Ok(rooms);
        }
        let ids = object(rooms.iter().map(|managed| serde_json::json!({ "room_id": managed.room.id.get() })));
        let rows = self
            .database
            .read(
                "SELECT p.room_id, p.user_id FROM participants p WHERE p.role = 'moderator' AND p.is_member = TRUE \
                 AND p.room_id IN (SELECT CAST(i.value ->> 'room_id' AS BIGINT) FROM json_each($1) AS i) ORDER BY p.id",
                vec![ids],
            )
            .await?;
        for row in &rows {
            let (id, user_id) = (room_id(row, "room_id")?, super::people::user_id(row, "user_id")?);
            let is_of = |managed: &&mut ManagedRoom| managed.room.id == id && managed.room.owner_id != user_id;
            if let Some(managed) = rooms.iter_mut().find(is_of) {
                managed.moderators.push(user_id);
            }
        }
        Ok(rooms)
    }
}

fn managed_room(row: &Row) -> Result<ManagedRoom, StoreError> {
    Ok(ManagedRoom {
        uid: row.get("managed_uid")?,
        room: room(row)?,
        password_version: row.get("password_version")?,
        moderators: Vec::new(),
        present: row.get("present")?,
    })
}

/// Locks the room that is let go, and notes it where its resource is gone for good.
async fn let_go(
    tx: &mut Tx<'_>,
    keeper: &Keeper,
    resource: Resource,
    now: Timestamp,
) -> Result<Option<Room>, StoreError> {
    if resource == Resource::Gone {
        take_turn(tx, keeper, Some(now)).await?;
    }
    lock_own(tx, keeper).await
}

/// Waits for whoever else asks something for a resource, and keeps others waiting until this transaction ends. Says
/// whether the resource is gone, by this or before.
async fn take_turn(tx: &mut Tx<'_>, keeper: &Keeper, gone_at: Option<Timestamp>) -> Result<Resource, StoreError> {
    let sql = "INSERT INTO managed_resources (manager, uid, gone_at) VALUES ($1, $2, $3) ON CONFLICT (manager, uid) \
               DO UPDATE SET gone_at = COALESCE(managed_resources.gone_at, excluded.gone_at) RETURNING gone_at";
    let gone_at = gone_at.map(Timestamp::as_millis);
    let row = tx.fetch_one(sql, values![keeper.manager.as_str(), keeper.uid.as_str(), gone_at]).await?;
    let gone_at: Option<i64> = row.map_or(Ok(None), |row| row.get("gone_at"))?;
    Ok(if gone_at.is_some() { Resource::Gone } else { Resource::Stays })
}

/// Locks the room that a resource keeps.
async fn lock_own(tx: &mut Tx<'_>, keeper: &Keeper) -> Result<Option<Room>, StoreError> {
    let row = tx
        .fetch_one(
            locking!(
                "r",
                concat!(
                    "SELECT ",
                    room_columns!(),
                    " FROM rooms r WHERE r.managed_by = $1 AND r.managed_uid = $2 AND r.is_active = TRUE"
                )
            ),
            values![keeper.manager.as_str(), keeper.uid.as_str()],
        )
        .await?;
    row.map(|row| room(&row)).transpose()
}

/// Makes the room that is described, as far as it needs nobody but its owner.
async fn make(tx: &mut Tx<'_>, wanted: &Wanted, doer: &Doer, now: Timestamp) -> Result<Room, Failure<KeepError>> {
    let password = wanted.password.as_ref().and_then(|password| password.hash.clone());
    let new = NewRoom { settings: wanted.settings.clone(), password, link_code: wanted.link_code.clone() };
    let room = rooms::create(tx, doer, &wanted.owner, &new, now).await.map_err(Failure::widen)?;
    mark(tx, room, wanted, wanted.password_version()).await
}

/// Takes over the room that the resource names.
async fn take_over(
    tx: &mut Tx<'_>,
    id: RoomId,
    wanted: &Wanted,
    doer: &Doer,
    now: Timestamp,
) -> Result<Room, Failure<KeepError>> {
    let room = lock(tx, id).await?;
    adopt(room.as_ref(), wanted.forced).map_err(|error| {
        Failure::Refused(match error {
            AdoptError::NoSuchRoom => KeepError::NoSuchRoom,
            AdoptError::KeptElsewhere => {
                KeepError::KeptElsewhere(room.as_ref().and_then(|room| room.managed_by.clone()).unwrap_or_default())
            }
        })
    })?;
    let room = room.ok_or(Failure::Refused(KeepError::NoSuchRoom))?;
    let detail = Some(wanted.keeper.manager.as_str().to_owned());
    deeds::note(tx, id, Some(doer), &Doing { action: ADOPT, target: None, detail }, now).await?;
    changes::note(tx, &RoomChange::Room(id), now).await?;
    // If it has a password, nobody has described it yet.
    mark(tx, room, wanted, None).await
}

/// Writes whose a locked room is, and which version of a password it has.
async fn mark(
    tx: &mut Tx<'_>,
    room: Room,
    wanted: &Wanted,
    password_version: Option<&str>,
) -> Result<Room, Failure<KeepError>> {
    let Keeper { manager, uid } = &wanted.keeper;
    tx.execute(
        "UPDATE rooms SET managed_by = $2, managed_uid = $3, password_version = $4 WHERE id = $1",
        values![room.id.get(), manager.as_str(), uid.as_str(), password_version],
    )
    .await
    // Somebody else did so for the same resource; the next look finds it.
    .map_err(|error| {
        if error.is_duplicate() { Failure::Refused(RoomError::SlugTaken.into()) } else { Failure::Store(error) }
    })?;
    Ok(Room { managed_by: Some(manager.as_str().to_owned()), ..room })
}

/// Makes a locked room's settings those that are wanted. Gives the names of what was another.
async fn conform(
    tx: &mut Tx<'_>,
    room: Room,
    wanted: &Wanted,
    doer: &Doer,
    now: Timestamp,
) -> Result<(Room, Vec<&'static str>), Failure<KeepError>> {
    let refuse = |error: RoomError| Failure::Refused(KeepError::from(error));
    let slug = wanted.settings.slug.clone().or_else(|| room.slug.clone());
    let settings = Settings { slug, ..wanted.settings.clone() };
    let version = password_version(tx, room.id).await?;
    let is_new_password = version.as_deref() != wanted.password_version();
    let password = wanted.password.as_ref().filter(|_| is_new_password).and_then(|password| password.hash.as_ref());
    let has = match (settings.visibility, password) {
        (Visibility::Password, Some(_)) => RoomPassword::New,
        // The one that it has is another.
        (Visibility::Password, None) if is_new_password => RoomPassword::None,
        _ => rooms::kept_password(tx, room.id).await?,
    };
    settings.check(has).map_err(|error| refuse(error.into()))?;
    let mut names = differences(&room.settings(), &settings);
    if password.is_some() {
        names.push("password");
    }
    if is_new_password {
        tx.execute(
            "UPDATE rooms SET password_version = $2 WHERE id = $1",
            values![room.id.get(), wanted.password_version()],
        )
        .await?;
    }
    if names.is_empty() {
        return Ok((room, names));
    }
    let change = Change { settings, password, names: names.clone() };
    let room = rooms::change_to(tx, room, doer, change, &wanted.link_code, now).await.map_err(Failure::widen)?;
    Ok((room, names))
}

async fn password_version(tx: &mut Tx<'_>, id: RoomId) -> Result<Option<String>, StoreError> {
    let row = tx.fetch_one("SELECT password_version FROM rooms WHERE id = $1", values![id.get()]).await?;
    row.map_or(Ok(None), |row| row.get("password_version"))
}

/// Names what differs.
fn differences(before: &Settings, after: &Settings) -> Vec<&'static str> {
    let parts = [
        ("name", before.name != after.name),
        ("description", before.description != after.description),
        ("visibility", before.visibility != after.visibility),
        ("capacity", before.capacity != after.capacity),
        ("lobby", before.lobby != after.lobby),
        ("slug", before.slug.as_ref().map(Slug::as_str) != after.slug.as_ref().map(Slug::as_str)),
        ("opens_at", before.opens_at != after.opens_at),
        ("closes_at", before.closes_at != after.closes_at),
    ];
    parts.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

/// Makes a locked room's owner and moderators those that are wanted. Gives the rows of whom it changed, and adds the
/// names of what was another.
async fn conform_people(
    tx: &mut Tx<'_>,
    mut room: Room,
    wanted: &Wanted,
    doer: &Doer,
    now: Timestamp,
    names: &mut Vec<&'static str>,
) -> Result<(Room, Vec<Participant>), Failure<KeepError>> {
    let mut changed = Vec::new();
    let owner = &wanted.owner;
    let before = moderators(tx, &room).await?;
    let mut to_be: BTreeSet<UserId> = wanted.moderators.iter().map(|person| person.user_id).collect();
    to_be.remove(&owner.user_id);
    if room.owner_id != owner.user_id {
        let heir = belonging(tx, &room, owner, now).await?;
        changed = meeting::hand_on(tx, &room, heir, Some(doer), now).await?;
        room.owner_id = owner.user_id;
        names.push("owner");
    }
    if before.iter().filter(|id| **id != owner.user_id).ne(to_be.iter()) {
        names.push("moderators");
    }
    // Handing on makes one of who owned it.
    let are = moderators(tx, &room).await?;
    for who in &wanted.moderators {
        if to_be.remove(&who.user_id) && !are.contains(&who.user_id) {
            let mut person = belonging(tx, &room, who, now).await?;
            person.membership = Membership::Member(Role::Moderator);
            give_role(tx, &mut person, Action::Promote(who.user_id), doer, now).await?;
            replace(&mut changed, person);
        }
    }
    let named = |id: &UserId| wanted.moderators.iter().any(|who| who.user_id == *id);
    for id in are.iter().filter(|id| !named(id)) {
        if let Some(mut person) = lock_participant(tx, room.id, *id).await? {
            person.membership = Membership::Member(Role::Participant);
            give_role(tx, &mut person, Action::Demote(*id), doer, now).await?;
            replace(&mut changed, person);
        }
    }
    Ok((room, changed))
}

/// Finds who runs a locked room beside its owner.
async fn moderators(tx: &mut Tx<'_>, room: &Room) -> Result<BTreeSet<UserId>, StoreError> {
    let sql = "SELECT p.user_id FROM participants p WHERE p.room_id = $1 AND p.role = 'moderator' AND p.is_member = TRUE \
               AND p.user_id <> $2";
    let rows = tx.fetch(sql, values![room.id.get(), room.owner_id.get()]).await?;
    rows.iter().map(|row| super::people::user_id(row, "user_id")).collect()
}

/// Finds a person's row in a locked room, and makes them a member if they are none. It is not saved.
async fn belonging(tx: &mut Tx<'_>, room: &Room, who: &Identity, now: Timestamp) -> Result<Participant, StoreError> {
    let mut person = match lock_participant(tx, room.id, who.user_id).await? {
        Some(person) => person,
        None => add_person(tx, room.id, who, Role::Participant, room.last_seq, now).await?,
    };
    if !person.membership.is_member() {
        // Who waits for it hears that they may come in.
        person.last_turn = (person.membership == Membership::Waiting).then_some(Turn::Admitted);
        person.membership = Membership::Member(Role::Participant);
        person.waiting_since = None;
    }
    Ok(person)
}

async fn give_role(
    tx: &mut Tx<'_>,
    person: &mut Participant,
    action: Action,
    doer: &Doer,
    now: Timestamp,
) -> Result<(), StoreError> {
    person.presence.version += 1;
    save(tx, person).await?;
    changes::note(tx, &RoomChange::Person(person.room_id, person.user_id), now).await?;
    let doing = Doing { action: action.rule().action, target: Some(person.user_id), detail: None };
    deeds::note(tx, person.room_id, Some(doer), &doing, now).await
}

/// Keeps but the last row of each person.
fn replace(people: &mut Vec<Participant>, person: Participant) {
    people.retain(|other| other.user_id != person.user_id);
    people.push(person);
}
