//! The rules of `CloudMeet`, free of any edge.
//!
//! Everything here is a plain function or type: no I/O, no clock, no randomness, no async runtime.
//! Time comes in as [`time::Timestamp`], randomness as bytes. A decision takes state, who acts and
//! when, and answers with what changes or with an error that says why not.

pub mod account;
pub mod api_key;
pub mod chat;
pub mod crypto;
pub mod entry;
pub mod id;
pub mod managed;
pub mod moderation;
pub mod page;
pub mod participant;
pub mod password;
pub mod permission;
pub mod presence;
pub mod room;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod text;
pub mod time;
pub mod token;
