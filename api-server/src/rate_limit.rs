//! Rate limits: so many at once, then one every so often (GCRA: one time stamp a key).
//!
//! A login that succeeds gives its try back, which is why this is not a ready-made limiter.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use cloudmeet_core::crypto;
use cloudmeet_core::id::UserId;
use cloudmeet_core::time::Timestamp;

/// How many keys a limiter remembers; beyond it those that owe the least are forgotten.
const MAX_KEYS: usize = 100_000;

/// Is how much is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// How many at once.
    pub burst: u32,
    /// In how many milliseconds one more is earned.
    pub period_ms: u32,
}

/// Counts what is done under each key.
#[derive(Debug)]
pub struct Limiter<K> {
    quota: Quota,
    /// For each key the time in milliseconds at which all is earned back.
    debts: Mutex<HashMap<K, i64>>,
}

impl<K: Eq + Hash + Clone> Limiter<K> {
    /// Makes a limiter that has seen nothing.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { quota, debts: Mutex::new(HashMap::new()) }
    }

    /// Takes one, at `now`.
    ///
    /// # Errors
    /// The seconds to wait, rounded up, when all are taken.
    pub fn take(&self, key: &K, now: Timestamp) -> Result<(), u64> {
        let (now, period) = (now.as_millis(), i64::from(self.quota.period_ms));
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        let clear_at = debts.get(key).copied().unwrap_or(now).max(now);
        let allowed_debt = period * i64::from(self.quota.burst);
        let wait_ms = clear_at + period - now - allowed_debt;
        if wait_ms > 0 {
            return Err(u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000));
        }
        if debts.len() >= MAX_KEYS && !debts.contains_key(key) {
            forget(&mut debts, now);
        }
        debts.insert(key.clone(), clear_at + period);
        Ok(())
    }

    /// Gives one back.
    pub fn refund(&self, key: &K) {
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clear_at) = debts.get_mut(key) {
            *clear_at -= i64::from(self.quota.period_ms);
        }
    }
}

/// Makes room: who owes nothing goes, and if everybody owes, the half that owes less.
fn forget<K: Eq + Hash>(debts: &mut HashMap<K, i64>, now: i64) {
    debts.retain(|_, clear_at| *clear_at > now);
    if debts.len() >= MAX_KEYS {
        let mut times: Vec<i64> = debts.values().copied().collect();
        let (_, &mut median, _) = times.select_nth_unstable(MAX_KEYS / 2);
        debts.retain(|_, clear_at| *clear_at > median);
    }
}

/// Says whether limits hold at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimits {
    /// They hold.
    On,
    /// Nothing is limited: for load runs.
    Off,
}

/// Is every limit of this server.
#[derive(Debug)]
pub struct Limits {
    switch: RateLimits,
    registrations: Limiter<IpAddr>,
    logins_by_address: Limiter<IpAddr>,
    /// Keyed by a digest: the table of who fails to sign in holds no addresses.
    failed_logins: Limiter<String>,
    messages: Limiter<UserId>,
    tickets: Limiter<UserId>,
}

impl Limits {
    /// Makes limiters that have seen nothing.
    #[must_use]
    pub fn new(switch: RateLimits) -> Self {
        Self {
            switch,
            registrations: Limiter::new(Quota { burst: 30, period_ms: 6_000 }),
            logins_by_address: Limiter::new(Quota { burst: 60, period_ms: 1_000 }),
            // 10 at once and one in 16 minutes: 100 guesses a day.
            failed_logins: Limiter::new(Quota { burst: 10, period_ms: 16 * 60_000 }),
            messages: Limiter::new(Quota { burst: 60, period_ms: 50 }),
            tickets: Limiter::new(Quota { burst: 30, period_ms: 1_000 }),
        }
    }

    /// Says whether limits hold at all.
    #[must_use]
    pub const fn switch(&self) -> RateLimits {
        self.switch
    }

    /// Counts a registration from an address.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn registration(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        self.if_on(|| self.registrations.take(&address, now))
    }

    /// Counts a login before it is tried: it may turn out a guess.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn login(&self, address: IpAddr, email: &str, now: Timestamp) -> Result<(), u64> {
        self.if_on(|| {
            self.logins_by_address.take(&address, now)?;
            self.failed_logins.take(&account_key(email), now)
        })
    }

    /// Counts a check of the current password before it is made: a stolen session may guess, too.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn password_check(&self, email: &str, now: Timestamp) -> Result<(), u64> {
        self.if_on(|| self.failed_logins.take(&account_key(email), now))
    }

    /// Takes back that a login or a check of the current password may have been a guess.
    pub fn was_no_guess(&self, email: &str) {
        if self.switch == RateLimits::On {
            self.failed_logins.refund(&account_key(email));
        }
    }

    /// Counts a message of a person.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn message(&self, user_id: UserId, now: Timestamp) -> Result<(), u64> {
        self.if_on(|| self.messages.take(&user_id, now))
    }

    /// Counts a WebSocket ticket of a person.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn ticket(&self, user_id: UserId, now: Timestamp) -> Result<(), u64> {
        self.if_on(|| self.tickets.take(&user_id, now))
    }

    fn if_on(&self, take: impl FnOnce() -> Result<(), u64>) -> Result<(), u64> {
        match self.switch {
            RateLimits::On => take(),
            RateLimits::Off => Ok(()),
        }
    }
}

fn account_key(email: &str) -> String {
    crypto::digest(&email.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn after(ms: i64) -> Timestamp {
        Timestamp::from_millis(START.as_millis() + ms)
    }

    #[test]
    fn a_burst_passes_and_then_one_a_period() {
        let limiter = Limiter::new(Quota { burst: 3, period_ms: 2_000 });
        for _ in 0..3 {
            assert_eq!(limiter.take(&"a", START), Ok(()));
        }
        assert_eq!(limiter.take(&"a", START), Err(2));
        assert_eq!(limiter.take(&"a", after(1_999)), Err(1));
        assert_eq!(limiter.take(&"a", after(2_000)), Ok(()));
        assert_eq!(limiter.take(&"b", START), Ok(()), "keys are counted apart");
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let limiter = Limiter::new(Quota { burst: 1, period_ms: 1_000 });
        assert_eq!(limiter.take(&"a", START), Ok(()));
        limiter.refund(&"a");
        assert_eq!(limiter.take(&"a", START), Ok(()));
        assert!(limiter.take(&"a", START).is_err());
    }

    #[test]
    fn an_account_is_guessed_at_most_a_hundred_times_a_day() {
        let limits = Limits::new(RateLimits::On);
        let address = IpAddr::from([127, 0, 0, 1]);
        let day_s = 24 * 60 * 60;
        let guesses = (0..day_s)
            .step_by(2)
            .filter(|second| limits.login(address, "Ann@example.org ", after(second * 1000)).is_ok())
            .count();
        assert!((90..=100).contains(&guesses), "{guesses}");
    }

    #[test]
    fn successes_do_not_count_as_guesses_and_off_limits_nothing() {
        let limits = Limits::new(RateLimits::On);
        let address = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..50 {
            assert_eq!(limits.login(address, "ann@example.org", START), Ok(()));
            limits.was_no_guess("ann@example.org");
        }
        let off = Limits::new(RateLimits::Off);
        assert!((0..500).all(|_| off.login(address, "ann@example.org", START).is_ok()));
    }

    #[test]
    fn the_table_of_keys_is_bounded() {
        let limiter = Limiter::new(Quota { burst: 1, period_ms: 60_000 });
        for key in 0..MAX_KEYS + 10 {
            assert_eq!(limiter.take(&key, START), Ok(()));
        }
        assert!(limiter.debts.lock().expect("lock").len() <= MAX_KEYS);
    }
}
