//! Rooms and how they change, until somebody has seen enough.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use cloudmeet_api_types::room::Room;
use serde_json::value::RawValue;

use super::rooms::{self, Filter, table};
use crate::api::{Api, Call, Read};
use crate::failure::{Failure, tell};
use crate::output::{Format, json_line, print};
use crate::text::plain;

/// Goes to a screen of its own and without a cursor, and back (xterm, DECSET 1049 and 25).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Sends the cursor home; clears the rest of a line; clears what is below.
const HOME: &str = "\x1b[H";
const REST_OF_LINE: &str = "\x1b[K";
const BELOW: &str = "\x1b[J";

/// Looks at the rooms again and again. A fault that may pass does not end it: the next look tells.
pub(super) async fn rooms(api: &Api, output: Format, filter: &Filter, interval: Duration) -> Result<(), Failure> {
    let screen = (output == Format::Table && io::stdout().is_terminal()).then(Screen::enter).transpose()?;
    let mut known: HashMap<i64, Box<RawValue>> = HashMap::new();
    let mut is_away = false;
    loop {
        match filter.read(api).await {
            Ok(rooms) => {
                is_away = false;
                match &screen {
                    Some(screen) => screen.draw(&table(&rooms.value).render())?,
                    None => known = tell_changes(api, output, &rooms, &known).await?,
                }
            }
            Err(failure) if failure.may_pass() => {
                if !std::mem::replace(&mut is_away, true) {
                    tell(&format!("{}; trying again", failure.message().unwrap_or_default()));
                }
            }
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(interval).await;
    }
}

/// Prints what is not as it was, and gives how it is now.
async fn tell_changes(
    api: &Api,
    output: Format,
    rooms: &Read<Vec<Room>>,
    before: &HashMap<i64, Box<RawValue>>,
) -> Result<HashMap<i64, Box<RawValue>>, Failure> {
    let bodies: Vec<Box<RawValue>> = serde_json::from_slice(&rooms.body).map_err(io::Error::from)?;
    let now: HashMap<i64, Box<RawValue>> = rooms.value.iter().map(|room| room.id).zip(bodies).collect();
    // The newest first, as lists have it.
    for room in &rooms.value {
        let body = &now[&room.id];
        if before.get(&room.id).is_none_or(|before| before.get() != body.get()) {
            match output {
                Format::Name => print(&format!("{}\n", rooms::name(room)))?,
                Format::Table | Format::Json | Format::Yaml => json_line(body.get().as_bytes())?,
            }
        }
    }
    for id in before.keys().filter(|id| !now.contains_key(id)) {
        // It may be only that newer ones have taken its place in the list.
        let is_open = match api.ask::<Room>(&Call::get(rooms::path(&id.to_string()))).await {
            Ok(room) => room.value.is_active,
            Err(Failure::Refused(problem)) if problem.status == 404 => false,
            Err(failure) => return Err(failure),
        };
        if !is_open && output != Format::Name {
            json_line(format!("{{\"id\":{id},\"gone\":true}}").as_bytes())?;
        }
    }
    Ok(now)
}

/// Is a screen that is drawn over again and again. Dropped, it gives back what stood there before.
struct Screen(io::Stdout);

impl Screen {
    fn enter() -> Result<Self, Failure> {
        let mut screen = Self(io::stdout());
        write!(screen.0, "{ENTER}")?;
        Ok(screen)
    }

    /// Draws as many lines as there is room for.
    fn draw(&self, text: &str) -> Result<(), Failure> {
        let height = terminal_size::terminal_size().map_or(usize::MAX, |(_, height)| usize::from(height.0));
        let lines: Vec<String> =
            text.lines().take(height).map(|line| format!("{}{REST_OF_LINE}", plain(line))).collect();
        let mut out = self.0.lock();
        write!(out, "{HOME}{}{BELOW}", lines.join("\r\n"))?;
        Ok(out.flush()?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = self.0.lock();
        let _ = write!(out, "{LEAVE}").and_then(|()| out.flush());
    }
}
