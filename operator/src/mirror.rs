//! What the server has told of the rooms, so that nobody need ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloudmeet_api_types::managed::ManagedRoom;

/// Is what was heard of the rooms of one manager, by the uids of their resources.
#[derive(Clone, Default)]
pub struct Mirror {
    rooms: Arc<Mutex<Rooms>>,
    is_live: Arc<AtomicBool>,
}

#[derive(Default)]
struct Rooms {
    by_uid: HashMap<String, ManagedRoom>,
    /// The uids by the ids of rooms: a room is one resource's.
    uids: HashMap<String, String>,
}

impl Mirror {
    /// Gives the room of a resource, as far as it was told; `None` when nobody tells at the moment.
    #[must_use]
    pub fn told(&self, uid: &str) -> Option<Option<ManagedRoom>> {
        self.is_live().then(|| self.rooms().by_uid.get(uid).cloned())
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
        let mut all = Rooms::default();
        for room in rooms {
            all.put(room);
        }
        *self.rooms() = all;
    }

    /// Puts down a room. Gives the uid of the resource that had it before, if that was another: it has none now.
    pub fn put(&self, room: ManagedRoom) -> Option<String> {
        self.rooms().put(room)
    }

    /// Takes out a room, unless its resource has another one by now.
    pub fn take(&self, uid: &str, room_id: Option<&str>) {
        let mut rooms = self.rooms();
        if rooms.by_uid.get(uid).is_some_and(|room| room_id.is_none_or(|id| room.room_id == id)) {
            rooms.take(uid);
        }
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    fn put(&mut self, room: ManagedRoom) -> Option<String> {
        self.take(&room.uid);
        let before = self.uids.insert(room.room_id.clone(), room.uid.clone());
        if let Some(uid) = &before {
            self.by_uid.remove(uid);
        }
        self.by_uid.insert(room.uid.clone(), room);
        before
    }

    fn take(&mut self, uid: &str) {
        if let Some(room) = self.by_uid.remove(uid) {
            self.uids.remove(&room.room_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(uid: &str, room_id: &str) -> ManagedRoom {
        let room = serde_json::json!({
            "manager": "m", "uid": uid, "room_id": room_id, "join_url": "/", "name": "n", "description": null,
            "owner": null, "moderators": [], "visibility": "public", "password_version": null, "capacity": 2,
            "lobby": false, "slug": null, "opens_at": null, "closes_at": null,
            "participants": { "current": 0, "observed_at": "2026-01-01T00:00:00.000Z" },
        });
        serde_json::from_value(room).expect("a room")
    }

    #[test]
    fn a_room_is_one_resources() {
        let mirror = Mirror::default();
        mirror.set_live(true);
        assert_eq!(mirror.put(room("a", "1")), None);
        assert_eq!(mirror.put(room("a", "1")), None, "again");
        assert_eq!(mirror.put(room("b", "1")), Some("a".to_owned()));
        assert_eq!((mirror.told("a"), mirror.told("b")), (Some(None), Some(Some(room("b", "1")))));
        // The first one has made another.
        assert_eq!(mirror.put(room("a", "2")), None);
        mirror.take("a", Some("1"));
        assert_eq!(mirror.told("a"), Some(Some(room("a", "2"))), "that was about the one before");
        mirror.take("a", Some("2"));
        assert_eq!(mirror.told("a"), Some(None));
    }
}
