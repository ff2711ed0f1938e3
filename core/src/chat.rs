//! Chat: what may be said, and in which order it stands.

use std::collections::HashMap;

use crate::id::{MessageId, RoomId, UserId};
use crate::permission::Denied;
use crate::text::{self, TextError};
use crate::time::Timestamp;

/// Is a message's text: 1–2,000 characters, not blank, kept as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Reads a text. Line breaks and tabs may stand in it, other control characters not.
    ///
    /// # Errors
    /// [`TextError::Blank`], [`TextError::TooLong`] or [`TextError::ControlCharacters`].
    pub fn parse(text: String) -> Result<Self, TextError> {
        text::check_length(&text, 0, 2000)?;
        if text::is_blank(&text) {
            return Err(TextError::Blank);
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(TextError::ControlCharacters);
        }
        Ok(Self(text))
    }

    /// Gives the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Is the sender's own name for a message, by which a repeated sending is known: 1–128 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientMsgId(String);

impl ClientMsgId {
    /// Reads a name; control characters may not stand in it.
    ///
    /// # Errors
    /// [`TextError::TooShort`], [`TextError::TooLong`] or [`TextError::ControlCharacters`].
    pub fn parse(text: String) -> Result<Self, TextError> {
        text::check_length(&text, 1, 128)?;
        if text.chars().any(char::is_control) {
            return Err(TextError::ControlCharacters);
        }
        Ok(Self(text))
    }

    /// Gives the name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Is a message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it was said.
    pub room_id: RoomId,
    /// Who said it.
    pub user_id: UserId,
    /// The author's name.
    pub user_display_name: String,
    /// Whether its author owns the room.
    pub is_owner: bool,
    /// What was said; empty once deleted.
    pub content: String,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Its place in the room: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// The sender's own name for it.
    pub client_msg_id: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted: what is left is a tombstone.
    pub deleted_at: Option<Timestamp>,
    /// The room's `rev` of its last edit or deletion; 0 without any.
    pub rev: i64,
}

/// Says why a message is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The author may not speak in this room.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such room.
    #[error("there is no such room")]
    NoSuchRoom,
    /// The message that it answers does not stand in this room.
    #[error("the message to reply to does not exist")]
    UnknownReply,
}

/// Is one message that waits to be stored, with what the store found out about it under the room's lock.
#[derive(Debug, Clone)]
pub struct Waiting<'a> {
    /// Who says it.
    pub user_id: UserId,
    /// The sender's own name for it.
    pub client_msg_id: Option<&'a ClientMsgId>,
    /// The message already stored under that name.
    pub stored: Option<MessageId>,
    /// Whether it may be stored.
    pub admitted: Result<(), SendError>,
}

/// Is what becomes of a waiting message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Store it under this number.
    Store(i64),
    /// It is stored already.
    Known(MessageId),
    /// It repeats an earlier one of the same batch, at this index.
    SameAs(usize),
    /// It is not stored.
    Refuse(SendError),
}

/// Gives the waiting messages of one room their numbers, in the order in which they wait, right
/// after `last_seq`. Repeated and refused ones take none, so the numbers have no gaps.
#[must_use]
pub fn assign(last_seq: i64, waiting: &[Waiting<'_>]) -> Vec<Verdict> {
    let mut next = last_seq + 1;
    let mut taken: HashMap<(UserId, &ClientMsgId), usize> = HashMap::new();
    let mut verdicts = Vec::with_capacity(waiting.len());
    for (index, message) in waiting.iter().enumerate() {
        let name = message.client_msg_id.map(|id| (message.user_id, id));
        let verdict = match (message.stored, name.and_then(|name| taken.get(&name)), message.admitted) {
            // A repeat is answered with what is stored even if its author may no longer speak:
            // the first sending was acknowledged or will be.
            (Some(id), _, _) => Verdict::Known(id),
            (None, Some(&first), _) => Verdict::SameAs(first),
            (None, None, Err(error)) => Verdict::Refuse(error),
            (None, None, Ok(())) => {
                if let Some(name) = name {
                    taken.insert(name, index);
                }
                next += 1;
                Verdict::Store(next - 1)
            }
        };
        verdicts.push(verdict);
    }
    verdicts
}

/// Says why a message cannot be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It was deleted.
    #[error("the message was deleted")]
    Deleted,
}

/// Decides what an edit does. `None` when the text stays as it is.
///
/// # Errors
/// [`EditError::Deleted`].
pub fn edit(mut message: Message, content: &Content, rev: i64, now: Timestamp) -> Result<Option<Message>, EditError> {
    if message.deleted_at.is_some() {
        return Err(EditError::Deleted);
    }
    if message.content == content.as_str() {
        return Ok(None);
    }
    content.as_str().clone_into(&mut message.content);
    message.edited_at = Some(now);
    message.rev = rev;
    Ok(Some(message))
}

/// Makes a message a tombstone: its number stays, its text goes. `None` when it is one.
#[must_use]
pub fn delete(mut message: Message, rev: i64, now: Timestamp) -> Option<Message> {
    if message.deleted_at.is_some() {
        return None;
    }
    message.content.clear();
    message.deleted_at = Some(now);
    message.rev = rev;
    Some(message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(id: i64) -> UserId {
        UserId::new(id).expect("positive")
    }

    /// A message that somebody sends, perhaps again: author, own name for it, whether admitted.
    type Sending = (i64, Option<u8>, bool);

    fn sendings() -> impl Strategy<Value = Vec<Sending>> {
        prop::collection::vec((1..4i64, prop::option::of(0..6u8), prop::bool::weighted(0.8)), 0..60)
    }

    proptest! {
        #[test]
        fn seq_is_gapless_and_each_message_stored_once_under_any_interleaving(
            sendings in sendings(), sizes in prop::collection::vec(1..9usize, 1..60),
        ) {
            let mut stored: Vec<(UserId, Option<ClientMsgId>, i64)> = Vec::new();
            let mut rest = sendings.as_slice();
            let mut sizes = sizes.into_iter().cycle();
            while !rest.is_empty() {
                let size = sizes.next().unwrap_or(1).min(rest.len());
                let (batch, later) = rest.split_at(size);
                rest = later;
                let names: Vec<Option<ClientMsgId>> =
                    batch.iter().map(|(_, name, _)| name.map(|n| ClientMsgId(n.to_string()))).collect();
                let waiting: Vec<Waiting<'_>> = batch.iter().zip(&names).map(|(&(author, _, admitted), name)| Waiting {
                    user_id: user(author),
                    client_msg_id: name.as_ref(),
                    stored: stored.iter()
                        .find(|(who, known, _)| name.is_some() && *who == user(author) && known == name)
                        .and_then(|(_, _, seq)| MessageId::new(*seq)),
                    admitted: if admitted { Ok(()) } else { Err(SendError::NoSuchRoom) },
                }).collect();
                let last_seq = i64::try_from(stored.len()).expect("few");
                for (index, verdict) in assign(last_seq, &waiting).into_iter().enumerate() {
                    match verdict {
                        Verdict::Store(seq) => stored.push((waiting[index].user_id, names[index].clone(), seq)),
                        Verdict::SameAs(first) => prop_assert!(first < index && names[first] == names[index]),
                        Verdict::Known(id) => {
                            let place = usize::try_from(id.get()).expect("few") - 1;
                            prop_assert_eq!(&stored[place].1, &names[index]);
                        },
                        Verdict::Refuse(_) => prop_assert!(waiting[index].admitted.is_err()),
                    }
                }
            }
            let seqs: Vec<i64> = stored.iter().map(|(_, _, seq)| *seq).collect();
            prop_assert_eq!(seqs, (1..=i64::try_from(stored.len()).expect("few")).collect::<Vec<_>>());
            for (index, (author, name, _)) in stored.iter().enumerate() {
                let double = stored[..index].iter().any(|(who, known, _)| name.is_some() && who == author && known == name);
                prop_assert!(!double);
            }
        }
    }

    #[test]
    fn a_text_has_one_to_two_thousand_characters_and_stays_as_typed() {
        assert_eq!(Content::parse(" hi\n".into()).map(|c| c.0), Ok(" hi\n".into()));
        assert!(Content::parse("😀".repeat(2000)).is_ok());
        assert_eq!(Content::parse("x".repeat(2001)), Err(TextError::TooLong { max: 2000 }));
        assert_eq!(Content::parse(" \n\t".into()), Err(TextError::Blank));
        assert_eq!(Content::parse(String::new()), Err(TextError::Blank));
        assert_eq!(Content::parse("a\0".into()), Err(TextError::ControlCharacters));
    }

    fn message(content: &str) -> Message {
        Message {
            id: MessageId::new(1).expect("positive"),
            room_id: RoomId::new(1).expect("positive"),
            user_id: user(1),
            user_display_name: "Ann".into(),
            is_owner: false,
            content: content.into(),
            created_at: Timestamp::from_millis(1),
            seq: 1,
            client_msg_id: None,
            reply_to: None,
            edited_at: None,
            deleted_at: None,
            rev: 0,
        }
    }

    #[test]
    fn an_edit_changes_the_text_and_a_deletion_leaves_a_tombstone() {
        let now = Timestamp::from_millis(9);
        let new = Content::parse("new".into()).expect("sound");
        let edited = edit(message("old"), &new, 4, now).expect("not deleted").expect("changed");
        assert_eq!((edited.content.as_str(), edited.rev, edited.edited_at), ("new", 4, Some(now)));
        assert_eq!(edit(edited.clone(), &new, 5, now), Ok(None));
        let tombstone = delete(edited, 5, now).expect("not deleted");
        assert_eq!((tombstone.content.as_str(), tombstone.rev, tombstone.seq), ("", 5, 1));
        assert_eq!(edit(tombstone.clone(), &new, 6, now), Err(EditError::Deleted));
        assert_eq!(delete(tombstone, 6, now), None);
    }
}
