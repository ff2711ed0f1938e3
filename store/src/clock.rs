//! The store's time, kept in this process: leases of several servers end by one clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cloudmeet_core::time::Timestamp;

/// Is a clock that runs evenly and is set after the store's.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Monotonic, so that between two settings nothing jumps.
    started: Instant,
    started_at_ms: i64,
    offset_ms: AtomicI64,
    is_set: AtomicBool,
}

/// How long the store may take to say its time; half of that is how wrong its word may be.
const MAX_ROUND_TRIP_MS: i64 = 1_000;

impl Clock {
    /// Is this process's own time, until it is set.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self(Arc::new(Inner {
            started: Instant::now(),
            started_at_ms: Self::of_the_system(),
            offset_ms: AtomicI64::new(0),
            is_set: AtomicBool::new(false),
        }))
    }

    /// Is the system's own time in milliseconds.
    #[must_use]
    pub fn of_the_system() -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    /// Is the store's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.local() + self.0.offset_ms.load(Ordering::Relaxed))
    }

    /// Is this process's own time in milliseconds.
    #[must_use]
    pub fn local(&self) -> i64 {
        let elapsed = i64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.0.started_at_ms.saturating_add(elapsed)
    }

    /// Sets the clock by what the store said between two readings of the local time. What took too
    /// long says less than what was known before.
    pub fn set_offset(&self, store_ms: i64, asked: i64, answered: i64) {
        if self.0.is_set.swap(true, Ordering::Relaxed) && answered - asked > MAX_ROUND_TRIP_MS {
            return;
        }
        let midway = asked + (answered - asked) / 2;
        self.0.offset_ms.store(store_ms - midway, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_sets_a_clock_that_was_never_set_and_no_other() {
        let clock = Clock::of_this_process();
        let offset = || clock.0.offset_ms.load(Ordering::Relaxed);
        clock.set_offset(100_000, 0, 60_000);
        assert_eq!(offset(), 70_000);
        clock.set_offset(100_000, 0, 60_001);
        assert_eq!(offset(), 70_000);
        clock.set_offset(100_000, 40_000, 41_000);
        assert_eq!(offset(), 59_500);
    }
}
