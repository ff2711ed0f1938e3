//! A whole history to take along, in the form one likes, read page by page while it is sent.

use std::fmt::Write as _;
use std::sync::Arc;

use aide::transform::TransformOperation;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::chat::{ExportFormat, ExportHistory, ExportedHistory, Message};
use cloudmeet_api_types::room::Room;
use cloudmeet_core::id::RoomId;
use cloudmeet_core::page::SeqRange;
use cloudmeet_core::permission::Action;
use cloudmeet_store::{ConferenceStore, Doing, StoreError};
use futures_util::{Stream, stream};

use super::{Conference, wire_access};
use crate::docs::problems;
use crate::extract::{QueryParams, RoomPath};
use crate::problem::Problem;
use crate::sessions::Acting;

/// How many messages are read at once, and are in memory.
const PAGE: i64 = 1000;

pub(super) async fn export(
    State(conference): State<Arc<Conference>>,
    RoomPath(id): RoomPath,
    Acting(doer): Acting,
    QueryParams(query): QueryParams<ExportHistory>,
) -> Result<Response, Problem> {
    let store = conference.store.clone();
    let access = conference.access(id, &doer.who, Action::Export).await;
    let (format, extension) = (query.format, extension(query.format));
    let detail = Some(extension.to_owned());
    let doing = Doing { action: Action::Export.rule().action, target: None, detail };
    let access = conference.or_recorded(id, &doer, doing.clone(), access).await?;
    conference.limits.export(doer.who.user_id, store.now()).await.map_err(Problem::rate_limited)?;
    store.record_done(id, &doer, &doing).await?;
    let (last_seq, present) = (access.room.last_seq, store.count_present(id).await?);
    let room = wire_access(access, doer.who.user_id, present);
    let mut response = Body::from_stream(written(store, id, last_seq, Form { format, room })).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(format)));
    let name = format!("attachment; filename=\"room-{id}.{extension}\"");
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::try_from(name).unwrap_or(ATTACHMENT));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What begins a new line in a text.
const LINE_ENDS: [char; 7] = ['\r', '\n', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];

const ATTACHMENT: HeaderValue = HeaderValue::from_static("attachment");

pub(super) fn export_docs(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = operation.id("exportHistory").tag("messages").summary("Take a whole history along");
    problems(operation, &[401, 403, 404, 422, 429])
        .description("For the owner and administrators. Streamed; of deleted messages only their place is left.")
        .response::<200, Json<ExportedHistory>>()
}

/// Writes the history piece by piece; a store that fails breaks the answer off, so that nobody takes a part
/// for the whole.
fn written(
    store: ConferenceStore,
    id: RoomId,
    last_seq: i64,
    form: Form,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    // From which message on the next page is; past the last one comes the end.
    stream::try_unfold(Some(1), move |next| {
        let (store, form) = (store.clone(), form.clone());
        async move {
            let Some(first) = next else { return Ok(None) };
            let mut text = if first == 1 { form.head() } else { String::new() };
            let last = last_seq.min(first + PAGE - 1);
            let messages = store.messages(id, SeqRange { first, last }).await?;
            for message in messages {
                form.write(&mut text, &message.into());
            }
            if last == last_seq {
                text.push_str(form.tail());
                return Ok(Some((Bytes::from(text), None)));
            }
            Ok(Some((Bytes::from(text), Some(last + 1))))
        }
    })
}

/// Is how a history is written.
#[derive(Clone)]
struct Form {
    format: ExportFormat,
    room: Room,
}

const fn extension(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Json => "json",
        ExportFormat::Txt => "txt",
        ExportFormat::Html => "html",
    }
}

const fn content_type(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Json => "application/json",
        ExportFormat::Txt => "text/plain; charset=utf-8",
        ExportFormat::Html => "text/html; charset=utf-8",
    }
}

impl Form {
    fn head(&self) -> String {
        match self.format {
            ExportFormat::Json => format!("{{\"room\":{},\"messages\":[\n", json(&self.room)),
            ExportFormat::Txt => format!("{}\n\n", self.room.name),
            ExportFormat::Html => format!(
                "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>{name}</title>\n</head>\n\
                 <body>\n<h1 dir=\"auto\">{name}</h1>\n<dl>\n",
                name = escaped(&self.room.name)
            ),
        }
    }

    fn write(&self, text: &mut String, message: &Message) {
        let time = time(message.created_at);
        let name = &message.user_display_name;
        // A string takes whatever is written.
        let _ = match self.format {
            ExportFormat::Json => {
                if message.seq > 1 {
                    text.push_str(",\n");
                }
                text.write_str(&json(message))
            }
            // A line that begins with a time is a message; the further lines of one are set in.
            ExportFormat::Txt => {
                let said = if message.deleted_at.is_some() { "(deleted)" } else { &message.content };
                writeln!(text, "{time} {name}: {}", said.replace("\r\n", "\n").replace(LINE_ENDS, "\n    "))
            }
            ExportFormat::Html if message.deleted_at.is_some() => {
                writeln!(text, "<dt dir=\"auto\">{time} {}</dt><dd><del></del></dd>", escaped(name))
            }
            ExportFormat::Html => writeln!(
                text,
                "<dt dir=\"auto\">{time} {}</dt><dd dir=\"auto\" style=\"white-space:pre-wrap\">{}</dd>",
                escaped(name),
                escaped(&message.content)
            ),
        };
    }

    const fn tail(&self) -> &'static str {
        match self.format {
            ExportFormat::Json => "\n]}\n",
            ExportFormat::Txt => "",
            ExportFormat::Html => "</dl>\n</body>\n</html>\n",
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("rooms and messages are made of strings and numbers")
}

fn time(time: WireTime) -> String {
    json(&time).trim_matches('"').to_owned()
}

/// Makes a text one that stands in a page as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_does_not_become_markup() {
        assert_eq!(escaped("<img src=x onerror='a'>&\""), "&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot;");
    }
}
