//! Who belongs to a room: the rows of people, and reading along.

use cloudmeet_core::id::{ParticipantId, RoomId, UserId};
use cloudmeet_core::participant::{MediaState, Participant, Turn};
use cloudmeet_core::permission::Membership;
use cloudmeet_core::presence::{Presence, Status};
use cloudmeet_core::room::Role;
use cloudmeet_core::time::Timestamp;

use super::{ConferenceStore, rooms};
use crate::changes::{self, RoomChange};
use crate::db::{Tx, locking};
use crate::doer::Identity;
use crate::error::StoreError;
use crate::value::{Row, values};

/// The columns that [`participant`] reads, of `participants` under the name `p` and `rooms` as `r`.
macro_rules! participant_columns {
    () => {
        "p.id AS participant_id, p.room_id AS participant_room_id, p.user_id, p.display_name, p.role, p.is_member, \
         p.status, p.version, p.alive_until, p.closing, p.call_socket, p.join_time, p.leave_time, p.audio, p.video, \
         p.screen, p.hand, p.muted_by_host, p.read_seq, p.waiting_since, p.is_banned, p.last_turn, \
         r.owner_id AS room_owner_id"
    };
}
pub(super) use participant_columns;

/// Selects what [`participant`] reads; a condition on `p` follows.
macro_rules! select_participants {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            $crate::conference::people::participant_columns!(),
            " FROM participants p JOIN rooms r ON r.id = p.room_id ",
            $rest
        )
    };
}
pub(super) use select_participants;

/// The columns that [`membership`] reads, of `participants` under the name `m`.
macro_rules! membership_columns {
    () => {
        "m.role, m.is_member, m.waiting_since, m.is_banned"
    };
}
pub(super) use membership_columns;

impl ConferenceStore {
    /// Lists everybody who is not offline, in the order in which they first joined.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn present(&self, id: RoomId) -> Result<Vec<Participant>, StoreError> {
        let rows = self
            .database
            .read(
                select_participants!("WHERE p.room_id = $1 AND p.status <> 'offline' ORDER BY p.id"),
                values![id.get()],
            )
            .await?;
        rows.iter().map(participant).collect()
    }

    /// Counts everybody who is not offline.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_present(&self, id: RoomId) -> Result<i64, StoreError> {
        let count = "SELECT COUNT(*) AS present FROM participants WHERE room_id = $1 AND status <> 'offline'";
        let row = self.database.read_one(count, values![id.get()]).await?;
        row.map_or(Ok(0), |row| row.get("present"))
    }

    /// Finds a person's row in a room. `None` if they never joined.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn participant(&self, id: RoomId, user_id: UserId) -> Result<Option<Participant>, StoreError> {
        let row = self
            .database
            .read_one(select_participants!("WHERE p.room_id = $1 AND p.user_id = $2"), values![id.get(), user_id.get()])
            .await?;
        row.map(|row| participant(&row)).transpose()
    }

    /// Takes note that a member has read up to a message. It never goes back, nor past the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_read(&self, id: RoomId, user_id: UserId, seq: i64) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        tx.execute(
            "UPDATE participants SET read_seq = CASE WHEN $3 > r.last_seq THEN r.last_seq ELSE $3 END FROM rooms AS r \
             WHERE r.id = $1 AND participants.room_id = $1 AND participants.user_id = $2 \
             AND participants.is_member = TRUE AND participants.read_seq < $3",
            values![id.get(), user_id.get(), seq],
        )
        .await?;
        tx.commit().await
    }

    /// Writes a person's new name into every room they were in, one after the other. Done again, it
    /// does what was left.
    ///
    /// # Errors
    /// [`StoreError`]; some rooms may have the new name already.
    pub async fn rename_person(&self, user_id: UserId, name: &str) -> Result<(), StoreError> {
        let rows = self
            .database
            .read(
                "SELECT room_id FROM participants WHERE user_id = $1 AND display_name <> $2",
                values![user_id.get(), name],
            )
            .await?;
        for row in rows {
            let id = rooms::room_id(&row, "room_id")?;
            let mut tx = self.database.begin().await?;
            rooms::lock(&mut tx, id).await?;
            let renamed = tx
                .execute(
                    "UPDATE participants SET display_name = $3, version = version + 1, last_turn = NULL \
                     WHERE room_id = $1 AND user_id = $2 AND display_name <> $3",
                    values![id.get(), user_id.get(), name],
                )
                .await?;
            if renamed > 0 {
                rooms::count_renaming(&mut tx, id).await?;
                changes::note(&mut tx, &RoomChange::Person(id, user_id), self.now()).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Inserts a person's row: of somebody who was never there, and belongs to the room only once it is saved.
pub(super) async fn add_person(
    tx: &mut Tx<'_>,
    id: RoomId,
    who: &Identity,
    role: Role,
    read_seq: i64,
    now: Timestamp,
) -> Result<Participant, StoreError> {
    let row = tx
        .fetch_one(
            "INSERT INTO participants (room_id, user_id, display_name, role, is_member, status, version, closing, \
             join_time, audio, video, screen, hand, muted_by_host, read_seq) \
             VALUES ($1, $2, $3, $4, $5, 'offline', 0, FALSE, $6, FALSE, FALSE, FALSE, FALSE, FALSE, $7) RETURNING id",
            values![
                id.get(),
                who.user_id.get(),
                who.display_name.as_str(),
                role.as_str(),
                role == Role::Owner,
                now.as_millis(),
                read_seq
            ],
        )
        .await?
        .ok_or_else(|| StoreError::corrupt("an insert that returns nothing"))?;
    Ok(Participant {
        id: participant_id(&row, "id")?,
        room_id: id,
        user_id: who.user_id,
        display_name: who.display_name.clone(),
        is_owner: role == Role::Owner,
        membership: if role == Role::Owner { Membership::Member(role) } else { Membership::Stranger },
        presence: Presence::absent(now),
        media: MediaState::default(),
        read_seq,
        call_socket: None,
        waiting_since: None,
        last_turn: None,
    })
}

/// Locks a person's row in a room. `None` if there is none.
pub(super) async fn lock_participant(
    tx: &mut Tx<'_>,
    id: RoomId,
    user_id: UserId,
) -> Result<Option<Participant>, StoreError> {
    let row = tx
        .fetch_one(
            locking!("p", select_participants!("WHERE p.room_id = $1 AND p.user_id = $2")),
            values![id.get(), user_id.get()],
        )
        .await?;
    row.map(|row| participant(&row)).transpose()
}

/// Says whether a person belongs to a room, inside a transaction.
pub(super) async fn membership_of(tx: &mut Tx<'_>, id: RoomId, user_id: UserId) -> Result<Membership, StoreError> {
    let row = tx
        .fetch_one(
            concat!("SELECT ", membership_columns!(), " FROM participants m WHERE m.room_id = $1 AND m.user_id = $2"),
            values![id.get(), user_id.get()],
        )
        .await?;
    row.map_or(Ok(Membership::Stranger), |row| membership(&row))
}

/// Writes a person's row back as it is now.
pub(super) async fn save(tx: &mut Tx<'_>, participant: &Participant) -> Result<(), StoreError> {
    let Participant { presence, media, membership, .. } = *participant;
    tx.execute(
        "UPDATE participants SET display_name = $2, role = $3, is_member = $4, status = $5, version = $6, \
         alive_until = $7, closing = $8, call_socket = $9, join_time = $10, leave_time = $11, audio = $12, \
         video = $13, screen = $14, hand = $15, muted_by_host = $16, waiting_since = $17, is_banned = $18, \
         last_turn = $19 WHERE id = $1",
        values![
            participant.id.get(),
            participant.display_name.as_str(),
            participant.role().as_str(),
            membership.is_member(),
            presence.status.as_str(),
            presence.version,
            presence.until.map(Timestamp::as_millis),
            presence.closing,
            participant.call_socket.as_deref(),
            presence.began_at.as_millis(),
            presence.ended_at.map(Timestamp::as_millis),
            media.audio,
            media.video,
            media.screen,
            media.hand,
            media.muted_by_host,
            participant.waiting_since.map(Timestamp::as_millis),
            membership == Membership::Banned,
            participant.last_turn.map(Turn::as_str),
        ],
    )
    .await?;
    Ok(())
}

/// Reads a participant from a row of [`participant_columns`].
pub(super) fn participant(row: &Row) -> Result<Participant, StoreError> {
    let status: String = row.get("status")?;
    let user_id = user_id(row, "user_id")?;
    Ok(Participant {
        id: participant_id(row, "participant_id")?,
        room_id: rooms::room_id(row, "participant_room_id")?,
        user_id,
        display_name: row.get("display_name")?,
        is_owner: row.get::<i64>("room_owner_id")? == user_id.get(),
        membership: membership(row)?,
        presence: Presence {
            status: Status::parse(&status).ok_or_else(|| StoreError::corrupt(status))?,
            version: row.get("version")?,
            until: row.get::<Option<i64>>("alive_until")?.map(Timestamp::from_millis),
            closing: row.get("closing")?,
            began_at: Timestamp::from_millis(row.get("join_time")?),
            ended_at: row.get::<Option<i64>>("leave_time")?.map(Timestamp::from_millis),
        },
        media: MediaState {
            audio: row.get("audio")?,
            video: row.get("video")?,
            screen: row.get("screen")?,
            hand: row.get("hand")?,
            muted_by_host: row.get("muted_by_host")?,
        },
        read_seq: row.get("read_seq")?,
        call_socket: row.get("call_socket")?,
        waiting_since: row.get::<Option<i64>>("waiting_since")?.map(Timestamp::from_millis),
        last_turn: row.get::<Option<String>>("last_turn")?.as_deref().and_then(Turn::parse),
    })
}

/// Puts a membership together from its columns, null where there is no row.
pub(super) fn membership(row: &Row) -> Result<Membership, StoreError> {
    let Some(is_member) = row.get::<Option<bool>>("is_member")? else { return Ok(Membership::Stranger) };
    // First: an earlier release lets anybody join again, and knows of no bans.
    if row.get("is_banned")? {
        return Ok(Membership::Banned);
    }
    if is_member {
        let role: String = row.get("role")?;
        return Role::parse(&role).map(Membership::Member).ok_or_else(|| StoreError::corrupt(role));
    }
    Ok(if row.get::<Option<i64>>("waiting_since")?.is_some() { Membership::Waiting } else { Membership::Stranger })
}

pub(super) fn user_id(row: &Row, column: &str) -> Result<UserId, StoreError> {
    UserId::new(row.get(column)?).ok_or_else(|| StoreError::corrupt("a user id that is not positive"))
}

fn participant_id(row: &Row, column: &str) -> Result<ParticipantId, StoreError> {
    ParticipantId::new(row.get(column)?).ok_or_else(|| StoreError::corrupt("a participant id that is not positive"))
}
