//! The REST interface as verbs speak it, whichever side answers.

mod direct;
mod server;

use axum::http::{Method, StatusCode};
use bytes::{Bytes, BytesMut};
use cloudmeet_api_types::problem::ProblemBody;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

pub(crate) use self::direct::Direct;
pub(crate) use self::server::{Http, Server};
use crate::failure::Failure;

/// The longest answer that is read as a whole: a page of the longest messages, many times over.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Is who answers.
pub(crate) enum Api {
    /// A server, as whoever is logged in.
    Server(Server),
    /// This process, on the databases themselves.
    Direct(Direct),
}

/// Is a call of the REST interface.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path and its query.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// Is an answer that says yes.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: BoxStream<'static, anyhow::Result<Bytes>>,
}

/// Is an answer that was read: the body as it came, and what it says.
#[derive(Debug)]
pub(crate) struct Read<T> {
    pub(crate) body: Bytes,
    pub(crate) value: T,
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None }
    }

    /// Reads something.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Makes or does something.
    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Changes something.
    pub(crate) fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// Takes something away.
    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Says what is to be found, made or changed.
    pub(crate) fn with(self, fields: Fields) -> Self {
        if self.method == Method::GET {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields.0 {
                match value {
                    Value::String(text) => query.append_pair(&name, &text),
                    other => query.append_pair(&name, &other.to_string()),
                };
            }
            return Self { path: format!("{}?{}", self.path, query.finish()), ..self };
        }
        Self { body: Some(Value::Object(fields.0)), ..self }
    }
}

/// Is the members of a body or a query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Has none yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Has one more.
    #[must_use]
    pub(crate) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Has one more where there is a value.
    #[must_use]
    pub(crate) fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Says whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes a text as one segment of a path. What a path would take for a step elsewhere becomes `-`, which names nothing.
pub(crate) fn segment(text: &str) -> String {
    if matches!(text, "" | "." | "..") {
        return "-".to_owned();
    }
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

impl Api {
    /// Calls, and gives an answer that says yes.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let answer = match self {
            Self::Server(server) => server.send(call).await?,
            Self::Direct(direct) => direct.send(call).await?,
        };
        if answer.status.is_success() {
            return Ok(answer);
        }
        let status = answer.status;
        let body = whole(answer).await?;
        match serde_json::from_slice::<ProblemBody>(&body) {
            Ok(problem) if self.is_unknown(&problem) => Err(anyhow::anyhow!(
                "the server has nothing of this name, or is of another version than this program ({})",
                env!("CARGO_PKG_VERSION")
            )
            .into()),
            Ok(problem) => Err(Failure::Refused(Box::new(problem))),
            Err(_) => {
                let error = anyhow::anyhow!("the answer is {status}, and not CloudMeet's");
                Err(if status.is_server_error() { Failure::Unreachable(error) } else { error.into() })
            }
        }
    }

    /// Says whether a server has no such operation: this program's are all there in its own version.
    fn is_unknown(&self, problem: &ProblemBody) -> bool {
        matches!(self, Self::Server(_)) && matches!(problem.code.as_str(), "not_found" | "method_not_allowed")
    }

    /// Calls, and reads what the answer says.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<Read<T>, Failure> {
        parse(self.send(call).await?).await
    }

    /// Calls for what has no answer but yes.
    pub(crate) async fn tell(&self, call: &Call) -> Result<(), Failure> {
        self.send(call).await.map(drop)
    }

    /// Reads a whole list, page by page: `at_most` of it, if that is said.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        fields: &Fields,
        at_most: Option<u64>,
    ) -> Result<Read<Vec<T>>, Failure> {
        const PAGE: u64 = 100;
        let mut body = BytesMut::from(&b"["[..]);
        let mut all: Vec<T> = Vec::new();
        loop {
            let had = all.len() as u64;
            let wanted = at_most.map_or(PAGE, |most| PAGE.min(most.saturating_sub(had)));
            if wanted == 0 {
                break;
            }
            let page = Call::get(path).with(fields.clone().set("skip", had).set("limit", wanted));
            let page: Read<Vec<T>> = self.ask(&page).await?;
            let came = page.value.len() as u64;
            if came > 0 {
                if had > 0 {
                    body.extend_from_slice(b",");
                }
                body.extend_from_slice(inside(&page.body));
            }
            all.extend(page.value);
            if came < wanted {
                break;
            }
        }
        body.extend_from_slice(b"]");
        Ok(Read { body: body.freeze(), value: all })
    }

    /// Ends what was begun.
    pub(crate) async fn close(self) {
        if let Self::Direct(direct) = self {
            direct.close().await;
        }
    }
}

/// Reads what an answer says.
pub(crate) async fn parse<T: DeserializeOwned>(answer: Answer) -> Result<Read<T>, Failure> {
    let body = whole(answer).await?;
    let value = serde_json::from_slice(&body)
        .map_err(|error| anyhow::anyhow!("the answer cannot be read; the server may be of another version: {error}"))?;
    Ok(Read { body, value })
}

/// Is what stands between the brackets of a JSON array.
pub(crate) fn inside(array: &[u8]) -> &[u8] {
    let array = array.trim_ascii();
    array.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or_default()
}

/// Reads an answer to its end.
async fn whole(answer: Answer) -> Result<Bytes, Failure> {
    let mut body = answer.body;
    let mut bytes = BytesMut::new();
    while let Some(part) = body.try_next().await.map_err(Failure::Unreachable)? {
        if bytes.len() + part.len() > MAX_ANSWER_BYTES {
            return Err(anyhow::anyhow!("the answer is too long").into());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.freeze())
}

/// Makes a stream of bytes whose faults say that the answer broke off.
fn boxed<E: std::error::Error + Send + Sync + 'static>(
    body: impl futures_util::Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> BoxStream<'static, anyhow::Result<Bytes>> {
    body.map_err(|error| anyhow::Error::new(error).context("the answer broke off")).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_segments_are_escaped() {
        let call = Call::get("/api/rooms").with(Fields::new().set("query", "a b&c=ä").set("limit", 5).set("all", true));
        assert_eq!(call.path, "/api/rooms?all=true&limit=5&query=a+b%26c%3D%C3%A4");
        assert_eq!(segment("../a b?"), "..%2Fa%20b%3F");
        assert_eq!((segment(".."), segment("")), ("-".to_owned(), "-".to_owned()));
    }

    #[test]
    fn absent_members_stay_absent() {
        let call = Call::patch("/x").with(Fields::new().maybe("a", None::<i64>).maybe("b", Some(2)));
        assert_eq!(call.body.unwrap().to_string(), "{\"b\":2}");
    }
}
