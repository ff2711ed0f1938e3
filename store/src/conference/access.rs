//! What a person is to a room: the question with which every request about a room begins.

use std::collections::HashMap;
use std::fmt;

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::participant::Participant;
use cloudmeet_core::permission::Membership;
use cloudmeet_core::room::Room;
use cloudmeet_core::time::Timestamp;
use serde_json::json;

use super::ConferenceStore;
use super::people::{participant, participant_columns};
use super::rooms::{room, room_columns};
use crate::error::StoreError;
use crate::kept::Kept;
use crate::value::{object, values};

/// Is a room with what a person is to it: all that a request about the room needs to be judged.
#[derive(Debug, Clone)]
pub struct RoomAccess {
    /// The room.
    pub room: Room,
    /// The person's row in it; `None` if they never joined.
    pub participant: Option<Participant>,
    /// How often its people's names changed.
    renamings: i64,
    /// Whether the person has shown its link code.
    is_invited: bool,
}

/// Is how a room's history reads: another one whenever any page of it reads differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HistoryVersion {
    /// The room.
    pub id: RoomId,
    /// When it was made: in another database the same id is another room.
    pub created_at: Timestamp,
    /// Whose it is.
    pub owner_id: UserId,
    /// The number of its newest message.
    pub last_seq: i64,
    /// The number of the newest change of a message.
    pub rev: i64,
    /// How often its people's names changed.
    pub renamings: i64,
}

/// Is part of a name in Redis, which servers of two releases may share.
impl fmt::Display for HistoryVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, created_at, owner_id, last_seq, rev, renamings } = self;
        write!(formatter, "{id}.{}.{owner_id}.{last_seq}.{rev}.{renamings}", created_at.as_millis())
    }
}

impl RoomAccess {
    /// Says how the room's history reads now.
    #[must_use]
    pub fn history_version(&self) -> HistoryVersion {
        let Room { id, owner_id, last_seq, rev, created_at, .. } = self.room;
        HistoryVersion { id, created_at, owner_id, last_seq, rev, renamings: self.renamings }
    }

    /// Says what the person is to the room.
    #[must_use]
    pub fn membership(&self) -> Membership {
        match self.participant.as_ref().map_or(Membership::Stranger, |participant| participant.membership) {
            Membership::Stranger if self.is_invited => Membership::Invited,
            membership => membership,
        }
    }

    /// Lets a stranger know of the room, who has shown its link code.
    pub fn invite(&mut self) {
        self.is_invited = true;
    }

    /// Counts the messages that the person has not read; 0 for a stranger.
    #[must_use]
    pub fn unread(&self) -> i64 {
        match (&self.participant, self.membership()) {
            (Some(participant), Membership::Member(_)) => (self.room.last_seq - participant.read_seq).max(0),
            _ => 0,
        }
    }
}

/// Finds what people are to rooms, by a connection of its own.
pub struct Accesses(Kept);

impl ConferenceStore {
    /// Begins to find what people are to rooms.
    #[must_use]
    pub fn accesses(&self) -> Accesses {
        Accesses(self.database.kept())
    }
}

impl Accesses {
    pub(crate) fn connection(&mut self) -> &mut Kept {
        &mut self.0
    }

    /// Finds rooms and what a person is to each, in one statement. What is not in the answer is no room.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(
        &mut self,
        asked: &[(RoomId, UserId)],
    ) -> Result<HashMap<(RoomId, UserId), RoomAccess>, StoreError> {
        let pairs = object(asked.iter().map(|(room, user)| json!({ "room_id": room.get(), "user_id": user.get() })));
        let rows = self
            .0
            .read(
                concat!(
                    "SELECT CAST(i.key AS BIGINT) AS place, ",
                    room_columns!(),
                    ", ",
                    participant_columns!(),
                    ", r.renamings FROM json_each($1) AS i JOIN rooms r ON r.id = CAST(i.value ->> 'room_id' AS BIGINT) \
                     LEFT JOIN participants p ON p.room_id = r.id \
                     AND p.user_id = CAST(i.value ->> 'user_id' AS BIGINT)"
                ),
                values![pairs],
            )
            .await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let place = usize::try_from(row.get::<i64>("place")?).ok().and_then(|place| asked.get(place));
            let pair = place.ok_or_else(|| StoreError::corrupt("an answer to what nobody asked"))?;
            let participant = match row.get::<Option<i64>>("participant_id")? {
                Some(_) => Some(participant(row)?),
                None => None,
            };
            found.insert(
                *pair,
                RoomAccess { room: room(row)?, participant, renamings: row.get("renamings")?, is_invited: false },
            );
        }
        Ok(found)
    }
}
