//! Looking for a text in a room's history.

use std::time::Duration;

use cloudmeet_core::chat::Content;
use cloudmeet_store::{SEARCH_BLOCK, SearchFrom};

use crate::support::{Stores, doer, draft, on_both_stores, person};

on_both_stores! {
    a_search_finds_what_messages_hold_whatever_the_case_and_pages_through_it
    what_was_edited_or_deleted_is_found_as_it_is_now
    a_long_history_is_searched_through_to_its_ends_in_both_directions
}

async fn found(
    stores: &Stores,
    room: cloudmeet_core::id::RoomId,
    text: &str,
    from: SearchFrom,
    limit: i64,
) -> Vec<i64> {
    let last_seq = stores.access(room, person(1, "Ann").user_id).await.unwrap().room.last_seq;
    let messages = stores.conference.search_messages(room, text, from, limit, last_seq).await.unwrap();
    messages.into_iter().map(|message| message.seq).collect()
}

async fn a_search_finds_what_messages_hold_whatever_the_case_and_pages_through_it(stores: Stores) {
    let ann = person(1, "Ann");
    let (room, other) = (stores.room(&ann).await.id, stores.room(&ann).await.id);
    let said = ["Привет, МИР", "nothing", "привет", "100% % sure_", "ПРИВЕТ again"];
    let drafts: Vec<_> = said.iter().map(|text| draft(room, &ann, text, None)).collect();
    stores.conference.batches().store(&drafts).await.unwrap();
    stores.conference.batches().store(&[draft(other, &ann, "привет", None)]).await.unwrap();
    let newest = SearchFrom::Before(i64::MAX);
    assert_eq!(found(&stores, room, "ПриВет", newest, 50).await, [1, 3, 5]);
    assert_eq!(found(&stores, room, "привет", newest, 2).await, [3, 5], "the newest first sought");
    assert_eq!(found(&stores, room, "привет", SearchFrom::Before(3), 50).await, [1]);
    assert_eq!(found(&stores, room, "привет", SearchFrom::After(1), 1).await, [3]);
    assert_eq!(found(&stores, room, "% sure_", newest, 50).await, [4], "signs of patterns stand for themselves");
    assert_eq!(found(&stores, room, "absent", newest, 50).await, Vec::<i64>::new());
}

async fn what_was_edited_or_deleted_is_found_as_it_is_now(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    let drafts = [draft(room, &ann, "Old words", None), draft(room, &ann, "old news", None)];
    stores.conference.batches().store(&drafts).await.unwrap();
    let ids: Vec<_> = stores.history(room).await.into_iter().map(|message| message.id).collect();
    let new = Content::parse("New words".to_owned()).unwrap();
    stores.conference.edit_message(room, ids[0], ann.actor(), &new).await.unwrap();
    stores.conference.delete_message(room, ids[1], &doer(&ann)).await.unwrap();
    let newest = SearchFrom::Before(i64::MAX);
    assert_eq!(found(&stores, room, "old", newest, 50).await, Vec::<i64>::new());
    assert_eq!(found(&stores, room, "new WORDS", newest, 50).await, [1]);
}

async fn a_long_history_is_searched_through_to_its_ends_in_both_directions(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    let count = 3 * SEARCH_BLOCK + 40;
    let drafts: Vec<_> = (1..=count)
        .map(|seq| draft(room, &ann, &format!("Line {seq} {}", if seq % 100 == 7 { "RARE" } else { "" }), None))
        .collect();
    let mut batches = stores.conference.batches();
    for batch in drafts.chunks(200) {
        batches.store(batch).await.unwrap();
    }
    let rare: Vec<i64> = (1..=count).filter(|seq| seq % 100 == 7).collect();
    stores.conference.make_search_block(room, 1).await.unwrap();
    let newest = SearchFrom::Before(i64::MAX);
    // What no block holds yet is found all the same; the second time it stands in blocks.
    for _ in 0..2 {
        assert_eq!(found(&stores, room, "rare", newest, 200).await, rare);
        assert_eq!(found(&stores, room, "rare", SearchFrom::After(0), 200).await, rare);
        assert_eq!(found(&stores, room, "rare", newest, 3).await, rare[rare.len() - 3..]);
        assert_eq!(found(&stores, room, "rare", SearchFrom::After(0), 3).await, rare[..3]);
    }
    for edge in [1, SEARCH_BLOCK, SEARCH_BLOCK + 1, 2 * SEARCH_BLOCK, 2 * SEARCH_BLOCK + 1, 307, 308, count, count + 1]
    {
        let before: Vec<i64> = rare.iter().copied().filter(|seq| *seq < edge).collect();
        let after: Vec<i64> = rare.iter().copied().filter(|seq| *seq > edge).collect();
        assert_eq!(found(&stores, room, "rare", SearchFrom::Before(edge), 200).await, before, "before {edge}");
        assert_eq!(found(&stores, room, "rare", SearchFrom::After(edge), 200).await, after, "after {edge}");
    }
    assert_eq!(found(&stores, room, &format!("line {SEARCH_BLOCK} "), newest, 50).await, [SEARCH_BLOCK]);
    // An edit deep in the past, while somebody makes its block anew.
    let message = stores.history(room).await[299].clone();
    let new = Content::parse("now it is rare as well".to_owned()).unwrap();
    let other = stores.again().await;
    let (edited, made) = tokio::join!(
        stores.conference.edit_message(room, message.id, ann.actor(), &new),
        other.conference.make_search_block(room, 1),
    );
    edited.unwrap();
    made.unwrap();
    assert!(found(&stores, room, "rare", newest, 200).await.contains(&300));
}

/// On Postgres; SQLite plans without looking at what is stored. A table that was analysed before a room filled says
/// that the room is empty, and where it is empty one index is as good as another.
#[tokio::test]
async fn a_room_that_statistics_do_not_know_is_read_by_the_numbers_of_its_messages() {
    let stores = Stores::postgres().await;
    let ann = person(1, "Ann");
    let (known, room) = (stores.room(&ann).await.id, stores.room(&ann).await.id);
    stores.run("ALTER TABLE messages SET (autovacuum_enabled = FALSE)".to_owned()).await;
    // Planned while there is next to nothing.
    fill(&stores, known, 1).await;
    assert_eq!(found(&stores, known, "line", SearchFrom::Before(2), 50).await, [1]);
    fill(&stores, known, 40_000).await;
    stores.run("ANALYZE".to_owned()).await;
    fill(&stores, room, 100_000).await;
    assert_eq!(found(&stores, room, "line", SearchFrom::Before(99_000), 50).await.len(), 50);
    // Statistics are complete when the connections' own processes have ended.
    stores.conference.close().await;
    let by_number = entries_read(&stores, "messages_room_id_seq_key");
    let told = tokio::time::timeout(Duration::from_secs(30), async { while by_number().await == 0 {} });
    told.await.expect("statistics of what was read");
    assert_eq!(entries_read(&stores, "messages_sent")().await, 0);
}

/// Says how many entries of an index have been read.
fn entries_read(stores: &Stores, index: &str) -> impl AsyncFn() -> i64 {
    let sql = format!("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = '{index}'");
    async move || stores.number(&sql).await
}

/// Stores messages in a room up to a number, as many as would take long to send.
async fn fill(stores: &Stores, room: cloudmeet_core::id::RoomId, count: i64) {
    stores
        .run(format!(
            "INSERT INTO messages (room_id, seq, user_id, content, created_at, rev) \
             SELECT {room}, seq, 1, 'Line ' || seq, 1, 0 FROM rooms r, generate_series(r.last_seq + 1, {count}) AS seq \
             WHERE r.id = {room}; UPDATE rooms SET last_seq = {count} WHERE id = {room}"
        ))
        .await;
}
