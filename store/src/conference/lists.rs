//! Rooms as they stand in people's lists.

use std::collections::HashMap;

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::permission::{Actor, Membership};
use cloudmeet_core::room::Room;
use cloudmeet_core::time::Timestamp;

use super::people::{membership, membership_columns};
use super::rooms::{room, room_columns};
use super::{ConferenceStore, people};
use crate::error::StoreError;
use crate::value::{Row, like_pattern, values};

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
    /// When it last became private: until then everybody knew of it.
    pub hidden_at: Option<Timestamp>,
    /// Its members and who waits: what each is to it, and the newest message that they have read.
    members: HashMap<UserId, (Membership, i64)>,
}

impl RoomAudience {
    /// Is the room as a person sees it in a list.
    #[must_use]
    pub fn listing_for(&self, user_id: UserId) -> RoomListing {
        let (membership, unread) = match self.members.get(&user_id) {
            Some(&(membership @ Membership::Member(_), read_seq)) => {
                (membership, (self.room.last_seq - read_seq).max(0))
            }
            Some(&(membership, _)) => (membership, 0),
            None => (Membership::Stranger, 0),
        };
        RoomListing { room: self.room.clone(), present: self.present, membership, unread }
    }
}

/// Selects what [`listing`] reads of rooms that fulfil a condition, a page of them.
macro_rules! list {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            room_columns!(),
            ", (SELECT COUNT(*) FROM participants p WHERE p.room_id = r.id AND p.status <> 'offline') AS present, ",
            membership_columns!(),
            ", m.read_seq FROM rooms r LEFT JOIN participants m ON m.room_id = r.id AND m.user_id = $1 WHERE ",
            $condition,
            " ORDER BY r.id DESC LIMIT $4 OFFSET $5"
        )
    };
}

/// The rooms that somebody sees: the newest that are open to all, and the newest of their own. However many
/// private rooms there are beside, nobody looks at those.
const LIST: &str = list!(
    "r.id IN (SELECT id FROM (SELECT v.id FROM rooms v WHERE v.is_active = TRUE AND v.visibility <> 'private' \
     AND (CAST($3 AS TEXT) IS NULL OR v.search_text LIKE $3 ESCAPE '\\') ORDER BY v.id DESC LIMIT $6) AS open_to_all \
     UNION SELECT id FROM (SELECT v.id FROM participants p JOIN rooms v ON v.id = p.room_id WHERE p.user_id = $1 \
     AND (p.is_member = TRUE OR p.waiting_since IS NOT NULL OR v.owner_id = $1) \
     AND (v.is_active = TRUE OR $2 = FALSE) AND (CAST($3 AS TEXT) IS NULL OR v.search_text LIKE $3 ESCAPE '\\') \
     ORDER BY v.id DESC LIMIT $6) AS ones_own)"
);

/// Every room, for administrators.
const LIST_ALL: &str =
    list!("(r.is_active = TRUE OR $2 = FALSE) AND (CAST($3 AS TEXT) IS NULL OR r.search_text LIKE $3 ESCAPE '\\')");

impl ConferenceStore {
    /// Lists rooms as a person sees them, newest first. Private and closed ones only to their people.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_rooms(&self, actor: Actor, filter: &ListFilter) -> Result<Vec<RoomListing>, StoreError> {
        let mut values = values![
            actor.user_id.get(),
            filter.only_active,
            filter.query.as_deref().map(like_pattern).as_deref(),
            filter.limit,
            filter.skip,
        ];
        let sql = if actor.is_administrator() {
            LIST_ALL
        } else {
            values.push(filter.skip.saturating_add(filter.limit).into());
            LIST
        };
        let rows = self.database.read(sql, values).await?;
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
                    ", r.hidden_at, (SELECT COUNT(*) FROM participants p WHERE p.room_id = r.id AND p.status <> 'offline') \
                     AS present FROM rooms r WHERE r.id = $1"
                ),
                values![id.get()],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let rows = self
            .database
            .read(
                concat!(
                    "SELECT m.user_id, m.read_seq, ",
                    membership_columns!(),
                    " FROM participants m WHERE m.room_id = $1 AND (m.is_member = TRUE OR m.waiting_since IS NOT NULL)"
                ),
                values![id.get()],
            )
            .await?;
        let mut members = HashMap::with_capacity(rows.len());
        for member in rows {
            let user_id = people::user_id(&member, "user_id")?;
            members.insert(user_id, (membership(&member)?, member.get("read_seq")?));
        }
        let hidden_at = row.get::<Option<i64>>("hidden_at")?.map(Timestamp::from_millis);
        Ok(Some(RoomAudience { room: room(&row)?, present: row.get("present")?, hidden_at, members }))
    }
}

fn listing(row: &Row) -> Result<RoomListing, StoreError> {
    let room = room(row)?;
    let membership = membership(row)?;
    let unread = match membership {
        Membership::Member(_) => (room.last_seq - row.get::<Option<i64>>("read_seq")?.unwrap_or(0)).max(0),
        _ => 0,
    };
    Ok(RoomListing { present: row.get("present")?, membership, unread, room })
}
