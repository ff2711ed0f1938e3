//! Rooms with rules: doors, lobbies, seats, hosts, owners, ends, and the record of it all.

use cloudmeet_core::entry::EntryError;
use cloudmeet_core::moderation::{Moderation, ModerationError};
use cloudmeet_core::participant::Turn;
use cloudmeet_core::password::PasswordHash;
use cloudmeet_core::permission::{Denied, Membership};
use cloudmeet_core::presence::Status;
use cloudmeet_core::room::{Capacity, LinkCode, Role, Room, RoomPatch, SettingsError, Slug, Visibility};
use cloudmeet_core::time::Span;
use cloudmeet_store::{
    Failure, HandOnError, Hold, Identity, ListFilter, ModerateError, NewRoom, People, Proof, RoomChange, RoomError,
};

use crate::support::{Stores, doer, draft, new_room, on_both_stores, person};

on_both_stores! {
    a_password_lets_in_whoever_shows_it_and_members_come_back_without
    a_link_code_lets_in_until_it_is_renewed
    a_private_room_is_listed_to_its_people_alone
    who_is_no_member_waits_until_a_host_admits_them
    who_waits_and_falls_silent_is_no_longer_there
    of_two_who_are_admitted_to_the_last_seat_one_comes_in
    everybody_is_admitted_as_far_as_there_is_room
    a_full_room_takes_its_owner_and_whoever_is_inside_stays
    a_member_cannot_slip_inside_by_a_socket_before_the_room_opens_or_when_it_is_full
    a_kick_ends_a_membership_and_a_ban_keeps_it_ended
    a_ban_and_a_message_under_way_happen_one_after_the_other
    a_room_is_handed_on_and_its_owner_before_is_a_moderator
    an_ended_meeting_leaves_members_and_no_presence
    a_meeting_past_its_end_is_ended_once
    a_meeting_that_could_not_be_ended_is_looked_for_again
    a_meeting_whose_end_is_set_into_the_past_is_over_at_once
    a_slug_is_taken_once_and_given_back_by_a_deleted_room
    settings_are_judged_together_with_what_the_room_has
    deeds_are_recorded_with_who_and_whence
}

fn guarded() -> NewRoom {
    let mut new = new_room("Guarded");
    new.settings.visibility = Visibility::Password;
    NewRoom { password: Some(hash("right")), ..new }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_stored(text.to_owned())
}

fn code(text: &str) -> LinkCode {
    LinkCode::new(text.to_owned())
}

async fn make(stores: &Stores, owner: &Identity, change: impl FnOnce(&mut NewRoom)) -> Room {
    let mut new = new_room("Room");
    change(&mut new);
    stores.conference.create_room(&doer(owner), owner, &new).await.unwrap()
}

async fn a_password_lets_in_whoever_shows_it_and_members_come_back_without(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.conference.create_room(&doer(&ann), &ann, &guarded()).await.unwrap().id;
    let join = async |proof| stores.conference.join(room, &bob, &proof).await.map(|outcome| outcome.changed);
    let refused = join(Proof::default()).await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::PasswordRequired))), "{refused:?}");
    for wrong in [None, Some(hash("of yesterday"))] {
        let refused = join(Proof { password: Some(wrong), code: None }).await;
        assert!(matches!(refused, Err(Failure::Refused(EntryError::WrongPassword))), "{refused:?}");
    }
    assert!(join(Proof { password: Some(Some(hash("right"))), code: None }).await.unwrap());
    assert!(!join(Proof::default()).await.unwrap(), "a member needs no password");
    // Whoever left is a stranger again.
    stores.conference.leave(room, &bob).await.unwrap();
    let refused = join(Proof::default()).await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::PasswordRequired))), "{refused:?}");
}

async fn a_link_code_lets_in_until_it_is_renewed(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = make(&stores, &ann, |new| new.settings.visibility = Visibility::Private).await.id;
    let join = async |who: Identity, shown: &str| {
        let proof = Proof { password: None, code: Some(code(shown)) };
        stores.conference.join(room, &who, &proof).await.map(drop)
    };
    let refused = join(bob.clone(), "another code").await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::Denied(Denied::NoSuchRoom)))), "{refused:?}");
    join(bob, "first code").await.unwrap();
    stores.conference.renew_link_code(room, &doer(&ann), &code("second code")).await.unwrap();
    let refused = join(eve.clone(), "first code").await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::Denied(Denied::NoSuchRoom)))), "{refused:?}");
    join(eve, "second code").await.unwrap();
    assert_eq!(stores.conference.secrets(room).await.unwrap().code, Some(code("second code")));
}

async fn a_private_room_is_listed_to_its_people_alone(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let hidden = make(&stores, &ann, |new| new.settings.visibility = Visibility::Private).await.id;
    let guarded = stores.conference.create_room(&doer(&ann), &ann, &guarded()).await.unwrap().id;
    let proof = Proof { password: None, code: Some(code("first code")) };
    stores.conference.join(hidden, &bob, &proof).await.unwrap();
    let listed = async |who: &Identity| {
        let filter = ListFilter { skip: 0, limit: 100, only_active: false, query: None };
        let rooms = stores.conference.list_rooms(who.actor(), &filter).await.unwrap();
        rooms.into_iter().map(|listing| listing.room.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(&ann).await, [guarded, hidden]);
    assert_eq!(listed(&bob).await, [guarded, hidden]);
    assert_eq!(listed(&eve).await, [guarded]);
    let administrator = Identity { standing: cloudmeet_core::account::Standing::Administrator, ..eve };
    assert_eq!(listed(&administrator).await, [guarded, hidden]);
}

async fn who_is_no_member_waits_until_a_host_admits_them(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = make(&stores, &ann, |new| new.settings.lobby = true).await.id;
    assert_eq!(stores.join(room, &ann).await.unwrap().position, None, "the owner does not wait");
    let mut tail = stores.follow_changes().await;
    let first = stores.join(room, &bob).await.unwrap();
    assert_eq!((first.position, first.participant.membership, first.changed), (Some(1), Membership::Waiting, true));
    assert_eq!(stores.join(room, &eve).await.unwrap().position, Some(2));
    let again = stores.join(room, &bob).await.unwrap();
    assert_eq!((again.position, again.changed), (Some(1), false));
    let noted = stores.conference.changes(&mut tail).await.unwrap();
    assert_eq!(noted, [RoomChange::Person(room, bob.user_id), RoomChange::Person(room, eve.user_id)]);
    assert_eq!(stores.conference.waiting(room).await.unwrap().len(), 2);
    let sent = stores.conference.batches().store(&[draft(room, &bob, "let me in", None)]).await.unwrap();
    assert!(sent[0].is_err(), "who waits does not speak");

    let refused = stores.conference.moderate(room, &doer(&eve), bob.user_id, Moderation::Admit).await;
    assert!(matches!(refused, Err(Failure::Refused(ModerateError::Denied(Denied::NotAllowed)))), "{refused:?}");
    let admitted = stores.conference.moderate(room, &doer(&ann), bob.user_id, Moderation::Admit).await.unwrap();
    assert_eq!(admitted.participant.membership, Membership::Member(Role::Participant));
    assert_eq!(admitted.participant.presence.status, Status::InCall);
    assert_eq!(admitted.participant.last_turn, Some(Turn::Admitted));
    let denied = stores.conference.moderate(room, &doer(&ann), eve.user_id, Moderation::Deny).await.unwrap();
    assert_eq!(denied.participant.last_turn, Some(Turn::Denied));
    assert!(stores.conference.waiting(room).await.unwrap().is_empty());
    let came = stores.join(room, &bob).await.unwrap();
    assert_eq!((came.position, came.participant.last_turn), (None, None));
}

async fn who_waits_and_falls_silent_is_no_longer_there(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = make(&stores, &ann, |new| new.settings.lobby = true).await.id;
    stores.join(room, &bob).await.unwrap();
    stores.join(room, &eve).await.unwrap();
    assert!(stores.conference.end_lapsed_waiting().await.unwrap().is_empty());
    stores.lapse(room, bob.user_id).await;
    stores.lapse(room, eve.user_id).await;
    stores.conference.prolong_waiting(&[(room, eve.user_id)]).await.unwrap();
    let ended = stores.conference.end_lapsed_waiting().await.unwrap();
    assert_eq!(ended.iter().map(|one| one.user_id).collect::<Vec<_>>(), [bob.user_id]);
    let waiting = stores.conference.all_waiting().await.unwrap();
    assert_eq!(waiting.iter().map(|one| one.user_id).collect::<Vec<_>>(), [eve.user_id]);
}

async fn of_two_who_are_admitted_to_the_last_seat_one_comes_in(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = make(&stores, &ann, |new| {
        new.settings.lobby = true;
        new.settings.capacity = Capacity::new(2).unwrap();
    })
    .await
    .id;
    stores.join(room, &ann).await.unwrap();
    for waiting in [&bob, &eve] {
        stores.join(room, waiting).await.unwrap();
    }
    let (other, by) = (stores.again().await, doer(&ann));
    let (here, there) = tokio::join!(
        stores.conference.moderate(room, &by, bob.user_id, Moderation::Admit),
        other.conference.moderate(room, &by, eve.user_id, Moderation::Admit),
    );
    let full =
        |outcome: &Result<_, Failure<ModerateError>>| matches!(outcome, Err(Failure::Refused(ModerateError::RoomFull)));
    assert_eq!([here.is_ok(), there.is_ok()].iter().filter(|came| **came).count(), 1);
    assert!(full(&here) || full(&there));
    assert_eq!(stores.conference.count_present(room).await.unwrap(), 2);
}

async fn everybody_is_admitted_as_far_as_there_is_room(stores: Stores) {
    let ann = person(1, "Ann");
    let room = make(&stores, &ann, |new| {
        new.settings.lobby = true;
        new.settings.capacity = Capacity::new(3).unwrap();
    })
    .await
    .id;
    for id in 2..7 {
        stores.join(room, &person(id, "Bob")).await.unwrap();
    }
    let all = stores.conference.admit_all(room, &doer(&ann)).await.unwrap();
    assert_eq!((all.admitted.len(), all.waiting), (3, 2));
    assert_eq!(all.admitted[0].user_id, person(2, "Bob").user_id, "first come, first in");
}

async fn a_full_room_takes_its_owner_and_whoever_is_inside_stays(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = make(&stores, &ann, |new| new.settings.capacity = Capacity::new(2).unwrap()).await.id;
    stores.join(room, &bob).await.unwrap();
    stores.join(room, &eve).await.unwrap();
    let refused = stores.join(room, &person(4, "Dan")).await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::RoomFull))), "{refused:?}");
    stores.join(room, &ann).await.unwrap();
    stores.join(room, &bob).await.unwrap();
    assert_eq!(stores.conference.count_present(room).await.unwrap(), 3);
}

async fn a_member_cannot_slip_inside_by_a_socket_before_the_room_opens_or_when_it_is_full(stores: Stores) {
    const HERE: Hold<'_> = Hold { server_id: "server-1", socket_id: "socket-1" };
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = make(&stores, &ann, |new| new.settings.capacity = Capacity::new(2).unwrap()).await.id;
    stores.join(room, &bob).await.unwrap();
    stores.conference.set_status(room, bob.actor(), HERE, Status::Offline).await.unwrap();
    stores.join(room, &eve).await.unwrap();
    stores.join(room, &ann).await.unwrap();
    let inside = async || stores.conference.set_status(room, bob.actor(), HERE, Status::InCall).await.map(drop);
    let refused = inside().await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::RoomFull))), "{refused:?}");
    stores.conference.follow_room(room, bob.actor(), HERE, None).await.unwrap();
    stores.conference.leave(room, &eve).await.unwrap();
    inside().await.unwrap();
    stores.conference.set_status(room, bob.actor(), HERE, Status::Online).await.unwrap();
    let opens_at = stores.conference.now().plus(Span::minutes(5));
    let later = RoomPatch { opens_at: Some(Some(opens_at)), ..RoomPatch::default() };
    stores.conference.change_room(room, &doer(&ann), &later, &code("c")).await.unwrap();
    let refused = inside().await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::NotOpen { .. }))), "{refused:?}");
    stores.conference.set_status(room, ann.actor(), HERE, Status::InCall).await.unwrap();
}

async fn a_kick_ends_a_membership_and_a_ban_keeps_it_ended(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    stores.join(room, &bob).await.unwrap();
    let by = doer(&ann);
    let against = stores.conference.moderate(room, &by, ann.user_id, Moderation::Kick).await;
    assert!(matches!(against, Err(Failure::Refused(ModerateError::Denied(Denied::AgainstOwner)))), "{against:?}");
    let nobody = stores.conference.moderate(room, &by, person(9, "Z").user_id, Moderation::Kick).await;
    let not_in_room = ModerateError::Moderation(ModerationError::NotInRoom);
    assert!(matches!(nobody, Err(Failure::Refused(error)) if error == not_in_room), "{nobody:?}");

    let kicked = stores.conference.moderate(room, &by, bob.user_id, Moderation::Kick).await.unwrap();
    assert_eq!(kicked.participant.membership, Membership::Stranger);
    assert_eq!(stores.conference.count_present(room).await.unwrap(), 0);
    stores.join(room, &bob).await.unwrap();
    stores.conference.moderate(room, &by, bob.user_id, Moderation::Ban).await.unwrap();
    let refused = stores.join(room, &bob).await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::Banned))), "{refused:?}");
    let banned = stores.conference.people(room, People::Banned).await.unwrap();
    assert_eq!(banned.iter().map(|one| one.user_id).collect::<Vec<_>>(), [bob.user_id]);
    stores.conference.moderate(room, &by, bob.user_id, Moderation::LiftBan).await.unwrap();
    stores.join(room, &bob).await.unwrap();
}

async fn a_ban_and_a_message_under_way_happen_one_after_the_other(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    let (other, by) = (stores.again().await, doer(&ann));
    for round in 0..10 {
        stores.join(room, &bob).await.unwrap();
        let name = format!("m{round}");
        let draft = [draft(room, &bob, "hi", Some(&name))];
        let mut batches = other.conference.batches();
        let (banned, sent) =
            tokio::join!(stores.conference.moderate(room, &by, bob.user_id, Moderation::Ban), batches.store(&draft),);
        banned.unwrap();
        let is_stored = sent.unwrap()[0].is_ok();
        let history = stores.history(room).await;
        assert_eq!(history.iter().any(|message| message.client_msg_id.as_deref() == Some(&name)), is_stored);
        let again = other.conference.batches().store(&[super::support::draft(room, &bob, "late", None)]).await.unwrap();
        assert!(again[0].is_err(), "after the ban nothing is said");
        stores.conference.moderate(room, &by, bob.user_id, Moderation::LiftBan).await.unwrap();
    }
}

async fn a_room_is_handed_on_and_its_owner_before_is_a_moderator(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    let refused = stores.conference.hand_on(room, &doer(&ann), bob.user_id).await;
    assert!(matches!(refused, Err(Failure::Refused(HandOnError::NotInRoom(_)))), "{refused:?}");
    stores.join(room, &bob).await.unwrap();
    let refused = stores.conference.hand_on(room, &doer(&bob), bob.user_id).await;
    assert!(matches!(refused, Err(Failure::Refused(HandOnError::Denied(Denied::NotAllowed)))), "{refused:?}");
    let (handed, people) = stores.conference.hand_on(room, &doer(&ann), bob.user_id).await.unwrap();
    assert_eq!((handed.owner_id, people.len()), (bob.user_id, 2));
    let role = async |who: &Identity| {
        stores.conference.participant(room, who.user_id).await.unwrap().map(|one| (one.is_owner, one.membership))
    };
    assert_eq!(role(&bob).await, Some((true, Membership::Member(Role::Owner))));
    assert_eq!(role(&ann).await, Some((false, Membership::Member(Role::Moderator))));
    stores.conference.moderate(room, &doer(&bob), ann.user_id, Moderation::Demote).await.unwrap();
    assert_eq!(role(&ann).await, Some((false, Membership::Member(Role::Participant))));
}

async fn an_ended_meeting_leaves_members_and_no_presence(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = make(&stores, &ann, |new| new.settings.lobby = true).await.id;
    stores.join(room, &ann).await.unwrap();
    stores.join(room, &bob).await.unwrap();
    stores.conference.moderate(room, &doer(&ann), bob.user_id, Moderation::Admit).await.unwrap();
    stores.join(room, &eve).await.unwrap();
    let mut tail = stores.follow_changes().await;
    let refused = stores.conference.end_meeting(room, &doer(&bob)).await;
    assert!(matches!(refused, Err(Failure::Refused(Denied::NotAllowed))), "{refused:?}");
    let ended = stores.conference.end_meeting(room, &doer(&ann)).await.unwrap();
    assert_eq!((ended.ends, ended.is_active), (1, true));
    assert_eq!(stores.conference.changes(&mut tail).await.unwrap(), [RoomChange::Ended(room)]);
    assert_eq!(stores.conference.count_present(room).await.unwrap(), 0);
    assert!(stores.conference.waiting(room).await.unwrap().is_empty());
    assert_eq!(stores.join(room, &bob).await.unwrap().position, None, "members stay members");
}

async fn a_meeting_past_its_end_is_ended_once(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    stores.join(room, &bob).await.unwrap();
    let soon =
        RoomPatch { closes_at: Some(Some(stores.conference.now().plus(Span::minutes(4)))), ..RoomPatch::default() };
    stores.conference.change_room(room, &doer(&ann), &soon, &code("c")).await.unwrap();
    assert_eq!(stores.conference.closing_rooms().await.unwrap().len(), 1);
    assert!(stores.conference.end_over_meetings(None).await.unwrap().ended.is_empty());
    stores.run(format!("UPDATE rooms SET closes_at = 1 WHERE id = {room}")).await;
    let other = stores.again().await;
    let (here, there) =
        tokio::join!(stores.conference.end_over_meetings(None), other.conference.end_over_meetings(None));
    let ended: Vec<_> = here.unwrap().ended.into_iter().chain(there.unwrap().ended).collect();
    assert_eq!(ended.iter().map(|room| room.ends).collect::<Vec<_>>(), [1]);
    assert_eq!(stores.conference.count_present(room).await.unwrap(), 0);
    assert!(stores.conference.end_over_meetings(None).await.unwrap().ended.is_empty());
    let refused = stores.join(room, &bob).await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::Denied(Denied::RoomClosed)))), "{refused:?}");
    let refused = stores.conference.batches().store(&[draft(room, &bob, "hi", None)]).await.unwrap();
    assert!(refused[0].is_err());
}

async fn a_meeting_that_could_not_be_ended_is_looked_for_again(stores: Stores) {
    let ann = person(1, "Ann");
    let (broken, whole) = (stores.room(&ann).await.id, stores.room(&ann).await.id);
    for room in [broken, whole] {
        stores.join(room, &ann).await.unwrap();
        stores.run(format!("UPDATE rooms SET closes_at = 1 WHERE id = {room}")).await;
    }
    // A room of an earlier fault, which no release could read.
    stores.run(format!("UPDATE rooms SET visibility = 'no such word' WHERE id = {broken}")).await;
    let over = stores.conference.end_over_meetings(None).await.unwrap();
    assert_eq!(over.ended.iter().map(|room| room.id).collect::<Vec<_>>(), [whole], "one must not keep the others");
    assert!(!over.is_complete);
    stores.run(format!("UPDATE rooms SET visibility = 'public' WHERE id = {broken}")).await;
    let over = stores.conference.end_over_meetings(None).await.unwrap();
    assert_eq!((over.ended.len(), over.is_complete), (1, true));
}

async fn a_meeting_whose_end_is_set_into_the_past_is_over_at_once(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    stores.join(room, &bob).await.unwrap();
    let past = RoomPatch { closes_at: Some(Some(stores.conference.now())), ..RoomPatch::default() };
    let over = stores.conference.change_room(room, &doer(&ann), &past, &code("c")).await.unwrap();
    assert_eq!((over.ends, stores.conference.count_present(room).await.unwrap()), (1, 0));
    let again = stores.conference.change_room(room, &doer(&ann), &past, &code("c")).await.unwrap();
    assert_eq!(again.ends, 1);
}

async fn a_slug_is_taken_once_and_given_back_by_a_deleted_room(stores: Stores) {
    let ann = person(1, "Ann");
    let slug = || Some(Slug::parse("weekly").unwrap());
    let room = make(&stores, &ann, |new| new.settings.slug = slug()).await;
    let mut second = new_room("Second");
    second.settings.slug = slug();
    let taken = stores.conference.create_room(&doer(&ann), &ann, &second).await;
    assert!(matches!(taken, Err(Failure::Refused(RoomError::SlugTaken))), "{taken:?}");
    let other = stores.room(&ann).await.id;
    let patch = RoomPatch { slug: Some(slug()), ..RoomPatch::default() };
    let taken = stores.conference.change_room(other, &doer(&ann), &patch, &code("c")).await;
    assert!(matches!(taken, Err(Failure::Refused(RoomError::SlugTaken))), "{taken:?}");
    assert_eq!(stores.conference.room_of_slug(&slug().unwrap()).await.unwrap(), Some(room.id));
    stores.conference.close_room(room.id, &doer(&ann)).await.unwrap();
    assert_eq!(stores.conference.room_of_slug(&slug().unwrap()).await.unwrap(), None);
    stores.conference.change_room(other, &doer(&ann), &patch, &code("c")).await.unwrap();
}

async fn settings_are_judged_together_with_what_the_room_has(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    let change =
        async |patch: RoomPatch| stores.conference.change_room(room, &doer(&ann), &patch, &code("fresh")).await;
    let guard = RoomPatch { visibility: Some(Visibility::Password), ..RoomPatch::default() };
    let refused = change(guard.clone()).await;
    let missing = RoomError::Settings(SettingsError::PasswordMissing);
    assert!(matches!(refused, Err(Failure::Refused(error)) if error == missing), "{refused:?}");
    change(RoomPatch { password: Some(hash("right")), ..guard.clone() }).await.unwrap();
    assert_eq!(stores.conference.secrets(room).await.unwrap().password, Some(hash("right")));
    change(RoomPatch { capacity: Capacity::new(9), ..RoomPatch::default() }).await.unwrap();
    assert_eq!(stores.conference.secrets(room).await.unwrap().password, Some(hash("right")), "it stays");
    change(RoomPatch { visibility: Some(Visibility::Private), ..RoomPatch::default() }).await.unwrap();
    let secrets = stores.conference.secrets(room).await.unwrap();
    assert_eq!((secrets.password, secrets.code), (None, Some(code("fresh"))));
    change(RoomPatch { visibility: Some(Visibility::Public), ..RoomPatch::default() }).await.unwrap();
    let secrets = stores.conference.secrets(room).await.unwrap();
    assert_eq!((secrets.password, secrets.code), (None, None));
    assert!(change(guard).await.is_err(), "the old password is gone");
}

async fn deeds_are_recorded_with_who_and_whence(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    let elsewhere = stores.room(&bob).await.id;
    stores.join(room, &bob).await.unwrap();
    stores.conference.batches().store(&[draft(room, &bob, "secret words", None)]).await.unwrap();
    let id = stores.history(room).await[0].id;
    stores.conference.delete_message(room, id, &doer(&ann)).await.unwrap();
    stores.conference.moderate(room, &doer(&ann), bob.user_id, Moderation::Kick).await.unwrap();
    stores.conference.moderate(room, &doer(&ann), bob.user_id, Moderation::Kick).await.unwrap();
    let doing = cloudmeet_store::Doing { action: "kick", target: Some(ann.user_id), detail: None };
    stores.conference.record_refusal(room, &doer(&bob), &doing, "forbidden").await.unwrap();
    let deeds = stores.conference.deeds(Some(room), None, 50).await.unwrap();
    let told: Vec<_> = deeds.iter().map(|deed| (deed.action.as_str(), deed.result.as_str())).collect();
    let expected = [("kick", "forbidden"), ("kick", "done"), ("delete_message", "done"), ("create_room", "done")];
    assert_eq!(told, expected);
    let kick = &deeds[1];
    assert_eq!((kick.actor_id, kick.target_id), (Some(ann.user_id), Some(bob.user_id)));
    assert_eq!((kick.address.as_deref(), kick.request_id.as_deref()), (Some("192.0.2.1"), Some("r")));
    assert!(!format!("{deeds:?}").contains("secret words"));
    let older = stores.conference.deeds(Some(room), Some(kick.id), 1).await.unwrap();
    assert_eq!(older[0].action, "delete_message");
    let all = stores.conference.deeds(None, None, 50).await.unwrap();
    assert!(all.iter().any(|deed| deed.room_id == Some(elsewhere)) && all.len() == 5);
}
