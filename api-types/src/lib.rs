//! Wire types: what crosses REST and the WebSocket, written once for server, CLI and operator.
//!
//! Members of requests are raw: the rules of `cloudmeet-core` judge them. Members of answers are
//! always present, null when empty. Times are RFC 3339 UTC with milliseconds.

pub mod auth;
pub mod chat;
pub mod problem;
pub mod room;
pub mod socket;
mod time;

pub use time::WireTime;
