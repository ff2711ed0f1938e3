//! The command line.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "these comments are the text of --help, which is not Markdown"
)]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use cloudmeet_api_server::secret::Secret;

use crate::commands::{api_keys, audit, can_i, chat, completions, db, login, rooms, users};
use crate::output::Format;
use crate::prompt::Confirmation;

/// CloudMeet from the terminal: users, rooms, chats, keys and data.
///
/// With --server, or after `cloudmeet login`, it asks a server, as whoever is logged in. With --direct it works on the
/// databases themselves, by the same rules and into the same record, with no server needed: Postgres as DATABASE_URL,
/// AUTH_DATABASE_URL and CONFERENCE_DATABASE_URL say, or the SQLite files of DATA_DIR. Called alone, it says which of
/// the two it would use, and why.
///
/// USER is an id or an e-mail address, ROOM an id or the name in the room's link.
#[derive(Debug, Parser)]
#[command(name = "cloudmeet", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) noun: Option<Noun>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of all commands")]
pub(crate) struct Global {
    /// The server to ask, such as https://meet.example.org
    /// [env: CLOUDMEET_URL]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "direct")]
    pub(crate) server: Option<String>,

    /// Work on the databases, without a server
    #[arg(long, global = true)]
    pub(crate) direct: bool,

    /// Postgres for --direct, both accounts and rooms
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<Secret>,

    /// The directory of the SQLite files for --direct
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "database_url")]
    pub(crate) data_dir: Option<PathBuf>,

    /// The login to use, where there are several
    #[arg(long, global = true, value_name = "NAME", env = "CLOUDMEET_PROFILE", default_value = crate::profile::DEFAULT)]
    pub(crate) profile: String,

    /// How results are printed
    #[arg(short, long, global = true, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) output: Format,

    /// With --direct, do it as this person; with can-i, ask about them
    #[arg(long = "as", global = true, value_name = "USER")]
    pub(crate) as_user: Option<String>,

    /// Do what cannot be taken back without asking
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
}

impl Global {
    /// Says whether what cannot be taken back is asked about.
    pub(crate) const fn confirmation(&self) -> Confirmation {
        if self.yes { Confirmation::Given } else { Confirmation::Ask }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Log in to a server, and stay so
    Login(login::Login),
    /// End the login
    Logout,
    /// Say who is logged in, or acts
    Whoami,
    /// Manage accounts
    #[command(subcommand, visible_alias = "user")]
    Users(users::Verb),
    /// Manage rooms and the people in them
    #[command(subcommand, visible_alias = "room")]
    Rooms(rooms::Verb),
    /// Read and write in a room's chat
    #[command(subcommand)]
    Chat(chat::Verb),
    /// Manage keys for programs
    #[command(subcommand, visible_alias = "api-key")]
    ApiKeys(api_keys::Verb),
    /// Read who did what
    Audit(audit::Audit),
    /// Migrate, back up, restore and copy the databases
    #[command(subcommand)]
    Db(db::Verb),
    /// Look for what is wrong, and say what to do
    Doctor,
    /// Ask whether somebody may do something in a room, and by which rule
    CanI(can_i::CanI),
    /// Print what a shell needs to complete commands
    Completions(completions::Completions),
    /// Write the manual's pages into a directory
    Man(completions::Man),
}
