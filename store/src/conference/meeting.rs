//! A room's owner, its link, and the end of its meetings.

use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::moderation::{self, ModerationError};
use cloudmeet_core::participant::Participant;
use cloudmeet_core::permission::{Action, Denied};
use cloudmeet_core::room::{CLOSING_NOTICE, LinkCode, Phase, Room, Visibility};
use cloudmeet_core::time::Timestamp;

use super::deeds::{self, Doing};
use super::people::{lock_participant, save};
use super::{ConferenceStore, presence, rooms};
use crate::changes::{self, RoomChange};
use crate::db::Tx;
use crate::doer::Doer;
use crate::error::{Failure, StoreError};
use crate::value::values;

/// How many rooms one look ends at most; the next takes the rest.
const ENDED_AT_ONCE: usize = 200;

/// Is what a look for meetings whose time is over has done.
#[derive(Debug)]
pub struct OverMeetings {
    /// The rooms whose meetings it ended.
    pub ended: Vec<Room>,
    /// Whether none is left to end: there were not too many, and none failed.
    pub is_complete: bool,
}

/// Says why a room was not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandOnError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The new owner is no member.
    #[error(transparent)]
    NotInRoom(#[from] ModerationError),
}

/// Says why there is no link code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkCodeError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Only private rooms have one.
    #[error("only private rooms have a link code")]
    NotPrivate,
}

impl ConferenceStore {
    /// Ends the meeting in a room for everybody, if the actor may: nobody is present any more, members stay
    /// members.
    ///
    /// # Errors
    /// [`Denied`], or the store's.
    pub async fn end_meeting(&self, id: RoomId, doer: &Doer) -> Result<Room, Failure<Denied>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room = rooms::authorise(&mut tx, id, doer.actor(), Action::EndMeeting, now).await?;
        let room = end(&mut tx, room, Some(doer), now).await?;
        tx.commit().await?;
        Ok(room)
    }

    /// Ends the meetings whose time is over while somebody is still there: those whose end lies after
    /// `since`, or all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_over_meetings(&self, since: Option<Timestamp>) -> Result<OverMeetings, StoreError> {
        let now = self.now();
        let due = self
            .database
            .read(
                "SELECT r.id FROM rooms r WHERE r.closes_at IS NOT NULL AND r.closes_at <= $1 AND r.closes_at > $3 \
                 AND r.is_active = TRUE \
                 AND (EXISTS (SELECT 1 FROM participants p WHERE p.room_id = r.id AND p.status <> 'offline') \
                 OR EXISTS (SELECT 1 FROM participants p WHERE p.room_id = r.id AND p.waiting_since IS NOT NULL AND p.is_member = FALSE)) LIMIT $2",
                values![now.as_millis(), i64::try_from(ENDED_AT_ONCE).unwrap_or(i64::MAX), since.map_or(i64::MIN, Timestamp::as_millis)],
            )
            .await?;
        let mut over = OverMeetings { ended: Vec::with_capacity(due.len()), is_complete: due.len() < ENDED_AT_ONCE };
        for row in due {
            let id = rooms::room_id(&row, "id")?;
            match self.end_if_over(id, now).await {
                Ok(room) => over.ended.extend(room),
                // One that cannot be ended must not keep the others.
                Err(error) => {
                    over.is_complete = false;
                    tracing::error!(error = &error as &dyn std::error::Error, "a meeting was not ended");
                }
            }
        }
        Ok(over)
    }

    /// Ends one meeting, looked at again under the room's lock: another server may have been faster, or the end
    /// been put off.
    async fn end_if_over(&self, id: RoomId, now: Timestamp) -> Result<Option<Room>, StoreError> {
        let mut tx = self.database.begin().await?;
        let room = rooms::lock(&mut tx, id).await?.filter(|room| room.phase(now) == Phase::Over);
        let Some(room) = room else { return Ok(None) };
        let somebody = "SELECT id FROM participants WHERE room_id = $1 \
                        AND (status <> 'offline' OR (waiting_since IS NOT NULL AND is_member = FALSE)) LIMIT 1";
        if tx.fetch_one(somebody, values![id.get()]).await?.is_none() {
            return Ok(None);
        }
        let room = end(&mut tx, room, None, now).await?;
        tx.commit().await?;
        Ok(Some(room))
    }

    /// Gives the rooms that end within [`CLOSING_NOTICE`], and when.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn closing_rooms(&self) -> Result<Vec<(RoomId, Timestamp)>, StoreError> {
        let now = self.now();
        let rows = self
            .database
            .read(
                "SELECT id, closes_at FROM rooms \
                 WHERE closes_at IS NOT NULL AND closes_at > $1 AND closes_at <= $2 AND is_active = TRUE",
                values![now.as_millis(), now.plus(CLOSING_NOTICE).as_millis()],
            )
            .await?;
        rows.iter().map(|row| Ok((rooms::room_id(row, "id")?, Timestamp::from_millis(row.get("closes_at")?)))).collect()
    }

    /// Gives a room another owner, a member, if the actor may. The one before becomes a moderator. Gives the
    /// room and the rows of both; none when nothing changed.
    ///
    /// # Errors
    /// [`HandOnError`], or the store's.
    pub async fn hand_on(
        &self,
        id: RoomId,
        doer: &Doer,
        to: UserId,
    ) -> Result<(Room, Vec<Participant>), Failure<HandOnError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let mut room =
            rooms::authorise(&mut tx, id, doer.actor(), Action::HandOn, now).await.map_err(Failure::widen)?;
        if room.owner_id == to {
            return Ok((room, Vec::new()));
        }
        let heir = lock_participant(&mut tx, id, to).await?.filter(|person| person.membership.is_member());
        let heir = heir.ok_or(Failure::Refused(ModerationError::NotInRoom.into()))?;
        let people = hand_on(&mut tx, &room, heir, Some(doer), now).await?;
        tx.commit().await?;
        (room.owner_id, room.last_activity_at) = (to, now);
        Ok((room, people))
    }

    /// Gives a private room a new link code, if the actor may: from now on the old one lets nobody in.
    ///
    /// # Errors
    /// [`LinkCodeError`], or the store's.
    pub async fn renew_link_code(
        &self,
        id: RoomId,
        doer: &Doer,
        code: &LinkCode,
    ) -> Result<Room, Failure<LinkCodeError>> {
        let now = self.now();
        let mut tx = self.database.begin().await?;
        let room =
            rooms::authorise(&mut tx, id, doer.actor(), Action::RenewLinkCode, now).await.map_err(Failure::widen)?;
        if room.visibility != Visibility::Private {
            return Err(Failure::Refused(LinkCodeError::NotPrivate));
        }
        tx.execute("UPDATE rooms SET link_code = $2 WHERE id = $1", values![id.get(), code.reveal()]).await?;
        let doing = Doing { action: Action::RenewLinkCode.rule().action, ..Doing::default() };
        deeds::note(&mut tx, id, Some(doer), &doing, now).await?;
        tx.commit().await?;
        Ok(room)
    }
}

/// Gives a locked room another owner, a member whose row is locked too. Gives the rows of both.
pub(super) async fn hand_on(
    tx: &mut Tx<'_>,
    room: &Room,
    mut heir: Participant,
    doer: Option<&Doer>,
    now: Timestamp,
) -> Result<Vec<Participant>, StoreError> {
    let (id, to) = (room.id, heir.user_id);
    let mut owner = lock_participant(tx, id, room.owner_id).await?;
    moderation::hand_on(&mut heir, owner.as_mut());
    let people: Vec<Participant> = [heir].into_iter().chain(owner).collect();
    tx.execute(
        "UPDATE rooms SET owner_id = $2, last_activity_at = $3 WHERE id = $1",
        values![id.get(), to.get(), now.as_millis()],
    )
    .await?;
    for person in &people {
        save(tx, person).await?;
        changes::note(tx, &RoomChange::Person(id, person.user_id), now).await?;
    }
    changes::note(tx, &RoomChange::Room(id), now).await?;
    let doing = Doing { action: Action::HandOn.rule().action, target: Some(to), detail: None };
    deeds::note(tx, id, doer, &doing, now).await?;
    Ok(people)
}

/// Ends a locked room's meeting.
pub(super) async fn end(tx: &mut Tx<'_>, room: Room, doer: Option<&Doer>, now: Timestamp) -> Result<Room, StoreError> {
    let id = room.id;
    presence::end_everybody(tx, id, now).await?;
    tx.execute(
        "UPDATE rooms SET ends = ends + 1, last_activity_at = $2 WHERE id = $1",
        values![id.get(), now.as_millis()],
    )
    .await?;
    changes::note(tx, &RoomChange::Ended(id), now).await?;
    let doing = Doing { action: Action::EndMeeting.rule().action, ..Doing::default() };
    deeds::note(tx, id, doer, &doing, now).await?;
    Ok(Room { ends: room.ends + 1, last_activity_at: now, ..room })
}
