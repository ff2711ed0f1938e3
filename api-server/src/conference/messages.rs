//! Sending, reading, editing and deleting messages.

use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use cloudmeet_api_types::chat::{EditMessage, ListMessages, Message, MessagePage, SendMessage};
use cloudmeet_core::chat::Content;
use cloudmeet_core::page::{Cursor, PageLimit, locate};
use cloudmeet_core::permission::{Action, SOMEBODY};
use cloudmeet_store::{Doing, SearchFrom};

use super::pages::PageName;
use super::{Conference, Unsent, json_bytes};
use crate::docs::problems;
use crate::extract::{JsonBody, MessagePath, QueryParams, RoomPath, searched};
use crate::problem::{Code, Problem, Rule};
use crate::sessions::{Acting, Caller};

pub(super) async fn send(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    JsonBody(body): JsonBody<SendMessage>,
) -> Result<(StatusCode, Json<Message>), Problem> {
    let who = caller.identity;
    // A sign of life; whether they may speak is judged where the message is stored.
    conference.access(id, &who, Action::SeeRoom).await?;
    let unsent =
        Unsent { room_id: id, content: body.content, client_msg_id: body.client_msg_id, reply_to: body.reply_to };
    let sent = conference.submit(who.user_id, unsent).await?.await?;
    let status = if sent.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(sent.message.into())))
}

pub(super) fn send_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422, 429, 503];
    problems(operation.id("sendMessage").tag("messages").summary("Send a message"), &codes)
        .description("Answered when the message is on disk. The same `client_msg_id` again stores nothing.")
        .response_with::<201, Json<Message>, _>(|answer| answer.description("The message is stored."))
        .response_with::<200, Json<Message>, _>(|answer| answer.description("It was stored before."))
}

pub(super) async fn list(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    caller: Caller,
    QueryParams(query): QueryParams<ListMessages>,
) -> Result<Response, Problem> {
    let limit = match query.limit {
        None => PageLimit::DEFAULT,
        Some(limit) => PageLimit::new(limit)
            .ok_or_else(|| Problem::invalid_field("limit", Rule::OutOfRange { min: 1, max: Some(PageLimit::MAX) }))?,
    };
    let cursor = cursor(&query)?;
    let text = searched(query.query).map_err(|error| Problem::invalid_field("query", error))?;
    let access = conference.access(id, &caller.identity, Action::ReadMessages).await?;
    let total = access.room.last_seq;
    if let Some(text) = text {
        let who = caller.identity.user_id;
        conference.limits.search(who, conference.store.now()).await.map_err(Problem::rate_limited)?;
        let _turn = conference.searches.acquire().await.map_err(|_| Code::Overloaded)?;
        let found = conference.store.search_messages(id, &text, search_from(cursor, total), limit.get(), total).await?;
        let page = MessagePage { messages: found.into_iter().map(Message::from).collect(), total };
        return Ok(Json(page).into_response());
    }
    let range = locate(cursor, limit, total);
    let read = async {
        let messages = conference.store.messages(id, range).await?;
        let page = MessagePage { messages: messages.into_iter().map(Message::from).collect(), total };
        Ok(serde_json::to_vec(&page).expect("pages are made of strings, numbers and lists").into())
    };
    let page = if cursor == (Cursor::Newest { skip: 0 }) {
        let name = PageName { history: access.history_version(), first: range.first };
        conference.pages.page(name, read).await.map_err(|error| Problem::from(&*error))?
    } else {
        read.await?
    };
    Ok(json_bytes(page))
}

pub(super) fn list_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("listMessages").tag("messages").summary("Read messages"), &[401, 403, 404, 422, 429])
        .description(
            "Without a cursor the newest page. One cursor at a time; pages are ascending. With `query` only messages \
             that hold it, the newest of them first sought.",
        )
        .response::<200, Json<MessagePage>>()
}

pub(super) async fn edit(
    State(conference): State<Arc<Conference>>,
    path: MessagePath,
    Acting(doer): Acting,
    JsonBody(body): JsonBody<EditMessage>,
) -> Result<Json<Message>, Problem> {
    let content = Content::parse(body.content).map_err(|error| Problem::invalid_field("content", error))?;
    conference.access(path.room_id, &doer.who, Action::ReadMessages).await?;
    let outcome = conference.store.edit_message(path.room_id, path.message_id, doer.actor(), &content).await;
    let change = conference.or_recorded(path.room_id, &doer, about(path, EDIT), outcome.map_err(Problem::from)).await?;
    if change.changed {
        conference.hub.publish_revision(change.message.clone());
    }
    Ok(Json(change.message.into()))
}

pub(super) fn edit_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let codes = [400, 401, 403, 404, 409, 413, 415, 422];
    problems(operation.id("editMessage").tag("messages").summary("Edit a message"), &codes)
        .description("For its author.")
        .response::<200, Json<Message>>()
}

pub(super) async fn delete(
    State(conference): State<Arc<Conference>>,
    path: MessagePath,
    Acting(doer): Acting,
) -> Result<StatusCode, Problem> {
    conference.access(path.room_id, &doer.who, Action::ReadMessages).await?;
    let outcome = conference.store.delete_message(path.room_id, path.message_id, &doer).await;
    let change =
        conference.or_recorded(path.room_id, &doer, about(path, DELETE), outcome.map_err(Problem::from)).await?;
    if change.changed {
        conference.hub.publish_revision(change.message);
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn delete_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    problems(operation.id("deleteMessage").tag("messages").summary("Delete a message"), &[401, 403, 404, 409])
        .description("For its author, the owner and moderators. A tombstone keeps its number.")
        .response::<204, ()>()
}

const EDIT: &str = Action::EditMessage(SOMEBODY).rule().action;
const DELETE: &str = Action::DeleteMessage(SOMEBODY).rule().action;

/// Is what somebody wanted to do to a message, for the record.
fn about(path: MessagePath, action: &'static str) -> Doing {
    Doing { action, target: None, detail: Some(format!("message id {}", path.message_id)) }
}

/// Says from where to look: what a page leaves out is counted in messages, found or not.
fn search_from(cursor: Cursor, last_seq: i64) -> SearchFrom {
    match cursor {
        Cursor::Newest { skip } => SearchFrom::Before(last_seq.saturating_sub(skip).saturating_add(1)),
        Cursor::Before(seq) => SearchFrom::Before(seq),
        Cursor::After(seq) => SearchFrom::After(seq),
    }
}

/// Reads which page is wanted: one cursor or none.
fn cursor(query: &ListMessages) -> Result<Cursor, Problem> {
    let not_negative =
        |field: &str, value: i64| Rule::in_range(value, 0, None).map_err(|rule| Problem::invalid_field(field, rule));
    match (query.skip, query.before_seq, query.after_seq) {
        (None, None, None) => Ok(Cursor::Newest { skip: 0 }),
        (Some(skip), None, None) => Ok(Cursor::Newest { skip: not_negative("skip", skip)? }),
        (None | Some(0), Some(seq), None) => Ok(Cursor::Before(not_negative("before_seq", seq)?)),
        (None | Some(0), None, Some(seq)) => Ok(Cursor::After(not_negative("after_seq", seq)?)),
        _ => Err(Problem::invalid_field(
            "before_seq",
            Rule::WrongType("skip, before_seq and after_seq exclude each other".to_owned()),
        )),
    }
}
