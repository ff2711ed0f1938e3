//! The hub: which sockets of this server follow what, and what they are to hear.
//!
//! It is told of commits by the writer, of other mutations by whoever made them, and of what other
//! servers did by the table of changes. It waits for no client: frames go into each socket's bounded queue,
//! and a socket whose queue is full is closed.

mod feed;
mod follower;
mod lobby;
mod meetings;
mod sockets;
mod tail;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloudmeet_api_types::chat::ChangedMessage;
use cloudmeet_api_types::socket::{RemovedReason, ServerFrame};
use cloudmeet_core::account::Standing;
use cloudmeet_core::chat::Message;
use cloudmeet_core::id::{RoomId, SessionId, UserId};
use cloudmeet_core::participant::{Participant, Turn};
use cloudmeet_core::presence::Status;
use cloudmeet_core::room::{Role, Room};
use cloudmeet_core::time::Timestamp;
use cloudmeet_store::{ConferenceStore, HoldEnd, RoomAccess, StoreError};
use tokio::sync::{Notify, mpsc};

use feed::Changed;
pub use follower::Follower;
use lobby::Lobbies;
use sockets::Sockets;
pub use sockets::{CloseReason, Outbound, SocketCap, SocketId, SocketLink};
pub use tail::{Attached, Present};
use tail::{Offer, RoomTail, Subscriber};

/// How many errands may wait; what finds no place is done by the next look at everything.
const ERRANDS: usize = 4096;

/// Is the hub. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// What the hub cannot do itself, for it never waits.
    errands: mpsc::Sender<Errand>,
    /// Rings when a room's listing changed.
    listing_changed: Notify,
    /// Rings when a socket is gone.
    socket_closed: Notify,
}

#[derive(Default)]
struct State {
    sockets: Sockets,
    rooms: HashMap<RoomId, RoomTail>,
    lobbies: Lobbies,
    changed_listings: HashMap<RoomId, Changed>,
}

/// Is what somebody who may wait for the store does for the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// Read a room again: its tail missed something.
    ReadAgain(RoomId),
    /// Let go of a person in a room, whose last socket there was removed.
    Release(RoomId, UserId),
}

/// Is what a socket's leaving of a room left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// The person has another socket of this server in the room.
    Another,
    /// It was the person's last socket of this server there.
    None,
}

impl Hub {
    /// Makes a hub, and the far end of its errands.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Errand>) {
        let (errands, waiting) = mpsc::channel(ERRANDS);
        let shared =
            Shared { state: Mutex::default(), errands, listing_changed: Notify::new(), socket_closed: Notify::new() };
        (Self(Arc::new(shared)), waiting)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a socket in, if its person and its address may have one more.
    ///
    /// # Errors
    /// [`SocketCap`].
    pub fn open_socket(&self, link: SocketLink) -> Result<SocketId, SocketCap> {
        self.state().sockets.open(link)
    }

    /// Forgets a socket. Gives the rooms that it followed, and whether its person still has one there.
    pub fn close_socket(&self, id: SocketId) -> Vec<(RoomId, Remaining)> {
        let mut state = self.state();
        state.sockets.close(id);
        let rooms: Vec<RoomId> =
            state.rooms.iter().filter(|(_, tail)| tail.follows(id)).map(|(room_id, _)| *room_id).collect();
        let left = rooms.into_iter().map(|room_id| (room_id, remove_subscriber(&mut state, room_id, id))).collect();
        self.0.socket_closed.notify_one();
        left
    }

    /// Closes every socket, for a restart, and waits until they have said goodbye.
    pub async fn close_all(&self) {
        let mut all_closed = std::pin::pin!(self.0.socket_closed.notified());
        self.state().sockets.close_all(CloseReason::Restarting);
        while !self.state().sockets.is_empty() {
            all_closed.as_mut().await;
            all_closed.set(self.0.socket_closed.notified());
        }
    }

    /// Closes the sockets of a session that is over.
    pub fn end_session(&self, session_id: &SessionId) {
        self.state().sockets.close_session(session_id);
    }

    /// Closes the sockets of a person that were opened when their standing was another: they come back with the
    /// new one.
    pub fn standing_changed(&self, user_id: UserId, standing: Standing) {
        self.state().sockets.close_other_standing(user_id, standing);
    }

    /// Gives a person's sessions that have sockets here.
    #[must_use]
    pub fn sessions_of(&self, user_id: UserId) -> Vec<SessionId> {
        self.state().sockets.sessions_of(user_id)
    }

    /// Sends the socket every change of a room's listing from now on.
    pub fn watch_rooms(&self, id: SocketId) {
        self.state().sockets.watch(id);
    }

    /// Begins to follow a room, to which its person is this: from here on nothing is missed, but nothing is
    /// sent before [`attach`](Self::attach). Begun again, it replaces what was.
    pub fn begin(&self, access: &RoomAccess, id: SocketId) {
        let mut state = self.state();
        let Some(link) = state.sockets.link(id) else { return };
        let subscriber = Subscriber::reading(link, access.into());
        state.rooms.entry(access.room.id).or_default().subscribe(id, subscriber);
    }

    /// Sends the answer to a subscription, and after it whatever came since the store was read.
    pub fn attach(&self, room_id: RoomId, id: SocketId, seq: i64, rev: i64, answer: &str) -> Attached {
        let mut state = self.state();
        let Some(tail) = state.rooms.get_mut(&room_id) else { return Attached::Gone };
        let attached = tail.attach(id, seq, rev, answer);
        if attached == Attached::Behind {
            self.ask(Errand::ReadAgain(room_id));
        }
        attached
    }

    /// Sends the answer to a subscription that is truncated: the socket hears of people, not of messages.
    pub fn hold(&self, room_id: RoomId, id: SocketId, answer: &str) {
        if let Some(tail) = self.state().rooms.get_mut(&room_id) {
            tail.hold(id, answer);
        }
    }

    /// Notes where a socket says that its person is, before the store knows. Until
    /// [`settle`](Self::settle) it is not replaced by another one inside. Gives what it said before.
    pub fn set_said(&self, room_id: RoomId, id: SocketId, said: Option<Status>) -> Option<Status> {
        self.state().rooms.get_mut(&room_id).and_then(|tail| tail.set_said(id, said))
    }

    /// Notes that the store knows, or has refused, what a socket said: one inside is now replaced if
    /// another was inside later.
    pub fn settle(&self, room_id: RoomId, id: SocketId) {
        let mut state = self.state();
        let Some(tail) = state.rooms.get_mut(&room_id) else { return };
        let frame = encode(&ServerFrame::Removed { room_id: room_id.get(), reason: RemovedReason::Elsewhere });
        if let Some(user_id) = tail.settle(id, &frame)
            && !tail.has_person(user_id)
        {
            self.ask(Errand::Release(room_id, user_id));
        }
        drop_if_empty(&mut state, room_id);
    }

    /// Says whether a person has a socket of this server in a room.
    #[must_use]
    pub fn has_person(&self, room_id: RoomId, user_id: UserId) -> bool {
        self.state().rooms.get(&room_id).is_some_and(|tail| tail.has_person(user_id))
    }

    /// Gives everybody who has a socket of this server in a room.
    #[must_use]
    pub fn people(&self) -> Vec<(RoomId, Present)> {
        let state = self.state();
        state.rooms.iter().flat_map(|(room_id, tail)| tail.people().map(|present| (*room_id, present))).collect()
    }

    /// Says whether this server has any socket.
    #[must_use]
    pub fn has_sockets(&self) -> bool {
        !self.state().sockets.is_empty()
    }

    /// Says whether a person has a socket here, whatever it follows.
    fn has_sockets_of(&self, user_id: UserId) -> bool {
        self.state().sockets.has_person(user_id)
    }

    /// Counts the sockets, and the rooms that they follow.
    #[must_use]
    pub fn census(&self) -> (usize, usize) {
        let state = self.state();
        (state.sockets.len(), state.rooms.len())
    }

    /// Gives the sessions that have sockets here.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionId> {
        self.state().sockets.sessions()
    }

    /// Says whether a socket follows a room.
    #[must_use]
    pub fn follows(&self, room_id: RoomId, id: SocketId) -> bool {
        self.state().rooms.get(&room_id).is_some_and(|tail| tail.follows(id))
    }

    /// Stops following a room. `None` if the socket did not.
    pub fn unsubscribe(&self, room_id: RoomId, id: SocketId) -> Option<Remaining> {
        let mut state = self.state();
        let follows = state.rooms.get(&room_id).is_some_and(|tail| tail.follows(id));
        follows.then(|| remove_subscriber(&mut state, room_id, id))
    }

    /// Publishes messages that are on disk, ascending by room and number.
    pub fn publish_messages(&self, messages: Vec<Message>) {
        let mut state = self.state();
        for message in messages {
            let room_id = message.room_id;
            self.note_listing(&mut state, room_id, Changed::default());
            let Some(tail) = state.rooms.get_mut(&room_id) else { continue };
            let seq = message.seq;
            let offer = tail.offer_message(seq, || encode(&ServerFrame::Message { message: message.into() }));
            if offer == Offer::Gap {
                self.ask(Errand::ReadAgain(room_id));
            }
        }
    }

    /// Publishes an edit or a deletion that is on disk.
    pub fn publish_revision(&self, message: Message) {
        let room_id = message.room_id;
        self.listing_changed(room_id);
        if let Some(tail) = self.state().rooms.get_mut(&room_id)
            && tail.offer_revision(message.rev, || revision_frame(message)) == Offer::Gap
        {
            self.ask(Errand::ReadAgain(room_id));
        }
    }

    /// Publishes edits and deletions as the store has them after a tail's place: it keeps only the
    /// last of each message, so their numbers have gaps. `false` if they must be read anew: the tail
    /// went back before `after`, from where they were read.
    fn publish_revisions_read(&self, room_id: RoomId, after: i64, messages: Vec<Message>) -> bool {
        let mut state = self.state();
        let Some(tail) = state.rooms.get_mut(&room_id) else { return true };
        if tail.position().is_some_and(|(_, rev)| rev < after) {
            return false;
        }
        for message in messages {
            tail.push_revision(message.rev, || revision_frame(message));
        }
        true
    }

    /// Publishes what a person is to a room, and where. Sockets of somebody who is out, or who is inside
    /// elsewhere, stop following; who waits is shown to hosts alone.
    pub fn publish_participant(&self, participant: Participant) {
        let (room_id, user_id) = (participant.room_id, participant.user_id);
        let is_out = !participant.membership.is_member();
        let mut state = self.state();
        let changed = if is_out { Changed::left_by(user_id) } else { Changed::default() };
        self.note_listing(&mut state, room_id, changed);
        let settled = lobby::settle(&mut state, &participant);
        let Some(tail) = state.rooms.get_mut(&room_id) else { return lobby::tell(&mut state, &participant) };
        let version = participant.presence.version;
        if settled == lobby::Settled::Unseen {
            // Whoever waits may have followed the room until they left it a moment ago.
            let frame = encode(&ServerFrame::Unsubscribed { room_id: room_id.get() });
            tail.remove_person(user_id, version, Some(&frame));
            drop_if_empty(&mut state, room_id);
            return lobby::tell(&mut state, &participant);
        }
        let is_host = !is_out && participant.role() != Role::Participant;
        let told = participant.clone();
        let call_socket = participant.call_socket.clone();
        let offer = tail.offer_participant(user_id, version, call_socket.as_deref(), || {
            encode(&ServerFrame::Presence { room_id: room_id.get(), participant: participant.into() })
        });
        // An older word must not end what a newer one began.
        if offer == Offer::Old {
            return;
        }
        tail.set_host(user_id, is_host);
        if is_out {
            let frame = encode(&ServerFrame::Unsubscribed { room_id: room_id.get() });
            tail.remove_person(user_id, version, (told.last_turn == Some(Turn::Left)).then_some(frame.as_str()));
        } else if let Some(inside) = call_socket
            && tail.has_person(user_id)
        {
            let frame = encode(&ServerFrame::Removed { room_id: room_id.get(), reason: RemovedReason::Elsewhere });
            tail.remove_replaced(user_id, &inside, &frame);
            if !tail.has_person(user_id) {
                self.ask(Errand::Release(room_id, user_id));
            }
        }
        drop_if_empty(&mut state, room_id);
        lobby::tell(&mut state, &told);
    }

    /// Tells everybody who followed a room, or waited before it, that its meeting was ended; who came since
    /// stays.
    pub fn publish_ended(&self, room: &Room) {
        self.listing_changed(room.id);
        let mut state = self.state();
        let frame = encode(&ServerFrame::Removed { room_id: room.id.get(), reason: RemovedReason::Ended });
        lobby::clear(&mut state, room.id, &frame);
        if let Some(tail) = state.rooms.get_mut(&room.id) {
            tail.remove_ended(room.ends, &frame);
        }
        drop_if_empty(&mut state, room.id);
    }

    /// Tells everybody who follows a room when it ends, once.
    pub fn publish_closing(&self, room_id: RoomId, closes_at: Timestamp) {
        if let Some(tail) = self.state().rooms.get_mut(&room_id) {
            tail.tell_end(
                closes_at,
                &encode(&ServerFrame::Closing { room_id: room_id.get(), closes_at: closes_at.into() }),
            );
        }
    }

    /// Lets go of a person in a room in the store's eyes too, unless they have a socket here again.
    ///
    /// # Errors
    /// [`StoreError`]; the next comparison of holds and sockets tries again.
    pub async fn release(
        &self,
        store: &ConferenceStore,
        server_id: &str,
        (room_id, user_id): (RoomId, UserId),
        end: HoldEnd,
    ) -> Result<(), StoreError> {
        let is_wanted = || self.has_person(room_id, user_id);
        if let Some(participant) = store.release_hold(room_id, user_id, server_id, end, is_wanted).await? {
            self.publish_participant(participant);
        }
        Ok(())
    }

    /// Shows everybody else in a room that a person types.
    pub fn publish_typing(&self, room_id: RoomId, user_id: UserId) {
        if let Some(tail) = self.state().rooms.get_mut(&room_id) {
            let frame = encode(&ServerFrame::Typing { room_id: room_id.get(), user_id: user_id.get() });
            tail.send_to_others(user_id, &frame);
        }
    }

    /// Tells everybody who followed a room, or waited before it, that it is closed for good; who came since
    /// to read what was said stays.
    pub fn publish_closed(&self, room_id: RoomId) {
        self.settings_changed(room_id);
        let mut state = self.state();
        let frame = encode(&ServerFrame::RoomClosed { room_id: room_id.get() });
        lobby::clear(&mut state, room_id, &frame);
        if let Some(tail) = state.rooms.get_mut(&room_id) {
            tail.remove_closed(&frame);
        }
        drop_if_empty(&mut state, room_id);
    }

    /// Notes that a room looks different in lists.
    pub fn listing_changed(&self, room_id: RoomId) {
        self.note_listing(&mut self.state(), room_id, Changed::default());
    }

    /// Notes that a room's own settings changed.
    pub fn settings_changed(&self, room_id: RoomId) {
        self.note_listing(&mut self.state(), room_id, Changed::settings());
    }

    fn note_listing(&self, state: &mut State, room_id: RoomId, changed: Changed) {
        state.changed_listings.entry(room_id).or_default().merge(changed);
        self.0.listing_changed.notify_one();
    }

    /// Is where a room's tail stands: the newest message and revision that were sent. `None` while
    /// nobody follows it.
    fn position(&self, room_id: RoomId) -> Option<(i64, i64)> {
        self.state().rooms.get(&room_id).and_then(RoomTail::position)
    }

    fn is_followed(&self, room_id: RoomId) -> bool {
        self.state().rooms.contains_key(&room_id)
    }

    fn followed_rooms(&self) -> Vec<RoomId> {
        self.state().rooms.keys().copied().collect()
    }

    fn ask(&self, errand: Errand) {
        if self.0.errands.try_send(errand).is_err() {
            tracing::warn!(?errand, "too many errands wait");
        }
    }
}

fn remove_subscriber(state: &mut State, room_id: RoomId, id: SocketId) -> Remaining {
    let remaining = state.rooms.get_mut(&room_id).map_or(Remaining::None, |tail| tail.unsubscribe(id));
    drop_if_empty(state, room_id);
    remaining
}

fn drop_if_empty(state: &mut State, room_id: RoomId) {
    if state.rooms.get(&room_id).is_some_and(RoomTail::is_empty) {
        state.rooms.remove(&room_id);
    }
}

fn revision_frame(message: Message) -> String {
    let rev = message.rev;
    let is_deleted = message.deleted_at.is_some();
    let changed = ChangedMessage { message: message.into(), rev };
    encode(&if is_deleted { ServerFrame::MessageDeleted(changed) } else { ServerFrame::MessageUpdated(changed) })
}

/// Encodes a frame once for everybody.
///
/// # Panics
/// Never: frames are made of strings, numbers and lists.
#[must_use]
pub fn encode(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).expect("frames are made of strings, numbers and lists")
}
