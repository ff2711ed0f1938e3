//! Redis as servers use it together: what is there may be gone at any time, and nobody waits for it long.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo as _, RedisError, RedisResult, Script};
use tokio::time::timeout;

/// How long Redis may take to connect, or to answer.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_millis(250);

/// How long after a failure Redis is left alone.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);

/// Takes one of a rate limit's quota by Redis's own clock, which all servers share: GCRA, one time stamp
/// a key. KEYS: the limit. ARGV: milliseconds in which one is earned; how many at once. Gives the
/// milliseconds to wait, or 0 when one was taken.
const TAKE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local clear_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + ARGV[1]
local wait = clear_at - now - ARGV[1] * ARGV[2]
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', clear_at), 'PX', string.format('%.0f', clear_at - now))
return 0";

/// Gives one back that was taken. KEYS and the first of ARGV as of `TAKE`.
const REFUND: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local clear_at = tonumber(redis.call('GET', KEYS[1]) or '0') - ARGV[1]
if clear_at <= now then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], string.format('%.0f', clear_at), 'PX', string.format('%.0f', clear_at - now))
return 0";

/// Is a Redis server, or what there is of it at the moment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Redis(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    client: Client,
    /// What this installation's names begin with, so that another's on the same Redis are others.
    prefix: String,
    take: Script,
    refund: Script,
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    breaker: Mutex<Breaker>,
    /// Whether it was said that Redis refuses something.
    has_refused: AtomicBool,
    counters: Counters,
}

/// Is whether Redis is asked at all: after a failure one request tries again every [`PAUSE`].
#[derive(Debug, Default)]
enum Breaker {
    #[default]
    Untried,
    Closed,
    Open {
        resume_at: Instant,
    },
}

impl Breaker {
    fn admits(&mut self) -> bool {
        let Self::Open { resume_at } = self else { return true };
        let now = Instant::now();
        let admits = now >= *resume_at;
        if admits {
            *resume_at = now + PAUSE;
        }
        admits
    }

    /// Says whether it was not closed before.
    fn close(&mut self) -> bool {
        !matches!(std::mem::replace(self, Self::Closed), Self::Closed)
    }

    /// Says whether it was not open before.
    fn open(&mut self) -> bool {
        let open = Self::Open { resume_at: Instant::now() + PAUSE };
        !matches!(std::mem::replace(self, open), Self::Open { .. })
    }
}

#[derive(Debug, Default)]
struct Counters {
    answered: AtomicU64,
    failed: AtomicU64,
    spared: AtomicU64,
}

/// Is how many requests came to what, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedisRequests {
    /// Redis answered.
    pub answered: u64,
    /// It refused, or did not answer in time.
    pub failed: u64,
    /// It was not asked, so soon after a failure.
    pub spared: u64,
}

/// Says that an address is not one of a Redis server.
#[derive(Debug, thiserror::Error)]
#[error("not an address of a Redis server")]
pub struct NotRedis(#[source] RedisError);

/// Says why Redis is of no help now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedisFailure {
    #[error("Redis refused")]
    Redis(#[from] RedisError),
    #[error("Redis did not answer in time")]
    TimedOut(#[from] tokio::time::error::Elapsed),
    #[error("Redis closed the connection")]
    Closed,
}

/// Is how much of something is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// How many at once.
    pub burst: u32,
    /// In how many milliseconds one more is earned.
    pub period_ms: u32,
}

impl Redis {
    /// Knows a Redis server by its URL (`redis://[user[:password]@]host[:port][/database]`). Nothing is
    /// connected yet. Servers of one installation share an `installation`, and nobody else has it.
    ///
    /// # Errors
    /// [`NotRedis`] for any other address.
    pub fn new(url: &str, installation: &str) -> Result<Self, NotRedis> {
        let client = Client::open(url.into_connection_info().map_err(NotRedis)?).map_err(NotRedis)?;
        Ok(Self(Arc::new(Shared {
            client,
            prefix: format!("cloudmeet:{installation}"),
            take: Script::new(TAKE),
            refund: Script::new(REFUND),
            connection: tokio::sync::Mutex::default(),
            breaker: Mutex::default(),
            has_refused: AtomicBool::new(false),
            counters: Counters::default(),
        })))
    }

    /// Says whether Redis answers.
    pub async fn answers(&self) -> bool {
        let Some(mut connection) = self.connection().await else { return false };
        let pong: Option<String> = self.judged(redis::cmd("PING").query_async(&mut connection)).await;
        pong.is_some()
    }

    /// Reads what was put under a name. `None` also when Redis does not answer.
    pub async fn get(&self, name: &str) -> Option<Vec<u8>> {
        let mut connection = self.connection().await?;
        let mut command = redis::cmd("GET");
        command.arg(self.name(name));
        self.judged(command.query_async::<Option<Vec<u8>>>(&mut connection)).await?
    }

    /// Puts something under a name for a time, if Redis takes it.
    pub async fn put(&self, name: &str, value: &[u8], life: Duration) {
        let Some(mut connection) = self.connection().await else { return };
        let life_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        let mut command = redis::cmd("SET");
        command.arg(self.name(name)).arg(value).arg("PX").arg(life_ms);
        // What Redis does not keep is read from the store again.
        let _: Option<()> = self.judged(command.query_async(&mut connection)).await;
    }

    /// Takes one of a quota that all servers count together. Gives the milliseconds to wait, 0 when one
    /// was taken, or `None` when Redis cannot say.
    pub async fn take(&self, name: &str, quota: Quota) -> Option<u64> {
        let mut connection = self.connection().await?;
        let mut call = self.0.take.key(self.name(name));
        call.arg(quota.period_ms).arg(quota.burst);
        self.judged(call.invoke_async(&mut connection)).await
    }

    /// Gives one back that was taken.
    pub async fn refund(&self, name: &str, quota: Quota) {
        let Some(mut connection) = self.connection().await else { return };
        let mut call = self.0.refund.key(self.name(name));
        call.arg(quota.period_ms);
        // What is not given back is earned back.
        let _: Option<()> = self.judged(call.invoke_async(&mut connection)).await;
    }

    /// Is how many requests Redis answered, failed to answer, and was spared, since the start.
    #[must_use]
    pub fn requests(&self) -> RedisRequests {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.0.counters;
        RedisRequests {
            answered: count(&counters.answered),
            failed: count(&counters.failed),
            spared: count(&counters.spared),
        }
    }

    /// Gives the shared connection, unless Redis is left alone.
    async fn connection(&self) -> Option<MultiplexedConnection> {
        if !self.breaker().admits() {
            self.0.counters.spared.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let connecting = async {
            let mut connection = self.0.connection.lock().await;
            if let Some(connection) = &*connection {
                return Ok(connection.clone());
            }
            Ok(connection.insert(self.connect().await?).clone())
        };
        // In a box, so that who asks is not as large as who connects.
        match timeout(ANSWER_TIMEOUT, Box::pin(connecting)).await.map_err(RedisFailure::from).flatten() {
            Ok(connection) => Some(connection),
            Err(failure) => {
                self.failed(&failure).await;
                None
            }
        }
    }

    /// Waits for an answer, and remembers what became of it.
    async fn judged<T>(&self, answer: impl Future<Output = RedisResult<T>>) -> Option<T> {
        match timeout(ANSWER_TIMEOUT, answer).await.map_err(RedisFailure::from) {
            Ok(Ok(answer)) => {
                self.0.counters.answered.fetch_add(1, Ordering::Relaxed);
                if self.breaker().close() {
                    tracing::info!("Redis serves cache and limits");
                }
                Some(answer)
            }
            // It answers, and says no: because it is full, or only a copy. What it has it still gives.
            Ok(Err(error)) if error.code().is_some() => {
                self.0.counters.failed.fetch_add(1, Ordering::Relaxed);
                if !self.0.has_refused.swap(true, Ordering::Relaxed) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "Redis refuses, and what it refuses is done without it");
                }
                None
            }
            Ok(Err(error)) => {
                self.failed(&error.into()).await;
                None
            }
            Err(failure) => {
                self.failed(&failure).await;
                None
            }
        }
    }

    async fn failed(&self, failure: &RedisFailure) {
        self.0.counters.failed.fetch_add(1, Ordering::Relaxed);
        // Said once, not with every attempt.
        if self.breaker().open() {
            let error = failure as &dyn std::error::Error;
            tracing::warn!(error, "Redis serves no cache, and limits are counted by this server alone");
        }
        *self.0.connection.lock().await = None;
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.0.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}:{name}", self.0.prefix)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    /// Opens a connection of its own.
    pub(crate) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        self.0.client.get_multiplexed_async_connection_with_config(&config).await
    }
}
