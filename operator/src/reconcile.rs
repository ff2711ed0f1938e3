//! Does what the plan says, step by step, for one resource at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloudmeet_api_types::managed::ManagedRoom;
use cloudmeet_core::secret::Secret as SecretText;
use cloudmeet_core::time::Timestamp as WireTimestamp;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::{Client, ResourceExt as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use crate::cloudmeet::CloudMeet;
use crate::desired::{VersionedPassword, keep_room};
use crate::events::Events;
use crate::jitter::jittered;
use crate::limiter::Limiter;
use crate::metrics;
use crate::mirror::Mirror;
use crate::plan::{Deed, Freshness, Note, PasswordState, Retry, Seen, Settlement, Step, View, plan};
use crate::reason::Reason;
use crate::resource::{FINALIZER, FORCE_ADOPT, Phase, Room, RoomStatus, SecretKeyRef, Visibility};
use crate::status::{Due, due};

/// Under which name the operator writes statuses: whoever else wrote them gives way.
const FIELD_MANAGER: &str = "cloudmeet-operator";

/// How long one call of the cluster may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// When to come back to a resource that somebody else has changed meanwhile.
const AFTER_CONFLICT: Duration = Duration::from_millis(250);

/// When to come back to a number of people that could not be written because of all the others.
const AFTER_CROWD: Duration = Duration::from_secs(1);

/// How long to wait after failures, at first and at most.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// How often a Secret with a password is looked at: the operator may read one that it knows by name, and not follow all.
const SECRET_EVERY: Duration = Duration::from_secs(60);

/// More steps than any plan has: more would be a mistake in it.
const MAX_STEPS: usize = 12;

/// Is everything that looking after resources takes.
pub struct Context {
    /// The cluster; refuses to write while somebody else leads.
    pub client: Client,
    /// The server.
    pub cloudmeet: CloudMeet,
    /// What the server has told.
    pub mirror: Mirror,
    /// What people are told.
    pub events: Events,
    /// How often numbers of people are written, over all resources.
    pub participants: Limiter,
    /// How often a resource is looked at of which nobody hears anything.
    pub resync: Duration,
    memos: Mutex<HashMap<String, Memo>>,
}

/// Is what is remembered of a resource: nothing that another operator would miss.
#[derive(Default)]
struct Memo {
    /// How many times in a row it came to nothing.
    failures: u32,
    agreed: Option<Agreed>,
    written: Option<Written>,
    phase: Option<Phase>,
}

/// Is how the server left a room when it said that it is as described.
struct Agreed {
    generation: i64,
    room: ManagedRoom,
    unknown_moderators: Vec<String>,
    at: Instant,
}

/// Is a status that was written, and the versions of the resource before it: until the watch has caught up, the
/// resource still shows an older one.
struct Written {
    older: Vec<String>,
    version: String,
    status: RoomStatus,
}

/// Says why the cluster did not do it.
#[derive(Debug)]
enum Trouble {
    /// Somebody else has changed the resource.
    Conflict,
    /// It is not there any more.
    Gone,
    /// Anything else.
    Cluster,
}

impl Context {
    /// Puts together what it takes.
    #[must_use]
    pub fn new(client: Client, cloudmeet: CloudMeet, mirror: Mirror, events: Events, resync: Duration) -> Self {
        Self { client, cloudmeet, mirror, events, participants: Limiter::new(), resync, memos: Mutex::default() }
    }

    /// Forgets a resource that is no more.
    pub fn forget(&self, uid: &str) {
        self.memos().remove(uid);
        self.mirror.take(uid, None);
    }

    /// Counts resources by phase, in the order of [`Phase::ALL`].
    #[must_use]
    pub fn phases(&self) -> [u32; Phase::ALL.len()] {
        let mut counts = [0; Phase::ALL.len()];
        for phase in self.memos().values().filter_map(|memo| memo.phase) {
            for (known, count) in Phase::ALL.iter().zip(&mut counts) {
                *count += u32::from(*known == phase);
            }
        }
        counts
    }

    fn memos(&self) -> std::sync::MutexGuard<'_, HashMap<String, Memo>> {
        self.memos.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_memo<T>(&self, uid: &str, use_it: impl FnOnce(&mut Memo) -> T) -> T {
        use_it(self.memos().entry(uid.to_owned()).or_default())
    }
}

/// Looks after one resource; says when to come back.
pub async fn reconcile(room: Arc<Room>, context: Arc<Context>) -> Action {
    let began = Instant::now();
    let work = Work::new((*room).clone(), &context);
    let (action, outcome) = match work.run().await {
        Ok((action, outcome)) => (action, outcome),
        Err((uid, Trouble::Gone)) => {
            context.forget(&uid);
            (Action::await_change(), "gone")
        }
        Err((_, Trouble::Conflict)) => (Action::requeue(jittered(AFTER_CONFLICT)), "conflict"),
        Err((uid, Trouble::Cluster)) => {
            metrics::failed(Reason::ClusterUnreachable);
            (Action::requeue(context.backoff(&uid, None)), "error")
        }
    };
    metrics::reconciled(outcome, began.elapsed());
    action
}

impl Context {
    /// Says how long to wait after another failure.
    fn backoff(&self, uid: &str, at_least: Option<Duration>) -> Duration {
        let failures = self.with_memo(uid, |memo| {
            memo.failures = memo.failures.saturating_add(1);
            memo.failures
        });
        let factor = 2u32.saturating_pow((failures - 1).min(16));
        let pause = FIRST_BACKOFF.saturating_mul(factor).min(LONGEST_BACKOFF);
        jittered(pause).max(at_least.unwrap_or_default())
    }
}

/// Is one resource being looked after.
struct Work<'a> {
    context: &'a Context,
    rooms: Api<Room>,
    room: Room,
    uid: String,
    status: RoomStatus,
    password: PasswordState,
    seen: Seen,
    deed: Deed,
    /// The versions of the resource that were met on the way.
    versions: Vec<String>,
}

impl<'a> Work<'a> {
    fn new(room: Room, context: &'a Context) -> Self {
        let namespace = room.namespace().unwrap_or_default();
        let uid = room.uid().unwrap_or_default();
        let version = room.resource_version().unwrap_or_default();
        let status = context.with_memo(&uid, |memo| {
            let written = memo.written.take_if(|written| !written.older.contains(&version));
            drop(written);
            memo.written.as_ref().map(|written| written.status.clone())
        });
        Self {
            context,
            rooms: Api::namespaced(context.client.clone(), &namespace),
            status: status.unwrap_or_else(|| room.status.clone().unwrap_or_default()),
            room,
            uid,
            password: PasswordState::Unread,
            seen: Seen::Unseen,
            deed: Deed::None,
            versions: vec![version],
        }
    }

    async fn run(mut self) -> Result<(Action, &'static str), (String, Trouble)> {
        let uid = self.uid.clone();
        self.steps().await.map_err(|trouble| (uid, trouble))
    }

    async fn steps(&mut self) -> Result<(Action, &'static str), Trouble> {
        for _ in 0..MAX_STEPS {
            let now = now();
            match plan(&self.view(now)) {
                Step::AddFinalizer => self.add_finalizer().await?,
                Step::ReadPassword => self.password = self.read_password().await,
                Step::Look(freshness) => self.seen = self.look(freshness).await,
                Step::Keep => self.deed = self.keep().await,
                Step::Close => self.deed = let_go(self.context.cloudmeet.close(&self.uid).await),
                Step::Release => self.deed = let_go(self.context.cloudmeet.release(&self.uid).await),
                Step::RemoveFinalizer(note) => {
                    if let Some(note) = &note {
                        self.tell(note).await;
                    }
                    self.remove_finalizer().await?;
                    self.context.forget(&self.uid);
                    return Ok((Action::await_change(), "removed"));
                }
                Step::Settle(settlement) => return self.settle(*settlement, now).await,
                Step::Rest => return Ok((Action::await_change(), "rest")),
            }
        }
        tracing::error!(room.name = self.room.name_any(), "a plan comes to no end");
        Err(Trouble::Cluster)
    }

    fn view(&self, now: Timestamp) -> View<'_> {
        let meta = &self.room.metadata;
        View {
            generation: meta.generation.unwrap_or_default(),
            spec: &self.room.spec,
            status: &self.status,
            deleted_at: meta.deletion_timestamp.as_ref().map(|time| time.0),
            has_finalizer: self.room.finalizers().iter().any(|finalizer| finalizer == FINALIZER),
            is_forced: self.room.annotations().get(FORCE_ADOPT).is_some_and(|value| value == "true"),
            password: &self.password,
            room: &self.seen,
            deed: &self.deed,
            now,
        }
    }

    async fn add_finalizer(&mut self) -> Result<(), Trouble> {
        let finalizers: Vec<&str> = self.room.finalizers().iter().map(String::as_str).chain([FINALIZER]).collect();
        let room = self.write_finalizers(&finalizers).await?;
        self.versions.push(room.resource_version().unwrap_or_default());
        self.room = room;
        Ok(())
    }

    async fn remove_finalizer(&self) -> Result<(), Trouble> {
        let finalizers: Vec<&str> =
            self.room.finalizers().iter().map(String::as_str).filter(|finalizer| *finalizer != FINALIZER).collect();
        match self.write_finalizers(&finalizers).await {
            Ok(_) | Err(Trouble::Gone) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Writes the list of finalizers over the one that was seen, and no other.
    async fn write_finalizers(&self, finalizers: &[&str]) -> Result<Room, Trouble> {
        let metadata = json!({
            "finalizers": finalizers,
            "resourceVersion": self.room.resource_version(),
            "uid": self.uid,
        });
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        let (name, params) = (self.room.name_any(), PatchParams::default());
        self.call("finalizers", self.rooms.patch(&name, &params, &patch)).await
    }

    async fn read_password(&self) -> PasswordState {
        let Some(SecretKeyRef { name, key }) = &self.room.spec.password_secret_ref else {
            return PasswordState::Missing("passwordSecretRef is not set".to_owned());
        };
        let secrets: Api<Secret> =
            Api::namespaced(self.context.client.clone(), &self.room.namespace().unwrap_or_default());
        let secret = match timeout(CALL_TIMEOUT, secrets.get_opt(name)).await {
            Ok(Ok(Some(secret))) => secret,
            Ok(Ok(None)) => return PasswordState::Missing(format!("there is no Secret {name}")),
            Ok(Err(error)) => return PasswordState::Unknown(format!("Secret {name} was not read: {error}")),
            Err(_) => return PasswordState::Unknown(format!("Secret {name} was not read in time")),
        };
        let Some(text) = secret.data.as_ref().and_then(|data| data.get(key)) else {
            return PasswordState::Missing(format!("Secret {name} has no key {key}"));
        };
        let Ok(text) = String::from_utf8(text.0.clone()) else {
            return PasswordState::Missing(format!("{key} of Secret {name} is not text"));
        };
        let text = SecretText::new(text);
        // Files end with a line feed; a password does not.
        let password = text.reveal().trim_end_matches(['\r', '\n']);
        let version = [secret.uid().unwrap_or_default(), secret.resource_version().unwrap_or_default(), key.clone()];
        PasswordState::Found(VersionedPassword {
            password: SecretText::new(password.to_owned()),
            version: digest(&version.join("\0")),
        })
    }

    async fn look(&self, freshness: Freshness) -> Seen {
        let told = if freshness == Freshness::Told { self.context.mirror.told(&self.uid) } else { None };
        let (room, freshness) = match told {
            Some(room) => (room, Freshness::Told),
            None => match self.context.cloudmeet.read(&self.uid).await {
                Ok(room) => (room, Freshness::Asked),
                Err(refusal) => return Seen::Refused(refusal),
            },
        };
        let Some(room) = room else { return Seen::Absent(freshness) };
        let generation = self.room.metadata.generation.unwrap_or_default();
        let agreed = self.context.with_memo(&self.uid, |memo| {
            let agreed = memo.agreed.as_ref()?;
            // An account for a moderator may have come into being.
            let is_good = agreed.unknown_moderators.is_empty() || agreed.at.elapsed() < self.context.resync;
            let is_same = agreed.generation == generation && agreed.room == without_people(&room);
            (is_good && is_same).then(|| agreed.unknown_moderators.clone())
        });
        match agreed {
            Some(unknown_moderators) if self.has_agreed_password(&room) => {
                Seen::Agreed(Box::new(room), unknown_moderators)
            }
            _ => Seen::There(Box::new(room), freshness),
        }
    }

    /// Says whether the password is the one that the room has: a Secret changes without its resource.
    fn has_agreed_password(&self, room: &ManagedRoom) -> bool {
        match &self.password {
            PasswordState::Found(password) => room.password_version.as_ref() == Some(&password.version),
            _ => true,
        }
    }

    async fn keep(&self) -> Deed {
        let password = match &self.password {
            PasswordState::Found(password) => Some(password),
            _ => None,
        };
        let is_forced = self.view(now()).is_forced;
        let body = keep_room(&self.room.spec, password, is_forced);
        let outcome = match self.context.cloudmeet.keep(&self.uid, &body).await {
            Ok(outcome) => outcome,
            Err(refusal) => return Deed::KeepRefused(refusal),
        };
        self.context.mirror.put(outcome.room.clone());
        let agreed = Agreed {
            generation: self.room.metadata.generation.unwrap_or_default(),
            room: without_people(&outcome.room),
            unknown_moderators: outcome.unknown_moderators.clone(),
            at: Instant::now(),
        };
        self.context.with_memo(&self.uid, |memo| memo.agreed = Some(agreed));
        Deed::Kept(Box::new(outcome))
    }

    async fn settle(&mut self, settlement: Settlement, now: Timestamp) -> Result<(Action, &'static str), Trouble> {
        let Settlement { verdict, note, retry } = settlement;
        let status = verdict.over(&self.status, self.room.metadata.generation.unwrap_or_default(), now);
        self.context.with_memo(&self.uid, |memo| memo.phase = Some(verdict.phase()));
        let mut come_back = None;
        match due(&self.status, &status, now) {
            Due::Never => {}
            Due::Now => self.write_status(status).await?,
            Due::Participants if self.context.participants.take() => self.write_status(status).await?,
            Due::Participants => come_back = Some(AFTER_CROWD),
            Due::After(wait) => come_back = Some(wait),
        }
        if let Some(note) = &note {
            self.tell(note).await;
            if note.reason == Reason::DriftCorrected {
                metrics::drift_corrected();
            }
        }
        if verdict.reason().is_complaint() {
            metrics::failed(verdict.reason());
        }
        let (pause, outcome) = match retry {
            Retry::Resync => (jittered(self.context.resync), "ok"),
            Retry::Backoff(at_least) => (self.context.backoff(&self.uid, at_least), "waiting"),
            Retry::Slow => (jittered(LONGEST_BACKOFF), "stalled"),
        };
        if retry == Retry::Resync {
            self.context.with_memo(&self.uid, |memo| memo.failures = 0);
        }
        let follows_secret = self.room.spec.visibility == Visibility::Password && !self.room.spec.suspend;
        let pause = if follows_secret { pause.min(jittered(SECRET_EVERY)) } else { pause };
        Ok((Action::requeue(come_back.map_or(pause, |wait| wait.min(pause))), outcome))
    }

    async fn write_status(&mut self, status: RoomStatus) -> Result<(), Trouble> {
        let name = self.room.name_any();
        let patch = json!({
            "apiVersion": "cloudmeet.io/v1alpha1",
            "kind": "Room",
            "metadata": { "name": name, "uid": self.uid },
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let room = self.call("status", self.rooms.patch_status(&name, &params, &Patch::Apply(patch))).await?;
        metrics::status_written();
        let mut older = std::mem::take(&mut self.versions);
        let version = room.resource_version().unwrap_or_default();
        self.context.with_memo(&self.uid, |memo| {
            if let Some(before) = memo.written.take() {
                older.extend(before.older);
                older.push(before.version);
            }
            memo.written = Some(Written { older, version, status });
        });
        Ok(())
    }

    async fn tell(&self, note: &Note) {
        let told = timeout(CALL_TIMEOUT, self.context.events.tell(&self.room, note)).await;
        let (namespace, name) = (self.room.namespace().unwrap_or_default(), self.room.name_any());
        tracing::info!(
            room.namespace = namespace,
            room.name = name,
            reason = note.reason.as_str(),
            told = told.is_ok(),
            "{}",
            note.message
        );
    }

    /// Waits for the cluster, and says what became of the call.
    async fn call<T>(&self, what: &str, call: impl Future<Output = kube::Result<T>>) -> Result<T, Trouble> {
        match timeout(CALL_TIMEOUT, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => Err(Trouble::Conflict),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => Err(Trouble::Gone),
            Ok(Err(error)) => {
                let name = self.room.name_any();
                tracing::warn!(error = &error as &dyn std::error::Error, room.name = name, "{what} not written");
                Err(Trouble::Cluster)
            }
            Err(_) => {
                tracing::warn!(room.name = self.room.name_any(), "{what} not written in time");
                Err(Trouble::Cluster)
            }
        }
    }
}

fn let_go(outcome: Result<(), crate::plan::Refusal>) -> Deed {
    outcome.map_or_else(Deed::LetGoRefused, |()| Deed::LetGo)
}

/// Gives a room without what changes all the time.
fn without_people(room: &ManagedRoom) -> ManagedRoom {
    let mut room = room.clone();
    room.participants.current = 0;
    room.participants.observed_at = WireTimestamp::from_millis(0).into();
    room
}

/// Gives the present, in whole seconds: what Kubernetes writes down has no fractions.
fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default()
}

fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}
