//! What a tail sends to whom, and in which order.

use cloudmeet_core::account::Standing;
use cloudmeet_core::id::SessionId;
use tokio::sync::{mpsc, watch};

use super::*;
use crate::hub::sockets::{Outbound, Sockets};
use crate::rate_limit::RateLimits;

/// The beginning of a room.
const NEW: Since = Since { ends: 0, is_active: true, version: 0 };

/// A socket of a person, with what it was sent.
struct Listener {
    id: SocketId,
    link: SocketLink,
    queue: mpsc::Receiver<Outbound>,
}

impl Listener {
    fn heard(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        while let Ok(outbound) = self.queue.try_recv() {
            if let Outbound::Frame(text) = outbound {
                heard.push(text.to_string());
            }
        }
        heard
    }
}

fn listener(sockets: &mut Sockets, user: i64, key: &str) -> Listener {
    let (queue, outbound) = mpsc::channel(1000);
    let link = SocketLink {
        key: key.into(),
        user_id: UserId::new(user).expect("positive"),
        standing: Standing::Ordinary,
        session_id: SessionId::new("s".into()),
        address: [127, 0, 0, 1].into(),
        caps: RateLimits::On,
        queue,
        closing: watch::Sender::new(None),
    };
    let id = sockets.open(link.clone()).expect("few");
    Listener { id, link, queue: outbound }
}

fn message(tail: &mut RoomTail, seq: i64) -> Offer {
    tail.offer_message(seq, || format!("m{seq}"))
}

#[test]
fn what_comes_while_the_store_is_read_follows_what_was_read() {
    let mut sockets = Sockets::default();
    let (mut first, mut second) = (listener(&mut sockets, 1, "a"), listener(&mut sockets, 2, "b"));
    let mut tail = RoomTail::default();
    tail.subscribe(first.id, Subscriber::reading(first.link.clone(), NEW));
    assert_eq!(tail.attach(first.id, 3, 0, "answer"), Attached::Live);
    tail.subscribe(second.id, Subscriber::reading(second.link.clone(), NEW));
    assert_eq!(message(&mut tail, 4), Offer::Taken);
    assert_eq!(message(&mut tail, 5), Offer::Taken);
    // The store was read when 4 was there and 5 was not.
    assert_eq!(tail.attach(second.id, 4, 0, "answer"), Attached::Live);
    assert_eq!(message(&mut tail, 6), Offer::Taken);
    assert_eq!(first.heard(), ["answer", "m4", "m5", "m6"]);
    assert_eq!(second.heard(), ["answer", "m5", "m6"]);
}

#[test]
fn a_gap_is_not_jumped_and_an_old_message_not_repeated() {
    let mut sockets = Sockets::default();
    let mut one = listener(&mut sockets, 1, "a");
    let mut tail = RoomTail::default();
    tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    tail.attach(one.id, 3, 0, "answer");
    assert_eq!(message(&mut tail, 5), Offer::Gap);
    assert_eq!(message(&mut tail, 4), Offer::Taken);
    assert_eq!(message(&mut tail, 4), Offer::Old);
    assert_eq!(message(&mut tail, 5), Offer::Taken);
    assert_eq!(one.heard(), ["answer", "m4", "m5"]);
}

#[test]
fn what_came_before_the_first_place_was_known_is_read_again() {
    let mut sockets = Sockets::default();
    let mut one = listener(&mut sockets, 1, "a");
    let mut tail = RoomTail::default();
    tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    assert_eq!(message(&mut tail, 9), Offer::Taken);
    assert_eq!(tail.attach(one.id, 8, 0, "answer"), Attached::Behind);
    assert_eq!(tail.position(), Some((8, 0)));
    assert_eq!(message(&mut tail, 9), Offer::Taken);
    assert_eq!(one.heard(), ["answer", "m9"]);
}

#[test]
fn a_newer_reading_does_not_hide_messages_from_others() {
    let mut sockets = Sockets::default();
    let (mut first, mut second) = (listener(&mut sockets, 1, "a"), listener(&mut sockets, 2, "b"));
    let mut tail = RoomTail::default();
    tail.subscribe(first.id, Subscriber::reading(first.link.clone(), NEW));
    tail.attach(first.id, 3, 0, "answer");
    tail.subscribe(second.id, Subscriber::reading(second.link.clone(), NEW));
    // Another server stored 4 and 5; only the second's reading has seen them.
    assert_eq!(tail.attach(second.id, 5, 0, "answer"), Attached::Behind);
    for seq in 4..=6 {
        assert_eq!(message(&mut tail, seq), Offer::Taken);
    }
    assert_eq!(first.heard(), ["answer", "m4", "m5", "m6"]);
    assert_eq!(second.heard(), ["answer", "m6"]);
}

#[test]
fn of_two_who_come_first_the_one_who_read_less_misses_nothing() {
    let mut sockets = Sockets::default();
    let (mut first, mut second) = (listener(&mut sockets, 1, "a"), listener(&mut sockets, 2, "b"));
    let mut tail = RoomTail::default();
    for one in [&first, &second] {
        tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    }
    // The second reads the store at 4; then 5 comes, and the first reads it with 5.
    assert_eq!(message(&mut tail, 5), Offer::Taken);
    assert_eq!(tail.attach(first.id, 5, 0, "answer"), Attached::Behind);
    assert_eq!(message(&mut tail, 6), Offer::Taken);
    assert_eq!(tail.attach(second.id, 4, 0, "answer"), Attached::Behind);
    assert_eq!(tail.position(), Some((4, 0)));
    assert_eq!(message(&mut tail, 7), Offer::Gap);
    for seq in 5..=7 {
        assert_eq!(message(&mut tail, seq), Offer::Taken);
    }
    assert_eq!(first.heard(), ["answer", "m6", "m7"]);
    assert_eq!(second.heard(), ["answer", "m5", "m6", "m7"]);
}

#[test]
fn a_person_is_where_the_socket_inside_says() {
    let mut sockets = Sockets::default();
    let (inside, looking) = (listener(&mut sockets, 1, "inside"), listener(&mut sockets, 1, "looking"));
    let (away, reading) = (listener(&mut sockets, 2, "away"), listener(&mut sockets, 3, "reading"));
    let mut tail = RoomTail::default();
    for one in [&inside, &looking, &away, &reading] {
        tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    }
    for one in [&inside, &looking, &away] {
        tail.attach(one.id, 0, 0, "answer");
    }
    assert_eq!(tail.set_said(inside.id, Some(Status::InCall)), None);
    tail.set_said(away.id, Some(Status::Offline));
    let mut people: Vec<Present> = tail.people().collect();
    people.sort_by_key(|present| present.user_id);
    let seen: Vec<(i64, &str, Status)> = people.iter().map(|p| (p.user_id.get(), &*p.socket_key, p.status)).collect();
    assert_eq!(seen, [(1, "inside", Status::InCall), (2, "away", Status::Offline)]);
}

#[test]
fn a_truncated_subscription_hears_of_people_only_until_it_asks_again() {
    let mut sockets = Sockets::default();
    let mut one = listener(&mut sockets, 1, "a");
    let mut tail = RoomTail::default();
    tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    tail.attach(one.id, 0, 0, "live");
    tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    tail.hold(one.id, "truncated");
    message(&mut tail, 1);
    tail.offer_participant(UserId::new(2).expect("positive"), 1, None, || "presence".to_owned());
    tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    assert_eq!(tail.attach(one.id, 1, 0, "rest"), Attached::Live);
    message(&mut tail, 2);
    assert_eq!(one.heard(), ["live", "truncated", "presence", "rest", "m2"]);
}

#[test]
fn an_older_version_of_a_person_is_not_sent() {
    let mut sockets = Sockets::default();
    let mut one = listener(&mut sockets, 1, "a");
    let mut tail = RoomTail::default();
    tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    tail.attach(one.id, 0, 0, "answer");
    let user = UserId::new(2).expect("positive");
    let offers = [2, 1, 2, 3].map(|version| tail.offer_participant(user, version, None, || format!("v{version}")));
    assert_eq!(offers, [Offer::Taken, Offer::Old, Offer::Taken, Offer::Taken]);
    assert_eq!(one.heard(), ["answer", "v2", "v3"]);
}

#[test]
fn only_the_older_socket_inside_is_replaced() {
    let mut sockets = Sockets::default();
    let (mut old, mut new) = (listener(&mut sockets, 1, "old"), listener(&mut sockets, 1, "new"));
    let mut looking = listener(&mut sockets, 1, "looking");
    let mut tail = RoomTail::default();
    for one in [&old, &new, &looking] {
        tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
        tail.attach(one.id, 0, 0, "answer");
    }
    for one in [&old, &new] {
        tail.set_said(one.id, Some(Status::InCall));
        tail.settle(one.id, "removed");
    }
    tail.remove_replaced(UserId::new(1).expect("positive"), "new", "removed");
    assert_eq!(old.heard(), ["answer", "removed"]);
    assert_eq!(new.heard(), ["answer"]);
    assert_eq!(looking.heard(), ["answer"]);
    assert_eq!(tail.unsubscribe(old.id), Remaining::Another);
    assert_eq!(tail.unsubscribe(new.id), Remaining::Another);
    assert_eq!(tail.unsubscribe(looking.id), Remaining::None);
}

#[test]
fn a_socket_that_takes_over_is_not_replaced_before_the_store_knows() {
    let mut sockets = Sockets::default();
    let (mut old, mut new) = (listener(&mut sockets, 1, "old"), listener(&mut sockets, 1, "new"));
    let user = UserId::new(1).expect("positive");
    let mut tail = RoomTail::default();
    for one in [&old, &new] {
        tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
        tail.attach(one.id, 0, 0, "answer");
    }
    tail.set_said(old.id, Some(Status::InCall));
    tail.offer_participant(user, 1, Some("old"), || "v1".to_owned());
    assert_eq!(tail.settle(old.id, "removed"), None);
    tail.set_said(new.id, Some(Status::InCall));
    // Read again meanwhile, as the table of changes asks for.
    assert_eq!(tail.offer_participant(user, 1, Some("old"), String::new), Offer::Taken);
    tail.remove_replaced(user, "old", "removed");
    tail.offer_participant(user, 2, Some("new"), || "v2".to_owned());
    tail.remove_replaced(user, "new", "removed");
    assert_eq!(tail.settle(new.id, "removed"), None);
    assert_eq!(old.heard(), ["answer", "v1", "v2", "removed"]);
    assert_eq!(new.heard(), ["answer", "v1", "v2"]);
    // One that was overtaken on its way to the store goes when it comes back from there.
    let mut late = listener(&mut sockets, 1, "late");
    tail.subscribe(late.id, Subscriber::reading(late.link.clone(), NEW));
    tail.attach(late.id, 0, 0, "answer");
    tail.set_said(late.id, Some(Status::InCall));
    tail.offer_participant(user, 4, Some("new"), || "v4".to_owned());
    tail.remove_replaced(user, "new", "removed");
    assert_eq!(tail.offer_participant(user, 3, Some("late"), String::new), Offer::Old);
    assert_eq!(tail.settle(late.id, "removed"), Some(user));
    assert_eq!(late.heard(), ["answer", "v4", "removed"]);
}

#[test]
fn too_much_while_reading_makes_the_answer_truncated() {
    let mut sockets = Sockets::default();
    let (one, mut late) = (listener(&mut sockets, 1, "a"), listener(&mut sockets, 2, "b"));
    let mut tail = RoomTail::default();
    tail.subscribe(one.id, Subscriber::reading(one.link.clone(), NEW));
    tail.attach(one.id, 0, 0, "answer");
    tail.subscribe(late.id, Subscriber::reading(late.link.clone(), NEW));
    for seq in 1..=i64::try_from(MAX_KEPT).expect("small") + 1 {
        message(&mut tail, seq);
    }
    assert_eq!(tail.attach(late.id, 0, 0, "answer"), Attached::Overrun);
    tail.hold(late.id, "truncated");
    assert_eq!(late.heard(), ["truncated"]);
}

#[test]
fn a_late_word_of_an_end_is_not_for_who_came_since() {
    let mut sockets = Sockets::default();
    let mut tail = RoomTail::default();
    let mut before = listener(&mut sockets, 1, "before");
    tail.subscribe(before.id, Subscriber::reading(before.link.clone(), NEW));
    let mut ended = listener(&mut sockets, 2, "ended");
    tail.subscribe(ended.id, Subscriber::reading(ended.link.clone(), Since { ends: 1, ..NEW }));
    let mut closed = listener(&mut sockets, 3, "closed");
    tail.subscribe(closed.id, Subscriber::reading(closed.link.clone(), Since { ends: 1, is_active: false, ..NEW }));

    tail.remove_ended(1, "ended");
    assert!(!tail.follows(before.id) && tail.follows(ended.id) && tail.follows(closed.id));
    tail.remove_closed("closed");
    assert!(!tail.follows(ended.id) && tail.follows(closed.id));
    assert_eq!((before.heard(), ended.heard(), closed.heard()), (vec!["ended".into()], vec!["closed".into()], vec![]));
}
