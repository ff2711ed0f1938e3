//! Rooms and how they change, until somebody has seen enough.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use serde_json::value::RawValue;

use super::rooms::{Filter, table};
use crate::api::Api;
use crate::failure::Failure;
use crate::output::{json_line, print};

/// Sends the cursor home; clears the rest of a line; clears what is below.
const HOME: &str = "\x1b[H";
const REST_OF_LINE: &str = "\x1b[K";
const BELOW: &str = "\x1b[J";

/// Looks at the rooms again and again. A fault that may pass does not end it: the next look tells.
pub(super) async fn rooms(api: &Api, filter: &Filter, interval: Duration) -> Result<(), Failure> {
    let is_terminal = io::stdout().is_terminal();
    let mut last: HashMap<i64, Box<RawValue>> = HashMap::new();
    let mut is_first = true;
    loop {
        match filter.read(api).await {
            Ok(rooms) if is_terminal => redraw(&table(&rooms.value).render(), is_first)?,
            Ok(rooms) => {
                let bodies: Vec<Box<RawValue>> = serde_json::from_slice(&rooms.body).map_err(io::Error::from)?;
                let now: HashMap<i64, Box<RawValue>> = rooms.value.iter().map(|room| room.id).zip(bodies).collect();
                // The newest first, as lists have it.
                for room in &rooms.value {
                    let body = &now[&room.id];
                    if last.get(&room.id).is_none_or(|before| before.get() != body.get()) {
                        json_line(body.get().as_bytes())?;
                    }
                }
                for id in last.keys().filter(|id| !now.contains_key(id)) {
                    json_line(format!("{{\"id\":{id},\"gone\":true}}").as_bytes())?;
                }
                last = now;
            }
            // What is wrong from the beginning will stay so.
            Err(failure @ Failure::Failed(_)) if !is_first => {
                anstream::eprintln!("cloudmeet: {}", failure.message().unwrap_or_default());
            }
            Err(failure) => return Err(failure),
        }
        is_first = false;
        tokio::time::sleep(interval).await;
    }
}

/// Draws over what stood there; the first time on a clean screen.
fn redraw(text: &str, is_first: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if is_first {
        write!(out, "{HOME}{BELOW}")?;
    }
    write!(out, "{HOME}")?;
    for line in text.lines() {
        writeln!(out, "{}{REST_OF_LINE}", crate::text::plain(line))?;
    }
    write!(out, "{BELOW}")?;
    drop(out);
    print("")
}
