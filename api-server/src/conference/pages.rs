//! The newest page of a room, as it was answered to whoever asked before.
//!
//! A page's name says everything that its text depends on, so that one that is there is never out of
//! date; what nobody asks for any more goes by its age.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use cloudmeet_store::{HistoryVersion, Redis, StoreError};
use metrics::counter;
use moka::future::Cache;

/// How much of this process's memory pages take, in bytes.
const MEMORY: u64 = 16 << 20;

/// Goes into every name in Redis: with another shape of pages, another release finds none of these.
const SHAPE: u32 = 2;

/// Is what a page is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PageName {
    /// How the history read.
    pub history: HistoryVersion,
    /// The number of the page's first message.
    pub first: i64,
}

/// Keeps pages in this process and, where there is one, in Redis.
#[derive(Debug, Clone)]
pub struct PageCache {
    here: Cache<PageName, Bytes>,
    redis: Option<Redis>,
    life: Duration,
}

impl PageCache {
    /// Makes a cache that keeps a page so long; with 0 it keeps nothing.
    #[must_use]
    pub fn new(life: Duration, redis: Option<Redis>) -> Self {
        let weigh = |_: &PageName, page: &Bytes| u32::try_from(size_of::<PageName>() + page.len()).unwrap_or(u32::MAX);
        let here = Cache::builder().max_capacity(MEMORY).weigher(weigh).time_to_live(life).build();
        Self { here, redis, life }
    }

    /// Gives the page of a name, and reads it if nobody has it. However many ask at once, it is read once.
    ///
    /// # Errors
    /// What `read` failed with; nothing is kept.
    pub(super) async fn page<R>(&self, name: PageName, read: R) -> Result<Bytes, Arc<StoreError>>
    where
        R: Future<Output = Result<Bytes, StoreError>>,
    {
        if self.life.is_zero() {
            return read.await.map_err(Arc::new);
        }
        // Whoever waits for another's reading found it here, too.
        let mut found = "here";
        let page = match self.here.get(&name).await {
            Some(page) => Ok(page),
            // In a box, for it is seldom needed and takes kilobytes in every request.
            None => Box::pin(self.here.try_get_with_by_ref(&name, self.page_elsewhere(name, read, &mut found))).await,
        };
        counter!("cloudmeet_page_cache_requests_total", "found" => found).increment(1);
        page
    }

    async fn page_elsewhere<R>(&self, name: PageName, read: R, found: &mut &'static str) -> Result<Bytes, StoreError>
    where
        R: Future<Output = Result<Bytes, StoreError>>,
    {
        *found = "nowhere";
        let Some(redis) = &self.redis else { return read.await };
        let name = format!("page:{SHAPE}:{}.{}", name.history, name.first);
        if let Some(page) = redis.get(&name).await {
            *found = "redis";
            return Ok(page.into());
        }
        let page = read.await?;
        let (redis, kept, life) = (redis.clone(), page.clone(), self.life);
        // Nobody waits for it; it ends by Redis's own timeout.
        tokio::spawn(async move { redis.put(&name, &kept, life).await });
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use cloudmeet_core::id::{RoomId, UserId};
    use cloudmeet_core::time::Timestamp;

    use super::*;

    fn name(last_seq: i64) -> PageName {
        let (id, owner_id) = (RoomId::new(1).expect("an id"), UserId::new(1).expect("an id"));
        let created_at = Timestamp::from_millis(0);
        PageName { history: HistoryVersion { id, created_at, owner_id, last_seq, rev: 0, renamings: 0 }, first: 1 }
    }

    #[tokio::test]
    async fn a_page_is_read_once_for_all_who_ask_at_once_and_later() {
        let pages = PageCache::new(Duration::from_secs(60), None);
        let reads = AtomicU32::new(0);
        let read = async |text: &'static str| {
            reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(Bytes::from(text))
        };
        let asked = || pages.page(name(7), read("first"));
        let (one, two) = tokio::join!(asked(), asked());
        assert_eq!((one.expect("a page"), two.expect("a page")), (Bytes::from("first"), Bytes::from("first")));
        assert_eq!(pages.page(name(7), read("second")).await.expect("a page"), "first");
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        assert_eq!(pages.page(name(8), read("third")).await.expect("a page"), "third");
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_without_a_life_nothing_is() {
        let pages = PageCache::new(Duration::from_secs(60), None);
        let failed = pages.page(name(1), async { Err(StoreError::Corrupt("test".to_owned())) }).await;
        assert!(failed.is_err());
        assert_eq!(pages.page(name(1), async { Ok(Bytes::from("a")) }).await.expect("a page"), "a");
        let none = PageCache::new(Duration::ZERO, None);
        for text in ["a", "b"] {
            assert_eq!(none.page(name(1), async { Ok(Bytes::from(text)) }).await.expect("a page"), text);
        }
    }
}
