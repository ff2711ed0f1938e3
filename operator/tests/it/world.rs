//! A cluster, a server and an operator that may be cut off at any step, all of plain values.

use std::time::Duration;

use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::managed::{Kept, ManagedRoom, Observed};
use cloudmeet_core::secret::Secret;
use cloudmeet_operator::desired::{Adoption, VersionedPassword, differences, keep_room};
use cloudmeet_operator::plan::{Deed, Freshness, Note, Outcome, PasswordState, Refusal, Retry, Seen, Step, View, plan};
use cloudmeet_operator::resource::{DeletionPolicy, RoomSpec, RoomStatus, Visibility};
use cloudmeet_operator::status::{Due, due};
use jiff::{SignedDuration, Timestamp};

/// More steps than any plan may take.
const MAX_STEPS: usize = 12;

/// Says how the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Up,
    Away,
    /// Does what it is asked, and its answer is lost.
    Mute,
    Locked,
}

/// Is everything there is.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) spec: RoomSpec,
    pub(crate) generation: i64,
    pub(crate) status: RoomStatus,
    pub(crate) has_finalizer: bool,
    pub(crate) deleted_at: Option<Timestamp>,
    /// Since when the server has not been there to let the room go, as one operator remembers it.
    pub(crate) missed_since: Option<Timestamp>,
    pub(crate) is_there: bool,
    pub(crate) secret: Option<(String, String)>,
    pub(crate) server: Server,
    pub(crate) has_owner: bool,
    /// Whether the room that the resource names is another's.
    pub(crate) is_taken: bool,
    pub(crate) is_forced: bool,
    pub(crate) away_words: String,
    /// How the server was asked to take a room over, each time.
    pub(crate) adoptions: Vec<Adoption>,
    pub(crate) room: Option<ManagedRoom>,
    pub(crate) released: Vec<String>,
    /// Whether the resource went without the server's word.
    pub(crate) went_alone: bool,
    pub(crate) closed: Vec<String>,
    pub(crate) next_id: i64,
    pub(crate) writes: usize,
    pub(crate) notes: Vec<Note>,
}

impl World {
    pub(crate) fn new(spec: RoomSpec) -> Self {
        Self {
            now: Timestamp::from_second(1_800_000_000).expect("a time"),
            spec,
            generation: 1,
            status: RoomStatus::default(),
            has_finalizer: false,
            deleted_at: None,
            missed_since: None,
            is_there: true,
            secret: None,
            server: Server::Up,
            has_owner: true,
            is_taken: false,
            is_forced: false,
            away_words: "away".to_owned(),
            adoptions: Vec::new(),
            room: None,
            released: Vec::new(),
            went_alone: false,
            closed: Vec::new(),
            next_id: 1,
            writes: 0,
            notes: Vec::new(),
        }
    }

    /// Somebody deletes the resource: at once, unless a finalizer keeps it.
    pub(crate) fn delete(&mut self) {
        self.deleted_at.get_or_insert(self.now);
        self.is_there &= self.has_finalizer;
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Looks after the resource once, cut off before the step with this number. Says when to come back; `None` when
    /// it was cut off.
    pub(crate) fn reconcile(&mut self, cut_off: usize) -> Option<Retry> {
        let (mut password, mut seen, mut deed) = (PasswordState::Unread, Seen::Unseen, Deed::None);
        if !self.is_there {
            return Some(Retry::Resync);
        }
        for number in 0..MAX_STEPS {
            let step = plan(&View {
                generation: self.generation,
                spec: &self.spec,
                status: &self.status,
                is_deleted: self.deleted_at.is_some(),
                has_finalizer: self.has_finalizer,
                is_forced: self.is_forced,
                password: &password,
                room: &seen,
                deed: &deed,
                missed_for: self
                    .missed_since
                    .map_or(Duration::ZERO, |since| self.now.duration_since(since).try_into().unwrap_or_default()),
            });
            if number == cut_off {
                return None;
            }
            match step {
                Step::AddFinalizer => {
                    assert!(self.deleted_at.is_none() && !self.has_finalizer, "a finalizer that is not wanted");
                    self.has_finalizer = true;
                    self.writes += 1;
                }
                Step::ReadPassword => {
                    password = match &self.secret {
                        Some((text, version)) => PasswordState::Found(VersionedPassword {
                            password: Secret::new(text.clone()),
                            version: version.clone(),
                        }),
                        None => PasswordState::Missing("there is no Secret".to_owned()),
                    }
                }
                Step::Look(_) => {
                    seen = match self.refusal() {
                        Some(refusal) => Seen::Refused(refusal),
                        None => match &self.room {
                            Some(room) => Seen::There(Box::new(room.clone()), Freshness::Asked),
                            None => Seen::Absent(Freshness::Asked),
                        },
                    }
                }
                Step::Keep(adoption) => {
                    assert!(self.has_finalizer, "a room that nobody will let go");
                    deed = self.keep(&password, adoption);
                }
                Step::Close => deed = self.let_go(|world| &mut world.closed),
                Step::Release => deed = self.let_go(|world| &mut world.released),
                Step::RemoveFinalizer(note) => {
                    self.went_alone = note.is_some();
                    assert!(self.room.is_none() || self.went_alone, "a room is left behind: {:?}", self.room);
                    assert!(!self.went_alone || self.spec.deletion_policy == DeletionPolicy::Retain);
                    self.notes.extend(note);
                    self.has_finalizer = false;
                    self.is_there = false;
                    return Some(Retry::Resync);
                }
                Step::Settle(settlement) => {
                    let status = settlement.verdict.over(&self.status, self.generation, self.now);
                    if matches!(due(&self.status, &status, self.now), Due::Now | Due::Participants) {
                        self.writes += 1;
                        self.status = status;
                    }
                    self.notes.extend(settlement.note);
                    return Some(settlement.retry);
                }
                Step::Rest => return Some(Retry::Resync),
            }
        }
        panic!("a plan comes to no end");
    }

    fn refusal(&self) -> Option<Refusal> {
        match self.server {
            Server::Up | Server::Mute => None,
            Server::Away => Some(Refusal::Unreachable(self.away_words.clone(), None)),
            Server::Locked => Some(Refusal::Unauthorized("no such key".to_owned())),
        }
    }

    /// Lets the room go, to where such rooms are.
    fn let_go(&mut self, place: fn(&mut Self) -> &mut Vec<String>) -> Deed {
        if let Some(refusal) = self.refusal() {
            let is_missed = matches!(refusal, Refusal::Unreachable(_, None));
            self.missed_since = self.missed_since.or(Some(self.now)).filter(|_| is_missed);
            return Deed::LetGoRefused(refusal);
        }
        self.missed_since = None;
        let room = self.room.take();
        place(self).extend(room.map(|room| room.room_id));
        self.lost(Deed::LetGo, Deed::LetGoRefused)
    }

    /// What the operator hears of something that was done.
    fn lost(&self, done: Deed, refused: fn(Refusal) -> Deed) -> Deed {
        if self.server == Server::Mute { refused(Refusal::Unreachable("no answer".to_owned(), None)) } else { done }
    }

    fn keep(&mut self, password: &PasswordState, adoption: Adoption) -> Deed {
        if let Some(refusal) = self.refusal() {
            return Deed::KeepRefused(adoption, refusal);
        }
        if !self.has_owner {
            let (code, detail) = ("owner_not_found".to_owned(), "nobody has this address".to_owned());
            return Deed::KeepRefused(adoption, Refusal::Refused { code, detail });
        }
        self.adoptions.push(adoption);
        if self.spec.external_room_id.is_some() && self.is_taken && adoption == Adoption::Peaceful {
            let (code, detail) = ("adoption_conflict".to_owned(), "it is another's".to_owned());
            return Deed::KeepRefused(adoption, Refusal::Refused { code, detail });
        }
        let password = match password {
            PasswordState::Found(password) => Some(password),
            _ => None,
        };
        let wanted = keep_room(&self.spec, password, adoption);
        let before = self.room.clone();
        let room_id = before.as_ref().map_or_else(
            || {
                self.next_id += 1;
                self.next_id.to_string()
            },
            |room| room.room_id.clone(),
        );
        let mut moderators = wanted.moderators.clone();
        moderators.sort();
        moderators.dedup();
        let room = ManagedRoom {
            manager: "test".to_owned(),
            uid: "uid".to_owned(),
            join_url: format!("https://meet.example/r/{room_id}"),
            room_id,
            name: wanted.name,
            description: wanted.description.filter(|text| !text.is_empty()),
            owner: Some(wanted.owner),
            moderators,
            visibility: wanted.visibility.expect("always said"),
            password_version: wanted.password_version,
            capacity: wanted.capacity.expect("always said"),
            lobby: wanted.lobby,
            slug: wanted.slug.or_else(|| before.as_ref().and_then(|room| room.slug.clone())),
            opens_at: wanted.opens_at,
            closes_at: wanted.closes_at,
            participants: before.as_ref().map_or_else(|| people(0, self.now), |room| room.participants),
        };
        let kept = match &before {
            None => Kept::Created,
            Some(before) if *before == room => Kept::Unchanged,
            Some(_) => Kept::Updated,
        };
        self.room = Some(room.clone());
        let outcome = Outcome { room, kept, changed: vec!["name".to_owned()], unknown_moderators: Vec::new() };
        self.lost(Deed::Kept(Box::new(outcome)), |refusal| Deed::KeepRefused(Adoption::Peaceful, refusal))
    }

    /// Says whether the room is as its resource describes it.
    pub(crate) fn is_as_described(&self) -> bool {
        let version = self.secret.as_ref().map(|(_, version)| version.as_str());
        self.room.as_ref().is_some_and(|room| differences(&self.spec, version, room).is_empty())
    }
}

/// Is so many people at a time.
pub(crate) fn people(current: i64, now: Timestamp) -> Observed {
    Observed { current, observed_at: WireTime(cloudmeet_core::time::Timestamp::from_millis(now.as_millisecond())) }
}

/// Is a resource with nothing but what it must say.
pub(crate) fn spec() -> RoomSpec {
    RoomSpec {
        display_name: "Class".to_owned(),
        description: None,
        owner: "ann@example.org".to_owned(),
        moderators: Vec::new(),
        capacity: 50,
        visibility: Visibility::Public,
        password_secret_ref: None,
        schedule: None,
        lobby: false,
        slug: None,
        deletion_policy: DeletionPolicy::Delete,
        drift_policy: cloudmeet_operator::resource::DriftPolicy::Correct,
        external_room_id: None,
        suspend: false,
    }
}
