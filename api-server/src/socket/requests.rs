//! What a client asks over its socket, one frame after the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cloudmeet_api_types::room::Status;
use cloudmeet_api_types::socket::{
    Answer, CLIENT_FRAME_TYPES, ClientFrame, ErrorFrame, SendFrame, ServerFrame, Subscribe,
};
use cloudmeet_core::id::RoomId;
use cloudmeet_core::permission::Action;
use cloudmeet_store::{Hold, HoldEnd, Identity};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt as _};
use serde_json::Value as Json;
use tokio::time::Instant;

use super::{Client, subscription};
use crate::conference::{Conference, Unsent};
use crate::extract::misfit;
use crate::hub::{Remaining, SocketId, SocketLink};
use crate::problem::{Code, Language, Problem};

/// How many messages of one client may be on their way to disk.
const MAX_PENDING: usize = 64;

/// How often a person may show that they type in a room.
const TYPING_INTERVAL: Duration = Duration::from_secs(1);

/// How long an `id` of a request may be, as JSON: it is sent back.
const MAX_ID_BYTES: usize = 256;

/// Says whether the socket goes on after a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handled {
    /// It goes on, whether or not the frame could be obeyed.
    Done,
    /// The frame was none.
    BadFrame,
}

/// Answers a client's frames.
pub(super) struct Requests {
    conference: Arc<Conference>,
    who: Identity,
    language: Language,
    link: SocketLink,
    id: SocketId,
    /// Messages on their way to disk, with what their senders will hear.
    sending: FuturesOrdered<BoxFuture<'static, String>>,
    typed_at: HashMap<RoomId, Instant>,
}

impl Requests {
    pub(super) fn new(conference: Arc<Conference>, client: &Client, link: SocketLink, id: SocketId) -> Self {
        Self {
            conference,
            who: client.identity.clone(),
            language: client.language,
            link,
            id,
            sending: FuturesOrdered::new(),
            typed_at: HashMap::new(),
        }
    }

    pub(super) fn are_pending(&self) -> bool {
        !self.sending.is_empty()
    }

    /// Waits for the next message to be stored, and answers its sender.
    pub(super) async fn answer_next(&mut self) {
        if let Some(answer) = self.sending.next().await {
            self.link.send(answer);
        }
    }

    /// Says that a frame was none.
    pub(super) fn refuse_frame(&self) {
        self.refuse(None, None, &Code::BadFrame.into());
    }

    /// Obeys a frame, or says why not.
    pub(super) async fn handle(&mut self, text: &str) -> Handled {
        let Ok(Json::Object(object)) = serde_json::from_str::<Json>(text) else {
            self.refuse_frame();
            return Handled::BadFrame;
        };
        let id = object.get("id").filter(|id| !id.is_null()).cloned();
        let Some(Json::String(kind)) = object.get("type") else {
            self.refuse_frame();
            return Handled::BadFrame;
        };
        if id.as_ref().is_some_and(|id| id.to_string().len() > MAX_ID_BYTES) {
            let rule = cloudmeet_core::text::TextError::TooLong { max: MAX_ID_BYTES };
            self.refuse(None, None, &Problem::invalid_field("id", rule));
            return Handled::Done;
        }
        if !CLIENT_FRAME_TYPES.contains(&kind.as_str()) {
            self.refuse(id.as_ref(), None, &Code::UnknownType.into());
            return Handled::Done;
        }
        let client_msg_id = object.get("client_msg_id").and_then(Json::as_str).map(str::to_owned);
        let frame = match serde_path_to_error::deserialize::<_, ClientFrame>(Json::Object(object)) {
            Ok(frame) => frame,
            Err(error) => {
                let problem = misfit(&error.path().to_string(), error.inner().to_string());
                self.refuse(id.as_ref(), client_msg_id, &problem);
                return Handled::Done;
            }
        };
        if let Err(problem) = self.obey(frame, id.as_ref()).await {
            self.refuse(id.as_ref(), client_msg_id, &problem);
        }
        Handled::Done
    }

    async fn obey(&mut self, frame: ClientFrame, id: Option<&Json>) -> Result<(), Problem> {
        match frame {
            ClientFrame::Ping => self.answer(id, ServerFrame::Pong),
            ClientFrame::WatchRooms => {
                self.conference.hub.watch_rooms(self.id);
                self.answer(id, ServerFrame::WatchingRooms);
            }
            ClientFrame::Subscribe(subscribe) => self.subscribe(subscribe, id).await?,
            ClientFrame::Unsubscribe { room_id } => self.unsubscribe(room(room_id)?, id).await?,
            ClientFrame::Status { room_id, status } => self.set_status(room(room_id)?, status, id).await?,
            ClientFrame::Typing { room_id } => self.typing(room(room_id)?).await?,
            ClientFrame::Send(frame) => self.send(frame, id).await?,
        }
        Ok(())
    }

    async fn subscribe(&mut self, request: Subscribe, id: Option<&Json>) -> Result<(), Problem> {
        let context = subscription::Context {
            conference: &self.conference,
            who: &self.who,
            link: &self.link,
            socket_id: self.id,
        };
        subscription::subscribe(&context, room(request.room_id)?, &request, |frame| with_id(id, frame)).await
    }

    async fn unsubscribe(&mut self, room_id: RoomId, id: Option<&Json>) -> Result<(), Problem> {
        let remaining = self.conference.hub.unsubscribe(room_id, self.id).ok_or(Code::NotSubscribed)?;
        if remaining == Remaining::None {
            self.conference.release(room_id, self.who.user_id, HoldEnd::Closed).await;
        }
        self.answer(id, ServerFrame::Unsubscribed { room_id: room_id.get() });
        Ok(())
    }

    async fn set_status(&mut self, room_id: RoomId, status: Status, id: Option<&Json>) -> Result<(), Problem> {
        self.conference.access(room_id, &self.who, Action::Speak).await?;
        if !self.conference.hub.follows(room_id, self.id) {
            return Err(Code::NotSubscribed.into());
        }
        let hold = Hold { server_id: &self.conference.server_id, socket_id: &self.link.key };
        // Noted before it is stored: whoever takes over meanwhile must find who was inside.
        let before = self.conference.hub.set_said(room_id, self.id, Some(status.into()));
        match self.conference.store.set_status(room_id, self.who.actor(), hold, status.into()).await {
            Ok(participant) => {
                self.conference.hub.publish_participant(participant);
                self.conference.hub.settle(room_id, self.id);
            }
            Err(failure) => {
                self.conference.hub.set_said(room_id, self.id, before);
                self.conference.hub.settle(room_id, self.id);
                return Err(failure.into());
            }
        }
        self.answer(id, ServerFrame::StatusSet { room_id: room_id.get(), status });
        Ok(())
    }

    async fn typing(&mut self, room_id: RoomId) -> Result<(), Problem> {
        let now = Instant::now();
        self.typed_at.retain(|_, at| now.duration_since(*at) < TYPING_INTERVAL);
        // More often than others need to see it, it is left out without a word.
        if self.typed_at.contains_key(&room_id) {
            return Ok(());
        }
        self.conference.access(room_id, &self.who, Action::Speak).await?;
        if !self.conference.hub.follows(room_id, self.id) {
            return Err(Code::NotSubscribed.into());
        }
        self.typed_at.insert(room_id, now);
        self.conference.hub.publish_typing(room_id, self.who.user_id);
        self.conference.store.announce_typing(room_id, self.who.user_id);
        Ok(())
    }

    /// Hands a message to the writer and goes on reading: the next message follows it in order, and
    /// may share its commit.
    async fn send(&mut self, frame: SendFrame, id: Option<&Json>) -> Result<(), Problem> {
        let room_id = room(frame.room_id)?;
        while self.sending.len() >= MAX_PENDING {
            self.answer_next().await;
        }
        let client_msg_id = frame.client_msg_id.clone();
        let unsent =
            Unsent { room_id, content: frame.content, client_msg_id: frame.client_msg_id, reply_to: frame.reply_to };
        let storing = self.conference.submit(self.who.user_id, unsent).await?;
        let (id, language) = (id.cloned(), self.language);
        self.sending.push_back(Box::pin(async move {
            let frame = match storing.await {
                Ok(sent) => ServerFrame::Sent { client_msg_id, message: sent.message.into() },
                Err(error) => ServerFrame::Error(error_frame(&error.into(), language, client_msg_id)),
            };
            with_id(id.as_ref(), frame)
        }));
        Ok(())
    }

    fn answer(&self, id: Option<&Json>, frame: ServerFrame) {
        self.link.send(with_id(id, frame));
    }

    fn refuse(&self, id: Option<&Json>, client_msg_id: Option<String>, problem: &Problem) {
        let frame = ServerFrame::Error(error_frame(problem, self.language, client_msg_id));
        self.answer(id, frame);
    }
}

/// Encodes an answer with the `id` of its request, if that had one; an error always has the member,
/// so that a program can tell whose it is.
fn with_id(id: Option<&Json>, frame: ServerFrame) -> String {
    let id = id.cloned().or_else(|| matches!(frame, ServerFrame::Error(_)).then_some(Json::Null));
    serde_json::to_string(&Answer { id, frame }).expect("frames are made of strings, numbers and lists")
}

fn error_frame(problem: &Problem, language: Language, client_msg_id: Option<String>) -> ErrorFrame {
    ErrorFrame {
        code: problem.code().as_str().to_owned(),
        detail: problem.detail(language),
        client_msg_id,
        retry_after: problem.retry_after(),
        errors: problem.fields(language),
    }
}

fn room(id: i64) -> Result<RoomId, Problem> {
    RoomId::new(id).ok_or_else(|| Code::RoomNotFound.into())
}
