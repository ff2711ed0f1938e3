//! What rooms take in of accounts: deeds for the record, and that somebody is no more.

use cloudmeet_core::account::DELETED_NAME;
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::participant::Participant;
use cloudmeet_core::room::{Role, Room};

use super::people::{lock_participant, participant, save, select_participants};
use super::{ConferenceStore, meeting, presence, rooms};
use crate::changes::{self, RoomChange};
use crate::db::{Tx, locking};
use crate::error::StoreError;
use crate::letter::{AccountDeedTold, Content, Letter};
use crate::value::values;

impl ConferenceStore {
    /// Takes letters in, in their order. Done again, it changes nothing. Gives the keys of those that may be
    /// forgotten: those of a newer release stay.
    ///
    /// # Errors
    /// [`StoreError`]; letters before the one that failed were taken in.
    pub async fn take_in(&self, letters: &[Letter]) -> Result<Vec<String>, StoreError> {
        let mut taken = Vec::with_capacity(letters.len());
        for letter in letters {
            match letter.content()? {
                Some(Content::Deed(deed)) => self.record_told(&letter.key, &deed).await?,
                Some(Content::Erase(user_id)) => self.erase_person(user_id).await?,
                None => continue,
            }
            taken.push(letter.key.clone());
        }
        Ok(taken)
    }

    async fn record_told(&self, key: &str, deed: &AccountDeedTold) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        tx.execute(
            "INSERT INTO deeds (at, action, actor_id, actor_name, target_id, detail, result, address, request_id, told_as) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (told_as) DO NOTHING",
            values![
                deed.at,
                deed.action.as_str(),
                deed.actor_id,
                deed.actor_name.as_deref(),
                deed.target_id,
                deed.detail.as_deref(),
                deed.result.as_str(),
                deed.address.as_deref(),
                deed.request_id.as_deref(),
                key,
            ],
        )
        .await?;
        tx.commit().await
    }

    /// Forgets a person, room by room: what they said stays under a neutral name, their rooms go to their oldest
    /// moderator or are closed, everything else goes.
    async fn erase_person(&self, user_id: UserId) -> Result<(), StoreError> {
        let rows = self
            .database
            .read(
                "SELECT p.room_id FROM participants p WHERE p.user_id = $1 AND p.display_name <> $2 \
                 UNION SELECT r.id AS room_id FROM rooms r WHERE r.owner_id = $1 AND r.is_active = TRUE",
                values![user_id.get(), DELETED_NAME],
            )
            .await?;
        for row in rows {
            self.erase_from(rooms::room_id(&row, "room_id")?, user_id).await?;
        }
        let mut tx = self.database.begin().await?;
        tx.execute("DELETE FROM tickets WHERE user_id = $1", values![user_id.get()]).await?;
        tx.execute(
            "UPDATE deeds SET actor_name = $2, address = NULL WHERE actor_id = $1",
            values![user_id.get(), DELETED_NAME],
        )
        .await?;
        tx.commit().await
    }

    async fn erase_from(&self, id: RoomId, user_id: UserId) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let Some(room) = rooms::lock(&mut tx, id).await? else { return Ok(()) };
        // Whose a managed room is to be now, its manager will say.
        if room.owner_id == user_id && room.is_active && room.managed_by.is_none() {
            match heir(&mut tx, &room).await? {
                Some(heir) => drop(meeting::hand_on(&mut tx, &room, heir, None, now).await?),
                None => rooms::close(&mut tx, id, None, now).await?,
            }
        }
        if let Some(mut person) = lock_participant(&mut tx, id, user_id).await? {
            person.forget(now);
            save(&mut tx, &person).await?;
            // Only this takes back what somebody has read.
            tx.execute("UPDATE participants SET read_seq = 0 WHERE id = $1", values![person.id.get()]).await?;
            presence::drop_holds(&mut tx, id, user_id).await?;
            rooms::count_renaming(&mut tx, id).await?;
            changes::note(&mut tx, &RoomChange::Person(id, user_id), now).await?;
        }
        tx.commit().await
    }
}

/// Finds who is to own a locked room when its owner is no more: the moderator who came first.
async fn heir(tx: &mut Tx<'_>, room: &Room) -> Result<Option<Participant>, StoreError> {
    let row = tx
        .fetch_one(
            locking!(
                "p",
                select_participants!(
                    "WHERE p.room_id = $1 AND p.role = $2 AND p.is_member = TRUE AND p.user_id <> $3 ORDER BY p.id LIMIT 1"
                )
            ),
            values![room.id.get(), Role::Moderator.as_str(), room.owner_id.get()],
        )
        .await?;
    row.map(|row| participant(&row)).transpose()
}
