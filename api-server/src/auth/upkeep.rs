//! What the store of accounts needs beside its requests.

use std::time::Duration;

use cloudmeet_store::{AccountChange, AuthStore, Hints, StoreError};
use tokio::time::{MissedTickBehavior, interval};

use crate::sessions::Sessions;

/// How often other servers' changes are read.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// How often this server's clock is compared with the store's.
const COMPARE_EVERY: Duration = Duration::from_secs(20);

/// How often what nobody needs is deleted, in comparisons.
const PRUNE_EVERY: u32 = 3;

/// Keeps the clock right and the tables small.
pub async fn keep(store: AuthStore) {
    let mut ticks = ticks(COMPARE_EVERY);
    for round in 0_u32.. {
        ticks.tick().await;
        report(store.check().await, "the clock of accounts was not read");
        if round % PRUNE_EVERY == 0 {
            report(store.prune().await, "old rows of accounts not deleted");
        }
    }
}

/// Lets ends of sessions and changes of accounts on other servers bite on this one.
pub async fn follow(store: AuthStore, mut hints: Hints<AccountChange>, sessions: Sessions) {
    let mut tail = store.follow();
    let mut ticks = ticks(FOLLOW_EVERY);
    loop {
        let changes = tokio::select! {
            hinted = hints.next() => hinted,
            _ = ticks.tick() => match store.changes(&mut tail).await {
                Ok(changes) => changes,
                Err(error) => {
                    report(Err(error), "changes of accounts not read");
                    continue;
                }
            },
        };
        for change in changes {
            match change {
                AccountChange::SessionEnded(session_id) => sessions.forget(&session_id).await,
                AccountChange::Account(_) => sessions.doubt_all(),
            }
        }
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn report(outcome: Result<(), StoreError>, message: &'static str) {
    if let Err(error) = outcome {
        tracing::warn!(error = &error as &dyn std::error::Error, "{message}");
    }
}
