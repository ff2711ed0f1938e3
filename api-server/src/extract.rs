//! What handlers take from a request: JSON bodies, queries and ids, refused with a [`Problem`].

use std::sync::Arc;
use std::time::Duration;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::BytesMut;
use cloudmeet_core::id::{ApiKeyId, MessageId, RoomId, UserId};
use cloudmeet_core::managed::{Keeper, ManagerName, ResourceUid};
use cloudmeet_core::room::Slug;
use cloudmeet_core::text::{TextError, check_length};
use futures_util::StreamExt as _;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::conference::Conference;
use crate::problem::{Code, FieldError, Problem, Rule};
use crate::sessions::{Caller, Sessions};

/// The longest body that is read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How much of a body that is too long is taken and thrown away: an answer to a client that still
/// sends would break its pipe and never be read.
const MAX_DRAINED_BYTES: usize = 8 * 1024 * 1024;

/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// Is a JSON body that must be there.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// Is a JSON body that may be absent.
#[derive(Debug)]
pub struct OptionalJsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = declares_json(request.headers());
        let body = read(request.into_body()).await?;
        if !is_json {
            return Err(Code::UnsupportedMediaType.into());
        }
        parse(&body).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = declares_json(request.headers());
        let body = read(request.into_body()).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json {
            return Err(Code::UnsupportedMediaType.into());
        }
        parse(&body).map(Self)
    }
}

impl<T: JsonSchema> OperationInput for JsonBody<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::Json::<T>::operation_input(ctx, operation);
    }
}

impl<T: JsonSchema> OperationInput for OptionalJsonBody<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::Json::<T>::operation_input(ctx, operation);
        if let Some(aide::openapi::ReferenceOr::Item(body)) = &mut operation.request_body {
            body.required = false;
        }
    }
}

/// Is a query string.
#[derive(Debug)]
pub struct QueryParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let deserializer = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let field = error.path().to_string();
            misfit(&field, error.into_inner().to_string())
        })
    }
}

impl<T: JsonSchema> OperationInput for QueryParams<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Query::<T>::operation_input(ctx, operation);
    }
}

/// Is the room of a path, by its id or its slug; one that is not there is a 404.
#[derive(Debug, Clone, Copy)]
pub struct RoomPath(pub RoomId);

#[derive(Deserialize, JsonSchema)]
struct RoomSegments {
    /// The room's id, or its slug.
    id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for RoomPath
where
    Arc<Conference>: FromRef<S>,
    Sessions: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = Path::<RoomSegments>::from_request_parts(parts, state).await;
        let Ok(Path(segments)) = segments else { return Err(Code::RoomNotFound.into()) };
        find_room(parts, state, &segments.id).await.map(Self)
    }
}

impl OperationInput for RoomPath {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<RoomSegments>::operation_input(ctx, operation);
    }
}

/// Finds the room that a path names.
async fn find_room<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<RoomId, Problem>
where
    Arc<Conference>: FromRef<S>,
    Sessions: FromRef<S>,
{
    if let Some(id) = RoomId::parse(name) {
        return Ok(id);
    }
    // Which names are taken is nobody's business outside.
    Caller::from_request_parts(parts, state).await?;
    let slug = Slug::parse(name).map_err(|_| Code::RoomNotFound)?;
    let conference = Arc::<Conference>::from_ref(state);
    conference.store.room_of_slug(&slug).await?.ok_or_else(|| Code::RoomNotFound.into())
}

/// Is a message of a room in a path.
#[derive(Debug, Clone, Copy)]
pub struct MessagePath {
    /// The room.
    pub room_id: RoomId,
    /// The message.
    pub message_id: MessageId,
}

#[derive(Deserialize, JsonSchema)]
struct MessageSegments {
    /// The room's id, or its slug.
    id: String,
    /// The message's id.
    message_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for MessagePath
where
    Arc<Conference>: FromRef<S>,
    Sessions: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(Path(segments)) = Path::<MessageSegments>::from_request_parts(parts, state).await else {
            return Err(Code::NotFound.into());
        };
        Ok(Self {
            room_id: find_room(parts, state, &segments.id).await?,
            message_id: MessageId::parse(&segments.message_id).ok_or(Code::MessageNotFound)?,
        })
    }
}

impl OperationInput for MessagePath {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<MessageSegments>::operation_input(ctx, operation);
    }
}

/// Is a person in a room in a path.
#[derive(Debug, Clone, Copy)]
pub struct PersonPath {
    /// The room.
    pub room_id: RoomId,
    /// The person.
    pub user_id: UserId,
}

#[derive(Deserialize, JsonSchema)]
struct PersonSegments {
    /// The room's id, or its slug.
    id: String,
    /// The person's id.
    user_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for PersonPath
where
    Arc<Conference>: FromRef<S>,
    Sessions: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(Path(segments)) = Path::<PersonSegments>::from_request_parts(parts, state).await else {
            return Err(Code::NotFound.into());
        };
        Ok(Self {
            room_id: find_room(parts, state, &segments.id).await?,
            user_id: UserId::parse(&segments.user_id).ok_or(Code::PersonNotInRoom)?,
        })
    }
}

impl OperationInput for PersonPath {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<PersonSegments>::operation_input(ctx, operation);
    }
}

/// Is the resource that keeps a room, in a path.
#[derive(Debug, Clone)]
pub struct KeeperPath(pub Keeper);

#[derive(Deserialize, JsonSchema)]
struct KeeperSegments {
    /// The manager: 1–128 of letters, digits, `.`, `_` and `-`.
    manager: String,
    /// The resource's uid in it, of the same characters.
    uid: String,
}

impl<S: Send + Sync> FromRequestParts<S> for KeeperPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = Path::<KeeperSegments>::from_request_parts(parts, state).await;
        let Path(segments) = segments.map_err(|_| Code::RoomNotFound)?;
        let mut errors = FieldErrors::default();
        let manager = errors.take("manager", ManagerName::parse(&segments.manager));
        let uid = errors.take("uid", ResourceUid::parse(&segments.uid));
        errors.check()?;
        let (Some(manager), Some(uid)) = (manager, uid) else { return Err(Code::Invalid.into()) };
        Ok(Self(Keeper { manager, uid }))
    }
}

impl OperationInput for KeeperPath {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<KeeperSegments>::operation_input(ctx, operation);
    }
}

/// Is who keeps rooms, in a path.
#[derive(Debug, Clone)]
pub struct ManagerPath(pub ManagerName);

#[derive(Deserialize, JsonSchema)]
struct ManagerSegments {
    /// The manager: 1–128 of letters, digits, `.`, `_` and `-`.
    manager: String,
}

impl<S: Send + Sync> FromRequestParts<S> for ManagerPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = Path::<ManagerSegments>::from_request_parts(parts, state).await;
        let Path(segments) = segments.map_err(|_| Code::RoomNotFound)?;
        ManagerName::parse(&segments.manager).map(Self).map_err(|error| Problem::invalid_field("manager", error))
    }
}

impl OperationInput for ManagerPath {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<ManagerSegments>::operation_input(ctx, operation);
    }
}

/// Is an account in a path.
#[derive(Debug, Clone, Copy)]
pub struct UserPath(pub UserId);

#[derive(Deserialize, JsonSchema)]
struct UserSegments {
    /// The account's id.
    id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for UserPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = Path::<UserSegments>::from_request_parts(parts, state).await;
        let id = segments.ok().and_then(|Path(segments)| UserId::parse(&segments.id));
        id.map(Self).ok_or_else(|| Code::UserNotFound.into())
    }
}

impl OperationInput for UserPath {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<UserSegments>::operation_input(ctx, operation);
    }
}

/// Is a key for programs in a path.
#[derive(Debug, Clone, Copy)]
pub struct ApiKeyPath(pub ApiKeyId);

#[derive(Deserialize, JsonSchema)]
struct ApiKeySegments {
    /// The key's id.
    id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for ApiKeyPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = Path::<ApiKeySegments>::from_request_parts(parts, state).await;
        let id = segments.ok().and_then(|Path(segments)| ApiKeyId::parse(&segments.id));
        id.map(Self).ok_or_else(|| Code::ApiKeyNotFound.into())
    }
}

impl OperationInput for ApiKeyPath {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<ApiKeySegments>::operation_input(ctx, operation);
    }
}

/// The longest text that is looked for, in characters: no name is longer.
const MAX_QUERY: usize = 255;

/// Reads what is looked for. `None` when nothing is.
///
/// # Errors
/// [`TextError::TooLong`].
pub fn searched(query: Option<String>) -> Result<Option<String>, TextError> {
    let text = query.unwrap_or_default();
    check_length(&text, 0, MAX_QUERY)?;
    // NUL cannot be stored, so nothing holds it; Postgres would refuse to look.
    let text = text.trim().replace('\0', "\u{FFFD}");
    Ok((!text.is_empty()).then_some(text))
}

/// Collects the broken fields of a request, so that a person hears of all at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Takes a field's value, or notes what is wrong with it.
    pub fn take<T, E: Into<Rule>>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(FieldError::new(field, error));
                None
            }
        }
    }

    /// Is the refusal, where something was wrong.
    ///
    /// # Errors
    /// [`Problem`] with all broken fields.
    pub fn check(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

/// Says which field does not fit, by what the parser says.
#[must_use]
pub fn misfit(path: &str, reason: String) -> Problem {
    match reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(field) => Problem::invalid_field(field, Rule::Required),
        None => Problem::invalid_field(path, Rule::WrongType(reason)),
    }
}

fn declares_json(headers: &HeaderMap) -> bool {
    let essence = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

async fn read(body: Body) -> Result<BytesMut, Problem> {
    let reading = async {
        let mut chunks = body.into_data_stream();
        let mut bytes = BytesMut::new();
        let mut length = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Code::UnreadableBody)?;
            length += chunk.len();
            if length <= MAX_BODY_BYTES {
                bytes.extend_from_slice(&chunk);
            } else if length > MAX_DRAINED_BYTES {
                break;
            }
        }
        if length > MAX_BODY_BYTES { Err(Code::BodyTooLarge.into()) } else { Ok(bytes) }
    };
    tokio::time::timeout(BODY_TIMEOUT, reading).await.unwrap_or_else(|_| Err(Code::UnreadableBody.into()))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Whether it is JSON at all comes first: what follows then speaks of types alone.
    serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|_| Code::UnreadableBody)?;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(value) => Ok(value),
        Err(error) if error.inner().is_data() => {
            let path = error.path().to_string();
            let message = error.into_inner().to_string();
            let reason = message.split(" at line ").next().unwrap_or_default().to_owned();
            Err(misfit(&path, reason))
        }
        Err(_) => Err(Code::UnreadableBody.into()),
    }
}

#[cfg(test)]
mod tests {
    use cloudmeet_api_types::room::CreateRoom;

    use super::*;

    fn code(body: &str) -> Option<Code> {
        parse::<CreateRoom>(body.as_bytes()).err().map(|problem| problem.code())
    }

    #[test]
    fn what_is_no_json_is_unreadable_and_what_has_other_types_is_refused() {
        assert_eq!(code(r#"{"name":"x"}"#), None);
        assert_eq!(code(r#"{"name":"x","more":1}"#), None);
        for broken in ["", "{", r#"{"name":"x"} x"#, r#"{"nam":"x"} x"#, "\u{0}"] {
            assert_eq!(code(broken), Some(Code::UnreadableBody), "{broken:?}");
        }
        for wrong in [r#"{"name":1}"#, r#"{"name":null}"#, "{}", "null", "3"] {
            assert_eq!(code(wrong), Some(Code::Invalid), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_is_refused_as_such() {
        let body = Body::from(vec![b'x'; MAX_BODY_BYTES + 1]);
        assert_eq!(read(body).await.err().map(|problem| problem.code()), Some(Code::BodyTooLarge));
        assert!(read(Body::from(vec![b'x'; MAX_BODY_BYTES])).await.is_ok());
    }
}
