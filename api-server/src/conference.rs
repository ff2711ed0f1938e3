//! Rooms, people and messages over REST, and what REST and the socket share.

mod deeds;
mod entry;
mod export;
mod managed;
mod meeting;
mod messages;
mod pages;
mod people;
mod permissions;
mod rooms;
mod search_blocks;
mod settings;
mod system;
mod tickets;

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, patch_with, post_with};
use axum::extract::FromRef;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use cloudmeet_api_types::room::{Participant, Room as WireRoom, RoomView};
use cloudmeet_core::account::Standing;
use cloudmeet_core::chat::{ClientMsgId, Content};
use cloudmeet_core::id::{MessageId, RoomId, UserId};
use cloudmeet_core::permission::{Action, Actor, Membership, administers, permit, role_in, sees};
use cloudmeet_store::{
    AccessReader, ConferenceStore, Doer, Doing, Draft, Identity, ListFilter, MessageWriter, RoomAccess, RoomListing,
    Sent, StoreError, SubmitError,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use self::managed::FOLLOWERS;
pub use self::pages::PageCache;
pub use self::search_blocks::SearchBlocks;
use crate::accounts::Accounts;
use crate::client_address::ClientAddress;
use crate::extract::FieldErrors;
use crate::hash_pool::HashPool;
use crate::hub::Hub;
use crate::origin::Names;
use crate::problem::{Code, Problem, Rule};
use crate::rate_limit::{DoorTry, Limits};
use crate::sessions::Sessions;
use crate::single_flight::SingleFlight;
use crate::this_server::ThisServer;

/// Is what the conference's handlers and sockets work with. Cheap to clone.
#[derive(Clone, FromRef)]
pub struct ConferenceState {
    /// The conference itself.
    pub conference: Arc<Conference>,
    /// Who knows callers.
    pub sessions: Sessions,
    /// Who knows our own pages.
    pub names: Names,
}

/// Is the conference: its store, its writer and its hub.
pub struct Conference {
    /// Where rooms are.
    pub store: ConferenceStore,
    /// Who knows accounts.
    pub accounts: Accounts,
    /// Who asks what people are to rooms.
    pub reader: AccessReader,
    /// Who stores messages.
    pub writer: MessageWriter,
    /// Who tells sockets.
    pub hub: Hub,
    /// The newest pages, as they were answered.
    pub pages: PageCache,
    /// Lists of rooms, read once for all who ask the same at once.
    pub lists: SingleFlight<(Actor, ListFilter), Result<Bytes, Arc<StoreError>>>,
    /// Whose turn it is to look through a history: each reads up to some tens of megabytes.
    pub searches: Semaphore,
    /// What is limited.
    pub limits: Arc<Limits>,
    /// Who hashes the passwords of rooms.
    pub hashes: HashPool,
    /// The address that people type, as far as this server was told.
    pub public_url: Option<Url>,
    /// This server's name in the store.
    pub server_id: String,
    /// What this server says of itself.
    pub this_server: ThisServer,
    /// The places of those who follow managed rooms.
    pub followers: Arc<Semaphore>,
    /// Cancelled when the server stops: what would go on and on ends.
    pub stop: CancellationToken,
}

impl Conference {
    /// Finds a room for somebody who may do something in it. By being asked, the room sees a sign
    /// of life of its member.
    ///
    /// # Errors
    /// [`Problem`]: why not.
    pub async fn access(&self, id: RoomId, who: &Identity, action: Action) -> Result<RoomAccess, Problem> {
        let access = self.find(id, who.user_id).await?;
        permit(action, who.actor(), &access.room, access.membership(), self.store.now())?;
        // Whoever reads need not hear that nothing can be written.
        if let Some(participant) = &access.participant
            && let Err(error) = self.store.touch(participant).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, room.id = id.get(), "presence not prolonged");
        }
        Ok(access)
    }

    /// The same for what is recorded when it is forbidden.
    async fn access_of(&self, id: RoomId, doer: &Doer, action: Action) -> Result<RoomAccess, Problem> {
        let outcome = self.access(id, &doer.who, action).await;
        let doing = Doing { action: action.rule().action, target: action.towards(), detail: None };
        self.or_recorded(id, doer, doing, outcome).await
    }

    /// Finds a room for somebody who shows a link code: it exists for them, too.
    async fn access_by_code(
        &self,
        id: RoomId,
        (who, client): (&Identity, ClientAddress),
        code: String,
    ) -> Result<RoomAccess, Problem> {
        let at = DoorTry { user_id: who.user_id, room_id: id, address: client.rate_key() };
        self.count_key(at).await?;
        let mut access = self.find(id, who.user_id).await?;
        let is_seen = sees(who.actor(), &access.room, access.membership());
        if is_seen || self.is_code(id, code).await? {
            self.limits.was_right_key(at).await;
            if access.membership() == Membership::Stranger && !is_seen {
                access.invite();
            }
        }
        permit(Action::SeeRoom, who.actor(), &access.room, access.membership(), self.store.now())?;
        Ok(access)
    }

    /// Finds somebody else, for administrators.
    async fn somebody(&self, asking: &Identity, id: i64) -> Result<Identity, Problem> {
        if asking.user_id.get() == id {
            return Ok(asking.clone());
        }
        if !administers(asking.actor()) {
            return Err(Code::Forbidden.into());
        }
        let user_id = UserId::new(id).ok_or(Code::UserNotFound)?;
        let person = self.accounts.person(user_id).await.map_err(|error| Problem::from(&error))?;
        let person = person.filter(|person| person.is_active).ok_or(Code::UserNotFound)?;
        let standing = person.standing.unwrap_or(Standing::Ordinary);
        Ok(Identity { user_id, display_name: person.display_name, standing })
    }

    /// Is a room as a person sees it now.
    async fn room_for(&self, id: RoomId, who: &Identity) -> Result<WireRoom, Problem> {
        let access = self.access(id, who, Action::SeeRoom).await?;
        let present = self.store.count_present(id).await?;
        Ok(wire_access(access, who.user_id, present))
    }

    /// Lists who waits in a room's lobby, for who may see it; nobody for anybody else.
    ///
    /// # Errors
    /// [`Problem`]: the store is away.
    pub async fn waiting_for(&self, access: &RoomAccess, who: &Identity) -> Result<Vec<Participant>, Problem> {
        let may = permit(Action::SeeLobby, who.actor(), &access.room, access.membership(), self.store.now());
        let waiting = if may.is_ok() { self.store.waiting(access.room.id).await? } else { Vec::new() };
        Ok(waiting.into_iter().map(Participant::from).collect())
    }

    /// Finds a room and what a person is to it, whatever they may.
    ///
    /// # Errors
    /// [`Problem`]: there is none, or the store is away.
    pub async fn find(&self, id: RoomId, user_id: UserId) -> Result<RoomAccess, Problem> {
        let access = self.reader.access(id, user_id).await.map_err(|error| Problem::from(&*error))?;
        access.ok_or_else(|| Code::RoomNotFound.into())
    }

    /// Judges a message and hands it to the writer; what comes back waits until it is on disk.
    ///
    /// # Errors
    /// [`Problem`]: why it was not taken.
    pub async fn submit(
        &self,
        who: UserId,
        message: Unsent,
    ) -> Result<impl Future<Output = Result<Sent, SubmitError>> + Send + use<>, Problem> {
        self.limits.message(who, self.store.now()).await.map_err(Problem::rate_limited)?;
        Ok(self.writer.submit(message.judge(who)?)?)
    }
}

/// Is a message as a client gave it.
#[derive(Debug)]
pub struct Unsent {
    /// Where it is to be said.
    pub room_id: RoomId,
    /// What.
    pub content: String,
    /// The sender's own name for it.
    pub client_msg_id: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
}

impl Unsent {
    /// Judges the fields.
    ///
    /// # Errors
    /// [`Problem`] with all broken fields.
    pub fn judge(self, user_id: UserId) -> Result<Draft, Problem> {
        let mut errors = FieldErrors::default();
        let content = errors.take("content", Content::parse(self.content));
        let client_msg_id = errors.take("client_msg_id", self.client_msg_id.map(ClientMsgId::parse).transpose());
        let reply_to = self.reply_to.map(|id| MessageId::new(id).ok_or(Rule::UnknownReference)).transpose();
        let reply_to = errors.take("reply_to", reply_to);
        errors.check()?;
        match (content, client_msg_id, reply_to) {
            (Some(content), Some(client_msg_id), Some(reply_to)) => {
                Ok(Draft { room_id: self.room_id, user_id, content, client_msg_id, reply_to })
            }
            _ => Err(Code::Invalid.into()),
        }
    }
}

/// How many histories are looked through at once.
pub const SEARCHES_AT_ONCE: usize = 2;

/// How many lists of rooms are read at once. While they are, the same questions gather and share a reading;
/// more at once would save fewer.
pub const LISTS_AT_ONCE: usize = 2;

/// Answers with JSON that is already written.
fn json_bytes(json: Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}

/// Is a listing as its person gets it.
#[must_use]
pub fn wire_room(listing: RoomListing, user_id: UserId) -> WireRoom {
    let my_role = role_in(&listing.room, user_id, listing.membership);
    WireRoom::new(listing.room, RoomView { participants_count: listing.present, unread: listing.unread, my_role })
}

/// Is a room as somebody who asked for it gets it, with so many people who are not offline.
#[must_use]
pub fn wire_access(access: RoomAccess, user_id: UserId, present: i64) -> WireRoom {
    let my_role = role_in(&access.room, user_id, access.membership());
    let view = RoomView { participants_count: present, unread: access.unread(), my_role };
    WireRoom::new(access.room, view)
}

/// The REST interface of rooms.
pub fn routes() -> ApiRouter<ConferenceState> {
    ApiRouter::new()
        .api_route("/api/rooms", get_with(rooms::list, rooms::list_docs).post_with(rooms::create, rooms::create_docs))
        .api_route(
            "/api/rooms/{id}",
            get_with(rooms::detail, rooms::detail_docs)
                .patch_with(rooms::update, rooms::update_docs)
                .delete_with(rooms::delete, rooms::delete_docs),
        )
        .api_route("/api/rooms/{id}/join", post_with(entry::join, entry::join_docs))
        .api_route("/api/rooms/{id}/leave", post_with(entry::leave, entry::leave_docs))
        .api_route("/api/rooms/{id}/read", post_with(entry::mark_read, entry::mark_read_docs))
        .merge(people::routes())
        .api_route("/api/rooms/{id}/end", post_with(meeting::end, meeting::end_docs))
        .api_route("/api/rooms/{id}/owner", post_with(meeting::hand_on, meeting::hand_on_docs))
        .api_route(
            "/api/rooms/{id}/link-code",
            get_with(meeting::link_code, meeting::link_code_docs)
                .post_with(meeting::renew_link_code, meeting::renew_link_code_docs),
        )
        .api_route("/api/rooms/{id}/can-i", get_with(permissions::can_i, permissions::can_i_docs))
        .api_route("/api/rooms/{id}/audit", get_with(deeds::of_room, deeds::of_room_docs))
        .api_route("/api/audit", get_with(deeds::of_all, deeds::of_all_docs))
        .api_route("/api/system", get_with(system::read, system::read_docs))
        .api_route("/api/rooms/{id}/export", get_with(export::export, export::export_docs))
        .api_route(
            "/api/rooms/{id}/messages",
            get_with(messages::list, messages::list_docs).post_with(messages::send, messages::send_docs),
        )
        .api_route(
            "/api/rooms/{id}/messages/{message_id}",
            patch_with(messages::edit, messages::edit_docs).merge(delete_with(messages::delete, messages::delete_docs)),
        )
        .merge(managed::routes())
        .api_route("/api/ws-ticket", post_with(tickets::issue, tickets::issue_docs))
}
