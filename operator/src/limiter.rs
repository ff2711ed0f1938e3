//! How many statuses are written only because people come and go.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many a second, over all resources.
const A_SECOND: u32 = 5;

/// Lets so many through a second, and no more at once.
pub struct Limiter(Mutex<(f64, Instant)>);

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Limiter {
    /// Begins full.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new((f64::from(A_SECOND), Instant::now())))
    }

    /// Takes one, if there is one.
    pub fn take(&self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, then) = *state;
        let passed: Duration = now.saturating_duration_since(then);
        let left = passed.as_secs_f64().mul_add(f64::from(A_SECOND), left).min(f64::from(A_SECOND));
        let taken = left >= 1.0;
        *state = (if taken { left - 1.0 } else { left }, now);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_five_a_second_are_let_through() {
        let (limiter, now) = (Limiter::new(), Instant::now());
        let taken = (0..30_000_u64).filter(|ms| limiter.take_at(now + Duration::from_millis(*ms))).count();
        assert!((5 * 30..=5 * 31).contains(&taken), "{taken}");
    }
}
