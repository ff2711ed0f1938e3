//! How the installation runs, for administrators.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WireTime;

/// Is how the installation runs at this moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct System {
    /// Who is there; null while the store of rooms does not answer.
    pub census: Option<Census>,
    /// The server that answers, and where the services are apart one of the auth service.
    pub servers: Vec<ServerState>,
}

/// Counts rooms and people, over all servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct Census {
    /// Rooms that were not deleted.
    pub rooms: i64,
    /// Those of them in which somebody is.
    pub live_rooms: i64,
    /// People who have a room open or are in a call, each counted once.
    pub people_online: i64,
    /// Those of them who are in a call.
    pub people_in_call: i64,
}

/// Says whether something answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// It answers.
    Up,
    /// It does not.
    Away,
}

/// Is a server as it says itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct ServerState {
    /// What it does: `all`, `auth` or `conference`.
    pub role: String,
    /// Whether it answers; of one that does not, nothing else is known.
    pub status: Reach,
    /// Its release; null where it does not say.
    pub version: Option<String>,
    /// When it started, by its store's clock; null where it does not say.
    pub started_at: Option<WireTime>,
    /// The databases that it works on.
    pub stores: Vec<StoreState>,
    /// Redis, as this server sees it; null where none is configured.
    pub redis: Option<RedisState>,
    /// How many sockets it holds; null where it holds none by its role.
    pub sockets: Option<i64>,
}

/// Is a database as a server sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct StoreState {
    /// What is in it: `accounts` or `rooms`.
    pub holds: String,
    /// What it is: `sqlite` or `postgres`.
    pub engine: String,
    /// Whether it answers.
    pub status: Reach,
    /// How long it took to answer, in milliseconds; null when it did not.
    pub latency_ms: Option<f64>,
}

/// Is Redis as a server sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = crate::all_required)]
pub struct RedisState {
    /// Whether it carries hints between servers; while it does not, everything works, with other servers' changes a
    /// second or two later.
    pub status: Reach,
    /// How long the server's last hint to itself took, in milliseconds; null before the first.
    pub latency_ms: Option<f64>,
}
