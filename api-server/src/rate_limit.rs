//! Rate limits: so many at once, then one every so often (GCRA: one time stamp a key).
//!
//! Each server counts for itself and, where there is a Redis, all count together there; while Redis is
//! away nobody gets more than each server's own count allows. A login that succeeds gives its try back,
//! which is why this is not a ready-made limiter.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use cloudmeet_core::crypto;
use cloudmeet_core::id::{RoomId, UserId};
use cloudmeet_core::time::Timestamp;
use cloudmeet_store::{Quota, Redis};
use metrics::counter;

/// How many keys a limiter remembers; beyond it those that owe the least are forgotten.
const MAX_KEYS: usize = 100_000;

/// Counts what is done under each key.
#[derive(Debug)]
struct Limiter {
    /// What is limited, in the names of counts that servers share.
    name: &'static str,
    quota: Quota,
    /// For each key the time in milliseconds at which all is earned back.
    debts: Mutex<HashMap<String, i64>>,
    /// Where all servers count together.
    redis: Option<Redis>,
}

impl Limiter {
    fn new(name: &'static str, quota: Quota, redis: Option<Redis>) -> Self {
        Self { name, quota, debts: Mutex::default(), redis }
    }

    /// Takes one, at `now`.
    ///
    /// # Errors
    /// The seconds to wait, rounded up, when all are taken.
    async fn take(&self, key: &str, now: Timestamp) -> Result<(), u64> {
        self.take_here(key, now)?;
        let Some(redis) = &self.redis else { return Ok(()) };
        match redis.take(&self.shared_name(key), self.quota).await {
            None | Some(0) => Ok(()),
            Some(wait_ms) => {
                self.refund_here(key);
                Err(wait_ms.div_ceil(1000))
            }
        }
    }

    /// Gives one back.
    async fn refund(&self, key: &str) {
        self.refund_here(key);
        if let Some(redis) = &self.redis {
            redis.refund(&self.shared_name(key), self.quota).await;
        }
    }

    fn shared_name(&self, key: &str) -> String {
        format!("limit:{}:{key}", self.name)
    }

    fn take_here(&self, key: &str, now: Timestamp) -> Result<(), u64> {
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
        debts.insert(key.to_owned(), clear_at + period);
        Ok(())
    }

    fn refund_here(&self, key: &str) {
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clear_at) = debts.get_mut(key) {
            *clear_at -= i64::from(self.quota.period_ms);
        }
    }
}

/// Makes room: who owes nothing goes, and if everybody owes, the half that owes less.
fn forget(debts: &mut HashMap<String, i64>, now: i64) {
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

/// Is every limit of this server. Keys are digests, so that no address stands in the clear; they are not
/// salted, and whoever reads Redis could find an IPv4 address by trying them all.
#[derive(Debug)]
pub struct Limits {
    switch: RateLimits,
    registrations: Limiter,
    logins: Limiter,
    failed_logins: Limiter,
    messages: Limiter,
    tickets: Limiter,
    room_keys: Limiter,
    keys_of_person: Limiter,
    keys_of_address: Limiter,
    room_passwords: Limiter,
    searches: Limiter,
    recorded_refusals: Limiter,
    exports: Limiter,
}

/// Is who shows a password or a link code at which room's door, and from where.
#[derive(Debug, Clone, Copy)]
pub struct DoorTry {
    /// Who.
    pub user_id: UserId,
    /// At which room's door.
    pub room_id: RoomId,
    /// From where, as limits are counted.
    pub address: IpAddr,
}

impl Limits {
    /// Makes limiters that have seen nothing; other servers' counts are in `redis`.
    #[must_use]
    pub fn new(switch: RateLimits, redis: Option<&Redis>) -> Self {
        let limiter = |name, burst, period_ms| Limiter::new(name, Quota { burst, period_ms }, redis.cloned());
        Self {
            switch,
            registrations: limiter("registration", 30, 6_000),
            logins: limiter("login", 60, 1_000),
            // 10 at once and one in 16 minutes: 100 guesses a day.
            failed_logins: limiter("failed_login", 10, 16 * 60_000),
            messages: limiter("message", 60, 50),
            tickets: limiter("ticket", 30, 1_000),
            // 10 at once and one a minute: a password of eight characters outlasts its room.
            room_keys: limiter("room_key", 10, 60_000),
            keys_of_person: limiter("key_of_person", 30, 20_000),
            // Whoever makes accounts to guess with makes them from somewhere.
            keys_of_address: limiter("key_of_address", 100, 6_000),
            room_passwords: limiter("room_password", 20, 10_000),
            searches: limiter("search", 30, 500),
            recorded_refusals: limiter("recorded_refusal", 20, 6_000),
            exports: limiter("export", 5, 10_000),
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
    pub async fn registration(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        self.take(&self.registrations, || address_key(address), now).await
    }

    /// Counts a login before it is tried: it may turn out a guess.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn login(&self, address: IpAddr, email: &str, now: Timestamp) -> Result<(), u64> {
        self.take(&self.logins, || address_key(address), now).await?;
        self.password_check(email, now).await
    }

    /// Counts a check of the current password before it is made: a stolen session may guess, too.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn password_check(&self, email: &str, now: Timestamp) -> Result<(), u64> {
        self.take(&self.failed_logins, || account_key(email), now).await
    }

    /// Takes back that a login or a check of the current password may have been a guess.
    pub async fn was_no_guess(&self, email: &str) {
        if self.switch == RateLimits::On {
            self.failed_logins.refund(&account_key(email)).await;
        }
    }

    /// Counts a message of a person.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn message(&self, user_id: UserId, now: Timestamp) -> Result<(), u64> {
        self.take(&self.messages, || user_id.to_string(), now).await
    }

    /// Counts a WebSocket ticket of a person.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn ticket(&self, user_id: UserId, now: Timestamp) -> Result<(), u64> {
        self.take(&self.tickets, || user_id.to_string(), now).await
    }

    /// Counts a password or link code that a person shows at a room's door, before it is looked at.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn room_key(&self, at: DoorTry, now: Timestamp) -> Result<(), u64> {
        self.take(&self.room_keys, || door_key(at), now).await?;
        self.take(&self.keys_of_person, || at.user_id.to_string(), now).await?;
        self.take(&self.keys_of_address, || address_key(at.address), now).await
    }

    /// Counts the setting of a room's password by a person: each takes a hash.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn room_password(&self, user_id: UserId, now: Timestamp) -> Result<(), u64> {
        self.take(&self.room_passwords, || user_id.to_string(), now).await
    }

    /// Counts a search of a person in a history.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn search(&self, user_id: UserId, now: Timestamp) -> Result<(), u64> {
        self.take(&self.searches, || user_id.to_string(), now).await
    }

    /// Takes back that what a person showed may have been a guess.
    pub async fn was_right_key(&self, at: DoorTry) {
        if self.switch == RateLimits::On {
            self.keys_of_address.refund(&address_key(at.address)).await;
            self.keys_of_person.refund(&at.user_id.to_string()).await;
            self.room_keys.refund(&door_key(at)).await;
        }
    }

    /// Counts a refusal of a person that is to be recorded: nobody fills the record with what they may not.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn recorded_refusal(&self, user_id: UserId, now: Timestamp) -> Result<(), u64> {
        self.take(&self.recorded_refusals, || user_id.to_string(), now).await
    }

    /// Counts a whole history that a person takes along.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn export(&self, user_id: UserId, now: Timestamp) -> Result<(), u64> {
        self.take(&self.exports, || user_id.to_string(), now).await
    }

    async fn take(&self, limiter: &Limiter, key: impl FnOnce() -> String, now: Timestamp) -> Result<(), u64> {
        match self.switch {
            RateLimits::On => limiter.take(&key(), now).await.inspect_err(|_| {
                counter!("cloudmeet_rate_limited_total", "limit" => limiter.name).increment(1);
            }),
            RateLimits::Off => Ok(()),
        }
    }
}

fn address_key(address: IpAddr) -> String {
    crypto::digest(&address.to_string())
}

fn door_key(at: DoorTry) -> String {
    format!("{}/{}", at.user_id, at.room_id)
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

    fn limiter(burst: u32, period_ms: u32) -> Limiter {
        Limiter::new("test", Quota { burst, period_ms }, None)
    }

    #[tokio::test]
    async fn a_burst_passes_and_then_one_a_period() {
        let limiter = limiter(3, 2_000);
        for _ in 0..3 {
            assert_eq!(limiter.take("a", START).await, Ok(()));
        }
        assert_eq!(limiter.take("a", START).await, Err(2));
        assert_eq!(limiter.take("a", after(1_999)).await, Err(1));
        assert_eq!(limiter.take("a", after(2_000)).await, Ok(()));
        assert_eq!(limiter.take("b", START).await, Ok(()), "keys are counted apart");
    }

    #[tokio::test]
    async fn what_is_given_back_can_be_taken_again() {
        let limiter = limiter(1, 1_000);
        assert_eq!(limiter.take("a", START).await, Ok(()));
        limiter.refund("a").await;
        assert_eq!(limiter.take("a", START).await, Ok(()));
        assert!(limiter.take("a", START).await.is_err());
    }

    #[tokio::test]
    async fn an_account_is_guessed_at_most_a_hundred_times_a_day() {
        let limits = Limits::new(RateLimits::On, None);
        let address = IpAddr::from([127, 0, 0, 1]);
        let mut guesses = 0;
        for second in (0..24 * 60 * 60).step_by(2) {
            guesses += i32::from(limits.login(address, "Ann@example.org ", after(second * 1000)).await.is_ok());
        }
        assert!((90..=100).contains(&guesses), "{guesses}");
    }

    #[tokio::test]
    async fn successes_do_not_count_as_guesses_and_off_limits_nothing() {
        let limits = Limits::new(RateLimits::On, None);
        let address = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..50 {
            assert_eq!(limits.login(address, "ann@example.org", START).await, Ok(()));
            limits.was_no_guess("ann@example.org").await;
        }
        let off = Limits::new(RateLimits::Off, None);
        for _ in 0..500 {
            assert_eq!(off.login(address, "ann@example.org", START).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn the_table_of_keys_is_bounded() {
        let limiter = limiter(1, 60_000);
        for key in 0..MAX_KEYS + 10 {
            assert_eq!(limiter.take(&key.to_string(), START).await, Ok(()));
        }
        assert!(limiter.debts.lock().expect("lock").len() <= MAX_KEYS);
    }
}
