//! Rooms.

mod view;

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use cloudmeet_api_server::secret::Secret;
use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::room::{Joined, Left, LinkCode, Room, RoomDetail, Waiting};
use serde_json::Value;

pub(super) use self::view::{name, table};
use self::view::{show, show_all, show_detail};
use super::people::{self, Deed};
use super::{users, watch};
use crate::api::{Api, Call, Fields, Read, segment};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Shown;
use crate::prompt::PasswordSource;
use crate::target::need_person;

const ROOMS: &str = "/api/rooms";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List rooms, the newest first
    #[command(visible_alias = "ls")]
    List(Filter),
    /// Make a room
    Create(Create),
    /// Show a room and who is there
    Show {
        /// Its id, or the name in its link
        room: String,
    },
    /// Change a room
    Update(Update),
    /// Close a room for good; its members keep the history
    #[command(visible_alias = "rm")]
    Delete {
        /// Its id, or the name in its link
        room: String,
    },
    /// Join a room
    Join {
        /// Its id, or the name in its link
        room: String,
        /// The link code of a private room
        #[arg(long)]
        code: Option<String>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Leave a room
    Leave {
        /// Its id, or the name in its link
        room: String,
    },
    /// End the meeting for everybody; the room stays
    End {
        /// Its id, or the name in its link
        room: String,
    },
    /// Give a room another owner, who is a member
    HandOn {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        user: String,
    },
    /// Show the link of a private room
    LinkCode {
        /// Its id, or the name in its link
        room: String,
        /// Make a new one first: the one before lets nobody in any more
        #[arg(long)]
        renew: bool,
    },
    /// List who is in a room
    Participants {
        /// Its id, or the name in its link
        room: String,
        /// List who belongs to it instead, present or not
        #[arg(long, conflicts_with = "banned")]
        members: bool,
        /// List who was banned instead
        #[arg(long)]
        banned: bool,
    },
    /// Let somebody in who waits
    Admit {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        #[arg(required_unless_present = "all")]
        user: Option<String>,
        /// Let everybody in who waits
        #[arg(long, conflicts_with = "user")]
        all: bool,
    },
    /// Turn somebody away who waits
    Deny {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        user: String,
    },
    /// Switch somebody's microphone off
    Mute {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        user: String,
    },
    /// Remove somebody, who may come again
    Kick {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        user: String,
    },
    /// Remove somebody, who may not come again
    Ban {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        user: String,
    },
    /// Let a banned person come again
    Unban {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        user: String,
    },
    /// Make a member a moderator
    Promote {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        user: String,
    },
    /// Make a moderator an ordinary member
    Demote {
        /// Its id, or the name in its link
        room: String,
        /// Their id, or e-mail address
        user: String,
    },
    /// Show the rooms and how they change: a table that is redrawn, or a line of JSON for each change
    Watch {
        #[command(flatten)]
        filter: Filter,
        /// Seconds between two looks
        #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
        interval: u64,
    },
}

/// Says which rooms are listed.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Closed ones, too
    #[arg(long)]
    all: bool,
    /// Only those whose name or description holds this
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// So many at most
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

impl Filter {
    /// Reads the rooms.
    pub(super) async fn read(&self, api: &Api) -> Result<Read<Vec<Room>>, Failure> {
        let fields = Fields::new().set("only_active", !self.all).maybe("query", self.query.clone());
        api.list(ROOMS, &fields, self.limit).await
    }
}

/// Says who sees and enters a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Visibility {
    Public,
    Private,
    Password,
}

impl From<Visibility> for Value {
    fn from(visibility: Visibility) -> Self {
        match visibility {
            Visibility::Public => "public",
            Visibility::Private => "private",
            Visibility::Password => "password",
        }
        .into()
    }
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What it is called
    name: String,
    /// Whose room it is to be; without it, one's own
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who sees and enters it
    #[arg(long, value_enum)]
    visibility: Option<Visibility>,
    /// How many it takes, 2–1000
    #[arg(long, value_name = "N")]
    capacity: Option<i64>,
    /// Whoever is no member waits until somebody lets them in
    #[arg(long)]
    lobby: bool,
    /// The name in its link
    #[arg(long)]
    slug: Option<String>,
    /// When it opens, such as 2026-01-31T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    opens_at: Option<WireTime>,
    /// When it closes
    #[arg(long, value_name = "TIME", value_parser = time)]
    closes_at: Option<WireTime>,
    #[command(flatten)]
    password: PasswordSource,
}

/// Changes a room; what is not named stays.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its id, or the name in its link
    room: String,
    /// What it is called
    #[arg(long)]
    name: Option<String>,
    /// What it is for; empty takes it away
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who sees and enters it
    #[arg(long, value_enum)]
    visibility: Option<Visibility>,
    /// How many it takes, 2–1000
    #[arg(long, value_name = "N")]
    capacity: Option<i64>,
    /// Whoever is no member waits until somebody lets them in: `--lobby` or `--lobby=true`, `--lobby=false`
    #[arg(long, value_name = "TRUTH", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    lobby: Option<bool>,
    /// The name in its link; empty takes it away
    #[arg(long)]
    slug: Option<String>,
    /// When it opens; empty takes it away
    #[arg(long, value_name = "TIME", value_parser = time_or_none)]
    opens_at: Option<Changed<WireTime>>,
    /// When it closes; empty takes it away
    #[arg(long, value_name = "TIME", value_parser = time_or_none)]
    closes_at: Option<Changed<WireTime>>,
    #[command(flatten)]
    password: PasswordSource,
}

/// Is another value, or none.
#[derive(Debug, Clone, Copy)]
struct Changed<T>(Option<T>);

/// Reads a time as the interface has them.
pub(super) fn time(text: &str) -> Result<WireTime, String> {
    text.parse().map_err(|_| "is no time such as 2027-01-31T09:30:00Z".to_owned())
}

fn time_or_none(text: &str) -> Result<Changed<WireTime>, String> {
    if text.is_empty() {
        return Ok(Changed(None));
    }
    time(text).map(|time| Changed(Some(time)))
}

impl Verb {
    pub(super) async fn run(self, api: &Api, global: &Global) -> Result<(), Failure> {
        match self {
            Self::List(filter) => show_all(&filter.read(api).await?, global),
            Self::Create(create) => create.run(api, global).await,
            Self::Show { room } => show_detail(&api.ask(&Call::get(path(&room))).await?, global),
            Self::Update(update) => update.run(api, global).await,
            Self::Delete { room } => {
                let detail: Read<RoomDetail> = api.ask(&Call::get(path(&room))).await?;
                let name = detail.value.room.name;
                global.confirmation().confirm(&format!("Close the room {name} for good?")).await?;
                api.tell(&Call::delete(path(&room))).await?;
                global.output.say(&format!("Closed {name}."))
            }
            Self::Join { room, code, password } => join(api, global, &room, code, password).await,
            Self::Leave { room } => {
                need_person(api)?;
                let left: Read<Left> = api.ask(&Call::post(format!("{}/leave", path(&room)))).await?;
                let message = &left.value.message;
                global.output.show(&Shown {
                    body: &left.body,
                    table: &|| format!("{message}\n"),
                    names: &|| vec![room.clone()],
                })
            }
            Self::End { room } => show(&api.ask(&Call::post(format!("{}/end", path(&room)))).await?, global),
            Self::HandOn { room, user } => {
                let fields = Fields::new().set("user_id", users::find_id(api, &user).await?);
                show(&api.ask(&Call::post(format!("{}/owner", path(&room))).with(fields)).await?, global)
            }
            Self::LinkCode { room, renew } => {
                let path = format!("{}/link-code", path(&room));
                let link: Read<LinkCode> = api.ask(&if renew { Call::post(path) } else { Call::get(path) }).await?;
                let url = &link.value.url;
                global.output.show(&Shown {
                    body: &link.body,
                    table: &|| format!("{url}\n"),
                    names: &|| vec![url.clone()],
                })
            }
            Self::Participants { room, members, banned } => {
                let fields = Fields::new().set("members", members).set("banned", banned);
                let path = format!("{}/participants", path(&room));
                people::show_all(&api.ask(&Call::get(path).with(fields)).await?, global)
            }
            Self::Admit { room, user: None, .. } => people::admit_all(api, global, &path(&room)).await,
            Self::Admit { room, user: Some(user), .. } => Deed::Admit.run(api, global, &path(&room), &user).await,
            Self::Deny { room, user } => Deed::Deny.run(api, global, &path(&room), &user).await,
            Self::Mute { room, user } => Deed::Mute.run(api, global, &path(&room), &user).await,
            Self::Kick { room, user } => Deed::Kick.run(api, global, &path(&room), &user).await,
            Self::Ban { room, user } => Deed::Ban.run(api, global, &path(&room), &user).await,
            Self::Unban { room, user } => Deed::Unban.run(api, global, &path(&room), &user).await,
            Self::Promote { room, user } => Deed::Promote.run(api, global, &path(&room), &user).await,
            Self::Demote { room, user } => Deed::Demote.run(api, global, &path(&room), &user).await,
            Self::Watch { filter, interval } => {
                watch::rooms(api, global.output, &filter, Duration::from_secs(interval)).await
            }
        }
    }
}

impl Create {
    async fn run(self, api: &Api, global: &Global) -> Result<(), Failure> {
        let owner_id = if let Some(owner) = &self.owner {
            Some(users::find(api, owner).await?.value.id)
        } else {
            need_person(api)
                .map_err(|_| Failure::Usage("with --direct a room needs --owner USER or --as USER".to_owned()))?;
            None
        };
        let password = new_password(self.visibility, self.password).await?;
        let fields = Fields::new()
            .set("name", self.name)
            .maybe("owner_id", owner_id)
            .maybe("description", self.description)
            .maybe("visibility", self.visibility)
            .maybe("password", password.as_ref().map(Secret::reveal))
            .maybe("capacity", self.capacity)
            .set("lobby", self.lobby)
            .maybe("slug", self.slug)
            .maybe("opens_at", self.opens_at.map(|time| time.to_string()))
            .maybe("closes_at", self.closes_at.map(|time| time.to_string()));
        let made: Read<Room> = api.ask(&Call::post(ROOMS).with(fields)).await?;
        show(&made, global)?;
        if owner_id.is_some_and(|owner| owner != made.value.owner_id) {
            // An earlier release passes over what it does not know.
            return Err(anyhow::anyhow!("the server is of an earlier version: the room is yours, hand it on").into());
        }
        Ok(())
    }
}

impl Update {
    async fn run(self, api: &Api, global: &Global) -> Result<(), Failure> {
        let text = |text: Option<String>| text.map(|text| if text.is_empty() { Value::Null } else { text.into() });
        let time = |time: Option<Changed<WireTime>>| time.map(|Changed(time)| time.map(|time| time.to_string()));
        let password = new_password(self.visibility, self.password).await?;
        let fields = Fields::new()
            .maybe("name", self.name)
            .maybe("description", text(self.description))
            .maybe("visibility", self.visibility)
            .maybe("password", password.as_ref().map(Secret::reveal))
            .maybe("capacity", self.capacity)
            .maybe("lobby", self.lobby)
            .maybe("slug", text(self.slug))
            .maybe("opens_at", time(self.opens_at))
            .maybe("closes_at", time(self.closes_at));
        if fields.is_empty() {
            return Err(Failure::Usage("say what is to change: --name, --capacity, …".to_owned()));
        }
        show(&api.ask(&Call::patch(path(&self.room)).with(fields)).await?, global)
    }
}

/// Reads the password of a room that is to ask for one.
async fn new_password(visibility: Option<Visibility>, source: PasswordSource) -> Result<Option<Secret>, Failure> {
    if source.password_stdin || visibility == Some(Visibility::Password) {
        return source.new_one("Password of the room: ").await.map(Some);
    }
    Ok(None)
}

async fn join(
    api: &Api,
    global: &Global,
    room: &str,
    code: Option<String>,
    source: PasswordSource,
) -> Result<(), Failure> {
    need_person(api)?;
    let password = if source.password_stdin { Some(source.present("").await?) } else { None };
    let mut fields = Fields::new().maybe("code", code).maybe("password", password.as_ref().map(Secret::reveal));
    let call = Call::post(format!("{}/join", path(room)));
    let answer = match api.ask::<Value>(&call.clone().with(fields.clone())).await {
        // Whoever sits at the terminal learns only now that the room asks for a password.
        Err(Failure::Refused(problem)) if problem.code == "password_required" => {
            let Ok(password) = source.present("Password of the room: ").await else {
                return Err(Failure::Refused(problem));
            };
            fields = fields.set("password", password.reveal());
            api.ask::<Value>(&call.with(fields)).await?
        }
        other => other?,
    };
    let waits = answer.value.get("waiting").and_then(Value::as_bool).unwrap_or_default();
    let unreadable = |error: serde_json::Error| anyhow::anyhow!("the answer cannot be read: {error}");
    let sentence = if waits {
        let waiting: Waiting = serde_json::from_value(answer.value).map_err(unreadable)?;
        format!("{} You are number {}.\n", waiting.message, waiting.position)
    } else {
        let joined: Joined = serde_json::from_value(answer.value).map_err(unreadable)?;
        format!("{}\n", joined.message)
    };
    global.output.show(&Shown { body: &answer.body, table: &|| sentence.clone(), names: &|| vec![room.to_owned()] })
}

/// Is a room's path in the interface.
pub(crate) fn path(room: &str) -> String {
    format!("{ROOMS}/{}", segment(room))
}
