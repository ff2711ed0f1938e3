//! The operator: keeps rooms as `Room` resources of a Kubernetes cluster describe them.
//!
//! What decides is [`plan`] with [`desired`] and [`status`]: plain functions. [`reconcile`] does what they say for one
//! resource, [`controller`] says for which and when, [`follow`] hears what happens on the server, and [`lease`] sees
//! that of several operators one acts. Nothing is kept in the process that a crash may not take.

pub mod cloudmeet;
pub mod cluster;
pub mod config;
pub mod controller;
pub mod crd;
pub mod desired;
pub mod events;
pub mod fence;
pub mod follow;
pub mod jitter;
pub mod lease;
pub mod limiter;
pub mod memory;
pub mod metrics;
pub mod mirror;
pub mod operator;
pub mod plan;
pub mod probes;
pub mod reason;
pub mod reconcile;
pub mod resource;
pub mod status;
pub mod telemetry;
pub mod triggers;
