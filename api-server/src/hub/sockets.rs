//! The sockets of this server: their queues, their people, and how many anybody may have.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use cloudmeet_core::account::Standing;
use cloudmeet_core::id::{SessionId, UserId};
use cloudmeet_core::permission::Actor;
use tokio::sync::{mpsc, watch};

use crate::rate_limit::RateLimits;

/// How many sockets one person may have, and one address.
const MAX_PER_USER: usize = 20;
const MAX_PER_ADDRESS: usize = 1000;

/// Names a socket of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketId(u64);

/// Says why the server closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The server goes down.
    Restarting,
    /// The session is over.
    SessionOver,
    /// The client reads too slowly.
    TooSlow,
}

/// Is what goes into a socket's queue.
#[derive(Debug, Clone)]
pub enum Outbound {
    /// A frame.
    Frame(Utf8Bytes),
    /// A sign of life is wanted.
    Ping,
}

/// Says that there are too many sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many open sockets")]
pub struct SocketCap;

/// Is the hub's end of a socket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SocketLink {
    /// Names the socket over all servers.
    pub key: Arc<str>,
    /// Whose it is.
    pub user_id: UserId,
    /// Whether its person administered the installation when it was opened.
    pub standing: Standing,
    /// The session it lives with.
    pub session_id: SessionId,
    /// What it is counted by.
    pub address: IpAddr,
    /// Whether sockets are counted at all.
    pub caps: RateLimits,
    /// What it is to send.
    pub queue: mpsc::Sender<Outbound>,
    /// Why the server closes it; the first reason stays.
    pub closing: watch::Sender<Option<CloseReason>>,
}

impl SocketLink {
    /// Queues a frame; a socket that cannot keep up is closed instead of waited for.
    pub fn send(&self, frame: impl Into<Utf8Bytes>) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(Outbound::Frame(frame.into())) {
            self.close(CloseReason::TooSlow);
        }
    }

    /// Waits until the server closes the socket.
    pub async fn closed(&self) -> CloseReason {
        let mut closing = self.closing.subscribe();
        // The sender lives in this link.
        let reason = closing.wait_for(Option::is_some).await.ok().and_then(|reason| *reason);
        reason.unwrap_or(CloseReason::Restarting)
    }

    /// Is its person as one who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { user_id: self.user_id, standing: self.standing }
    }

    pub(super) fn close(&self, reason: CloseReason) {
        self.closing.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(reason);
            is_first
        });
    }
}

/// Is every socket of this server.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    next: u64,
    links: HashMap<SocketId, SocketLink>,
    watching: HashSet<SocketId>,
    by_user: HashMap<UserId, usize>,
    by_address: HashMap<IpAddr, usize>,
}

impl Sockets {
    pub(super) fn open(&mut self, link: SocketLink) -> Result<SocketId, SocketCap> {
        let of_user = self.by_user.get(&link.user_id).copied().unwrap_or(0);
        let of_address = self.by_address.get(&link.address).copied().unwrap_or(0);
        if link.caps == RateLimits::On && (of_user >= MAX_PER_USER || of_address >= MAX_PER_ADDRESS) {
            return Err(SocketCap);
        }
        self.by_user.insert(link.user_id, of_user + 1);
        self.by_address.insert(link.address, of_address + 1);
        self.next += 1;
        let id = SocketId(self.next);
        self.links.insert(id, link);
        Ok(id)
    }

    pub(super) fn close(&mut self, id: SocketId) {
        self.watching.remove(&id);
        if let Some(link) = self.links.remove(&id) {
            decrement(&mut self.by_user, &link.user_id);
            decrement(&mut self.by_address, &link.address);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    pub(super) fn link(&self, id: SocketId) -> Option<SocketLink> {
        self.links.get(&id).cloned()
    }

    pub(super) fn watch(&mut self, id: SocketId) {
        self.watching.insert(id);
    }

    /// Gives the sockets that hear of every room.
    pub(super) fn watchers(&self) -> Vec<SocketLink> {
        self.watching.iter().filter_map(|id| self.links.get(id)).cloned().collect()
    }

    pub(super) fn has_person(&self, user_id: UserId) -> bool {
        self.by_user.contains_key(&user_id)
    }

    /// Sends a frame to every socket of a person.
    pub(super) fn send_to_person(&self, user_id: UserId, frame: &str) {
        for link in self.links.values().filter(|link| link.user_id == user_id) {
            link.send(frame);
        }
    }

    pub(super) fn sessions_of(&self, user_id: UserId) -> Vec<SessionId> {
        self.links.values().filter(|link| link.user_id == user_id).map(|link| link.session_id.clone()).collect()
    }

    pub(super) fn sessions(&self) -> Vec<SessionId> {
        let sessions: HashSet<&SessionId> = self.links.values().map(|link| &link.session_id).collect();
        sessions.into_iter().cloned().collect()
    }

    pub(super) fn close_session(&self, session_id: &SessionId) {
        for link in self.links.values().filter(|link| link.session_id == *session_id) {
            link.close(CloseReason::SessionOver);
        }
    }

    pub(super) fn close_other_standing(&self, user_id: UserId, standing: Standing) {
        for link in self.links.values().filter(|link| link.user_id == user_id && link.standing != standing) {
            link.close(CloseReason::Restarting);
        }
    }

    pub(super) fn close_all(&self, reason: CloseReason) {
        for link in self.links.values() {
            link.close(reason);
        }
    }
}

fn decrement<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
