//! Does what the plan says, step by step, for one resource at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cloudmeet_api_types::managed::ManagedRoom;
use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::{Resource as _, ResourceExt as _};
use tokio::sync::{Semaphore, mpsc};

use crate::cloudmeet::CloudMeet;
use crate::cluster::{Cluster, Trouble, add_finalizer, read_password, remove_finalizer, write_status};
use crate::desired::{Adoption, keep_room};
use crate::events::Events;
use crate::follow::Wake;
use crate::jitter::jittered;
use crate::limiter::Limiter;
use crate::memory::{LONGEST_BACKOFF, Memory};
use crate::metrics;
use crate::mirror::Mirror;
use crate::plan::{Deed, Freshness, Note, PasswordState, Refusal, Retry, Seen, Settlement, Step, View, plan};
use crate::reason::Reason;
use crate::resource::{FINALIZER, FORCE_ADOPT, Room, RoomStatus, Visibility};
use crate::status::{Due, due};

/// When to come back to a number of people that could not be written because of all the others.
const AFTER_CROWD: Duration = Duration::from_secs(1);

/// How often a Secret with a password is looked at: the operator may read one that it knows by name, and not follow all.
const SECRET_EVERY: Duration = Duration::from_secs(60);

/// How often a resource that is to go asks for it, at least: somebody waits.
const LEAVES_EVERY: Duration = Duration::from_secs(20);

/// More steps than any plan has: more would be a mistake in it.
const MAX_STEPS: usize = 12;

/// Is everything that looking after resources takes.
pub struct Context {
    /// The cluster.
    pub cluster: Cluster,
    /// The server.
    pub cloudmeet: CloudMeet,
    /// What the server has told.
    pub mirror: Mirror,
    /// What people are told.
    pub events: Events,
    /// How other resources are woken.
    pub wakes: mpsc::Sender<Wake>,
    /// What is remembered of resources.
    pub memory: Memory,
    /// How often numbers of people are written, over all resources.
    pub participants: Limiter,
    /// How many resources are looked after at once, over all namespaces.
    pub places: Semaphore,
    /// How often a resource is looked at of which nobody hears anything.
    pub resync: Duration,
}

impl Context {
    /// Forgets a resource that is no more.
    pub fn forget(&self, uid: &str) {
        self.memory.forget(uid);
        self.mirror.take(uid, None);
    }
}

/// Looks after one resource; says when to come back.
pub async fn reconcile(room: Room, context: Arc<Context>) -> Action {
    let began = Instant::now();
    let mut work = Work::new(room, &context);
    let (action, outcome) = match work.run().await {
        Ok(ended) => ended,
        Err(Trouble::Gone) => {
            context.forget(&work.uid);
            (Action::await_change(), "gone")
        }
        // Somebody else has changed it: what they did is seen in a moment.
        Err(Trouble::Conflict) => (Action::requeue(jittered(context.memory.failed(&work.uid) / 4)), "conflict"),
        Err(Trouble::Cluster) => {
            metrics::failed(Reason::ClusterUnreachable);
            (Action::requeue(jittered(context.memory.failed(&work.uid))), "error")
        }
    };
    metrics::reconciled(outcome, began.elapsed());
    action
}

/// Is one resource being looked after.
struct Work<'a> {
    context: &'a Context,
    room: Room,
    uid: String,
    status: RoomStatus,
    password: PasswordState,
    seen: Seen,
    deed: Deed,
    /// Whether the watch has not caught up with what was written here.
    is_behind: bool,
}

/// Says when to come back, and how it ended in one word for those who count.
type Ended = (Action, &'static str);

impl<'a> Work<'a> {
    fn new(mut room: Room, context: &'a Context) -> Self {
        let uid = room.uid().unwrap_or_default();
        let version = room.resource_version().unwrap_or_default();
        let written = context.memory.written(&uid, &version);
        let is_behind = written.is_some();
        let status = match written {
            Some((version, status)) => {
                // What was written names what it was written over, so that between the two is nobody else's change.
                room.metadata.resource_version = Some(version.to_string());
                status
            }
            None => room.status.clone().unwrap_or_default(),
        };
        Self {
            context,
            is_behind,
            status,
            room,
            uid,
            password: PasswordState::Unread,
            seen: Seen::Unseen,
            deed: Deed::None,
        }
    }

    async fn run(&mut self) -> Result<Ended, Trouble> {
        let Context { cluster, cloudmeet, .. } = self.context;
        for _ in 0..MAX_STEPS {
            let now = now();
            match plan(&self.view()) {
                Step::AddFinalizer => self.room = add_finalizer(cluster, &self.room).await?,
                Step::ReadPassword => self.password = read_password(cluster, &self.room).await,
                Step::Look(freshness) => self.seen = self.look(freshness).await,
                Step::Keep(adoption) => self.deed = self.keep(adoption).await,
                Step::Close => self.let_go(cloudmeet.close(&self.uid).await),
                Step::Release => self.let_go(cloudmeet.release(&self.uid).await),
                Step::RemoveFinalizer(note) => {
                    if let Some(note) = &note {
                        self.tell(note).await;
                    }
                    remove_finalizer(cluster, &self.room).await?;
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

    fn generation(&self) -> i64 {
        self.room.metadata.generation.unwrap_or_default()
    }

    fn view(&self) -> View<'_> {
        View {
            generation: self.generation(),
            spec: &self.room.spec,
            status: &self.status,
            is_deleted: self.room.metadata.deletion_timestamp.is_some(),
            // A status is written after the finalizer.
            has_finalizer: self.is_behind || self.room.finalizers().iter().any(|finalizer| finalizer == FINALIZER),
            is_forced: self.room.annotations().get(FORCE_ADOPT).is_some_and(|value| value == "true"),
            password: &self.password,
            room: &self.seen,
            deed: &self.deed,
            missed_for: self.context.memory.missed_for(&self.uid),
        }
    }

    fn let_go(&mut self, outcome: Result<(), Refusal>) {
        let is_missed = matches!(outcome, Err(Refusal::Unreachable(_, None)));
        self.context.memory.missed(&self.uid, is_missed);
        self.deed = outcome.map_or_else(Deed::LetGoRefused, |()| Deed::LetGo);
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
        let agreed = self.context.memory.agreement(&self.uid, self.generation(), &room, self.context.resync);
        match agreed {
            Some(unknown_moderators) if self.has_the_password_of(&room) => {
                Seen::Agreed(Box::new(room), unknown_moderators)
            }
            _ => Seen::There(Box::new(room), freshness),
        }
    }

    /// Says whether the password is the one that the room has: a Secret changes without its resource.
    fn has_the_password_of(&self, room: &ManagedRoom) -> bool {
        match &self.password {
            PasswordState::Found(password) => room.password_version.as_ref() == Some(&password.version),
            _ => true,
        }
    }

    async fn keep(&self, adoption: Adoption) -> Deed {
        let password = match &self.password {
            PasswordState::Found(password) => Some(password),
            _ => None,
        };
        let body = keep_room(&self.room.spec, password, adoption);
        match self.context.cloudmeet.keep(&self.uid, &body).await {
            Ok(outcome) => {
                if let Some(uid) = self.context.mirror.put(outcome.room.clone()) {
                    // Whose room this was. Where so many wait that it is lost, the next round finds it.
                    let _ = self.context.wakes.try_send(Wake::One(uid));
                }
                self.context.memory.agreed(&self.uid, self.generation(), &outcome);
                Deed::Kept(Box::new(outcome))
            }
            Err(refusal) => Deed::KeepRefused(adoption, refusal),
        }
    }

    async fn settle(&mut self, settlement: Settlement, now: Timestamp) -> Result<Ended, Trouble> {
        let Settlement { verdict, note, retry } = settlement;
        let Context { memory, participants, resync, .. } = self.context;
        let status = verdict.over(&self.status, self.generation(), now);
        if let Some(phase) = status.phase {
            memory.stands(&self.uid, phase);
        }
        // A server that is away for a moment is no news of a room that is in order.
        if verdict.is_unchanged_but_unseen() && memory.is_first_failure(&self.uid) {
            return Ok((Action::requeue(jittered(memory.failed(&self.uid))), "waiting"));
        }
        // What was done is told even if nobody lives to write it down; what is wrong, once it stands there.
        let (deed, complaint) = match note {
            Some(note) if note.reason.is_complaint() => (None, Some(note)),
            deed => (deed, None),
        };
        if let Some(note) = &deed {
            if note.reason == Reason::DriftCorrected {
                metrics::drift_corrected();
            }
            self.tell(note).await;
        }
        let mut come_back = None;
        match due(&self.status, &status, now) {
            Due::Never => {}
            Due::Now => self.write(status).await?,
            Due::Participants if participants.take() => self.write(status).await?,
            Due::Participants => come_back = Some(AFTER_CROWD),
            Due::After(wait) => come_back = Some(wait),
        }
        if let Some(note) = &complaint {
            self.tell(note).await;
        }
        if verdict.reason().is_complaint() {
            metrics::failed(verdict.reason());
        }
        let (pause, outcome) = match retry {
            Retry::Resync => {
                memory.succeeded(&self.uid);
                (jittered(*resync), "ok")
            }
            Retry::Backoff(at_least) => (at_least.unwrap_or_default() + jittered(memory.failed(&self.uid)), "waiting"),
            Retry::Slow => (jittered(LONGEST_BACKOFF), "stalled"),
        };
        let is_deleted = self.room.metadata.deletion_timestamp.is_some();
        let pause = if is_deleted { pause.min(jittered(LEAVES_EVERY)) } else { pause };
        let follows_secret = self.room.spec.visibility == Visibility::Password && !self.room.spec.suspend;
        let pause = if follows_secret { pause.min(jittered(SECRET_EVERY)) } else { pause };
        Ok((Action::requeue(come_back.map_or(pause, |wait| wait.min(pause))), outcome))
    }

    async fn write(&mut self, status: RoomStatus) -> Result<(), Trouble> {
        let room = write_status(&self.context.cluster, &self.room, &status).await?;
        metrics::status_written();
        self.context.memory.wrote(&self.uid, &room.resource_version().unwrap_or_default(), status);
        Ok(())
    }

    async fn tell(&self, note: &Note) {
        self.context.events.tell(self.room.object_ref(&()), note).await;
        let (namespace, name) = (self.room.namespace().unwrap_or_default(), self.room.name_any());
        tracing::info!(room.namespace = namespace, room.name = name, reason = note.reason.as_str(), "{}", note.message);
    }
}

/// Gives the present, in whole seconds: what Kubernetes writes down has no fractions.
fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default()
}
