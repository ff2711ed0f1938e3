//! Where people are: statuses, and the holds and deadlines that keep them.

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::participant::Participant;
use cloudmeet_core::permission::{self, Action, Denied, Membership};
use cloudmeet_core::presence::{Sign, Status};
use cloudmeet_core::time::Timestamp;

use super::people::{Identity, lock_participant, save};
use super::{ConferenceStore, rooms};
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

/// Is what a socket's word about its person did.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The person's row as it is now.
    pub participant: Participant,
    /// Whether others see a difference.
    pub changed: bool,
}

impl ConferenceStore {
    /// Notes that a socket follows a room, and sets where its person is: without a status what it
    /// is, `online` if the person was away. A closed room can be followed; nobody is present in it.
    ///
    /// # Errors
    /// [`Denied`], or the store's.
    pub async fn follow_room(
        &self,
        id: RoomId,
        who: &Identity,
        hold: Hold<'_>,
        status: Option<Status>,
    ) -> Result<Followed, Failure<Denied>> {
        self.set_presence(id, who, hold, status, Action::ReadMessages).await
    }

    /// Sets where a person is, by the word of a socket.
    ///
    /// # Errors
    /// [`Denied`], or the store's.
    pub async fn set_status(
        &self,
        id: RoomId,
        who: &Identity,
        hold: Hold<'_>,
        status: Status,
    ) -> Result<Followed, Failure<Denied>> {
        self.set_presence(id, who, hold, Some(status), Action::Speak).await
    }

    async fn set_presence(
        &self,
        id: RoomId,
        who: &Identity,
        hold: Hold<'_>,
        status: Option<Status>,
        action: Action,
    ) -> Result<Followed, Failure<Denied>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = rooms::lock(&mut tx, id).await?.ok_or(Failure::Refused(Denied::NoSuchRoom))?;
        let known = lock_participant(&mut tx, id, who.user_id).await?;
        let membership = known.as_ref().map_or(Membership::Stranger, |participant| participant.membership);
        permission::permit(action, who.actor(), &room, membership).map_err(Failure::Refused)?;
        let mut participant = known.ok_or(Failure::Refused(Denied::NotMember))?;
        if !room.is_active {
            return Ok(Followed { participant, changed: false });
        }
        let before = participant.clone();
        let takes_over = status == Some(Status::InCall);
        let status = status.unwrap_or(match before.presence.status {
            Status::Offline => Status::Online,
            present => present,
        });
        participant.presence = before.presence.set(status, Sign::Socket, now);
        participant.display_name.clone_from(&who.display_name);
        participant.call_socket = match status {
            Status::InCall if takes_over => Some(hold.socket_id.to_owned()),
            Status::InCall => before.call_socket.clone(),
            Status::Online | Status::Offline => None,
        };
        let renamed = participant.display_name != before.display_name;
        if renamed && participant.presence.version == before.presence.version {
            participant.presence.version += 1;
        }
        let changed = participant.presence.version != before.presence.version;
        tx.execute(
            "INSERT INTO holds (room_id, user_id, server_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            values![id.get(), who.user_id.get(), hold.server_id],
        )
        .await?;
        if participant != before {
            save(&mut tx, &participant).await?;
        }
        // A change of the inside socket shows to nobody, but other servers must tell the older one.
        if changed || participant.call_socket != before.call_socket {
            changes::note(&mut tx, &RoomChange::Person(id, who.user_id), now).await?;
        }
        tx.commit().await?;
        Ok(Followed { participant, changed })
    }

    /// Notes that a server has no socket of a person in a room any more. Gives the person's row if
    /// others see a difference now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release_hold(
        &self,
        id: RoomId,
        user_id: UserId,
        server_id: &str,
        end: HoldEnd,
    ) -> Result<Option<Participant>, StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let participant = lock_participant(&mut tx, id, user_id).await?;
        tx.execute(
            "DELETE FROM holds WHERE room_id = $1 AND user_id = $2 AND server_id = $3",
            values![id.get(), user_id.get(), server_id],
        )
        .await?;
        let held = is_held(&mut tx, id, user_id, now).await?;
        let mut changed = None;
        if let Some(mut participant) = participant.filter(|_| !held) {
            let before = participant.presence;
            let after = match end {
                HoldEnd::Closed => before.close(now),
                HoldEnd::Lapsed(last_sign) => before.lapse(last_sign),
            };
            participant.presence = if after.is_over(now, false) { after.end(now) } else { after };
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

    /// Ends the presences whose lease is over. Gives the rows that others see changed.
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
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.database.begin().await?;
        let mut ended = Vec::with_capacity(due.len());
        for row in due {
            let (id, user_id) = (rooms::room_id(&row, "room_id")?, super::people::user_id(&row, "user_id")?);
            // Looked at again under the lock: the person may have come back, or another server was faster.
            let Some(mut participant) = lock_participant(&mut tx, id, user_id).await? else { continue };
            let held = is_held(&mut tx, id, user_id, now).await?;
            if participant.presence.is_over(now, held) {
                participant.presence = participant.presence.end(now);
                participant.call_socket = None;
                save(&mut tx, &participant).await?;
                changes::note(&mut tx, &RoomChange::Person(id, user_id), now).await?;
                ended.push(participant);
            }
        }
        tx.commit().await?;
        Ok(ended)
    }
}

/// Ends everybody's presence in a room.
pub(super) async fn end_everybody(tx: &mut Tx, id: RoomId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE participants SET status = 'offline', version = version + 1, alive_until = NULL, closing = FALSE, \
         call_socket = NULL, leave_time = $2 WHERE room_id = $1 AND status <> 'offline'",
        values![id.get(), now.as_millis()],
    )
    .await?;
    tx.execute("DELETE FROM holds WHERE room_id = $1", values![id.get()]).await?;
    Ok(())
}

/// Forgets all servers' sockets of a person in a room.
pub(super) async fn drop_holds(tx: &mut Tx, id: RoomId, user_id: UserId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM holds WHERE room_id = $1 AND user_id = $2", values![id.get(), user_id.get()]).await?;
    Ok(())
}

/// Says whether a living server has a socket of a person in a room.
async fn is_held(tx: &mut Tx, id: RoomId, user_id: UserId, now: Timestamp) -> Result<bool, StoreError> {
    let row = tx
        .fetch_one(
            "SELECT s.id FROM holds h JOIN servers s ON s.id = h.server_id \
             WHERE h.room_id = $1 AND h.user_id = $2 AND s.ends_at > $3 LIMIT 1",
            values![id.get(), user_id.get(), now.as_millis()],
        )
        .await?;
    Ok(row.is_some())
}
