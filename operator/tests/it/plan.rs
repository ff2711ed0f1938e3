//! What is decided, on whole stories.

use cloudmeet_operator::desired::Adoption;
use cloudmeet_operator::plan::Retry;
use cloudmeet_operator::reason::Reason;
use cloudmeet_operator::resource::{
    Condition, DeletionPolicy, DriftPolicy, Phase, RoomStatus, SecretKeyRef, Truth, Visibility,
};
use proptest::prelude::*;

use crate::world::{Server, World, people, spec};

const WHOLE: usize = usize::MAX;

fn condition<'a>(status: &'a RoomStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.kind == kind)
}

fn ready(world: &World) -> (Truth, &str) {
    let ready = condition(&world.status, "Ready").expect("always there");
    (ready.status, &ready.reason)
}

fn synced(world: &World) -> (Truth, &str) {
    let synced = condition(&world.status, "Synced").expect("always there");
    (synced.status, &synced.reason)
}

fn settled() -> World {
    let mut world = World::new(spec());
    assert_eq!(world.reconcile(WHOLE), Some(Retry::Resync));
    world
}

#[test]
fn a_room_is_made_with_two_writes_and_one_note() {
    let world = settled();
    assert!(world.is_as_described() && world.has_finalizer);
    assert_eq!((ready(&world), synced(&world)), ((Truth::True, "Created"), (Truth::True, "Created")));
    assert_eq!((world.writes, world.notes.len()), (2, 1));
    assert_eq!(world.status.observed_generation, Some(1));
    assert_eq!((condition(&world.status, "Reconciling"), condition(&world.status, "Stalled")), (None, None));
}

#[test]
fn what_is_in_order_is_not_written_again() {
    let mut world = settled();
    let before = world.clone();
    world.pass(3600);
    assert_eq!(world.reconcile(WHOLE), Some(Retry::Resync));
    assert_eq!((world.writes, world.notes.len(), &world.status), (before.writes, before.notes.len(), &before.status));
}

#[test]
fn an_edit_changes_the_room() {
    let mut world = settled();
    world.spec.display_name = "Another class".to_owned();
    world.generation += 1;
    world.reconcile(WHOLE);
    assert!(world.is_as_described());
    assert_eq!((ready(&world), world.status.observed_generation), ((Truth::True, "Updated"), Some(2)));
}

#[test]
fn drift_is_corrected_and_told_once() {
    let mut world = settled();
    world.room.as_mut().expect("a room").name = "By hand".to_owned();
    world.reconcile(WHOLE);
    assert!(world.is_as_described());
    assert_eq!(ready(&world), (Truth::True, "DriftCorrected"));
    world.reconcile(WHOLE);
    assert_eq!(world.notes.iter().filter(|note| note.reason == Reason::DriftCorrected).count(), 1);
}

#[test]
fn drift_is_reported_and_left_where_that_is_the_policy() {
    let mut world = World::new(spec());
    world.spec.drift_policy = DriftPolicy::Report;
    world.reconcile(WHOLE);
    world.room.as_mut().expect("a room").name = "By hand".to_owned();
    world.reconcile(WHOLE);
    assert!(!world.is_as_described());
    assert_eq!((ready(&world).0, synced(&world)), (Truth::True, (Truth::False, "Drifted")));
    assert!(condition(&world.status, "Synced").expect("there").message.contains("displayName"));
    // A server that is away for a while does not make the operator forget whose word counts.
    world.server = Server::Away;
    world.reconcile(WHOLE);
    world.server = Server::Up;
    world.reconcile(WHOLE);
    assert!(!world.is_as_described() && synced(&world) == (Truth::False, "Drifted"));
    // Another description does.
    world.spec.lobby = true;
    world.generation += 1;
    world.reconcile(WHOLE);
    assert!(world.is_as_described() && synced(&world).0 == Truth::True);
}

#[test]
fn a_room_that_is_gone_is_made_anew_or_reported() {
    for (policy, reason) in [(DriftPolicy::Correct, "DriftCorrected"), (DriftPolicy::Report, "Drifted")] {
        let mut world = World::new(spec());
        world.spec.drift_policy = policy;
        world.reconcile(WHOLE);
        let first = world.status.room_id.clone();
        world.room = None;
        world.reconcile(WHOLE);
        assert_eq!(synced(&world).1, reason);
        assert_eq!(world.room.is_some(), policy == DriftPolicy::Correct);
        assert_eq!(world.status.room_id == first, policy == DriftPolicy::Report);
        world.reconcile(WHOLE);
        assert_eq!(synced(&world).1, reason, "also when it is looked at again");
    }
}

#[test]
fn a_server_that_is_away_does_not_make_a_room_unready() {
    let mut world = settled();
    world.server = Server::Away;
    assert_eq!(world.reconcile(WHOLE), Some(Retry::Backoff(None)));
    assert_eq!((ready(&world), synced(&world)), ((Truth::True, "Created"), (Truth::Unknown, "ServerUnreachable")));
    world.spec.lobby = true;
    world.generation += 1;
    world.reconcile(WHOLE);
    assert_eq!(ready(&world), (Truth::False, "ServerUnreachable"), "this generation was never made so");
    assert_eq!(condition(&world.status, "Reconciling").map(|condition| condition.status), Some(Truth::True));
}

#[test]
fn a_refused_description_is_stalled_until_it_is_another() {
    let mut world = World::new(spec());
    world.has_owner = false;
    assert_eq!(world.reconcile(WHOLE), Some(Retry::Backoff(None)), "an account may come into being");
    assert_eq!(ready(&world), (Truth::False, "OwnerNotFound"));
    assert_eq!(condition(&world.status, "Stalled").map(|condition| condition.status), Some(Truth::True));
    world.has_owner = true;
    world.reconcile(WHOLE);
    assert_eq!(ready(&world), (Truth::True, "Created"));
    assert_eq!(condition(&world.status, "Stalled"), None);
}

#[test]
fn a_password_is_waited_for_and_its_rotation_followed() {
    let mut world = World::new(spec());
    world.spec.visibility = Visibility::Password;
    world.spec.password_secret_ref = Some(SecretKeyRef { name: "a".to_owned(), key: "b".to_owned() });
    world.reconcile(WHOLE);
    assert_eq!(ready(&world), (Truth::False, "SecretNotFound"));
    world.secret = Some(("correct horse".to_owned(), "v1".to_owned()));
    world.reconcile(WHOLE);
    assert_eq!(ready(&world), (Truth::True, "Created"));
    world.secret = Some(("battery staple".to_owned(), "v2".to_owned()));
    world.reconcile(WHOLE);
    assert_eq!(world.room.expect("a room").password_version.as_deref(), Some("v2"));
}

#[test]
fn what_is_owed_is_no_drift() {
    let mut world = World::new(spec());
    world.spec.drift_policy = DriftPolicy::Report;
    world.spec.visibility = Visibility::Password;
    world.spec.password_secret_ref = Some(SecretKeyRef { name: "a".to_owned(), key: "b".to_owned() });
    world.secret = Some(("correct horse".to_owned(), "v1".to_owned()));
    world.reconcile(WHOLE);
    world.secret = Some(("battery staple".to_owned(), "v2".to_owned()));
    world.reconcile(WHOLE);
    assert_eq!(world.room.as_ref().expect("a room").password_version.as_deref(), Some("v2"));
    assert_eq!(synced(&world), (Truth::True, "Updated"));
    // But what has drifted is not put right along with it.
    world.room.as_mut().expect("a room").lobby = true;
    world.secret = Some(("another".to_owned(), "v3".to_owned()));
    world.reconcile(WHOLE);
    assert_eq!(synced(&world), (Truth::False, "Drifted"));
    assert!(world.room.expect("a room").lobby);
}

#[test]
fn an_adopted_room_that_is_gone_is_not_adopted_again() {
    let mut world = World::new(spec());
    world.spec.external_room_id = Some("7".to_owned());
    world.reconcile(WHOLE);
    assert_eq!((ready(&world), world.adoptions.clone()), ((Truth::True, "Created"), vec![Adoption::Peaceful]));
    world.room = None;
    world.is_taken = true;
    world.reconcile(WHOLE);
    assert_eq!(world.adoptions, [Adoption::Peaceful, Adoption::Peaceful, Adoption::Past]);
    assert_eq!(ready(&world), (Truth::True, "DriftCorrected"));
}

#[test]
fn a_room_is_taken_by_force_the_first_time_only() {
    let mut world = World::new(spec());
    world.spec.external_room_id = Some("7".to_owned());
    world.is_taken = true;
    assert_eq!(world.reconcile(WHOLE), Some(Retry::Slow));
    assert_eq!(ready(&world), (Truth::False, "AdoptionConflict"));
    world.is_forced = true;
    world.reconcile(WHOLE);
    assert_eq!(ready(&world).0, Truth::True);
    // Another one takes it.
    world.room = None;
    world.reconcile(WHOLE);
    let last = [Adoption::Peaceful, Adoption::Forced, Adoption::Peaceful, Adoption::Past];
    assert_eq!(world.adoptions, last);
}

#[test]
fn an_outage_shows_in_many_ways_and_is_told_once() {
    let mut world = World::new(spec());
    world.server = Server::Away;
    world.reconcile(WHOLE);
    let (writes, notes) = (world.writes, world.notes.len());
    for words in ["no answer in time", "bad gateway"] {
        world.away_words = words.to_owned();
        world.pass(60);
        world.reconcile(WHOLE);
    }
    assert_eq!((world.writes, world.notes.len()), (writes, notes));
}

#[test]
fn a_room_that_is_gone_is_not_ready_because_its_server_is_away() {
    let mut world = World::new(spec());
    world.spec.drift_policy = DriftPolicy::Report;
    world.reconcile(WHOLE);
    world.room = None;
    world.reconcile(WHOLE);
    world.server = Server::Away;
    world.reconcile(WHOLE);
    assert_eq!((ready(&world).0, world.status.phase), (Truth::False, Some(Phase::Drifted)));
}

#[test]
fn a_suspended_room_is_left_alone_and_still_let_go() {
    let mut world = settled();
    world.spec.suspend = true;
    world.spec.display_name = "Not yet".to_owned();
    world.generation += 1;
    world.reconcile(WHOLE);
    assert!(!world.is_as_described());
    assert_eq!((ready(&world), world.status.phase), ((Truth::Unknown, "Suspended"), Some(Phase::Suspended)));
    world.delete();
    world.reconcile(WHOLE);
    assert!(!world.is_there && world.closed.len() == 1);
}

#[test]
fn a_finalizer_stays_until_the_room_is_let_go() {
    for (policy, server) in [
        (DeletionPolicy::Delete, Server::Away),
        (DeletionPolicy::Delete, Server::Locked),
        (DeletionPolicy::Retain, Server::Away),
    ] {
        let mut world = settled();
        world.spec.deletion_policy = policy;
        world.server = server;
        world.delete();
        world.reconcile(WHOLE);
        assert!(world.is_there && world.has_finalizer, "{policy:?} {server:?}");
        assert_eq!(world.status.phase, Some(Phase::Terminating));
        world.pass(7200);
        world.reconcile(WHOLE);
        // The way out of a server that never comes back.
        assert_eq!(world.is_there, policy == DeletionPolicy::Delete);
        if world.is_there {
            world.server = Server::Up;
            world.reconcile(WHOLE);
            assert!(!world.is_there && world.room.is_none());
        }
    }
}

#[test]
fn people_who_come_and_go_are_written_at_most_twice_a_minute() {
    let mut world = settled();
    let before = world.writes;
    for second in 0..120 {
        world.pass(1);
        world.room.as_mut().expect("a room").participants = people(second + 1, world.now);
        world.reconcile(WHOLE);
    }
    assert!((3..=5).contains(&(world.writes - before)), "{}", world.writes - before);
    assert!(world.status.participants.expect("seen").current > 80, "the last of them counts");
}

/// Is what happens around the operator.
#[derive(Debug, Clone)]
enum Happening {
    Rename(u8),
    Lobby,
    Suspend(bool),
    Retain(bool),
    Report(bool),
    Drift(u8),
    Loss,
    Server(u8),
    Owner(bool),
    People(i64),
    Time(i64),
    Reconcile(usize),
    Delete,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        any::<u8>().prop_map(Happening::Rename),
        Just(Happening::Lobby),
        any::<bool>().prop_map(Happening::Suspend),
        any::<bool>().prop_map(Happening::Retain),
        any::<bool>().prop_map(Happening::Report),
        any::<u8>().prop_map(Happening::Drift),
        Just(Happening::Loss),
        (0..4_u8).prop_map(Happening::Server),
        any::<bool>().prop_map(Happening::Owner),
        (0..9_i64).prop_map(Happening::People),
        (0..100_i64).prop_map(Happening::Time),
        (0..9_usize).prop_map(Happening::Reconcile),
        (0..9_usize).prop_map(Happening::Reconcile),
        (0..9_usize).prop_map(Happening::Reconcile),
        Just(Happening::Delete),
    ]
}

fn happen(world: &mut World, happening: &Happening) {
    match happening {
        Happening::Rename(name) => world.spec.display_name = format!("Class {name}"),
        Happening::Lobby => world.spec.lobby = !world.spec.lobby,
        Happening::Suspend(suspend) => world.spec.suspend = *suspend,
        Happening::Retain(retain) => {
            world.spec.deletion_policy = if *retain { DeletionPolicy::Retain } else { DeletionPolicy::Delete };
        }
        Happening::Report(report) => {
            world.spec.drift_policy = if *report { DriftPolicy::Report } else { DriftPolicy::Correct };
        }
        Happening::Drift(name) => {
            if let Some(room) = &mut world.room {
                room.name = format!("Drift {name}");
            }
        }
        Happening::Loss => world.room = None,
        Happening::Server(which) => {
            world.server = [Server::Up, Server::Away, Server::Mute, Server::Locked][usize::from(*which)];
        }
        Happening::Owner(has_owner) => world.has_owner = *has_owner,
        Happening::People(number) => {
            let now = world.now;
            if let Some(room) = &mut world.room {
                room.participants = people(*number, now);
            }
        }
        Happening::Time(seconds) => world.pass(*seconds),
        Happening::Reconcile(cut_off) => drop(world.reconcile(*cut_off)),
        Happening::Delete => world.delete(),
    }
    // Each change of the description is another generation.
    if matches!(
        happening,
        Happening::Rename(_) | Happening::Lobby | Happening::Suspend(_) | Happening::Retain(_) | Happening::Report(_)
    ) {
        world.generation += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever happens, and wherever the operator is cut off: once all is well again, one look makes it right, a
    /// second one writes nothing, and no room is left behind.
    #[test]
    fn all_ends_well(happenings in prop::collection::vec(happening(), 0..40)) {
        let mut world = World::new(spec());
        for happening in &happenings {
            happen(&mut world, happening);
            // A generation is called ready only when it was made so.
            if let Some(ready) = condition(&world.status, "Ready") {
                prop_assert!(ready.observed_generation <= world.generation);
            }
        }
        world.server = Server::Up;
        world.has_owner = true;
        world.pass(100);
        world.reconcile(WHOLE);
        let writes = world.writes;
        world.reconcile(WHOLE);
        prop_assert_eq!(world.writes, writes, "the second look has nothing to write");
        if world.deleted_at.is_some() {
            prop_assert!(!world.is_there);
            prop_assert!(world.room.is_none() || world.went_alone);
        } else if world.spec.suspend {
            prop_assert_eq!(world.status.phase, Some(Phase::Suspended));
        } else {
            let (truth, _) = synced(&world);
            prop_assert_eq!(truth == Truth::True, world.is_as_described());
            prop_assert!(world.is_as_described() || world.spec.drift_policy == DriftPolicy::Report);
            prop_assert_eq!(world.status.observed_generation, Some(world.generation));
        }
    }
}
