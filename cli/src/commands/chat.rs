//! A room's chat.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::{Subcommand, ValueEnum};
use cloudmeet_api_types::chat::Message;
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::rooms;
use crate::api::{Answer, Api, Call, Fields, Read};
use crate::args::Global;
use crate::failure::{Failure, tell};
use crate::output::{Format, Shown, Verbatim, json_line, print};
use crate::prompt::apart;
use crate::target::need_person;

/// The longest page of messages.
const PAGE: u64 = 200;

/// How many messages are shown when nobody says how many, and before one begins to follow.
const HISTORY: u64 = 50;
const BEFORE_FOLLOWING: u64 = 10;

/// How often somebody who follows looks, and how long they wait at most while the server is away.
const LOOK: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// How often sending is tried. The message has a name of its own: it is stored once, however often it comes.
const TRIES: u32 = 5;

/// The longest text that is read from standard input: more than any message may have.
const MAX_TEXT_BYTES: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Say something in a room
    Send {
        /// Its id, or the name in its link
        room: String,
        /// What; `-` reads it from standard input
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Show what was said: the newest, or all after a number
    History {
        /// Its id, or the name in its link
        room: String,
        /// Everything after the message of this number
        #[arg(long, value_name = "SEQ")]
        after: Option<i64>,
        /// So many at most [default: 50, with --after all]
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
    /// Show what is said, until interrupted
    Follow {
        /// Its id, or the name in its link
        room: String,
        /// Begin after the message of this number, instead of the newest 10
        #[arg(long, value_name = "SEQ")]
        after: Option<i64>,
    },
    /// Write a room's whole history
    Export {
        /// Its id, or the name in its link
        room: String,
        #[arg(long, value_enum, default_value_t)]
        format: ExportFormat,
        /// Into this file, instead of standard output
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// Is how a history is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    #[default]
    Json,
    Txt,
    Html,
}

impl ExportFormat {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Txt => "txt",
            Self::Html => "html",
        }
    }
}

/// Is a page whose messages are kept as they came, too.
#[derive(Debug, Deserialize)]
struct Page {
    messages: Vec<Box<RawValue>>,
    total: i64,
}

impl Verb {
    pub(super) async fn run(self, api: &Api, global: &Global) -> Result<(), Failure> {
        need_person_but_to_export(api, &self)?;
        match self {
            Self::Send { room, text } => send(api, global, &room, text).await,
            Self::History { room, after, limit } => {
                let path = messages_of(&room);
                let (page, messages) = match after {
                    Some(seq) => after_seq(api, &path, seq, limit).await?,
                    None => newest(api, &path, limit.unwrap_or(HISTORY)).await?,
                };
                show_page(&page, &messages, global)
            }
            Self::Follow { room, after } => follow(api, global.output, &messages_of(&room), after).await,
            Self::Export { room, format, file } => export(api, &room, format, file).await,
        }
    }
}

fn need_person_but_to_export(api: &Api, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Export { .. } => Ok(()),
        Verb::Send { .. } | Verb::History { .. } | Verb::Follow { .. } => need_person(api),
    }
}

fn messages_of(room: &str) -> String {
    format!("{}/messages", rooms::path(room))
}

async fn send(api: &Api, global: &Global, room: &str, text: String) -> Result<(), Failure> {
    let text = if text == "-" { apart(from_stdin).await? } else { text };
    let fields = Fields::new().set("content", text).set("client_msg_id", Uuid::now_v7().to_string());
    let call = Call::post(messages_of(room)).with(fields);
    let mut tries = 1;
    let sent: Read<Message> = loop {
        match api.ask(&call).await {
            Err(failure) if tries < TRIES && failure.may_pass() => tokio::time::sleep(LOOK).await,
            other => break other?,
        }
        tries += 1;
    };
    let seq = sent.value.seq;
    global.output.show(&Shown {
        body: &sent.body,
        table: &|| format!("Sent as number {seq}.\n"),
        names: &|| vec![seq.to_string()],
    })
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(MAX_TEXT_BYTES)
        .read_to_string(&mut text)
        .context("cannot read the message from standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

async fn page(api: &Api, path: &str, fields: Fields) -> Result<(Page, Vec<Message>), Failure> {
    let page: Page = api.ask(&Call::get(path).with(fields)).await?.value;
    let messages = page.messages.iter().map(|message| serde_json::from_str(message.get())).collect::<Result<_, _>>();
    let messages =
        messages.map_err(|error| anyhow::anyhow!("the answer cannot be read; another version answers: {error}"))?;
    Ok((page, messages))
}

/// Reads everything after a number, oldest first.
async fn after_seq(api: &Api, path: &str, mut seq: i64, limit: Option<u64>) -> Result<(Page, Vec<Message>), Failure> {
    let (mut all, mut messages) = (Page { messages: Vec::new(), total: 0 }, Vec::new());
    loop {
        let wanted = limit.map_or(PAGE, |limit| PAGE.min(limit.saturating_sub(messages.len() as u64)));
        // Asked for nothing, it still says how many there are.
        let (next, read) = page(api, path, Fields::new().set("after_seq", seq).set("limit", wanted.max(1))).await?;
        all.total = next.total;
        if wanted == 0 {
            return Ok((all, messages));
        }
        let came = read.len() as u64;
        seq = read.last().map_or(seq, |message| message.seq);
        all.messages.extend(next.messages);
        messages.extend(read);
        if came < wanted || limit.is_some_and(|limit| messages.len() as u64 >= limit) {
            return Ok((all, messages));
        }
    }
}

/// Reads the newest so many, oldest first.
async fn newest(api: &Api, path: &str, limit: u64) -> Result<(Page, Vec<Message>), Failure> {
    let (mut all, mut messages) = page(api, path, Fields::new().set("limit", PAGE.min(limit.max(1)))).await?;
    while (messages.len() as u64) < limit
        && let Some(first) = messages.first().map(|message| message.seq).filter(|seq| *seq > 1)
    {
        let wanted = PAGE.min(limit - messages.len() as u64);
        let (mut before, mut earlier) =
            page(api, path, Fields::new().set("before_seq", first).set("limit", wanted)).await?;
        if earlier.is_empty() {
            break;
        }
        before.messages.append(&mut all.messages);
        earlier.append(&mut messages);
        (all.messages, messages) = (before.messages, earlier);
    }
    if limit == 0 {
        all.messages.clear();
        messages.clear();
    }
    Ok((all, messages))
}

/// Shows what is said as it comes. Each look begins after the last number that was shown: nothing is missed and
/// nothing shown twice, however long the server was away.
async fn follow(api: &Api, output: Format, path: &str, after: Option<i64>) -> Result<(), Failure> {
    let mut seq = if let Some(seq) = after {
        seq
    } else {
        let (page, messages) = newest(api, path, BEFORE_FOLLOWING).await?;
        show_lines(&page, &messages, output)?;
        messages.last().map_or(0, |message| message.seq)
    };
    let mut wait = LOOK;
    let mut is_away = false;
    loop {
        match after_seq(api, path, seq, Some(PAGE)).await {
            Ok((page, messages)) => {
                if std::mem::take(&mut is_away) {
                    tell("back again");
                }
                show_lines(&page, &messages, output)?;
                seq = messages.last().map_or(seq, |message| message.seq);
                wait = LOOK;
                if messages.len() as u64 == PAGE {
                    continue;
                }
            }
            Err(failure) if failure.may_pass() => {
                if !std::mem::replace(&mut is_away, true) {
                    tell(&format!("{}; trying again", failure.message().unwrap_or_default()));
                }
                wait = LONGEST_WAIT.min(wait * 2);
            }
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(wait).await;
    }
}

/// Is a message on a line of its own; its further lines are set in.
fn line(message: &Message) -> String {
    let Message { created_at, user_display_name, content, deleted_at, edited_at, .. } = message;
    let text = if deleted_at.is_some() { "(deleted)".to_owned() } else { content.replace('\n', "\n    ") };
    let edited = if edited_at.is_some() && deleted_at.is_none() { " (edited)" } else { "" };
    format!("[{created_at}] {}: {text}{edited}\n", crate::text::on_one_line(user_display_name))
}

/// Shows messages of which more may come: each for itself.
fn show_lines(page: &Page, messages: &[Message], output: Format) -> Result<(), Failure> {
    for (raw, message) in page.messages.iter().zip(messages) {
        match output {
            Format::Table => print(&line(message))?,
            Format::Json | Format::Yaml => json_line(raw.get().as_bytes())?,
            Format::Name => print(&format!("{}\n", message.seq))?,
        }
    }
    Ok(())
}

fn show_page(page: &Page, messages: &[Message], global: &Global) -> Result<(), Failure> {
    let raw: Vec<&str> = page.messages.iter().map(|message| message.get()).collect();
    let body = format!("{{\"messages\":[{}],\"total\":{}}}", raw.join(","), page.total);
    global.output.show(&Shown {
        body: &Bytes::from(body),
        table: &|| messages.iter().map(line).collect(),
        names: &|| messages.iter().map(|message| message.seq.to_string()).collect(),
    })
}

/// Writes a history as it comes. A file gets its name only when it is whole, and replaces none; until then it has one
/// of its own, which goes with whoever is interrupted.
async fn export(api: &Api, room: &str, format: ExportFormat, file: Option<PathBuf>) -> Result<(), Failure> {
    let fields = Fields::new().set("format", format.as_str());
    let mut answer = api.send(&Call::get(format!("{}/export", rooms::path(room))).with(fields)).await?;
    let Some(path) = file else { return to_stdout(answer).await };
    let shown = path.display();
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut unfinished =
        NamedTempFile::new_in(directory).with_context(|| format!("cannot write in {}", directory.display()))?;
    while let Some(part) = answer.body.try_next().await.map_err(Failure::Unreachable)? {
        unfinished.write_all(&part).with_context(|| format!("cannot write {shown}"))?;
    }
    unfinished.as_file().sync_all().with_context(|| format!("cannot write {shown}"))?;
    match unfinished.persist_noclobber(&path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(anyhow::anyhow!("{shown} is there already: name another file").into())
        }
        Err(error) => Err(anyhow::Error::new(error.error).context(format!("cannot write {shown}")).into()),
    }
}

async fn to_stdout(mut answer: Answer) -> Result<(), Failure> {
    let mut out = Verbatim::new();
    while let Some(part) = answer.body.try_next().await.map_err(Failure::Unreachable)? {
        out.write(&part)?;
    }
    out.finish()
}
