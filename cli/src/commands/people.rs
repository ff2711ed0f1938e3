//! The people in a room, and what hosts do to them.

use axum::http::Method;
use cloudmeet_api_types::room::{AllAdmitted, Participant, Role, Status};

use super::users::{self, yes_or_no};
use crate::api::{Api, Call, Read};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Shown;
use crate::table::{Table, moment};

/// Is something that hosts do to somebody.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Admit,
    Deny,
    Mute,
    Kick,
    Ban,
    Unban,
    Promote,
    Demote,
}

impl Deed {
    /// How it is called by the interface, and what is said when it is done.
    const fn words(self) -> (Method, &'static str, &'static str) {
        match self {
            Self::Admit => (Method::POST, "admit", "was let in"),
            Self::Deny => (Method::POST, "deny", "was turned away"),
            Self::Mute => (Method::POST, "mute", "is muted"),
            Self::Kick => (Method::POST, "kick", "was removed"),
            Self::Ban => (Method::POST, "ban", "was banned"),
            Self::Unban => (Method::DELETE, "ban", "may come again"),
            Self::Promote => (Method::POST, "promote", "is a moderator"),
            Self::Demote => (Method::POST, "demote", "is an ordinary member"),
        }
    }

    /// Does it in the room of a path.
    pub(super) async fn run(self, api: &Api, global: &Global, room: &str, user: &str) -> Result<(), Failure> {
        let (method, word, done) = self.words();
        let id = users::find_id(api, user).await?;
        let call = Call { method, path: format!("{room}/participants/{id}/{word}"), body: None };
        let person: Read<Participant> = api.ask(&call).await?;
        let name = &person.value.user_display_name;
        global.output.show(&Shown {
            body: &person.body,
            table: &|| format!("{name} {done}.\n"),
            names: &|| vec![person.value.user_id.to_string()],
        })
    }
}

/// Lets everybody in who waits.
pub(super) async fn admit_all(api: &Api, global: &Global, room: &str) -> Result<(), Failure> {
    let all: Read<AllAdmitted> = api.ask(&Call::post(format!("{room}/admit-all"))).await?;
    let AllAdmitted { admitted, waiting } = &all.value;
    global.output.show(&Shown {
        body: &all.body,
        table: &|| format!("{} were let in, {waiting} still wait.\n", admitted.len()),
        names: &|| admitted.iter().map(|person| person.user_id.to_string()).collect(),
    })
}

/// Puts people into a table.
pub(super) fn table(people: &[Participant]) -> Table {
    let mut table = Table::new(["USER", "NAME", "ROLE", "STATUS", "MUTED", "HAND", "SINCE"]);
    for person in people {
        table.row([
            person.user_id.to_string(),
            person.user_display_name.clone(),
            match person.role {
                Role::Owner => "owner",
                Role::Moderator => "moderator",
                Role::Participant => "participant",
            }
            .to_owned(),
            match person.status {
                Status::InCall => "in the call",
                Status::Online => "online",
                Status::Offline => "offline",
            }
            .to_owned(),
            yes_or_no(person.muted_by_host),
            yes_or_no(person.hand),
            moment(person.join_time),
        ]);
    }
    table
}

pub(super) fn show_all(people: &Read<Vec<Participant>>, global: &Global) -> Result<(), Failure> {
    global.output.show(&Shown {
        body: &people.body,
        table: &|| table(&people.value).render(),
        names: &|| people.value.iter().map(|person| person.user_id.to_string()).collect(),
    })
}
