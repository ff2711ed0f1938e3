//! A room's tail on this server: who follows it, and how far each of them has heard.
//!
//! A subscription is read from the store while the room goes on. So it begins here first: what
//! comes meanwhile is kept for it, and sent after what was read. Messages leave in the order of
//! their numbers, each once; a number that is missing is read from the store before the next is sent.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use cloudmeet_core::id::UserId;
use cloudmeet_core::presence::Status;
use cloudmeet_core::time::Timestamp;
use cloudmeet_store::RoomAccess;

use super::Remaining;
use super::sockets::{SocketId, SocketLink};

/// How much is kept for a subscription that is being read; with more it is answered as truncated.
const MAX_KEPT: usize = 512;

/// Says what became of something offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// It was sent, or kept for those who are being read.
    Taken,
    /// Everybody has it.
    Old,
    /// Something before it is missing.
    Gap,
}

/// Says how an answer to a subscription went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attached {
    /// The socket follows from here on.
    Live,
    /// The socket follows, and the tail is to be read again for what it missed.
    Behind,
    /// Too much came meanwhile: nothing was sent, and the answer must be truncated.
    Overrun,
    /// The socket does not follow the room any more.
    Gone,
}

/// Is where something stands in a room's history.
#[derive(Debug, Clone, Copy)]
enum Place {
    Message(i64),
    Revision(i64),
    /// Nowhere: people come and go beside it.
    Beside,
}

#[derive(Debug)]
enum Stage {
    /// The store is being read for it.
    Reading { kept: Vec<(Place, Utf8Bytes)>, overrun: bool },
    /// Truncated: it hears of people only.
    Held,
    /// It has heard everything up to these.
    Live { seq: i64, rev: i64 },
}

/// Is a socket that follows a room.
#[derive(Debug)]
pub(super) struct Subscriber {
    link: SocketLink,
    stage: Stage,
    /// Where it last said that its person is.
    said: Option<Status>,
    /// The store does not know yet that it said so.
    is_unsettled: bool,
    /// Whether its person is a host of the room.
    is_host: bool,
    /// Of which end it was told that it comes.
    told_end: Option<Timestamp>,
    /// What had happened when it came.
    since: Since,
}

/// Is how far things had got when a socket began to follow a room: what happened before, and is told late, is
/// not for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Since {
    /// How often the room had been ended for everybody.
    ends: i64,
    is_active: bool,
    /// The version of the person's row.
    version: i64,
}

impl From<&RoomAccess> for Since {
    fn from(access: &RoomAccess) -> Self {
        let version = access.participant.as_ref().map_or(0, |person| person.presence.version);
        Self { ends: access.room.ends, is_active: access.room.is_active, version }
    }
}

impl Subscriber {
    /// Begins with a socket that came when things had got so far.
    pub(super) fn reading(link: SocketLink, since: Since) -> Self {
        let stage = Stage::Reading { kept: Vec::new(), overrun: false };
        Self { link, stage, said: None, is_unsettled: false, is_host: false, told_end: None, since }
    }

    fn hear(&mut self, place: Place, frame: &Utf8Bytes) {
        match (&mut self.stage, place) {
            (Stage::Reading { kept, .. }, _) if kept.len() < MAX_KEPT => kept.push((place, frame.clone())),
            (Stage::Reading { overrun, .. }, _) => *overrun = true,
            (Stage::Held | Stage::Live { .. }, Place::Beside) => self.link.send(frame.clone()),
            (Stage::Held, _) => {}
            (Stage::Live { seq, .. }, Place::Message(new)) if new > *seq => {
                *seq = new;
                self.link.send(frame.clone());
            }
            (Stage::Live { rev, .. }, Place::Revision(new)) if new > *rev => {
                *rev = new;
                self.link.send(frame.clone());
            }
            (Stage::Live { .. }, _) => {}
        }
    }

    /// Says whether nothing lies between what it has heard and this.
    fn is_next(&self, place: Place) -> bool {
        let (seq, rev) = self.place();
        match place {
            Place::Message(new) => new <= seq + 1,
            Place::Revision(new) => new <= rev + 1,
            Place::Beside => true,
        }
    }

    /// Is how far a live subscriber has heard.
    fn place(&self) -> (i64, i64) {
        match self.stage {
            Stage::Live { seq, rev } => (seq, rev),
            Stage::Reading { .. } | Stage::Held => (0, 0),
        }
    }
}

/// Is a person with a socket of this server in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The person.
    pub user_id: UserId,
    /// The socket, by its name over all servers.
    pub socket_key: Arc<str>,
    /// Where it last said that they are; `online` if it did not.
    pub status: Status,
}

/// Is a room's tail. `Default` is that of a room that nobody follows yet.
#[derive(Debug, Default)]
pub(super) struct RoomTail {
    /// The newest message and revision that were sent; `None` before the first subscription was read.
    position: Option<(i64, i64)>,
    /// Something came before `position` was known.
    missed: bool,
    subscribers: HashMap<SocketId, Subscriber>,
    /// What was last sent of each person.
    known: HashMap<UserId, Known>,
}

/// Is what a tail remembers of a person.
#[derive(Debug)]
struct Known {
    version: i64,
    /// The key of the socket that is inside.
    call_socket: Option<String>,
}

impl RoomTail {
    pub(super) fn is_empty(&self) -> bool {
        self.subscribers.is_empty()
    }

    pub(super) fn position(&self) -> Option<(i64, i64)> {
        self.position
    }

    pub(super) fn follows(&self, id: SocketId) -> bool {
        self.subscribers.contains_key(&id)
    }

    pub(super) fn subscribe(&mut self, id: SocketId, subscriber: Subscriber) {
        let (said, is_host) = self.subscribers.get(&id).map_or((None, false), |old| (old.said, old.is_host));
        self.subscribers.insert(id, Subscriber { said, is_host, ..subscriber });
    }

    pub(super) fn unsubscribe(&mut self, id: SocketId) -> Remaining {
        let Some(gone) = self.subscribers.remove(&id) else { return Remaining::Another };
        if self.has_person(gone.link.user_id) { Remaining::Another } else { Remaining::None }
    }

    /// Says whether a person has a socket here.
    pub(super) fn has_person(&self, user_id: UserId) -> bool {
        self.subscribers.values().any(|subscriber| subscriber.link.user_id == user_id)
    }

    /// Notes where a socket says that its person is. Gives what it said before.
    pub(super) fn set_said(&mut self, id: SocketId, said: Option<Status>) -> Option<Status> {
        let subscriber = self.subscribers.get_mut(&id)?;
        subscriber.is_unsettled = true;
        std::mem::replace(&mut subscriber.said, said)
    }

    /// Notes that the store has judged what a socket said. Gives its person if it was removed, with
    /// a last frame, because another socket was inside later.
    pub(super) fn settle(&mut self, id: SocketId, frame: &str) -> Option<UserId> {
        let subscriber = self.subscribers.get_mut(&id)?;
        subscriber.is_unsettled = false;
        let user_id = subscriber.link.user_id;
        let inside = self.known.get(&user_id)?.call_socket.clone()?;
        self.remove_replaced(user_id, &inside, frame);
        (!self.follows(id)).then_some(user_id)
    }

    /// Gives each person whose socket has its answer, with that socket: the one inside, if one is.
    pub(super) fn people(&self) -> impl Iterator<Item = Present> {
        let mut people: HashMap<UserId, Present> = HashMap::new();
        for subscriber in self.subscribers.values() {
            if matches!(subscriber.stage, Stage::Reading { .. }) {
                continue;
            }
            let status = subscriber.said.unwrap_or(Status::Online);
            let link = &subscriber.link;
            let present = people.entry(link.user_id).or_insert_with(|| Present {
                user_id: link.user_id,
                socket_key: link.key.clone(),
                status,
            });
            if status == Status::InCall || present.status == Status::Offline {
                *present = Present { user_id: link.user_id, socket_key: link.key.clone(), status };
            }
        }
        people.into_values()
    }

    pub(super) fn attach(&mut self, id: SocketId, seq: i64, rev: i64, answer: &str) -> Attached {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return Attached::Gone };
        let Stage::Reading { kept, overrun } = &mut subscriber.stage else { return Attached::Gone };
        if *overrun {
            return Attached::Overrun;
        }
        let kept = std::mem::take(kept);
        subscriber.link.send(answer);
        subscriber.stage = Stage::Live { seq, rev };
        for (place, frame) in &kept {
            if subscriber.is_next(*place) {
                subscriber.hear(*place, frame);
            }
        }
        let heard = subscriber.place();
        let missed = std::mem::take(&mut self.missed);
        let position = self.position.get_or_insert(heard);
        let is_level = *position == heard;
        // Nothing was kept before the tail had a place, so this one may lack what others were sent:
        // the tail goes back to it, and who has heard more does not hear it again. One that has read
        // further than the tail waits until it comes there by itself.
        *position = (position.0.min(heard.0), position.1.min(heard.1));
        if missed || !is_level { Attached::Behind } else { Attached::Live }
    }

    pub(super) fn hold(&mut self, id: SocketId, answer: &str) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        let stage = std::mem::replace(&mut subscriber.stage, Stage::Held);
        subscriber.link.send(answer);
        if let Stage::Reading { kept, .. } = stage {
            for (place, frame) in kept {
                subscriber.hear(place, &frame);
            }
        }
    }

    pub(super) fn offer_message(&mut self, seq: i64, frame: impl FnOnce() -> String) -> Offer {
        match &mut self.position {
            None => {
                self.missed = true;
                Offer::Taken
            }
            Some((last, _)) if seq <= *last => Offer::Old,
            Some((last, _)) if seq > *last + 1 => Offer::Gap,
            Some((last, _)) => {
                *last = seq;
                self.tell(Place::Message(seq), frame());
                Offer::Taken
            }
        }
    }

    pub(super) fn offer_revision(&mut self, rev: i64, frame: impl FnOnce() -> String) -> Offer {
        match self.position {
            None => {
                self.missed = true;
                Offer::Taken
            }
            Some((_, last)) if rev <= last => Offer::Old,
            Some((_, last)) if rev > last + 1 => Offer::Gap,
            Some(_) => {
                self.push_revision(rev, frame);
                Offer::Taken
            }
        }
    }

    /// Sends a revision whatever lies before it: the store was read from the tail's place, and nothing does.
    pub(super) fn push_revision(&mut self, rev: i64, frame: impl FnOnce() -> String) {
        if let Some((_, last)) = &mut self.position
            && rev > *last
        {
            *last = rev;
            self.tell(Place::Revision(rev), frame());
        }
    }

    /// Sends where a person is, unless it was sent. [`Offer::Old`] when something newer is known.
    pub(super) fn offer_participant(
        &mut self,
        user_id: UserId,
        version: i64,
        call_socket: Option<&str>,
        frame: impl FnOnce() -> String,
    ) -> Offer {
        let known = self.known.entry(user_id).or_insert(Known { version: i64::MIN, call_socket: None });
        if version < known.version {
            return Offer::Old;
        }
        known.call_socket = call_socket.map(str::to_owned);
        if version > known.version {
            known.version = version;
            self.tell(Place::Beside, frame());
        }
        Offer::Taken
    }

    /// Says whether something newer is known of a person.
    pub(super) fn is_old(&self, user_id: UserId, version: i64) -> bool {
        self.known.get(&user_id).is_some_and(|known| version < known.version)
    }

    /// Notes whether a person is a host, for their sockets that are here.
    pub(super) fn set_host(&mut self, user_id: UserId, is_host: bool) {
        for subscriber in self.subscribers.values_mut().filter(|one| one.link.user_id == user_id) {
            subscriber.is_host = is_host;
        }
    }

    pub(super) fn send_to_hosts(&mut self, frame: &str) {
        let frame = Utf8Bytes::from(frame);
        for subscriber in self.subscribers.values_mut().filter(|one| one.is_host) {
            subscriber.hear(Place::Beside, &frame);
        }
    }

    /// Tells of the room's end before it comes: each socket once for each end, and after its first answer.
    pub(super) fn tell_end(&mut self, closes_at: Timestamp, frame: &str) {
        let frame = Utf8Bytes::from(frame);
        for subscriber in self.subscribers.values_mut() {
            let is_reading = matches!(subscriber.stage, Stage::Reading { .. });
            if !is_reading && subscriber.told_end.replace(closes_at) != Some(closes_at) {
                subscriber.hear(Place::Beside, &frame);
            }
        }
    }

    /// Ends the subscriptions of who came before the room was ended so often, with a last frame.
    pub(super) fn remove_ended(&mut self, ends: i64, frame: &str) {
        self.remove(Some(frame), |subscriber| subscriber.since.ends < ends);
    }

    /// Ends the subscriptions of who came before the room was closed for good, with a last frame.
    pub(super) fn remove_closed(&mut self, frame: &str) {
        self.remove(Some(frame), |subscriber| subscriber.since.is_active);
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &SocketLink> {
        self.subscribers.values().map(|subscriber| &subscriber.link)
    }

    pub(super) fn send_to_others(&mut self, user_id: UserId, frame: &str) {
        let frame = Utf8Bytes::from(frame);
        for subscriber in self.subscribers.values_mut().filter(|other| other.link.user_id != user_id) {
            subscriber.hear(Place::Beside, &frame);
        }
    }

    /// Ends a person's subscriptions that are older than a version of their row, with a last frame if they do
    /// not hear of it otherwise.
    pub(super) fn remove_person(&mut self, user_id: UserId, version: i64, frame: Option<&str>) {
        self.remove(frame, |subscriber| subscriber.link.user_id == user_id && subscriber.since.version < version);
    }

    /// Ends the subscriptions of a person's sockets that were inside before another one was.
    pub(super) fn remove_replaced(&mut self, user_id: UserId, inside: &str, frame: &str) {
        self.remove(Some(frame), |subscriber| {
            subscriber.link.user_id == user_id
                && !subscriber.is_unsettled
                && subscriber.said == Some(Status::InCall)
                && *subscriber.link.key != *inside
        });
    }

    fn remove(&mut self, frame: Option<&str>, is_meant: impl Fn(&Subscriber) -> bool) {
        self.subscribers.retain(|_, subscriber| {
            let remove = is_meant(subscriber);
            if remove && let Some(frame) = frame {
                subscriber.link.send(frame);
            }
            !remove
        });
    }

    fn tell(&mut self, place: Place, frame: String) {
        let frame = Utf8Bytes::from(frame);
        for subscriber in self.subscribers.values_mut() {
            subscriber.hear(place, &frame);
        }
    }
}

#[cfg(test)]
mod tests;
