//! Where people are: statuses, and the holds and deadlines that keep them.

use cloudmeet_core::entry::{self, EntryError, Shown, Visitor};
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::participant::Participant;
use cloudmeet_core::permission::{self, Action, Actor, Denied, Membership};
use cloudmeet_core::presence::{Sign, Status};
use cloudmeet_core::room::Phase;
use cloudmeet_core::time::Timestamp;

use super::people::{lock_participant, save};
use super::{ConferenceStore, people, rooms};
use crate::changes::{self, RoomChange};
use crate::db::Tx;
use crate::error::{Failure, StoreError};
use crate::value::values;

/// How many presences one sweep ends at most; the next takes the rest.
const SWEEP_LIMIT: i64 = 500;

/// Names a socket and the server that holds it.
#[derive(Debug, Clone, Copy)]
pub struct Hold<'a> {
    /// The server.
    pub server_id: &'a str,
    /// The socket, unique over all servers.
    pub socket_id: &'a str,
}

/// Says how the last socket of a person in a room on one server ended.
#[derive(Debug, Clone, Copy)]
pub enum HoldEnd {
    /// By a Close frame or an `unsubscribe`: the grace begins.
    Closed,
    /// By silence, its last sign of life at this time.
    Lapsed(Timestamp),
}

impl ConferenceStore {
    /// Notes that a socket follows a room, and sets where its person is: without a status what it
    /// is, `online` if the person was away. A closed room can be followed; nobody is present in it.
    /// Gives the person's row as it is now.
    ///
    /// # Errors
    /// [`EntryError`], or the store's.
    pub async fn follow_room(
        &self,
        id: RoomId,
        actor: Actor,
        hold: Hold<'_>,
        status: Option<Status>,
    ) -> Result<Participant, Failure<EntryError>> {
        self.set_presence(id, actor, hold, status, Action::ReadMessages).await
    }

    /// Sets where a person is, by the word of a socket. Gives the person's row as it is now.
    ///
    /// # Errors
    /// [`EntryError`], or the store's.
    pub async fn set_status(
        &self,
        id: RoomId,
        actor: Actor,
        hold: Hold<'_>,
        status: Status,
    ) -> Result<Participant, Failure<EntryError>> {
        self.set_presence(id, actor, hold, Some(status), Action::Speak).await
    }

    async fn set_presence(
        &self,
        id: RoomId,
        actor: Actor,
        hold: Hold<'_>,
        status: Option<Status>,
        action: Action,
    ) -> Result<Participant, Failure<EntryError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let denied = |denied: Denied| Failure::Refused(denied.into());
        let room = rooms::lock(&mut tx, id).await?.ok_or_else(|| denied(Denied::NoSuchRoom))?;
        let known = lock_participant(&mut tx, id, actor.user_id).await?;
        let membership = known.as_ref().map_or(Membership::Stranger, |participant| participant.membership);
        permission::permit(action, actor, &room, membership, now).map_err(denied)?;
        let mut participant = known.ok_or_else(|| denied(Denied::NotMember))?;
        if matches!(room.phase(now), Phase::Deleted | Phase::Over) {
            return Ok(participant);
        }
        if status == Some(Status::InCall) && participant.presence.status != Status::InCall {
            let others = count_others(&mut tx, id, actor.user_id).await?;
            let visitor = Visitor { actor, membership, shown: Shown::Nothing, is_inside: false, others };
            entry::decide(&room, visitor, now).map_err(Failure::Refused)?;
        }
        let before = participant.clone();
        let takes_over = status == Some(Status::InCall);
        let status = status.unwrap_or(match before.presence.status {
            Status::Offline => Status::Online,
            present => present,
        });
        participant.arrive();
        participant.presence = before.presence.set(status, Sign::Socket, now);
        participant.call_socket = match status {
            Status::InCall if takes_over => Some(hold.socket_id.to_owned()),
            Status::InCall => before.call_socket.clone(),
            Status::Online | Status::Offline => None,
        };
        // That another socket is inside shows to nobody, but an older word must be known as older.
        let replaces = before.call_socket.is_some() && participant.call_socket != before.call_socket;
        if replaces && participant.presence.version == before.presence.version {
            participant.presence.version += 1;
        }
        tx.execute(
            "INSERT INTO holds (room_id, user_id, server_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            values![id.get(), actor.user_id.get(), hold.server_id],
        )
        .await?;
        if participant != before {
            save(&mut tx, &participant).await?;
        }
        if participant.presence.version != before.presence.version {
            changes::note(&mut tx, &RoomChange::Person(id, actor.user_id), now).await?;
        }
        tx.commit().await?;
        Ok(participant)
    }

    /// Notes once more that a server has a socket of a person in a room: others gave it up while it
    /// lived. Whoever was taken for gone is where that socket says; whoever is present stays as they
    /// are, and inside with the socket that is inside by now. Gives the person's row, `None` if they
    /// left, the room is closed, or `is_wanted`, asked under the person's lock, says that the socket
    /// is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_again(
        &self,
        id: RoomId,
        user_id: UserId,
        hold: Hold<'_>,
        status: Status,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Option<Participant>, StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = rooms::lock(&mut tx, id).await?;
        if room.is_none_or(|room| matches!(room.phase(now), Phase::Deleted | Phase::Over)) {
            return Ok(None);
        }
        let Some(mut participant) = lock_participant(&mut tx, id, user_id).await? else { return Ok(None) };
        if !participant.membership.is_member() || !is_wanted() {
            return Ok(None);
        }
        let before = participant.clone();
        let status = match before.presence.status {
            Status::Offline => status,
            present => present,
        };
        participant.presence = before.presence.set(status, Sign::Socket, now);
        if before.presence.status == Status::Offline && status == Status::InCall {
            participant.call_socket = Some(hold.socket_id.to_owned());
        }
        tx.execute(
            "INSERT INTO holds (room_id, user_id, server_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            values![id.get(), user_id.get(), hold.server_id],
        )
        .await?;
        if participant != before {
            save(&mut tx, &participant).await?;
        }
        if participant.presence.version != before.presence.version {
            changes::note(&mut tx, &RoomChange::Person(id, user_id), now).await?;
        }
        tx.commit().await?;
        Ok(Some(participant))
    }

    /// Notes that a server has no socket of a person in a room any more, unless `is_wanted` says that
    /// it has one again: asked under the person's lock, before which no new socket is noted. Gives
    /// the person's row if others see a difference now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release_hold(
        &self,
        id: RoomId,
        user_id: UserId,
        server_id: &str,
        end: HoldEnd,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Option<Participant>, StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let Some(mut participant) = lock_participant(&mut tx, id, user_id).await? else { return Ok(None) };
        if is_wanted() {
            return Ok(None);
        }
        let released = tx
            .execute(
                "DELETE FROM holds WHERE room_id = $1 AND user_id = $2 AND server_id = $3",
                values![id.get(), user_id.get(), server_id],
            )
            .await?;
        // Who let go first also said how.
        let mut changed = None;
        if released > 0 && !is_held(&mut tx, id, user_id, now).await? {
            let before = participant.presence;
            let after = match end {
                HoldEnd::Closed => before.close(now),
                HoldEnd::Lapsed(last_sign) => before.lapse(last_sign),
            };
            participant.presence = if after.is_over(now) { after.end(now) } else { after };
            participant.call_socket = None;
            save(&mut tx, &participant).await?;
            if participant.presence.version != before.version {
                changes::note(&mut tx, &RoomChange::Person(id, user_id), now).await?;
                changed = Some(participant);
            }
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// Gives the people and rooms of whom a server has noted that it has a socket.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holds(&self, server_id: &str) -> Result<Vec<(RoomId, UserId)>, StoreError> {
        let rows =
            self.database.read("SELECT room_id, user_id FROM holds WHERE server_id = $1", values![server_id]).await?;
        rows.iter().map(|row| Ok((rooms::room_id(row, "room_id")?, people::user_id(row, "user_id")?))).collect()
    }

    /// Prolongs a person's presence by a REST call, if it needs to be written at all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn touch(&self, participant: &Participant) -> Result<(), StoreError> {
        let Some(presence) = participant.presence.touch(self.now()) else { return Ok(()) };
        let mut tx = self.database.begin().await?;
        tx.execute(
            "UPDATE participants SET alive_until = $2 WHERE id = $1 AND status <> 'offline' AND closing = FALSE",
            values![participant.id.get(), presence.until.map(Timestamp::as_millis)],
        )
        .await?;
        tx.commit().await
    }

    /// Ends the presences whose lease is over, at most `SWEEP_LIMIT` at once. Gives the rows that
    /// others see changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_expired_presences(&self) -> Result<Vec<Participant>, StoreError> {
        let now = self.now();
        let due = self
            .database
            .read(
                "SELECT p.room_id, p.user_id FROM participants p \
                 WHERE p.status <> 'offline' AND (p.alive_until IS NULL OR p.alive_until <= $1) \
                 AND NOT EXISTS (SELECT 1 FROM holds h JOIN servers s ON s.id = h.server_id \
                 WHERE h.room_id = p.room_id AND h.user_id = p.user_id AND s.ends_at > $1) LIMIT $2",
                values![now.as_millis(), SWEEP_LIMIT],
            )
            .await?;
        let mut ended = Vec::with_capacity(due.len());
        for row in due {
            let (id, user_id) = (rooms::room_id(&row, "room_id")?, people::user_id(&row, "user_id")?);
            match self.end_if_expired(id, user_id, now).await {
                Ok(participant) => ended.extend(participant),
                // One that cannot be ended must not keep the others.
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a presence was not ended"),
            }
        }
        Ok(ended)
    }

    /// Ends one presence, looked at again under its lock: the person may have come back, or another
    /// server was faster. A transaction a person, for who locks one row waits for nobody in a circle.
    async fn end_if_expired(
        &self,
        id: RoomId,
        user_id: UserId,
        now: Timestamp,
    ) -> Result<Option<Participant>, StoreError> {
        let mut tx = self.database.begin().await?;
        let Some(mut participant) = lock_participant(&mut tx, id, user_id).await? else { return Ok(None) };
        if !participant.presence.is_over(now) || is_held(&mut tx, id, user_id, now).await? {
            return Ok(None);
        }
        participant.arrive();
        participant.presence = participant.presence.end(now);
        participant.call_socket = None;
        save(&mut tx, &participant).await?;
        // Those of dead servers. One that only seemed dead sees by this that it was given up.
        drop_holds(&mut tx, id, user_id).await?;
        changes::note(&mut tx, &RoomChange::Person(id, user_id), now).await?;
        tx.commit().await?;
        Ok(Some(participant))
    }
}

/// Counts who is present in a locked room, but for one person.
pub(super) async fn count_others(tx: &mut Tx<'_>, id: RoomId, user_id: UserId) -> Result<i64, StoreError> {
    let row = tx
        .fetch_one(
            "SELECT COUNT(*) AS others FROM participants WHERE room_id = $1 AND status <> 'offline' AND user_id <> $2",
            values![id.get(), user_id.get()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get("others"))
}

/// Counts who is present in a locked room.
pub(super) async fn count_present(tx: &mut Tx<'_>, id: RoomId) -> Result<i64, StoreError> {
    let count = "SELECT COUNT(*) AS present FROM participants WHERE room_id = $1 AND status <> 'offline'";
    tx.fetch_one(count, values![id.get()]).await?.map_or(Ok(0), |row| row.get("present"))
}

/// Ends everybody's presence in a room, and everybody's waiting.
pub(super) async fn end_everybody(tx: &mut Tx<'_>, id: RoomId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE participants SET version = version + 1, alive_until = NULL, closing = FALSE, call_socket = NULL, \
         leave_time = CASE WHEN status = 'offline' THEN leave_time ELSE $2 END, status = 'offline', \
         last_turn = CASE WHEN waiting_since IS NULL THEN last_turn ELSE 'denied' END, waiting_since = NULL, \
         audio = FALSE, video = FALSE, screen = FALSE, hand = FALSE, muted_by_host = FALSE \
         WHERE room_id = $1 AND (status <> 'offline' OR waiting_since IS NOT NULL OR muted_by_host = TRUE)",
        values![id.get(), now.as_millis()],
    )
    .await?;
    tx.execute("DELETE FROM holds WHERE room_id = $1", values![id.get()]).await?;
    Ok(())
}

/// Forgets all servers' sockets of a person in a room.
pub(super) async fn drop_holds(tx: &mut Tx<'_>, id: RoomId, user_id: UserId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM holds WHERE room_id = $1 AND user_id = $2", values![id.get(), user_id.get()]).await?;
    Ok(())
}

/// Says whether a living server has a socket of a person in a room.
async fn is_held(tx: &mut Tx<'_>, id: RoomId, user_id: UserId, now: Timestamp) -> Result<bool, StoreError> {
    let row = tx
        .fetch_one(
            "SELECT s.id FROM holds h JOIN servers s ON s.id = h.server_id \
             WHERE h.room_id = $1 AND h.user_id = $2 AND s.ends_at > $3 LIMIT 1",
            values![id.get(), user_id.get(), now.as_millis()],
        )
        .await?;
    Ok(row.is_some())
}
