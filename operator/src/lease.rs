//! Which of several operators acts: the one that holds the lease.
//!
//! As the Kubernetes client for Go does it: a lease is taken over when nobody has renewed it for as long as it says,
//! by the taker's own clock since it saw the last renewal; each write names the version that it replaces, so of two
//! who want it one is told; and who cannot renew it in time gives up before another may take it. Clocks of machines are
//! never compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a call may take, at most.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Says whether this operator is the one that acts, to whoever is about to do something.
#[derive(Debug, Clone)]
pub struct Leadership {
    began: Instant,
    /// Until how many milliseconds after `began` the lease is surely ours.
    until_ms: Arc<AtomicU64>,
}

impl Default for Leadership {
    fn default() -> Self {
        Self { began: Instant::now(), until_ms: Arc::default() }
    }
}

impl Leadership {
    /// Says whether the lease is surely ours at this moment. Also right after a long sleep: it compares times.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.remaining() > Duration::ZERO
    }

    /// Holds it for so long from now on, as if the lease had just been renewed.
    pub fn hold_for(&self, duration: Duration) {
        self.hold_until(Instant::now() + duration);
    }

    /// Says for how long the lease is surely ours still.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let until = Duration::from_millis(self.until_ms.load(Ordering::Acquire));
        until.saturating_sub(self.began.elapsed())
    }

    fn hold_until(&self, until: Instant) {
        let until_ms = until.saturating_duration_since(self.began).as_millis();
        self.until_ms.store(u64::try_from(until_ms).unwrap_or(u64::MAX), Ordering::Release);
    }

    fn lose(&self) {
        self.until_ms.store(0, Ordering::Release);
    }
}

/// Says who wants the lease, and which.
#[derive(Debug, Clone)]
pub struct LeaseConfig {
    /// The lease's name.
    pub name: String,
    /// What this operator is called.
    pub identity: String,
    /// How long the lease is good without being renewed; at least 3 s.
    pub duration: Duration,
}

/// Wants the lease, and keeps it.
pub struct Elector {
    leases: Api<Lease>,
    config: LeaseConfig,
    leadership: Leadership,
    /// The version of the lease that was seen last, and when it was seen first.
    observed: Option<(String, Instant)>,
    answered: watch::Sender<Option<Instant>>,
    leads: watch::Sender<bool>,
}

/// Is what others see of an [`Elector`].
#[derive(Debug, Clone)]
pub struct Election {
    /// Whether this operator leads.
    pub leads: watch::Receiver<bool>,
    /// When the cluster answered last.
    pub answered: watch::Receiver<Option<Instant>>,
}

impl Elector {
    /// Prepares to want the lease.
    #[must_use]
    pub fn new(leases: Api<Lease>, config: LeaseConfig, leadership: Leadership) -> (Self, Election) {
        let (leads, leads_seen) = watch::channel(false);
        let (answered, answered_seen) = watch::channel(None);
        let elector = Self { leases, config, leadership, observed: None, answered, leads };
        (elector, Election { leads: leads_seen, answered: answered_seen })
    }

    /// Wants the lease until it is to stop, and then gives it back.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let began = Instant::now();
            let attempt = timeout(CALL_TIMEOUT.min(self.config.duration / 3), self.attempt());
            let outcome = tokio::select! {
                outcome = attempt => outcome,
                () = stop.cancelled() => break,
            };
            match outcome {
                Ok(Ok(true)) => self.leadership.hold_until(began + self.good_for()),
                Ok(Ok(false)) => self.leadership.lose(),
                Ok(Err(error)) => {
                    // Somebody else was quicker; the next look shows who.
                    if !is_conflict(&error) {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the lease was not read or written");
                    }
                }
                Err(_) => tracing::warn!("the cluster does not answer in time about the lease"),
            }
            self.tell();
            tokio::select! {
                () = sleep(self.pause()) => {}
                () = stop.cancelled() => break,
            }
            self.tell();
        }
        self.give_back().await;
    }

    /// How long a renewal is good for its holder: shorter than for others.
    fn good_for(&self) -> Duration {
        self.config.duration * 2 / 3
    }

    /// How long to wait before the next look: a leader must not sleep past the end of its own lease.
    fn pause(&self) -> Duration {
        let pause = self.config.duration / 5;
        match self.leadership.remaining() {
            Duration::ZERO => pause,
            remaining => pause.min(remaining),
        }
    }

    fn tell(&self) {
        let holds = self.leadership.is_held();
        self.leads.send_if_modified(|leads| std::mem::replace(leads, holds) != holds);
    }

    /// Tries once; says whether the lease is ours.
    async fn attempt(&mut self) -> kube::Result<bool> {
        let seen = self.leases.get_opt(&self.config.name).await?;
        self.answered.send_replace(Some(Instant::now()));
        let Some(lease) = seen else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(self.config.name.clone()), ..ObjectMeta::default() },
                spec: Some(self.held_by_us(None)),
            };
            self.leases.create(&PostParams::default(), &lease).await?;
            return Ok(true);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        if !self.may_take(&lease, &spec) {
            return Ok(false);
        }
        let ours = Lease { spec: Some(self.held_by_us(Some(&spec))), ..lease };
        self.leases.replace(&self.config.name, &PostParams::default(), &ours).await?;
        Ok(true)
    }

    /// Says whether the lease is free, ours, or was not renewed for too long since it was seen first as it is.
    fn may_take(&mut self, lease: &Lease, spec: &LeaseSpec) -> bool {
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        let since = match &self.observed {
            Some((seen, since)) if *seen == version => *since,
            _ => {
                let now = Instant::now();
                self.observed = Some((version, now));
                now
            }
        };
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let good_for = seconds.map_or(self.config.duration, Duration::from_secs);
        holder.is_empty() || holder == self.config.identity || since.elapsed() > good_for
    }

    fn held_by_us(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let is_ours = before.is_some_and(|before| before.holder_identity.as_ref() == Some(&self.config.identity));
        let transitions = before.and_then(|before| before.lease_transitions).unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.config.identity.clone()),
            lease_duration_seconds: i32::try_from(self.config.duration.as_secs()).ok(),
            acquire_time: before
                .filter(|_| is_ours)
                .and_then(|before| before.acquire_time.clone())
                .or(Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(transitions + i32::from(!is_ours && before.is_some())),
            ..before.cloned().unwrap_or_default()
        }
    }

    /// Lets the next one take it at once.
    async fn give_back(&self) {
        let held = self.leadership.is_held();
        self.leadership.lose();
        self.tell();
        if !held {
            return;
        }
        let release = async {
            let lease = self.leases.get(&self.config.name).await?;
            let spec = lease.spec.clone().unwrap_or_default();
            if spec.holder_identity.as_ref() != Some(&self.config.identity) {
                return Ok(());
            }
            let free = LeaseSpec { holder_identity: None, lease_duration_seconds: Some(1), ..spec };
            let free = Lease { spec: Some(free), ..lease };
            self.leases.replace(&self.config.name, &PostParams::default(), &free).await.map(drop)
        };
        match timeout(CALL_TIMEOUT, release).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the lease was not given back");
            }
            Err(_) => tracing::warn!("the lease was not given back in time"),
        }
    }
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}
