//! A fixed pool of threads that hash passwords: each hash takes 19 MiB and tens of milliseconds, so
//! neither the async runtime nor the memory may be left to a login flood.

use std::thread;
use std::time::Duration;

use cloudmeet_core::password::{Hasher, Password, PasswordHash};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use tokio::sync::oneshot;

/// How many passwords may wait.
const QUEUE: usize = 64;

/// How long an idle thread keeps its memory.
const MEMORY_KEPT: Duration = Duration::from_secs(10);

/// How many threads hash at most.
const MAX_THREADS: usize = 4;

/// How far the threads step back before everything else (nice(2)): an answer hardly waits for a hash. On an
/// idle core they take it whole; while all are busy for long, sign-ins take seconds and the pool says no.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// Says why a password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many passwords wait.
    #[error("too many passwords wait to be hashed")]
    Overloaded,
    /// A hash thread is gone.
    #[error("the hash threads are gone")]
    Gone,
}

enum Job {
    Hash { password: Password, salt: [u8; 16], answer: oneshot::Sender<PasswordHash> },
    Verify { password: Password, hash: Option<PasswordHash>, answer: oneshot::Sender<bool> },
}

/// Hashes passwords, a bounded number at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HashPool {
    queue: Sender<Job>,
}

impl HashPool {
    /// Starts the threads; they end when the last clone is gone.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start() -> std::io::Result<Self> {
        let (queue, jobs) = bounded(QUEUE);
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        for number in 0..threads {
            let jobs = jobs.clone();
            thread::Builder::new().name(format!("hash-{number}")).spawn(move || work(&jobs))?;
        }
        Ok(Self { queue })
    }

    /// Hashes a new password under a salt of 16 random bytes.
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn hash(&self, password: Password, salt: [u8; 16]) -> Result<PasswordHash, HashError> {
        let (answer, hash) = oneshot::channel();
        self.submit(Job::Hash { password, salt, answer })?;
        hash.await.map_err(|_| HashError::Gone)
    }

    /// Says whether a password is the hashed one. `None`, as for an unknown account, takes as long and is never right.
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, HashError> {
        let (answer, verdict) = oneshot::channel();
        self.submit(Job::Verify { password, hash, answer })?;
        verdict.await.map_err(|_| HashError::Gone)
    }

    fn submit(&self, job: Job) -> Result<(), HashError> {
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => HashError::Overloaded,
            TrySendError::Disconnected(_) => HashError::Gone,
        })
    }
}

/// Lets everything else go first. Elsewhere than on Linux it would be the whole process that steps back.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "hash threads compete with everything else");
    }
}

fn work(jobs: &Receiver<Job>) {
    step_back();
    let mut hasher = Hasher::new();
    loop {
        match jobs.recv_timeout(MEMORY_KEPT) {
            // Who asked may be gone by now; then nobody hears the answer.
            Ok(Job::Hash { password, salt, answer }) => {
                let _ = answer.send(hasher.hash(&password, salt));
            }
            Ok(Job::Verify { password, hash, answer }) => {
                let _ = answer.send(hasher.verify(&password, hash.as_ref()));
            }
            Err(RecvTimeoutError::Timeout) => hasher.release_memory(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_pool_hashes_and_verifies() {
        let pool = HashPool::start().expect("threads");
        let hash = pool.hash(Password::typed("a good one".into()), [1; 16]).await.expect("hashes");
        assert_eq!(pool.verify(Password::typed("a good one".into()), Some(hash.clone())).await, Ok(true));
        assert_eq!(pool.verify(Password::typed("another".into()), Some(hash)).await, Ok(false));
        assert_eq!(pool.verify(Password::typed("another".into()), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_full_queue_is_refused_at_once() {
        let (queue, _jobs) = bounded(1);
        let pool = HashPool { queue };
        let first = pool.hash(Password::typed("x".into()), [1; 16]);
        let second = pool.hash(Password::typed("y".into()), [1; 16]);
        tokio::select! {
            biased;
            _ = first => panic!("nobody hashes"),
            refused = second => assert_eq!(refused.err(), Some(HashError::Overloaded)),
        }
    }
}
