//! What a resource asks for, in the server's words, and what of a room is another.

use cloudmeet_api_types::WireTime;
use cloudmeet_api_types::managed::{KeepRoom, ManagedRoom};
use cloudmeet_api_types::room::Visibility as WireVisibility;
use cloudmeet_core::account::Email;
use cloudmeet_core::room::{Description, RoomName};
use cloudmeet_core::secret::Secret;
use cloudmeet_core::time::Timestamp;

use crate::resource::{RoomSpec, Visibility};

/// Is a password, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedPassword {
    /// The password.
    pub password: Secret,
    /// Another one for each text that the Secret has held.
    pub version: String,
}

/// Says whether a room is taken over, where the resource names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// From whoever lets it.
    Peaceful,
    /// From another resource, too.
    Forced,
    /// Not again: the one that was taken over is another's now, or closed.
    Past,
}

/// Says which room to make of a resource.
#[must_use]
pub fn keep_room(spec: &RoomSpec, password: Option<&VersionedPassword>, adoption: Adoption) -> KeepRoom {
    KeepRoom {
        name: spec.display_name.clone(),
        description: spec.description.clone(),
        owner: spec.owner.clone(),
        moderators: spec.moderators.clone(),
        visibility: Some(wire_visibility(spec.visibility)),
        password: password.map(|password| password.password.reveal().to_owned()),
        password_version: password.map(|password| password.version.clone()),
        capacity: Some(spec.capacity),
        lobby: spec.lobby,
        slug: spec.slug.clone(),
        opens_at: spec.schedule.as_ref().and_then(|schedule| schedule.start).map(wire_time),
        closes_at: spec.schedule.as_ref().and_then(|schedule| schedule.end).map(wire_time),
        adopt: spec.external_room_id.clone().filter(|_| adoption != Adoption::Past),
        force: adoption == Adoption::Forced,
    }
}

/// Is what of a room is not as its resource describes it, in the words of the resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// What was as described once.
    pub drifted: Vec<&'static str>,
    /// What the room never had: a password that its Secret holds now, a moderator without an account then.
    pub owed: Vec<&'static str>,
}

impl Differences {
    /// Says whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drifted.is_empty() && self.owed.is_empty()
    }
}

/// Compares a room with its description. What the server would refuse is another than everything.
#[must_use]
pub fn differences(spec: &RoomSpec, password_version: Option<&str>, room: &ManagedRoom) -> Differences {
    let wanted = keep_room(spec, None, Adoption::Peaceful);
    let name = RoomName::parse(&spec.display_name);
    let description = spec.description.as_deref().map_or(Ok(None), Description::parse);
    let mut moderators: Vec<String> = spec.moderators.iter().map(|address| normalised(address)).collect();
    moderators.retain(|moderator| *moderator != normalised(&spec.owner));
    moderators.sort_unstable();
    moderators.dedup();
    let checks = [
        ("displayName", name.is_ok_and(|name| name.as_str() == room.name)),
        (
            "description",
            description.is_ok_and(|wanted| wanted.as_ref().map(Description::as_str) == room.description.as_deref()),
        ),
        ("owner", room.owner.as_deref() == Some(normalised(&spec.owner).as_str())),
        ("moderators", room.moderators.iter().all(|moderator| moderators.contains(moderator))),
        ("capacity", spec.capacity == room.capacity),
        ("visibility", wanted.visibility == Some(room.visibility)),
        ("schedule", (wanted.opens_at, wanted.closes_at) == (room.opens_at, room.closes_at)),
        ("lobby", spec.lobby == room.lobby),
        ("slug", spec.slug.is_none() || spec.slug == room.slug),
    ];
    let has_password = spec.visibility != Visibility::Password || password_version == room.password_version.as_deref();
    let owed = [("moderators", moderators.iter().all(|one| room.moderators.contains(one))), ("password", has_password)];
    let others = |(field, is_so): (&'static str, bool)| (!is_so).then_some(field);
    Differences {
        drifted: checks.into_iter().filter_map(others).collect(),
        owed: owed.into_iter().filter_map(others).collect(),
    }
}

fn normalised(address: &str) -> String {
    Email::parse(address).map_or_else(|_| address.to_owned(), |email| email.as_str().to_owned())
}

const fn wire_visibility(visibility: Visibility) -> WireVisibility {
    match visibility {
        Visibility::Public => WireVisibility::Public,
        Visibility::Private => WireVisibility::Private,
        Visibility::Password => WireVisibility::Password,
    }
}

fn wire_time(time: jiff::Timestamp) -> WireTime {
    WireTime(Timestamp::from_millis(time.as_millisecond()))
}
