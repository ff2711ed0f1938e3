//! What the server has told of the rooms, so that nobody need ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloudmeet_api_types::managed::ManagedRoom;

/// Is what was heard of the rooms of one manager, by the uids of their resources.
#[derive(Clone, Default)]
pub struct Mirror {
    rooms: Arc<Mutex<HashMap<String, ManagedRoom>>>,
    is_live: Arc<AtomicBool>,
}

impl Mirror {
    /// Gives the room of a resource, as far as it was told; `None` when nobody tells at the moment.
    #[must_use]
    pub fn told(&self, uid: &str) -> Option<Option<ManagedRoom>> {
        self.is_live().then(|| self.rooms().get(uid).cloned())
    }

    /// Says whether what is here is what the server has.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.is_live.load(Ordering::Acquire)
    }

    /// Says whether the server tells of changes from now on.
    pub fn set_live(&self, is_live: bool) {
        self.is_live.store(is_live, Ordering::Release);
    }

    /// Puts down all rooms, in the place of what was there.
    pub fn replace(&self, rooms: Vec<ManagedRoom>) {
        *self.rooms() = rooms.into_iter().map(|room| (room.uid.clone(), room)).collect();
    }

    /// Puts down a room.
    pub fn put(&self, room: ManagedRoom) {
        self.rooms().insert(room.uid.clone(), room);
    }

    /// Takes out a room, unless its resource has another one by now.
    pub fn take(&self, uid: &str, room_id: Option<&str>) {
        let mut rooms = self.rooms();
        if rooms.get(uid).is_some_and(|room| room_id.is_none_or(|id| room.room_id == id)) {
            rooms.remove(uid);
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<String, ManagedRoom>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
