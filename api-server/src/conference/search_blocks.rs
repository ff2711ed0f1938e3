//! Makes full blocks of histories ready to be searched, beside those who send.

use cloudmeet_core::chat::Message;
use cloudmeet_core::id::RoomId;
use cloudmeet_store::{ConferenceStore, SEARCH_BLOCK};
use tokio::sync::mpsc;

/// How many blocks may wait; what finds no place is made by the first search that misses it.
const QUEUE: usize = 4096;

/// Hears of messages that are stored.
#[derive(Debug)]
pub struct SearchBlocks {
    full: mpsc::Sender<(RoomId, i64)>,
}

impl SearchBlocks {
    /// Says what must run for blocks to be made.
    pub fn start(store: ConferenceStore) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (full, mut waiting) = mpsc::channel(QUEUE);
        let making = async move {
            while let Some((room_id, block)) = waiting.recv().await {
                if let Err(error) = store.make_search_block(room_id, block).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, room.id = room_id.get(), "block not made");
                }
            }
        };
        (Self { full }, making)
    }

    /// Takes note of new messages. Never waits.
    pub fn note(&self, messages: &[Message]) {
        for message in messages.iter().filter(|message| message.seq % SEARCH_BLOCK == 0) {
            let _ = self.full.try_send((message.room_id, message.seq / SEARCH_BLOCK - 1));
        }
    }
}
