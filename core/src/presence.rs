//! Presence: one value a person and room, held as a lease that ends by itself.
//!
//! What keeps it alive is either a *hold* (a server that has a live subscribed socket of this
//! person in this room; servers themselves live by a lease) or a deadline in the future.

use crate::time::{Span, Timestamp};

/// How long a presence outlives its last sign of life.
pub const LEASE: Span = Span::seconds(60);

/// How often a server that holds sockets renews its own lease.
pub const SERVER_RENEWAL: Span = Span::seconds(3);

/// How long a server's lease lasts: however long before its death it was renewed, the people whom
/// it held outlive it by [`LEASE`].
pub const SERVER_LEASE: Span = Span::seconds(63);

/// How long a presence outlives its last socket's orderly end: a reload is not a departure.
pub const CLOSING_GRACE: Span = Span::seconds(5);

/// How often signs of life of REST calls are written at most.
pub const TOUCH_INTERVAL: Span = Span::seconds(20);

/// Says where a person is, seen from one room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Inside.
    InCall,
    /// Has the room open, not inside.
    Online,
    /// Neither.
    Offline,
}

impl Status {
    /// Gives the word that stands on the wire and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InCall => "in_call",
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }

    /// Reads that word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::InCall, Self::Online, Self::Offline].into_iter().find(|s| s.as_str() == word)
    }
}

/// Says what shows that the person is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A REST call: good for [`LEASE`].
    Call,
    /// A subscribed socket, held by its server.
    Socket,
}

/// Is a person's presence in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// Where they are.
    pub status: Status,
    /// Rises by one with every change that others see.
    pub version: i64,
    /// Until when it lives without a hold; `None` when only holds keep it.
    pub until: Option<Timestamp>,
    /// Whether the last socket closed in order and the grace runs.
    pub closing: bool,
    /// When this presence began.
    pub began_at: Timestamp,
    /// When it ended; `None` while it lasts.
    pub ended_at: Option<Timestamp>,
}

impl Presence {
    /// Is the presence of somebody who was never there.
    #[must_use]
    pub const fn absent(now: Timestamp) -> Self {
        Self { status: Status::Offline, version: 0, until: None, closing: false, began_at: now, ended_at: None }
    }

    /// Sets where the person is, by a sign of life at `now`. The version rises if the status changes.
    #[must_use]
    pub fn set(self, status: Status, sign: Sign, now: Timestamp) -> Self {
        if status == Status::Offline {
            return self.end(now);
        }
        let began_at = if self.status == Status::Offline { now } else { self.began_at };
        let version = if self.status == status { self.version } else { self.version + 1 };
        let until = match sign {
            Sign::Call => Some(now.plus(LEASE)),
            Sign::Socket => None,
        };
        Self { status, version, until: until.max(self.live_deadline()), closing: false, began_at, ended_at: None }
    }

    /// Prolongs a presence by a REST call. `None` when nothing needs to be written: it never starts
    /// one, does not undo a closing, and is written at most every [`TOUCH_INTERVAL`].
    #[must_use]
    pub fn touch(self, now: Timestamp) -> Option<Self> {
        let fresh = self.until.is_some_and(|until| until >= now.plus(LEASE).minus(TOUCH_INTERVAL));
        if self.status == Status::Offline || self.closing || fresh {
            None
        } else {
            Some(Self { until: Some(now.plus(LEASE)), ..self })
        }
    }

    /// Starts the grace after the person's last subscribed socket ended in order.
    #[must_use]
    pub fn close(self, now: Timestamp) -> Self {
        if self.status == Status::Offline {
            return self;
        }
        Self { until: Some(now.plus(CLOSING_GRACE)), closing: true, ..self }
    }

    /// Takes note that the person's last subscribed socket fell silent, its last sign at `last_sign`.
    #[must_use]
    pub fn lapse(self, last_sign: Timestamp) -> Self {
        if self.status == Status::Offline {
            return self;
        }
        Self { until: Some(last_sign.plus(LEASE)).max(self.live_deadline()), closing: false, ..self }
    }

    /// Says whether it is over at `now` unless a living server holds it.
    #[must_use]
    pub fn is_over(self, now: Timestamp) -> bool {
        self.status != Status::Offline && self.until.is_none_or(|until| until <= now)
    }

    /// Ends it. Without effect, not even on the version, when it has ended.
    #[must_use]
    pub fn end(self, now: Timestamp) -> Self {
        if self.status == Status::Offline {
            return self;
        }
        Self {
            status: Status::Offline,
            version: self.version + 1,
            until: None,
            closing: false,
            ended_at: Some(now),
            ..self
        }
    }

    /// The deadline that a new sign of life must not shorten.
    fn live_deadline(self) -> Option<Timestamp> {
        if self.closing || self.status == Status::Offline { None } else { self.until }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Set(Status, Sign),
        Touch,
        Close,
        Lapse,
        Wait(u32),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let status = prop_oneof![Just(Status::InCall), Just(Status::Online), Just(Status::Offline)];
        let sign = prop_oneof![Just(Sign::Call), Just(Sign::Socket)];
        let step = prop_oneof![
            (status, sign).prop_map(|(status, sign)| Step::Set(status, sign)),
            Just(Step::Touch),
            Just(Step::Close),
            Just(Step::Lapse),
            (0..50u32).prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 0..40)
    }

    proptest! {
        #[test]
        fn a_lease_never_outlives_its_end(steps in steps()) {
            let mut now = START;
            let mut last_sign = START;
            let mut presence = Presence::absent(START);
            for step in steps {
                match step {
                    Step::Set(status, sign) => {
                        presence = presence.set(status, sign, now);
                        last_sign = now;
                    }
                    Step::Touch => {
                        presence = presence.touch(now).unwrap_or(presence);
                        last_sign = now;
                    }
                    Step::Close => presence = presence.close(now),
                    Step::Lapse => presence = presence.lapse(last_sign),
                    Step::Wait(seconds) => now = now.plus(Span::seconds(seconds)),
                }
                // Without a hold, LEASE after the last sign (or the grace after a close) it is over.
                let end = last_sign.plus(LEASE).max(now.plus(CLOSING_GRACE));
                prop_assert!(presence.status == Status::Offline || presence.is_over(end));
            }
        }

        #[test]
        fn versions_rise_exactly_with_the_status(steps in steps()) {
            let mut presence = Presence::absent(START);
            for step in steps {
                let before = presence;
                match step {
                    Step::Set(status, sign) => presence = presence.set(status, sign, START),
                    Step::Touch => presence = presence.touch(START).unwrap_or(presence),
                    Step::Close => presence = presence.close(START),
                    Step::Lapse => presence = presence.lapse(START),
                    Step::Wait(_) => {}
                }
                let changed = i64::from(presence.status != before.status);
                prop_assert_eq!(presence.version, before.version + changed);
            }
        }
    }

    #[test]
    fn a_call_holds_sixty_seconds_and_another_prolongs_it() {
        let presence = Presence::absent(START).set(Status::InCall, Sign::Call, START);
        let almost = START.plus(Span::seconds(59));
        assert!(!presence.is_over(almost));
        assert!(presence.is_over(START.plus(LEASE)));
        let prolonged = presence.touch(almost).expect("19 s are left of 60");
        assert!(!prolonged.is_over(almost.plus(Span::seconds(59))));
    }

    #[test]
    fn a_touch_neither_starts_a_presence_nor_writes_often_nor_undoes_a_closing() {
        assert_eq!(Presence::absent(START).touch(START), None);
        let presence = Presence::absent(START).set(Status::Online, Sign::Call, START);
        assert_eq!(presence.touch(START.plus(Span::seconds(19))), None);
        assert!(presence.touch(START.plus(Span::seconds(21))).is_some());
        assert_eq!(presence.close(START).touch(START.plus(Span::seconds(1))), None);
    }

    #[test]
    fn a_closed_socket_leaves_five_seconds_to_come_back() {
        let inside = Presence::absent(START).set(Status::InCall, Sign::Socket, START);
        let closing = inside.close(START);
        assert!(!closing.is_over(START.plus(Span::seconds(4))));
        assert!(closing.is_over(START.plus(CLOSING_GRACE)));
        let back = closing.set(Status::InCall, Sign::Socket, START.plus(Span::seconds(4)));
        assert_eq!(back.version, inside.version, "nobody saw a departure");
        assert_eq!(back.until, None, "from here on the socket alone keeps it");
    }

    #[test]
    fn a_lapsed_presence_is_over_a_lease_after_its_last_sign() {
        let inside = Presence::absent(START).set(Status::InCall, Sign::Socket, START);
        let later = START.plus(Span::minutes(5));
        assert!(!inside.lapse(later.minus(LEASE).plus(Span::seconds(1))).is_over(later));
        assert!(inside.lapse(later.minus(LEASE)).is_over(later));
    }
}
