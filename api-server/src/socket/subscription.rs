//! Subscribing: a place in a room's history first, and from there on everything live.

use std::sync::Arc;

use cloudmeet_api_types::chat::{ChangedMessage, Message};
use cloudmeet_api_types::room::Participant;
use cloudmeet_api_types::socket::{ServerFrame, Subscribe, Subscribed};
use cloudmeet_core::id::RoomId;
use cloudmeet_core::page::{Cursor, PageLimit, locate};
use cloudmeet_core::permission::{Action, allowed};
use cloudmeet_core::room::Room;
use cloudmeet_store::{Hold, HoldEnd, Identity};

use crate::conference::Conference;
use crate::hub::{Attached, Remaining, SocketId, SocketLink};
use crate::problem::{Problem, Rule};

/// How many edits and deletions one answer brings.
const MAX_CHANGED: i64 = 200;

/// Is who subscribes.
pub(super) struct Context<'a> {
    pub(super) conference: &'a Arc<Conference>,
    pub(super) who: &'a Identity,
    pub(super) link: &'a SocketLink,
    pub(super) socket_id: SocketId,
}

/// Subscribes a socket to a room, or says why not.
pub(super) async fn subscribe(
    context: &Context<'_>,
    room_id: RoomId,
    request: &Subscribe,
    encode: impl Fn(ServerFrame) -> String,
) -> Result<(), Problem> {
    for (field, value) in [("after_seq", request.after_seq), ("after_rev", request.after_rev)] {
        if value.is_some_and(|value| value < 0) {
            return Err(Problem::invalid_field(field, Rule::OutOfRange { min: 0, max: None }));
        }
    }
    let Context { conference, who, socket_id, .. } = *context;
    // Judged before the hub learns of it: nobody hears a room that is not theirs, not even for a moment.
    let access = conference.access(room_id, who, Action::ReadMessages).await?;
    conference.hub.begin(&access, socket_id);
    match enter(context, room_id, request).await {
        Ok((answer, room)) => {
            send_answer(context, answer, room_id, encode);
            tell_what_ended(context, &access.room, &room);
            Ok(())
        }
        Err(problem) => {
            // The hold may be stored although the reading failed.
            if conference.hub.unsubscribe(room_id, socket_id) == Some(Remaining::None) {
                conference.release(room_id, who.user_id, HoldEnd::Closed).await;
            }
            Err(problem)
        }
    }
}

/// Sends the answer, and from there on what happens in the room.
fn send_answer(context: &Context<'_>, answer: Subscribed, room_id: RoomId, encode: impl Fn(ServerFrame) -> String) {
    let Context { conference, socket_id, .. } = *context;
    let hold = |answer| conference.hub.hold(room_id, socket_id, &encode(ServerFrame::Subscribed(Box::new(answer))));
    if answer.truncated {
        return hold(answer);
    }
    let (seq, rev) = (answer.messages.last().map_or(answer.last_seq, |message| message.seq), answer.rev);
    let frame = encode(ServerFrame::Subscribed(Box::new(answer.clone())));
    match conference.hub.attach(room_id, socket_id, seq, rev, &frame) {
        // So much came while the store was read that the client had better ask again.
        Attached::Overrun => hold(Subscribed { truncated: true, ..answer }),
        // Gone, it was removed meanwhile: the frame that says so is on its way.
        Attached::Live | Attached::Behind | Attached::Gone => {}
    }
}

/// Tells again of a meeting that ended, or a room that was closed, between the first and the last look at
/// it: everybody was told before the hub knew of this socket, maybe.
fn tell_what_ended(context: &Context<'_>, before: &Room, now: &Room) {
    if now.ends > before.ends {
        context.conference.hub.publish_ended(now);
    }
    if before.is_active && !now.is_active {
        context.conference.hub.publish_closed(now.id);
    }
}

/// Sets the person's presence and reads the room, which it gives as well. The room's counters come first: what
/// is newer than they say comes live.
async fn enter(context: &Context<'_>, room_id: RoomId, request: &Subscribe) -> Result<(Subscribed, Room), Problem> {
    let Context { conference, who, link, socket_id } = *context;
    let store = &conference.store;
    let hold = Hold { server_id: &conference.server_id, socket_id: &link.key };
    let status = request.status.map(Into::into);
    if status.is_some() {
        conference.hub.set_said(room_id, socket_id, status);
    }
    let participant = store.follow_room(room_id, who.actor(), hold, status).await?;
    conference.hub.publish_participant(participant);
    conference.hub.settle(room_id, socket_id);

    let access = conference.find(room_id, who.user_id).await?;
    let (last_seq, room_rev) = (access.room.last_seq, access.room.rev);
    let range = match request.after_seq {
        Some(seq) => locate(Cursor::After(seq), PageLimit::max(), last_seq),
        None => locate(Cursor::Newest { skip: 0 }, PageLimit::DEFAULT, last_seq),
    };
    let messages: Vec<Message> = store.messages(room_id, range).await?.into_iter().map(Message::from).collect();
    let changed = match request.after_rev {
        Some(rev) => store.changed_messages(room_id, rev, MAX_CHANGED).await?,
        None => Vec::new(),
    };
    let more_changes = i64::try_from(changed.len()).unwrap_or(0) >= MAX_CHANGED
        && changed.last().is_some_and(|message| message.rev < room_rev);
    let newest_change = changed.last().map_or(0, |message| message.rev);
    let participants = store.present(room_id).await?.into_iter().map(Participant::from).collect();
    let allowed = allowed(who.actor(), &access.room, access.membership(), store.now());
    let waiting = conference.waiting_for(&access, who).await?;
    let answer = Subscribed {
        room_id: room_id.get(),
        last_seq,
        rev: if more_changes { newest_change } else { room_rev.max(newest_change) },
        truncated: more_changes || range.last < last_seq,
        participants,
        waiting,
        allowed: allowed.into_iter().map(str::to_owned).collect(),
        messages,
        changed: changed
            .into_iter()
            .map(|message| ChangedMessage { rev: message.rev, message: message.into() })
            .collect(),
    };
    Ok((answer, access.room))
}
