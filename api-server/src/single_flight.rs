//! Single flight: who asks the same at the same time shares one reading.
//!
//! A reading that has begun is joined by nobody, so an answer is never older than its question. While
//! all places are taken, questions gather; that is where readings are saved.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;

type Reading<A> = BoxFuture<'static, A>;

/// Shares readings.
#[derive(Debug)]
pub struct SingleFlight<Q, A> {
    gathering: Arc<Gathering<Q, A>>,
    places: Arc<Semaphore>,
}

/// Is the readings that have not begun, each as long as somebody waits for it.
type Gathering<Q, A> = Mutex<Waiting<Q, A>>;
type Waiting<Q, A> = HashMap<Q, (Arc<()>, WeakShared<Reading<A>>)>;

impl<Q, A> SingleFlight<Q, A>
where
    Q: Clone + Eq + Hash + Send + 'static,
    A: Clone + Send + Sync + 'static,
{
    /// Reads at most so many answers at once.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { gathering: Arc::default(), places: Arc::new(Semaphore::new(places)) }
    }

    /// Joins the reading of this question that waits for a place; without one, `read` will wait. Nothing
    /// is read for those who have gone before its turn comes.
    pub fn ask<F>(&self, question: Q, read: F) -> Shared<Reading<A>>
    where
        F: Future<Output = A> + Send + 'static,
    {
        let mut gathering = lock(&self.gathering);
        if let Some(reading) = gathering.get(&question).and_then(|(_, reading)| reading.upgrade()) {
            return reading;
        }
        let mark = Arc::new(());
        let open = Open { gathering: self.gathering.clone(), question: question.clone(), mark: mark.clone() };
        let places = self.places.clone();
        let reading = async move {
            // It is never closed, so there is always a place in the end.
            let _place = places.acquire().await;
            drop(open);
            read.await
        };
        let reading = reading.boxed().shared();
        // Nobody has polled it, so it can be found again.
        if let Some(weak) = reading.downgrade() {
            gathering.insert(question, (mark, weak));
        }
        reading
    }
}

/// Keeps a reading open to others; dropped, it is taken off the list, unless another has its place there.
struct Open<Q: Eq + Hash, A> {
    gathering: Arc<Gathering<Q, A>>,
    question: Q,
    mark: Arc<()>,
}

impl<Q: Eq + Hash, A> Drop for Open<Q, A> {
    fn drop(&mut self) {
        let mut gathering = lock(&self.gathering);
        if gathering.get(&self.question).is_some_and(|(mark, _)| Arc::ptr_eq(mark, &self.mark)) {
            gathering.remove(&self.question);
        }
    }
}

fn lock<Q, A>(gathering: &Gathering<Q, A>) -> MutexGuard<'_, Waiting<Q, A>> {
    gathering.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Counts its readings, each of which waits to be let go.
    #[derive(Clone)]
    struct Source {
        readings: Arc<AtomicU32>,
        go: Arc<Semaphore>,
    }

    impl Source {
        fn new() -> Self {
            Self { readings: Arc::default(), go: Arc::new(Semaphore::new(0)) }
        }

        fn read(&self) -> impl Future<Output = u32> + Send + 'static {
            let this = self.clone();
            async move {
                let number = this.readings.fetch_add(1, Ordering::Relaxed);
                this.go.acquire().await.expect("never closed").forget();
                number
            }
        }
    }

    #[tokio::test]
    async fn who_asks_before_a_reading_begins_shares_it_and_who_asks_after_does_not() {
        let (source, flights) = (Source::new(), SingleFlight::new(1));
        let first = tokio::spawn(flights.ask("a", source.read()));
        while source.readings.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let (second, third, other) =
            (flights.ask("a", source.read()), flights.ask("a", source.read()), flights.ask("b", source.read()));
        source.go.add_permits(3);
        let joined = tokio::join!(second, third, other, first);
        assert_eq!((joined.0, joined.1), (1, 1));
        assert_eq!((joined.2, joined.3.expect("no panic")), (2, 0));
        assert!(lock(&flights.gathering).is_empty());
    }

    #[tokio::test]
    async fn who_has_gone_leaves_nothing_behind_and_keeps_nobody() {
        let (source, flights) = (Source::new(), SingleFlight::new(1));
        drop(flights.ask("a", source.read()));
        assert!(lock(&flights.gathering).is_empty());
        source.go.add_permits(1);
        let (gone, stays) = (flights.ask("a", source.read()), flights.ask("a", source.read()));
        drop(gone);
        assert_eq!(stays.await, 0);
    }
}
