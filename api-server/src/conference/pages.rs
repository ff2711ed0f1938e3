//! The newest page of a room, as it was answered to whoever asked before.
//!
//! A page's name says everything that its text depends on, so that one that is there is never out of
//! date; what nobody asks for any more goes by its age.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use cloudmeet_store::{Redis, StoreError};
use metrics::counter;
use moka::future::Cache;

/// How much of this process's memory pages take, in bytes.
const MEMORY: u64 = 16 << 20;

/// Goes into every name: with another shape of pages, another release finds none of these.
const SHAPE: u32 = 2;

/// Keeps pages in this process and, where there is one, in Redis.
#[derive(Debug, Clone)]
pub struct PageCache {
    here: Cache<String, Bytes>,
    redis: Option<Redis>,
    life: Duration,
}

impl PageCache {
    /// Makes a cache that keeps a page so long; with 0 it keeps nothing.
    #[must_use]
    pub fn new(life: Duration, redis: Option<Redis>) -> Self {
        let weigh = |name: &String, page: &Bytes| u32::try_from(name.len() + page.len()).unwrap_or(u32::MAX);
        let here = Cache::builder().max_capacity(MEMORY).weigher(weigh).time_to_live(life).build();
        Self { here, redis, life }
    }

    /// Gives the page of a name, and reads it if nobody has it. However many ask at once, it is read once.
    ///
    /// # Errors
    /// What `read` failed with; nothing is kept.
    pub(super) async fn page<R>(&self, name: String, read: R) -> Result<Bytes, Arc<StoreError>>
    where
        R: Future<Output = Result<Bytes, StoreError>>,
    {
        if self.life.is_zero() {
            return read.await.map_err(Arc::new);
        }
        // Whoever waits for another's reading found it here, too.
        let mut found = "here";
        let page = self.here.try_get_with_by_ref(&name, self.page_elsewhere(&name, read, &mut found)).await;
        counter!("cloudmeet_page_cache_requests_total", "found" => found).increment(1);
        page
    }

    async fn page_elsewhere<R>(&self, name: &str, read: R, found: &mut &'static str) -> Result<Bytes, StoreError>
    where
        R: Future<Output = Result<Bytes, StoreError>>,
    {
        *found = "nowhere";
        let Some(redis) = &self.redis else { return read.await };
        let name = format!("page:{SHAPE}:{name}");
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

    use super::*;

    #[tokio::test]
    async fn a_page_is_read_once_for_all_who_ask_at_once_and_later() {
        let pages = PageCache::new(Duration::from_secs(60), None);
        let reads = AtomicU32::new(0);
        let read = async |text: &'static str| {
            reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(Bytes::from(text))
        };
        let asked = || pages.page("1.7".to_owned(), read("first"));
        let (one, two) = tokio::join!(asked(), asked());
        assert_eq!((one.expect("a page"), two.expect("a page")), (Bytes::from("first"), Bytes::from("first")));
        assert_eq!(pages.page("1.7".to_owned(), read("second")).await.expect("a page"), "first");
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        assert_eq!(pages.page("1.8".to_owned(), read("third")).await.expect("a page"), "third");
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_without_a_life_nothing_is() {
        let pages = PageCache::new(Duration::from_secs(60), None);
        let failed = pages.page("1".to_owned(), async { Err(StoreError::Corrupt("test".to_owned())) }).await;
        assert!(failed.is_err());
        assert_eq!(pages.page("1".to_owned(), async { Ok(Bytes::from("a")) }).await.expect("a page"), "a");
        let none = PageCache::new(Duration::ZERO, None);
        for text in ["a", "b"] {
            assert_eq!(none.page("1".to_owned(), async { Ok(Bytes::from(text)) }).await.expect("a page"), text);
        }
    }
}
