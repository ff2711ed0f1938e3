//! The contract of the stores: every case runs on SQLite and on Postgres.
//!
//! `TEST_DATABASE_URL` names a Postgres whose user may create databases; without it the Postgres
//! half fails, it is never skipped.

#![allow(clippy::unwrap_used, missing_docs)]

mod administration;
mod auth;
mod backup;
mod copy;
mod installation;
mod messages;
mod opening;
mod people;
mod rooms;
mod rules;
mod search;
mod support;
