//! What to do next about one resource: a plain function of what it says and what was seen.
//!
//! [`plan`] is asked again after each step, with what the step has shown, until it settles. It may be asked anew at any
//! point, by an operator that knows nothing of the last one's steps: everything that it decides by is in the resource,
//! in its status and on the server.

use std::time::Duration;

use cloudmeet_api_types::managed::{Kept, ManagedRoom};

use crate::desired::{Adoption, Differences, VersionedPassword, differences};
use crate::reason::Reason;
use crate::resource::{DeletionPolicy, DriftPolicy, RoomSpec, RoomStatus, Truth, Visibility};
use crate::status::{Verdict, ready_condition};

/// How long a deleted resource that retains its room waits for a server that is not there, before it goes all the
/// same: there is nothing to lose but a mark on the room.
pub const RELEASED_WITHIN: Duration = Duration::from_secs(60);

/// Is everything that [`plan`] looks at.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct View<'a> {
    /// Which version of what the resource says.
    pub generation: i64,
    /// What it says.
    pub spec: &'a RoomSpec,
    /// What was said of it last.
    pub status: &'a RoomStatus,
    /// Whether it is to go.
    pub is_deleted: bool,
    /// Whether it is kept until its room is let go.
    pub has_finalizer: bool,
    /// Whether it may take a room over from another resource.
    pub is_forced: bool,
    /// Its password.
    pub password: &'a PasswordState,
    /// Its room.
    pub room: &'a Seen,
    /// What has been done about it since the plan was begun.
    pub deed: &'a Deed,
    /// For how long the server has not been there to let the room go.
    pub missed_for: Duration,
}

/// Is what is known of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordState {
    /// Nobody has looked.
    Unread,
    /// This is it.
    Found(VersionedPassword),
    /// It is not where the resource says, and why.
    Missing(String),
    /// The cluster did not say, and why.
    Unknown(String),
}

/// Is what is known of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nobody has looked.
    Unseen,
    /// There is none.
    Absent(Freshness),
    /// This is it.
    There(Box<ManagedRoom>, Freshness),
    /// This is it, and the server has said that it is as this generation describes it, but for moderators who have no
    /// account.
    Agreed(Box<ManagedRoom>, Vec<String>),
    /// The server did not say.
    Refused(Refusal),
}

/// Says where what is known comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// From what the server tells of changes: a moment old.
    Told,
    /// From an answer to a question of this plan.
    Asked,
}

/// Is what has been done, once, in the course of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Nothing.
    None,
    /// The room was described to the server.
    Kept(Box<Outcome>),
    /// The server did not take the description.
    KeepRefused(Adoption, Refusal),
    /// The room was let go, or there was none.
    LetGo,
    /// The server did not let it go.
    LetGoRefused(Refusal),
}

/// Is what became of a room that was described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The room.
    pub room: ManagedRoom,
    /// What became of it.
    pub kept: Kept,
    /// What of it was another.
    pub changed: Vec<String>,
    /// Those of its moderators who have no account.
    pub unknown_moderators: Vec<String>,
}

/// Says why a call of the server came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The key is missing, or not good for this.
    Unauthorized(String),
    /// The server was not reached, is not able to, or has too much to do; when to come back, where it said so.
    Unreachable(String, Option<Duration>),
    /// The server will not do it, and says why by a word and a sentence.
    Refused {
        /// The word, for programs.
        code: String,
        /// The sentence, for people.
        detail: String,
    },
}

/// Is what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Keep the resource until its room is let go: before there is one.
    AddFinalizer,
    /// Read the password.
    ReadPassword,
    /// Look at the room; what was told will do, unless it must be asked for.
    Look(Freshness),
    /// Describe the room to the server.
    Keep(Adoption),
    /// Close the room.
    Close,
    /// Leave the room to people.
    Release,
    /// Let the resource go, with a note where somebody should know.
    RemoveFinalizer(Option<Note>),
    /// Write down how it stands, and come back.
    Settle(Box<Settlement>),
    /// Nothing: the resource is no longer ours.
    Rest,
}

/// Is how a plan ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// How the resource stands.
    pub verdict: Verdict,
    /// What to tell of it.
    pub note: Option<Note>,
    /// When to come back.
    pub retry: Retry,
}

/// Is what people are told by an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Why, in one word.
    pub reason: Reason,
    /// In a sentence.
    pub message: String,
}

/// Says when to come back to a resource of which nobody hears anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// All is well: at the next round.
    Resync,
    /// Later each time; not before the server said.
    Backoff(Option<Duration>),
    /// As late as it gets: only another description helps.
    Slow,
}

impl View<'_> {
    /// Says whether this generation was in order once: what differs from it now has drifted away.
    fn was_applied(&self) -> bool {
        ready_condition(self.status).is_some_and(|ready| {
            ready.observed_generation == self.generation
                && (ready.status == Truth::True || ready.reason == Reason::Drifted.as_str())
        })
    }

    /// Describes the room, and takes one over where there is one to take: by force only the first time, or two who
    /// want it would take it from each other for ever.
    fn keep(&self) -> Step {
        let is_first = self.status.room_id.is_none();
        Step::Keep(if self.is_forced && is_first { Adoption::Forced } else { Adoption::Peaceful })
    }

    /// Says whether something of the room that this generation describes has become another.
    fn has_drifted(&self) -> bool {
        let has_drifted = match self.room {
            Seen::There(room, _) => !differences(self.spec, self.password_version(), room).drifted.is_empty(),
            _ => true,
        };
        has_drifted && self.was_applied()
    }

    fn password_version(&self) -> Option<&str> {
        match self.password {
            PasswordState::Found(password) => Some(&password.version),
            _ => None,
        }
    }
}

/// Says what to do next.
#[must_use]
pub fn plan(view: &View<'_>) -> Step {
    if view.is_deleted {
        return leave(view);
    }
    if view.spec.suspend {
        return settle(view, Verdict::suspended(), Retry::Resync);
    }
    if !view.has_finalizer {
        return Step::AddFinalizer;
    }
    if view.spec.visibility == Visibility::Password {
        match view.password {
            PasswordState::Unread => return Step::ReadPassword,
            PasswordState::Missing(why) => {
                let verdict = Verdict::waiting(Reason::SecretNotFound, why.clone(), view.was_applied());
                return settle(view, verdict, Retry::Backoff(None));
            }
            PasswordState::Unknown(why) => {
                let verdict = Verdict::waiting(Reason::ClusterUnreachable, why.clone(), view.was_applied());
                return settle(view, verdict, Retry::Backoff(None));
            }
            PasswordState::Found(_) => {}
        }
    }
    match view.deed {
        Deed::Kept(outcome) => return settle_kept(view, outcome),
        // The room that it had taken over is not to be had again.
        Deed::KeepRefused(Adoption::Peaceful, refusal)
            if view.status.room_id.is_some() && refusal.reason() == Reason::AdoptionConflict =>
        {
            return Step::Keep(Adoption::Past);
        }
        Deed::KeepRefused(_, refusal) => return settle_refused(view, refusal),
        Deed::None | Deed::LetGo | Deed::LetGoRefused(_) => {}
    }
    match view.room {
        Seen::Unseen => Step::Look(Freshness::Told),
        Seen::Refused(refusal) => settle_refused(view, refusal),
        Seen::Absent(freshness) => differ(view, None, &[], *freshness),
        Seen::There(room, freshness) => {
            let differing = differences(view.spec, view.password_version(), room);
            match &differing {
                Differences { drifted, .. } if !drifted.is_empty() => differ(view, Some(room), drifted, *freshness),
                Differences { owed, .. } if !owed.is_empty() => view.keep(),
                _ => settle_in_order(view, room, &[]),
            }
        }
        Seen::Agreed(room, unknown_moderators) => settle_in_order(view, room, unknown_moderators),
    }
}

fn settle_in_order(view: &View<'_>, room: &ManagedRoom, unknown_moderators: &[String]) -> Step {
    settle(view, Verdict::in_order(standing_reason(view), room, unknown_moderators), Retry::Resync)
}

/// Says what to do about a room that is not as described.
fn differ(view: &View<'_>, room: Option<&ManagedRoom>, differing: &[&str], freshness: Freshness) -> Step {
    if !view.was_applied() || view.spec.drift_policy == DriftPolicy::Correct {
        return view.keep();
    }
    // What was told may be a moment old, and of a change that the operator has made itself.
    if freshness == Freshness::Told {
        return Step::Look(Freshness::Asked);
    }
    settle(view, Verdict::drifted(room, differing), Retry::Resync)
}

/// Says what to do about a resource that is to go.
fn leave(view: &View<'_>) -> Step {
    if !view.has_finalizer {
        return Step::Rest;
    }
    let retains = view.spec.deletion_policy == DeletionPolicy::Retain;
    match view.deed {
        Deed::LetGo => Step::RemoveFinalizer(None),
        Deed::LetGoRefused(refusal) => {
            let is_not_there = matches!(refusal, Refusal::Unreachable(_, None));
            if retains && is_not_there && view.missed_for >= RELEASED_WITHIN {
                let message = format!(
                    "the resource goes without the server's word: the room may go on naming this cluster as its manager; {}",
                    refusal.message()
                );
                return Step::RemoveFinalizer(Some(Note { reason: refusal.reason(), message }));
            }
            let (verdict, retry) = (Verdict::terminating(refusal), refusal.retry());
            settle(view, verdict, if retry == Retry::Slow { Retry::Backoff(None) } else { retry })
        }
        _ if retains => Step::Release,
        _ => Step::Close,
    }
}

/// Settles after the server took the description.
fn settle_kept(view: &View<'_>, outcome: &Outcome) -> Step {
    let Outcome { room, kept, changed, unknown_moderators } = outcome;
    let had_one = view.status.room_id.as_ref().filter(|id| **id != room.room_id);
    let (reason, message) = match kept {
        Kept::Created if view.was_applied() || had_one.is_some() => {
            let gone = had_one.map_or(String::new(), |id| format!(" in the place of room {id}, which is gone"));
            (Reason::DriftCorrected, format!("room {} was made{gone}", room.room_id))
        }
        Kept::Created => (Reason::Created, format!("room {} was made", room.room_id)),
        Kept::Adopted => (Reason::Adopted, format!("room {} was taken over", room.room_id)),
        Kept::Updated if view.has_drifted() => (
            Reason::DriftCorrected,
            format!("{} of room {} was not as described, and is again", changed.join(", "), room.room_id),
        ),
        Kept::Updated => (Reason::Updated, format!("{} of room {} was changed", changed.join(", "), room.room_id)),
        Kept::Unchanged => return settle_in_order(view, room, unknown_moderators),
    };
    Step::Settle(Box::new(Settlement {
        verdict: Verdict::in_order(reason, room, unknown_moderators),
        note: Some(Note { reason, message }),
        retry: Retry::Resync,
    }))
}

/// Gives the reason of a room that is in order without anything having been done: the one that it had. Where the
/// description is another, who made the room so did not live to say it.
fn standing_reason(view: &View<'_>) -> Reason {
    let ready = ready_condition(view.status).filter(|ready| ready.status == Truth::True);
    if ready.is_some_and(|ready| ready.observed_generation != view.generation) {
        return Reason::Updated;
    }
    ready
        .and_then(|ready| Reason::parse(&ready.reason))
        .filter(|reason| reason.is_in_order())
        .unwrap_or(if view.spec.external_room_id.is_some() { Reason::Adopted } else { Reason::Created })
}

fn settle_refused(view: &View<'_>, refusal: &Refusal) -> Step {
    let verdict = match refusal {
        Refusal::Refused { .. } => Verdict::stalled(refusal.reason(), refusal.message()),
        Refusal::Unauthorized(_) | Refusal::Unreachable(..) => {
            Verdict::waiting(refusal.reason(), refusal.message(), view.was_applied())
        }
    };
    settle(view, verdict, refusal.retry())
}

/// Settles, and tells what is wrong where that is new.
fn settle(view: &View<'_>, verdict: Verdict, retry: Retry) -> Step {
    let note = verdict.complaint(view.status);
    Step::Settle(Box::new(Settlement { verdict, note, retry }))
}

impl Refusal {
    /// Gives the word for it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unauthorized(_) => Reason::Unauthorized,
            Self::Unreachable(..) => Reason::ServerUnreachable,
            Self::Refused { code, .. } => match code.as_str() {
                "owner_not_found" => Reason::OwnerNotFound,
                "adoption_conflict" | "managed_elsewhere" | "room_not_found" => Reason::AdoptionConflict,
                _ => Reason::InvalidSpec,
            },
        }
    }

    /// Gives the sentence for it.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Unauthorized(detail) | Self::Unreachable(detail, _) | Self::Refused { detail, .. } => detail.clone(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unauthorized(_) => Retry::Backoff(None),
            Self::Unreachable(_, after) => Retry::Backoff(*after),
            // An account comes into being without anybody telling.
            Self::Refused { .. } if self.reason() == Reason::OwnerNotFound => Retry::Backoff(None),
            Self::Refused { .. } => Retry::Slow,
        }
    }
}
