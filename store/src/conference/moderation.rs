//! What hosts do to people: letting in, turning away, muting, removing, giving a role.

use cloudmeet_core::entry;
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::moderation::{Moderation, ModerationError};
use cloudmeet_core::participant::Participant;
use cloudmeet_core::permission::{Action, Denied};
use cloudmeet_core::presence::Status;
use cloudmeet_core::time::Timestamp;

use super::deeds::{self, Doing};
use super::people::{lock_participant, participant, save, select_participants};
use super::{ConferenceStore, presence, rooms};
use crate::changes::{self, RoomChange};
use crate::db::{Tx, locking};
use crate::doer::Doer;
use crate::error::{Failure, StoreError};
use crate::value::values;

/// Says why nothing was done to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModerateError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It cannot be done to who it was meant for.
    #[error(transparent)]
    Moderation(#[from] ModerationError),
    /// The room takes nobody more.
    #[error("the room is full")]
    RoomFull,
}

/// Is what was done to somebody.
#[derive(Debug, Clone)]
pub struct Moderated {
    /// The person's row as it is now.
    pub participant: Participant,
    /// Whether it is another than before.
    pub changed: bool,
}

/// Is what the admission of everybody did.
#[derive(Debug, Clone)]
pub struct AllAdmitted {
    /// Who came in.
    pub admitted: Vec<Participant>,
    /// How many wait on, for the room is full.
    pub waiting: i64,
}

impl ConferenceStore {
    /// Does something to a person in a room, if the actor may.
    ///
    /// # Errors
    /// [`ModerateError`], or the store's.
    pub async fn moderate(
        &self,
        id: RoomId,
        doer: &Doer,
        target: UserId,
        moderation: Moderation,
    ) -> Result<Moderated, Failure<ModerateError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = rooms::authorise(&mut tx, id, doer.actor(), moderation.action(target), now)
            .await
            .map_err(Failure::widen)?;
        let known = lock_participant(&mut tx, id, target).await?;
        let before = known.ok_or(Failure::Refused(ModerationError::NotInRoom.into()))?;
        if room.managed_by.is_some() && moderation.unseats(&before) {
            return Err(Failure::Refused(Denied::Managed.into()));
        }
        let after = moderation.apply(&before, now).map_err(|error| Failure::Refused(error.into()))?;
        if after == before {
            return Ok(Moderated { participant: after, changed: false });
        }
        if moderation == Moderation::Admit {
            // Whoever waits is not present.
            let present = presence::count_present(&mut tx, id).await?;
            entry::seat(&room, target, present).map_err(|_| Failure::Refused(ModerateError::RoomFull))?;
        }
        store(&mut tx, &after, now).await?;
        let doing = Doing { action: moderation.action(target).rule().action, target: Some(target), detail: None };
        deeds::note(&mut tx, id, Some(doer), &doing, now).await?;
        tx.commit().await?;
        Ok(Moderated { participant: after, changed: true })
    }

    /// Lets everybody in who waits, first come first, as far as there is room, if the actor may.
    ///
    /// # Errors
    /// [`ModerateError`], or the store's.
    pub async fn admit_all(&self, id: RoomId, doer: &Doer) -> Result<AllAdmitted, Failure<ModerateError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = rooms::authorise(&mut tx, id, doer.actor(), Action::AdmitAll, now).await.map_err(Failure::widen)?;
        let rows = tx
            .fetch(
                locking!(
                    "p",
                    select_participants!(
                        "WHERE p.room_id = $1 AND p.waiting_since IS NOT NULL AND p.is_member = FALSE \
                     ORDER BY p.waiting_since, p.id"
                    )
                ),
                values![id.get()],
            )
            .await?;
        let waiting = rows.iter().map(participant).collect::<Result<Vec<_>, _>>()?;
        let mut present = presence::count_present(&mut tx, id).await?;
        let mut admitted = Vec::new();
        for person in &waiting {
            if entry::seat(&room, person.user_id, present).is_err() {
                break;
            }
            present += 1;
            let inside = Moderation::Admit.apply(person, now).map_err(|error| Failure::Refused(error.into()))?;
            store(&mut tx, &inside, now).await?;
            let doing = Doing { action: Action::AdmitAll.rule().action, target: Some(inside.user_id), detail: None };
            deeds::note(&mut tx, id, Some(doer), &doing, now).await?;
            admitted.push(inside);
        }
        tx.commit().await?;
        let left = i64::try_from(waiting.len() - admitted.len()).unwrap_or(i64::MAX);
        Ok(AllAdmitted { admitted, waiting: left })
    }

    /// Lists people of a room whom nobody may find among those present: its members, or who was banned.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people(&self, id: RoomId, which: People) -> Result<Vec<Participant>, StoreError> {
        let members = select_participants!("WHERE p.room_id = $1 AND p.is_member = TRUE ORDER BY p.id LIMIT $2");
        let banned = select_participants!("WHERE p.room_id = $1 AND p.is_banned = TRUE ORDER BY p.id LIMIT $2");
        let sql = match which {
            People::Members => members,
            People::Banned => banned,
        };
        self.database.read(sql, values![id.get(), MOST_PEOPLE]).await?.iter().map(participant).collect()
    }
}

/// How many people one list holds at most.
const MOST_PEOPLE: i64 = 2000;

/// Says which people of a room to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum People {
    /// Its members.
    Members,
    /// Who was banned.
    Banned,
}

/// Writes a person's row, with what follows from it.
async fn store(tx: &mut Tx<'_>, person: &Participant, now: Timestamp) -> Result<(), StoreError> {
    let Participant { room_id, user_id, .. } = *person;
    save(tx, person).await?;
    if person.presence.status == Status::Offline && !person.membership.is_member() {
        presence::drop_holds(tx, room_id, user_id).await?;
    }
    rooms::touch(tx, room_id, now).await?;
    changes::note(tx, &RoomChange::Person(room_id, user_id), now).await
}
