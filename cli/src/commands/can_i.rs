//! Asking the table of rules.

use clap::Args;
use cloudmeet_api_types::room::Permission;

use super::{rooms, users};
use crate::api::{Api, Call, Fields, Read};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Shown;
use crate::target::need_person;

/// Asks whether one may do something, or for administrators whether somebody else may; exits 1 where they may not.
#[derive(Debug, Args)]
pub(crate) struct CanI {
    /// What, such as kick, promote or export
    action: String,
    /// Its id, or the name in its link
    room: String,
    /// Towards whom; without it, somebody who is not the owner
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

impl CanI {
    /// Asks about `who`, for administrators; without, about whoever asks.
    pub(super) async fn run(self, api: &Api, global: &Global, who: Option<&str>) -> Result<(), Failure> {
        let id = async |user: Option<&str>| match user {
            Some(user) => users::find_id(api, user).await.map(Some),
            None => Ok(None),
        };
        if who.is_none() {
            need_person(api)?;
        }
        let fields = Fields::new()
            .set("action", self.action)
            .maybe("as_user_id", id(who).await?)
            .maybe("user_id", id(self.user.as_deref()).await?);
        let call = Call::get(format!("{}/can-i", rooms::path(&self.room))).with(fields);
        let answer: Read<Permission> = api.ask(&call).await?;
        let Permission { allowed, rule, detail } = &answer.value;
        global.output.show(&Shown {
            body: &answer.body,
            table: &|| format!("{}: {detail} ({rule})\n", if *allowed { "yes" } else { "no" }),
            names: &|| vec![if *allowed { "yes" } else { "no" }.to_owned()],
        })?;
        if *allowed { Ok(()) } else { Err(Failure::No) }
    }
}
