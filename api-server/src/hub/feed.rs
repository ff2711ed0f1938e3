//! The feed of room listings: each room that changed, at most once a second, to who watches.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cloudmeet_api_types::room::Room as WireRoom;
use cloudmeet_api_types::socket::ServerFrame;
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::permission::sees;
use cloudmeet_core::room::Room;
use cloudmeet_core::time::Span;
use cloudmeet_store::{ConferenceStore, StoreError};
use tokio::time::Instant;

use super::{Hub, SocketLink, encode};
use crate::conference::wire_room;

/// The least time between two frames about the same room.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long after a room was hidden from most people they are told so, should word of it be slow.
const TOLD_HIDDEN: Span = Span::minutes(1);

/// Is what of a room's listing changed, and for whom.
#[derive(Debug, Default)]
pub(super) struct Changed {
    audience: Audience,
    /// Who does not belong to the room any more.
    left_by: HashSet<UserId>,
}

/// Says who hears that a room looks different in lists; the greater includes the lesser.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Audience {
    /// Who watches all rooms.
    #[default]
    Watchers,
    /// Also who follows the room: its own settings changed.
    Followers,
}

impl Changed {
    /// Says that the room's own settings changed.
    pub(super) fn settings() -> Self {
        Self { audience: Audience::Followers, left_by: HashSet::new() }
    }

    /// Says that somebody does not belong to the room any more.
    pub(super) fn left_by(user_id: UserId) -> Self {
        Self { audience: Audience::Watchers, left_by: HashSet::from([user_id]) }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.audience = self.audience.max(other.audience);
        self.left_by.extend(other.left_by);
    }
}

/// Sends changed listings for ever.
pub(super) async fn run(hub: Hub, store: ConferenceStore) {
    let mut not_before: HashMap<RoomId, Instant> = HashMap::new();
    let mut waiting: HashMap<RoomId, Changed> = HashMap::new();
    loop {
        let next_due = waiting.keys().filter_map(|room_id| not_before.get(room_id)).min().copied();
        tokio::select! {
            () = hub.0.listing_changed.notified() => {}
            () = sleep_until(next_due) => {}
        }
        for (room_id, changed) in std::mem::take(&mut hub.state().changed_listings) {
            waiting.entry(room_id).or_default().merge(changed);
        }
        let now = Instant::now();
        not_before.retain(|_, due| *due > now);
        let due: Vec<_> = waiting.extract_if(|room_id, _| !not_before.contains_key(room_id)).collect();
        for (room_id, changed) in due {
            not_before.insert(room_id, now + INTERVAL);
            if let Err(error) = send(&hub, &store, room_id, &changed).await {
                tracing::warn!(error = &error as &dyn std::error::Error, room.id = room_id.get(), "listing not sent");
                waiting.insert(room_id, changed);
            }
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn send(hub: &Hub, store: &ConferenceStore, room_id: RoomId, changed: &Changed) -> Result<(), StoreError> {
    let links = listeners(hub, room_id, changed.audience);
    if links.is_empty() {
        return Ok(());
    }
    let Some(listings) = store.audience(room_id).await? else { return Ok(()) };
    let was_hidden = listings.hidden_at.is_some_and(|at| at.plus(TOLD_HIDDEN) > store.now());
    for link in links {
        let listing = listings.listing_for(link.user_id);
        // Who saw the room while it was open hears of its closing.
        let open = Room { is_active: true, ..listing.room.clone() };
        if !sees(link.actor(), &open, listing.membership) {
            // Only who knew of it: that there is a room is nobody else's business.
            if was_hidden || changed.left_by.contains(&link.user_id) {
                link.send(encode(&ServerFrame::RoomHidden { room_id: room_id.get() }));
            }
            continue;
        }
        let room: WireRoom = wire_room(listing, link.user_id);
        link.send(encode(&ServerFrame::Room { room }));
    }
    Ok(())
}

/// Finds who is to hear of a room, each socket once.
fn listeners(hub: &Hub, room_id: RoomId, audience: Audience) -> Vec<SocketLink> {
    let state = hub.state();
    let mut links = state.sockets.watchers();
    if audience == Audience::Followers
        && let Some(tail) = state.rooms.get(&room_id)
    {
        let watching: HashSet<_> = links.iter().map(|link| link.key.clone()).collect();
        links.extend(tail.links().filter(|link| !watching.contains(&link.key)).cloned());
    }
    links
}
