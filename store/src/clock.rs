//! The store's time, kept in this process: leases of several servers end by one clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cloudmeet_core::time::Timestamp;

/// Is a clock that runs evenly and is set after the store's.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Monotonic, so that between two settings nothing jumps.
    started: Instant,
    started_at_ms: i64,
    offset_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn of_this_process() -> Self {
        Self(Arc::new(Inner {
            started: Instant::now(),
            started_at_ms: Self::of_the_system(),
            offset_ms: AtomicI64::new(0),
        }))
    }

    /// Is the system's own time in milliseconds.
    pub(crate) fn of_the_system() -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    /// Is the store's time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.local() + self.0.offset_ms.load(Ordering::Relaxed))
    }

    /// Is this process's own time in milliseconds.
    pub(crate) fn local(&self) -> i64 {
        let elapsed = i64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.0.started_at_ms.saturating_add(elapsed)
    }

    /// Sets the clock by what the store said between two readings of the local time.
    pub(crate) fn set_offset(&self, store_ms: i64, asked: i64, answered: i64) {
        let midway = asked + (answered - asked) / 2;
        self.0.offset_ms.store(store_ms - midway, Ordering::Relaxed);
    }
}
