//! Membership, presence, servers and tickets.

use cloudmeet_core::entry::EntryError;
use cloudmeet_core::id::SessionId;
use cloudmeet_core::permission::{Denied, Membership};
use cloudmeet_core::presence::{LEASE, Status};
use cloudmeet_core::time::Span;
use cloudmeet_core::token::OpaqueToken;
use cloudmeet_store::{Failure, Hold, HoldEnd, LeaveError, RoomChange, TicketHolder};

use crate::support::{Stores, on_both_stores, person};

const HERE: Hold<'static> = Hold { server_id: "server-1", socket_id: "socket-1" };
const THERE: Hold<'static> = Hold { server_id: "server-2", socket_id: "socket-2" };

on_both_stores! {
    joining_makes_one_row_a_person_for_good
    leaving_twice_is_not_possible
    a_socket_sets_presence_for_members_only
    the_last_socket_gone_in_order_begins_the_grace
    a_silent_socket_is_over_when_its_lease_is
    a_dead_server_takes_its_presences_along
    the_newest_socket_inside_takes_over
    a_new_name_shows_in_every_room
    a_hold_that_is_wanted_again_stays
    a_server_that_seemed_dead_sees_whom_it_lost
    a_hold_taken_again_restores_who_was_lost_and_changes_nobody_else
    a_hold_released_twice_says_once_how_it_ended
    a_ticket_opens_once
}

async fn joining_makes_one_row_a_person_for_good(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    let first = stores.join(room, &bob).await.unwrap();
    assert!(first.changed);
    assert_eq!(first.participant.presence.status, Status::InCall);
    let again = stores.join(room, &bob).await.unwrap();
    assert!(!again.changed);
    assert_eq!(again.participant.presence.version, first.participant.presence.version);
    stores.conference.leave(room, &bob).await.unwrap();
    let back = stores.join(room, &bob).await.unwrap();
    assert_eq!(back.participant.id, first.participant.id);
    assert!(back.participant.presence.version > first.participant.presence.version);
    let present = stores.conference.present(room).await.unwrap();
    assert_eq!(stores.conference.count_present(room).await.unwrap(), i64::try_from(present.len()).unwrap());
    assert_eq!(present.iter().map(|p| p.user_id).collect::<Vec<_>>(), [bob.user_id]);
}

async fn leaving_twice_is_not_possible(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    stores.join(room, &bob).await.unwrap();
    let left = stores.conference.leave(room, &bob).await.unwrap();
    assert_eq!((left.membership, left.presence.status), (Membership::Stranger, Status::Offline));
    let twice = stores.conference.leave(room, &bob).await;
    assert!(matches!(twice, Err(Failure::Refused(LeaveError::NotInRoom))), "{twice:?}");
}

async fn a_socket_sets_presence_for_members_only(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await.id;
    let mut tail = stores.follow_changes().await;
    let refused = stores.conference.follow_room(room, bob.actor(), HERE, None).await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::Denied(Denied::NotMember)))), "{refused:?}");
    let followed = stores.conference.follow_room(room, ann.actor(), HERE, None).await.unwrap();
    assert_eq!((followed.presence.status, followed.presence.version), (Status::Online, 1));
    let again = stores.conference.follow_room(room, ann.actor(), HERE, None).await.unwrap();
    assert_eq!(again.presence.version, 1);
    let inside = stores.conference.set_status(room, ann.actor(), HERE, Status::InCall).await.unwrap();
    assert_eq!(inside.presence.status, Status::InCall);
    let plain = stores.conference.follow_room(room, ann.actor(), HERE, None).await.unwrap();
    assert_eq!(plain.presence.status, Status::InCall, "without a word it stays");
    let changes = stores.conference.changes(&mut tail).await.unwrap();
    assert_eq!(changes, [RoomChange::Person(room, ann.user_id); 2]);
}

async fn the_last_socket_gone_in_order_begins_the_grace(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    for hold in [HERE, THERE] {
        stores.conference.renew_server(hold.server_id).await.unwrap();
        stores.conference.follow_room(room, ann.actor(), hold, Some(Status::InCall)).await.unwrap();
    }
    stores.conference.release_hold(room, ann.user_id, HERE.server_id, HoldEnd::Closed, || false).await.unwrap();
    let held = stores.conference.participant(room, ann.user_id).await.unwrap().unwrap();
    assert!(!held.presence.closing, "another server has a socket");
    stores.conference.release_hold(room, ann.user_id, THERE.server_id, HoldEnd::Closed, || false).await.unwrap();
    let closing = stores.conference.participant(room, ann.user_id).await.unwrap().unwrap();
    assert!(closing.presence.closing && closing.presence.status == Status::InCall);
    let left_ms = closing.presence.until.unwrap().since(stores.conference.now()).as_millis();
    assert!((1..=5000).contains(&left_ms), "{left_ms}");
    let back = stores.conference.follow_room(room, ann.actor(), HERE, Some(Status::InCall)).await.unwrap();
    assert_eq!((back.presence.version, back.presence.closing), (closing.presence.version, false));
}

async fn a_silent_socket_is_over_when_its_lease_is(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    stores.conference.renew_server(HERE.server_id).await.unwrap();
    stores.conference.follow_room(room, ann.actor(), HERE, None).await.unwrap();
    assert!(stores.conference.end_expired_presences().await.unwrap().is_empty());
    let long_ago = stores.conference.now().minus(Span::minutes(2));
    let ended = stores
        .conference
        .release_hold(room, ann.user_id, HERE.server_id, HoldEnd::Lapsed(long_ago), || false)
        .await
        .unwrap();
    assert_eq!(ended.unwrap().presence.status, Status::Offline);
    stores.conference.follow_room(room, ann.actor(), HERE, None).await.unwrap();
    let recently = stores.conference.now();
    let kept = stores
        .conference
        .release_hold(room, ann.user_id, HERE.server_id, HoldEnd::Lapsed(recently), || false)
        .await
        .unwrap();
    assert!(kept.is_none(), "the lease runs on");
    assert_eq!(stores.conference.present(room).await.unwrap().len(), 1);
}

async fn a_dead_server_takes_its_presences_along(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    // A hold of a server that never renewed its lease is one of a dead server.
    stores.conference.follow_room(room, ann.actor(), HERE, Some(Status::InCall)).await.unwrap();
    let ended = stores.conference.end_expired_presences().await.unwrap();
    assert_eq!(ended.iter().map(|p| p.user_id).collect::<Vec<_>>(), [ann.user_id]);
    assert!(stores.conference.present(room).await.unwrap().is_empty());
    assert!(stores.conference.end_expired_presences().await.unwrap().is_empty());
}

async fn the_newest_socket_inside_takes_over(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    let inside = async |hold, status| {
        let followed = stores.conference.follow_room(room, ann.actor(), hold, status).await.unwrap();
        (followed.call_socket, followed.presence.version)
    };
    let socket = |name: &str| Some(name.to_owned());
    assert_eq!(inside(HERE, Some(Status::InCall)).await, (socket("socket-1"), 1));
    assert_eq!(inside(THERE, None).await, (socket("socket-1"), 1), "looking on takes nothing over");
    assert_eq!(inside(THERE, Some(Status::InCall)).await, (socket("socket-2"), 2), "the older word is older");
    assert_eq!(inside(THERE, Some(Status::Online)).await, (None, 3));
}

async fn a_new_name_shows_in_every_room(stores: Stores) {
    let ann = person(1, "Ann");
    let (first, second) = (stores.room(&ann).await.id, stores.room(&ann).await.id);
    for _ in 0..2 {
        stores.conference.rename_person(ann.user_id, "Anna").await.unwrap();
        for room in [first, second] {
            let row = stores.conference.participant(room, ann.user_id).await.unwrap().unwrap();
            assert_eq!((row.display_name.as_str(), row.presence.version), ("Anna", 1));
        }
    }
    let old_socket = stores.conference.follow_room(first, ann.actor(), HERE, None).await.unwrap();
    assert_eq!(old_socket.display_name, "Anna", "a socket brings no name back");
}

async fn a_hold_that_is_wanted_again_stays(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    stores.conference.renew_server(HERE.server_id).await.unwrap();
    stores.conference.follow_room(room, ann.actor(), HERE, Some(Status::InCall)).await.unwrap();
    let release = async |is_wanted: bool| {
        stores.conference.release_hold(room, ann.user_id, HERE.server_id, HoldEnd::Closed, || is_wanted).await.unwrap();
        stores.conference.holds(HERE.server_id).await.unwrap()
    };
    assert_eq!(release(true).await, [(room, ann.user_id)]);
    assert_eq!(release(false).await, []);
}

async fn a_server_that_seemed_dead_sees_whom_it_lost(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    stores.conference.follow_room(room, ann.actor(), HERE, Some(Status::InCall)).await.unwrap();
    assert_eq!(stores.conference.holds(HERE.server_id).await.unwrap(), [(room, ann.user_id)]);
    assert_eq!(stores.conference.end_expired_presences().await.unwrap().len(), 1);
    assert_eq!(stores.conference.holds(HERE.server_id).await.unwrap(), []);
}

async fn a_hold_taken_again_restores_who_was_lost_and_changes_nobody_else(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    stores.conference.follow_room(room, ann.actor(), HERE, Some(Status::InCall)).await.unwrap();
    stores.conference.end_expired_presences().await.unwrap();
    let again = async |is_wanted: bool| {
        let hold = stores.conference.hold_again(room, ann.user_id, HERE, Status::InCall, || is_wanted).await.unwrap();
        hold.map(|row| (row.presence.status, row.call_socket, row.presence.version))
    };
    let socket = |name: &str| Some(name.to_owned());
    assert_eq!(again(false).await, None);
    assert_eq!(stores.conference.holds(HERE.server_id).await.unwrap(), []);
    assert_eq!(again(true).await, Some((Status::InCall, socket("socket-1"), 3)));
    assert_eq!(stores.conference.holds(HERE.server_id).await.unwrap(), [(room, ann.user_id)]);
    // She went on elsewhere while this server seemed dead.
    stores.conference.end_expired_presences().await.unwrap();
    stores.conference.renew_server(THERE.server_id).await.unwrap();
    stores.conference.follow_room(room, ann.actor(), THERE, Some(Status::InCall)).await.unwrap();
    assert_eq!(again(true).await, Some((Status::InCall, socket("socket-2"), 5)), "the newest socket stays inside");
    stores.conference.leave(room, &ann).await.unwrap();
    assert_eq!(again(true).await, None);
}

async fn a_hold_released_twice_says_once_how_it_ended(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    stores.conference.renew_server(HERE.server_id).await.unwrap();
    stores.conference.follow_room(room, ann.actor(), HERE, Some(Status::InCall)).await.unwrap();
    let now = stores.conference.now();
    for end in [HoldEnd::Lapsed(now), HoldEnd::Closed] {
        stores.conference.release_hold(room, ann.user_id, HERE.server_id, end, || false).await.unwrap();
    }
    let row = stores.conference.participant(room, ann.user_id).await.unwrap().unwrap();
    assert!(!row.presence.closing, "a dead browser said no goodbye");
    assert_eq!(row.presence.until, Some(now.plus(LEASE)));
}

async fn a_ticket_opens_once(stores: Stores) {
    let holder = TicketHolder { session_id: SessionId::new("s".into()), user_id: person(1, "Ann").user_id };
    let (good, old) = (OpaqueToken::from_random([1; 32]), OpaqueToken::from_random([2; 32]));
    stores.conference.add_ticket(&good, &holder, Span::seconds(30)).await.unwrap();
    stores.conference.add_ticket(&old, &holder, Span::seconds(0)).await.unwrap();
    let other = stores.again().await;
    let (here, there) = tokio::join!(stores.conference.redeem_ticket(&good), other.conference.redeem_ticket(&good));
    let redeemed: Vec<_> = [here.unwrap(), there.unwrap()].into_iter().flatten().collect();
    assert_eq!(redeemed, [holder]);
    assert_eq!(stores.conference.redeem_ticket(&old).await.unwrap(), None);
    assert_eq!(stores.conference.redeem_ticket(&OpaqueToken::from_random([3; 32])).await.unwrap(), None);
}
