//! Sessions: one sign-in on one device, kept alive by refresh tokens that rotate.

use crate::crypto;
use crate::id::{SessionId, UserId};
use crate::time::{Span, Timestamp};
use crate::token::OpaqueToken;

/// How long a refresh token lives unless it is used: then its successor lives as long again.
pub const REFRESH_LIFE: Span = Span::days(30);

/// How long a spent refresh token still yields its successor: tabs that raced, answers that were lost.
pub const REPLAY_GRACE: Span = Span::seconds(30);

/// Is what the store knows of a refresh token that somebody shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshTokenState {
    /// When it stops being good for anything.
    pub expires_at: Timestamp,
    /// When it was first used; `None` while it is the family's newest.
    pub spent_at: Option<Timestamp>,
    /// When its session ended; `None` while it lives.
    pub session_ended_at: Option<Timestamp>,
}

/// Says what to do for a refresh token that is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Mark it spent and store its successor.
    Rotate,
    /// Store nothing: its successor exists already, and is the same.
    Replay,
}

/// Says why a refresh token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// It is too old, or its session is over.
    #[error("the session is over")]
    Over,
    /// It was spent longer ago than [`REPLAY_GRACE`]: two hold it, so its family ends (RFC 9700, 4.14.2).
    #[error("the refresh token was used before")]
    Reused,
}

/// Decides what a shown refresh token is good for.
///
/// # Errors
/// [`RefreshError::Over`] or [`RefreshError::Reused`]; after the latter the session must end.
pub fn rotate(state: RefreshTokenState, now: Timestamp) -> Result<Rotation, RefreshError> {
    if state.session_ended_at.is_some() || now >= state.expires_at {
        return Err(RefreshError::Over);
    }
    match state.spent_at {
        None => Ok(Rotation::Rotate),
        Some(spent_at) if now <= spent_at.plus(REPLAY_GRACE) => Ok(Rotation::Replay),
        Some(_) => Err(RefreshError::Reused),
    }
}

/// Derives a token's successor from the session's own key, so that whoever shows the same token
/// gets the same successor though only digests are stored. Neither the stored key alone nor an old
/// token alone leads to it.
#[must_use]
pub fn successor(rotation_key: &[u8], presented: &OpaqueToken) -> OpaqueToken {
    OpaqueToken::from_random(crypto::authenticate(rotation_key, presented.reveal()))
}

/// Is what a signed access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// Whose it is.
    pub user_id: UserId,
    /// The session that it dies with.
    pub session_id: SessionId,
    /// When it was signed, to the second.
    pub issued_at: Timestamp,
    /// When it ends, to the second.
    pub expires_at: Timestamp,
}

/// How far the clocks of two servers may differ.
pub const CLOCK_SKEW: Span = Span::seconds(5);

/// Says why a signed access token is not good at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// Its end has come.
    #[error("the token has expired")]
    Expired,
    /// It claims to come from the future.
    #[error("the token is not valid yet")]
    NotYetValid,
}

impl AccessClaims {
    /// Makes the claims of a new token.
    #[must_use]
    pub fn issue(user_id: UserId, session_id: SessionId, now: Timestamp, life: Span) -> Self {
        Self { user_id, session_id, issued_at: now, expires_at: now.plus(life) }
    }

    /// Checks the times.
    ///
    /// # Errors
    /// [`ClaimsError::Expired`] or [`ClaimsError::NotYetValid`].
    pub fn check(&self, now: Timestamp) -> Result<(), ClaimsError> {
        self.check_loosely(now, Span::seconds(0))
    }

    /// Checks the times by a clock that may be wrong by some tolerance.
    ///
    /// # Errors
    /// [`ClaimsError::Expired`] or [`ClaimsError::NotYetValid`].
    pub fn check_loosely(&self, now: Timestamp, tolerance: Span) -> Result<(), ClaimsError> {
        if now >= self.expires_at.plus(tolerance) {
            Err(ClaimsError::Expired)
        } else if self.issued_at > now.plus(CLOCK_SKEW).plus(tolerance) {
            Err(ClaimsError::NotYetValid)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn state(spent_at: Option<Timestamp>) -> RefreshTokenState {
        RefreshTokenState { expires_at: NOW.plus(REFRESH_LIFE), spent_at, session_ended_at: None }
    }

    #[test]
    fn a_spent_token_is_replayed_within_the_grace_and_ends_its_family_after_it() {
        assert_eq!(rotate(state(None), NOW), Ok(Rotation::Rotate));
        assert_eq!(rotate(state(Some(NOW)), NOW.plus(Span::seconds(30))), Ok(Rotation::Replay));
        let late = NOW.plus(Span::seconds(30)).plus(Span::seconds(1));
        assert_eq!(rotate(state(Some(NOW)), late), Err(RefreshError::Reused));
    }

    #[test]
    fn a_token_dies_with_its_session_and_at_its_end() {
        let ended = RefreshTokenState { session_ended_at: Some(NOW), ..state(None) };
        assert_eq!(rotate(ended, NOW), Err(RefreshError::Over));
        assert_eq!(rotate(state(None), NOW.plus(REFRESH_LIFE)), Err(RefreshError::Over));
    }

    #[test]
    fn the_successor_is_the_same_for_the_same_token_and_needs_the_key() {
        let token = OpaqueToken::from_random([1; 32]);
        assert_eq!(successor(b"key", &token).reveal(), successor(b"key", &token).reveal());
        assert_ne!(successor(b"key", &token).reveal(), successor(b"other", &token).reveal());
        let other = OpaqueToken::from_random([2; 32]);
        assert_ne!(successor(b"key", &token).reveal(), successor(b"key", &other).reveal());
    }

    #[test]
    fn an_access_token_is_good_from_its_issue_to_its_end() {
        let user = UserId::new(1).expect("positive");
        let claims = AccessClaims::issue(user, SessionId::new("s".into()), NOW, Span::minutes(60));
        assert_eq!(claims.check(NOW), Ok(()));
        assert_eq!(claims.check(NOW.plus(Span::minutes(60))), Err(ClaimsError::Expired));
        assert_eq!(claims.check(NOW.minus(Span::seconds(6))), Err(ClaimsError::NotYetValid));
    }
}
