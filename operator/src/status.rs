//! How a resource stands: its status as kstatus reads it.
//!
//! `Ready` and `Synced` are always there; `Reconciling` and `Stalled` only while they are true. A generation that was
//! not looked at is never called ready, and a condition keeps its time until its status is another.

use std::time::Duration;

use cloudmeet_api_types::managed::ManagedRoom;
use jiff::{SignedDuration, Timestamp};

use crate::plan::{Note, Refusal};
use crate::reason::Reason;
use crate::resource::{Condition, Participants, Phase, RoomStatus, Truth};

/// How often the number of people is written, at most.
pub const PARTICIPANTS_EVERY: SignedDuration = SignedDuration::from_secs(30);

const READY: &str = "Ready";
const SYNCED: &str = "Synced";
const RECONCILING: &str = "Reconciling";
const STALLED: &str = "Stalled";

/// How many characters of a sentence of the server's are handed on.
const MAX_MESSAGE: usize = 1000;

/// Is what a plan came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    phase: Phase,
    /// Whether people can meet there as described; `None` when that is as it was.
    ready: Option<Truth>,
    synced: Truth,
    reason: Reason,
    message: String,
    room: RoomSeen,
}

/// Is what a verdict knows of the room.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RoomSeen {
    There { room_id: String, join_url: String, people: i64 },
    Absent,
    Unknown,
}

impl RoomSeen {
    fn there(room: &ManagedRoom) -> Self {
        Self::There {
            room_id: room.room_id.clone(),
            join_url: room.join_url.clone(),
            people: room.participants.current,
        }
    }
}

impl Verdict {
    /// The room is as described.
    #[must_use]
    pub fn in_order(reason: Reason, room: &ManagedRoom, unknown_moderators: &[String]) -> Self {
        let mut message = format!("room {} is as described", room.room_id);
        if !unknown_moderators.is_empty() {
            message = format!("{message}; moderators without an account: {}", unknown_moderators.join(", "));
        }
        Self {
            phase: Phase::Ready,
            ready: Some(Truth::True),
            synced: Truth::True,
            reason,
            message,
            room: RoomSeen::there(room),
        }
    }

    /// The room is not as described, and stays so.
    #[must_use]
    pub fn drifted(room: Option<&ManagedRoom>, differing: &[&str]) -> Self {
        let message = match room {
            Some(room) => format!("of room {} these are not as described: {}", room.room_id, differing.join(", ")),
            None => "the room is gone".to_owned(),
        };
        Self {
            phase: Phase::Drifted,
            ready: Some(if room.is_some() { Truth::True } else { Truth::False }),
            synced: Truth::False,
            reason: Reason::Drifted,
            message,
            room: room.map_or(RoomSeen::Absent, RoomSeen::there),
        }
    }

    /// Something is missing that may come by itself. A room that was in order is so still, as far as anybody knows.
    #[must_use]
    pub fn waiting(reason: Reason, message: String, was_applied: bool) -> Self {
        let (phase, ready) = if was_applied { (Phase::Ready, None) } else { (Phase::Pending, Some(Truth::False)) };
        Self { phase, ready, synced: Truth::Unknown, reason, message, room: RoomSeen::Unknown }
    }

    /// Only somebody who changes something can help.
    #[must_use]
    pub fn stalled(reason: Reason, message: String) -> Self {
        Self {
            phase: Phase::Stalled,
            ready: Some(Truth::False),
            synced: Truth::False,
            reason,
            message,
            room: RoomSeen::Unknown,
        }
    }

    /// The room is left alone.
    #[must_use]
    pub fn suspended() -> Self {
        Self {
            phase: Phase::Suspended,
            ready: Some(Truth::Unknown),
            synced: Truth::Unknown,
            reason: Reason::Suspended,
            message: "the room is left alone while spec.suspend is true".to_owned(),
            room: RoomSeen::Unknown,
        }
    }

    /// The resource is to go, and its room is not let go yet.
    #[must_use]
    pub fn terminating(refusal: &Refusal) -> Self {
        Self {
            phase: Phase::Terminating,
            ready: Some(Truth::False),
            synced: Truth::False,
            reason: refusal.reason(),
            message: format!("the room is not let go yet: {}", refusal.message()),
            room: RoomSeen::Unknown,
        }
    }

    /// Says whether the room stands as it did, as far as anybody can see who is not told.
    #[must_use]
    pub const fn is_unchanged_but_unseen(&self) -> bool {
        self.ready.is_none() && self.reason.is_passing()
    }

    /// Gives the reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Gives what people should be told, when it is not what they were told last.
    #[must_use]
    pub fn complaint(&self, before: &RoomStatus) -> Option<Note> {
        let is_known = condition(before, SYNCED).is_some_and(|synced| {
            let is_same = self.reason.is_passing() || synced.message == shortened(&self.message);
            synced.reason == self.reason.as_str() && is_same
        });
        (self.reason.is_complaint() && !is_known)
            .then(|| Note { reason: self.reason, message: shortened(&self.message) })
    }

    /// Puts the verdict down, over what was said before.
    #[must_use]
    pub fn over(&self, before: &RoomStatus, generation: i64, now: Timestamp) -> RoomStatus {
        let (room_id, join_url, participants) = match &self.room {
            RoomSeen::There { room_id, join_url, people } => {
                let same = before.participants.clone().filter(|before| before.current == *people);
                let participants = same.unwrap_or(Participants { current: *people, observed_at: now });
                (Some(room_id.clone()), Some(join_url.clone()), Some(participants))
            }
            RoomSeen::Absent => (before.room_id.clone(), before.join_url.clone(), None),
            RoomSeen::Unknown => (before.room_id.clone(), before.join_url.clone(), before.participants.clone()),
        };
        let message = match condition(before, SYNCED) {
            // A server that is away shows in many ways, one after the other: that is no news.
            Some(synced) if self.reason.is_passing() && synced.reason == self.reason.as_str() => synced.message.clone(),
            _ => shortened(&self.message),
        };
        // What is as it was stands as it did.
        let phase = if self.ready.is_none() { before.phase.unwrap_or(self.phase) } else { self.phase };
        let say = |kind: &str, status: Truth| Condition {
            kind: kind.to_owned(),
            status,
            observed_generation: generation,
            last_transition_time: condition(before, kind)
                .filter(|before| before.status == status)
                .map_or(now, |before| before.last_transition_time),
            reason: self.reason.as_str().to_owned(),
            message: message.clone(),
        };
        let ready = match self.ready {
            Some(truth) => say(READY, truth),
            None => ready_condition(before).cloned().unwrap_or_else(|| say(READY, Truth::Unknown)),
        };
        let mut conditions = vec![ready, say(SYNCED, self.synced)];
        match phase {
            Phase::Pending | Phase::Terminating => conditions.push(say(RECONCILING, Truth::True)),
            Phase::Stalled => conditions.push(say(STALLED, Truth::True)),
            Phase::Ready | Phase::Drifted | Phase::Suspended => {}
        }
        RoomStatus {
            observed_generation: Some(generation),
            room_id,
            join_url,
            phase: Some(phase),
            participants,
            conditions,
        }
    }
}

/// Says when a status is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It says what was said already.
    Never,
    /// Now.
    Now,
    /// Only the number of people is another: now, if not too many others are written.
    Participants,
    /// Only the number of people is another, and it was written a moment ago.
    After(Duration),
}

/// Says when a status is to be written over another.
#[must_use]
pub fn due(before: &RoomStatus, after: &RoomStatus, now: Timestamp) -> Due {
    if before == after {
        return Due::Never;
    }
    let (Some(old), Some(_)) = (&before.participants, &after.participants) else { return Due::Now };
    let as_before = RoomStatus { participants: before.participants.clone(), ..after.clone() };
    if as_before != *before {
        return Due::Now;
    }
    let since = now.duration_since(old.observed_at);
    // A clock that was set back must not silence it.
    if since.is_negative() || since >= PARTICIPANTS_EVERY {
        return Due::Participants;
    }
    Due::After(Duration::try_from(PARTICIPANTS_EVERY - since).unwrap_or_default())
}

/// Gives the condition that people wait for.
#[must_use]
pub fn ready_condition(status: &RoomStatus) -> Option<&Condition> {
    condition(status, READY)
}

fn condition<'a>(status: &'a RoomStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.kind == kind)
}

fn shortened(message: &str) -> String {
    if message.chars().count() <= MAX_MESSAGE {
        return message.to_owned();
    }
    message.chars().take(MAX_MESSAGE - 1).chain(['…']).collect()
}
