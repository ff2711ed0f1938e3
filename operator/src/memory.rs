//! What the operator remembers of resources while it leads: nothing that its successor would miss.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cloudmeet_api_types::managed::ManagedRoom;
use cloudmeet_core::time::Timestamp;

use crate::plan::Outcome;
use crate::resource::{Phase, RoomStatus};

/// How long to wait after failures, at first and at most.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
pub(crate) const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// Remembers resources by their uids.
#[derive(Default)]
pub struct Memory(Mutex<HashMap<String, Memo>>);

#[derive(Default)]
struct Memo {
    /// How many times in a row it came to nothing.
    failures: u32,
    agreed: Option<Agreed>,
    written: Option<Written>,
    phase: Option<Phase>,
    missed_since: Option<Instant>,
}

/// Is how the server left a room when it said that it is as described.
struct Agreed {
    generation: i64,
    room: ManagedRoom,
    unknown_moderators: Vec<String>,
    at: Instant,
}

/// Is a status that was written, and the version of the resource that came of it: until the watch has caught up, the
/// resource still shows an older one.
struct Written {
    version: u64,
    status: RoomStatus,
}

impl Memory {
    /// Forgets a resource that is no more.
    pub fn forget(&self, uid: &str) {
        self.memos().remove(uid);
    }

    /// Says how long to wait after another failure; a little longer each time.
    pub fn failed(&self, uid: &str) -> Duration {
        let failures = self.with(uid, |memo| {
            memo.failures = memo.failures.saturating_add(1);
            memo.failures
        });
        let factor = 2u32.saturating_pow((failures - 1).min(16));
        FIRST_BACKOFF.saturating_mul(factor).min(LONGEST_BACKOFF)
    }

    /// Says whether all was well with a resource the last time.
    #[must_use]
    pub fn is_first_failure(&self, uid: &str) -> bool {
        self.with(uid, |memo| memo.failures == 0)
    }

    /// Notes that all is well with a resource.
    pub fn succeeded(&self, uid: &str) {
        self.with(uid, |memo| memo.failures = 0);
    }

    /// Gives the status that was written last, with the version of the resource that came of it, as long as the resource
    /// shows an older one in this version of it.
    #[must_use]
    pub fn written(&self, uid: &str, version: &str) -> Option<(u64, RoomStatus)> {
        // Versions are numbers that grow (Kubernetes KEP-5504). Where they are not, the resource's own word counts.
        let version: u64 = version.parse().unwrap_or(u64::MAX);
        self.with(uid, |memo| {
            if memo.written.as_ref().is_some_and(|written| written.version <= version) {
                memo.written = None;
            }
            memo.written.as_ref().map(|written| (written.version, written.status.clone()))
        })
    }

    /// Notes a status that was written, and the version of the resource that came of it.
    pub fn wrote(&self, uid: &str, version: &str, status: RoomStatus) {
        let version = version.parse().unwrap_or_default();
        self.with(uid, |memo| memo.written = Some(Written { version, status }));
    }

    /// Notes whether the server was there to let a room go.
    pub fn missed(&self, uid: &str, is_missed: bool) {
        self.with(uid, |memo| {
            memo.missed_since = if is_missed { memo.missed_since.or_else(|| Some(Instant::now())) } else { None };
        });
    }

    /// Says for how long the server has not been there to let a room go.
    #[must_use]
    pub fn missed_for(&self, uid: &str) -> Duration {
        self.with(uid, |memo| memo.missed_since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    /// Notes that a room is as this generation of its resource describes it, whatever it looks like.
    pub fn agreed(&self, uid: &str, generation: i64, outcome: &Outcome) {
        let agreed = Agreed {
            generation,
            room: without_people(&outcome.room),
            unknown_moderators: outcome.unknown_moderators.clone(),
            at: Instant::now(),
        };
        self.with(uid, |memo| memo.agreed = Some(agreed));
    }

    /// Gives the moderators without an account of a room that the server has agreed to; `None` when it is another since,
    /// or when such a moderator may have an account by now.
    #[must_use]
    pub fn agreement(&self, uid: &str, generation: i64, room: &ManagedRoom, good_for: Duration) -> Option<Vec<String>> {
        self.with(uid, |memo| {
            let agreed = memo.agreed.as_ref()?;
            let is_good = agreed.unknown_moderators.is_empty() || agreed.at.elapsed() < good_for;
            let is_same = agreed.generation == generation && agreed.room == without_people(room);
            (is_good && is_same).then(|| agreed.unknown_moderators.clone())
        })
    }

    /// Notes how a resource stands.
    pub fn stands(&self, uid: &str, phase: Phase) {
        self.with(uid, |memo| memo.phase = Some(phase));
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

    fn with<T>(&self, uid: &str, use_it: impl FnOnce(&mut Memo) -> T) -> T {
        use_it(self.memos().entry(uid.to_owned()).or_default())
    }

    fn memos(&self) -> MutexGuard<'_, HashMap<String, Memo>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a room without what changes all the time.
fn without_people(room: &ManagedRoom) -> ManagedRoom {
    let mut room = room.clone();
    room.participants.current = 0;
    room.participants.observed_at = Timestamp::from_millis(0).into();
    room
}
