//! Pages of a room's history. Sequence numbers have no gaps, so a page is a range of them.

/// Is a run of sequence numbers, both ends included; empty when `first > last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeqRange {
    /// The oldest of the page.
    pub first: i64,
    /// The newest of the page.
    pub last: i64,
}

impl SeqRange {
    /// Says whether the page holds nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.first > self.last
    }
}

/// Says which page of a history somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// The newest page after leaving out the newest `skip` messages.
    Newest {
        /// How many of the newest to leave out.
        skip: i64,
    },
    /// The page that ends right before this number.
    Before(i64),
    /// The page that begins right after this number.
    After(i64),
}

/// Is how many messages a page holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(i64);

impl PageLimit {
    /// The greatest page.
    pub const MAX: i64 = 200;
    /// The page that one gets without asking for a size.
    pub const DEFAULT: Self = Self(50);

    /// Takes a size of 1–200. `None` for any other.
    #[must_use]
    pub const fn new(limit: i64) -> Option<Self> {
        if limit >= 1 && limit <= Self::MAX { Some(Self(limit)) } else { None }
    }

    /// Gives the number of messages.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Is the greatest page.
    #[must_use]
    pub const fn max() -> Self {
        Self(Self::MAX)
    }
}

/// Finds the range of a page in a history whose newest message has `last_seq` (0: none).
#[must_use]
pub fn locate(cursor: Cursor, limit: PageLimit, last_seq: i64) -> SeqRange {
    match cursor {
        Cursor::Newest { skip } => ending_at(last_seq.saturating_sub(skip.max(0)), limit),
        Cursor::Before(seq) => ending_at(seq.saturating_sub(1).min(last_seq), limit),
        Cursor::After(seq) => {
            let first = seq.max(0).saturating_add(1);
            SeqRange { first, last: first.saturating_add(limit.0 - 1).min(last_seq) }
        }
    }
}

fn ending_at(last: i64, limit: PageLimit) -> SeqRange {
    let last = last.max(0);
    SeqRange { first: (last - limit.0 + 1).max(1), last }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(range: SeqRange) -> Vec<i64> {
        (range.first..=range.last).collect()
    }

    proptest! {
        #[test]
        fn the_newest_page_and_those_before_it_never_overlap_or_skip(last_seq in 0..1000i64, size in 1..=200i64) {
            let limit = PageLimit::new(size).expect("in range");
            let mut by_skip = Vec::new();
            let mut skip = 0;
            loop {
                let page = locate(Cursor::Newest { skip }, limit, last_seq);
                if page.is_empty() { break; }
                by_skip.splice(0..0, numbers(page));
                skip += size;
            }
            let mut by_cursor = numbers(locate(Cursor::Newest { skip: 0 }, limit, last_seq));
            while let Some(&oldest) = by_cursor.first() {
                let page = locate(Cursor::Before(oldest), limit, last_seq);
                if page.is_empty() { break; }
                by_cursor.splice(0..0, numbers(page));
            }
            let all: Vec<i64> = (1..=last_seq).collect();
            prop_assert_eq!(&by_skip, &all);
            prop_assert_eq!(&by_cursor, &all);
        }

        #[test]
        fn pages_forward_reach_every_message_once(last_seq in 0..1000i64, size in 1..=200i64) {
            let limit = PageLimit::new(size).expect("in range");
            let mut seen: Vec<i64> = Vec::new();
            loop {
                let page = locate(Cursor::After(seen.last().copied().unwrap_or(0)), limit, last_seq);
                if page.is_empty() { break; }
                seen.extend(numbers(page));
            }
            prop_assert_eq!(seen, (1..=last_seq).collect::<Vec<_>>());
        }

        #[test]
        fn any_cursor_gives_a_page_within_the_history(cursor: i64, last_seq in 0..1000i64, kind in 0..3) {
            let cursor = match kind { 0 => Cursor::Newest { skip: cursor }, 1 => Cursor::Before(cursor), _ => Cursor::After(cursor) };
            let page = locate(cursor, PageLimit::max(), last_seq);
            prop_assert!(page.is_empty() || (page.first >= 1 && page.last <= last_seq));
            prop_assert!(page.is_empty() || page.last - page.first < PageLimit::MAX);
        }
    }
}
