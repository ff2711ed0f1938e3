//! Keys for programs.

use clap::Subcommand;
use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::users::{ApiKey, NewApiKey};

use crate::api::{Api, Call, Fields, Read, segment};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Shown;
use crate::table::{Table, moment};

const KEYS: &str = "/api/api-keys";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a key; it is shown this once
    Create {
        /// The name under which people know it
        name: String,
        /// What it may be used for; several are given one by one
        #[arg(long = "scope", value_name = "SCOPE", default_value = "rooms:manage")]
        scopes: Vec<String>,
        /// Until when it is good, such as 2027-01-31T00:00:00Z
        #[arg(long, value_name = "TIME", value_parser = super::rooms::time)]
        expires_at: Option<WireTime>,
    },
    /// List the keys that were not revoked
    #[command(visible_alias = "ls")]
    List,
    /// Revoke a key: it is good for nothing any more
    #[command(visible_alias = "rm")]
    Revoke {
        /// Its id, as the list has it
        id: String,
    },
}

impl Verb {
    pub(super) async fn run(self, api: &Api, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Create { name, scopes, expires_at } => {
                let fields = Fields::new()
                    .set("name", name)
                    .set("scopes", scopes)
                    .maybe("expires_at", expires_at.map(|time| time.to_string()));
                let made: Read<NewApiKey> = api.ask(&Call::post(KEYS).with(fields)).await?;
                let NewApiKey { api_key, key } = &made.value;
                global.output.show(&Shown {
                    body: &made.body,
                    table: &|| {
                        format!("{key}\nKey {} is shown this once: keep it where the program finds it.\n", api_key.id)
                    },
                    // Nothing else will ever show it.
                    names: &|| vec![key.clone()],
                })
            }
            Self::List => {
                let keys: Read<Vec<ApiKey>> = api.ask(&Call::get(KEYS)).await?;
                global.output.show(&Shown {
                    body: &keys.body,
                    table: &|| table(&keys.value).render(),
                    names: &|| keys.value.iter().map(|key| key.id.to_string()).collect(),
                })
            }
            Self::Revoke { id } => {
                global.confirmation().confirm(&format!("Revoke the key {id}? What uses it stops working.")).await?;
                api.tell(&Call::delete(format!("{KEYS}/{}", segment(&id)))).await?;
                global.output.say(&format!("Revoked the key {id}."))
            }
        }
    }
}

fn table(keys: &[ApiKey]) -> Table {
    let mut table = Table::new(["ID", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED"]);
    for key in keys {
        let time = |time: Option<WireTime>| time.map_or_else(|| "never".to_owned(), moment);
        table.row([
            key.id.to_string(),
            key.name.clone(),
            key.scopes.join(" "),
            moment(key.created_at),
            time(key.expires_at),
            time(key.last_used_at),
        ]);
    }
    table
}
