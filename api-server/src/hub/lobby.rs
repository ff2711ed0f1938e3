//! Doors and the lobbies before them: who waits, for hosts to hear, and what became of whom, for themselves.
//!
//! Who waits or was removed follows no room, so it is all their sockets that hear.

use std::collections::{HashMap, HashSet};

use cloudmeet_api_types::room::Participant as WireParticipant;
use cloudmeet_api_types::socket::{RemovedReason, ServerFrame};
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::participant::{Participant, Turn};
use cloudmeet_core::permission::Membership;

use super::{Hub, State, encode};

/// How many people it is remembered of what they were told; then all is forgotten, and a word may be repeated.
const REMEMBERED: usize = 4096;

/// Is who waits where, and what people were told at doors.
#[derive(Debug, Default)]
pub(super) struct Lobbies {
    waiting: HashSet<(RoomId, UserId)>,
    /// The version of the person's row of which they were told last.
    told: HashMap<(RoomId, UserId), i64>,
}

/// Says whether others in the room see what became of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// They do.
    Seen,
    /// They do not: the person waits, or waited and did not come in.
    Unseen,
}

/// Takes note of who waits, and tells hosts. Says whether others see anything of it.
pub(super) fn settle(state: &mut State, participant: &Participant) -> Settled {
    let key @ (room_id, user_id) = (participant.room_id, participant.user_id);
    let tail = state.rooms.get_mut(&room_id);
    if tail.as_ref().is_some_and(|tail| tail.is_old(user_id, participant.presence.version)) {
        return Settled::Seen;
    }
    let waits = participant.membership == Membership::Waiting;
    let waiting = &mut state.lobbies.waiting;
    let changed = if waits { waiting.insert(key) } else { waiting.remove(&key) };
    if let Some(tail) = tail
        && changed
    {
        tail.send_to_hosts(&encode(&ServerFrame::Lobby {
            room_id: room_id.get(),
            participant: WireParticipant::from(participant.clone()),
            waiting: waits,
        }));
    }
    let never_came_in = matches!(participant.last_turn, Some(Turn::Denied | Turn::Withdrew));
    if waits || never_came_in { Settled::Unseen } else { Settled::Seen }
}

/// Tells a person what became of them at a room's door, once, whatever they follow.
pub(super) fn tell(state: &mut State, participant: &Participant) {
    let (room_id, user_id) = (participant.room_id, participant.user_id);
    let removed = |reason| ServerFrame::Removed { room_id: room_id.get(), reason };
    // An earlier release changes what a person is and leaves the turn as it was: both have to fit.
    let frame = match (participant.membership, participant.last_turn) {
        (Membership::Member(_), Some(Turn::Admitted)) => ServerFrame::Admitted { room_id: room_id.get() },
        (Membership::Stranger, Some(Turn::Denied)) => removed(RemovedReason::Denied),
        (Membership::Stranger, Some(Turn::Kicked)) => removed(RemovedReason::Kicked),
        (Membership::Banned, Some(Turn::Banned)) => removed(RemovedReason::Banned),
        _ => return,
    };
    let (told, version) = (&mut state.lobbies.told, participant.presence.version);
    if told.get(&(room_id, user_id)).is_some_and(|told| *told >= version) {
        return;
    }
    if told.len() >= REMEMBERED {
        told.clear();
    }
    told.insert((room_id, user_id), version);
    state.sockets.send_to_person(user_id, &encode(&frame));
}

/// Empties a room's lobby, with a last frame to who waited.
pub(super) fn clear(state: &mut State, room_id: RoomId, frame: &str) {
    let State { lobbies, sockets, .. } = state;
    lobbies.waiting.retain(|&(room, user_id)| {
        if room == room_id {
            sockets.send_to_person(user_id, frame);
        }
        room != room_id
    });
}

impl Hub {
    /// Takes note of everybody who waits anywhere, as the store has it. Gives those who have a socket here:
    /// by it they keep their places.
    pub(super) fn refresh_lobbies(&self, waiting: &[Participant]) -> Vec<(RoomId, UserId)> {
        let mut state = self.state();
        for participant in waiting {
            settle(&mut state, participant);
        }
        let still: HashSet<_> = waiting.iter().map(|one| (one.room_id, one.user_id)).collect();
        let State { lobbies, sockets, .. } = &mut *state;
        lobbies.waiting.retain(|one| still.contains(one));
        still.into_iter().filter(|(_, user_id)| sockets.has_person(*user_id)).collect()
    }

    /// Says whether anybody waits before a room, as far as this server knows.
    pub(super) fn has_waiting(&self, room_id: RoomId) -> bool {
        self.state().lobbies.waiting.iter().any(|(room, _)| *room == room_id)
    }
}
