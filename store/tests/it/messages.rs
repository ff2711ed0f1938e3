//! Messages: numbers without gaps, each stored once, edits and deletions, the writer.

use std::sync::{Arc, Mutex};

use cloudmeet_core::chat::{Content, EditError, SendError};
use cloudmeet_core::id::{MessageId, RoomId};
use cloudmeet_core::page::{Cursor, PageLimit, locate};
use cloudmeet_core::permission::Denied;
use cloudmeet_store::{Draft, Failure, MessageError, MessageWriter, RoomChange, SubmitError};

use crate::support::{Stores, doer, draft, on_both_stores, person};

on_both_stores! {
    a_batch_stores_each_message_once_in_order
    a_repeat_is_answered_with_what_is_stored
    only_members_of_an_open_room_speak
    an_answer_must_answer_a_message_of_the_room
    writers_on_two_servers_leave_no_gap
    any_text_comes_back_as_it_was_sent
    edits_and_deletions_are_counted_and_found
    the_writer_publishes_in_order_before_it_answers
}

async fn a_batch_stores_each_message_once_in_order(stores: Stores) {
    let ann = person(1, "Ann");
    let (one, two) = (stores.room(&ann).await.id, stores.room(&ann).await.id);
    let mut tail = stores.follow_changes().await;
    let batch = [
        draft(two, &ann, "a", Some("1")),
        draft(one, &ann, "b", Some("1")),
        draft(two, &ann, "c", None),
        draft(two, &ann, "a again", Some("1")),
        draft(two, &ann, "d", Some("2")),
    ];
    let sent: Vec<_> =
        stores.conference.batches().store(&batch).await.unwrap().into_iter().map(Result::unwrap).collect();
    let seqs: Vec<_> = sent.iter().map(|sent| (sent.message.seq, sent.is_new)).collect();
    assert_eq!(seqs, [(1, true), (1, true), (2, true), (1, false), (3, true)]);
    assert_eq!(sent[3].message, sent[0].message);
    let contents: Vec<_> = stores.history(two).await.into_iter().map(|message| message.content).collect();
    assert_eq!(contents, ["a", "c", "d"]);
    assert_eq!(stores.history(two).await[0], sent[0].message);
    let mut changes = stores.conference.changes(&mut tail).await.unwrap();
    changes.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(changes, [RoomChange::Messages(one), RoomChange::Messages(two)]);
}

async fn a_repeat_is_answered_with_what_is_stored(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    let send = async |content: &str| {
        let outcomes = stores.conference.batches().store(&[draft(room, &ann, content, Some("x"))]).await.unwrap();
        outcomes.into_iter().next().unwrap().unwrap()
    };
    let first = send("first").await;
    let repeat = send("other text").await;
    assert_eq!((repeat.message, repeat.is_new), (first.message, false));
    assert_eq!(stores.history(room).await.len(), 1);
}

async fn only_members_of_an_open_room_speak(stores: Stores) {
    let (ann, eve) = (person(1, "Ann"), person(3, "Eve"));
    let room = stores.room(&ann).await.id;
    let nowhere = cloudmeet_core::id::RoomId::new(999_999).unwrap();
    let batch = [draft(room, &eve, "x", None), draft(nowhere, &ann, "x", None), draft(room, &ann, "ok", None)];
    let outcomes = stores.conference.batches().store(&batch).await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err(), &SendError::Denied(Denied::NotMember));
    assert_eq!(outcomes[1].as_ref().unwrap_err(), &SendError::NoSuchRoom);
    assert_eq!(outcomes[2].as_ref().unwrap().message.seq, 1, "a refused message takes no number");
    stores.conference.close_room(room, &doer(&ann)).await.unwrap();
    let outcomes = stores.conference.batches().store(&[draft(room, &ann, "late", None)]).await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err(), &SendError::Denied(Denied::RoomClosed));
}

async fn an_answer_must_answer_a_message_of_the_room(stores: Stores) {
    let ann = person(1, "Ann");
    let (room, other) = (stores.room(&ann).await.id, stores.room(&ann).await.id);
    let sent = stores.conference.batches().store(&[draft(room, &ann, "question", None)]).await.unwrap();
    let id = sent[0].as_ref().unwrap().message.id;
    let answer = |room, reply_to| Draft { reply_to: Some(reply_to), ..draft(room, &ann, "answer", None) };
    let batch = [answer(room, id), answer(other, id), answer(room, MessageId::new(999_999).unwrap())];
    let outcomes = stores.conference.batches().store(&batch).await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap().message.reply_to, Some(id));
    assert_eq!(outcomes[1].as_ref().unwrap_err(), &SendError::UnknownReply);
    assert_eq!(outcomes[2].as_ref().unwrap_err(), &SendError::UnknownReply);
}

async fn writers_on_two_servers_leave_no_gap(stores: Stores) {
    let ann = person(1, "Ann");
    let rooms = [stores.room(&ann).await.id, stores.room(&ann).await.id, stores.room(&ann).await.id];
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let store = stores.again().await.conference;
        let ann = ann.clone();
        tasks.spawn(async move {
            for number in 0..15 {
                // Rooms in another order for every writer: locks are taken in one order all the same.
                let batch: Vec<_> = (0..3)
                    .map(|n| draft(rooms[(n + writer) % 3], &ann, "x", Some(&format!("{writer}-{number}"))))
                    .collect();
                for outcome in store.batches().store(&batch).await.unwrap() {
                    assert!(outcome.unwrap().is_new);
                }
            }
        });
    }
    tasks.join_all().await;
    for room in rooms {
        let seqs: Vec<_> = stores.history(room).await.into_iter().map(|message| message.seq).collect();
        assert_eq!(seqs, (1..=60).collect::<Vec<_>>());
    }
}

async fn any_text_comes_back_as_it_was_sent(stores: Stores) {
    let ann = person(1, "Ann");
    let room = stores.room(&ann).await.id;
    let texts = [
        "'; DROP TABLE messages; --",
        "{\"json\": [1]}",
        "\\u0041 \\\\ \"",
        " два\nслова\t",
        "😀👩‍👩‍👧",
        "\u{202E}x",
        "null",
    ];
    let batch: Vec<_> =
        texts.iter().enumerate().map(|(n, text)| draft(room, &ann, text, Some(&format!("\"'{n}\\")))).collect();
    stores.conference.batches().store(&batch).await.unwrap();
    let stored = stores.history(room).await;
    assert_eq!(stored.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(), texts);
    assert_eq!(stored[6].client_msg_id.as_deref(), Some("\"'6\\"));
}

async fn edits_and_deletions_are_counted_and_found(stores: Stores) {
    let (ann, bob, eve) = (person(1, "Ann"), person(2, "Bob"), person(3, "Eve"));
    let room = stores.room(&ann).await.id;
    stores.join(room, &bob).await.unwrap();
    let batch: Vec<_> = (0..3).map(|_| draft(room, &bob, "old", None)).collect();
    stores.conference.batches().store(&batch).await.unwrap();
    let ids: Vec<_> = stores.history(room).await.into_iter().map(|message| message.id).collect();
    let new = Content::parse("new".to_owned()).unwrap();
    let edited = stores.conference.edit_message(room, ids[0], bob.actor(), &new).await.unwrap();
    assert_eq!((edited.message.rev, edited.changed, edited.message.content.as_str()), (1, true, "new"));
    let same = stores.conference.edit_message(room, ids[0], bob.actor(), &new).await.unwrap();
    assert_eq!((same.message.rev, same.changed), (1, false));
    let refused = stores.conference.edit_message(room, ids[0], ann.actor(), &new).await;
    assert!(matches!(refused, Err(Failure::Refused(MessageError::Denied(Denied::NotAllowed)))), "{refused:?}");
    let refused = stores.conference.delete_message(room, ids[0], &doer(&eve)).await;
    assert!(matches!(refused, Err(Failure::Refused(MessageError::Denied(Denied::NotMember)))), "{refused:?}");
    let tombstone = stores.conference.delete_message(room, ids[1], &doer(&ann)).await.unwrap().message;
    assert_eq!((tombstone.content.as_str(), tombstone.rev, tombstone.seq), ("", 2, 2));
    assert!(!stores.conference.delete_message(room, ids[1], &doer(&ann)).await.unwrap().changed);
    let gone = stores.conference.edit_message(room, ids[1], bob.actor(), &new).await;
    assert!(matches!(gone, Err(Failure::Refused(MessageError::Edit(EditError::Deleted)))), "{gone:?}");
    let nowhere = MessageId::new(999_999).unwrap();
    let unknown = stores.conference.delete_message(room, nowhere, &doer(&ann)).await;
    assert!(matches!(unknown, Err(Failure::Refused(MessageError::NoSuchMessage))), "{unknown:?}");
    stores
        .conference
        .edit_message(room, ids[0], bob.actor(), &Content::parse("newer".to_owned()).unwrap())
        .await
        .unwrap();
    let revs = async |after| -> Vec<_> {
        let changed = stores.conference.changed_messages(room, after, 10).await.unwrap();
        changed.into_iter().map(|message| (message.rev, message.seq)).collect()
    };
    assert_eq!(revs(0).await, [(2, 2), (3, 1)]);
    assert_eq!(revs(2).await, [(3, 1)]);
    let access = stores.access(room, ann.user_id).await.unwrap();
    assert_eq!((access.room.rev, access.room.last_seq), (3, 3));
    let page = locate(Cursor::Newest { skip: 0 }, PageLimit::DEFAULT, 3);
    assert_eq!(stores.conference.messages(room, page).await.unwrap().len(), 3, "a tombstone keeps its place");
}

async fn the_writer_publishes_in_order_before_it_answers(stores: Stores) {
    let ann = person(1, "Ann");
    // Neighbours: on Postgres they have different tasks.
    let rooms = [stores.room(&ann).await.id, stores.room(&ann).await.id];
    let published = Arc::new(Mutex::new(Vec::new()));
    let seen = published.clone();
    let (writer, tasks) = MessageWriter::start(&stores.conference, move |messages| {
        seen.lock().unwrap().extend(messages.into_iter().map(|message| (message.room_id, message.seq)));
    });
    let mut answers = tokio::task::JoinSet::new();
    for number in 0..200 {
        let room = rooms[number % 2];
        let answer = writer.submit(draft(room, &ann, "x", Some(&number.to_string()))).unwrap();
        let published = published.clone();
        answers.spawn(async move {
            let seq = answer.await.unwrap().message.seq;
            assert!(published.lock().unwrap().contains(&(room, seq)), "published before it is answered");
            (room, seq)
        });
    }
    let answered = answers.join_all().await;
    for room in rooms {
        let of_room = |pairs: &[(RoomId, i64)]| -> Vec<i64> {
            pairs.iter().filter(|(id, _)| *id == room).map(|(_, seq)| *seq).collect()
        };
        let mut seqs = of_room(&answered);
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
        assert_eq!(of_room(&published.lock().unwrap()), seqs);
    }
    let refused = writer.submit(draft(rooms[0], &person(9, "Eve"), "x", None)).unwrap().await;
    assert_eq!(refused.unwrap_err(), SubmitError::Refused(SendError::Denied(Denied::NotMember)));
    drop(writer);
    tasks.join_all().await;
}
