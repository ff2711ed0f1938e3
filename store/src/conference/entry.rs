//! Coming in and leaving: the door, and the lobby before it.

use cloudmeet_core::entry::{self, Entry, EntryError, Shown, Visitor};
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::participant::{Participant, Turn};
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::permission::{self, Action, Membership};
use cloudmeet_core::presence::{LEASE, Status};
use cloudmeet_core::room::{LinkCode, Role, Room, Visibility};
use cloudmeet_core::time::Timestamp;

use super::people::{add_person, lock_participant, participant, save, select_participants, user_id};
use super::{ConferenceStore, presence, rooms};
use crate::changes::{self, RoomChange};
use crate::db::Tx;
use crate::doer::Identity;
use crate::error::{Failure, StoreError};
use crate::value::values;

/// Is what somebody showed at the door, as far as it was looked at before the room was locked.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// The hash that the shown password belongs to; `Some(None)` when it belongs to none.
    pub password: Option<Option<PasswordHash>>,
    /// The shown link code.
    pub code: Option<LinkCode>,
}

/// Is what lets people into a room.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Its password's hash.
    pub password: Option<PasswordHash>,
    /// Its link code.
    pub code: Option<LinkCode>,
}

/// Is what a join did.
#[derive(Debug, Clone)]
pub struct JoinOutcome {
    /// The person's row as it is now.
    pub participant: Participant,
    /// Whether others see a difference.
    pub changed: bool,
    /// Where among those who wait the person stands, from 1; `None` for who is inside.
    pub position: Option<i64>,
}

/// Says why somebody did not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeaveError {
    /// There is no such room for this person.
    #[error("there is no such room")]
    NoSuchRoom,
    /// The person does not belong to the room, or left it before.
    #[error("you are not in this room")]
    NotInRoom,
}

impl ConferenceStore {
    /// Makes a person a member who is inside, or lets them wait in the lobby. Without effect on one who is.
    ///
    /// # Errors
    /// [`EntryError`], or the store's.
    pub async fn join(&self, id: RoomId, who: &Identity, proof: &Proof) -> Result<JoinOutcome, Failure<EntryError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let no_such_room = || Failure::Refused(permission::Denied::NoSuchRoom.into());
        let room = rooms::lock(&mut tx, id).await?.ok_or_else(no_such_room)?;
        let known = lock_participant(&mut tx, id, who.user_id).await?;
        let membership = known.as_ref().map_or(Membership::Stranger, |participant| participant.membership);
        let visitor = Visitor {
            actor: who.actor(),
            membership,
            shown: shown(&mut tx, &room, membership, proof).await?,
            is_inside: known.as_ref().is_some_and(|participant| participant.presence.status == Status::InCall),
            others: presence::count_others(&mut tx, id, who.user_id).await?,
        };
        let entry = entry::decide(&room, visitor, now).map_err(Failure::Refused)?;
        let (mut person, is_new) = match known {
            Some(person) => (person, false),
            None => (add_person(&mut tx, id, who, Role::Participant, room.last_seq, now).await?, true),
        };
        let before = person.clone();
        if person.display_name != who.display_name {
            person.display_name.clone_from(&who.display_name);
            rooms::count_renaming(&mut tx, id).await?;
        }
        match entry {
            Entry::Inside => person.come_in(now),
            Entry::Lobby => person.wait(last_place(&mut tx, id, now).await?, now),
        }
        let shows = |one: &Participant| (one.membership, one.presence.status, one.display_name.clone());
        let changed = is_new || shows(&person) != shows(&before);
        if changed && person.presence.version == before.presence.version {
            person.presence.version += 1;
        }
        save(&mut tx, &person).await?;
        if changed {
            rooms::touch(&mut tx, id, now).await?;
            changes::note(&mut tx, &RoomChange::Person(id, who.user_id), now).await?;
        }
        let position = match person.waiting_since {
            Some(since) => Some(count_waiting(&mut tx, id, since).await?),
            None => None,
        };
        tx.commit().await?;
        Ok(JoinOutcome { participant: person, changed, position })
    }

    /// Ends a person's membership and presence, or their waiting.
    ///
    /// # Errors
    /// [`LeaveError`], or the store's.
    pub async fn leave(&self, id: RoomId, who: &Identity) -> Result<Participant, Failure<LeaveError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = rooms::lock(&mut tx, id).await?.ok_or(Failure::Refused(LeaveError::NoSuchRoom))?;
        let known = lock_participant(&mut tx, id, who.user_id).await?;
        let membership = known.as_ref().map_or(Membership::Stranger, |participant| participant.membership);
        permission::permit(Action::Leave, who.actor(), &room, membership, now).map_err(|denied| {
            let is_unknown = denied == permission::Denied::NoSuchRoom;
            Failure::Refused(if is_unknown { LeaveError::NoSuchRoom } else { LeaveError::NotInRoom })
        })?;
        let mut person = known.ok_or(Failure::Refused(LeaveError::NotInRoom))?;
        let before = person.presence.version;
        let waited = membership == Membership::Waiting;
        person.part(if waited { Turn::Withdrew } else { Turn::Left }, now);
        if person.presence.version == before {
            person.presence.version += 1;
        }
        save(&mut tx, &person).await?;
        presence::drop_holds(&mut tx, id, who.user_id).await?;
        rooms::touch(&mut tx, id, now).await?;
        changes::note(&mut tx, &RoomChange::Person(id, who.user_id), now).await?;
        tx.commit().await?;
        Ok(person)
    }

    /// Reads what lets people into a room.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn secrets(&self, id: RoomId) -> Result<Secrets, StoreError> {
        let row = self
            .database
            .read_one("SELECT password_hash, link_code FROM rooms WHERE id = $1", values![id.get()])
            .await?;
        let Some(row) = row else { return Ok(Secrets { password: None, code: None }) };
        Ok(Secrets {
            password: row.get::<Option<String>>("password_hash")?.map(PasswordHash::from_stored),
            code: row.get::<Option<String>>("link_code")?.map(LinkCode::new),
        })
    }

    /// Lists who waits in a room's lobby, first come first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&self, id: RoomId) -> Result<Vec<Participant>, StoreError> {
        let rows = self
            .database
            .read(
                select_participants!(
                    "WHERE p.room_id = $1 AND p.waiting_since IS NOT NULL AND p.is_member = FALSE \
                     ORDER BY p.waiting_since, p.id"
                ),
                values![id.get()],
            )
            .await?;
        rows.iter().map(participant).collect()
    }

    /// Lists everybody who waits in any lobby.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_waiting(&self) -> Result<Vec<Participant>, StoreError> {
        let rows = self
            .database
            .read(select_participants!("WHERE p.waiting_since IS NOT NULL AND p.is_member = FALSE"), vec![])
            .await?;
        rows.iter().map(participant).collect()
    }

    /// Keeps the places in lobbies of people who have a socket.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prolong_waiting(&self, people: &[(RoomId, UserId)]) -> Result<(), StoreError> {
        for (room_id, user_id) in people {
            // A transaction a person: who locks one row waits for nobody in a circle.
            let mut tx = self.database.begin().await?;
            tx.execute(
                "UPDATE participants SET alive_until = $3 \
                 WHERE room_id = $1 AND user_id = $2 AND waiting_since IS NOT NULL AND is_member = FALSE",
                values![room_id.get(), user_id.get(), self.now().plus(LEASE).as_millis()],
            )
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Ends the waiting of people who gave no sign of life for [`LEASE`]. Gives their rows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_lapsed_waiting(&self) -> Result<Vec<Participant>, StoreError> {
        let now = self.now();
        let due = self
            .database
            .read(
                "SELECT room_id, user_id FROM participants \
                 WHERE waiting_since IS NOT NULL AND is_member = FALSE AND (alive_until IS NULL OR alive_until <= $1) \
                 LIMIT 500",
                values![now.as_millis()],
            )
            .await?;
        let mut ended = Vec::with_capacity(due.len());
        for row in due {
            let (id, who) = (rooms::room_id(&row, "room_id")?, user_id(&row, "user_id")?);
            match self.end_waiting(id, who, now).await {
                Ok(person) => ended.extend(person),
                // One that cannot be ended must not keep the others.
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a waiting was not ended"),
            }
        }
        Ok(ended)
    }

    /// Ends one person's waiting, looked at again under its lock.
    async fn end_waiting(&self, id: RoomId, who: UserId, now: Timestamp) -> Result<Option<Participant>, StoreError> {
        let mut tx = self.database.begin().await?;
        let Some(mut person) = lock_participant(&mut tx, id, who).await? else { return Ok(None) };
        let is_over = person.presence.until.is_none_or(|until| until <= now);
        if person.membership != Membership::Waiting || !is_over {
            return Ok(None);
        }
        person.part(Turn::Withdrew, now);
        person.presence.version += 1;
        save(&mut tx, &person).await?;
        changes::note(&mut tx, &RoomChange::Person(id, who), now).await?;
        tx.commit().await?;
        Ok(Some(person))
    }
}

/// Is the last place in a room's lobby: servers agree on the time but to some milliseconds, and on who came first
/// in any case.
async fn last_place(tx: &mut Tx<'_>, id: RoomId, now: Timestamp) -> Result<Timestamp, StoreError> {
    let row = tx
        .fetch_one("SELECT MAX(waiting_since) AS last FROM participants WHERE room_id = $1", values![id.get()])
        .await?;
    let last = row.map_or(Ok(None), |row| row.get::<Option<i64>>("last"))?;
    Ok(last.map_or(now, |last| now.max(Timestamp::from_millis(last + 1))))
}

/// Looks at what was shown, under the room's lock: the password may be another by now.
async fn shown(tx: &mut Tx<'_>, room: &Room, membership: Membership, proof: &Proof) -> Result<Shown, StoreError> {
    if room.visibility == Visibility::Public || membership.is_member() {
        return Ok(Shown::Nothing);
    }
    let row = tx
        .fetch_one("SELECT password_hash, link_code FROM rooms WHERE id = $1", values![room.id.get()])
        .await?
        .ok_or_else(|| StoreError::corrupt("a locked room that is not there"))?;
    let (is_shown, is_right) = match room.visibility {
        Visibility::Public => (false, false),
        Visibility::Private => {
            let code = row.get::<Option<String>>("link_code")?.map(LinkCode::new);
            (proof.code.is_some(), code.is_some() && proof.code == code)
        }
        Visibility::Password => {
            let hash = row.get::<Option<String>>("password_hash")?.map(PasswordHash::from_stored);
            (proof.password.is_some(), hash.is_some() && proof.password == Some(hash))
        }
    };
    Ok(match (is_shown, is_right) {
        (false, _) => Shown::Nothing,
        (true, false) => Shown::Wrong,
        (true, true) => Shown::Right,
    })
}

/// Counts those who have waited as long as `since`, or longer.
async fn count_waiting(tx: &mut Tx<'_>, id: RoomId, since: Timestamp) -> Result<i64, StoreError> {
    let row = tx
        .fetch_one(
            "SELECT COUNT(*) AS ahead FROM participants WHERE room_id = $1 AND waiting_since <= $2",
            values![id.get(), since.as_millis()],
        )
        .await?;
    row.map_or(Ok(1), |row| row.get("ahead"))
}
