//! The reader: one task that answers whatever questions wait with one statement.
//!
//! Like the writer it has no timer: alone, a question is asked at once, and under load many share a
//! statement. Nothing is kept, so an answer is never older than its question.

use std::collections::HashMap;
use std::sync::Arc;

use cloudmeet_core::id::{RoomId, UserId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::conference::{Accesses, ConferenceStore, RoomAccess};
use crate::db::ANSWER_TIMEOUT;
use crate::error::StoreError;

/// How many questions may wait; who comes later waits for a place.
const QUEUE: usize = 1024;

/// How many questions one statement answers at most.
const BATCH: usize = 256;

type Answer = Result<Option<RoomAccess>, Arc<StoreError>>;

struct Question {
    about: (RoomId, UserId),
    answer: oneshot::Sender<Answer>,
}

/// Asks what people are to rooms. Cheap to clone; the reader ends when the last clone is gone.
#[derive(Debug, Clone)]
pub struct AccessReader {
    queue: mpsc::Sender<Question>,
}

impl AccessReader {
    /// Starts the reader.
    #[must_use]
    pub fn start(store: ConferenceStore) -> (Self, JoinHandle<()>) {
        let (queue, mut questions) = mpsc::channel(QUEUE);
        let task = tokio::spawn(async move {
            let (mut batch, mut accesses) = (Vec::new(), store.accesses());
            while accesses.connection().idle_until(questions.recv_many(&mut batch, BATCH)).await > 0 {
                // Whoever is about to ask, too, may.
                tokio::task::yield_now().await;
                while batch.len() < BATCH
                    && let Ok(question) = questions.try_recv()
                {
                    batch.push(question);
                }
                answer(&mut accesses, std::mem::take(&mut batch)).await;
            }
        });
        (Self { queue }, task)
    }

    /// Finds a room and what a person is to it. `None` when there is no such room.
    ///
    /// # Errors
    /// [`StoreError`], shared with whoever asked at the same time.
    pub async fn access(&self, room_id: RoomId, user_id: UserId) -> Answer {
        let (answer, outcome) = oneshot::channel();
        let gone = || Arc::new(StoreError::Unavailable(sqlx::Error::PoolClosed));
        let asking = async {
            self.queue.send(Question { about: (room_id, user_id), answer }).await.map_err(|_| gone())?;
            outcome.await.map_err(|_| gone())?
        };
        // Those before may each have waited for a database that does not answer.
        timeout(ANSWER_TIMEOUT, asking).await.unwrap_or_else(|_| Err(Arc::new(StoreError::no_answer())))
    }
}

async fn answer(accesses: &mut Accesses, batch: Vec<Question>) {
    let mut waiting: HashMap<(RoomId, UserId), Vec<oneshot::Sender<Answer>>> = HashMap::new();
    for question in batch {
        // Who has gone meanwhile needs no answer.
        if !question.answer.is_closed() {
            waiting.entry(question.about).or_default().push(question.answer);
        }
    }
    let asked: Vec<(RoomId, UserId)> = waiting.keys().copied().collect();
    let found = match accesses.find(&asked).await {
        // One room that cannot be read must not hide the others.
        Err(StoreError::Refused(_) | StoreError::Corrupt(_)) if asked.len() > 1 => {
            for (about, answers) in waiting {
                let found = accesses.find(&[about]).await.map_err(Arc::new);
                give(answers, about, &found);
            }
            return;
        }
        found => found.map_err(Arc::new),
    };
    for (about, answers) in waiting {
        give(answers, about, &found);
    }
}

/// Gives everybody who asked the same question its answer. Who has gone meanwhile needs none.
fn give(
    answers: Vec<oneshot::Sender<Answer>>,
    about: (RoomId, UserId),
    found: &Result<HashMap<(RoomId, UserId), RoomAccess>, Arc<StoreError>>,
) {
    for answer in answers {
        let _ = answer.send(found.as_ref().map(|found| found.get(&about).cloned()).map_err(Arc::clone));
    }
}
