//! Hears what happens in the rooms, and says which resources it concerns.
//!
//! Each stream begins with a list of all rooms, and none goes on from where the last one ended: a server that was put
//! back to an earlier backup does not know what it has forgotten.

use std::pin::pin;
use std::time::Duration;

use cloudmeet_api_types::managed::{GoneRoom, ManagedRoom};
use eventsource_stream::{Event, Eventsource as _};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::cloudmeet::CloudMeet;
use crate::jitter::jittered;
use crate::metrics::stream_is_live;
use crate::mirror::Mirror;
use crate::plan::Refusal;

/// How long to wait before the server is asked again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a stream has lived that is as it should be.
const LIVED: Duration = Duration::from_secs(30);

/// After how long without the server every resource hears of it.
const MISSED_AFTER: Duration = Duration::from_secs(30);

/// Says which resources to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// The one with this uid.
    One(String),
    /// All of them.
    All,
}

/// Follows the server, as long as it is polled.
pub struct Follower {
    cloudmeet: CloudMeet,
    mirror: Mirror,
    wakes: mpsc::Sender<Wake>,
    every: Duration,
}

/// Says why nobody is heard any more.
enum End {
    /// The stream ended, after something was heard.
    Ended,
    /// The server refused, or was not there.
    Refused(Refusal),
    /// Nobody wants to hear.
    Deaf,
}

impl Follower {
    /// Prepares to follow, and to list all rooms at each round.
    #[must_use]
    pub fn new(cloudmeet: CloudMeet, mirror: Mirror, wakes: mpsc::Sender<Wake>, every: Duration) -> Self {
        Self { cloudmeet, mirror, wakes, every }
    }

    /// Follows until nobody wants to hear.
    pub async fn run(self) {
        let mut pause = FIRST_PAUSE;
        let mut missed: Option<Instant> = None;
        // What was said last to all: once is enough.
        let mut is_told = false;
        loop {
            let began = Instant::now();
            let end = self.hear().await;
            let was_live = self.mirror.is_live();
            self.mirror.set_live(false);
            stream_is_live(false);
            if was_live {
                (missed, is_told) = (None, false);
            }
            // One that always ends soon is not worth a list of all rooms each second.
            if began.elapsed() >= LIVED {
                pause = FIRST_PAUSE;
            }
            let since = missed.get_or_insert_with(Instant::now);
            let tells_all = match end {
                End::Deaf => return,
                End::Ended => {
                    tracing::info!("the stream of changes has ended");
                    false
                }
                End::Refused(refusal) => {
                    tracing::warn!(reason = refusal.reason().as_str(), "changes are not heard: {}", refusal.message());
                    // A key that is not good shows at once: somebody has to do something.
                    matches!(refusal, Refusal::Unauthorized(_)) || since.elapsed() > MISSED_AFTER
                }
            };
            if tells_all && !is_told {
                is_told = true;
                if self.wakes.send(Wake::All).await.is_err() {
                    return;
                }
            }
            sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn hear(&self) -> End {
        let response = match self.cloudmeet.follow().await {
            Ok(response) => response,
            Err(refusal) => return End::Refused(refusal),
        };
        let mut events = pin!(response.bytes_stream().eventsource());
        let mut round = pin!(sleep(Duration::ZERO));
        loop {
            let wakes = tokio::select! {
                // At first, for what was before the stream began; and at each round, should anything have gone by.
                () = &mut round => {
                    if let Err(refusal) = self.list().await {
                        return End::Refused(refusal);
                    }
                    round.as_mut().reset(Instant::now() + jittered(self.every));
                    vec![Wake::All]
                }
                event = events.next() => match event {
                    Some(Ok(event)) => match self.take(&event).await {
                        Ok(wakes) => wakes,
                        Err(refusal) => return End::Refused(refusal),
                    },
                    Some(Err(_)) | None => return End::Ended,
                },
            };
            for wake in wakes {
                if self.wakes.send(wake).await.is_err() {
                    return End::Deaf;
                }
            }
        }
    }

    async fn list(&self) -> Result<(), Refusal> {
        let rooms = self.cloudmeet.list().await?;
        tracing::info!(rooms = rooms.len(), "rooms listed");
        self.mirror.replace(rooms);
        self.mirror.set_live(true);
        stream_is_live(true);
        Ok(())
    }

    async fn take(&self, event: &Event) -> Result<Vec<Wake>, Refusal> {
        match event.event.as_str() {
            // The first one is that of every new stream: the list comes by itself.
            "reset" if !self.mirror.is_live() => Ok(Vec::new()),
            "reset" => self.list().await.map(|()| vec![Wake::All]),
            "room" => Ok(read::<ManagedRoom>(event).map_or_else(Vec::new, |room| {
                let uid = room.uid.clone();
                self.mirror.put(room).into_iter().chain([uid]).map(Wake::One).collect()
            })),
            "gone" => Ok(read::<GoneRoom>(event).map_or_else(Vec::new, |gone| {
                self.mirror.take(&gone.uid, Some(&gone.room_id));
                vec![Wake::One(gone.uid)]
            })),
            _ => Ok(Vec::new()),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(event: &Event) -> Option<T> {
    serde_json::from_str(&event.data)
        .inspect_err(|error| tracing::warn!(%error, event = event.event, "an event is not understood"))
        .ok()
}
