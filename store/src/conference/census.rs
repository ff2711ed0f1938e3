//! How many rooms there are, and how many people are in them.

use super::ConferenceStore;
use crate::error::StoreError;

/// Counts rooms and people, over all servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Rooms that were not closed for good.
    pub rooms: i64,
    /// Rooms in which somebody is not offline.
    pub live_rooms: i64,
    /// People who are not offline somewhere, each counted once.
    pub people_online: i64,
    /// Those of them who are in a call.
    pub people_in_call: i64,
}

impl ConferenceStore {
    /// Counts rooms and people. Of the people it looks at those who are present alone (`participants_present`).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn census(&self) -> Result<Census, StoreError> {
        let count = "SELECT (SELECT COUNT(*) FROM rooms WHERE is_active = TRUE) AS rooms, \
                     COUNT(DISTINCT room_id) AS live_rooms, COUNT(DISTINCT user_id) AS people_online, \
                     COUNT(DISTINCT CASE WHEN status = 'in_call' THEN user_id END) AS people_in_call \
                     FROM participants WHERE status <> 'offline'";
        let Some(row) = self.database.read_one(count, vec![]).await? else { return Ok(Census::default()) };
        Ok(Census {
            rooms: row.get("rooms")?,
            live_rooms: row.get("live_rooms")?,
            people_online: row.get("people_online")?,
            people_in_call: row.get("people_in_call")?,
        })
    }
}
