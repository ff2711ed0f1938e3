//! The verbs, one file a noun.

pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod can_i;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod login;
pub(crate) mod people;
pub(crate) mod rooms;
pub(crate) mod users;
mod watch;

use crate::api::Api;
use crate::args::{Cli, Global, Noun};
use crate::failure::Failure;
use crate::output::print;
use crate::target;

/// Does what is asked for.
pub(crate) async fn run(Cli { mut global, noun }: Cli) -> Result<(), Failure> {
    // This question is asked about somebody, not as they.
    let about = if matches!(noun, Some(Noun::CanI(_))) { global.as_user.take() } else { None };
    let global = &global;
    let Some(noun) = noun else {
        return print(&format!("{}\nRun `cloudmeet --help` for what it can do.\n", target::describe(global)?));
    };
    match noun {
        Noun::Login(login) => login.run(global).await,
        Noun::Logout => login::logout(global).await,
        Noun::Completions(completions) => completions.run(),
        Noun::Man(man) => man.run(),
        Noun::Db(verb) => verb.run(global).await,
        Noun::Doctor => doctor::run(global).await,
        noun => {
            let api = target::open(global).await?;
            let outcome = match noun {
                Noun::CanI(question) => question.run(&api, global, about.as_deref()).await,
                other => ask(&api, other, global).await,
            };
            api.close().await;
            outcome
        }
    }
}

/// Does what asks the REST interface.
async fn ask(api: &Api, noun: Noun, global: &Global) -> Result<(), Failure> {
    match noun {
        Noun::Whoami => login::whoami(api, global).await,
        Noun::Users(verb) => verb.run(api, global).await,
        Noun::Rooms(verb) => verb.run(api, global).await,
        Noun::Chat(verb) => verb.run(api, global).await,
        Noun::ApiKeys(verb) => verb.run(api, global).await,
        Noun::Audit(audit) => audit.run(api, global).await,
        Noun::CanI(_)
        | Noun::Login(_)
        | Noun::Logout
        | Noun::Completions(_)
        | Noun::Man(_)
        | Noun::Db(_)
        | Noun::Doctor => {
            unreachable!("these are asked before")
        }
    }
}
