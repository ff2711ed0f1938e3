//! CloudMeet's server: REST, WebSocket and web UI over the rules of `cloudmeet-core`.
//!
//! Handlers parse, let core and store decide, publish and answer; nothing else. `roles` puts them
//! together, `server` runs the result.

pub mod access_token;
pub mod accounts;
pub mod auth;
pub mod auth_service;
pub mod client_address;
pub mod conference;
pub mod config;
pub mod data_dir;
pub mod docs;
pub mod docs_ui;
pub mod edge;
pub mod extract;
pub mod gateway;
pub mod hash_pool;
pub mod health;
pub mod healthcheck;
pub mod hub;
mod letters;
mod listen;
pub mod metrics;
pub mod observe;
pub mod origin;
pub mod problem;
pub mod random;
pub mod rate_limit;
pub mod roles;
pub use cloudmeet_core::secret;
pub mod server;
pub mod sessions;
pub mod single_flight;
pub mod socket;
pub mod tasks;
pub mod telemetry;
pub mod this_server;
mod unread_body;
pub mod upstream;
pub mod web_ui;
