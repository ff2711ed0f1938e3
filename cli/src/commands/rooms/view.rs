//! Rooms as people and programs get them.

use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::room::{Room, RoomDetail, Visibility};

use crate::api::Read;
use crate::args::Global;
use crate::commands::people;
use crate::commands::users::yes_or_no;
use crate::failure::Failure;
use crate::output::Shown;
use crate::table::{Table, details, moment};

/// Is what a room is called in other verbs.
pub(in crate::commands) fn name(room: &Room) -> String {
    room.slug.clone().unwrap_or_else(|| room.id.to_string())
}

/// Puts rooms into a table.
pub(in crate::commands) fn table(rooms: &[Room]) -> Table {
    let mut table = Table::new(["ID", "NAME", "LINK", "VISIBILITY", "PEOPLE", "STATE", "LAST ACTIVITY"]);
    for room in rooms {
        table.row([
            room.id.to_string(),
            room.name.clone(),
            format!("/r/{}", name(room)),
            visibility(room),
            format!("{}/{}", room.participants_count, room.capacity),
            if room.is_active { "open" } else { "closed" }.to_owned(),
            moment(room.last_activity_at),
        ]);
    }
    table
}

/// Prints a list of rooms.
pub(super) fn show_all(rooms: &Read<Vec<Room>>, global: &Global) -> Result<(), Failure> {
    global.output.show(&Shown {
        body: &rooms.body,
        table: &|| table(&rooms.value).render(),
        names: &|| rooms.value.iter().map(name).collect(),
    })
}

fn visibility(room: &Room) -> String {
    match room.visibility {
        Visibility::Public => "public",
        Visibility::Private => "private",
        Visibility::Password => "password",
    }
    .to_owned()
}

fn described(room: &Room) -> String {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let time = |time: Option<WireTime>| or_none(time.map(|time| time.to_string()));
    details(&[
        ("Id", room.id.to_string()),
        ("Name", room.name.clone()),
        ("Link", format!("/r/{}", name(room))),
        ("Description", or_none(room.description.clone())),
        ("Owner", room.owner_id.to_string()),
        ("Visibility", visibility(room)),
        ("Capacity", room.capacity.to_string()),
        ("Lobby", yes_or_no(room.lobby)),
        ("Opens", time(room.opens_at)),
        ("Closes", time(room.closes_at)),
        ("Managed by", or_none(room.managed_by.clone())),
        ("State", if room.is_active { "open" } else { "closed" }.to_owned()),
        ("People", room.participants_count.to_string()),
        ("Messages", room.last_seq.to_string()),
        ("Created", room.created_at.to_string()),
        ("Last activity", room.last_activity_at.to_string()),
    ])
}

/// Prints a room.
pub(super) fn show(room: &Read<Room>, global: &Global) -> Result<(), Failure> {
    global.output.show(&Shown {
        body: &room.body,
        table: &|| described(&room.value),
        names: &|| vec![name(&room.value)],
    })
}

/// Prints a room and who is there.
pub(super) fn show_detail(detail: &Read<RoomDetail>, global: &Global) -> Result<(), Failure> {
    let RoomDetail { room, participants, waiting, .. } = &detail.value;
    global.output.show(&Shown {
        body: &detail.body,
        table: &|| {
            let mut text = described(room);
            for (head, people) in [("\nThere now:\n", participants), ("\nWaiting:\n", waiting)] {
                if !people.is_empty() {
                    text.push_str(head);
                    text.push_str(&people::table(people).render());
                }
            }
            text
        },
        names: &|| vec![name(room)],
    })
}
