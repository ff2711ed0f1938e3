//! The bus: hints between servers, by Redis, of changes that are in the database already.
//!
//! A hint says where to look, and whoever follows it reads the database. Only that a session ended and
//! that somebody types is taken at its word: sockets that were closed in error come back. So the bus may
//! lose and repeat anything without harm, and without it every server still finds every change in the
//! table of changes within a second or two. What a server publishes comes back to it; by that it knows
//! that both ways work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::info_span;

use crate::changes::{AccountChange, Change as _, ChangeRow, RoomChange};
use crate::redis_client::{ANSWER_TIMEOUT, PAUSE, Redis, RedisFailure};
use crate::trace::{self, Carrier};

/// How often each server publishes even if nothing changes.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// How long nothing may come, not even a beat, before the bus counts as away.
const SILENCE: Duration = Duration::from_secs(4);

/// How many hints wait to be published. What is more is dropped: the table of changes has it.
const OUTGOING: usize = 4096;

/// How many hints wait for a follower; of more, the oldest are dropped.
const INCOMING: usize = 4096;

/// How many hints go into one publication.
const BATCH: usize = 512;

/// Is the way to and from the other servers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// This server's name on the bus.
    from: String,
    redis: Redis,
    outgoing: mpsc::Sender<Hint>,
    accounts: broadcast::Sender<AccountChange>,
    rooms: broadcast::Sender<RoomChange>,
    dropped: AtomicU64,
    pulse: Mutex<Pulse>,
}

/// Is whether what this server publishes comes back, and how fast.
#[derive(Debug, Default)]
struct Pulse {
    state: State,
    /// The number of the last beat, and when it went out, until it comes back.
    beat: u64,
    sent_at: Option<Instant>,
    heard_at: Option<Instant>,
    lag: Option<Duration>,
}

/// Is what the log was told last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Untold,
    Up,
    Away,
}

/// Is which table of changes a hint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Accounts,
    Rooms,
}

/// Is the row of a table of changes that somebody should look for.
#[derive(Debug, PartialEq, Eq)]
struct Hint {
    topic: Topic,
    kind: &'static str,
    subject: String,
    trace: Carrier,
}

/// Is the end at which a store says what it committed.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    bus: Bus,
    topic: Topic,
}

/// Is what one server publishes at once.
#[derive(Debug, Serialize, Deserialize)]
struct Publication {
    from: String,
    /// Counts this server's beats; 0 in a publication that is none.
    #[serde(default)]
    beat: u64,
    /// Kind and subject of each change.
    #[serde(default)]
    changes: Vec<(String, String)>,
    /// The trace of the first of them.
    #[serde(default, skip_serializing_if = "Carrier::is_empty")]
    trace: Carrier,
}

impl Bus {
    /// Speaks through a Redis server, and says what must run for the bus to work. Nothing is connected
    /// yet, and `from` names this server.
    pub fn new(redis: Redis, from: String) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (outgoing, publishing) = mpsc::channel(OUTGOING);
        let bus = Self(Arc::new(Shared {
            from,
            redis,
            outgoing,
            accounts: broadcast::Sender::new(INCOMING),
            rooms: broadcast::Sender::new(INCOMING),
            dropped: AtomicU64::new(0),
            pulse: Mutex::default(),
        }));
        let (publisher, listener) = (bus.clone(), bus.clone());
        let work = async move {
            tokio::join!(publisher.publish_for_ever(publishing), listener.listen_for_ever());
        };
        (bus, work)
    }

    /// Says whether what this server publishes comes back.
    #[must_use]
    pub fn is_up(&self) -> bool {
        let pulse = self.pulse();
        pulse.state == State::Up && pulse.heard_at.is_some_and(|at| at.elapsed() < SILENCE)
    }

    /// Is how long this server's last beat took to come back. `None` before the first.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        self.pulse().lag
    }

    /// Is how many hints were not published, since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Begins to hear what others change in accounts.
    #[must_use]
    pub fn accounts(&self) -> Hints<AccountChange> {
        Hints(Some(self.0.accounts.subscribe()))
    }

    /// Begins to hear what others change in rooms.
    #[must_use]
    pub fn rooms(&self) -> Hints<RoomChange> {
        Hints(Some(self.0.rooms.subscribe()))
    }

    pub(crate) fn announcer(&self, topic: Topic) -> Announcer {
        Announcer { bus: self.clone(), topic }
    }

    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.0.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channel(&self, topic: Topic) -> String {
        self.0.redis.name(match topic {
            Topic::Accounts => "changes:accounts",
            Topic::Rooms => "changes:rooms",
        })
    }

    async fn publish_for_ever(self, mut outgoing: mpsc::Receiver<Hint>) {
        let mut beats = interval(BEAT_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connection = None;
        let mut paused_at: Option<Instant> = None;
        let mut hints = Vec::new();
        loop {
            let is_beat = tokio::select! {
                _ = beats.tick() => true,
                _ = outgoing.recv_many(&mut hints, BATCH) => false,
            };
            let count = u64::try_from(hints.len()).unwrap_or(u64::MAX);
            let publications = self.publications(hints.drain(..), is_beat);
            if paused_at.is_some_and(|at| at.elapsed() < PAUSE) {
                self.0.dropped.fetch_add(count, Ordering::Relaxed);
                continue;
            }
            let published = timeout(ANSWER_TIMEOUT, self.publish(&mut connection, &publications)).await;
            match published.map_err(RedisFailure::from).flatten() {
                Ok(()) => paused_at = None,
                Err(error) => {
                    connection = None;
                    paused_at = Some(Instant::now());
                    self.0.dropped.fetch_add(count, Ordering::Relaxed);
                    self.went_away(&error);
                }
            }
        }
    }

    /// Makes at most one publication a topic, in which each change stands once.
    fn publications(&self, hints: impl Iterator<Item = Hint>, is_beat: bool) -> Vec<(String, String)> {
        let [mut accounts, mut rooms] = [Topic::Accounts, Topic::Rooms].map(|topic| (topic, Vec::new()));
        let mut trace = Carrier::new();
        for hint in hints {
            let of_topic = if hint.topic == Topic::Accounts { &mut accounts.1 } else { &mut rooms.1 };
            let change = (hint.kind.to_owned(), hint.subject);
            if !of_topic.contains(&change) {
                of_topic.push(change);
            }
            if trace.is_empty() {
                trace = hint.trace;
            }
        }
        let mut beat = 0;
        if is_beat {
            let mut pulse = self.pulse();
            pulse.beat += 1;
            pulse.sent_at = Some(Instant::now());
            beat = pulse.beat;
        }
        [rooms, accounts]
            .into_iter()
            .filter(|(topic, changes)| !changes.is_empty() || (is_beat && *topic == Topic::Rooms))
            .filter_map(|(topic, changes)| {
                let publication = Publication { from: self.0.from.clone(), beat, changes, trace: trace.clone() };
                serde_json::to_string(&publication).ok().map(|text| (self.channel(topic), text))
            })
            .collect()
    }

    async fn publish(
        &self,
        connection: &mut Option<MultiplexedConnection>,
        publications: &[(String, String)],
    ) -> Result<(), RedisFailure> {
        let connection = if let Some(connection) = connection {
            connection
        } else {
            connection.insert(self.0.redis.connect().await?)
        };
        let mut pipeline = redis::pipe();
        for (channel, text) in publications {
            pipeline.publish(channel, text).ignore();
        }
        Ok(pipeline.query_async::<()>(connection).await?)
    }

    async fn listen_for_ever(self) {
        loop {
            if let Err(error) = self.listen().await {
                self.went_away(&error);
            }
            sleep(PAUSE).await;
        }
    }

    async fn listen(&self) -> Result<(), RedisFailure> {
        let (mut commands, mut publications) =
            timeout(ANSWER_TIMEOUT, self.0.redis.client().get_async_pubsub()).await??.split();
        let channels = [Topic::Accounts, Topic::Rooms].map(|topic| self.channel(topic));
        timeout(ANSWER_TIMEOUT, commands.subscribe(&channels)).await??;
        // This server's own beats come every second, as long as the connection leads anywhere.
        while let Some(publication) = timeout(SILENCE, publications.next()).await? {
            let topic = if publication.get_channel_name() == channels[0] { Topic::Accounts } else { Topic::Rooms };
            if let Ok(publication) = serde_json::from_slice(publication.get_payload_bytes()) {
                self.hear(topic, publication);
            }
        }
        Err(RedisFailure::Closed)
    }

    fn hear(&self, topic: Topic, publication: Publication) {
        if publication.from == self.0.from {
            let mut pulse = self.pulse();
            pulse.heard_at = Some(Instant::now());
            if publication.beat == pulse.beat
                && let Some(sent_at) = pulse.sent_at.take()
            {
                pulse.lag = Some(sent_at.elapsed());
            }
            if std::mem::replace(&mut pulse.state, State::Up) != State::Up {
                tracing::info!("the bus works");
            }
            return;
        }
        let _entered = (!publication.trace.is_empty()).then(|| {
            let span = info_span!("bus", otel.kind = "consumer", from = publication.from);
            trace::go_on(&span, &publication.trace);
            span.entered()
        });
        for (kind, subject) in publication.changes {
            let row = ChangeRow { id: 0, kind, subject };
            // Nobody may be listening.
            let _ = match topic {
                Topic::Accounts => AccountChange::from_row(&row).map(|change| self.0.accounts.send(change).is_ok()),
                Topic::Rooms => RoomChange::from_row(&row).map(|change| self.0.rooms.send(change).is_ok()),
            };
        }
    }

    /// Says it once, not with every attempt.
    fn went_away(&self, error: &RedisFailure) {
        if std::mem::replace(&mut self.pulse().state, State::Away) != State::Away {
            let error = error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the bus is away: other servers' changes come by the database, a second or two later"
            );
        }
    }
}

impl Announcer {
    /// Says what was committed, or what no table keeps. Never waits.
    pub(crate) fn announce(&self, changes: impl IntoIterator<Item = (&'static str, String)>) {
        let trace = trace::current();
        for (kind, subject) in changes {
            let hint = Hint { topic: self.topic, kind, subject, trace: trace.clone() };
            if self.bus.0.outgoing.try_send(hint).is_err() {
                self.bus.0.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Is what comes by the bus of one table of changes: other servers' changes, as invitations to look.
#[derive(Debug)]
pub struct Hints<C>(Option<broadcast::Receiver<C>>);

impl<C: Clone> Hints<C> {
    /// Is what comes without a bus: nothing, ever.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Waits for a hint and takes all that are there. What was dropped meanwhile stands in the table of
    /// changes. Nothing is lost when the caller stops waiting.
    pub async fn next(&mut self) -> Vec<C> {
        let Some(receiver) = &mut self.0 else { return std::future::pending().await };
        let mut hints = Vec::new();
        loop {
            match receiver.recv().await {
                Ok(hint) => break hints.push(hint),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
        while hints.len() < INCOMING
            && let Ok(hint) = receiver.try_recv()
        {
            hints.push(hint);
        }
        hints
    }
}
