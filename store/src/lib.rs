//! `CloudMeet`'s state in SQLite or Postgres, by one text of SQL.
//!
//! Two databases, never joined: [`AuthStore`] holds accounts and sessions, [`ConferenceStore`]
//! rooms, people and messages. Decisions are `cloudmeet-core`'s; they are taken inside the
//! transaction that stores their outcome. Every mutation leaves a row in its database's table of
//! changes, which every server follows.

pub mod data;

mod auth;
mod bus;
mod changes;
mod clock;
mod conference;
mod db;
mod doer;
mod error;
mod kept;
mod letter;
mod migrate;
mod reader;
mod redis_client;
mod trace;
mod value;
mod writer;

pub use auth::{
    AccountError, AccountFilter, ApiKey, AuthStore, ChangedAccount, EmailTaken, InvalidResetCode, LiveSession,
    NewAccount, NewApiKey, NewSession, NoSuchKey, PasswordReplaced, RegisterError, RenewError, Renewed, SealedKey,
};
pub use bus::{Bus, Hints};
pub use changes::{AccountChange, ChangeRow, RoomChange, Tail};
pub use clock::Clock;
pub use conference::{
    Accesses, AllAdmitted, Batches, Census, ConferenceStore, Deed, Doing, Draft, HandOnError, HistoryVersion, Hold,
    HoldEnd, JoinOutcome, KeepError, Kept, KeptRoom, LeaveError, LinkCodeError, ListFilter, ManagedRoom, MessageChange,
    MessageError, ModerateError, Moderated, NewRoom, OverMeetings, People, Proof, Resource, RoomAccess, RoomAudience,
    RoomError, RoomListing, SEARCH_BLOCK, SearchFrom, Secrets, Sent, TicketHolder, Wanted, WantedPassword,
};
pub use db::{Location, OpenError};
pub use doer::{Doer, Identity};
pub use error::{Failure, StoreError};
pub use letter::Letter;
pub use reader::AccessReader;
pub use redis_client::{NotRedis, Quota, Redis, RedisRequests};
pub use writer::{MessageWriter, SubmitError};
