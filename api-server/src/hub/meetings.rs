//! Standing tasks about meetings: their ends, and the lobbies before them.

use std::time::Duration;

use cloudmeet_core::time::Span;
use cloudmeet_store::StoreError;
use tokio::time::Instant;

use super::follower::{COMPARE_EVERY, Follower, report, ticks};

/// How often ends of meetings and of waiting are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How far back ended meetings are looked for again: an end may have been set at the last moment.
const LOOK_BACK: Span = Span::minutes(1);

impl Follower {
    /// Tells people of the ends of their meetings, and ends them when it is time.
    pub(super) async fn keep_schedules(self) {
        let mut ticks = ticks(LOOK_EVERY);
        // What ended before this server began was ended by another, or nobody did: it looks at all once.
        let mut since = None;
        loop {
            ticks.tick().await;
            match self.conference.closing_rooms().await {
                Ok(closing) => {
                    for (room_id, closes_at) in closing {
                        self.hub.publish_closing(room_id, closes_at);
                    }
                }
                Err(error) => report(Err(error), "ends of meetings not read"),
            }
            let now = self.conference.now();
            match self.conference.end_over_meetings(since).await {
                Ok(over) => {
                    if over.is_complete {
                        since = Some(now.minus(LOOK_BACK));
                    }
                    for room in over.ended {
                        self.hub.publish_ended(&room);
                    }
                }
                Err(error) => report(Err(error), "over meetings not ended"),
            }
        }
    }

    /// Ends the waiting of who is gone, and keeps the places of who has a socket here.
    pub(super) async fn keep_lobbies(self) {
        let mut compared_at: Option<Instant> = None;
        let mut ticks = ticks(LOOK_EVERY);
        loop {
            ticks.tick().await;
            if compared_at.is_none_or(|at| at.elapsed() >= COMPARE_EVERY) {
                compared_at = Some(Instant::now());
                report(self.compare_lobbies().await, "lobbies not read");
            }
            match self.conference.end_lapsed_waiting().await {
                Ok(ended) => {
                    for participant in ended {
                        self.hub.publish_participant(participant);
                    }
                }
                Err(error) => report(Err(error), "lapsed waiting not ended"),
            }
        }
    }

    async fn compare_lobbies(&self) -> Result<(), StoreError> {
        let here = self.hub.refresh_lobbies(&self.conference.all_waiting().await?);
        self.conference.prolong_waiting(&here).await
    }
}
