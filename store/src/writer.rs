//! The writer: tasks that take whatever messages wait and commit them together.
//!
//! Under load batches grow by themselves; without load a message is committed at once. No message waits
//! for a timer. Each room has one task, so this server publishes its messages in the order of their numbers.

use std::sync::Arc;
use std::time::Instant;

use cloudmeet_core::chat::{Message, SendError};
use metrics::{counter, histogram};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{Instrument as _, Span, error, info_span, warn};

use crate::conference::{Batches, ConferenceStore, Draft, Sent};
use crate::error::StoreError;

/// How many messages may wait for each task.
const QUEUE: usize = 2048;

/// How many messages one transaction takes at most.
const BATCH: usize = 256;

/// Says why a message was not stored, or is not known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// A rule says no.
    #[error(transparent)]
    Refused(SendError),
    /// Too many messages wait.
    #[error("too many messages wait")]
    Overloaded,
    /// The database does not answer. Whether the message was stored is unknown: sending it again
    /// with the same `client_msg_id` is safe.
    #[error("the database does not answer")]
    Unavailable,
    /// The disk is full.
    #[error("the database has no space left")]
    Full,
    /// The database refused the message.
    #[error("the message could not be stored")]
    Failed,
}

impl From<&StoreError> for SubmitError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Full(_) => Self::Full,
            StoreError::Refused(_) | StoreError::Corrupt(_) => Self::Failed,
        }
    }
}

struct Job {
    draft: Draft,
    /// Who waits for it.
    span: Span,
    answer: oneshot::Sender<Result<Sent, SubmitError>>,
}

/// Hands messages to the writer. Cheap to clone; the writer ends when the last clone is gone.
#[derive(Debug, Clone)]
pub struct MessageWriter {
    queues: Arc<[mpsc::Sender<Job>]>,
}

impl MessageWriter {
    /// Starts the writer. `on_stored` gets the new messages of each commit, before their senders are
    /// answered, those of a room in the order of their numbers; it must not block. The tasks end after the
    /// last clone; dropped, they end at once.
    #[must_use]
    pub fn start(
        store: &ConferenceStore,
        on_stored: impl Fn(Vec<Message>) + Send + Sync + 'static,
    ) -> (Self, JoinSet<()>) {
        let on_stored = Arc::new(on_stored);
        let mut writing = JoinSet::new();
        let queues = (0..store.writers()).map(|_| {
            let (queue, jobs) = mpsc::channel(QUEUE);
            writing.spawn(write(store.batches(), jobs, on_stored.clone()));
            queue
        });
        (Self { queues: queues.collect() }, writing)
    }

    /// Hands a message over, at once and in order; what comes back waits until it is on disk.
    ///
    /// # Errors
    /// [`SubmitError`], at once when too many wait, later when it is not stored.
    pub fn submit(
        &self,
        draft: Draft,
    ) -> Result<impl Future<Output = Result<Sent, SubmitError>> + Send + use<>, SubmitError> {
        let (answer, outcome) = oneshot::channel();
        // A room's messages go one after the other. Its id is positive.
        let place = usize::try_from(draft.room_id.get()).unwrap_or_default() % self.queues.len();
        self.queues[place].try_send(Job { draft, span: Span::current(), answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Unavailable,
        })?;
        Ok(async move { outcome.await.unwrap_or(Err(SubmitError::Unavailable)) })
    }
}

/// Commits what waits, until nobody can hand over more.
async fn write(mut batches: Batches, mut jobs: mpsc::Receiver<Job>, on_stored: Arc<impl Fn(Vec<Message>) + Sync>) {
    let mut batch = Vec::with_capacity(BATCH);
    while batches.connection().idle_until(jobs.recv_many(&mut batch, BATCH)).await > 0 {
        // Whoever is about to send, too, shares the commit.
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        commit(&mut batches, std::mem::take(&mut batch), &*on_stored).await;
    }
}

/// Commits a batch. If the database refuses it, each message is tried alone, so that one bad
/// message harms no other.
async fn commit(batches: &mut Batches, jobs: Vec<Job>, on_stored: &(impl Fn(Vec<Message>) + Sync)) {
    let size = jobs.len();
    // Each message's trace shows the commit that it shared; the batch itself goes on in the first one's.
    let spans: Vec<Span> = jobs.iter().map(|job| info_span!(parent: &job.span, "commit", batch.size = size)).collect();
    let (drafts, answers): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.draft, job.answer)).unzip();
    let began = Instant::now();
    let stored = batches.store(&drafts).instrument(spans.first().cloned().unwrap_or_else(Span::none)).await;
    histogram!("cloudmeet_commit_messages").record(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
    histogram!("cloudmeet_commit_duration_seconds").record(began.elapsed().as_secs_f64());
    match stored {
        Ok(outcomes) => finish(outcomes, answers, on_stored),
        Err(failure @ (StoreError::Unavailable(_) | StoreError::Full(_))) => {
            error!(error = &failure as &dyn std::error::Error, batch.size = answers.len(), "messages not stored");
            count("failed", answers.len());
            for answer in answers {
                let _ = answer.send(Err(SubmitError::from(&failure)));
            }
        }
        Err(failure) => {
            warn!(
                error = &failure as &dyn std::error::Error,
                batch.size = answers.len(),
                "batch refused, trying singly"
            );
            for (draft, answer) in drafts.into_iter().zip(answers) {
                match batches.store(&[draft]).await {
                    Ok(outcomes) => finish(outcomes, vec![answer], on_stored),
                    Err(failure) => {
                        error!(error = &failure as &dyn std::error::Error, "message not stored");
                        count("failed", 1);
                        let _ = answer.send(Err(SubmitError::from(&failure)));
                    }
                }
            }
        }
    }
}

/// Publishes what is new, then answers everybody. A sender who is gone needs no answer.
fn finish(
    outcomes: Vec<Result<Sent, SendError>>,
    answers: Vec<oneshot::Sender<Result<Sent, SubmitError>>>,
    on_stored: &impl Fn(Vec<Message>),
) {
    let mut new: Vec<Message> =
        outcomes.iter().flatten().filter(|sent| sent.is_new).map(|sent| sent.message.clone()).collect();
    new.sort_by_key(|message| (message.room_id, message.seq));
    let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    count("stored", new.len());
    count("repeated", outcomes.len() - refused - new.len());
    count("refused", refused);
    if !new.is_empty() {
        on_stored(new);
    }
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        let _ = answer.send(outcome.map_err(SubmitError::Refused));
    }
}

/// Counts what became of messages.
fn count(outcome: &'static str, messages: usize) {
    counter!("cloudmeet_messages_total", "outcome" => outcome).increment(u64::try_from(messages).unwrap_or(u64::MAX));
}
