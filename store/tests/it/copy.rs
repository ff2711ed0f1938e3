//! Copies: from one engine to the other and back, and what an interrupted one leaves.

use cloudmeet_store::data::{Copied, DataError, Part, PartCopied, Progress, Work, copy, status};

use crate::installation::{Counter, assert_restored, chatter, furnish};
use crate::support::{Place, Stores, on_both_stores, register};

on_both_stores! {
    a_copy_to_the_other_engine_and_back_is_the_same
    an_interrupted_copy_goes_on_where_it_was
    a_copy_goes_only_where_nothing_else_is
    a_copy_of_the_first_release_is_migrated
    ids_go_on_above_those_that_are_gone
}

fn quiet(_: Progress) {}

fn is_copied(outcome: Copied) -> [bool; 2] {
    [outcome.auth, outcome.conference].map(|part| matches!(part, PartCopied::Copied { .. }))
}

async fn a_copy_to_the_other_engine_and_back_is_the_same(stores: Stores) {
    let furnished = furnish(&stores).await;
    chatter(&stores, furnished.room, &furnished.chief, 700).await;
    let room = furnished.room;
    stores.run(format!("DELETE FROM messages WHERE room_id = {room} AND seq > 7")).await;
    let (sqlite, postgres, back) = (Place::sqlite(), Place::postgres().await, Place::sqlite());
    let first = copy(&stores.databases(), &postgres.databases, &mut quiet).await.unwrap();
    assert_eq!(is_copied(first), [true, true]);
    copy(&postgres.databases, &sqlite.databases, &mut quiet).await.unwrap();
    copy(&sqlite.databases, &back.databases, &mut quiet).await.unwrap();
    for place in [&postgres, &sqlite, &back] {
        let again = copy(&stores.databases(), &place.databases, &mut quiet).await.unwrap();
        assert_eq!(is_copied(again), [false, false]);
    }
    for place in [&postgres, &sqlite, &back] {
        assert_restored(&place.open().await, &furnished).await;
    }
    assert_eq!(back.files().iter().filter(|name| name.contains("partial")).count(), 0);
}

async fn an_interrupted_copy_goes_on_where_it_was(stores: Stores) {
    let furnished = furnish(&stores).await;
    chatter(&stores, furnished.room, &furnished.chief, 5000).await;
    let source = status(Part::Conference, &stores.databases().conference).await.unwrap().rows;
    let messages = source.iter().find(|(table, _)| *table == "messages").map(|(_, rows)| *rows).unwrap();
    for place in [Place::sqlite(), Place::postgres().await] {
        let (mut copied_once, mut all_copied) = (false, false);
        for number in 0.. {
            let counter = Counter::until(number);
            let last = std::sync::Mutex::new(None);
            let mut watch = |progress: Progress| {
                *last.lock().unwrap() = Some(progress.work);
                counter.hear(progress);
            };
            let databases = stores.databases();
            if let Some(outcome) = counter.interrupt(copy(&databases, &place.databases, &mut watch)).await {
                assert_eq!(is_copied(outcome.unwrap()), [false, !all_copied], "accounts were finished before");
                assert!(number > 5, "it was interrupted {number} times");
                break;
            }
            // A part is there as a whole or not at all.
            let accounts = status(Part::Auth, &place.databases.auth).await.unwrap().rows;
            let is_there = accounts.iter().any(|(table, rows)| *table == "accounts" && *rows == 4);
            let is_absent = accounts.iter().all(|(table, rows)| *table == "installation" || *rows == 0);
            assert!(is_there || is_absent, "{accounts:?}");
            copied_once |= is_there;
            let rooms = status(Part::Conference, &place.databases.conference).await.unwrap().rows;
            // Interrupted while it was committed, Postgres may have all of it.
            all_copied = rooms.iter().any(|(table, rows)| *table == "messages" && *rows == messages);
            let is_absent = rooms.iter().all(|(_, rows)| *rows == 0);
            assert!(all_copied || is_absent, "after {:?}: {rooms:?}", last.lock().unwrap());
            assert!(place.files().iter().all(|name| !name.contains("partial")), "{:?}", place.files());
            if copied_once {
                assert_ne!(*last.lock().unwrap(), Some(Work::Copy(Part::Auth)), "accounts are not copied twice");
            }
        }
        let again = copy(&stores.databases(), &place.databases, &mut quiet).await.unwrap();
        assert_eq!(is_copied(again), [false, false]);
    }
}

async fn a_copy_goes_only_where_nothing_else_is(stores: Stores) {
    let furnished = furnish(&stores).await;
    for place in [Place::sqlite(), Place::postgres().await] {
        copy(&stores.databases(), &place.databases, &mut quiet).await.unwrap();
        let other = place.open().await;
        let room = furnished.room;
        other.run(format!("UPDATE messages SET content = 'another' WHERE room_id = {room} AND seq = 3")).await;
        let refused = copy(&stores.databases(), &place.databases, &mut quiet).await;
        let is_refused = matches!(refused, Err(DataError::NotEmpty { part: Part::Conference, table: "messages" }));
        assert!(is_refused, "{refused:?}");
    }
    let nothing = stores.empty_place().await;
    let refused = copy(&nothing.databases, &Place::sqlite().databases, &mut quiet).await;
    assert!(matches!(refused, Err(DataError::Absent(_) | DataError::Open(..))), "{refused:?}");
    // A text that Postgres cannot hold is named, and nothing is left.
    if let cloudmeet_store::Location::Sqlite(_) = stores.databases().auth {
        stores.run("UPDATE messages SET content = 'a' || char(0) || 'b' WHERE seq = 3".to_owned()).await;
        let place = Place::postgres().await;
        let refused = copy(&stores.databases(), &place.databases, &mut quiet).await;
        let is_named = matches!(refused, Err(DataError::Unstorable { part: Part::Conference, table: "messages" }));
        assert!(is_named, "{refused:?}");
        let rooms = status(Part::Conference, &place.databases.conference).await.unwrap().rows;
        assert!(rooms.iter().all(|(_, rows)| *rows == 0), "{rooms:?}");
    }
}

async fn a_copy_of_the_first_release_is_migrated(stores: Stores) {
    let old = stores.empty_place().await;
    crate::opening::migrate_to(&old.databases, 1).await;
    crate::opening::furnish_first_release(&old.databases).await;
    for place in [Place::sqlite(), Place::postgres().await] {
        copy(&old.databases, &place.databases, &mut quiet).await.unwrap();
        crate::opening::assert_first_release(&place.open().await).await;
    }
}

async fn ids_go_on_above_those_that_are_gone(stores: Stores) {
    furnish(&stores).await;
    stores.run_accounts("DELETE FROM api_keys".to_owned()).await;
    let highest = register(&stores, "last@example.org").await.id;
    stores.run_accounts(format!("DELETE FROM accounts WHERE id = {highest}")).await;
    for place in [Place::sqlite(), Place::postgres().await] {
        copy(&stores.databases(), &place.databases, &mut quiet).await.unwrap();
        assert!(register(&place.open().await, "next@example.org").await.id > highest);
    }
}
