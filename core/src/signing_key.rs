//! Signing keys: which of them signs, and how long each is believed.

use crate::time::{Span, Timestamp};

/// How long a new key is published before it signs: longer than any server takes to read of it, so
/// that nobody meets a token whose key they cannot find.
pub const NOTICE: Span = Span::seconds(15);

/// How much longer than its last token a key is published.
const MARGIN: Span = Span::minutes(1);

/// Is when a key signs. One key's term begins where its predecessor's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// When it begins to sign.
    pub from: Timestamp,
    /// When its successor takes over; `None` while there is none.
    pub until: Option<Timestamp>,
}

impl Term {
    /// Says whether the key has signed its last token.
    #[must_use]
    pub fn is_over_at(self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Says whether tokens under the key are believed: before it signs, and until the last of its
    /// tokens, which live for `token_life`, has ended.
    #[must_use]
    pub fn is_believed_at(self, now: Timestamp, token_life: Span) -> bool {
        self.until.is_none_or(|until| now < until.plus(token_life).plus(MARGIN))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Span = Span::minutes(60);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_key_without_a_successor_is_never_over_and_believed_for_ever() {
        let term = Term { from: at(10), until: None };
        assert!(term.is_believed_at(at(9), HOUR) && term.is_believed_at(at(1 << 40), HOUR));
        assert!(!term.is_over_at(at(9)) && !term.is_over_at(at(1 << 40)));
    }

    proptest! {
        #[test]
        fn at_any_time_one_key_signs_and_whatever_it_signed_is_believed_to_its_end(
            lengths in prop::collection::vec(1..100_000_i64, 1..6),
            now in 0..700_000_i64,
            life in 1..86_400_u32,
            age in 0..86_400_i64,
        ) {
            let mut from = 0;
            let mut terms: Vec<Term> = Vec::new();
            for length in lengths {
                terms.push(Term { from: at(from), until: Some(at(from + length)) });
                from += length;
            }
            terms.push(Term { from: at(from), until: None });
            // The oldest that is not over signs: the one whose term it is.
            let signing = terms.iter().find(|term| !term.is_over_at(at(now))).expect("the last is never over");
            prop_assert!(signing.from <= at(now));
            // A token signed at `now` is shown `age` later.
            if age < i64::from(life) {
                prop_assert!(signing.is_believed_at(at(now + age), Span::seconds(life)));
            }
        }
    }
}
