//! The feed of room listings: each room that changed, at most once a second, to who watches.

use std::collections::HashMap;
use std::time::Duration;

use cloudmeet_api_types::room::Room as WireRoom;
use cloudmeet_api_types::socket::ServerFrame;
use cloudmeet_core::id::RoomId;
use cloudmeet_core::permission::sees;
use cloudmeet_core::room::Room;
use cloudmeet_store::{ConferenceStore, StoreError};
use tokio::time::Instant;

use super::{Audience, Hub, SocketLink, encode};
use crate::conference::wire_room;

/// The least time between two frames about the same room.
const INTERVAL: Duration = Duration::from_secs(1);

/// Sends changed listings for ever.
pub(super) async fn run(hub: Hub, store: ConferenceStore) {
    let mut not_before: HashMap<RoomId, Instant> = HashMap::new();
    let mut waiting: HashMap<RoomId, Audience> = HashMap::new();
    loop {
        let next_due = waiting.keys().filter_map(|room_id| not_before.get(room_id)).min().copied();
        tokio::select! {
            () = hub.0.listing_changed.notified() => {}
            () = sleep_until(next_due) => {}
        }
        for (room_id, audience) in std::mem::take(&mut hub.state().changed_listings) {
            let known = waiting.entry(room_id).or_insert(audience);
            *known = audience.max(*known);
        }
        let now = Instant::now();
        not_before.retain(|_, due| *due > now);
        let due: Vec<(RoomId, Audience)> =
            waiting.iter().filter(|(room_id, _)| !not_before.contains_key(room_id)).map(|(r, a)| (*r, *a)).collect();
        for (room_id, audience) in due {
            waiting.remove(&room_id);
            not_before.insert(room_id, now + INTERVAL);
            if let Err(error) = send(&hub, &store, room_id, audience).await {
                tracing::warn!(error = &error as &dyn std::error::Error, room.id = room_id.get(), "listing not sent");
                waiting.insert(room_id, audience);
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

async fn send(hub: &Hub, store: &ConferenceStore, room_id: RoomId, audience: Audience) -> Result<(), StoreError> {
    let links = listeners(hub, room_id, audience);
    if links.is_empty() {
        return Ok(());
    }
    let Some(listings) = store.audience(room_id).await? else { return Ok(()) };
    for link in links {
        let listing = listings.listing_for(link.user_id);
        // Who saw the room while it was open hears of its closing.
        let open = Room { is_active: true, ..listing.room.clone() };
        if !sees(link.actor(), &open, listing.membership) {
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
        let watching: std::collections::HashSet<_> = links.iter().map(|link| link.key.clone()).collect();
        links.extend(tail.links().filter(|link| !watching.contains(&link.key)).cloned());
    }
    links
}
