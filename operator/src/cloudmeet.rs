//! The CloudMeet server, over REST.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cloudmeet_api_types::managed::{KeepRoom, KeptRoom, ManagedRoom};
use cloudmeet_api_types::problem::ProblemBody;
use cloudmeet_core::secret::Secret;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, Method, Response, StatusCode};
use url::Url;

use crate::lease::Leadership;
use crate::plan::{Outcome, Refusal};

/// How long the server may take to be reached, and to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a stream of events may say nothing: the server shows every 15 s that it lives.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(40);

/// How much of an answer is read at most: a page of 500 rooms with all that they may have.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// How long the server may send the operator away.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// By which word the server says that there is no such room.
const ROOM_NOT_FOUND: &str = "room_not_found";

/// Asks the server about the rooms of one manager.
#[derive(Clone)]
pub struct CloudMeet {
    client: Client,
    base: Url,
    manager: String,
    key_file: Arc<Path>,
    leadership: Leadership,
    busy: Arc<Mutex<Option<Busy>>>,
}

/// Is what a server said that has too much to do, and until when it is left in peace.
struct Busy {
    detail: String,
    until: Instant,
}

impl CloudMeet {
    /// Knows a server, and where the key for it lies.
    ///
    /// # Errors
    /// When the bundle of certificates cannot be read, or the client not be made.
    pub fn new(
        base: Url,
        authorities: Option<&Path>,
        key_file: PathBuf,
        manager: String,
        leadership: Leadership,
    ) -> anyhow::Result<Self> {
        let builder = Client::builder()
            .user_agent(concat!("cloudmeet-operator/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        let builder = match authorities {
            Some(path) => {
                let bundle = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
                let bundle = Certificate::from_pem_bundle(&bundle)
                    .with_context(|| format!("{} is not a bundle of certificates in PEM", path.display()))?;
                builder.tls_certs_only(bundle)
            }
            // Without TLS the system's certificates need not be read; an image has none.
            None if base.scheme() == "http" => builder.tls_certs_only([]),
            None => builder,
        };
        let client = builder.build().context(
            "cannot prepare connections to the server: where there are no certificates, set CLOUDMEET_CA_FILE",
        )?;
        Ok(Self { client, base, manager, key_file: key_file.into(), leadership, busy: Arc::default() })
    }

    /// Describes the room of a resource.
    ///
    /// # Errors
    /// What [`Refusal`] says.
    pub async fn keep(&self, uid: &str, room: &KeepRoom) -> Result<Outcome, Refusal> {
        let body = serde_json::to_vec(room).map_err(|error| unreachable(error.to_string()))?;
        let answer = self.ask(Method::PUT, self.room(uid), Some(body)).await;
        let (_, answer) = answer.map_err(|refusal| match refusal {
            // It was closed the moment after; the next look finds it so.
            Refusal::Refused { detail, code } if code == ROOM_NOT_FOUND && room.adopt.is_none() => unreachable(detail),
            refusal => refusal,
        })?;
        let KeptRoom { room, kept, changed, unknown_moderators } = parse(&answer)?;
        Ok(Outcome { room, kept, changed, unknown_moderators })
    }

    /// Reads the room of a resource; `None` when it has none.
    ///
    /// # Errors
    /// What [`Refusal`] says.
    pub async fn read(&self, uid: &str) -> Result<Option<ManagedRoom>, Refusal> {
        match self.ask(Method::GET, self.room(uid), None).await {
            Ok((_, answer)) => parse(&answer).map(Some),
            Err(refusal) if is_absent(&refusal) => Ok(None),
            Err(refusal) => Err(no_fault_of_the_room(refusal)),
        }
    }

    /// Closes the room of a resource, if it has one.
    ///
    /// # Errors
    /// What [`Refusal`] says.
    pub async fn close(&self, uid: &str) -> Result<(), Refusal> {
        self.let_go(uid, "gone=true").await
    }

    /// Leaves the room of a resource to people, if it has one.
    ///
    /// # Errors
    /// What [`Refusal`] says.
    pub async fn release(&self, uid: &str) -> Result<(), Refusal> {
        self.let_go(uid, "gone=true&release=true").await
    }

    /// Lets a room go for good: what an operator asked that died meanwhile, and is still under way, must not make another.
    async fn let_go(&self, uid: &str, how: &str) -> Result<(), Refusal> {
        let mut url = self.room(uid);
        url.set_query(Some(how));
        match self.ask(Method::DELETE, url, None).await {
            Ok((StatusCode::NO_CONTENT, _)) => Ok(()),
            // Somebody between, who says yes to everything.
            Ok((status, _)) => Err(unreachable(format!("{} answers {status}, and not as CloudMeet does", self.base))),
            Err(refusal) if is_absent(&refusal) => Ok(()),
            Err(refusal) => Err(no_fault_of_the_room(refusal)),
        }
    }

    /// Lists the rooms of all resources.
    ///
    /// # Errors
    /// What [`Refusal`] says.
    pub async fn list(&self) -> Result<Vec<ManagedRoom>, Refusal> {
        let mut rooms: Vec<ManagedRoom> = Vec::new();
        loop {
            let mut url = self.path(&["api", "managed-rooms", &self.manager]);
            if let Some(last) = rooms.last() {
                url.query_pairs_mut().append_pair("after", &last.uid);
            }
            let page: Vec<ManagedRoom> = parse(&self.ask(Method::GET, url, None).await?.1)?;
            let Some(first) = page.first() else { return Ok(rooms) };
            if rooms.last().is_some_and(|last| last.uid >= first.uid) {
                return Err(unreachable(format!("{} lists the same rooms again", self.base)));
            }
            rooms.extend(page);
        }
    }

    /// Follows what happens in the rooms, from now on.
    ///
    /// # Errors
    /// What [`Refusal`] says.
    pub async fn follow(&self) -> Result<Response, Refusal> {
        let mut url = self.path(&["api", "managed-rooms", "events"]);
        url.query_pairs_mut().append_pair("manager", &self.manager);
        let request = self.client.get(url).header(ACCEPT, "text/event-stream").bearer_auth(self.key()?.reveal());
        let response = tokio::time::timeout(ANSWER_TIMEOUT, request.send()).await;
        let response = response.map_err(|_| self.silent())?.map_err(|error| self.unreached(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = tokio::time::timeout(ANSWER_TIMEOUT, read(response)).await.map_err(|_| self.silent())?;
        Err(self.refusal(status, &headers, &body.unwrap_or_default()))
    }

    async fn ask(&self, method: Method, url: Url, body: Option<Vec<u8>>) -> Result<(StatusCode, Vec<u8>), Refusal> {
        self.leave_in_peace()?;
        let key = self.key()?;
        let may_change = method != Method::GET;
        let mut request = self.client.request(method, url).header(ACCEPT_LANGUAGE, "en").bearer_auth(key.reveal());
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        // Whoever has slept through the end of the lease changes nothing more, and what is begun ends with it.
        let left = if may_change { self.leadership.remaining() } else { ANSWER_TIMEOUT };
        if left.is_zero() {
            return Err(unreachable("another operator has taken over".to_owned()));
        }
        let exchange = async {
            let response = request.send().await.map_err(|error| self.unreached(&error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = read(response).await.map_err(|error| self.unreached(&error))?;
            if status.is_success() { Ok((status, body)) } else { Err(self.refusal(status, &headers, &body)) }
        };
        let outcome = tokio::time::timeout(ANSWER_TIMEOUT.min(left), exchange).await.map_err(|_| self.silent())?;
        if let Err(Refusal::Unreachable(detail, Some(after))) = &outcome {
            *self.busy() = Some(Busy { detail: detail.clone(), until: Instant::now() + *after });
        }
        outcome
    }

    /// Asks nothing, about whichever room, before the time at which the server said to come back.
    fn leave_in_peace(&self) -> Result<(), Refusal> {
        let mut busy = self.busy();
        let Some(Busy { detail, until }) = &*busy else { return Ok(()) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            *busy = None;
            return Ok(());
        }
        Err(Refusal::Unreachable(detail.clone(), Some(left)))
    }

    fn busy(&self) -> MutexGuard<'_, Option<Busy>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the key, each time anew: it may have been replaced.
    fn key(&self) -> Result<Secret, Refusal> {
        let path = self.key_file.display();
        let text = std::fs::read_to_string(&self.key_file)
            .map_err(|error| Refusal::Unauthorized(format!("cannot read the API key in {path}: {error}")))?;
        let text = Secret::new(text);
        let key = text.reveal().trim();
        if key.is_empty() {
            return Err(Refusal::Unauthorized(format!("the API key in {path} is empty")));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::Unauthorized(format!("what stands in {path} is not an API key")));
        }
        Ok(Secret::new(key.to_owned()))
    }

    fn room(&self, uid: &str) -> Url {
        self.path(&["api", "managed-rooms", &self.manager, uid])
    }

    fn path(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Reads why the server did not do it.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
        let Ok(problem) = serde_json::from_slice::<ProblemBody>(body) else {
            // Somebody between, or another server.
            let base = self.base.as_str();
            return match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    Refusal::Unauthorized(format!("{base} answers {status}"))
                }
                _ => Refusal::Unreachable(
                    format!("{base} answers {status}, and not as CloudMeet does"),
                    retry_after(headers),
                ),
            };
        };
        let fields = problem.errors.iter().map(|error| format!("{}: {}", error.field, error.message));
        let detail = std::iter::once(problem.detail).chain(fields).collect::<Vec<_>>().join("; ");
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::Unauthorized(detail),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Refusal::Unreachable(detail, retry_after(headers))
            }
            // It is not about the room: the address is wrong, or the server too old to keep rooms.
            StatusCode::MISDIRECTED_REQUEST | StatusCode::METHOD_NOT_ALLOWED => unreachable(detail),
            StatusCode::NOT_FOUND if problem.code != ROOM_NOT_FOUND => {
                unreachable(format!("{} keeps no rooms: {detail}", self.base))
            }
            _ if status.is_client_error() => Refusal::Refused { code: problem.code, detail },
            _ => Refusal::Unreachable(format!("the server says: {detail}"), retry_after(headers)),
        }
    }

    fn silent(&self) -> Refusal {
        unreachable(format!("{} does not answer in time", self.base))
    }

    /// Says why the server was not reached: the deepest cause is the one that people know.
    fn unreached(&self, error: &reqwest::Error) -> Refusal {
        if error.is_timeout() {
            return self.silent();
        }
        let mut cause: &dyn StdError = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        unreachable(format!("cannot reach {}: {cause}", self.base))
    }
}

/// Reads an answer, as far as it is one of ours.
async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| unreachable(format!("the server's answer is not understood: {error}")))
}

fn unreachable(message: String) -> Refusal {
    Refusal::Unreachable(message, None)
}

/// Says that a refusal of a question is about who was asked: only a description can be at fault.
fn no_fault_of_the_room(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Refused { detail, .. } => unreachable(detail),
        refusal => refusal,
    }
}

/// Says whether it is about a resource that has no room. Who else answers 404 has no `code`.
fn is_absent(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Refused { code, .. } if code == ROOM_NOT_FOUND)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}
