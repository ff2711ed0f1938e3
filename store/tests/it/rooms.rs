//! Rooms: making, listing, changing and closing them; opening databases.

use cloudmeet_core::account::Standing;
use cloudmeet_core::entry::EntryError;
use cloudmeet_core::permission::{Denied, Membership};
use cloudmeet_core::presence::Status;
use cloudmeet_core::room::{Description, LinkCode, RoomName, RoomPatch};
use cloudmeet_store::{Failure, Identity, ListFilter, RoomChange, RoomError};

use crate::support::{Stores, doer, draft, new_room, on_both_stores, person};

on_both_stores! {
    a_new_room_belongs_to_its_creator
    rooms_are_listed_newest_first_page_by_page
    a_search_ignores_case_and_takes_signs_of_patterns_as_they_are
    only_its_people_change_and_close_a_room
    a_closed_room_ends_presence_and_stays_with_its_people
    unread_counts_what_others_said
    a_database_can_be_opened_again_and_by_many_at_once
}

fn everything() -> ListFilter {
    ListFilter { skip: 0, limit: 100, only_active: true, query: None }
}

async fn a_new_room_belongs_to_its_creator(stores: Stores) {
    let ann = person(1, "Ann");
    let mut tail = stores.follow_changes().await;
    let description = Description::parse("Mondays\nat ten").unwrap();
    let mut new = new_room("Планёрка");
    new.settings.description = description;
    let made = stores.conference.create_room(&doer(&ann), &ann, &new).await.unwrap();
    let access = stores.access(made.id, ann.user_id).await.unwrap();
    assert_eq!(access.room, made);
    assert!(matches!(access.membership(), Membership::Member(_)));
    assert_eq!(stores.conference.count_present(made.id).await.unwrap(), 0);
    let stranger = stores.access(made.id, person(2, "Bob").user_id).await.unwrap();
    assert_eq!(stranger.membership(), Membership::Stranger);
    assert_eq!(stores.conference.changes(&mut tail).await.unwrap(), [RoomChange::Room(made.id)]);
}

async fn rooms_are_listed_newest_first_page_by_page(stores: Stores) {
    let ann = person(1, "Ann");
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(stores.room(&ann).await.id);
    }
    made.reverse();
    let page = async |skip, limit| -> Vec<_> {
        let filter = ListFilter { skip, limit, ..everything() };
        let listed = stores.conference.list_rooms(ann.actor(), &filter).await.unwrap();
        listed.into_iter().map(|listing| listing.room.id).collect()
    };
    assert_eq!(page(0, 2).await, made[..2]);
    assert_eq!(page(2, 2).await, made[2..4]);
    assert_eq!(page(4, 100).await, made[4..]);
    assert!(page(i64::MAX, 1).await.is_empty());
}

async fn a_search_ignores_case_and_takes_signs_of_patterns_as_they_are(stores: Stores) {
    let ann = person(1, "Ann");
    for name in ["Планёрка по понедельникам", "100% done", "under_score", "back\\slash"] {
        stores.conference.create_room(&doer(&ann), &ann, &new_room(name)).await.unwrap();
    }
    let found = async |query: &str| {
        let filter = ListFilter { query: Some(query.to_owned()), ..everything() };
        stores.conference.list_rooms(ann.actor(), &filter).await.unwrap().len()
    };
    assert_eq!(found("ПЛАНЁРКА").await, 1);
    assert_eq!(found("0% D").await, 1);
    assert_eq!(found("%").await, 1);
    assert_eq!(found("r_s").await, 1);
    assert_eq!(found("k\\s").await, 1);
    assert_eq!(found("nothing").await, 0);
}

async fn only_its_people_change_and_close_a_room(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await;
    let name = Some(RoomName::parse("New").unwrap());
    let patch = RoomPatch { name, description: Some(None), ..RoomPatch::default() };
    let code = LinkCode::new("code".to_owned());
    let refused = stores.conference.change_room(room.id, &doer(&bob), &patch, &code).await;
    assert!(matches!(refused, Err(Failure::Refused(RoomError::Denied(Denied::NotAllowed)))), "{refused:?}");
    let refused = stores.conference.close_room(room.id, &doer(&bob)).await;
    assert!(matches!(refused, Err(Failure::Refused(Denied::NotAllowed))), "{refused:?}");
    let changed = stores.conference.change_room(room.id, &doer(&ann), &patch, &code).await.unwrap();
    assert_eq!(changed.name.as_str(), "New");
    let administrator = Identity { standing: Standing::Administrator, ..bob };
    stores.conference.close_room(room.id, &doer(&administrator)).await.unwrap();
    stores.conference.close_room(room.id, &doer(&ann)).await.unwrap();
}

async fn a_closed_room_ends_presence_and_stays_with_its_people(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = stores.room(&ann).await;
    stores.join(room.id, &bob).await.unwrap();
    stores.conference.batches().store(&[draft(room.id, &bob, "hi", None)]).await.unwrap();
    stores.conference.close_room(room.id, &doer(&ann)).await.unwrap();
    let access = stores.access(room.id, bob.user_id).await.unwrap();
    let present = stores.conference.count_present(room.id).await.unwrap();
    assert_eq!((access.room.is_active, present), (false, 0));
    assert_eq!(access.participant.unwrap().presence.status, Status::Offline);
    assert_eq!(stores.history(room.id).await.len(), 1);
    let refused = stores.join(room.id, &bob).await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::Denied(Denied::RoomClosed)))), "{refused:?}");
    let refused = stores.join(room.id, &eve).await;
    assert!(matches!(refused, Err(Failure::Refused(EntryError::Denied(Denied::NoSuchRoom)))), "{refused:?}");
    let listed = async |who: &cloudmeet_store::Identity, only_active| {
        let filter = ListFilter { only_active, ..everything() };
        stores.conference.list_rooms(who.actor(), &filter).await.unwrap().len()
    };
    assert_eq!((listed(&bob, true).await, listed(&bob, false).await, listed(&eve, false).await), (0, 1, 0));
}

async fn unread_counts_what_others_said(stores: Stores) {
    let (ann, bob) = (person(1, "Ann"), person(2, "Bob"));
    let room = stores.room(&ann).await;
    stores.conference.batches().store(&[draft(room.id, &ann, "before", None)]).await.unwrap();
    stores.join(room.id, &bob).await.unwrap();
    let unread = async |who: &cloudmeet_store::Identity| stores.access(room.id, who.user_id).await.unwrap().unread();
    assert_eq!(unread(&bob).await, 0, "what was said before is no news");
    for _ in 0..3 {
        stores.conference.batches().store(&[draft(room.id, &ann, "news", None)]).await.unwrap();
    }
    assert_eq!((unread(&ann).await, unread(&bob).await), (0, 3));
    stores.conference.mark_read(room.id, bob.user_id, 3).await.unwrap();
    assert_eq!(unread(&bob).await, 1);
    stores.conference.mark_read(room.id, bob.user_id, 2).await.unwrap();
    assert_eq!(unread(&bob).await, 1, "it never goes back");
    stores.conference.mark_read(room.id, bob.user_id, i64::MAX).await.unwrap();
    assert_eq!(unread(&bob).await, 0);
    // In one commit each person reads their own words in their own room, and no further.
    let other = stores.room(&bob).await;
    let batch = [
        draft(room.id, &bob, "a", None),
        draft(other.id, &bob, "b", None),
        draft(room.id, &ann, "c", None),
        draft(room.id, &ann, "d", None),
    ];
    stores.conference.batches().store(&batch).await.unwrap();
    let in_other = stores.access(other.id, bob.user_id).await.unwrap();
    assert_eq!((unread(&ann).await, unread(&bob).await, in_other.unread()), (0, 2, 0));
    stores.conference.mark_read(room.id, bob.user_id, i64::MAX).await.unwrap();
    let audience = stores.conference.audience(room.id).await.unwrap().unwrap();
    assert_eq!(audience.listing_for(bob.user_id).unread, 0);
}

async fn a_database_can_be_opened_again_and_by_many_at_once(stores: Stores) {
    let room = stores.room(&person(1, "Ann")).await;
    let (first, second) = tokio::join!(stores.again(), stores.again());
    for other in [first, second] {
        assert!(other.access(room.id, person(1, "Ann").user_id).await.is_some());
        other.conference.check().await.unwrap();
        other.conference.prune().await.unwrap();
        other.auth.prune().await.unwrap();
    }
}
