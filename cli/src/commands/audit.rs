//! The record of deeds.

use bytes::Bytes;
use clap::Args;
use cloudmeet_api_types::audit::Deed;

use super::rooms;
use crate::api::{Api, Call, Fields, Read, inside};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::Shown;
use crate::table::{Table, moment};

/// The longest page of the record.
const PAGE: u64 = 200;

/// Reads who did what, the newest first.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Only what concerns this room
    #[arg(long, value_name = "ROOM")]
    room: Option<String>,
    /// Only what came before this place in the record
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

impl Audit {
    pub(super) async fn run(self, api: &Api, global: &Global) -> Result<(), Failure> {
        let path = self.room.map_or_else(|| "/api/audit".to_owned(), |room| format!("{}/audit", rooms::path(&room)));
        let (mut bodies, mut deeds) = (Vec::new(), Vec::new());
        let mut before = self.before;
        loop {
            let wanted = PAGE.min(self.limit.saturating_sub(deeds.len() as u64));
            if wanted == 0 {
                break;
            }
            let fields = Fields::new().set("limit", wanted).maybe("before_id", before);
            let page: Read<Vec<Deed>> = api.ask(&Call::get(&path).with(fields)).await?;
            let came = page.value.len() as u64;
            before = page.value.last().map(|deed| deed.id);
            if came > 0 {
                bodies.push(String::from_utf8_lossy(inside(&page.body)).into_owned());
            }
            deeds.extend(page.value);
            if came < wanted {
                break;
            }
        }
        let deeds = Read { body: Bytes::from(format!("[{}]", bodies.join(","))), value: deeds };
        global.output.show(&Shown {
            body: &deeds.body,
            table: &|| table(&deeds.value).render(),
            names: &|| deeds.value.iter().map(|deed| deed.id.to_string()).collect(),
        })
    }
}

fn table(deeds: &[Deed]) -> Table {
    let mut table = Table::new(["ID", "TIME", "WHO", "DID", "TO", "ROOM", "RESULT", "FROM", "DETAIL"]);
    for deed in deeds {
        let id = |id: Option<i64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let who = match (&deed.actor_name, deed.actor_id) {
            (Some(name), Some(id)) => format!("{name} ({id})"),
            (Some(name), None) => name.clone(),
            (None, Some(id)) => id.to_string(),
            (None, None) => "server".to_owned(),
        };
        table.row([
            deed.id.to_string(),
            moment(deed.at),
            who,
            deed.action.clone(),
            id(deed.target_id),
            id(deed.room_id),
            deed.result.clone(),
            text(&deed.address),
            text(&deed.detail),
        ]);
    }
    table
}
