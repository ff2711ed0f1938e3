//! Rooms: making, listing, changing and closing them.

use std::collections::HashMap;

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::permission::{self, Action, Actor, Denied, Membership};
use cloudmeet_core::room::{DEFAULT_CAPACITY, Description, Role, Room, RoomName, RoomPatch, Visibility};
use cloudmeet_core::text::fold_case;
use cloudmeet_core::time::Timestamp;

use super::people::{Identity, membership};
use super::{ConferenceStore, people, presence};
use crate::changes::{self, RoomChange};
use crate::db::{Tx, locking};
use crate::error::{Failure, StoreError};
use crate::value::{Row, values};

/// The columns that [`room`] reads, of the table `rooms` under the name `r`.
macro_rules! room_columns {
    () => {
        "r.id AS room_id, r.name, r.description, r.owner_id, r.is_active, r.visibility, r.capacity, r.lobby, r.slug, \
         r.opens_at, r.closes_at, r.managed_by, r.last_seq, r.rev, r.created_at, r.last_activity_at"
    };
}
pub(super) use room_columns;

/// Is a room to be made.
#[derive(Debug, Clone)]
pub struct NewRoom {
    /// Its name.
    pub name: RoomName,
    /// What it is for.
    pub description: Option<Description>,
}

/// Says which rooms to list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListFilter {
    /// How many of the newest to leave out.
    pub skip: i64,
    /// How many to list at most.
    pub limit: i64,
    /// Whether closed rooms are left out.
    pub only_active: bool,
    /// What name or description must hold, without regard to case.
    pub query: Option<String>,
}

/// Is a room as it stands in somebody's list.
#[derive(Debug, Clone)]
pub struct RoomListing {
    /// The room.
    pub room: Room,
    /// How many people are not offline.
    pub present: i64,
    /// What the person is to it.
    pub membership: Membership,
    /// How many messages the person has not read; 0 for a stranger.
    pub unread: i64,
}

/// Is a room with what everybody is to it.
#[derive(Debug, Clone)]
pub struct RoomAudience {
    /// The room.
    pub room: Room,
    /// How many people are not offline.
    pub present: i64,
    /// Its members: what each is to it, and the newest message that they have read.
    members: HashMap<UserId, (Membership, i64)>,
}

impl RoomAudience {
    /// Is the room as a person sees it in a list.
    #[must_use]
    pub fn listing_for(&self, user_id: UserId) -> RoomListing {
        let (membership, unread) = match self.members.get(&user_id) {
            Some(&(membership, read_seq)) => (membership, (self.room.last_seq - read_seq).max(0)),
            None => (Membership::Stranger, 0),
        };
        RoomListing { room: self.room.clone(), present: self.present, membership, unread }
    }
}

impl ConferenceStore {
    /// Makes a room whose owner and first member is its creator.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_room(&self, owner: &Identity, new: &NewRoom) -> Result<Room, StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let row = tx
            .fetch_one(
                "INSERT INTO rooms (name, description, search_text, owner_id, is_active, visibility, capacity, lobby, \
                 last_seq, rev, created_at, last_activity_at) \
                 VALUES ($1, $2, $3, $4, TRUE, $5, $6, FALSE, 0, 0, $7, $7) RETURNING id",
                values![
                    new.name.as_str(),
                    new.description.as_ref().map(Description::as_str),
                    search_text(&new.name, new.description.as_ref()),
                    owner.user_id.get(),
                    Visibility::Public.as_str(),
                    i64::from(DEFAULT_CAPACITY),
                    now.as_millis(),
                ],
            )
            .await?
            .ok_or_else(|| StoreError::corrupt("an insert that returns nothing"))?;
        let id = room_id(&row, "id")?;
        people::add_member(&mut tx, id, owner, Role::Owner, 0, now).await?;
        changes::note(&mut tx, &RoomChange::Room(id), now).await?;
        tx.commit().await?;
        Ok(Room {
            id,
            name: new.name.clone(),
            owner_id: owner.user_id,
            is_active: true,
            created_at: now,
            description: new.description.clone(),
            visibility: Visibility::Public,
            capacity: DEFAULT_CAPACITY,
            lobby: false,
            slug: None,
            opens_at: None,
            closes_at: None,
            managed_by: None,
            last_seq: 0,
            rev: 0,
            last_activity_at: now,
        })
    }

    /// Lists rooms as a person sees them, newest first. Closed ones only to their people.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_rooms(&self, actor: Actor, filter: &ListFilter) -> Result<Vec<RoomListing>, StoreError> {
        let is_administrator = actor.standing == cloudmeet_core::account::Standing::Administrator;
        let pattern = filter.query.as_deref().map(like_pattern);
        let rows = self
            .database
            .read(
                concat!(
                    "SELECT ",
                    room_columns!(),
                    ", (SELECT COUNT(*) FROM participants p WHERE p.room_id = r.id AND p.status <> 'offline') \
                     AS present, m.role, m.is_member, m.read_seq \
                     FROM rooms r LEFT JOIN participants m ON m.room_id = r.id AND m.user_id = $1 \
                     WHERE (r.is_active = TRUE OR ($2 = FALSE AND (m.is_member = TRUE OR r.owner_id = $1 OR $3 = TRUE))) \
                     AND (CAST($4 AS TEXT) IS NULL OR r.search_text LIKE $4 ESCAPE '\\') \
                     ORDER BY r.id DESC LIMIT $5 OFFSET $6"
                ),
                values![
                    actor.user_id.get(),
                    filter.only_active,
                    is_administrator,
                    pattern.as_deref(),
                    filter.limit,
                    filter.skip
                ],
            )
            .await?;
        rows.iter().map(listing).collect()
    }

    /// Reads a room with what everybody is to it. `None` when there is no such room.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audience(&self, id: RoomId) -> Result<Option<RoomAudience>, StoreError> {
        let row = self
            .database
            .read_one(
                concat!(
                    "SELECT ",
                    room_columns!(),
                    ", (SELECT COUNT(*) FROM participants p WHERE p.room_id = r.id AND p.status <> 'offline') AS present \
                     FROM rooms r WHERE r.id = $1"
                ),
                values![id.get()],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let rows = self
            .database
            .read(
                "SELECT user_id, role, is_member, read_seq FROM participants WHERE room_id = $1 AND is_member = TRUE",
                values![id.get()],
            )
            .await?;
        let mut members = HashMap::with_capacity(rows.len());
        for member in rows {
            let user_id = people::user_id(&member, "user_id")?;
            let membership = membership(member.get("is_member")?, member.get("role")?)?;
            members.insert(user_id, (membership, member.get("read_seq")?));
        }
        Ok(Some(RoomAudience { room: room(&row)?, present: row.get("present")?, members }))
    }

    /// Changes a room, if the actor may.
    ///
    /// # Errors
    /// [`Denied`], or the store's.
    pub async fn change_room(&self, id: RoomId, actor: Actor, patch: RoomPatch) -> Result<Room, Failure<Denied>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = authorise(&mut tx, id, actor, Action::ChangeRoom).await?;
        let room = patch.apply(room);
        tx.execute(
            "UPDATE rooms SET name = $2, description = $3, search_text = $4, last_activity_at = $5 WHERE id = $1",
            values![
                id.get(),
                room.name.as_str(),
                room.description.as_ref().map(Description::as_str),
                search_text(&room.name, room.description.as_ref()),
                now.as_millis(),
            ],
        )
        .await?;
        changes::note(&mut tx, &RoomChange::Room(id), now).await?;
        tx.commit().await?;
        Ok(Room { last_activity_at: now, ..room })
    }

    /// Closes a room for good and ends everybody's presence, if the actor may. Closing a closed
    /// room changes nothing.
    ///
    /// # Errors
    /// [`Denied`], or the store's.
    pub async fn close_room(&self, id: RoomId, actor: Actor) -> Result<(), Failure<Denied>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = authorise(&mut tx, id, actor, Action::DeleteRoom).await?;
        if !room.is_active {
            return Ok(());
        }
        tx.execute(
            "UPDATE rooms SET is_active = FALSE, last_activity_at = $2 WHERE id = $1",
            values![id.get(), now.as_millis()],
        )
        .await?;
        presence::end_everybody(&mut tx, id, now).await?;
        changes::note(&mut tx, &RoomChange::Room(id), now).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Locks a room and decides whether the actor may do something in it.
async fn authorise(tx: &mut Tx<'_>, id: RoomId, actor: Actor, action: Action) -> Result<Room, Failure<Denied>> {
    let room = lock(tx, id).await?.ok_or(Failure::Refused(Denied::NoSuchRoom))?;
    let membership = people::membership_of(tx, id, actor.user_id).await?;
    permission::permit(action, actor, &room, membership).map_err(Failure::Refused)?;
    Ok(room)
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
        capacity: i32::try_from(row.get::<i64>("capacity")?).unwrap_or(i32::MAX),
        lobby: row.get("lobby")?,
        slug: row.get("slug")?,
        opens_at: time("opens_at")?,
        closes_at: time("closes_at")?,
        managed_by: row.get("managed_by")?,
        last_seq: row.get("last_seq")?,
        rev: row.get("rev")?,
        last_activity_at: Timestamp::from_millis(row.get("last_activity_at")?),
    })
}

pub(super) fn room_id(row: &Row, column: &str) -> Result<RoomId, StoreError> {
    RoomId::new(row.get(column)?).ok_or_else(|| StoreError::corrupt("a room id that is not positive"))
}

fn listing(row: &Row) -> Result<RoomListing, StoreError> {
    let room = room(row)?;
    let membership = membership(row.get("is_member")?, row.get("role")?)?;
    let unread = match membership {
        Membership::Member(_) => (room.last_seq - row.get::<Option<i64>>("read_seq")?.unwrap_or(0)).max(0),
        Membership::Stranger => 0,
    };
    Ok(RoomListing { present: row.get("present")?, membership, unread, room })
}

/// Is what a search looks through.
fn search_text(name: &RoomName, description: Option<&Description>) -> String {
    fold_case(&format!("{}\n{}", name.as_str(), description.map_or("", Description::as_str)))
}

/// Makes a pattern that finds a text anywhere, whatever signs of patterns it holds itself.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in fold_case(text).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
