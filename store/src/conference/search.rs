//! Looking for a text in a room's history.
//!
//! The texts of every [`BLOCK`] messages stand together in one row, with their case folded: to look through a long
//! history is to read few long rows instead of many short ones. A block is made once it is full, away from those
//! who send, or by the first search that misses it; an edit or a deletion takes it away, and it is made anew.
//! What no block holds is read from the messages themselves. While servers of the release before run beside, what
//! those edit is found by its old words.

use cloudmeet_core::chat::Message;
use cloudmeet_core::id::RoomId;
use cloudmeet_core::page::SeqRange;
use cloudmeet_core::text::fold_case;
use serde_json::json;

use super::messages::{message, select_messages};
use super::{ConferenceStore, rooms};
use crate::db::{Sql, Tx};
use crate::error::StoreError;
use crate::value::{object, values};

/// How many messages a block holds.
pub const BLOCK: i64 = 256;

/// What stands between the texts of a block: no message can hold it.
const SEPARATOR: char = '\u{1}';

/// How much text is read at once, as far as it is known before, in bytes.
const STEP_BYTES: i64 = 1 << 20;

/// How many blocks are read at once, at first and at most.
const FIRST_STEP: i64 = 2;
const MAX_STEP: i64 = 16;

/// Says from where on to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchFrom {
    /// Backwards from before this number.
    Before(i64),
    /// Forwards from after this number.
    After(i64),
}

impl SearchFrom {
    /// Says whether a message is one that is looked at.
    const fn admits(self, seq: i64) -> bool {
        match self {
            Self::Before(end) => seq < end,
            Self::After(start) => seq > start,
        }
    }
}

/// Messages by their numbers, looked up one by one: joined, a plan of Postgres made while there were few reads
/// them all.
const BY_SEQ: Sql = Sql::per_engine(
    select_messages!(
        "WHERE m.room_id = $1 AND m.seq IN (SELECT CAST(i.value ->> 'seq' AS BIGINT) FROM json_each($2) AS i)"
    ),
    select_messages!(
        from "json_each($2) AS i CROSS JOIN LATERAL (SELECT * FROM messages k \
              WHERE k.room_id = $1 AND k.seq = CAST(i.value ->> 'seq' AS BIGINT) OFFSET 0) AS m" ""
    ),
);

/// Selects a run of blocks, and how many bytes each has.
macro_rules! select_blocks {
    ($texts:literal) => {
        concat!(
            "SELECT block, CAST(octet_length(texts) AS BIGINT) AS bytes, ",
            $texts,
            " AS texts FROM search_blocks WHERE room_id = $1 AND block BETWEEN $2 AND $3 ORDER BY block"
        )
    };
}

/// On Postgres the texts of a block that does not hold what is sought stay where they are, which spares megabytes
/// their way. SQLite's are in this process, which looks faster than SQLite does.
const BLOCKS: Sql =
    Sql::per_engine(select_blocks!("texts"), select_blocks!("CASE WHEN strpos(texts, $4) > 0 THEN texts END"));

impl ConferenceStore {
    /// Finds messages that hold a text, without regard to case, in a history whose newest message has
    /// `last_seq`. Gives a page of them, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn search_messages(
        &self,
        id: RoomId,
        text: &str,
        from: SearchFrom,
        limit: i64,
        last_seq: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(0);
        let sought = Sought { text: fold_case(text), from, limit };
        let full = last_seq / BLOCK;
        let tail = SeqRange { first: full * BLOCK + 1, last: last_seq };
        let mut found = Vec::new();
        match from {
            SearchFrom::Before(end) => {
                if sought.from.admits(tail.first) {
                    sought.take_messages(&mut found, self.messages(id, tail).await?.into_iter().rev());
                }
                let newest = (end.saturating_sub(2) / BLOCK).min(full - 1);
                self.look_through(id, &sought, (newest, 0), &mut found).await?;
                found.reverse();
            }
            SearchFrom::After(start) => {
                self.look_through(id, &sought, (start.max(0) / BLOCK, full - 1), &mut found).await?;
                if found.len() < limit {
                    sought.take_messages(&mut found, self.messages(id, tail).await?.into_iter());
                }
            }
        }
        Ok(found)
    }

    /// Makes a block of a room's history, if it is full and not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn make_search_block(&self, id: RoomId, block: i64) -> Result<(), StoreError> {
        self.make_block(id, block).await.map(drop)
    }

    /// Looks through full blocks, from one to another in either direction, until enough is found.
    async fn look_through(
        &self,
        id: RoomId,
        sought: &Sought,
        (mut next, last): (i64, i64),
        found: &mut Vec<Message>,
    ) -> Result<(), StoreError> {
        let direction = if matches!(sought.from, SearchFrom::Before(_)) { -1 } else { 1 };
        let mut step = FIRST_STEP;
        while found.len() < sought.limit && (last - next) * direction >= 0 {
            let end = if direction > 0 { last.min(next + step - 1) } else { last.max(next - step + 1) };
            let mut seqs = Vec::new();
            let mut bytes = 0;
            for block in self.blocks(id, sought, (next, end), direction).await? {
                bytes += block.bytes;
                sought.take_seqs(&mut seqs, block.number, &block.texts);
            }
            // What changed since its block was made does not count.
            let mut seqs = seqs.as_slice();
            while !seqs.is_empty() && found.len() < sought.limit {
                let (these, rest) = seqs.split_at(seqs.len().min(sought.limit - found.len()));
                found.extend(self.messages_at(id, these, sought).await?);
                seqs = rest;
            }
            next = end + direction;
            let usual = (bytes / step).max(1);
            step = (STEP_BYTES / usual).clamp(1, MAX_STEP);
        }
        Ok(())
    }

    /// Reads a run of blocks in a direction; what is not there is made.
    async fn blocks(
        &self,
        id: RoomId,
        sought: &Sought,
        (from, to): (i64, i64),
        direction: i64,
    ) -> Result<Vec<Block>, StoreError> {
        let rows =
            self.database.read(BLOCKS, values![id.get(), from.min(to), from.max(to), sought.text.as_str()]).await?;
        let mut known = Vec::with_capacity(rows.len());
        for row in &rows {
            known.push(Block {
                number: row.get("block")?,
                bytes: row.get("bytes")?,
                texts: row.get::<Option<String>>("texts")?.unwrap_or_default(),
            });
        }
        let mut there = known.into_iter().peekable();
        let mut blocks = Vec::new();
        for number in from.min(to)..=from.max(to) {
            let block = match there.next_if(|block| block.number == number) {
                Some(block) => block,
                None => Block::new(number, self.make_block(id, number).await?),
            };
            blocks.push(block);
        }
        if direction < 0 {
            blocks.reverse();
        }
        Ok(blocks)
    }

    /// Makes a block under its room's lock, so that no edit comes between. Gives its texts.
    async fn make_block(&self, id: RoomId, block: i64) -> Result<String, StoreError> {
        let mut tx = self.database.begin().await?;
        rooms::lock(&mut tx, id).await?;
        let made = tx
            .fetch_one("SELECT texts FROM search_blocks WHERE room_id = $1 AND block = $2", values![id.get(), block])
            .await?;
        if let Some(made) = made {
            return made.get("texts");
        }
        let rows = tx
            .fetch(
                "SELECT content FROM messages WHERE room_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq",
                values![id.get(), block * BLOCK + 1, (block + 1) * BLOCK],
            )
            .await?;
        let mut texts = String::new();
        for (number, row) in rows.iter().enumerate() {
            if number > 0 {
                texts.push(SEPARATOR);
            }
            texts.push_str(&fold_case(&row.get::<String>("content")?));
        }
        if i64::try_from(rows.len()).unwrap_or(0) == BLOCK {
            tx.execute(
                "INSERT INTO search_blocks (room_id, block, texts) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                values![id.get(), block, texts.as_str()],
            )
            .await?;
            tx.commit().await?;
        }
        Ok(texts)
    }

    /// Reads messages by their numbers, in the order given, as far as they still hold what is sought.
    async fn messages_at(&self, id: RoomId, seqs: &[i64], sought: &Sought) -> Result<Vec<Message>, StoreError> {
        if seqs.is_empty() {
            return Ok(Vec::new());
        }
        let numbers = object(seqs.iter().map(|seq| json!({ "seq": seq })));
        let rows = self.database.read(BY_SEQ, vec![id.get().into(), numbers]).await?;
        let mut messages = rows.iter().map(message).collect::<Result<Vec<_>, _>>()?;
        messages.retain(|message| sought.is_in(message));
        messages.sort_by_key(|message| seqs.iter().position(|seq| *seq == message.seq));
        Ok(messages)
    }
}

/// Is the texts of so many messages in a row.
struct Block {
    number: i64,
    /// How long the texts are.
    bytes: i64,
    /// Maybe nothing, if the text that is sought is in none of them.
    texts: String,
}

impl Block {
    fn new(number: i64, texts: String) -> Self {
        Self { number, bytes: i64::try_from(texts.len()).unwrap_or(i64::MAX), texts }
    }
}

/// Is what is looked for.
struct Sought {
    /// The text, its case folded.
    text: String,
    from: SearchFrom,
    limit: usize,
}

impl Sought {
    fn is_in(&self, message: &Message) -> bool {
        self.from.admits(message.seq)
            && message.deleted_at.is_none()
            && fold_case(&message.content).contains(&self.text)
    }

    /// Takes what fits of some messages, as long as not enough is found.
    fn take_messages(&self, found: &mut Vec<Message>, messages: impl Iterator<Item = Message>) {
        let missing = self.limit.saturating_sub(found.len());
        found.extend(messages.filter(|message| self.is_in(message)).take(missing));
    }

    /// Takes the numbers of a block's messages that hold the text, in the direction of the search.
    fn take_seqs(&self, seqs: &mut Vec<i64>, block: i64, texts: &str) {
        // Where it is nowhere, nobody looks message by message.
        if !texts.contains(&self.text) {
            return;
        }
        let numbers = (block * BLOCK + 1..).zip(texts.split(SEPARATOR));
        let fits = |(seq, text): (i64, &str)| (self.from.admits(seq) && text.contains(&self.text)).then_some(seq);
        let mut of_block: Vec<i64> = numbers.filter_map(fits).collect();
        if matches!(self.from, SearchFrom::Before(_)) {
            of_block.reverse();
        }
        seqs.extend(of_block);
    }
}

/// Takes away the block of a message that changes.
pub(super) async fn forget(tx: &mut Tx<'_>, id: RoomId, seq: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM search_blocks WHERE room_id = $1 AND block = $2", values![id.get(), (seq - 1) / BLOCK])
        .await
        .map(drop)
}
